//! Sum, mean, product, extrema and logsumexp of any number of inputs.

use super::facts::Read::{A, Z};
use super::facts::{Facts, Notation};
use super::form::{Fast, Form, exact, guarded};
use super::kinds::Variadic;
use super::order::{larger, smaller};
use super::range::{is_full, is_normal, times_exp};
use crate::elementary;
use crate::scaled::Scaled;

/// The sum.
pub struct Sum;

impl Variadic for Sum {
    const FACTS: Facts = Facts {
        domain: "all inputs",
        units: None,
        partials: "ḡ",
        reason: "The inputs are added in order by the table of +. The empty sum is 0.",
        notation: Notation::Call("Σ"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        kept.reduce(|sum, x| sum + x).unwrap_or(0.0)
    }

    #[inline(always)]
    fn shared(_kept: impl Iterator<Item = f64> + Clone, _z: f64) -> [f64; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn share(g: f64, _x: f64, _shared: [f64; 2]) -> impl Form<f64> {
        exact(g)
    }
}

/// The mean.
pub struct Mean;

impl Variadic for Mean {
    const FACTS: Facts = Facts {
        domain: "at least one input",
        units: None,
        partials: "ḡ ÷ the number of inputs kept",
        reason: "The sum divided by the number of inputs kept, so the mean of nothing is 0 ÷ 0.",
        notation: Notation::Call("mean"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        let (mut sum, mut count) = (0.0, 0u64);
        for value in kept {
            sum = if count == 0 { value } else { sum + value };
            count += 1;
        }
        sum / count as f64
    }

    /// The number of inputs kept.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, _z: f64) -> [f64; 2] {
        [kept.count() as f64, 0.0]
    }

    #[inline(always)]
    fn share(g: f64, _x: f64, [count, _]: [f64; 2]) -> impl Form<f64> {
        exact(g / count)
    }
}

/// The largest input.
pub struct Max;

impl Variadic for Max {
    const FACTS: Facts = Facts {
        domain: "at least one input",
        units: None,
        partials: "ḡ ÷ k to each of the k largest inputs, 0 to the others",
        reason: "The transreal order, with Φ absorbing. Ties share the gradient, as in maximum. Nothing has \
                 no largest value: Φ.",
        notation: Notation::Call("max"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| ties(operands, larger)),
        reads: &[A, Z],
        propagates: &[],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        kept.reduce(larger).unwrap_or(f64::NAN)
    }

    /// The value, and how many inputs have it.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
        [z, kept.filter(|&x| x == z).count() as f64]
    }

    #[inline(always)]
    fn share(g: f64, x: f64, [z, count]: [f64; 2]) -> impl Form<f64> {
        exact(if x == z { g / count } else { g * 0.0 })
    }
}

/// The smallest input.
pub struct Min;

impl Variadic for Min {
    const FACTS: Facts = Facts {
        domain: "at least one input",
        units: None,
        partials: "ḡ ÷ k to each of the k smallest inputs, 0 to the others",
        reason: "The transreal order, with Φ absorbing. Ties share the gradient, as in minimum. Nothing has \
                 no smallest value: Φ.",
        notation: Notation::Call("min"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| ties(operands, smaller)),
        reads: &[A, Z],
        propagates: &[],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        kept.reduce(smaller).unwrap_or(f64::NAN)
    }

    /// The value, and how many inputs have it.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
        [z, kept.filter(|&x| x == z).count() as f64]
    }

    #[inline(always)]
    fn share(g: f64, x: f64, [z, count]: [f64; 2]) -> impl Form<f64> {
        exact(if x == z { g / count } else { g * 0.0 })
    }
}

/// Whether several operands are the extreme one.
fn ties(operands: &[f64], extreme: fn(f64, f64) -> f64) -> bool {
    let z = operands.iter().copied().reduce(extreme);
    operands.iter().filter(|&&x| Some(x) == z).count() > 1
}

/// The product.
pub struct Prod;

impl Variadic for Prod {
    const FACTS: Facts = Facts {
        domain: "all inputs",
        units: None,
        partials: "ḡ times the product of the other inputs",
        reason: "The inputs are multiplied in order by the table of ×. The empty product is 1. The partials \
                 are right beside zeros, and where the product leaves the range of a double.",
        notation: Notation::Call("Π"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };

    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        kept.reduce(|product, x| product * x).unwrap_or(1.0)
    }

    /// `[p, 0]` with the product p of the inputs, if each is a finite number but 0 and p is normal. Else
    /// `[m, e + q/8]`, m·2ᵉ the product of those that are, and q says what else there is.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, _z: f64) -> [f64; 2] {
        let (mut product, mut zeros, mut infinite) = (Scaled::new(1.0), 0u32, 0u32);
        for x in kept {
            if x == 0.0 {
                zeros += 1;
            } else if !x.is_finite() {
                infinite += 1;
                product = product.mul(Scaled::new(1f64.copysign(x)));
            } else {
                product = product.mul(Scaled::new(x));
            }
        }
        let others = match (zeros, infinite) {
            (0, 0) => 0.0,
            (1, 0) => ONE_ZERO,
            (_, 0) => ZEROS,
            (_, 1) => ONE_INFINITE,
            _ => INFINITE,
        };
        let whole = product.to_f64();
        if others == 0.0 && is_normal(whole) {
            return [whole, 0.0];
        }
        let (mantissa, exponent) = product.parts();
        [mantissa, exponent as f64 + others]
    }

    #[inline(always)]
    fn share(g: f64, x: f64, [product, code]: [f64; 2]) -> impl Form<f64> {
        let rest = product / x;
        guarded((g * rest, (code == 0.0) & is_full(rest, product)), move || {
            rest_of_product(g, x, [product, code])
        })
    }
}

