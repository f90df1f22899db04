//! Runs a plan on all cores.
//!
//! Threads live for one run: nothing of the engine goes on between calls, so a process may fork at
//! any time. The calling thread works too, and it alone asks whether the run was interrupted.

use super::block::TaskOutputs;
use super::machine::Machine;
use super::native;
use super::part_mode::PartMode;
use super::partial::{LeftOut, MOST_SAMPLES, Partial, shares};
use super::shared::Run;
use super::slots::{LANES, Memory};
use super::totals::{NOTHING, TASK, Tree};
use super::worker::Worker;
use crate::batch::compile::plan::Plan;
use crate::batch::{Directional, Execution, Input, Outputs, Request, Stopped, Total, Totals};
use crate::mode::{GradientMode, ModeState};
use crate::room;
use crate::stats::Statistics;
use crate::status::Status;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A thread is worth starting for this much work, in instructions times samples: some 100 µs, two or three times what
/// it takes to start one and to wait for it.
const WORTH_A_THREAD: usize = 1 << 20;

/// The bytes that a thread may need for itself: its stack, and what the system keeps for it.
const OF_A_THREAD: usize = 8 << 20;

/// How often the caller is asked whether to go on.
const PATIENCE: Duration = Duration::from_millis(50);

/// The clock is looked at after this much work.
const CLOCK_EVERY: usize = 1 << 18;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tasks still to be done, in order, with their outputs.
struct Tasks<'a> {
    next: usize,
    samples: usize,
    rest: TaskOutputs<'a>,
    value_widths: &'a [usize],
    widths: &'a [usize],
}

impl<'a> Iterator for Tasks<'a> {
    type Item = (usize, usize, usize, TaskOutputs<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, start) = (self.next, self.next * TASK);
        if start >= self.samples {
            return None;
        }
        let end = self.samples.min(start + TASK);
        self.next += 1;
        let samples = end - start;
        let outputs = TaskOutputs {
            samples,
            values: split_off(&mut self.rest.values, self.value_widths, samples),
            gradients: split_off(&mut self.rest.gradients, self.widths, samples),
            statuses: split_off(&mut self.rest.statuses, self.widths, samples),
        };
        Some((number, start, end, outputs))
    }
}

/// The rows of so many samples of each array, which keeps the rest; an empty array stays empty.
fn split_off<'a, T>(arrays: &mut [&'a mut [T]], widths: &[usize], samples: usize) -> Vec<&'a mut [T]> {
    let split = |(array, width): (&mut &'a mut [T], &usize)| {
        let whole = std::mem::take(array);
        let (head, rest) = whole.split_at_mut((width * samples).min(whole.len()));
        *array = rest;
        head
    };
    arrays.iter_mut().zip(widths).map(split).collect()
}

/// Calls a function when it goes out of scope.
struct Leaving<F: Fn()>(F);

impl<F: Fn()> Drop for Leaving<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What the workers hand in.
struct Results {
    tree: Tree,
    statistics: Statistics,
    kept: u64,
    left_out: LeftOut,
    contributed: Vec<bool>,
    statuses: Vec<Status>,
}

