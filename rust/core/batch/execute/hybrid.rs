//! The decisions of Hybrid mode in a block, beyond the first ones counted in bulk.
//!
//! In a regular sample every singular op of the pass is reached and has a REAL operand, so each makes
//! exactly one decision. Those of irregular samples are noted by the per-sample interpreter.

use super::backend::{Backend, Partials};
use super::block::Block;
use super::dispatch::Width;
use super::kernels::Count;
use super::slots::{BlockInputs, LANES};
use super::worker::Worker;
use crate::backward::policies::Coordinate;
use crate::batch::compile::code::Source;
use crate::status::Status;

impl<B: Backend> Worker<'_, B> {
    /// Counts the decisions in the samples of a block.
    pub(crate) fn count_decisions(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        let sites = if self.run.only_interpreted { 0 } else { self.run.plan.code.sites.len() };
        let all = if self.irregular.lanes.is_empty() { 0 } else { at.samples };
        self.decisions.regular.clear();
        self.decisions.regular.resize(all, true);
        self.irregular.lanes.iter().for_each(|&lane| self.decisions.regular[lane] = false);
        if self.decisions.statistics().keeps_distances() {
            self.decide_one_by_one(sites, at, inputs);
        } else {
            self.irregular
                .notes()
                .iter()
                .for_each(|note| self.decisions.count(self.run.state, note.d, note.at));
            (0..sites).for_each(|site| self.tally(site, at, inputs));
        }
        self.note_saturated(at);
    }

    /// In the order in which the scalar path makes the decisions, sample by sample.
    fn decide_one_by_one(&mut self, sites: usize, at: Block, inputs: &BlockInputs<'_>) {
        let (mut irregular, mut note) = (0, 0);
        for lane in 0..at.samples {
            if self.decisions.is_regular(lane) {
                for site in 0..sites {
                    let d = self.number(inputs, self.run.plan.code.sites[site].pole, lane).abs();
                    let on = self.coordinate(site, inputs, lane);
                    self.decisions.count(self.run.state, d, on);
                }
                continue;
            }
            while let Some(decision) = self.irregular.notes().get(note).filter(|note| note.lane == irregular)
            {
                self.decisions.count(self.run.state, decision.d, decision.at);
                note += 1;
            }
            irregular += 1;
        }
    }

    fn tally(&mut self, site: usize, at: Block, inputs: &BlockInputs<'_>) {
        let pole = self.run.plan.code.sites[site].pole;
        let delta = self.run.state.delta().unwrap_or(-1.0);
        let lines = self.backend.lines(inputs, pole);
        let tally = self.decisions.tally.get_or_insert_default();
        let before = tally.count();
        if self.decisions.regular.is_empty() && at.samples == self.run.block && !lines.is_uniform {
            Width::widest().run(Count { lines: lines.lines, tally, delta });
        } else {
            for lane in (0..at.samples).filter(|&lane| self.decisions.regular.get(lane) != Some(&false)) {
                tally.add(&[[lines.at(lane / LANES)[lane % LANES]]], delta);
            }
        }
        if let Partials::Bounded(_) = self.partials {
            tally.saturating += tally.count() - before;
        } else {
            let saturated = self.backend.saturated().iter().filter(|&&(of, _)| of as usize == site);
            let lanes = saturated.map(|&(_, lane)| lane as usize).filter(|&lane| lane < at.samples);
            tally.saturating +=
                lanes.filter(|&lane| self.decisions.regular.get(lane) != Some(&false)).count() as u64;
        }
        if !self.run.plan.code.sites[site].coordinates.is_empty() {
            self.record_poles(site, at, inputs);
        }
    }

    /// Records where the op of a site came close to its pole.
    fn record_poles(&mut self, site: usize, at: Block, inputs: &BlockInputs<'_>) {
        let lines = self.backend.lines(inputs, self.run.plan.code.sites[site].pole);
        for line in 0..at.samples.div_ceil(LANES) {
            let distances = lines.at(line).map(f64::abs);
            if !self.decisions.near.any(&distances) {
                continue;
            }
            for (place, d) in distances.into_iter().enumerate() {
                let lane = line * LANES + place;
                if self.decisions.near.any(&[d])
                    && lane < at.samples
                    && self.decisions.is_regular(lane)
                    && let Some(x) = self.coordinate(site, inputs, lane).known()
                {
                    self.decisions.near.record(d, x);
                }
            }
        }
    }

    /// The number of one sample.
    fn number(&self, inputs: &BlockInputs<'_>, source: Source, lane: usize) -> f64 {
        self.backend.lines(inputs, source).at(lane / LANES)[lane % LANES]
    }

    /// The coordinate that the op of a site depends on.
    fn coordinate(&self, site: usize, inputs: &BlockInputs<'_>, lane: usize) -> Coordinate {
        let coordinates = self.run.plan.code.sites[site].coordinates.iter();
        coordinates
            .map(|&source| Coordinate::of(self.number(inputs, source, lane), self.run.state))
            .fold(Coordinate::NONE, Coordinate::and)
    }

    /// Adds the bounded partials that were decided for to the statuses.
    fn note_saturated(&mut self, at: Block) {
        for &(site, lane) in self.backend.saturated() {
            let seen = self.decisions.saturated[site as usize];
            if !seen && (lane as usize) < at.samples && self.decisions.is_regular(lane as usize) {
                self.decisions.saturated[site as usize] = true;
                for &derivative in self.run.plan.below(site as usize) {
                    self.statuses[derivative as usize] |= Status::SATURATED;
                }
            }
        }
    }
}
