//! What one node must do in each mode, written from the rules alone: nothing here calls the crate's
//! own arithmetic, and contributions are computed with a wide exponent, so that the reference cannot
//! share a mistake about overflow.

mod folds;
mod rules;
mod wide;

use rules::{bounded, classical, cosc_slope_terms, pole, value};
pub use wide::Wide;
use zeroproof::{GradientMode, ModeState, Op, Reduction, Status};

/// What a pass over one node must show.
#[derive(Default)]
pub struct Expected {
    pub value: f64,
    /// Contribution and status by operand; `None` is silenced.
    pub operands: Vec<(Option<Wide>, Status)>,
    /// How large the terms of a contribution are that cancel in the doubles of this reference; 0 where none
    /// do. The op itself has no such excuse: `elementary/values.rs` and the tests with mpmath check it there.
    pub terms: f64,
    /// The same for the value.
    pub value_terms: f64,
    /// How many nodes are silenced; `None` if a reduction leaves out some of its inputs, which
    /// silences inputs but no node.
    pub masked: Option<u64>,
    /// The distance of the node's decision, and whether it saturates. Counted in Hybrid only.
    pub decision: Option<(f64, bool)>,
}

impl Expected {
    pub fn elementwise(op: Op, g: f64, a: f64, b: f64, state: &ModeState) -> Self {
        let z = value(op, a, b);
        let singular = pole(op, a, b);
        let distance = singular.filter(|d| d.is_finite()).map(f64::abs);
        let near = distance.is_some_and(|d| state.delta().is_some_and(|delta| d <= delta));
        let saturating = match (state.mode, singular) {
            (GradientMode::MaskReal, _) => false,
            (GradientMode::Saturating, _) => true,
            (GradientMode::Hybrid, Some(_)) => near,
            (GradientMode::Hybrid, None) => z.is_infinite() && state.delta().is_some(),
        };
        let silent = z.is_nan() || (z.is_infinite() && !saturating);
        let operands = if silent {
            vec![(None, Status::MASKED); classical(op, g, a, b).len()]
        } else if saturating && singular.is_some() {
            passed(bounded(op, g, a, b, state.bound()), g, Status::SATURATED)
        } else {
            passed(classical(op, g, a, b), g, Status::EXACT)
        };
        let hybrid = state.mode == GradientMode::Hybrid;
        let decision = distance.filter(|_| hybrid).map(|d| (d, near));
        let terms = match op {
            Op::Sinc if a.abs() > 0.5 => (g / a).abs(),
            Op::Cosc => g.abs() * cosc_slope_terms(a),
            _ => 0.0,
        };
        Self { value: z, operands, terms, value_terms: 0.0, masked: Some(u64::from(silent)), decision }
    }

    pub fn reduction(op: Op, mode: Reduction, g: f64, inputs: &[f64], state: &ModeState) -> Self {
        let keeps = |x: &f64| match mode {
            Reduction::Strict => true,
            Reduction::DropNull => !x.is_nan(),
            Reduction::DropNonreal => x.is_finite(),
        };
        let kept: Vec<f64> = inputs.iter().copied().filter(keeps).collect();
        let all_null = mode == Reduction::DropNull && kept.is_empty() && !inputs.is_empty();
        let value = if all_null { f64::NAN } else { folds::value(op, &kept) };
        let passes = match state.mode {
            GradientMode::MaskReal => value.is_finite(),
            GradientMode::Saturating => !value.is_nan(),
            GradientMode::Hybrid => value.is_finite() || (!value.is_nan() && state.delta().is_some()),
        };
        let pass = |x: &f64| match passes && keeps(x) {
            true => passed(vec![folds::share(op, g, *x, &kept)], g, Status::EXACT)[0],
            false => (None, Status::MASKED),
        };
        let masked = if !passes {
            Some(u64::from(!inputs.is_empty()))
        } else {
            (kept.len() == inputs.len()).then_some(0)
        };
        // The largest input and the logarithm of the sum beside it.
        let largest = folds::largest(&kept);
        let value_terms = if op == Op::Logsumexp && largest.is_finite() { largest.abs() } else { 0.0 };
        Self { value, operands: inputs.iter().map(pass).collect(), value_terms, masked, ..Self::default() }
    }

    pub fn dropped(&self) -> u64 {
        self.operands.iter().filter(|(_, status)| status.contains(Status::DROPPED)).count() as u64
    }
}

/// Contributions that are not REAL are left out, which counts unless `g` is 0.
fn passed(contributions: Vec<Wide>, g: f64, own: Status) -> Vec<(Option<Wide>, Status)> {
    let pass = |c: Wide| match c.narrow().is_finite() {
        true => (Some(c), own),
        false if g == 0.0 => (None, own),
        false => (None, own | Status::DROPPED),
    };
    contributions.into_iter().map(pass).collect()
}
