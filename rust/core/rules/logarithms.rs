//! Sums of logarithms and logarithms of sums: `x·ln y` and `ln Σeˣ`.

use super::{hypot_of, is_full, is_normal, times_exp};
use crate::elementary;
use crate::scaled::Scaled;

/// `x·ln y`: `ḡ·ln y` to `x`, `ḡ·x/y` to `y`.
#[inline(always)]
pub(crate) fn xlogy(g: f64, x: f64, y: f64) -> ([f64; 2], bool) {
    let (log, holds) = elementary::fast::ln(y);
    let ratio = x / y;
    ([g * log, g * ratio], holds & is_full(ratio, x))
}

#[cold]
pub(crate) fn xlogy_slow(g: f64, x: f64, y: f64) -> [f64; 2] {
    let to_y = if x == 0.0 {
        g * 0.0 // constant in y, also where y is 0 or +∞
    } else if g.is_finite() && x.is_finite() && y.is_finite() && y != 0.0 {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(y)).to_f64()
    } else {
        g * (x / y)
    };
    [g * elementary::ln(y), to_y]
}

/// Bounded: `ḡ·ln y` to `x`, `ḡ·x·recip(y)` to `y`. A double's logarithm is at most 745.
#[inline(always)]
pub(crate) fn bounded_xlogy(g: f64, x: f64, y: f64, b: f64) -> ([f64; 2], bool) {
    let (log, holds) = elementary::fast::ln(y);
    let (h, full) = hypot_of(y, b);
    let ratio = x / h;
    ([g * log, g * ratio], holds & full & is_full(ratio, x))
}

#[cold]
pub(crate) fn bounded_xlogy_slow(g: f64, x: f64, y: f64, b: f64) -> [f64; 2] {
    let to_y = if y == 0.0 || !y.is_finite() {
        g * 0.0 * x
    } else if g.is_finite() && x.is_finite() {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(y).hypot(b)).to_f64()
    } else {
        g * x
    };
    [g * elementary::ln(y), to_y]
}

/// The largest of some values: Φ if one is, −∞ of nothing.
pub(crate) fn largest(values: impl Iterator<Item = f64>) -> f64 {
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
fn exp_difference(x: f64, m: f64) -> (f64, bool) {
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
pub(crate) fn sum_beside(values: impl Iterator<Item = f64>, m: f64) -> f64 {
    let step = |(sum, found), x| match add_beside(m, (sum, found), x, true) {
        (next, true) => next,
        ((_, found), false) => (sum + elementary::exp(x - m), found),
    };
    values.fold((0.0, false), step).0
}

/// What the shares of `ln Σeˣ` have in common: `[m, Σe^(x−m)]`, m the largest input; beside +∞ `[+∞, how
/// many]`.
pub(crate) fn softmax_shared(inputs: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let largest = largest(inputs.clone());
    let sum = match largest.is_finite() {
        true => 1.0 + sum_beside(inputs, largest),
        false => inputs.filter(|&x| x == largest).count() as f64,
    };
    [largest, sum]
}

/// `ln Σeˣ`: `ḡ·e^(x−m)/Σe^(x−m)`. The value would not do in the place of `m` and the sum: rounded, it has
/// lost digits that matter in an exponent.
#[inline(always)]
pub(crate) fn softmax(g: f64, x: f64, [m, sum]: [f64; 2]) -> (f64, bool) {
    let (power, full) = exp_difference(x, m);
    let share = power / sum;
    (g * share, full & is_normal(share))
}

#[cold]
pub(crate) fn softmax_slow(g: f64, x: f64, [m, sum]: [f64; 2]) -> f64 {
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
