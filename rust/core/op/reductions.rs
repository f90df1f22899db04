//! Sum, mean and logsumexp of any number of inputs.

use super::facts::Read::A;
use super::facts::{Facts, Notation};
use super::form::{Fast, Form, exact, guarded};
use super::kinds::Variadic;
use super::range::{is_normal, times_exp};
use crate::elementary;
use crate::scaled::Scaled;

/// The sum.
pub(crate) struct Sum;

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
pub(crate) struct Mean;

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

/// `ln Σeˣ`.
pub(crate) struct Logsumexp;

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
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(f64::NEG_INFINITY, |largest, x| if x > largest || x.is_nan() { x } else { largest })
}

/// `d = x − m` for x ≤ m, and what rounding took from it (Knuth).
#[inline(always)]
fn difference(x: f64, m: f64) -> (f64, f64) {
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
pub(crate) fn add_beside(m: f64, (sum, found): (f64, bool), x: f64, kept: bool) -> ((f64, bool), bool) {
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