/// What a product has besides finite factors other than 0, in eighths behind the exponent.
const ONE_ZERO: f64 = 0.125;
const ZEROS: f64 = 0.25;
const ONE_INFINITE: f64 = 0.375;
const INFINITE: f64 = 0.5;

/// `ḡ` times the product of the inputs other than `x`.
#[cold]
fn rest_of_product(g: f64, x: f64, [product, code]: [f64; 2]) -> f64 {
    let exponent = code.floor();
    let others = code - exponent;
    let is_only_one = if x == 0.0 { others == ONE_ZERO } else { x.is_infinite() && others == ONE_INFINITE };
    if others == ONE_INFINITE || others == INFINITE {
        if !is_only_one {
            return g * f64::INFINITY; // an infinite factor is among the others
        }
    } else if others != 0.0 && !is_only_one {
        return g * 0.0; // a zero is
    }
    if !g.is_finite() {
        return g * product;
    }
    if others == 0.0 && !x.is_finite() {
        return g * x; // of an input that is not kept
    }
    let whole = Scaled::new(g).mul(Scaled::new(product)).shifted(exponent as i64);
    match others {
        0.0 => whole.div(Scaled::new(x)).to_f64(),
        ONE_INFINITE => whole.mul(Scaled::new(1f64.copysign(x))).to_f64(),
        _ => whole.to_f64(),
    }
}

/// `ln Σeˣ`.
pub struct Logsumexp;

impl Variadic for Logsumexp {
    const FACTS: Facts = Facts {
        domain: "at least one input",
        units: None,
        partials: "ḡ·eˣ ÷ Σeˣ",
        reason: "Worked out as m + ln Σe^(x−m) with m the largest input, so it overflows only with its \
                 value. −∞ adds nothing and gets 0; of nothing but −∞, or of nothing at all, it is −∞, the \
                 zero of this addition, as in NumPy and SciPy. Of inputs +∞ only a single one has a \
                 direction.",
        notation: Notation::Call("logsumexp"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };

    /// `m + ln(1 + Σ′)`, m the largest value and Σ′ the sum of `e^(x−m)` over the others; −∞ of nothing.
    #[inline(always)]
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64 {
        let largest = largest(kept.clone());
        if largest.is_finite() { largest + elementary::ln_1p(sum_beside(kept, largest)) } else { largest }
    }

    /// `[m, Σe^(x−m)]`, m the largest input; beside +∞ `[+∞, how many]`. The value would not do in the
    /// place of `m` and the sum: rounded, it has lost digits that matter in an exponent.
    #[inline(always)]
    fn shared(kept: impl Iterator<Item = f64> + Clone, _z: f64) -> [f64; 2] {
        let largest = largest(kept.clone());
        let sum = match largest.is_finite() {
            true => 1.0 + sum_beside(kept, largest),
            false => kept.filter(|&x| x == largest).count() as f64,
        };
        [largest, sum]
    }

    #[inline(always)]
    fn share(g: f64, x: f64, [m, sum]: [f64; 2]) -> impl Form<f64> {
        let (power, full) = exp_difference(x, m);
        let share = power / sum;
        guarded((g * share, full & is_normal(share)), move || softmax_fallback(g, x, [m, sum]))
    }
}

#[cold]
fn softmax_fallback(g: f64, x: f64, [m, sum]: [f64; 2]) -> f64 {
    if x == f64::INFINITY {
        return if sum == 1.0 { g } else { f64::NAN };
    }
    if !m.is_finite() || !x.is_finite() || !g.is_finite() {
        return g * 0.0;
    }
    let (d, rest) = difference(x, m);
    let rest = if d.is_finite() { rest } else { 0.0 };
    times_exp(Scaled::new(g).mul(Scaled::new(1.0 + rest)).div(Scaled::new(sum)), d)
}

/// The largest of some values: Φ if one is, −∞ of nothing.
pub(super) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, |largest, x| if x > largest || x.is_nan() { x } else { largest })
}

/// `d = x − m` for x ≤ m, and what rounding took from it (Knuth).
#[inline(always)]
pub(super) fn difference(x: f64, m: f64) -> (f64, f64) {
    let d = x - m;
    let back = d - x;
    (d, (x - (d - back)) + (-m - back))
}

/// `e^(x−m)` for x ≤ m, m REAL, and whether it kept full precision.
#[inline(always)]
fn exp_difference(x: f64, m: f64) -> Fast<f64> {
    let (d, rest) = difference(x, m);
    let (power, holds) = elementary::fast::exp(d);
    (power + power * rest, holds & is_normal(power))
}

/// One step of `Σe^(x−m)` over all values but the first that is m, without a branch: the sum so far and
/// whether that m has come by, and then whether the step holds.
#[inline(always)]
pub fn add_beside(m: f64, (sum, found): (f64, bool), x: f64, kept: bool) -> ((f64, bool), bool) {
    let (power, holds) = exp_difference(x, m);
    let is_first = (x == m) & !found;
    let counts = kept & !is_first;
    let term = if counts { power } else { 0.0 }; // +0 changes no sum that began with +0
    ((sum + term, found | (kept & is_first)), holds | !counts)
}

/// `Σe^(x−m)` over all values but the first that is m.
fn sum_beside(values: impl Iterator<Item = f64>, m: f64) -> f64 {
    let step = |(sum, found), x| match add_beside(m, (sum, found), x, true) {
        (next, true) => next,
        ((_, found), false) => (sum + elementary::exp(x - m), found),
    };
    values.fold((0.0, false), step).0
}
