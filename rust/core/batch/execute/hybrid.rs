//! The decisions of Hybrid mode in a block, beyond the first ones counted in bulk.
//!
//! In a regular sample every singular op of the pass is reached and has a REAL operand, so each makes
//! exactly one decision. Those of irregular samples are noted by the per-sample interpreter.

use super::backend::{Backend, Partials};
use super::block::Block;
use super::decisions::Decisions;
use super::dispatch::Width;
use super::kernels::{Close, Count};
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
        let first = self.decide_one_by_one(sites, at, inputs);
        if first < at.samples {
            let lanes = &self.irregular.lanes;
            let notes = self.irregular.notes().iter().filter(|note| lanes[note.lane] >= first);
            notes.for_each(|note| self.decisions.count(self.run.state, note.d, note.at));
            (0..sites).for_each(|site| self.tally(site, first, at, inputs));
        }
        self.note_saturated(at);
    }

    /// Those that are kept one by one, in the order in which the scalar path makes them, sample by sample. Returns the
    /// lane from which on the decisions of the block are left, the first one of a line.
    fn decide_one_by_one(&mut self, sites: usize, at: Block, inputs: &BlockInputs<'_>) -> usize {
        if sites == 0 && self.irregular.notes().is_empty() {
            return at.samples;
        }
        let (mut irregular, mut note) = (0, 0);
        for lane in 0..at.samples {
            if lane % LANES == 0 && !self.decisions.statistics().keeps_distances() {
                return lane;
            }
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
        at.samples
    }

    /// Counts those of a site in bulk, from a lane on that begins a line.
    fn tally(&mut self, site: usize, first: usize, at: Block, inputs: &BlockInputs<'_>) {
        let pole = self.run.plan.code.sites[site].pole;
        let delta = self.run.state.delta().unwrap_or(-1.0);
        let lines = self.backend.lines(inputs, pole);
        let Decisions { tally, regular, distances, .. } = &mut self.decisions;
        let tally = tally.get_or_insert_default();
        let before = tally.count();
        if regular.is_empty() && at.samples == self.run.block && !lines.is_uniform {
            Width::widest().run(Count { lines: &lines.lines[first / LANES..], tally, delta });
        } else {
            distances.clear();
            let regular = (first..at.samples).filter(|&lane| regular.get(lane) != Some(&false));
            distances.extend(regular.map(|lane| lines.at(lane / LANES)[lane % LANES]));
            let (lines, rest) = distances.as_chunks();
            Width::widest().run(Count { lines, tally, delta });
            rest.iter().for_each(|&distance| tally.add(&[[distance]], delta));
        }
        if let Partials::Bounded(_) = self.partials {
            tally.saturating += tally.count() - before;
        } else {
            let saturated = self.backend.saturated().iter().filter(|&&(of, _)| of as usize == site);
            let lanes = saturated.map(|&(_, lane)| lane as usize);
            let lanes = lanes.filter(|&lane| lane >= first && lane < at.samples);
            tally.saturating += lanes.filter(|&lane| regular.get(lane) != Some(&false)).count() as u64;
        }
        if !self.run.plan.code.sites[site].coordinates.is_empty() {
            self.record_poles(site, first, at, inputs);
        }
    }

    /// Records where the op of a site came close to its pole.
    fn record_poles(&mut self, site: usize, first: usize, at: Block, inputs: &BlockInputs<'_>) {
        let mut close = std::mem::take(&mut self.decisions.close);
        close.clear();
        close.resize(at.samples.div_ceil(LANES), 0);
        let distances = self.backend.lines(inputs, self.run.plan.code.sites[site].pole);
        let threshold = self.decisions.near.threshold();
        Width::widest().run(Close { distances, threshold, lanes: &mut close });
        for (line, lanes) in close.iter_mut().enumerate().skip(first / LANES) {
            while *lanes != 0 {
                let lane = line * LANES + lanes.trailing_zeros() as usize;
                *lanes &= *lanes - 1;
                if lane < at.samples
                    && self.decisions.is_regular(lane)
                    && let Some(x) = self.coordinate(site, inputs, lane).known()
                {
                    self.decisions.near.record(distances.at(line)[lane % LANES].abs(), x);
                }
            }
        }
        self.decisions.close = close;
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
