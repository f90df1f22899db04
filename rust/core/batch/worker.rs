//! One thread's part of a run: tasks, block by block.
//!
//! A block is replayed by the vectorised code. Its irregular samples, those with a value or a
//! derivative that is not REAL, are then worked out anew by the exact rules, and their results put in
//! the place of what the code made of them.

use super::Input;
use super::code::{Code, Derivative, SEED, Source};
use super::dispatch::{Work, vectorised};
use super::exact::{Exact, Found, Task};
use super::kernels::Lines;
use super::machine::{Machine, Rule};
use super::plan::Plan;
use super::slots::{BlockInputs, LANES, Line, Memory};
use super::totals::{NOTHING, Sums, add_lanes};
use crate::backward::policies::Coordinate;
use crate::mode::{GradientMode, ModeState};
use crate::quantiles::Tally;
use crate::stats::Statistics;
use crate::status::Status;

/// What all workers of a run share.
pub(super) struct Run<'a> {
    pub plan: &'a Plan,
    pub inputs: &'a [Input<'a>],
    pub block: usize,
    pub state: &'a ModeState,
    pub columns: Vec<&'a [Line]>,
    pub rows: Vec<&'a [f64]>,
    pub widths: Vec<usize>,
    pub uniforms: Memory,
}

/// The outputs of one task.
#[derive(Debug, Default)]
pub(super) struct TaskOutputs<'a> {
    pub values: Vec<&'a mut [f64]>,
    pub gradients: Vec<&'a mut [f64]>,
    pub statuses: Vec<&'a mut [u8]>,
}

/// An irregular sample of a block.
struct Patch {
    lane: usize,
    values: Vec<f64>,
    found: Vec<Found>,
}

