//! The schedule of δ, the hysteresis policy, and what statistics say of a stream of decisions.

use std::time::Instant;
use zeroproof::stats::SummaryValue;
use zeroproof::{
    GradientMode, HybridSchedule, HysteresisPolicy, ModeState, ScheduleType, Statistics, Summary, Tape,
};

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || (a - b).abs() <= tolerance * b.abs()
}

#[test]
fn every_shape_follows_its_formula() {
    use ScheduleType::{Cosine, Exponential, Linear};
    let (first, last) = (1e-2f64, 1e-6f64);
    for schedule_type in [Linear, Exponential, Cosine] {
        let schedule =
            HybridSchedule { warmup_epochs: 3, transition_epochs: 8, schedule_type, ..Default::default() };
        for epoch in 0..20 {
            let p = ((epoch as f64 - 3.0) / 8.0).clamp(0.0, 1.0);
            let want = match schedule_type {
                Linear => first + (last - first) * p,
                Exponential => first * (last / first).powf(p),
                Cosine => last + 0.5 * (first - last) * (1.0 + (std::f64::consts::PI * p).cos()),
            };
            let delta = schedule.delta(epoch, None);
            assert_eq!(delta.is_none(), epoch < 3);
            assert!(
                delta.is_none_or(|d| close(d, want, 1e-12)),
                "{schedule_type:?} {epoch}: {delta:?} {want}"
            );
            assert_eq!(schedule.is_warmup(epoch), epoch < 3);
            assert_eq!(schedule.is_transitioning(epoch), (3..11).contains(&epoch));
        }
    }
    let sudden = HybridSchedule { transition_epochs: 0, ..Default::default() };
    assert!(close(sudden.delta(0, None).unwrap(), 1e-6, 1e-12), "no transition: p = 1");
    let off = HybridSchedule { enable: false, ..Default::default() };
    assert_eq!((off.delta(50, None), off.is_transitioning(5)), (None, false));
}

#[test]
fn adaptive_delta_grows_near_poles_within_its_limits() {
    let schedule = HybridSchedule::default();
    let plain = schedule.delta(5, None).unwrap();
    for (q_min, factor) in [(10.0, 1.0), (0.1, 1.0), (0.05, 2.0), (0.02, 5.0)] {
        assert!(close(schedule.delta(5, Some(q_min)).unwrap(), plain * factor, 1e-12), "{q_min}");
    }
    for q_min in [1e-9, 5e-324, 0.0] {
        assert_eq!(schedule.delta(5, Some(q_min)), Some(2.0 * schedule.delta_init));
    }
    let fixed = HybridSchedule { adaptive_delta: false, ..schedule.clone() };
    assert_eq!(fixed.delta(5, Some(1e-9)), Some(plain));
    let floored = HybridSchedule { min_delta: 1e-3, ..schedule.clone() };
    assert_eq!(floored.delta(50, None), Some(1e-3), "min_delta");
    assert_eq!(schedule.delta(5, Some(1e-9)), schedule.delta(5, Some(1e-9)), "a pure function");
    assert_eq!(schedule, HybridSchedule::default(), "which leaves the schedule as it was");
}

#[test]
fn descriptions_begin_with_the_phase() {
    let schedule = HybridSchedule { warmup_epochs: 2, transition_epochs: 3, ..Default::default() };
    let first_word = |epoch| schedule.describe(epoch).split([' ', ':']).next().unwrap().to_owned();
    let words = [0, 1, 2, 4, 5, 99].map(first_word);
    assert_eq!(words, ["warmup", "warmup", "transitioning", "transitioning", "converged", "converged"]);
    assert!(HybridSchedule { enable: false, ..schedule }.describe(0).starts_with("disabled"));
}

#[test]
fn detected_poles_are_explored_for_a_few_epochs() {
    let mut schedule = HybridSchedule { transition_epochs: 20, ..Default::default() };
    schedule.update_detected_poles(&[0.5, 0.52, f64::NAN, 2.0], 3);
    assert_eq!(schedule.known_poles, [0.5, 2.0], "0.52 is within a radius of 0.5");
    let lows = |schedule: &HybridSchedule, epoch| -> Vec<f64> {
        schedule.regions(epoch).iter().map(|region| region.low).collect()
    };
    assert_eq!(lows(&schedule, 3), [] as [f64; 0], "from the next epoch on");
    for epoch in 4..=8 {
        assert_eq!(lows(&schedule, epoch), [0.5 - 0.05, 2.0 - 0.05]);
    }
    assert_eq!(lows(&schedule, 9), [] as [f64; 0], "for five epochs");
    schedule.update_detected_poles(&[0.51, 3.0], 10);
    assert_eq!(lows(&schedule, 11), [3.0 - 0.05], "a known pole is not explored again");
    schedule.update_detected_poles(&[7.0], 17);
    assert_eq!(lows(&schedule, 18), [7.0 - 0.05]);
    assert_eq!(lows(&schedule, 21), [] as [f64; 0], "not past warm-up and transition");
    let state = schedule.state(18, None).unwrap();
    assert!(state.explores(7.04) && !state.explores(7.06));

    let mut unforced = HybridSchedule { force_pole_exploration: false, ..Default::default() };
    unforced.update_detected_poles(&[0.5], 1);
    assert!(unforced.regions(2).is_empty());
}

