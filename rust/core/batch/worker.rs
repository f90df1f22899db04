//! One thread's part of a run: tasks, block by block.
//!
//! A block is replayed by the vectorised code. Its irregular samples, those with a value or a
//! derivative that is not REAL, are then worked out anew by the exact rules, and what these find takes
//! the place of what the code made of them.

use super::decisions::Decisions;
use super::dispatch::vectorised;
use super::kernels::Lines;
use super::machine::{Machine, Rule};
use super::patches::Patches;
use super::replay::{Replay, add_lines};
use super::run::Run;
use super::slots::{BlockInputs, LANES, Line, Memory};
use super::totals::{NOTHING, Sums, add_lanes};
use crate::mode::GradientMode;
use crate::stats::Statistics;
use crate::status::Status;

/// The outputs of one task.
#[derive(Debug, Default)]
pub(super) struct TaskOutputs<'a> {
    /// How many samples the task has.
    pub samples: usize,
    pub values: Vec<&'a mut [f64]>,
    pub gradients: Vec<&'a mut [f64]>,
    pub statuses: Vec<&'a mut [u8]>,
}

/// A block of a task.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// The number of its first sample among all.
    pub first: usize,
    /// How many samples it has; less than the length of blocks in the last one.
    pub samples: usize,
    /// The place of its first sample in the task's outputs.
    pub place: usize,
}

pub(super) struct Worker<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) machine: Machine<'a>,
    pub(super) patches: Patches,
    pub(super) decisions: Decisions,
    pub(super) rule: Rule<'a>,
    /// The status of every derivative in a regular sample without decisions.
    pub(super) base: Vec<Status>,
    /// By derivative, over all samples.
    pub statuses: Vec<Status>,
    /// Under a total, the sums of the task so far: of the values first, then of the derivatives.
    lanes: Vec<Line>,
    lanes_before: Vec<Line>,
    /// By sum: whether anything was added.
    pub contributed: Vec<bool>,
    /// How many samples the totals are made of.
    pub kept: u64,
    /// A column that samples are left out of.
    scratch: Memory,
}

impl<'a> Worker<'a> {
    /// A worker that has `memory`, made by [`Run::memory`], to itself.
    pub fn new(run: &'a Run<'a>, memory: &'a mut Memory, statistics: Statistics) -> Self {
        let code = &run.plan.code;
        let rule = match run.state.mode {
            GradientMode::MaskReal => Rule::Classical,
            GradientMode::Saturating => Rule::Bounded(run.state.bound()),
            GradientMode::Hybrid if statistics.saturates() => Rule::Bounded(run.state.bound()),
            GradientMode::Hybrid => Rule::Deciding(run.state),
        };
        let mut base = vec![Status::EXACT; code.derivatives.len()];
        if let Rule::Bounded(_) = rule {
            let saturated = base.iter_mut().zip(run.plan.below_any()).filter(|(_, below)| **below);
            saturated.for_each(|(status, _)| *status = Status::SATURATED);
        }
        let totals = run.plan.totals.len();
        Self {
            run,
            machine: Machine::new(memory, run.block / LANES, run.state.mode == GradientMode::Hybrid),
            patches: Patches::default(),
            decisions: Decisions::new(code, statistics),
            rule,
            base,
            statuses: vec![Status::EXACT; code.derivatives.len()],
            lanes: vec![[NOTHING; LANES]; totals],
            lanes_before: vec![[NOTHING; LANES]; totals],
            contributed: vec![false; totals],
            kept: 0,
            scratch: Memory::new(if totals > 0 { run.block / LANES } else { 0 }),
        }
    }

    /// Replays samples `start..end`, whose outputs these are, unless `stop` says so. Returns what they
    /// come to under a total.
    pub fn task(
        &mut self,
        start: usize,
        end: usize,
        outputs: &mut TaskOutputs<'_>,
        mut stop: impl FnMut() -> bool,
    ) -> Option<Sums> {
        self.lanes.fill([NOTHING; LANES]);
        for first in (start..end).step_by(self.run.block) {
            if stop() {
                return None;
            }
            let samples = (end - first).min(self.run.block);
            self.block(Block { first, samples, place: first - start }, outputs);
        }
        Some(self.lanes.iter().enumerate().map(|(number, &lanes)| add_lanes(number, lanes)).collect())
    }

