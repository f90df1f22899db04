//! What a worker has counted of the decisions of Hybrid mode.

use super::slots::LANES;
use crate::backward::policies::Coordinate;
use crate::batch::compile::code::Code;
use crate::mode::ModeState;
use crate::poles::NearPoles;
use crate::quantiles::Tally;
use crate::stats::Statistics;

/// What a worker has counted.
#[derive(Debug)]
pub(crate) struct Decisions {
    statistics: Statistics,
    /// Decisions beyond those that the statistics keep one by one.
    pub tally: Option<Tally>,
    pub near: NearPoles,
    /// By site: whether a bounded partial was decided for.
    pub saturated: Vec<bool>,
    /// By line: the regular samples, by a bit each. Empty if all are.
    pub regular: Vec<u32>,
    /// The distances of the regular samples of a block.
    pub distances: Vec<f64>,
    /// By line: the samples whose distance is small enough for the place to be recorded, by a bit each.
    pub close: Vec<u32>,
}

impl Decisions {
    pub fn new(code: &Code, statistics: Statistics) -> Self {
        let near = NearPoles::new(&statistics.poles);
        Self {
            statistics,
            tally: None,
            near,
            saturated: vec![false; code.sites.len()],
            regular: vec![],
            distances: vec![],
            close: vec![],
        }
    }

    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The statistics, with all that was counted in bulk.
    pub fn into_statistics(mut self) -> Statistics {
        if let Some(tally) = &self.tally {
            self.statistics.add_tally(tally);
        }
        self.near.add_to(&mut self.statistics.poles);
        self.statistics
    }

    pub fn count(&mut self, state: &ModeState, d: f64, at: Coordinate) {
        self.statistics.decide(state, d, at.known(), at.explored);
    }

    pub fn is_regular(&self, lane: usize) -> bool {
        self.regular.get(lane / LANES).is_none_or(|regular| regular >> (lane % LANES) & 1 == 1)
    }
}
