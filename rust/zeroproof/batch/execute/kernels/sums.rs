//! Sums over the samples of a block, and checks.

use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::quantiles::Tally;

/// Whether some number is not REAL.
pub(crate) struct HasNonReal<'a>(pub &'a [Line]);

impl Work for HasNonReal<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut zeros = [0.0; LANES];
        for line in self.0 {
            for lane in 0..LANES {
                zeros[lane] += line[lane] * 0.0; // NaN for what is not REAL
            }
        }
        zeros.iter().any(|zero| zero.is_nan())
    }
}

/// Adds so many lines of a source to the lanes of a total.
pub(crate) struct AddLines<'a> {
    pub source: Lines<'a>,
    pub lines: usize,
    pub lanes: &'a mut Line,
}

impl Work for AddLines<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let mut sums = *self.lanes;
        if self.source.is_uniform {
            for _ in 0..self.lines {
                add(&mut sums, &self.source.lines[0]);
            }
        } else {
            for line in &self.source.lines[..self.lines] {
                add(&mut sums, line);
            }
        }
        *self.lanes = sums;
    }
}

#[inline(always)]
fn add(sums: &mut Line, line: &Line) {
    for lane in 0..LANES {
        sums[lane] += line[lane];
    }
}

/// Counts distances.
pub(crate) struct Count<'a> {
    pub distances: &'a [f64],
    pub tally: &'a mut Tally,
    pub delta: f64,
}

impl Work for Count<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.tally.add(self.distances, self.delta);
    }
}

/// How many bits are set.
pub(crate) struct Ones<'a>(pub &'a [u32]);

impl Work for Ones<'_> {
    type Output = u64;

    #[inline(always)]
    fn run(self) -> u64 {
        let mut ones = 0;
        for bits in self.0 {
            ones += u64::from(bits.count_ones());
        }
        ones
    }
}

/// Tells the lanes of each line whose distance is at most a limit, by a bit each.
pub(crate) struct Close<'a> {
    pub distances: Lines<'a>,
    pub limit: f64,
    /// By line.
    pub lanes: &'a mut [u32],
}

impl Work for Close<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, lanes) in self.lanes.iter_mut().enumerate() {
            *lanes = 0;
            for (lane, distance) in self.distances.at(line).iter().enumerate() {
                *lanes |= u32::from(distance.abs() <= self.limit) << lane;
            }
        }
    }
}

/// Marks the lanes of each line whose number is not REAL too, by a bit each.
pub(crate) struct NotReal<'a> {
    pub numbers: Lines<'a>,
    /// By line.
    pub lanes: &'a mut [u32],
}

impl Work for NotReal<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, lanes) in self.lanes.iter_mut().enumerate() {
            let mut found = 0;
            for (lane, number) in self.numbers.at(line).iter().enumerate() {
                found |= u32::from(!number.is_finite()) << lane;
            }
            *lanes |= found;
        }
    }
}
