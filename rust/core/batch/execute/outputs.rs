//! Writes a block's results into the arrays of the caller.

use super::backend::Backend;
use super::block::{Block, TaskOutputs};
use super::slots::BlockInputs;
use super::worker::Worker;
use crate::batch::compile::code::{Derivative, Source};
use crate::status::Status;

impl<B: Backend> Worker<'_, B> {
    /// Writes the block's values, derivatives and statuses.
    pub(crate) fn write(&self, at: Block, inputs: &BlockInputs<'_>, outputs: &mut TaskOutputs<'_>) {
        let code = &self.run.plan.code;
        let irregular = || self.irregular.lanes.iter().enumerate();
        let mut number = 0;
        for values in &mut outputs.values {
            let width = values.len() / outputs.samples;
            let values = &mut values[at.place * width..(at.place + at.samples) * width];
            for column in 0..width {
                if !self.backend.has_written(number) {
                    self.copy(inputs, code.values[number], values, column, width);
                }
                irregular().for_each(|(place, &lane)| {
                    values[lane * width + column] = self.irregular.value(place, number);
                });
                number += 1;
            }
        }
        for (number, &Derivative { array, column, source, .. }) in code.derivatives.iter().enumerate() {
            let width = self.run.plan.widths[array];
            let rows = at.place * width..(at.place + at.samples) * width;
            if let Some(gradients) =
                outputs.gradients.get_mut(array).and_then(|all| all.get_mut(rows.clone()))
            {
                match source {
                    _ if self.backend.has_written(code.values.len() + number) => {}
                    // Zeros of what is directional are positive.
                    Some(source) if code.is_directional => {
                        self.copy_each(inputs, source, gradients, column, width, |x| x + 0.0);
                    }
                    Some(source) => self.copy(inputs, source, gradients, column, width),
                    None => gradients.iter_mut().skip(column).step_by(width).for_each(|g| *g = 0.0),
                }
                irregular().for_each(|(place, &lane)| {
                    gradients[lane * width + column] = self.irregular.found(place, number).0;
                });
            }
            if let Some(statuses) = outputs.statuses.get_mut(array).and_then(|all| all.get_mut(rows)) {
                statuses.iter_mut().skip(column).step_by(width).for_each(|s| *s = self.base[number].bits());
            }
        }
        if !outputs.statuses.is_empty() {
            self.write_statuses(at, outputs);
        }
    }

    /// Writes the statuses that are not those of every regular sample.
    fn write_statuses(&self, at: Block, outputs: &mut TaskOutputs<'_>) {
        let plan = self.run.plan;
        let mut change = |number: usize, lane: usize, to: &dyn Fn(u8) -> u8| {
            let Derivative { array, column, .. } = plan.code.derivatives[number];
            let place = (at.place + lane) * plan.widths[array] + column;
            if let Some(status) = outputs.statuses[array].get_mut(place) {
                *status = to(*status);
            }
        };
        let saturated = self.backend.saturated().iter().filter(|&&(_, lane)| (lane as usize) < at.samples);
        for &(site, lane) in saturated {
            for &number in plan.below(site as usize) {
                change(number as usize, lane as usize, &|status| status | Status::SATURATED.bits());
            }
        }
        for (irregular, &lane) in self.irregular.lanes.iter().enumerate() {
            for number in 0..plan.code.derivatives.len() {
                change(number, lane, &|_| self.irregular.found(irregular, number).1.bits());
            }
        }
    }

    /// Copies a source to every `width`-th place from `column` on.
    pub(crate) fn copy(
        &self,
        inputs: &BlockInputs<'_>,
        source: Source,
        to: &mut [f64],
        column: usize,
        width: usize,
    ) {
        self.copy_each(inputs, source, to, column, width, |x| x);
    }

    /// The same for what `of` makes of each number.
    #[inline(always)]
    fn copy_each(
        &self,
        inputs: &BlockInputs<'_>,
        source: Source,
        to: &mut [f64],
        column: usize,
        width: usize,
        of: impl Fn(f64) -> f64,
    ) {
        let lines = self.backend.lines(inputs, source);
        let samples = lines.lines.as_flattened();
        if lines.is_uniform {
            to.iter_mut().skip(column).step_by(width).for_each(|to| *to = of(samples[0]));
        } else if width == 1 {
            // Contiguous, so that it is a plain copy where nothing is made of the numbers.
            to.iter_mut().zip(samples).for_each(|(to, &from)| *to = of(from));
        } else {
            to.iter_mut().skip(column).step_by(width).zip(samples).for_each(|(to, &from)| *to = of(from));
        }
    }
}
