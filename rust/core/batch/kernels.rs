//! Loops over the samples of a block, one for each kind of instruction and op.
//!
//! Every kernel works out the fast form of the op table for all lanes, which the compiler turns into
//! vector instructions, and then has the full form decide in the lines where the fast one does not
//! hold for some lane. So a kernel computes what the table says, bit for bit.
//!
//! Ops are constants of the kernels, and nothing is a closure: all that a loop calls is certain to be
//! inlined into it, and so into the code for the processor's vectors. Without optimization each inlined
//! local has a place of its own on the stack, which the kernels of all ops together overflow: there those
//! that are made for each op are calls. A line is worked out on the stack and then stored, so that the
//! compiler need not fear that a store changes a source.

use super::program::Predicate;
use super::slots::{LANES, Line};
use crate::elementary;
use crate::op::{Arity, Elementwise, Form, Variadic};

/// A source as lines: a slot or column has one for each line of the block, a uniform number just one.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    pub lines: &'a [Line],
    pub is_uniform: bool,
}

impl<'a> Lines<'a> {
    #[inline(always)]
    pub fn at(self, line: usize) -> &'a Line {
        &self.lines[if self.is_uniform { 0 } else { line }]
    }
}

/// The numbers of a source: one for each sample, or one for all.
enum Samples<'a> {
    Each(&'a [f64]),
    All(f64),
}

impl<'a> Lines<'a> {
    /// Of so many samples. That every slice has the same length saves a check for each number.
    #[inline(always)]
    fn samples(self, count: usize) -> Samples<'a> {
        match self.is_uniform {
            true => Samples::All(self.lines[0][0]),
            false => Samples::Each(&self.lines.as_flattened()[..count]),
        }
    }
}

/// `to = op(a, b)`.
#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn value<O: Elementwise>(to: &mut [Line], a: Lines<'_>, b: Lines<'_>) {
    for (line, to) in to.iter_mut().enumerate() {
        let (a, b) = (a.at(line), b.at(line));
        let (mut result, mut holds) = ([0.0; LANES], true);
        for lane in 0..LANES {
            let (value, holds_here) = O::value(a[lane], b[lane]).fast();
            result[lane] = value;
            holds &= holds_here;
        }
        *to = result;
        if !holds {
            for lane in 0..LANES {
                to[lane] = O::value(a[lane], b[lane]).full();
            }
        }
    }
}

/// `to = op(a, b)` for an op that is so cheap that reading the operands is what takes time: a loop
/// for each kind of operands.
#[inline(always)]
pub(super) fn cheap_value<O: Elementwise>(to: &mut [Line], a: Lines<'_>, b: Lines<'_>) {
    let to = to.as_flattened_mut();
    let n = to.len();
    match (a.samples(n), b.samples(n)) {
        (Samples::Each(a), Samples::Each(b)) => {
            for i in 0..n {
                to[i] = O::value(a[i], b[i]).fast().0;
            }
        }
        (Samples::All(a), Samples::Each(b)) => {
            for i in 0..n {
                to[i] = O::value(a, b[i]).fast().0;
            }
        }
        (Samples::Each(a), Samples::All(b)) => {
            for i in 0..n {
                to[i] = O::value(a[i], b).fast().0;
            }
        }
        (Samples::All(a), Samples::All(b)) => to.fill(O::value(a, b).fast().0),
    }
}

/// `to = c + a·b`.
#[inline(always)]
pub(super) fn multiply_add(to: &mut [Line], a: Lines<'_>, b: Lines<'_>, c: Lines<'_>) {
    use Samples::{All, Each};
    let to = to.as_flattened_mut();
    let n = to.len();
    let (a, b) = if a.is_uniform { (b, a) } else { (a, b) };
    match (a.samples(n), b.samples(n), c.samples(n)) {
        (Each(a), Each(b), Each(c)) => {
            for i in 0..n {
                to[i] = c[i] + a[i] * b[i];
            }
        }
        (Each(a), All(b), Each(c)) => {
            for i in 0..n {
                to[i] = c[i] + a[i] * b;
            }
        }
        (Each(a), Each(b), All(c)) => {
            for i in 0..n {
                to[i] = c + a[i] * b[i];
            }
        }
        (Each(a), All(b), All(c)) => {
            for i in 0..n {
                to[i] = c + a[i] * b;
            }
        }
        (All(a), All(b), Each(c)) => {
            for i in 0..n {
                to[i] = c[i] + a * b;
            }
        }
        (All(a), All(b), All(c)) => to.fill(c + a * b),
        (All(_), Each(_), _) => unreachable!("if one factor is uniform, it is b"),
    }
}