    fn block(&mut self, at: Block, outputs: &mut TaskOutputs<'_>) {
        let run = self.run;
        if at.samples == run.block {
            let first_line = at.first / LANES;
            return self.replay(at, &run.inputs(&run.columns, &run.rows, first_line), outputs);
        }
        // The last block has columns of its own, so that the loops over lines need no other end.
        let tail = run.tail_columns(at.first, at.samples);
        let columns: Vec<&[Line]> = tail.iter().map(Memory::lines).collect();
        let rows = run.rows.iter().zip(&run.widths);
        let rows: Vec<&[f64]> = rows.map(|(r, w)| r.get(at.first * w..).unwrap_or(&[])).collect();
        self.replay(at, &run.inputs(&columns, &rows, 0), outputs);
    }

    fn replay(&mut self, at: Block, inputs: &BlockInputs<'_>, outputs: &mut TaskOutputs<'_>) {
        let (plan, full) = (self.run.plan, at.samples == self.run.block);
        let adds_up = full && !self.lanes.is_empty();
        self.lanes_before.copy_from_slice(&self.lanes);
        let irregular = self.run.only_exact
            || vectorised(Replay {
                machine: &mut self.machine,
                code: &plan.code,
                inputs,
                rule: self.rule,
                checks: if adds_up { &plan.checks_besides_totals } else { &plan.code.checks },
                totals: if adds_up { &plan.totals } else { &[] },
                lanes: &mut self.lanes,
            });
        self.patches.clear();
        if irregular {
            self.lanes.copy_from_slice(&self.lanes_before);
            self.find_irregular(at, inputs);
            self.patches.work_out(self.run, at, self.decisions.statistics());
        }
        if self.run.state.mode == GradientMode::Hybrid {
            self.count_decisions(at, inputs);
        }
        if self.patches.lanes.len() < at.samples {
            self.statuses.iter_mut().zip(&self.base).for_each(|(all, &base)| *all |= base);
        }
        for found in self.patches.found.chunks_exact(self.base.len().max(1)) {
            self.statuses.iter_mut().zip(found).for_each(|(all, &(_, status))| *all |= status);
        }
        self.write(at, inputs, outputs);
        if adds_up && !irregular {
            self.kept += at.samples as u64;
            self.contributed.fill(true);
        } else if !self.lanes.is_empty() {
            self.add_up(at, inputs);
        }
    }

    /// Notes the samples of the block that the vectorised code is not made for.
    fn find_irregular(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        if self.run.only_exact {
            self.patches.lanes.extend(0..at.samples);
            return;
        }
        let mut found = vec![false; at.samples];
        for &check in &self.run.plan.code.checks {
            let lines = self.machine.lines(inputs, check);
            for (line, found) in found.chunks_mut(LANES).enumerate() {
                for (found, value) in found.iter_mut().zip(lines.at(line)) {
                    *found |= !value.is_finite();
                }
            }
        }
        self.patches.lanes.extend((0..at.samples).filter(|&lane| found[lane]));
    }

    /// Adds a block to the totals that has irregular samples or is not full.
    fn add_up(&mut self, at: Block, inputs: &BlockInputs<'_>) {
        let all_patched = self.patches.lanes.len() == at.samples;
        let mut scratch = std::mem::take(&mut self.scratch);
        for (number, summand) in self.run.plan.totals.iter().enumerate() {
            let column = scratch.lines_mut().as_flattened_mut();
            let (samples, rest) = column.split_at_mut(at.samples);
            rest.fill(NOTHING);
            match summand.source {
                Some(source) if !all_patched => self.copy(inputs, source, samples, 0, 1),
                _ => samples.fill(0.0),
            }
            let mut left_out = 0;
            for patch in 0..self.patches.lanes.len() {
                let (value, kept) = (self.patches.value(patch, 0), self.patches.value(patch, 0).is_finite());
                let summed = summand.derivative.map_or(value, |d| self.patches.found(patch, d).0);
                samples[self.patches.lanes[patch]] =
                    if kept && summed.is_finite() { summed } else { NOTHING };
                left_out += usize::from(!kept || !summed.is_finite());
                if let (Some(derivative), true, false) = (summand.derivative, kept, summed.is_finite()) {
                    // A derivative that overflowed is a contribution that is not REAL.
                    self.patches.counts_mut().dropped += 1;
                    self.statuses[derivative] |= Status::DROPPED;
                }
            }
            self.contributed[number] |= left_out < at.samples;
            if summand.derivative.is_none() {
                self.kept += (at.samples - left_out) as u64;
            }
            let lines = Lines { lines: scratch.lines(), is_uniform: false };
            add_lines(lines, inputs.lines, &mut self.lanes[number]);
        }
        self.scratch = scratch;
    }

    /// All that was counted.
    pub fn into_statistics(mut self) -> Statistics {
        let counts = *self.patches.counts_mut();
        let mut statistics = self.decisions.into_statistics();
        statistics.add_pass(counts);
        statistics
    }
}
