//! What all workers of a run share.

use super::slots::{BlockInputs, LANES, Line, Memory};
use crate::batch::compile::plan::Plan;
use crate::batch::irregular::results::Samples;
use crate::batch::program::NodeId;
use crate::batch::{Argument, Directional, Input, Product, Request};
use crate::error::Error;
use crate::mode::{GradientMode, ModeState};

/// Slots in use at once should fit in a first-level cache.
const CACHE: usize = 48 << 10;

/// Those of what is directional are so many that in small blocks the calls of kernels would take longer than a
/// second-level cache.
const CACHE_OF_MANY: usize = 384 << 10;

/// What all workers of a run share.
pub(crate) struct Run<'a> {
    pub plan: &'a Plan,
    pub state: &'a ModeState,
    arguments: &'a [Input<'a>],
    /// Whether every sample is for the per-sample interpreter: what a singular op decides differs from way to way
    /// that a condition may choose, from exponent to exponent, or, for statuses, from direction to direction.
    pub only_interpreted: bool,
    /// The samples of a block.
    pub block: usize,
    /// By argument: its numbers as lines and as rows, if every sample has its own.
    pub columns: Vec<&'a [Line]>,
    pub rows: Vec<&'a [f64]>,
    /// By argument: how many numbers a sample sees.
    pub widths: Vec<usize>,
    uniforms: Memory,
}

impl<'a> Run<'a> {
    pub fn new(
        plan: &'a Plan,
        samples: usize,
        inputs: &'a [Input<'a>],
        state: &'a ModeState,
        block: Option<usize>,
    ) -> Result<Self, Error> {
        let per_sample = inputs.iter().map(|input| match *input {
            Input::PerSample(data) => data,
            Input::Shared(_) => &[],
        });
        let lines = |data: &'a [f64]| -> &'a [Line] { data.as_chunks().0 };
        let chosen = plan.selects && !plan.code.sites.is_empty();
        let differs = chosen || plan.has_undecided_poles || plan.saturates_some(inputs);
        let only_interpreted = plan.is_interpreted || differs && state.mode != GradientMode::MaskReal;
        Ok(Self {
            plan,
            state,
            arguments: inputs,
            only_interpreted,
            block: block.unwrap_or_else(|| plan.fitting_block(samples, only_interpreted)),
            columns: per_sample.clone().map(lines).collect(),
            rows: per_sample.collect(),
            widths: plan.program.arguments().iter().map(Argument::size).collect(),
            uniforms: Memory::of_uniforms(&plan.uniforms(inputs)?)?,
        })
    }

    /// What a block reads that begins at a line of these columns and rows.
    pub fn inputs<'b>(
        &'b self,
        columns: &'b [&'b [Line]],
        rows: &'b [&'b [f64]],
        first_line: usize,
    ) -> BlockInputs<'b> {
        let (widths, uniforms) = (&self.widths[..], self.uniforms.lines());
        BlockInputs { columns, rows, widths, uniforms, first_line, lines: self.block / LANES }
    }

    /// The columns of an incomplete block, the last sample repeated.
    pub fn tail_columns(&self, first: usize, samples: usize) -> Result<Vec<Memory>, Error> {
        let column = |(data, &width): (&&[f64], &usize)| {
            if width != 1 || data.is_empty() {
                return Ok(Memory::default());
            }
            let mut memory = Memory::unset(self.block / LANES)?;
            let (head, rest) = memory.lines_mut().as_flattened_mut().split_at_mut(samples);
            head.copy_from_slice(&data[first..first + samples]);
            rest.fill(head[samples - 1]);
            Ok(memory)
        };
        self.rows.iter().zip(&self.widths).map(column).collect()
    }

    /// An element of an argument in one sample.
    pub fn element(&self, element: NodeId, sample: usize) -> f64 {
        let (argument, place) = self.plan.program.place(element);
        match self.arguments[argument] {
            Input::Shared(data) => data[place],
            Input::PerSample(data) => data[sample * self.widths[argument] + place],
        }
    }
}

/// The samples of a block with so many numbers of each in a cache. One block of few samples is no longer than they
/// need.
fn block_within(cache: usize, numbers: usize, samples: usize) -> usize {
    let fitting = cache / size_of::<f64>() / numbers.max(1);
    let most = samples.next_power_of_two().clamp(LANES, 16 * LANES);
    let block = (1 << fitting.max(1).ilog2()).clamp(2 * LANES, 16 * LANES).min(most);
    block.min(samples.next_multiple_of(LANES).max(LANES))
}

/// Some samples of a block, by lane.
pub(crate) struct SamplesOfBlock<'a> {
    pub run: &'a Run<'a>,
    /// The number of the block's first sample.
    pub first: usize,
    pub lanes: &'a [usize],
}

impl Samples for SamplesOfBlock<'_> {
    fn element(&self, element: NodeId, lane: usize) -> f64 {
        self.run.element(element, self.first + self.lanes[lane])
    }

    fn gather(&self, element: NodeId, row: &mut [f64]) {
        let (argument, place) = self.run.plan.program.place(element);
        match self.run.arguments[argument] {
            Input::Shared(data) => row.fill(data[place]),
            Input::PerSample(data) => {
                let width = self.run.widths[argument];
                for (number, lane) in row.iter_mut().zip(self.lanes) {
                    *number = data[(self.first + lane) * width + place];
                }
            }
        }
    }
}

impl Plan {
    /// Whether the status of a derivative may depend on numbers of the direction that are 0: of what does not
    /// move no op uses bounded partials.
    fn saturates_some(&self, inputs: &[Input<'_>]) -> bool {
        let by_direction = match &self.request {
            Request::Directional { what, .. } => match what {
                Directional::Derivative { .. } | Directional::Product(Product::Transposed) => true,
                Directional::Product(Product::Jacobian) | Directional::Hessian => false,
            },
            _ => false,
        };
        let directions =
            &inputs[inputs.len() - if by_direction { self.request.sources().len() } else { 0 }..];
        !self.code.sites.is_empty()
            && directions.iter().any(|input| match input {
                Input::Shared(data) | Input::PerSample(data) => data.contains(&0.0),
            })
    }

    /// The samples of a block whose numbers fit the cache; no more than a few samples need.
    pub fn fitting_block(&self, samples: usize, only_interpreted: bool) -> usize {
        // The per-sample interpreter keeps a value and an adjoint of 16 bytes for every node.
        let numbers = if only_interpreted { 3 * self.program.len() } else { self.code.slots };
        let cache = if self.code.is_directional { CACHE_OF_MANY } else { CACHE };
        block_within(cache, numbers, samples)
    }

    /// The same where parts of the code are native, whose calls are many as well.
    pub fn block_of_parts(&self, samples: usize) -> usize {
        block_within(CACHE_OF_MANY, self.code.slots, samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_no_longer_than_few_samples_need() {
        for (samples, block) in [(0, 32), (1, 32), (32, 32), (33, 64), (300, 320), (512, 512), (513, 512)] {
            assert_eq!(block_within(CACHE, 3, samples), block, "{samples} samples");
        }
        // What does not fit the cache is cut into blocks that divide a task.
        for samples in [300, 8192, 1 << 20] {
            assert_eq!(block_within(CACHE, 50, samples), 64);
        }
    }
}
