//! The irregular samples of a block, worked out by the exact rules.

use super::exact::{Exact, Found, Note, Task};
use super::run::Run;
use super::worker::Block;
use crate::backward::PassCounts;
use crate::stats::Statistics;

/// What the exact rules find for some lanes of a block.
#[derive(Debug, Default)]
pub(super) struct Patches {
    /// The lanes, in ascending order.
    pub lanes: Vec<usize>,
    /// By lane, of every output.
    values: Vec<f64>,
    /// By lane, of every derivative.
    pub found: Vec<Found>,
    outputs: usize,
    derivatives: usize,
    exact: Exact,
}

impl Patches {
    pub fn clear(&mut self) {
        self.lanes.clear();
        self.values.clear();
        self.found.clear();
        self.exact.notes.clear();
    }

    /// The value of an output in a patched sample.
    pub fn value(&self, patch: usize, output: usize) -> f64 {
        self.values[patch * self.outputs + output]
    }

    /// A derivative in a patched sample.
    pub fn found(&self, patch: usize, derivative: usize) -> Found {
        self.found[patch * self.derivatives + derivative]
    }

    /// What was silenced or left out so far.
    pub fn counts_mut(&mut self) -> &mut PassCounts {
        &mut self.exact.counts
    }

    /// Works out the lanes that were noted.
    pub fn work_out(&mut self, run: &Run<'_>, at: Block, statistics: &Statistics) {
        let (plan, lanes) = (run.plan, self.lanes.len());
        if lanes == 0 {
            return; // a sum overflowed, of samples that are regular
        }
        let task = Task {
            program: &plan.program,
            facts: &plan.facts,
            state: run.state,
            drops: plan.total().is_some(),
        };
        (self.outputs, self.derivatives) = (plan.program.outputs().len(), plan.code.derivatives.len());
        self.exact.forward(task, lanes, |element, k| run.element(element, at.first + self.lanes[k]));
        for k in 0..lanes {
            self.values.extend(plan.program.outputs().iter().map(|&output| self.exact.value(output, k)));
        }
        self.found.resize(lanes * self.derivatives, Found::default());
        let mut first = 0;
        for of_output in plan.code.derivatives.chunk_by(|a, b| a.output == b.output) {
            let root = plan.program.outputs()[of_output[0].output as usize];
            self.exact.backward(task, of_output, root, statistics);
            for (k, found) in self.found.chunks_exact_mut(self.derivatives).enumerate() {
                for (found, derivative) in found[first..].iter_mut().zip(of_output) {
                    *found = self.exact.found(derivative, k);
                }
            }
            first += of_output.len();
        }
        // Sample by sample, as the scalar path makes them.
        self.exact.notes.sort_by_key(|note| note.lane);
    }

    /// The decisions of Hybrid mode in the patched samples: the patch and the decision, in order.
    pub fn notes(&self) -> &[Note] {
        &self.exact.notes
    }
}
