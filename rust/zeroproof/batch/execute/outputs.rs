//! Writes a block's results into the arrays of the caller.

use super::backend::Backend;
use super::block::{Block, TaskOutputs};
use super::dispatch::Width;
use super::kernels::{Column, Rows};
use super::slots::{BlockInputs, LANES};
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
        self.write_derivatives(at, inputs, outputs);
        for (number, &Derivative { array, column, .. }) in code.derivatives.iter().enumerate() {
            let width = self.run.plan.widths[array];
            let rows = at.place * width..(at.place + at.samples) * width;
            if let Some(gradients) =
                outputs.gradients.get_mut(array).and_then(|all| all.get_mut(rows.clone()))
            {
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

    /// Writes the derivatives of regular samples, array by array.
    fn write_derivatives(&self, at: Block, inputs: &BlockInputs<'_>, outputs: &mut TaskOutputs<'_>) {
        let code = &self.run.plan.code;
        let mut columns: Vec<Column<'_>> = vec![];
        for (array, gradients) in outputs.gradients.iter_mut().enumerate() {
            let width = self.run.plan.widths[array];
            let rows = at.place * width..(at.place + at.samples) * width;
            let Some(rows) = gradients.get_mut(rows) else { continue };
            let own = self.run.plan.by_array[array].iter().map(|&number| number as usize);
            let left = own.filter(|number| !self.backend.has_written(code.values.len() + number));
            columns.clear();
            columns.extend(left.map(|number| {
                let Derivative { column, source, .. } = code.derivatives[number];
                Column { place: column, of: source.map(|source| self.backend.lines(inputs, source)) }
            }));
            let columns = &columns;
            // Zeros of what is directional are positive.
            match code.is_directional {
                true => Width::widest().run(Rows { rows, width, columns, of: |x| x + 0.0 }),
                false => Width::widest().run(Rows { rows, width, columns, of: |x| x }),
            }
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
        for site in 0..plan.code.sites.len() {
            for (line, &lanes) in self.backend.saturated(site).iter().enumerate() {
                let set = (0..LANES).filter(|lane| lanes >> lane & 1 == 1).map(|lane| line * LANES + lane);
                for lane in set.filter(|&lane| lane < at.samples) {
                    for &number in plan.below(site) {
                        change(number as usize, lane, &|status| status | Status::SATURATED.bits());
                    }
                }
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
        let columns = &[Column { place: column, of: Some(self.backend.lines(inputs, source)) }];
        Width::widest().run(Rows { rows: to, width, columns, of: |x| x });
    }
}
