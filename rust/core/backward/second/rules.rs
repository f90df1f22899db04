//! The rule that the mode gives a node. The mode is chosen while running: these passes are compiled once.

use super::super::policies::{Coordinate, Decide, Hybrid, MaskReal, Policy, Rule, Saturating};
use crate::mode::{GradientMode, ModeState};
use crate::op::Elementwise;

pub(super) struct Rules<'a> {
    state: &'a ModeState,
    pub decisions: &'a mut dyn Decide,
    coordinates: &'a [Coordinate],
    /// How many nodes were silenced, and how many contributions to adjoints left out.
    pub masked: u64,
    pub dropped: u64,
}

impl<'a> Rules<'a> {
    pub fn new(state: &'a ModeState, decisions: &'a mut dyn Decide, coordinates: &'a [Coordinate]) -> Self {
        Self { state, decisions, coordinates, masked: 0, dropped: 0 }
    }

    #[inline(always)]
    pub fn rule<O: Elementwise>(&mut self, node: usize, a: f64, b: f64, z: f64) -> Rule {
        match self.state.mode {
            GradientMode::MaskReal => MaskReal.rule::<O>(node, a, b, z),
            GradientMode::Saturating => Saturating { bound: self.state.bound() }.rule::<O>(node, a, b, z),
            GradientMode::Hybrid => self.hybrid().rule::<O>(node, a, b, z),
        }
    }

    #[inline(always)]
    pub fn rule_without_pole(&mut self, z: f64) -> Rule {
        match self.state.mode {
            GradientMode::MaskReal => MaskReal.rule_without_pole(z),
            GradientMode::Saturating => Saturating { bound: self.state.bound() }.rule_without_pole(z),
            GradientMode::Hybrid => self.hybrid().rule_without_pole(z),
        }
    }

    fn hybrid(&mut self) -> Hybrid<'_, dyn Decide + '_> {
        Hybrid { state: self.state, decisions: self.decisions, coordinates: self.coordinates }
    }
}
