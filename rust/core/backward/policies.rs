//! The three gradient modes, as the sweep asks them: what does this node do with its adjoint?

use crate::mode::ModeState;
use crate::ops::Op;
use crate::stats::Statistics;

/// What a node does with its adjoint.
pub(super) enum Rule {
    Silence,
    Classical,
    Bounded(f64),
}

/// A gradient mode as the sweep sees it: the rule for each node it visits.
pub(super) trait Policy {
    fn rule(&mut self, node: usize, op: Op, a: f64, b: f64, z: f64) -> Rule;
}

pub(super) struct MaskReal;
impl Policy for MaskReal {
    #[inline(always)]
    fn rule(&mut self, _: usize, _: Op, _: f64, _: f64, z: f64) -> Rule {
        if z.is_finite() { Rule::Classical } else { Rule::Silence }
    }
}

/// The Saturating rule: `Φ` has no direction, singular ops are bounded.
#[inline(always)]
fn saturating_rule(bound: f64, op: Op, a: f64, b: f64, z: f64) -> Rule {
    if z.is_nan() {
        Rule::Silence
    } else if op.pole(a, b).is_some() {
        Rule::Bounded(bound)
    } else {
        Rule::Classical
    }
}

pub(super) struct Saturating {
    pub(super) bound: f64,
}
impl Policy for Saturating {
    #[inline(always)]
    fn rule(&mut self, _: usize, op: Op, a: f64, b: f64, z: f64) -> Rule {
        saturating_rule(self.bound, op, a, b, z)
    }
}

pub(super) struct Hybrid<'a> {
    pub(super) state: &'a ModeState,
    pub(super) statistics: &'a mut Statistics,
    /// Empty if the root depends on no input.
    pub(super) coordinates: &'a [Coordinate],
}
impl Policy for Hybrid<'_> {
    #[inline(always)]
    fn rule(&mut self, node: usize, op: Op, a: f64, b: f64, z: f64) -> Rule {
        let saturate = match op.pole(a, b).filter(|operand| operand.is_finite()) {
            Some(operand) => {
                let at = self.coordinates.get(node).copied().unwrap_or(Coordinate::NONE);
                let coordinate = (at.value.is_finite() && !at.several).then_some(at.value);
                self.statistics.decide(self.state, operand.abs(), coordinate, at.explored)
            }
            None => z.is_infinite() && op.pole(a, b).is_none() && self.state.delta().is_some(),
        };
        if saturate {
            saturating_rule(self.state.bound(), op, a, b, z)
        } else {
            MaskReal.rule(node, op, a, b, z)
        }
    }
}

/// The input that a node depends on, as far as exploration needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coordinate {
    /// The value of the only input it depends on; NaN for none or several.
    pub(super) value: f64,
    pub(super) several: bool,
    /// Whether some input it depends on lies in an exploration region.
    pub(super) explored: bool,
}

impl Coordinate {
    /// Of what depends on no input.
    pub(super) const NONE: Self = Self { value: f64::NAN, several: false, explored: false };
}