impl Plan {
    /// Replays the program on `samples` samples, in the mode of `state`. Decisions and what was
    /// silenced or left out are added to `statistics`, which also says whether a hysteresis policy
    /// saturates. `interrupted` is asked every 50 ms, on the calling thread.
    ///
    /// # Errors
    /// [`Stopped`]. Outputs are then half-written, statistics are as before.
    ///
    /// # Panics
    /// If inputs or outputs are not as many or as long as the program and the request have it.
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    pub fn run(
        &self,
        samples: usize,
        inputs: &[Input<'_>],
        mut outputs: Outputs<'_>,
        state: &ModeState,
        statistics: &mut Statistics,
        execution: Execution,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Totals, Stopped> {
        let results =
            self.replay(0, samples, inputs, &mut outputs, state, statistics, execution, interrupted)?;
        statistics.merge(&results.statistics);
        if self.total() == Some(Total::Mean) && results.kept > 0 {
            let kept = results.kept as f64;
            outputs.gradients.iter_mut().for_each(|all| all.iter_mut().for_each(|g| *g /= kept));
        }
        Ok(self.totals(results))
    }

    /// What samples `start..start + samples` of many come to under a total: the plan is that of a
    /// gradient's sum, from which [`Partial::finish`] makes a mean as well. Rows of arguments of samples
    /// are those of a sum. Everything is counted in the part alone; what `statistics` says is whether a
    /// hysteresis policy saturates, and which decisions are near a pole.
    ///
    /// # Errors
    /// [`Stopped`]. Outputs are then half-written.
    ///
    /// # Panics
    /// As [`Plan::run`], for a plan of another request, and for samples that do not begin at a multiple of
    /// 8192 or end beyond [`MOST_SAMPLES`].
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    pub fn run_part(
        &self,
        start: usize,
        samples: usize,
        inputs: &[Input<'_>],
        mut outputs: Outputs<'_>,
        state: &ModeState,
        statistics: &Statistics,
        execution: Execution,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Partial, Stopped> {
        let is_sum = matches!(&self.request, Request::Gradient { total: Some(Total::Sum), .. });
        assert!(is_sum, "a part is that of a gradient's sum");
        assert!(start.is_multiple_of(TASK) && start <= MOST_SAMPLES - samples, "a part begins between tasks");
        let results =
            self.replay(start, samples, inputs, &mut outputs, state, statistics, execution, interrupted)?;
        let summed = self.totals.iter().filter_map(|summand| summand.derivative);
        Ok(Partial {
            samples: start..start + samples,
            fingerprint: self.fingerprint(),
            mode: PartMode { state: state.clone(), settings: statistics.settings() },
            engine: Partial::this_engine(),
            tree: results.tree,
            kept: results.kept,
            left_out: results.left_out,
            contributed: results.contributed,
            statuses: summed.map(|derivative| results.statuses[derivative]).collect(),
            statistics: results.statistics,
        })
    }

    /// Replays the program on samples that are `start..start + samples` of all.
    #[expect(clippy::too_many_arguments, reason = "the parts of a run, each of its own kind")]
    fn replay(
        &self,
        start: usize,
        samples: usize,
        inputs: &[Input<'_>],
        outputs: &mut Outputs<'_>,
        state: &ModeState,
        statistics: &Statistics,
        execution: Execution,
        interrupted: &mut dyn FnMut() -> bool,
    ) -> Result<Results, Stopped> {
        self.check(samples, inputs, outputs, execution);
        let first_task = start / TASK;
        let value_widths = self.value_widths(samples, outputs);
        let mut run = Run::new(self, samples, inputs, state, execution.block)?;
        let native = if run.only_interpreted {
            None
        } else {
            let saturates = statistics.saturates();
            native::Programs::of(self).and_then(|programs| {
                programs.choose(self, samples, outputs, state, saturates, execution.native)
            })
        };
        let work_of_sample = match &native {
            Some(program) => native::work(self, program),
            None if run.only_interpreted => self.code.instructions.len() + 16 * self.program.len(),
            None => self.code.instructions.len() + 4,
        };
        let work = samples.saturating_mul(work_of_sample);
        let threads = execution.threads.min(work / WORTH_A_THREAD).min(samples.div_ceil(TASK)).max(1);
        if let (None, Some(program)) = (execution.block, &native)
            && let Some(block) = native::block(self, program, samples)
        {
            run.block = block;
        }
        let rest = TaskOutputs {
            samples,
            values: outputs.values.iter_mut().map(|all| &mut **all).collect(),
            gradients: outputs.gradients.iter_mut().map(|all| &mut **all).collect(),
            statuses: outputs.statuses.iter_mut().map(|all| &mut **all).collect(),
        };
        let tasks =
            Mutex::new(Tasks { next: 0, samples, rest, value_widths: &value_widths, widths: &self.widths });
        let results = Mutex::new(Results {
            tree: Tree::default(),
            statistics: statistics.worker(),
            kept: 0,
            left_out: LeftOut::default(),
            contributed: room::filled(self.totals.len(), false)?,
            statuses: room::filled(self.code.derivatives.len(), Status::EXACT)?,
        });
        let (cancelled, running, done) = (AtomicBool::new(false), AtomicUsize::new(0), Condvar::new());
        let refused = AtomicBool::new(false);
        let per_block = work_of_sample * run.block;
        let lines = run.block / LANES;
        let slots = || Memory::unset(Machine::lines_of(self.code.slots, lines));
        let mut own = slots()?;
        let work = |memory: &mut Memory, ask: &mut dyn FnMut() -> bool| -> Result<(), Stopped> {
            let machine = Machine::new(memory, lines, state.mode == GradientMode::Hybrid);
            let backend = native::backend(machine, self, native.as_deref(), samples);
            let mut worker = Worker::new(&run, backend, statistics.worker())?;
            let mut unasked = 0;
            let mut stop = || {
                unasked += per_block;
                if unasked >= CLOCK_EVERY {
                    unasked = 0;
                    if ask() {
                        cancelled.store(true, Ordering::Relaxed);
                    }
                }
                cancelled.load(Ordering::Relaxed)
            };
            loop {
                let Some((number, start, end, mut outputs)) = lock(&tasks).next() else { break };
                let sums = worker.task(start, end, &mut outputs, &mut stop).inspect_err(|_| {
                    cancelled.store(true, Ordering::Relaxed);
                })?;
                if self.total().is_some() {
                    lock(&results).tree.add(first_task + number, sums);
                }
            }
            let mut results = lock(&results);
            results.kept += worker.kept;
            results.left_out.add(worker.left_out);
            results.contributed.iter_mut().zip(&worker.contributed).for_each(|(all, &one)| *all |= one);
            results.statuses.iter_mut().zip(&worker.statuses).for_each(|(all, &status)| *all |= status);
            results.statistics.merge(&worker.into_statistics());
            Ok(())
        };
        let mut asked = Instant::now();
        let mut ask = || {
            let patient = asked.elapsed() < PATIENCE;
            if !patient {
                asked = Instant::now();
            }
            !patient && interrupted()
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Here and not in the thread: one that starts without memory for itself takes the process down.
                let Ok(memory) = slots() else { break };
                if room::probe(OF_A_THREAD).is_err() {
                    break;
                }
                running.fetch_add(1, Ordering::Relaxed);
                let helper = || {
                    // Also if the work panics, which the scope then passes on.
                    let _leaving = Leaving(|| {
                        running.fetch_sub(1, Ordering::Relaxed);
                        drop(lock(&results)); // so that the caller is either waiting or sees the count
                        done.notify_all();
                    });
                    let mut memory = memory;
                    // Without memory for it there is one helper less.
                    if work(&mut memory, &mut || false) == Err(Stopped::OutOfMemory) {
                        refused.store(true, Ordering::Relaxed);
                    }
                };
                // A thread that the system refuses is done without.
                if std::thread::Builder::new().spawn_scoped(scope, helper).is_err() {
                    running.fetch_sub(1, Ordering::Relaxed);
                    break;
                }
            }
            if work(&mut own, &mut ask) == Err(Stopped::OutOfMemory) {
                refused.store(true, Ordering::Relaxed);
            }
            // The lock is free while the caller is asked, who may run anything.
            let wait = || {
                let waiting = lock(&results);
                let waits = running.load(Ordering::Relaxed) > 0;
                if waits {
                    drop(done.wait_timeout(waiting, PATIENCE));
                }
                waits
            };
            while wait() {
                if !cancelled.load(Ordering::Relaxed) && ask() {
                    cancelled.store(true, Ordering::Relaxed);
                }
            }
        });
        // All tasks are done if somebody had the memory to begin with them.
        let unfinished = lock(&tasks).next().is_some();
        if cancelled.into_inner() || unfinished {
            let refused = refused.into_inner();
            return Err(if refused { Stopped::OutOfMemory } else { Stopped::Interrupted });
        }
        Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts the totals together.
    fn totals(&self, results: Results) -> Totals {
        let Some(total) = self.total() else { return Totals::default() };
        let kept = results.kept;
        let sums = results.tree.finish().unwrap_or_default();
        // A sum of zeros is positive, except of gradients.
        let nothing = if self.code.is_directional { 0.0 } else { NOTHING };
        let shares = shares(total, kept, &sums, &results.contributed, nothing);
        let mut totals = Totals {
            value: shares[0],
            kept,
            gradients: vec![vec![]; self.widths.len()],
            statuses: vec![vec![]; self.widths.len()],
        };
        for (number, summand) in self.totals.iter().enumerate() {
            if let Some(derivative) = summand.derivative {
                let array = self.code.derivatives[derivative].array;
                totals.gradients[array].push(shares[number]);
                totals.statuses[array].push(results.statuses[derivative]);
            }
        }
        totals
    }

    /// How many outputs each array of values takes.
    fn value_widths(&self, samples: usize, outputs: &Outputs<'_>) -> Vec<usize> {
        if samples == 0 {
            return vec![0; outputs.values.len()];
        }
        let widths: Vec<_> = outputs.values.iter().map(|values| values.len() / samples).collect();
        let expected = match &self.request {
            Request::Jacobian { .. } | Request::Pullback { .. } if outputs.values.is_empty() => 0,
            Request::Directional { what: Directional::Product(_) | Directional::Hessian, .. }
                if outputs.values.is_empty() =>
            {
                0
            }
            _ if self.total().is_some() => 0,
            _ => self.program.outputs().len(),
        };
        let whole = outputs.values.iter().zip(&widths).all(|(values, width)| values.len() == width * samples);
        assert!(whole && widths.iter().sum::<usize>() == expected, "values for {expected} outputs");
        widths
    }

    /// Refuses inputs and outputs that do not belong to the program.
    fn check(&self, samples: usize, inputs: &[Input<'_>], outputs: &Outputs<'_>, execution: Execution) {
        let fits = |block: usize| block > 0 && block.is_multiple_of(LANES) && TASK.is_multiple_of(block);
        assert!(execution.block.is_none_or(fits), "a block is a multiple of 32 and divides 8192");
        let arguments = self.program.arguments();
        assert!(inputs.len() == arguments.len(), "{} inputs for {} arguments", inputs.len(), arguments.len());
        for (input, argument) in inputs.iter().zip(arguments) {
            let (len, expected) = match (input, argument.per_sample) {
                (Input::Shared(data), false) => (data.len(), argument.size()),
                (Input::PerSample(data), true) => (data.len(), argument.size() * samples),
                _ => panic!("{} is not of the kind that was traced", argument.name),
            };
            assert!(len == expected, "{} has {len} numbers, not {expected}", argument.name);
        }
        assert!(outputs.gradients.len() == self.widths.len(), "as many gradients as arrays of them");
        for (array, &width) in self.widths.iter().enumerate() {
            let expected = if self.summed[array] { 0 } else { samples * width };
            assert!(outputs.gradients[array].len() == expected, "the gradients of array {array}");
            assert!(
                outputs.statuses.get(array).is_none_or(|s| s.len() == expected),
                "the statuses of array {array}"
            );
        }
    }
}