pub(super) struct Worker<'a> {
    run: &'a Run<'a>,
    machine: Machine<'a>,
    exact: Exact,
    pub statistics: Statistics,
    /// Decisions beyond those that the statistics keep one by one.
    tally: Option<Tally>,
    rule: Rule<'a>,
    /// The status of every derivative in a regular sample without decisions.
    base: Vec<Status>,
    /// By derivative, under a total.
    pub statuses: Vec<Status>,
    /// By site: whether a decision of Hybrid mode for bounded partials was met.
    saturated: Vec<bool>,
    /// Values first, then derivatives.
    lanes: Vec<Line>,
    lanes_before: Vec<Line>,
    pub kept: u64,
    /// The last block, if it is not full: its columns, repeating the last sample.
    tail: Vec<Memory>,
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
            for site in 0..code.sites.len() {
                run.plan.below(site).iter().for_each(|&d| base[d as usize] = Status::SATURATED);
            }
        }
        let totals = if run.plan.total().is_some() { 1 + code.derivatives.len() } else { 0 };
        Self {
            run,
            machine: Machine::new(memory, run.block / LANES),
            exact: Exact::default(),
            statistics,
            tally: None,
            rule,
            statuses: vec![Status::EXACT; code.derivatives.len()],
            base,
            saturated: vec![false; code.sites.len()],
            lanes: vec![[NOTHING; LANES]; totals],
            lanes_before: vec![[NOTHING; LANES]; totals],
            kept: 0,
            tail: vec![],
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
        for from in (start..end).step_by(self.run.block) {
            if stop() {
                return None;
            }
            self.block(from, (end - from).min(self.run.block), from - start, outputs);
        }
        Some(self.lanes.iter().map(|&lanes| add_lanes(lanes)).collect())
    }

    /// Replays `samples` samples from number `first`; `place` is their place in the outputs.
    fn block(&mut self, first: usize, samples: usize, place: usize, outputs: &mut TaskOutputs<'_>) {
        let run = self.run;
        let (block_lines, full) = (run.block / LANES, samples == run.block);
        let mut tail = std::mem::take(&mut self.tail);
        if !full {
            tail = run.tail_columns(first, samples);
        }
        let tail_columns: Vec<&[Line]>;
        let columns: &[&[Line]] = if full {
            &run.columns
        } else {
            tail_columns = tail.iter().map(Memory::lines).collect();
            &tail_columns
        };
        let tail_rows: Vec<&[f64]>;
        let rows: &[&[f64]] = if full {
            &run.rows
        } else {
            tail_rows =
                run.rows.iter().zip(&run.widths).map(|(r, w)| r.get(first * w..).unwrap_or(&[])).collect();
            &tail_rows
        };
        let inputs = BlockInputs {
            columns,
            rows,
            widths: &run.widths,
            uniforms: run.uniforms.lines(),
            first_line: if full { first / LANES } else { 0 },
            lines: block_lines,
        };
        let code = &run.plan.code;
        let adds_up = full && !self.lanes.is_empty();
        let irregular = run.plan.needs_exact_rules || {
            self.lanes_before.copy_from_slice(&self.lanes);
            vectorised(Replay {
                machine: &mut self.machine,
                code,
                inputs: &inputs,
                rule: self.rule,
                checks: if adds_up { &run.plan.checks_besides_totals } else { &code.checks },
                totals: if adds_up { &run.plan.totals } else { &[] },
                lanes: &mut self.lanes,
            })
        };
        if irregular && adds_up {
            self.lanes.copy_from_slice(&self.lanes_before);
        }
        let patches = if irregular { self.patches(first, samples, &inputs) } else { vec![] };
        if run.state.mode == GradientMode::Hybrid && !code.sites.is_empty() && !run.plan.needs_exact_rules {
            self.count_decisions(first, samples, &inputs, &patches);
        }
        if patches.len() < samples {
            self.statuses.iter_mut().zip(&self.base).for_each(|(all, &base)| *all |= base);
        }
        self.write(samples, place, &inputs, &patches, outputs);
        if adds_up && !irregular {
            self.kept += samples as u64;
        } else if !self.lanes.is_empty() {
            self.add_up(samples, &inputs, &patches);
        }
        self.tail = tail;
    }

    /// The irregular samples, worked out by the exact rules.
    fn patches(&mut self, first: usize, samples: usize, inputs: &BlockInputs<'_>) -> Vec<Patch> {
        let (run, plan) = (self.run, self.run.plan);
        let lanes: Vec<usize> = if plan.needs_exact_rules {
            (0..samples).collect()
        } else {
            let regular = |lane: usize| {
                plan.code.checks.iter().all(|&check| self.machine.at(inputs, check, lane).is_finite())
            };
            (0..samples).filter(|&lane| !regular(lane)).collect()
        };
        if lanes.is_empty() {
            return vec![];
        }
        let task = Task {
            program: &plan.program,
            facts: &plan.facts,
            state: run.state,
            drops: plan.total().is_some(),
        };
        self.exact.forward(task, lanes.len(), |element, k| run.element(plan, element, first + lanes[k]));
        let mut patches: Vec<_> = lanes
            .iter()
            .enumerate()
            .map(|(k, &lane)| {
                let values = plan.program.outputs().iter().map(|&o| self.exact.value(o, k)).collect();
                Patch { lane, values, found: Vec::with_capacity(plan.code.derivatives.len()) }
            })
            .collect();
        let derivatives = plan.code.derivatives.chunk_by(|a, b| a.output == b.output);
        for of_output in derivatives {
            let root = plan.program.outputs()[of_output[0].output as usize];
            self.exact.backward(task, of_output, root, &mut self.statistics);
            for (k, patch) in patches.iter_mut().enumerate() {
                patch.found.extend(of_output.iter().map(|derivative| self.exact.found(derivative, k)));
            }
        }
        if plan.total().is_some() {
            self.prepare_for_totals(&mut patches);
        }
        patches
    }

    /// Samples whose value is not REAL take no part in totals, nor do derivatives that overflowed.
    fn prepare_for_totals(&mut self, patches: &mut [Patch]) {
        for patch in patches {
            for (&(_, status), all) in patch.found.iter().zip(&mut self.statuses) {
                *all |= status;
            }
        }
    }

    /// Counts the decisions of Hybrid mode in the regular samples.
    fn count_decisions(&mut self, first: usize, samples: usize, inputs: &BlockInputs<'_>, patches: &[Patch]) {
        let code = &self.run.plan.code;
        let mut is_patched = vec![false; if patches.is_empty() { 0 } else { samples }];
        patches.iter().for_each(|patch| is_patched[patch.lane] = true);
        let regular = |lane: usize| is_patched.get(lane) != Some(&true);

        let saturated = std::mem::take(&mut self.machine.saturated);
        for &(site, lane) in &saturated {
            if (lane as usize) < samples && regular(lane as usize) && !self.saturated[site as usize] {
                self.saturated[site as usize] = true;
                for &d in self.run.plan.below(site as usize) {
                    self.statuses[d as usize] |= Status::SATURATED;
                }
            }
        }
        let by_policy = matches!(self.rule, Rule::Bounded(_));
        let mut events = saturated.iter().copied().peekable();
        let keeps = first == 0 || self.tally.is_none() && first < super::totals::TASK;
        for (number, site) in code.sites.iter().enumerate() {
            let mut lines_from = 0;
            if keeps && self.statistics.keeps_distances() {
                lines_from = samples;
                for lane in (0..samples).filter(|&lane| regular(lane)) {
                    let d = self.machine.at(inputs, site.pole, lane).abs();
                    let (coordinate, explored) = self.coordinate(inputs, number, lane);
                    self.statistics.decide(self.run.state, d, coordinate, explored);
                }
            }
            if lines_from < samples {
                let tally = self.tally.get_or_insert_default();
                let work = Count {
                    machine: &self.machine,
                    inputs,
                    tally,
                    pole: site.pole,
                    samples,
                    delta: self.run.state.delta().unwrap_or(-1.0),
                    patched: &is_patched,
                };
                let counted = vectorised(work);
                while events.peek().is_some_and(|&(of, _)| of < number as u32) {
                    events.next();
                }
                let mut saturating = 0;
                while let Some((_, lane)) = events.next_if(|&(of, _)| of == number as u32) {
                    saturating += u64::from((lane as usize) < samples && regular(lane as usize));
                }
                tally.saturating += if by_policy { counted } else { saturating };
                if !site.coordinates.is_empty() {
                    self.record_poles(inputs, number, samples, regular);
                }
            }
        }
        self.machine.saturated = saturated;
    }

    /// Records where the op of a site came close to its pole.
    fn record_poles(
        &mut self,
        inputs: &BlockInputs<'_>,
        site: usize,
        samples: usize,
        regular: impl Fn(usize) -> bool,
    ) {
        let pole = self.run.plan.code.sites[site].pole;
        let threshold = self.statistics.poles_mut().threshold();
        for lane in (0..samples).filter(|&lane| regular(lane)) {
            let d = self.machine.at(inputs, pole, lane).abs();
            if d <= threshold
                && let (Some(x), _) = self.coordinate(inputs, site, lane)
            {
                self.statistics.poles_mut().record(d, x);
            }
        }
    }

    /// The value of the one coordinate that a site depends on, and whether any is explored.
    fn coordinate(&self, inputs: &BlockInputs<'_>, site: usize, lane: usize) -> (Option<f64>, bool) {
        let coordinates = self.run.plan.code.sites[site].coordinates.iter();
        let all = coordinates
            .map(|&source| Coordinate::of(self.machine.at(inputs, source, lane), self.run.state))
            .fold(Coordinate::NONE, Coordinate::and);
        (all.known(), all.explored)
    }

    /// Writes the block's values, derivatives and statuses.
    fn write(
        &self,
        samples: usize,
        place: usize,
        inputs: &BlockInputs<'_>,
        patches: &[Patch],
        outputs: &mut TaskOutputs<'_>,
    ) {
        let code = &self.run.plan.code;
        for (number, values) in outputs.values.iter_mut().enumerate() {
            let values = &mut values[place..place + samples];
            self.copy(inputs, code.values[number], values, 0, 1);
            patches.iter().for_each(|patch| values[patch.lane] = patch.values[number]);
        }
        for (number, derivative) in code.derivatives.iter().enumerate() {
            let Derivative { array, column, source, .. } = *derivative;
            let width = self.run.plan.widths[array];
            let gradients = match outputs.gradients.get_mut(array) {
                Some(gradients) if !gradients.is_empty() => gradients,
                _ => continue,
            };
            let gradients = &mut gradients[place * width..(place + samples) * width];
            match source {
                Some(source) => self.copy(inputs, source, gradients, column, width),
                None => gradients.iter_mut().skip(column).step_by(width).for_each(|g| *g = 0.0),
            }
            patches.iter().for_each(|patch| gradients[patch.lane * width + column] = patch.found[number].0);
            if let Some(statuses) = outputs.statuses.get_mut(array).filter(|s| !s.is_empty()) {
                let statuses = &mut statuses[place * width..(place + samples) * width];
                statuses.iter_mut().skip(column).step_by(width).for_each(|s| *s = self.base[number].bits());
            }
        }
        self.write_statuses(samples, place, patches, outputs);
    }

    /// The statuses that differ from the regular ones.
    fn write_statuses(&self, samples: usize, place: usize, patches: &[Patch], outputs: &mut TaskOutputs<'_>) {
        let plan = self.run.plan;
        let mut at = |number: usize, lane: usize, change: &dyn Fn(u8) -> u8| {
            let Derivative { array, column, .. } = plan.code.derivatives[number];
            if let Some(status) = outputs
                .statuses
                .get_mut(array)
                .and_then(|s| s.get_mut((place + lane) * plan.widths[array] + column))
            {
                *status = change(*status);
            }
        };
        for &(site, lane) in self.machine.saturated.iter().filter(|&&(_, lane)| (lane as usize) < samples) {
            for &number in plan.below(site as usize) {
                at(number as usize, lane as usize, &|status| status | Status::SATURATED.bits());
            }
        }
        for patch in patches {
            for (number, &(_, status)) in patch.found.iter().enumerate() {
                at(number, patch.lane, &|_| status.bits());
            }
        }
    }

    /// Copies a source to every `width`-th place from `column` on.
    fn copy(&self, inputs: &BlockInputs<'_>, source: Source, to: &mut [f64], column: usize, width: usize) {
        let samples = match source {
            Source::Uniform(number) => {
                let value = inputs.uniforms[number as usize][0];
                return to.iter_mut().skip(column).step_by(width).for_each(|to| *to = value);
            }
            Source::Slot(slot) => self.machine.slots[slot as usize].as_flattened(),
            Source::Column(argument) => inputs.column(argument).as_flattened(),
        };
        if width == 1 {
            to.copy_from_slice(&samples[..to.len()]);
        } else {
            to.iter_mut().skip(column).step_by(width).zip(samples).for_each(|(to, &from)| *to = from);
        }
    }

    /// Adds the block to the totals.
    fn add_up(&mut self, samples: usize, inputs: &BlockInputs<'_>, patches: &[Patch]) {
        let code = &self.run.plan.code;
        let left_out = patches.iter().filter(|patch| !patch.values[0].is_finite()).count();
        self.kept += (samples - left_out) as u64;
        let sources = std::iter::once(Some(code.values[0])).chain(code.derivatives.iter().map(|d| d.source));
        for (number, source) in sources.enumerate() {
            let Some(source) = source.or_else(|| patches.first().map(|_| SEED)) else { continue };
            let mut scratch = std::mem::take(&mut self.scratch);
            let all = scratch.lines_mut().as_flattened_mut();
            self.copy(inputs, source, &mut all[..samples], 0, 1);
            all[samples..].fill(NOTHING);
            if code.derivatives.get(number.wrapping_sub(1)).is_some_and(|d| d.source.is_none()) {
                all.fill(NOTHING);
            }
            for patch in patches {
                let kept = patch.values[0].is_finite();
                let value = if number == 0 { patch.values[0] } else { patch.found[number - 1].0 };
                all[patch.lane] = if kept && value.is_finite() { value } else { NOTHING };
                if kept && !value.is_finite() {
                    // A derivative that overflowed is a contribution that is not REAL.
                    self.exact.counts.dropped += 1;
                    self.statuses[number - 1] |= Status::DROPPED;
                }
            }
            let lines = Lines { lines: scratch.lines(), is_uniform: false };
            add_up(lines, inputs.lines, &mut self.lanes[number]);
            self.scratch = scratch;
        }
    }

    /// The statistics, with all that was counted in bulk.
    pub fn into_statistics(mut self) -> Statistics {
        if let Some(tally) = &self.tally {
            self.statistics.add_tally(tally);
        }
        self.statistics.add_pass(self.exact.counts);
        self.statistics
    }
}

