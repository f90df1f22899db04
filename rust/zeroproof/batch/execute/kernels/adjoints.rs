//! Contributions.

use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::Lines;
use crate::batch::execute::slots::{LANES, Line};
use crate::op::{Arity, Elementwise, Form, Op, Variadic};
use std::marker::PhantomData;

/// What the contributions of an op are computed from.
#[derive(Clone, Copy)]
pub(crate) struct AdjointSources<'a> {
    pub g: Lines<'a>,
    pub a: Lines<'a>,
    pub b: Lines<'a>,
    pub z: Lines<'a>,
}

/// Partial derivatives of an op: a rule for all ops.
pub(crate) trait Partials: Copy {
    fn contributions<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]>;
    /// Whether the op's margin tells that they hold.
    fn has_margin<O: Elementwise>() -> bool;
}

/// The second operand of an op; of a power it is the exponent.
#[inline(always)]
pub(super) fn second<O: Elementwise>(b: f64, exponent: i32) -> f64 {
    if matches!(O::ARITY, Arity::Power) { f64::from(exponent) } else { b }
}

/// Classical partials. `exponent` is that of a power.
#[derive(Clone, Copy)]
pub(crate) struct Classical {
    pub exponent: i32,
}

impl Partials for Classical {
    #[inline(always)]
    fn contributions<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
        O::classical(g, a, second::<O>(b, self.exponent), z)
    }

    #[inline(always)]
    fn has_margin<O: Elementwise>() -> bool {
        O::HAS_MARGIN
    }
}

/// Bounded partials of singular ops.
#[derive(Clone, Copy)]
pub(crate) struct Bounded {
    pub exponent: i32,
    pub bound: f64,
}

impl Partials for Bounded {
    #[inline(always)]
    fn contributions<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
        O::bounded(g, a, second::<O>(b, self.exponent), z, self.bound)
    }

    #[inline(always)]
    fn has_margin<O: Elementwise>() -> bool {
        false
    }
}

/// Both contributions of an op, or one of them.
pub(crate) struct Contribute<'a, O, P> {
    to: [Option<&'a mut [Line]>; 2],
    from: AdjointSources<'a>,
    rule: P,
    op: PhantomData<O>,
}

impl<'a, O: Elementwise, P: Partials> Contribute<'a, O, P> {
    #[inline(always)]
    pub fn new(to: [Option<&'a mut [Line]>; 2], from: AdjointSources<'a>, rule: P) -> Self {
        Self { to, from, rule, op: PhantomData }
    }
}

impl<O: Elementwise, P: Partials> Work for Contribute<'_, O, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // A constant, so that nothing is compiled for a second operand that there is not.
        if const { O::ARITY.operands() == 2 } {
            match self.to {
                [Some(to_a), Some(to_b)] => both::<O, P>(to_a, to_b, self.from, self.rule),
                [None, Some(to)] => one::<O, P, 1>(to, self.from, self.rule),
                [Some(to), None] => one::<O, P, 0>(to, self.from, self.rule),
                [None, None] => {}
            }
        } else if let [Some(to), _] = self.to {
            one::<O, P, 0>(to, self.from, self.rule);
        }
    }
}

/// The lines of the sources.
#[inline(always)]
fn at<'a>(from: AdjointSources<'a>, line: usize) -> [&'a Line; 4] {
    [from.g.at(line), from.a.at(line), from.b.at(line), from.z.at(line)]
}

#[inline(always)]
fn both<O: Elementwise, P: Partials>(
    to_a: &mut [Line],
    to_b: &mut [Line],
    from: AdjointSources<'_>,
    rule: P,
) {
    for (line, (to_a, to_b)) in to_a.iter_mut().zip(to_b).enumerate() {
        let [g, a, b, z] = at(from, line);
        let (mut result_a, mut result_b) = ([0.0; LANES], [0.0; LANES]);
        if P::has_margin::<O>() {
            let mut margin = [0.0; LANES];
            for lane in 0..LANES {
                let contributions = rule.contributions::<O>(g[lane], a[lane], b[lane], z[lane]).fast().0;
                [result_a[lane], result_b[lane]] = contributions;
                margin[lane] = O::margin(contributions, z[lane]);
            }
            if are_normal(&margin) {
                (*to_a, *to_b) = (result_a, result_b);
                continue;
            }
        }
        let mut holds = true;
        for lane in 0..LANES {
            let (contributions, holds_here) =
                rule.contributions::<O>(g[lane], a[lane], b[lane], z[lane]).fast();
            [result_a[lane], result_b[lane]] = contributions;
            holds &= holds_here;
        }
        (*to_a, *to_b) = (result_a, result_b);
        if !holds {
            [*to_a, *to_b] = full_contributions::<O, P>([g, a, b, z], rule);
        }
    }
}

