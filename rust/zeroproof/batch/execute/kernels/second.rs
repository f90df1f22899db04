//! Second partials and terms of second order.

use super::adjoints::second;
use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::op::arithmetic::Div;
use crate::op::curvature::{Curved, Entries, tangent_of_quotient, term, term_fast};
use crate::op::{Elementwise, Form};
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
            let (a, b, z) = (self.from[0].at(line), self.from[1].at(line), self.from[2].at(line));
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

/// What the tangents of its operands add to that of a quotient.
pub(crate) struct Quotient<'a> {
    pub to: &'a mut [Line],
    pub t: [Option<Lines<'a>>; 2],
    pub from: [Lines<'a>; 3],
    /// The bound of bounded partials.
    pub bound: Option<f64>,
}

impl Work for Quotient<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { to, t, from, bound } = self;
        for (line, to) in to.iter_mut().enumerate() {
            let [a, b, z] = from.map(|source| source.at(line));
            let t = t.map(|t| t.map(|t| t.at(line)));
            if let Some(bound) = bound {
                *to = bounded_tangents(t, [a, b, z], bound);
                continue;
            }
            let [s, t] = t.map(|t| t.unwrap_or(&[0.0; LANES]));
            for lane in 0..LANES {
                let (tangent, holds) = tangent_of_quotient([s[lane], t[lane]], b[lane], z[lane]);
                to[lane] = if holds { tangent } else { f64::NAN };
            }
        }
    }
}

#[inline(never)]
fn bounded_tangents(t: [Option<&Line>; 2], [a, b, z]: [&Line; 3], bound: f64) -> Line {
    let mut tangents = [0.0; LANES];
    for (lane, tangent) in tangents.iter_mut().enumerate() {
        let terms = [0, 1].map(|place| {
            let weight = t[place]?[lane];
            Some(Div::bounded(weight, a[lane], b[lane], z[lane], bound).full()[place])
        });
        *tangent = match terms {
            [Some(first), Some(second)] => first + second,
            [first, second] => first.or(second).unwrap_or(0.0),
        };
    }
    tangents
}

/// `g·t·m`, or `c + g·t·m`; without an entry m that is 1.
pub(crate) struct Term<'a> {
    pub to: &'a mut [Line],
    pub g: Lines<'a>,
    pub t: Lines<'a>,
    pub m: Option<Lines<'a>>,
    pub c: Option<Lines<'a>>,
}

impl Work for Term<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { to, g, t, m, c } = self;
        match (m, c) {
            (None, None) => terms::<false, false>(to, [g, t, g, g]),
            (None, Some(c)) => terms::<false, true>(to, [g, t, g, c]),
            (Some(m), None) => terms::<true, false>(to, [g, t, m, g]),
            (Some(m), Some(c)) => terms::<true, true>(to, [g, t, m, c]),
        }
    }
}

/// A loop for each kind of term: everything stays in registers.
#[inline(always)]
fn terms<const ENTRY: bool, const SUM: bool>(to: &mut [Line], from: [Lines<'_>; 4]) {
    for (line, to) in to.iter_mut().enumerate() {
        let [g, t, m, c] = from.map(|source| source.at(line));
        let (mut result, mut weights) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let weight = g[lane] * t[lane];
            let term = if ENTRY { weight * m[lane] } else { weight };
            result[lane] = if SUM { c[lane] + term } else { term };
            weights[lane] = weight.abs();
        }
        *to = result;
        // Where a weight is normal, or infinite, which makes the sample irregular, the fast form holds.
        if ENTRY && !weights.iter().all(|&weight| weight >= f64::MIN_POSITIVE) {
            let mut holds = true;
            for lane in 0..LANES {
                holds &= term_fast(g[lane], t[lane], m[lane]).1;
            }
            if !holds {
                full_terms::<SUM>(to, [g, t, m, c]);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn full_terms<const SUM: bool>(to: &mut Line, [g, t, m, c]: [&Line; 4]) {
    for lane in 0..LANES {
        let term = term(g[lane], t[lane], m[lane]);
        to[lane] = if SUM { c[lane] + term } else { term };
    }
}
