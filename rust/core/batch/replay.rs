//! The vectorised part of a block.

use super::code::{Code, Source};
use super::dispatch::Work;
use super::kernels::Lines;
use super::machine::{Machine, Rule};
use super::plan::Summand;
use super::slots::{BlockInputs, LANES, Line};
use crate::quantiles::Tally;

/// Replays a block and adds it up; tells whether any of its samples may be irregular.
pub(super) struct Replay<'a, 'm> {
    pub machine: &'a mut Machine<'m>,
    pub code: &'a Code,
    pub inputs: &'a BlockInputs<'a>,
    pub rule: Rule<'a>,
    pub checks: &'a [Source],
    /// What is added to the lanes. A sum that is not REAL may have a summand that is not.
    pub totals: &'a [Summand],
    pub lanes: &'a mut [Line],
}

impl Work for Replay<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        self.machine.execute(self.code, self.inputs, self.rule);
        let mut irregular = false;
        for &check in self.checks {
            let mut zeros = [0.0; LANES];
            for line in self.machine.lines(self.inputs, check).lines {
                add_zeros(line, &mut zeros);
            }
            irregular |= zeros.iter().any(|zero| zero.is_nan());
        }
        for (summand, lanes) in self.totals.iter().zip(self.lanes) {
            match summand.source {
                Some(source) => add_lines(self.machine.lines(self.inputs, source), self.inputs.lines, lanes),
                None => lanes[0] += 0.0,
            }
            let mut zeros = [0.0; LANES];
            add_zeros(lanes, &mut zeros);
            irregular |= zeros.iter().any(|zero| zero.is_nan());
        }
        irregular
    }
}

/// Adds 0 times each number: NaN for what is not REAL.
#[inline(always)]
fn add_zeros(line: &Line, zeros: &mut Line) {
    for lane in 0..LANES {
        zeros[lane] += line[lane] * 0.0;
    }
}

/// Adds so many lines of a source to the lanes of a total.
#[inline(always)]
pub(super) fn add_lines(source: Lines<'_>, lines: usize, lanes: &mut Line) {
    let mut sums = *lanes;
    for line in 0..lines {
        let line = source.at(line);
        for lane in 0..LANES {
            sums[lane] += line[lane];
        }
    }
    *lanes = sums;
}

/// Counts the distances of a whole block.
pub(super) struct Count<'a> {
    pub lines: &'a [Line],
    pub tally: &'a mut Tally,
    pub delta: f64,
}

impl Work for Count<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.tally.add(self.lines, self.delta);
    }
}
