//! The decisions of Hybrid mode in a block, beyond the first ones counted in bulk.
//!
//! In a regular sample every singular op of the pass is reached and has a REAL operand, so each makes
//! exactly one decision. Those of irregular samples are noted by the per-sample interpreter.

use super::backend::{Backend, Partials};
use super::block::Block;
use super::decisions::Decisions;
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
        let of_site = &self.run.plan.code.sites[site];
        let delta = self.run.state.delta().unwrap_or(-1.0);
        let close = if of_site.coordinates.is_empty() { -1.0 } else { self.decisions.near.threshold() };
        let lines = self.backend.lines(inputs, of_site.pole);
        let Decisions { tally, regular, distances, lanes, close_lines, .. } = &mut self.decisions;
        let tally = tally.get_or_insert_default();
        let before = tally.count();
        let is_whole = regular.is_empty() && at.samples == self.run.block && !lines.is_uniform;
        close_lines.clear();
        distances.clear();
        lanes.clear();
        if is_whole {
            let lines = &lines.lines[first / LANES..];
            Width::widest().run(Count { lines, tally, delta, close, close_lines });
        } else {
            for line in first / LANES..at.samples.div_ceil(LANES) {
                let (numbers, start) = (lines.at(line), line * LANES);
                let are_regular = regular.get(line).copied().unwrap_or(u32::MAX);
                if are_regular == u32::MAX && start + LANES <= at.samples {
                    distances.extend(numbers);
                    lanes.extend(start as u32..(start + LANES) as u32);
                    continue;
                }
                for lane in (0..LANES.min(at.samples - start)).filter(|lane| are_regular >> lane & 1 == 1) {
                    distances.push(numbers[lane]);
                    lanes.push((start + lane) as u32);
                }
            }
            let (lines, rest) = distances.as_chunks();
            Width::widest().run(Count { lines, tally, delta, close, close_lines });
            rest.iter().for_each(|&distance| tally.add(&[[distance]], delta, -1.0, &mut vec![]));
            if rest.iter().any(|distance| distance.abs() <= close) {
                close_lines.push(lines.len() as u32);
            }
        }
        if let Partials::Bounded(_) = self.partials {
            tally.saturating += tally.count() - before;
        } else {
            for (line, &saturated) in self.backend.saturated(site).iter().enumerate().skip(first / LANES) {
                let is_regular = regular.get(line).copied().unwrap_or(u32::MAX);
                tally.saturating += u64::from((saturated & is_regular & in_block(line, at)).count_ones());
            }
        }
        self.record_poles(site, is_whole.then_some(first), inputs, close);
    }

    /// Records where the op of a site came close to its pole, in the lines noted: of the block from a lane on, or of
    /// the distances of its regular samples.
    fn record_poles(&mut self, site: usize, of_block: Option<usize>, inputs: &BlockInputs<'_>, close: f64) {
        let noted = std::mem::take(&mut self.decisions.close_lines);
        for &line in &noted {
            for place in line as usize * LANES..(line as usize + 1) * LANES {
                let (d, lane) = match of_block {
                    Some(first) => {
                        let lane = first + place;
                        (self.number(inputs, self.run.plan.code.sites[site].pole, lane), lane)
                    }
                    None => match (self.decisions.distances.get(place), self.decisions.lanes.get(place)) {
                        (Some(&d), Some(&lane)) => (d, lane as usize),
                        _ => break,
                    },
                };
                if d.abs() <= close
                    && let Some(x) = self.coordinate(site, inputs, lane).known()
                {
                    self.decisions.near.record(d.abs(), x);
                }
            }
        }
        self.decisions.close_lines = noted;
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
        for site in 0..self.decisions.saturated.len() {
            let mut lines = self.backend.saturated(site).iter().enumerate();
            let is_new = !self.decisions.saturated[site]
                && lines
                    .any(|(line, &lanes)| lanes & self.decisions.regular_in(line) & in_block(line, at) != 0);
            if is_new {
                self.decisions.saturated[site] = true;
                for &derivative in self.run.plan.below(site) {
                    self.statuses[derivative as usize] |= Status::SATURATED;
                }
            }
        }
    }
}

/// The samples of a line that belong to the block, by a bit each.
fn in_block(line: usize, at: Block) -> u32 {
    match at.samples.saturating_sub(line * LANES) {
        LANES.. => u32::MAX,
        some => (1 << some) - 1,
    }
}