/// A polynomial in `a`, its coefficients from the innermost to the outermost.
#[inline(always)]
pub(super) fn polynomial(to: &mut [Line], a: Lines<'_>, coefficients: &[f64]) {
    for (line, to) in to.iter_mut().enumerate() {
        let a = a.at(line);
        let mut result = [coefficients[0]; LANES];
        for c in &coefficients[1..] {
            for lane in 0..LANES {
                result[lane] = c + a[lane] * result[lane];
            }
        }
        *to = result;
    }
}

/// `to = a` where the condition holds, else `b`.
#[inline(always)]
pub(super) fn select(to: &mut [Line], condition: Lines<'_>, a: Lines<'_>, b: Lines<'_>) {
    for (line, to) in to.iter_mut().enumerate() {
        let (condition, a, b) = (condition.at(line), a.at(line), b.at(line));
        // Bits are blended: of a choice the compiler makes a branch for each lane.
        let mut result = [0.0; LANES];
        for lane in 0..LANES {
            let taken = u64::from(condition[lane] != 0.0).wrapping_neg();
            result[lane] = f64::from_bits(a[lane].to_bits() & taken | b[lane].to_bits() & !taken);
        }
        *to = result;
    }
}

/// A predicate, as 1 or 0.
#[inline(always)]
pub(super) fn test(predicate: Predicate, to: &mut [Line], a: Lines<'_>, b: Lines<'_>) {
    macro_rules! by_predicate {
        ($($variant:ident)*) => {
            match predicate {
                $(Predicate::$variant => {
                    for (line, to) in to.iter_mut().enumerate() {
                        let (a, b) = (a.at(line), b.at(line));
                        let mut result = [0.0; LANES];
                        for lane in 0..LANES {
                            result[lane] = if Predicate::$variant.holds(a[lane], b[lane]) { 1.0 } else { 0.0 };
                        }
                        *to = result;
                    }
                })*
            }
        };
    }
    by_predicate! { Less LessEqual Equal IsReal IsInfinite IsPhi And Or Not }
}

/// Sine and cosine of `a`.
#[inline(always)]
pub(super) fn sin_cos(sine: &mut [Line], cosine: &mut [Line], a: Lines<'_>) {
    for (line, (sine, cosine)) in sine.iter_mut().zip(cosine).enumerate() {
        let a = a.at(line);
        let (mut result, mut holds) = ([[0.0; LANES]; 2], true);
        for lane in 0..LANES {
            let ([s, c], holds_here) = elementary::fast::sin_cos(a[lane]);
            [result[0][lane], result[1][lane]] = [s, c];
            holds &= holds_here;
        }
        [*sine, *cosine] = result;
        if !holds {
            for lane in 0..LANES {
                [sine[lane], cosine[lane]] = elementary::sin_cos(a[lane]);
            }
        }
    }
}

/// A power with n ≠ 0, by the multiplications of [`Op::PowInt`] in their order.
#[inline(always)]
pub(super) fn power(n: i32, to: &mut [Line], a: Lines<'_>) {
    for (line, to) in to.iter_mut().enumerate() {
        let (mut result, mut base, mut bits) = ([1.0; LANES], *a.at(line), n.unsigned_abs());
        loop {
            if bits & 1 == 1 {
                for lane in 0..LANES {
                    result[lane] *= base[lane];
                }
            }
            bits >>= 1;
            if bits == 0 {
                break;
            }
            for base in &mut base {
                *base *= *base;
            }
        }
        if n < 0 {
            for result in &mut result {
                *result = 1.0 / *result;
            }
        }
        *to = result;
    }
}