impl Run<'_> {
    /// The slots of a worker.
    pub fn memory(&self) -> Memory {
        Memory::new(self.plan.code.slots * self.block / LANES)
    }

    /// The columns of an incomplete block, the last sample repeated.
    fn tail_columns(&self, first: usize, samples: usize) -> Vec<Memory> {
        let column = |(input, &width): (&Input<'_>, &usize)| match input {
            Input::PerSample(data) if width == 1 => {
                let mut memory = Memory::new(self.block / LANES);
                let (head, rest) = memory.lines_mut().as_flattened_mut().split_at_mut(samples);
                head.copy_from_slice(&data[first..first + samples]);
                rest.fill(head[samples - 1]);
                memory
            }
            _ => Memory::default(),
        };
        self.inputs.iter().zip(&self.widths).map(column).collect()
    }

    /// An element of an argument in one sample.
    fn element(&self, plan: &Plan, element: u32, sample: usize) -> f64 {
        let (argument, place) = plan.program.place(element);
        match self.inputs[argument] {
            Input::Shared(data) => data[place],
            Input::PerSample(data) => data[sample * self.widths[argument] + place],
        }
    }
}

/// Replays a block; tells whether any of its samples is irregular.
struct Replay<'a, 'm> {
    machine: &'a mut Machine<'m>,
    code: &'a Code,
    inputs: &'a BlockInputs<'a>,
    rule: Rule<'a>,
    checks: &'a [Source],
    /// What is added to which lanes. If that overflows, some sample may be irregular.
    totals: &'a [(usize, Source)],
    lanes: &'a mut [Line],
}

