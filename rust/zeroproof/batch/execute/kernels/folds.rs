//! Ops of any number of inputs.

use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::elementary;
use crate::op::Op;
use crate::op::reductions::add_beside;
use crate::reduce::Reduction;

/// A sum or mean that leaves values out.
pub(crate) struct AddKept<'a> {
    pub op: Op,
    pub mode: Reduction,
    pub to: &'a mut [Line],
    pub sources: &'a [Lines<'a>],
}

impl Work for AddKept<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let (mut sum, mut kept) = ([0.0; LANES], [0.0; LANES]);
            for source in self.sources {
                let values = source.at(line);
                for lane in 0..LANES {
                    let keeps = self.mode.keeps(values[lane]);
                    let next = if kept[lane] == 0.0 { values[lane] } else { sum[lane] + values[lane] };
                    sum[lane] = if keeps { next } else { sum[lane] };
                    kept[lane] += f64::from(u8::from(keeps));
                }
            }
            for lane in 0..LANES {
                let nothing = self.mode == Reduction::DropNull && kept[lane] == 0.0;
                let sum = if nothing { f64::NAN } else { sum[lane] };
                to[lane] = if self.op == Op::Mean { sum / kept[lane] } else { sum };
            }
        }
    }
}

/// Another variadic op.
pub(crate) struct Fold<'a> {
    pub op: Op,
    pub mode: Reduction,
    pub to: &'a mut [Line],
    pub sources: &'a [Lines<'a>],
}

impl Work for Fold<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { op, mode, to, sources } = self;
        for (line, to) in to.iter_mut().enumerate() {
            if op == Op::Logsumexp && logsumexp(sources, line, mode, to) {
                continue;
            }
            for (lane, to) in to.iter_mut().enumerate() {
                *to = mode.fold(op, sources.iter().map(|source| source.at(line)[lane]));
            }
        }
    }
}

/// What the shares of a variadic op have in common.
pub(crate) struct ShareOut<'a> {
    pub op: Op,
    pub mode: Reduction,
    pub to: [&'a mut [Line]; 2],
    pub sources: &'a [Lines<'a>],
    pub z: Lines<'a>,
}

impl Work for ShareOut<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { op, mode, to: [first, second], sources, z } = self;
        for (line, (first, second)) in first.iter_mut().zip(second).enumerate() {
            if op == Op::Logsumexp {
                let (largest, sums, holds) = sums_beside(sources, line, mode);
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
