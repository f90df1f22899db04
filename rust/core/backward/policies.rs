//! The three gradient modes, as the sweep asks them: what does this node do with its adjoint?

use crate::mode::ModeState;
use crate::op::Elementwise;
use crate::stats::Statistics;

/// What a node does with its adjoint.
pub enum Rule {
    /// It passes nothing on.
    Silence,
    /// By the classical partials.
    Classical,
    /// By the bounded partials, with this bound.
    Bounded(f64),
}

/// A gradient mode as the sweep sees it: the rule for each node it visits.
pub trait Policy {
    /// The rule for an elementwise node.
    fn rule<O: Elementwise>(&mut self, node: usize, a: f64, b: f64, z: f64) -> Rule;
    /// The rule for a variadic node, which has no pole.
    fn rule_without_pole(&mut self, z: f64) -> Rule;
    /// Who is told of decisions; nobody if the mode makes none.
    fn decisions(&mut self) -> Option<&mut dyn Decide> {
        None
    }
}

/// [`GradientMode::MaskReal`](crate::GradientMode::MaskReal).
pub struct MaskReal;
impl Policy for MaskReal {
    #[inline(always)]
    fn rule<O: Elementwise>(&mut self, _: usize, _: f64, _: f64, z: f64) -> Rule {
        self.rule_without_pole(z)
    }

    #[inline(always)]
    fn rule_without_pole(&mut self, z: f64) -> Rule {
        if z.is_finite() { Rule::Classical } else { Rule::Silence }
    }
}

/// The Saturating rule: `Φ` has no direction, singular ops are bounded.
#[inline(always)]
fn saturating_rule(bound: f64, has_pole: bool, z: f64) -> Rule {
    if z.is_nan() {
        Rule::Silence
    } else if has_pole {
        Rule::Bounded(bound)
    } else {
        Rule::Classical
    }
}

/// [`GradientMode::Saturating`](crate::GradientMode::Saturating).
pub struct Saturating {
    /// The saturation bound.
    pub bound: f64,
}
impl Policy for Saturating {
    #[inline(always)]
    fn rule<O: Elementwise>(&mut self, _: usize, a: f64, b: f64, z: f64) -> Rule {
        saturating_rule(self.bound, O::pole(a, b).is_some(), z)
    }

    #[inline(always)]
    fn rule_without_pole(&mut self, z: f64) -> Rule {
        saturating_rule(self.bound, false, z)
    }
}

/// Who is told of the decisions of Hybrid mode.
pub trait Decide {
    /// Decides at `node`, at distance `d` from the pole; whether to saturate.
    fn decide(&mut self, node: usize, state: &ModeState, d: f64, at: Coordinate) -> bool;
    /// What it would decide.
    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool;
}

impl<D: Decide + ?Sized> Decide for &mut D {
    fn decide(&mut self, node: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        (**self).decide(node, state, d, at)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        (**self).would_saturate(state, d, at)
    }
}

/// The same decisions once more, of which nobody is told.
pub(crate) struct Silent<'a>(pub &'a dyn Decide);

impl Decide for Silent<'_> {
    fn decide(&mut self, _: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.0.would_saturate(state, d, at)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.0.would_saturate(state, d, at)
    }
}

impl Decide for Statistics {
    #[inline(always)]
    fn decide(&mut self, _: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.decide(state, d, at.known(), at.explored)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.would_saturate(state, d, at.explored)
    }
}

/// [`GradientMode::Hybrid`](crate::GradientMode::Hybrid).
pub struct Hybrid<'a, D: ?Sized> {
    /// The threshold and the regions to explore.
    pub state: &'a ModeState,
    /// Who decides.
    pub decisions: &'a mut D,
    /// Empty if the root depends on no input.
    pub coordinates: &'a [Coordinate],
}
impl<D: Decide + ?Sized> Policy for Hybrid<'_, D> {
    #[inline(always)]
    fn rule<O: Elementwise>(&mut self, node: usize, a: f64, b: f64, z: f64) -> Rule {
        let Some(distance) = O::pole(a, b) else { return self.rule_without_pole(z) };
        let at = self.coordinates.get(node).copied().unwrap_or(Coordinate::NONE);
        if distance.is_finite() && self.decisions.decide(node, self.state, distance.abs(), at) {
            saturating_rule(self.state.bound(), true, z)
        } else {
            MaskReal.rule_without_pole(z)
        }
    }

    #[inline(always)]
    fn rule_without_pole(&mut self, z: f64) -> Rule {
        if z.is_infinite() && self.state.delta().is_some() {
            saturating_rule(self.state.bound(), false, z)
        } else {
            MaskReal.rule_without_pole(z)
        }
    }

    fn decisions(&mut self) -> Option<&mut dyn Decide> {
        Some(&mut self.decisions)
    }
}

/// The input that a node depends on, as far as exploration needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Coordinate {
    /// The value of the only input it depends on; NaN for none or several.
    pub(crate) value: f64,
    pub(crate) several: bool,
    /// Whether some input it depends on lies in an exploration region.
    pub explored: bool,
}

impl Coordinate {
    /// Of what depends on no input.
    pub const NONE: Self = Self { value: f64::NAN, several: false, explored: false };

    /// Of a coordinate itself.
    pub fn of(value: f64, state: &ModeState) -> Self {
        Self { value, several: false, explored: state.explores(value) }
    }

    /// The value of the only one, if there is only one and it is REAL.
    pub fn known(self) -> Option<f64> {
        (self.value.is_finite() && !self.several).then_some(self.value)
    }

    /// Of what depends on both.
    pub fn and(self, other: Self) -> Self {
        let differ = !self.value.is_nan() && !other.value.is_nan() && self.value != other.value;
        Self {
            value: if self.value.is_nan() { other.value } else { self.value },
            several: self.several | other.several | differ,
            explored: self.explored | other.explored,
        }
    }
}