impl Work for Replay<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.machine.execute(self.code, self.inputs, self.rule);
        let mut irregular = false;
        for &check in self.checks {
            // Only what is not REAL times 0 is not 0.
            let mut zeros = [0.0; LANES];
            for line in self.machine.lines(self.inputs, check).lines {
                for lane in 0..LANES {
                    zeros[lane] += line[lane] * 0.0;
                }
            }
            irregular |= zeros.iter().any(|zero| zero.is_nan());
        }
        for &(number, source) in self.totals {
            let sums = &mut self.lanes[number];
            add_up(self.machine.lines(self.inputs, source), self.inputs.lines, sums);
            let mut zeros = [0.0; LANES];
            for lane in 0..LANES {
                zeros[lane] = sums[lane] * 0.0;
            }
            irregular |= zeros.iter().any(|zero| zero.is_nan());
        }
        irregular
    }
}

/// Adds all lines of a source to the lanes of a total.
#[inline(always)]
fn add_up(source: Lines<'_>, lines: usize, lanes: &mut Line) {
    let mut sums = *lanes;
    for line in 0..lines {
        let line = source.at(line);
        for lane in 0..LANES {
            sums[lane] += line[lane];
        }
    }
    *lanes = sums;
}

/// Counts the distances of a site; tells how many.
struct Count<'a> {
    machine: &'a Machine<'a>,
    inputs: &'a BlockInputs<'a>,
    tally: &'a mut Tally,
    pole: Source,
    samples: usize,
    delta: f64,
    /// Empty if no sample is to be left out.
    patched: &'a [bool],
}

impl Work for Count<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let lines = self.machine.lines(self.inputs, self.pole);
        if self.patched.is_empty() && self.samples == self.inputs.lines * LANES && !lines.is_uniform {
            self.tally.add(lines.lines, self.delta);
            return self.samples as u64;
        }
        let mut counted = 0;
        for lane in (0..self.samples).filter(|&lane| self.patched.get(lane) != Some(&true)) {
            self.tally.add(&[[lines.at(lane / LANES)[lane % LANES]]], self.delta);
            counted += 1;
        }
        counted
    }
}
