//! The irregular samples of a block, computed by the per-sample interpreter.

use super::interpreter::{Found, Interpreter, Note, Task};
use super::recorder::Recorder;
use crate::backward::PassCounts;
use crate::batch::Request;
use crate::batch::compile::plan::Plan;
use crate::batch::program::NodeId;
use crate::error::Error;
use crate::mode::ModeState;
use crate::room;
use crate::stats::Statistics;
use crate::status::Status;

/// The numbers of the samples to be computed.
pub(crate) trait Samples {
    /// An element of an argument in one of them.
    fn element(&self, element: NodeId, lane: usize) -> f64;
    /// The same in all of them.
    fn gather(&self, element: NodeId, row: &mut [f64]);
}

/// What the per-sample interpreter finds for some lanes of a block.
#[derive(Debug, Default)]
pub(crate) struct IrregularResults {
    /// The lanes, in ascending order.
    pub lanes: Vec<usize>,
    /// By lane, of every output.
    values: Vec<f64>,
    /// By lane, of every derivative.
    found: Vec<Found>,
    /// Whether the first lane there stands for all.
    are_alike: bool,
    outputs: usize,
    derivatives: usize,
    interpreter: Interpreter,
    recorder: Recorder,
}

impl IrregularResults {
    pub fn clear(&mut self) {
        self.lanes.clear();
        self.values.clear();
        self.found.clear();
        self.interpreter.notes.clear();
    }

    /// The value of an output in an irregular sample.
    pub fn value(&self, place: usize, output: usize) -> f64 {
        self.values[place * self.outputs + output]
    }

    /// Whether all samples are left out of a total, since their values are not REAL.
    pub fn are_left_out(&self) -> bool {
        !self.values.iter().any(|value| value.is_finite())
    }

    /// A derivative in an irregular sample.
    pub fn found(&self, place: usize, derivative: usize) -> Found {
        let place = if self.are_alike { 0 } else { place };
        self.found[place * self.derivatives + derivative]
    }

    /// What was silenced or left out so far.
    pub fn counts_mut(&mut self) -> &mut PassCounts {
        &mut self.interpreter.counts
    }

    /// The flags of every derivative, of all samples.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        (0..self.derivatives).map(|derivative| {
            let of_samples = self.found.iter().skip(derivative).step_by(self.derivatives);
            of_samples.fold(Status::EXACT, |all, &(_, status)| all | status)
        })
    }

    /// Computes so many samples.
    pub fn compute(
        &mut self,
        plan: &Plan,
        state: &ModeState,
        lanes: usize,
        samples: &impl Samples,
        statistics: &Statistics,
    ) -> Result<(), Error> {
        if lanes == 0 {
            return Ok(()); // a sum overflowed, of samples that are regular
        }
        (self.outputs, self.derivatives) = (plan.program.outputs().len(), plan.code.derivatives.len());
        self.are_alike = false;
        if let Request::Directional { .. } = plan.request {
            return self.record(plan, state, lanes, samples, statistics);
        }
        let task = Task {
            program: &plan.program,
            facts: &plan.facts,
            state,
            drops: plan.total().is_some(),
            only_sums: plan.summed.iter().all(|&summed| summed),
        };
        self.interpreter.forward(task, lanes, &|element, row| samples.gather(element, row))?;
        room::reserve(&mut self.values, lanes * self.outputs)?;
        match plan.program.outputs() {
            &[output] => self.values.extend_from_slice(self.interpreter.row(output)),
            outputs => {
                for lane in 0..lanes {
                    self.values.extend(outputs.iter().map(|&output| self.interpreter.value(output, lane)));
                }
            }
        }
        let mut first = 0;
        for of_output in plan.code.derivatives.chunk_by(|a, b| a.output == b.output) {
            let output = of_output[0].output as usize;
            let (root, adjoint) = (plan.program.outputs()[output], plan.directions.get(output));
            let seed = |lane: usize| adjoint.map_or(1.0, |&adjoint| samples.element(adjoint, lane));
            let told = self.interpreter.backward(task, of_output, root, statistics, &seed)?;
            self.are_alike = told < lanes && of_output.len() == self.derivatives;
            let rows = if self.are_alike { told } else { lanes };
            room::grow(&mut self.found, rows * self.derivatives, Found::default())?;
            for (k, found) in self.found.chunks_exact_mut(self.derivatives).enumerate() {
                for (found, derivative) in found[first..].iter_mut().zip(of_output) {
                    *found = self.interpreter.found(derivative, k.min(told - 1));
                }
            }
            first += of_output.len();
        }
        // Sample by sample, as the scalar path makes them.
        self.interpreter.notes.sort_by_key(|note| note.lane);
        Ok(())
    }

    /// The same for what is directional: each sample is recorded by itself.
    fn record(
        &mut self,
        plan: &Plan,
        state: &ModeState,
        lanes: usize,
        samples: &impl Samples,
        statistics: &Statistics,
    ) -> Result<(), Error> {
        room::reserve(&mut self.values, lanes * self.outputs)?;
        room::grow(&mut self.found, lanes * self.derivatives, Found::default())?;
        let Interpreter { notes, counts, .. } = &mut self.interpreter;
        for lane in 0..lanes {
            let found = &mut self.found[lane * self.derivatives..][..self.derivatives];
            let element = |node| samples.element(node, lane);
            let by = (lane, statistics);
            let more = self.recorder.sample(plan, state, &element, by, &mut self.values, found, notes)?;
            counts.dropped += more.dropped;
            counts.masked += more.masked;
        }
        Ok(())
    }

    /// The decisions of Hybrid mode in the irregular samples, in order.
    pub fn notes(&self) -> &[Note] {
        &self.interpreter.notes
    }
}