/// What a power with this exponent does; a product of its own, since squares are everywhere.
#[inline(always)]
pub(super) fn square(to: &mut [Line], a: Lines<'_>) {
    for (line, to) in to.iter_mut().enumerate() {
        let mut result = *a.at(line);
        for a in &mut result {
            *a *= *a;
        }
        *to = result;
    }
}

/// The operands of an op's contributions.
#[derive(Clone, Copy)]
pub(super) struct AdjointSources<'a> {
    pub g: Lines<'a>,
    pub a: Lines<'a>,
    pub b: Lines<'a>,
    pub z: Lines<'a>,
}

/// Partial derivatives of the op table: a rule for all of its ops.
pub(super) trait Partials: Copy {
    fn fast<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> ([f64; 2], bool);
    fn full<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> [f64; 2];

    /// For ops whose fast form takes long to say whether it holds: where the smallest of these numbers
    /// over a line is normal, and the sample regular, it does.
    #[inline(always)]
    fn margin<O: Elementwise>(self, _contributions: [f64; 2], _z: f64) -> Option<f64> {
        None
    }
}

/// The second operand of an op; of a power it is the exponent.
#[inline(always)]
fn second<O: Elementwise>(b: f64, exponent: i32) -> f64 {
    if matches!(O::ARITY, Arity::Power) { f64::from(exponent) } else { b }
}

/// Classical partials. `exponent` is that of a power.
#[derive(Clone, Copy)]
pub(super) struct Classical {
    pub exponent: i32,
}

impl Partials for Classical {
    #[inline(always)]
    fn fast<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> ([f64; 2], bool) {
        O::classical(g, a, second::<O>(b, self.exponent), z).fast()
    }

    #[inline(always)]
    fn full<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> [f64; 2] {
        O::classical(g, a, second::<O>(b, self.exponent), z).full()
    }

    #[inline(always)]
    fn margin<O: Elementwise>(self, contributions: [f64; 2], z: f64) -> Option<f64> {
        O::margin(contributions, z)
    }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

/// Bounded partials of singular ops.
#[derive(Clone, Copy)]
pub(super) struct Bounded {
    pub exponent: i32,
    pub bound: f64,
}

impl Partials for Bounded {
    #[inline(always)]
    fn fast<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> ([f64; 2], bool) {
        O::bounded(g, a, second::<O>(b, self.exponent), z, self.bound).fast()
    }

