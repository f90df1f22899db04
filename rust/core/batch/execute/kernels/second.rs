//! Second partials and terms of second order.

use super::adjoints::second;
use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::op::curvature::{Curved, Entries, term, term_fast};
use std::marker::PhantomData;

/// Second partials of an op: a rule for all ops.
pub(crate) trait Bending: Copy {
    fn entries<O: Curved>(self, a: f64, b: f64, z: f64) -> ([f64; 4], bool);
}

/// Those of classical partials. `exponent` is that of a power.
#[derive(Clone, Copy)]
pub(crate) struct ClassicalBending {
    pub exponent: i32,
}

impl Bending for ClassicalBending {
    #[inline(always)]
    fn entries<O: Curved>(self, a: f64, b: f64, z: f64) -> ([f64; 4], bool) {
        O::curvature(a, second::<O>(b, self.exponent), z).fast()
    }
}

/// Those of bounded partials.
#[derive(Clone, Copy)]
pub(crate) struct BoundedBending {
    pub exponent: i32,
    pub bound: f64,
}

impl Bending for BoundedBending {
    #[inline(always)]
    fn entries<O: Curved>(self, a: f64, b: f64, z: f64) -> ([f64; 4], bool) {
        O::bounded_curvature(a, second::<O>(b, self.exponent), z, self.bound).fast()
    }
}

/// How the partials of an op change with its operands; Φ where the fast form of some entry does not hold.
pub(crate) struct Bend<'a, O, R> {
    pub to: [Option<&'a mut [Line]>; 4],
    pub from: [Lines<'a>; 3],
    pub rule: R,
    pub lines: usize,
    pub op: PhantomData<O>,
}

impl<O: Curved, R: Bending> Work for Bend<'_, O, R> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for line in 0..self.lines {
            let [a, b, z] = self.from.map(|source| source.at(line));
            let mut found = [[0.0; LANES]; 4];
            for lane in 0..LANES {
                let (entries, holds) = self.rule.entries::<O>(a[lane], b[lane], z[lane]);
                if O::ARITY.operands() == 1 {
                    found[0][lane] = if holds { entries[0] } else { f64::NAN };
                } else {
                    for (found, entry) in found.iter_mut().zip(entries) {
                        found[lane] = if holds { entry } else { f64::NAN };
                    }
                }
            }
            for (to, found) in self.to.iter_mut().zip(found) {
                if let Some(to) = to {
                    to[line] = found;
                }
            }
        }
    }
}

/// `g·t·m`, or `c + g·t·m`.
pub(crate) struct Term<'a> {
    pub to: &'a mut [Line],
    pub g: Lines<'a>,
    pub t: Lines<'a>,
    pub m: Lines<'a>,
    pub c: Option<Lines<'a>>,
}

impl Work for Term<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let [g, t, m] = [self.g, self.t, self.m].map(|source| source.at(line));
            let (mut result, mut holds) = ([0.0; LANES], true);
            for lane in 0..LANES {
                let (term, holds_here) = term_fast(g[lane], t[lane], m[lane]);
                result[lane] = term;
                holds &= holds_here;
            }
            if !holds {
                result = full_terms(g, t, m);
            }
            if let Some(c) = self.c {
                let c = c.at(line);
                for lane in 0..LANES {
                    result[lane] += c[lane];
                }
            }
            *to = result;
        }
    }
}

#[cold]
#[inline(never)]
fn full_terms(g: &Line, t: &Line, m: &Line) -> Line {
    std::array::from_fn(|lane| term(g[lane], t[lane], m[lane]))
}
