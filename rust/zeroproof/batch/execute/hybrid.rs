//! The decisions of Hybrid mode in a block, beyond the first ones counted in bulk.
//!
//! In a regular sample every singular op of the pass is reached and has a REAL operand, so each makes
//! exactly one decision. Those of irregular samples are noted by the per-sample interpreter.

use super::backend::{Backend, Partials};
use super::block::Block;
use super::decisions::Decisions;
use super::dispatch::Width;
use super::kernels::{Close, Count, Ones};
use super::slots::{BlockInputs, LANES};
use super::worker::Worker;
use crate::backward::policies::Coordinate;
use crate::batch::compile::code::{Site, Source};
use crate::mode::ModeState;
use crate::status::Status;

impl<B: Backend> Worker<'_, B> {
    /// Counts the decisions in the samples of a block.
    pub(crate) fn count_decisions(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        let sites = if self.run.only_interpreted { 0 } else { self.run.plan.code.sites.len() };
        let lines = if self.irregular.lanes.is_empty() { 0 } else { at.samples.div_ceil(LANES) };
        let regular = &mut self.decisions.regular;
        regular.clear();
        regular.resize(lines, u32::MAX);
        self.irregular.lanes.iter().for_each(|&lane| regular[lane / LANES] &= !(1 << (lane % LANES)));
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
                    let of_site = &self.run.plan.code.sites[site];
                    let d = number(&self.backend, inputs, of_site.pole, lane).abs();
                    let on = coordinate(&self.backend, of_site, inputs, lane, self.run.state);
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
        let pole = self.backend.lines(inputs, self.run.plan.code.sites[site].pole);
        let delta = self.run.state.delta().unwrap_or(-1.0);
        let Decisions { tally, regular, distances, .. } = &mut self.decisions;
        let tally = tally.get_or_insert_default();
        let before = tally.count();
        if regular.is_empty() && !pole.is_uniform {
            let distances = &pole.lines.as_flattened()[first..at.samples];
            Width::widest().run(Count { distances, tally, delta });
        } else {
            distances.clear();
            for (line, lanes) in regular_lanes(regular, first, at) {
                let numbers = pole.at(line);
                if lanes == u32::MAX {
                    distances.extend(numbers);
                } else {
                    distances.extend(bits(lanes).map(|lane| numbers[lane]));
                }
            }
            Width::widest().run(Count { distances, tally, delta });
        }
        if let Partials::Bounded(_) = self.partials {
            tally.saturating += tally.count() - before;
        } else {
            let saturated = self.backend.saturated(site);
            let lines = regular_lanes(regular, first, at).zip(saturated.iter().skip(first / LANES));
            tally.saturating += match regular.is_empty() && at.samples.is_multiple_of(LANES) {
                true => Width::widest()
                    .run(Ones(saturated.get(first / LANES..at.samples / LANES).unwrap_or_default())),
                false => {
                    lines.map(|((_, lanes), saturated)| u64::from((saturated & lanes).count_ones())).sum()
                }
            };
        }
        self.record_poles(site, first, at, inputs);
    }

    /// Records where the op of a site came close to its pole, from a lane on.
    fn record_poles(&mut self, site: usize, first: usize, at: Block, inputs: &BlockInputs<'_>) {
        let of_site = &self.run.plan.code.sites[site];
        if of_site.coordinates.is_empty() {
            return;
        }
        let distances = self.backend.lines(inputs, of_site.pole);
        let mut close = std::mem::take(&mut self.decisions.close);
        close.resize(at.samples.div_ceil(LANES), 0);
        let limit = self.decisions.near.threshold();
        Width::widest().run(Close { distances, limit, lanes: &mut close });
        let Decisions { near, regular, .. } = &mut self.decisions;
        for (line, lanes) in regular_lanes(regular, first, at) {
            for lane in bits(lanes & close[line]) {
                let at = line * LANES + lane;
                if let Some(x) = coordinate(&self.backend, of_site, inputs, at, self.run.state).known() {
                    near.record(distances.at(line)[lane].abs(), x);
                }
            }
        }
        self.decisions.close = close;
    }

    /// Adds the bounded partials that were decided for to the statuses.
    fn note_saturated(&mut self, at: Block) {
        for site in 0..self.decisions.saturated.len() {
            let saturated = self.backend.saturated(site);
            if self.decisions.saturated[site] || saturated.is_empty() {
                continue;
            }
            let mut lines = regular_lanes(&self.decisions.regular, 0, at);
            if lines.any(|(line, lanes)| saturated[line] & lanes != 0) {
                self.decisions.saturated[site] = true;
                for &derivative in self.run.plan.below(site) {
                    self.statuses[derivative as usize] |= Status::SATURATED;
                }
            }
        }
    }
}

/// The number of one sample.
fn number<B: Backend>(backend: &B, inputs: &BlockInputs<'_>, source: Source, lane: usize) -> f64 {
    backend.lines(inputs, source).at(lane / LANES)[lane % LANES]
}

/// The coordinate that the op of a site depends on, in one sample.
fn coordinate<B: Backend>(
    backend: &B,
    site: &Site,
    inputs: &BlockInputs<'_>,
    lane: usize,
    state: &ModeState,
) -> Coordinate {
    let coordinates = site.coordinates.iter();
    coordinates
        .map(|&source| Coordinate::of(number(backend, inputs, source, lane), state))
        .fold(Coordinate::NONE, Coordinate::and)
}

/// The lines of a block from a lane on that begins one, each with its regular samples, by a bit each.
fn regular_lanes(regular: &[u32], first: usize, at: Block) -> impl Iterator<Item = (usize, u32)> {
    let lines = first / LANES..at.samples.div_ceil(LANES);
    lines.map(move |line| (line, regular.get(line).copied().unwrap_or(u32::MAX) & in_block(line, at)))
}

/// The samples of a line that belong to the block, by a bit each.
fn in_block(line: usize, at: Block) -> u32 {
    match at.samples - line * LANES {
        LANES.. => u32::MAX,
        some => (1 << some) - 1,
    }
}

/// The lanes whose bits are set.
#[inline]
fn bits(mut lanes: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lane = lanes.trailing_zeros() as usize;
        lanes &= lanes.wrapping_sub(1);
        (lane < LANES).then_some(lane)
    })
}
