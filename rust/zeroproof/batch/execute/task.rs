//! One thread's part of a run: tasks, block by block.
//!
//! A block is replayed by the back end. Its irregular samples, those with a value or a derivative that is
//! not REAL, are then computed anew by the per-sample interpreter, and its results replace those of the
//! back end.

use super::backend::{Backend, Destination, Replay};
use super::block::{Block, TaskOutputs};
use super::dispatch::Width;
use super::kernels::AddLines;
use super::lines::Lines;
use super::shared::SamplesOfBlock;
use super::slots::{BlockInputs, LANES, Line, Memory};
use super::totals::{NOTHING, Sums, add_lanes};
use super::worker::Worker;
use crate::batch::Stopped;
use crate::error::Error;
use crate::mode::GradientMode;
use crate::status::Status;

impl<B: Backend> Worker<'_, B> {
    /// Replays samples `start..end`, whose outputs these are, unless `stop` says so. Returns what they
    /// come to under a total.
    ///
    /// # Errors
    /// [`Stopped`]; the outputs are then half-written.
    pub fn task(
        &mut self,
        start: usize,
        end: usize,
        outputs: &mut TaskOutputs<'_>,
        mut stop: impl FnMut() -> bool,
    ) -> Result<Sums, Stopped> {
        self.lanes.fill([NOTHING; LANES]);
        for first in (start..end).step_by(self.run.block) {
            if stop() {
                return Err(Stopped::Interrupted);
            }
            let samples = (end - first).min(self.run.block);
            self.block(Block { first, samples, place: first - start }, outputs)?;
        }
        Ok(self.lanes.iter().enumerate().map(|(number, &lanes)| add_lanes(number, lanes)).collect())
    }

    fn block(&mut self, at: Block, outputs: &mut TaskOutputs<'_>) -> Result<(), Error> {
        let run = self.run;
        if at.samples == run.block {
            let first_line = at.first / LANES;
            return self.replay(at, &run.inputs(&run.columns, &run.rows, first_line), outputs);
        }
        // The last block has columns of its own, so that the loops over lines need no other end.
        let tail = run.tail_columns(at.first, at.samples)?;
        let columns: Vec<&[Line]> = tail.iter().map(Memory::lines).collect();
        let rows = run.rows.iter().zip(&run.widths);
        let rows: Vec<&[f64]> = rows.map(|(r, w)| r.get(at.first * w..).unwrap_or(&[])).collect();
        self.replay(at, &run.inputs(&columns, &rows, 0), outputs)
    }

    fn replay(
        &mut self,
        at: Block,
        inputs: &BlockInputs<'_>,
        outputs: &mut TaskOutputs<'_>,
    ) -> Result<(), Error> {
        let (plan, full) = (self.run.plan, at.samples == self.run.block);
        let adds_up = full && !self.lanes.is_empty();
        self.lanes_before.copy_from_slice(&self.lanes);
        let block = Replay {
            code: &plan.code,
            inputs,
            partials: self.partials,
            checks: if adds_up { &plan.checks_besides_totals } else { &plan.code.checks },
            totals: if adds_up { &plan.totals } else { &[] },
            lanes: &mut self.lanes,
            destination: full.then_some(Destination { outputs: &mut *outputs, at }),
        };
        let irregular = self.run.only_interpreted || self.backend.replay(block);
        self.irregular.clear();
        let mut added = adds_up && !irregular;
        if irregular {
            self.find_irregular(at, inputs);
            self.compute_irregular(at)?;
            if adds_up {
                let are_left_out = self.irregular.are_left_out();
                self.backend.expect_values(!are_left_out);
                added = self.backend.has_added_regular() && are_left_out;
                if !added && self.backend.has_added_regular() {
                    let _ = self.backend.replay(Replay::in_slots(&plan.code, inputs, self.partials));
                }
            }
            if !added {
                self.lanes.copy_from_slice(&self.lanes_before);
            }
        }
        if self.run.state.mode == GradientMode::Hybrid {
            self.count_decisions(at, inputs);
        }
        if self.irregular.lanes.len() < at.samples {
            self.statuses.iter_mut().zip(&self.base).for_each(|(all, &base)| *all |= base);
        }
        if !self.irregular.lanes.is_empty() {
            self.statuses.iter_mut().zip(self.irregular.statuses()).for_each(|(all, status)| *all |= status);
        }
        self.write(at, inputs, outputs);
        if !self.lanes.is_empty() {
            self.note_left_out();
        }
        if added {
            let regular = at.samples - self.irregular.lanes.len();
            self.kept += regular as u64;
            self.contributed.iter_mut().for_each(|contributed| *contributed |= regular > 0);
        } else if !self.lanes.is_empty() {
            self.add_up(at, inputs);
        }
        Ok(())
    }

    /// Has the irregular samples that were noted computed one by one.
    fn compute_irregular(&mut self, at: Block) -> Result<(), Error> {
        let (run, lanes) = (self.run, std::mem::take(&mut self.irregular.lanes));
        let samples = SamplesOfBlock { run, first: at.first, lanes: &lanes };
        let statistics = self.decisions.statistics();
        let computed = self.irregular.compute(run.plan, run.state, lanes.len(), &samples, statistics);
        self.irregular.lanes = lanes;
        computed
    }

    /// Notes the samples of the block that the vectorised code is not made for.
    fn find_irregular(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        if self.run.only_interpreted {
            self.irregular.lanes.extend(0..at.samples);
            return;
        }
        self.found.clear();
        self.found.resize(inputs.lines, 0);
        self.backend.find_irregular(inputs, &self.run.plan.code.checks, &mut self.found);
        for (line, found) in self.found.iter_mut().enumerate() {
            while *found != 0 {
                let lane = line * LANES + found.trailing_zeros() as usize;
                *found &= *found - 1;
                if lane < at.samples {
                    self.irregular.lanes.push(lane);
                }
            }
        }
    }

    /// Counts the samples of a block whose value is not REAL, and those with a dropped contribution.
    fn note_left_out(&mut self) {
        let plan = self.run.plan;
        let may_drop = self.irregular.statuses().any(|status| status.contains(Status::DROPPED));
        for place in 0..self.irregular.lanes.len() {
            let value = self.irregular.value(place, 0);
            let is_kept = value.is_finite();
            if !is_kept {
                self.left_out.note(value);
            }
            let found = |derivative| self.irregular.found(place, derivative);
            let drops = |derivative| found(derivative).1.contains(Status::DROPPED);
            let overflows = |derivative: usize| !found(derivative).0.is_finite();
            let is_incomplete = may_drop && (0..plan.code.derivatives.len()).any(drops)
                || is_kept && plan.totals.iter().filter_map(|summand| summand.derivative).any(overflows);
            self.left_out.incomplete += u64::from(is_incomplete);
        }
    }

    /// Adds a block to the totals that has irregular samples or is not full.
    fn add_up(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        let all_irregular = self.irregular.lanes.len() == at.samples;
        let mut scratch = std::mem::take(&mut self.scratch);
        let lines = at.samples.div_ceil(LANES);
        for (number, summand) in self.run.plan.totals.iter().enumerate() {
            let column = scratch.lines_mut()[..lines].as_flattened_mut();
            let (samples, rest) = column.split_at_mut(at.samples);
            rest.fill(NOTHING);
            match summand.source {
                Some(source) if !all_irregular => self.copy(inputs, source, samples, 0, 1),
                _ => samples.fill(0.0),
            }
            let mut left_out = 0;
            for place in 0..self.irregular.lanes.len() {
                let value = self.irregular.value(place, 0);
                let kept = value.is_finite();
                let summed = summand.derivative.map_or(value, |d| self.irregular.found(place, d).0);
                samples[self.irregular.lanes[place]] =
                    if kept && summed.is_finite() { summed } else { NOTHING };
                left_out += usize::from(!kept || !summed.is_finite());
                if let (Some(derivative), true, false) = (summand.derivative, kept, summed.is_finite()) {
                    // A derivative that overflowed is a contribution that is not REAL.
                    self.irregular.counts_mut().dropped += 1;
                    self.statuses[derivative] |= Status::DROPPED;
                }
            }
            self.contributed[number] |= left_out < at.samples;
            if summand.derivative.is_none() {
                self.kept += (at.samples - left_out) as u64;
            }
            let source = Lines { lines: &scratch.lines()[..lines], is_uniform: false };
            Width::widest().run(AddLines { source, lines, lanes: &mut self.lanes[number] });
        }
        self.scratch = scratch;
    }
}
