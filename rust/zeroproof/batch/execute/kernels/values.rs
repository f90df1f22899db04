//! Values.

use crate::batch::execute::dispatch::Work;
use crate::batch::execute::lines::{Lines, Samples};
use crate::batch::execute::slots::{LANES, Line};
use crate::elementary;
use crate::op::{Elementwise, Form};
use std::marker::PhantomData;

/// `to = op(a, b)`.
pub(crate) struct Value<'a, O> {
    to: &'a mut [Line],
    a: Lines<'a>,
    b: Lines<'a>,
    op: PhantomData<O>,
}

impl<'a, O: Elementwise> Value<'a, O> {
    #[inline(always)]
    pub fn new(to: &'a mut [Line], a: Lines<'a>, b: Lines<'a>) -> Self {
        Self { to, a, b, op: PhantomData }
    }
}

impl<O: Elementwise> Work for Value<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let (a, b) = (self.a.at(line), self.b.at(line));
            let (mut result, mut holds) = ([0.0; LANES], true);
            for lane in 0..LANES {
                let (value, holds_here) = O::value(a[lane], b[lane]).fast();
                result[lane] = value;
                holds &= holds_here;
            }
            *to = result;
            if !holds {
                full_values::<O>(to, a, b);
            }
        }
    }
}

#[cold]
#[inline(never)]
fn full_values<O: Elementwise>(to: &mut Line, a: &Line, b: &Line) {
    for lane in 0..LANES {
        to[lane] = O::value(a[lane], b[lane]).full();
    }
}

/// `to = op(a, b)` for an op that is so cheap that reading the operands is what takes time: a loop
/// for each kind of operands.
pub(crate) struct Cheap<'a, O> {
    to: &'a mut [Line],
    a: Lines<'a>,
    b: Lines<'a>,
    op: PhantomData<O>,
}

impl<'a, O: Elementwise> Cheap<'a, O> {
    #[inline(always)]
    pub fn new(to: &'a mut [Line], a: Lines<'a>, b: Lines<'a>) -> Self {
        Self { to, a, b, op: PhantomData }
    }
}

impl<O: Elementwise> Work for Cheap<'_, O> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let to = self.to.as_flattened_mut();
        let n = to.len();
        match (self.a.samples(n), self.b.samples(n)) {
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
}

/// `to = c + a·b`.
pub(crate) struct MultiplyAdd<'a> {
    pub to: &'a mut [Line],
    pub a: Lines<'a>,
    pub b: Lines<'a>,
    pub c: Lines<'a>,
}

impl Work for MultiplyAdd<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        use Samples::{All, Each};
        let to = self.to.as_flattened_mut();
        let n = to.len();
        let (a, b) = if self.a.is_uniform { (self.b, self.a) } else { (self.a, self.b) };
        match (a.samples(n), b.samples(n), self.c.samples(n)) {
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
}

/// A polynomial in `a`, its coefficients from the innermost to the outermost.
pub(crate) struct Polynomial<'a> {
    pub to: &'a mut [Line],
    pub a: Lines<'a>,
    pub coefficients: &'a [f64],
}

impl Work for Polynomial<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let a = self.a.at(line);
            let mut result = [self.coefficients[0]; LANES];
            for c in &self.coefficients[1..] {
                for lane in 0..LANES {
                    result[lane] = c + a[lane] * result[lane];
                }
            }
            *to = result;
        }
    }
}

/// The sines and cosines that are computed at once.
const AT_ONCE: usize = 16;

/// Sine and cosine of `a`.
pub(crate) struct SinCos<'a> {
    pub sine: &'a mut [Line],
    pub cosine: &'a mut [Line],
    pub a: Lines<'a>,
}

impl Work for SinCos<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, (sine, cosine)) in self.sine.iter_mut().zip(self.cosine).enumerate() {
            let (a, mut holds) = (self.a.at(line), true);
            // As many at once as there are registers for: what a line has more would go through the stack.
            let parts = sine.as_chunks_mut().0.iter_mut().zip(cosine.as_chunks_mut().0);
            for ((sine, cosine), a) in parts.zip(a.as_chunks().0) {
                let (mut results, a): (_, &[f64; AT_ONCE]) = ([[0.0; AT_ONCE]; 2], a);
                for lane in 0..AT_ONCE {
                    let ([s, c], holds_here) = elementary::fast::sin_cos(a[lane]);
                    [results[0][lane], results[1][lane]] = [s, c];
                    holds &= holds_here;
                }
                [*sine, *cosine] = results;
            }
            if !holds {
                for lane in 0..LANES {
                    [sine[lane], cosine[lane]] = elementary::sin_cos(a[lane]);
                }
            }
        }
    }
}

/// A power with n ≠ 0, by the multiplications of [`Op::PowInt`](crate::Op::PowInt) in their order.
pub(crate) struct Power<'a> {
    pub n: i32,
    pub to: &'a mut [Line],
    pub a: Lines<'a>,
}

impl Work for Power<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let (mut result, mut base, mut bits) = ([1.0; LANES], *self.a.at(line), self.n.unsigned_abs());
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
            if self.n < 0 {
                for result in &mut result {
                    *result = 1.0 / *result;
                }
            }
            *to = result;
        }
    }
}

/// The power with exponent 2, as a product of its own, since squares are everywhere.
pub(crate) struct Square<'a> {
    pub to: &'a mut [Line],
    pub a: Lines<'a>,
}

impl Work for Square<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (line, to) in self.to.iter_mut().enumerate() {
            let mut result = *self.a.at(line);
            for a in &mut result {
                *a *= *a;
            }
            *to = result;
        }
    }
}
