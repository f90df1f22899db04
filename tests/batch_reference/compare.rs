//! Two outcomes side by side, bit for bit.

use super::{Batch, Outcome};
use std::fmt::Debug;
use zeroproof::ModeState;

/// The bits of a value; every NaN is Φ.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// The first difference between what was found and what was expected.
pub fn outcomes(batch: &Batch, found: &Outcome, expected: &Outcome, state: &ModeState) -> Result<(), String> {
    rows_and_statistics(batch, found, expected, state)?;
    let (a, b) = (&found.totals, &expected.totals);
    let place = |_, _| "of the total".to_string();
    same("kept", &a.kept, &b.kept)?;
    each("value", &[vec![a.value]], &[vec![b.value]], |&a, &b| bits(a) == bits(b), place)?;
    each("gradient", &a.gradients, &b.gradients, |&a, &b| bits(a) == bits(b), place)?;
    each("status", &a.statuses, &b.statuses, |a, b| a == b, place)
}

/// The same for everything but totals.
pub fn rows_and_statistics(
    batch: &Batch,
    found: &Outcome,
    expected: &Outcome,
    state: &ModeState,
) -> Result<(), String> {
    let place = |place: usize, len: usize| {
        let sample = place / (len / batch.samples).max(1);
        let numbers: Vec<_> = (0..batch.inputs.len()).map(|argument| batch.row(argument, sample)).collect();
        format!("in sample {sample}, with {numbers:?}")
    };
    each("value", &found.values, &expected.values, |&a, &b| bits(a) == bits(b), place)?;
    each("gradient", &found.gradients, &expected.gradients, |&a, &b| bits(a) == bits(b), place)?;
    each("status", &found.statuses, &expected.statuses, |a, b| a == b, place)?;
    statistics(found, expected, state)
}

fn each<T: Debug>(
    what: &str,
    found: &[Vec<T>],
    expected: &[Vec<T>],
    agree: impl Fn(&T, &T) -> bool,
    place: impl Fn(usize, usize) -> String,
) -> Result<(), String> {
    let lengths = |all: &[Vec<T>]| all.iter().map(Vec::len).collect::<Vec<_>>();
    same(&format!("lengths of {what} arrays"), &lengths(found), &lengths(expected))?;
    for (array, (found, expected)) in found.iter().zip(expected).enumerate() {
        let wrong = found.iter().zip(expected).position(|(a, b)| !agree(a, b));
        if let Some(wrong) = wrong {
            let (a, b, where_) = (&found[wrong], &expected[wrong], place(wrong, found.len()));
            return Err(format!("{what} {array} is {a:?}, not {b:?}, at place {wrong}, {where_}"));
        }
    }
    Ok(())
}

fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}

/// Two figures, `None` if there is no data, up to a relative error.
fn close(what: &str, found: Option<f64>, expected: Option<f64>, error: f64) -> Result<(), String> {
    let agree = match (found, expected) {
        (Some(a), Some(b)) => bits(a) == bits(b) || (a - b).abs() <= error * b.abs().max(f64::MIN_POSITIVE),
        (a, b) => a == b,
    };
    if agree { Ok(()) } else { Err(format!("{what}: {found:?}, not {expected:?}")) }
}

fn statistics(found: &Outcome, expected: &Outcome, state: &ModeState) -> Result<(), String> {
    let (a, b) = (found.statistics.summary(state), expected.statistics.summary(state));
    same("decisions", &a.total_gradient_calls, &b.total_gradient_calls)?;
    same("saturating", &a.saturating_activations, &b.saturating_activations)?;
    same("Mask-REAL", &a.mask_real_activations, &b.mask_real_activations)?;
    same("near poles", &a.near_pole_ratio, &b.near_pole_ratio)?;
    same("dropped", &a.dropped_contributions, &b.dropped_contributions)?;
    same("masked", &a.masked_nodes, &b.masked_nodes)?;
    same("smallest distance", &a.q_min_batch, &b.q_min_batch)?;
    same("smallest distance of the epoch", &a.q_min_epoch, &b.q_min_epoch)?;
    same("policy", &(a.policy_mode, a.policy_flip_count), &(b.policy_mode, b.policy_flip_count))?;
    close("mean distance", a.q_mean_batch, b.q_mean_batch, 1e-12)?;
    // Quantiles are exact while every distance is kept.
    let error = if b.total_gradient_calls <= 1024 { 0.0 } else { 0.008 };
    let quantiles = [
        ("q_p10", a.q_p10, b.q_p10),
        ("q_p50", a.q_p50, b.q_p50),
        ("q_p90", a.q_p90, b.q_p90),
        ("q_median", a.q_median_batch, b.q_median_batch),
        ("g_p10", a.g_p10, b.g_p10),
        ("g_p50", a.g_p50, b.g_p50),
        ("g_p90", a.g_p90, b.g_p90),
    ];
    quantiles.into_iter().try_for_each(|(what, a, b)| close(what, a, b, error))?;
    same("poles", &found.statistics.detected_poles(), &expected.statistics.detected_poles())
}

/// The same numbers for the same decisions, as far as the statistics keep them one by one.
pub fn order_of_decisions(found: &Outcome, expected: &Outcome) -> Result<(), String> {
    [1e-3, 0.1, 1.0].into_iter().try_for_each(|threshold| {
        let near = |outcome: &Outcome| outcome.statistics.near_decisions(threshold);
        same("near decisions, by number", &near(found), &near(expected))
    })
}