#[inline(always)]
fn one<O: Elementwise, P: Partials, const PLACE: usize>(to: &mut [Line], from: AdjointSources<'_>, rule: P) {
    for (line, to) in to.iter_mut().enumerate() {
        let [g, a, b, z] = at(from, line);
        let mut result = [0.0; LANES];
        if P::has_margin::<O>() {
            let mut margin = [0.0; LANES];
            for lane in 0..LANES {
                let contributions = rule.contributions::<O>(g[lane], a[lane], b[lane], z[lane]).fast().0;
                result[lane] = contributions[PLACE];
                margin[lane] = O::margin(contributions, z[lane]);
            }
            if are_normal(&margin) {
                *to = result;
                continue;
            }
        }
        let mut holds = true;
        for lane in 0..LANES {
            let (contributions, holds_here) =
                rule.contributions::<O>(g[lane], a[lane], b[lane], z[lane]).fast();
            result[lane] = contributions[PLACE];
            holds &= holds_here;
        }
        *to = result;
        if !holds {
            *to = full_contributions::<O, P>([g, a, b, z], rule)[PLACE];
        }
    }
}

/// One function for all ops, which a closure would not be.
#[inline(always)]
fn are_normal(margin: &Line) -> bool {
    margin.iter().all(|&m| m >= f64::MIN_POSITIVE)
}

#[cold]
#[inline(never)]
fn full_contributions<O: Elementwise, P: Partials>([g, a, b, z]: [&Line; 4], rule: P) -> [Line; 2] {
    let mut found = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        let contributions = rule.contributions::<O>(g[lane], a[lane], b[lane], z[lane]).full();
        [found[0][lane], found[1][lane]] = contributions;
    }
    found
}

/// What a variadic op passes to an input.
pub(crate) struct Share<'a, O> {
    to: &'a mut [Line],
    g: Lines<'a>,
    x: Lines<'a>,
    shared: [Lines<'a>; 2],
    op: PhantomData<O>,
}

impl<'a, O: Variadic> Share<'a, O> {
    #[inline(always)]
    pub fn new(to: &'a mut [Line], g: Lines<'a>, x: Lines<'a>, shared: [Lines<'a>; 2]) -> Self {
        Self { to, g, x, shared, op: PhantomData }
    }
}

impl<O: Variadic> Work for Share<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let (g, x) = (self.g.at(line), self.x.at(line));
            let [s, t] = self.shared.map(|shared| shared.at(line));
            let (mut result, mut holds) = ([0.0; LANES], true);
            for lane in 0..LANES {
                let (share, holds_here) = O::share(g[lane], x[lane], [s[lane], t[lane]]).fast();
                result[lane] = share;
                holds &= holds_here;
            }
            *to = result;
            if !holds {
                full_shares::<O>(to, g, x, [s, t]);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn full_shares<O: Variadic>(to: &mut Line, g: &Line, x: &Line, [s, t]: [&Line; 2]) {
    for lane in 0..LANES {
        to[lane] = O::share(g[lane], x[lane], [s[lane], t[lane]]).full();
    }
}

/// Puts bounded contributions where a sample of a singular op is within `delta` of its pole or explored,
/// and notes those lanes.
pub(crate) struct Saturate<'a> {
    pub op: Op,
    pub to: [Option<&'a mut [Line]>; 2],
    pub from: AdjointSources<'a>,
    /// The distances to the pole.
    pub pole: Lines<'a>,
    pub rule: Bounded,
    pub delta: f64,
    /// By lane; empty if none is.
    pub explored: &'a [bool],
    pub lines: usize,
    /// By line, those lanes by a bit each; empty if there are none.
    pub saturated: &'a mut Vec<u32>,
    /// Whether such samples are irregular instead: they get Φ.
    pub spoils: bool,
}

impl Work for Saturate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        for line in 0..self.lines {
            let pole = self.pole.at(line);
            let explored = self.explored.get(line * LANES..(line + 1) * LANES).unwrap_or(&[]);
            let mut any = explored.contains(&true);
            for distance in pole {
                any |= distance.abs() <= self.delta;
            }
            if any {
                self.line(line, explored);
            }
        }
    }
}

impl Saturate<'_> {
    #[inline(never)]
    fn line(&mut self, line: usize, explored: &[bool]) {
        let mut lanes = 0u32;
        for (lane, distance) in self.pole.at(line).iter().enumerate() {
            lanes |= u32::from(distance.abs() <= self.delta) << lane;
        }
        for (lane, &explored) in explored.iter().enumerate() {
            lanes |= u32::from(explored) << lane;
        }
        if !self.spoils {
            self.saturated.resize(self.lines, 0);
            self.saturated[line] |= lanes;
        }
        let [g, a, b, z] = at(self.from, line);
        let Bounded { exponent, bound } = self.rule;
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let b = if self.op.arity() == Arity::Power { f64::from(exponent) } else { b[lane] };
            let contributions = match self.spoils {
                true => [f64::NAN; 2],
                false => self.op.bounded(g[lane], a[lane], b, z[lane], bound),
            };
            for (to, contribution) in self.to.iter_mut().zip(contributions) {
                if let Some(to) = to {
                    to[line][lane] = contribution;
                }
            }
        }
    }
}