    #[inline(always)]
    fn full<O: Elementwise>(self, g: f64, a: f64, b: f64, z: f64) -> [f64; 2] {
        O::bounded(g, a, second::<O>(b, self.exponent), z, self.bound).full()
    }
}

/// Both contributions, or one of them.
#[inline(always)]
pub(super) fn contribute<O: Elementwise>(
    to: &mut [Option<&mut [Line]>; 2],
    from: AdjointSources<'_>,
    rule: impl Partials,
) {
    match to {
        [Some(to_a), Some(to_b)] => contribute_both::<O>(to_a, to_b, from, rule),
        [Some(to), None] => contribute_one::<O, 0>(to, from, rule),
        [None, Some(to)] => contribute_one::<O, 1>(to, from, rule),
        [None, None] => {}
    }
}

#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
fn contribute_both<O: Elementwise>(
    to_a: &mut [Line],
    to_b: &mut [Line],
    from: AdjointSources<'_>,
    rule: impl Partials,
) {
    for (line, (to_a, to_b)) in to_a.iter_mut().zip(to_b).enumerate() {
        let (g, a, b, z) = (from.g.at(line), from.a.at(line), from.b.at(line), from.z.at(line));
        let (mut result_a, mut result_b, mut holds) = ([0.0; LANES], [0.0; LANES], true);
        let mut margin = [f64::INFINITY; LANES];
        for lane in 0..LANES {
            let (contributions, _) = rule.fast::<O>(g[lane], a[lane], b[lane], z[lane]);
            [result_a[lane], result_b[lane]] = contributions;
            let here = rule.margin::<O>(contributions, z[lane]).unwrap_or(0.0);
            margin[lane] = smaller(margin[lane], here);
        }
        if margin.iter().all(|&m| m >= f64::MIN_POSITIVE) {
            (*to_a, *to_b) = (result_a, result_b);
            continue;
        }
        for lane in 0..LANES {
            let (contributions, holds_here) = rule.fast::<O>(g[lane], a[lane], b[lane], z[lane]);
            [result_a[lane], result_b[lane]] = contributions;
            holds &= holds_here;
        }
        (*to_a, *to_b) = (result_a, result_b);
        if !holds {
            for lane in 0..LANES {
                [to_a[lane], to_b[lane]] = rule.full::<O>(g[lane], a[lane], b[lane], z[lane]);
            }
        }
    }
}

#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
fn contribute_one<O: Elementwise, const PLACE: usize>(
    to: &mut [Line],
    from: AdjointSources<'_>,
    rule: impl Partials,
) {
    for (line, to) in to.iter_mut().enumerate() {
        let (g, a, b, z) = (from.g.at(line), from.a.at(line), from.b.at(line), from.z.at(line));
        let (mut result, mut holds) = ([0.0; LANES], true);
        let mut margin = [f64::INFINITY; LANES];
        for lane in 0..LANES {
            let (contributions, _) = rule.fast::<O>(g[lane], a[lane], b[lane], z[lane]);
            result[lane] = contributions[PLACE];
            let here = rule.margin::<O>(contributions, z[lane]).unwrap_or(0.0);
            margin[lane] = smaller(margin[lane], here);
        }
        if margin.iter().all(|&m| m >= f64::MIN_POSITIVE) {
            *to = result;
            continue;
        }
        for lane in 0..LANES {
            let (contributions, holds_here) = rule.fast::<O>(g[lane], a[lane], b[lane], z[lane]);
            result[lane] = contributions[PLACE];
            holds &= holds_here;
        }
        *to = result;
        if !holds {
            for lane in 0..LANES {
                to[lane] = rule.full::<O>(g[lane], a[lane], b[lane], z[lane])[PLACE];
            }
        }
    }
}

/// What a variadic op passes to an input.
#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn share<O: Variadic>(to: &mut [Line], g: Lines<'_>, x: Lines<'_>, shared: [Lines<'_>; 2]) {
    for (line, to) in to.iter_mut().enumerate() {
        let (g, x, [s, t]) = (g.at(line), x.at(line), shared.map(|shared| shared.at(line)));
        let (mut result, mut holds) = ([0.0; LANES], true);
        for lane in 0..LANES {
            let (share, holds_here) = O::share(g[lane], x[lane], [s[lane], t[lane]]).fast();
            result[lane] = share;
            holds &= holds_here;
        }
        *to = result;
        if !holds {
            for lane in 0..LANES {
                to[lane] = O::share(g[lane], x[lane], [s[lane], t[lane]]).full();
            }
        }
    }
}

/// Puts bounded contributions where a sample of a singular op is within `delta` of its pole or
/// explored, and reports those lanes. `pole` are the distances.
#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
#[expect(clippy::too_many_arguments, reason = "what is read, what is written and what decides")]
pub(super) fn saturate<O: Elementwise>(
    to: &mut [Option<&mut [Line]>; 2],
    from: AdjointSources<'_>,
    pole: Lines<'_>,
    rule: Bounded,
    delta: f64,
    explored: &[bool],
    lines: usize,
    mut report: impl FnMut(usize),
) {
    for line in 0..lines {
        let (a, b, pole) = (from.a.at(line), from.b.at(line), pole.at(line));
        let explored = explored.get(line * LANES..(line + 1) * LANES).unwrap_or(&[]);
        let mut any = explored.contains(&true);
        for distance in pole {
            any |= distance.abs() <= delta;
        }
        if !any {
            continue;
        }
        let mut lanes = 0u32;
        for (lane, distance) in pole.iter().enumerate() {
            lanes |= u32::from(distance.abs() <= delta) << lane;
        }
        for (lane, &explored) in explored.iter().enumerate() {
            lanes |= u32::from(explored) << lane;
        }
        let (g, z) = (from.g.at(line), from.z.at(line));
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            lanes &= lanes - 1;
            let contributions = rule.full::<O>(g[lane], a[lane], b[lane], z[lane]);
            for (to, contribution) in to.iter_mut().zip(contributions) {
                if let Some(to) = to {
                    to[line][lane] = contribution;
                }
            }
            report(line * LANES + lane);
        }
    }
}