#[test]
fn the_state_of_an_epoch_is_what_a_pass_reads() {
    let schedule = HybridSchedule { warmup_epochs: 5, saturating_bound: 0.5, ..Default::default() };
    let state = schedule.state(2, None).unwrap();
    assert_eq!((state.mode, state.delta(), state.bound()), (GradientMode::Hybrid, None, 0.5));
    assert_eq!(schedule.state(5, None).unwrap().delta(), Some(1e-2));
    let broken = |schedule: HybridSchedule| schedule.state(0, None).unwrap_err().to_string();
    for (text, field) in [
        (broken(HybridSchedule { delta_init: 0.0, ..Default::default() }), "delta_init"),
        (broken(HybridSchedule { delta_final: -1.0, ..Default::default() }), "delta_final"),
        (broken(HybridSchedule { saturating_bound: f64::NAN, ..Default::default() }), "saturating_bound"),
        (broken(HybridSchedule { min_delta: -1.0, ..Default::default() }), "min_delta"),
    ] {
        assert!(text.starts_with(field) && text.contains("finite number"), "{text}");
    }
}

/// Feeds one batch and returns the policy's state after it.
fn batch(statistics: &mut Statistics, distances: &[f64]) -> Option<&'static str> {
    distances.iter().for_each(|&q| statistics.add_distance(q).unwrap());
    statistics.end_batch();
    statistics.summary(&ModeState::default()).policy_mode
}

#[test]
fn the_policy_changes_state_between_batches_with_hysteresis() {
    let mut statistics = Statistics::new();
    statistics.set_policy(Some(HysteresisPolicy::new(0.1, 0.3, None, None).unwrap()));
    let states = [0.2, 0.1, 0.2, 0.29, 0.3, 0.2, 0.05].map(|q| batch(&mut statistics, &[q; 10]).unwrap());
    assert_eq!(states, ["MR", "SAT", "SAT", "SAT", "MR", "MR", "SAT"]);
    let summary = statistics.summary(&ModeState::default());
    assert_eq!((summary.policy_flip_count, summary.flip_rate), (3, Some(3.0 / 7.0)));
    assert_eq!((summary.tau_q_on, summary.tau_q_off), (Some(0.1), Some(0.3)));
    statistics.set_policy(None);
    assert_eq!(batch(&mut statistics, &[0.01]), None);
}

#[test]
fn the_policy_looks_at_the_sensitivity_too() {
    let policy = HysteresisPolicy::new(0.001, 0.01, Some(50.0), Some(10.0)).unwrap();
    let mut statistics = Statistics::new();
    statistics.set_policy(Some(policy));
    assert_eq!(batch(&mut statistics, &[0.1; 5]), Some("MR"), "g = 10");
    assert_eq!(batch(&mut statistics, &[0.02; 5]), Some("SAT"), "g = 50");
    assert_eq!(batch(&mut statistics, &[0.05; 5]), Some("SAT"), "q is off, but g = 20 > 10");
    assert_eq!(batch(&mut statistics, &[0.1; 5]), Some("MR"), "g = 10 is not > 10");
    assert_eq!(batch(&mut statistics, &[0.0; 5]), Some("SAT"), "g = ∞");
    let mut low = vec![1.0; 18];
    low.extend([0.0; 2]);
    let mut statistics = Statistics::new();
    statistics.set_policy(Some(HysteresisPolicy::new(0.1, 0.2, None, None).unwrap()));
    assert_eq!(batch(&mut statistics, &low), Some("MR"), "the tenth percentile lies above");
    low.push(0.0);
    assert_eq!(batch(&mut statistics, &low), Some("SAT"));
}

