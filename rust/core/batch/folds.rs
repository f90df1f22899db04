//! Ops of any number of inputs, on a block.

use super::code::Source;
use super::kernels::Lines;
use super::machine::Machine;
use super::slots::{BlockInputs, LANES, Line};
use crate::elementary;
use crate::op::Op;
use crate::op::reductions::add_beside;
use crate::reduce::Reduction;

impl Machine<'_> {
    /// A sum or mean that leaves values out.
    pub(super) fn add_kept(
        &self,
        op: Op,
        mode: Reduction,
        inputs: &BlockInputs<'_>,
        to: &mut [Line],
        sources: &[Source],
    ) {
        for (line, to) in to.iter_mut().enumerate() {
            let (mut sum, mut kept) = ([0.0; LANES], [0.0; LANES]);
            for &source in sources {
                let values = self.lines(inputs, source).at(line);
                for lane in 0..LANES {
                    let keeps = mode.keeps(values[lane]);
                    let next = if kept[lane] == 0.0 { values[lane] } else { sum[lane] + values[lane] };
                    sum[lane] = if keeps { next } else { sum[lane] };
                    kept[lane] += f64::from(u8::from(keeps));
                }
            }
            for lane in 0..LANES {
                let nothing = mode == Reduction::DropNull && kept[lane] == 0.0;
                let sum = if nothing { f64::NAN } else { sum[lane] };
                to[lane] = if op == Op::Mean { sum / kept[lane] } else { sum };
            }
        }
    }

    /// Another variadic op.
    #[inline(always)]
    pub(super) fn fold(
        &self,
        op: Op,
        mode: Reduction,
        inputs: &BlockInputs<'_>,
        to: &mut [Line],
        sources: &[Source],
    ) {
        let sources = self.all_lines(inputs, sources);
        for (line, to) in to.iter_mut().enumerate() {
            if op == Op::Logsumexp && logsumexp(&sources, line, mode, to) {
                continue;
            }
            for (lane, to) in to.iter_mut().enumerate() {
                *to = mode.fold(op, sources.iter().map(|source| source.at(line)[lane]));
            }
        }
    }

    /// What the shares of a variadic op have in common.
    #[inline(always)]
    pub(super) fn share_out(
        &self,
        op: Op,
        mode: Reduction,
        inputs: &BlockInputs<'_>,
        [first, second]: [&mut [Line]; 2],
        sources: &[Source],
        z: Source,
    ) {
        let (sources, z) = (self.all_lines(inputs, sources), self.lines(inputs, z));
        for (line, (first, second)) in first.iter_mut().zip(second).enumerate() {
            if op == Op::Logsumexp {
                let (largest, sums, holds) = sums_beside(&sources, line, mode);
                if holds {
                    (*first, *second) = (largest, sums.map(|sum| 1.0 + sum));
                    continue;
                }
            }
            for lane in 0..LANES {
                let values = sources.iter().map(|source| source.at(line)[lane]);
                [first[lane], second[lane]] = op.shared(mode.kept(values), z.at(line)[lane]);
            }
        }
    }

    fn all_lines<'s>(&'s self, inputs: &'s BlockInputs<'_>, sources: &[Source]) -> Vec<Lines<'s>> {
        sources.iter().map(|&source| self.lines(inputs, source)).collect()
    }
}

/// `ln Σeˣ` on a line, and whether that holds.
#[inline(always)]
fn logsumexp(sources: &[Lines<'_>], line: usize, mode: Reduction, to: &mut Line) -> bool {
    let (largest, sums, mut holds) = sums_beside(sources, line, mode);
    let mut result = [0.0; LANES];
    for lane in 0..LANES {
        let (log, holds_here) = elementary::fast::ln_1p(sums[lane]);
        result[lane] = largest[lane] + log;
        holds &= holds_here;
    }
    *to = result;
    holds
}

/// In each lane of a line the largest input m and `Σe^(x−m)` over the others; and whether they hold.
#[inline(always)]
fn sums_beside(sources: &[Lines<'_>], line: usize, mode: Reduction) -> (Line, Line, bool) {
    let mut largest = [f64::NEG_INFINITY; LANES];
    for source in sources {
        let x = source.at(line);
        for lane in 0..LANES {
            let larger = mode.keeps(x[lane]) & ((x[lane] > largest[lane]) | x[lane].is_nan());
            largest[lane] = if larger { x[lane] } else { largest[lane] };
        }
    }
    let (mut sums, mut found, mut holds) = ([0.0; LANES], [false; LANES], true);
    for source in sources {
        let x = source.at(line);
        for lane in 0..LANES {
            let step = add_beside(largest[lane], (sums[lane], found[lane]), x[lane], mode.keeps(x[lane]));
            (sums[lane], found[lane]) = step.0;
            holds &= step.1;
        }
    }
    holds &= largest.iter().all(|m| m.is_finite());
    (largest, sums, holds)
}