#[test]
fn policies_refuse_thresholds_without_a_gap() {
    for (on, off, g_on, g_off) in [
        (0.2, 0.2, None, None),
        (0.3, 0.2, None, None),
        (-0.1, 0.2, None, None),
        (0.1, f64::INFINITY, None, None),
        (f64::NAN, 0.2, None, None),
        (0.1, 0.2, Some(0.0), None),
        (0.1, 0.2, Some(1.0), Some(2.0)),
    ] {
        assert!(HysteresisPolicy::new(on, off, g_on, g_off).is_err(), "{on} {off} {g_on:?} {g_off:?}");
    }
}

/// Positive numbers over many orders of magnitude, without pattern.
fn distances(count: u64) -> Vec<f64> {
    let spread = |k: u64| (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1u64 << 53) as f64;
    (0..count).map(|k| 10f64.powf(6.0 * spread(k) - 4.0)).collect()
}

fn quantile(sorted: &[f64], fraction: f64) -> f64 {
    let position = fraction * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    low + (high - low) * position.fract()
}

#[test]
fn the_summary_of_a_stream_is_that_of_its_values() {
    let state = ModeState::hybrid(Some(0.01)).unwrap();
    for count in [1, 2, 10, 1000, 20_000] {
        let values = distances(count);
        let mut statistics = Statistics::new();
        let saturated = values.iter().filter(|&&q| statistics.decide_at(&state, q, None).unwrap()).count();
        let near = values.iter().filter(|&&q| q <= 0.01).count();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let summary = statistics.summary(&state);
        assert_eq!(saturated, near);
        assert_eq!(summary.total_gradient_calls, count);
        assert_eq!(summary.saturating_activations, near as u64);
        assert_eq!(summary.mask_real_activations, count - near as u64);
        assert_eq!(summary.near_pole_ratio, Some(near as f64 / count as f64));
        assert_eq!(summary.saturating_ratio, summary.near_pole_ratio);
        assert_eq!((summary.q_min_batch, summary.q_min_epoch), (Some(sorted[0]), Some(sorted[0])));
        let mean = sorted.iter().sum::<f64>() / count as f64;
        assert!(close(summary.q_mean_batch.unwrap(), mean, 1e-12));
        let tolerance = if count <= 1024 { 1e-12 } else { 0.008 };
        for (found, fraction) in [(summary.q_p10, 0.1), (summary.q_p50, 0.5), (summary.q_p90, 0.9)] {
            assert!(close(found.unwrap(), quantile(&sorted, fraction), tolerance), "{count} {fraction}");
        }
        assert_eq!(summary.q_median_batch, summary.q_p50);
        let mut inverse: Vec<_> = sorted.iter().map(|q| 1.0 / q).collect();
        inverse.reverse();
        for (found, fraction) in [(summary.g_p10, 0.1), (summary.g_p50, 0.5), (summary.g_p90, 0.9)] {
            assert!(close(found.unwrap(), quantile(&inverse, fraction), tolerance), "{count} {fraction}");
        }
    }
}

/// The statistics of these decisions, some of them with a coordinate, and of some passes.
fn measured(values: &[f64], state: &ModeState) -> Statistics {
    let (mut statistics, tape) = (Statistics::new(), Tape::new());
    for &q in values {
        statistics.decide_at(state, q, Some(q * 3.0).filter(|x| *x < 1.0)).unwrap();
    }
    for &q in &values[..values.len().min(20)] {
        let x = tape.parameter(q);
        let root = (&x * 0.0).sqrt() + 1.0 / (&x - q);
        root.backward_with(1.0, state, &mut statistics).unwrap();
    }
    statistics
}

#[test]
fn merged_statistics_are_what_one_worker_would_have_measured() {
    let state = ModeState::hybrid(None).unwrap();
    for (left, right) in [(0, 100), (100, 0), (300, 500), (700, 800), (5000, 10), (10, 5000), (4000, 9000)] {
        let values = distances(left + right);
        let (a, b) = values.split_at(left as usize);
        let mut merged = measured(a, &state);
        merged.merge(&measured(b, &state));
        let mut swapped = measured(b, &state);
        swapped.merge(&measured(a, &state));
        let mut joint = measured(a, &state);
        for &q in b {
            joint.decide_at(&state, q, Some(q * 3.0).filter(|x| *x < 1.0)).unwrap();
        }
        let (merged_poles, swapped_poles) = (merged.detected_poles(), swapped.detected_poles());
        assert_eq!(merged_poles, swapped_poles);
        let (merged, swapped) = (merged.summary(&state), swapped.summary(&state));
        assert_eq!(merged, swapped, "{left} {right}: the order does not matter");
        let (fewer, more) = (joint.summary(&state), merged);
        let passes = b.len().min(20) as u64;
        assert_eq!(more.total_gradient_calls, fewer.total_gradient_calls + 2 * passes);
        assert_eq!(more.masked_nodes, fewer.masked_nodes + 2 * passes);
        assert_eq!(more.q_min_epoch, fewer.q_min_epoch.map(|q| if passes > 0 { 0.0 } else { q }));
    }
}

#[test]
fn merged_quantiles_are_those_of_the_joint_stream() {
    let state = ModeState::hybrid(Some(0.1)).unwrap();
    let decided = |values: &[f64]| {
        let mut statistics = Statistics::new();
        values.iter().for_each(|&q| drop(statistics.decide_at(&state, q, Some(q))));
        statistics
    };
    for (left, right) in [(1, 1), (500, 524), (500, 525), (2000, 3), (3, 2000), (3000, 3000)] {
        let values = distances(left + right);
        let (a, b) = values.split_at(left as usize);
        let mut merged = decided(a);
        merged.merge(&decided(b));
        let joint = decided(&values);
        assert_eq!(merged.summary(&state), joint.summary(&state), "{left} {right}");
        assert_eq!(merged.detected_poles(), joint.detected_poles());
    }
}

#[test]
fn a_decision_costs_the_same_however_many_places_there_are() {
    let state = ModeState::hybrid(None).unwrap();
    let least = |places: u64| {
        let time = |_| {
            let mut statistics = Statistics::new();
            let decide = |k: u64, statistics: &mut Statistics| {
                let place = (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % places;
                statistics.decide_at(&state, 1e-3, Some(place as f64)).unwrap();
            };
            (0..5000).for_each(|k| decide(k, &mut statistics));
            let start = Instant::now();
            (5000..10_000).for_each(|k| decide(k, &mut statistics));
            start.elapsed()
        };
        (0..5).map(time).min().unwrap()
    };
    // Other processes may slow down either; a cost that grows would show each time.
    let tries: Vec<_> = (0..10).map(|_| (least(900), least(100_000))).collect();
    let flat = tries.iter().any(|(few, many)| *many < 8 * *few);
    assert!(flat, "5000 decisions at 900 and at 100,000 places took {tries:?}");
}

#[test]
fn batches_epochs_and_resets_bound_what_the_figures_cover() {
    let (mut statistics, state) = (Statistics::new(), ModeState::hybrid(None).unwrap());
    assert_eq!(statistics.summary(&state), Summary::default(), "no data is None and 0");
    statistics.begin_epoch(7, None, None);
    statistics.decide_at(&state, 0.25, None).unwrap();
    statistics.end_batch();
    statistics.decide_at(&state, 0.5, None).unwrap();
    let summary = statistics.summary(&state);
    assert_eq!((summary.q_min_batch, summary.q_min_epoch), (Some(0.5), Some(0.25)));
    assert_eq!((summary.current_epoch, summary.total_gradient_calls), (Some(7), 2));
    let (q_min, poles) = statistics.begin_epoch(8, None, None);
    assert_eq!((q_min, poles), (Some(0.25), vec![]));
    let summary = statistics.summary(&state);
    assert_eq!((summary.q_min_epoch, summary.total_gradient_calls), (None, 0));
    assert_eq!(summary.current_epoch, Some(8));
    statistics.decide_at(&state, 2.0, None).unwrap();
    statistics.reset();
    let summary = statistics.summary(&state);
    assert_eq!((summary.q_min_batch, summary.total_gradient_calls), (None, 0));
    for wrong in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(statistics.add_distance(wrong).unwrap_err().to_string().contains("non-negative"));
        assert!(statistics.decide_at(&state, wrong, None).is_err());
    }
}

#[test]
fn the_summary_names_every_key_of_the_contract() {
    let names: Vec<_> = Summary::default().fields().into_iter().map(|(name, _)| name).collect();
    let keys = "current_epoch local_threshold total_gradient_calls saturating_activations \
        mask_real_activations saturating_ratio near_pole_ratio dropped_contributions masked_nodes \
        q_min_batch q_min_epoch q_mean_batch q_median_batch q_p10 q_p50 q_p90 g_p10 g_p50 g_p90 \
        exploration_regions policy_mode tau_q_on tau_q_off policy_flip_count flip_rate";
    assert_eq!(names, keys.split_whitespace().collect::<Vec<_>>());
    let state = ModeState::hybrid(Some(0.5)).unwrap();
    let fields = Statistics::new().summary(&state).fields();
    let of = |key| &fields.iter().find(|(name, _)| *name == key).unwrap().1;
    assert_eq!(of("local_threshold"), &SummaryValue::Number(0.5));
    assert_eq!((of("masked_nodes"), of("q_p10")), (&SummaryValue::Integer(0), &SummaryValue::Nothing));
}
