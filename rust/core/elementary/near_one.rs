//! `eˣ − 1`, `ln(1 + x)`, the logistic function and its integral: what loses its digits when it is put
//! together from `eˣ` and `ln x`.

use super::exact::{fast_two_sum, quotient, two_sum};
use super::exponential::{NORMAL, Parts, exp_fallback, exp_fast, one_plus, parts};
use super::logarithm;

const SIGN: u64 = 1 << 63;
/// `eˣ − 1` is −1 to the last bit from here down.
const EXPM1_SATURATED: f64 = -40.0;
/// From here down `softplus` is `eˣ`; above, the terms of its sums are far from subnormal.
const SOFTPLUS_IS_EXP: f64 = -600.0;

/// `|value|` with the sign of `x`.
#[inline(always)]
pub(super) fn with_sign(value: f64, x: f64) -> f64 {
    f64::from_bits((value.to_bits() & !SIGN) | (x.to_bits() & SIGN))
}

/// `eˣ − 1 = (scale − 1) + scale·(p + p_low)`, which holds up to [`NORMAL`].
#[inline(always)]
pub(super) fn expm1_fast(x: f64) -> (f64, bool) {
    let (sum, rest) = expm1_in_two(if x < EXPM1_SATURATED { EXPM1_SATURATED } else { x });
    (with_sign(sum + rest, x), x <= NORMAL)
}

/// `eˣ − 1` as a large and a small term, for |x| ≤ [`NORMAL`].
#[inline(always)]
pub(super) fn expm1_in_two(x: f64) -> (f64, f64) {
    let Parts { scale, p, p_low } = parts(x);
    // Near 0 the first term is 0, elsewhere at least twice the second.
    let (first, first_low) = two_sum(scale, -1.0);
    let (sum, error) = fast_two_sum(first, scale * p);
    (sum, error + (first_low + scale * p_low))
}

/// `eˣ − 1` where it is `eˣ` and may overflow; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn expm1_fallback(x: f64) -> f64 {
    exp_fallback(x)
}

/// `ln(1 + x)`, which holds for finite x > −1.
///
/// `1 + x = u + c` without error and `ln(u + c) = ln u + c/u`, since c is below half an ulp of u; only near 1
/// the mantissa and c are put together again.
#[inline(always)]
pub(super) fn ln_1p_fast(x: f64) -> (f64, bool) {
    let (sum, rest) = ln_1p_in_two(x);
    (with_sign(sum + rest, x), x > -1.0 && x <= f64::MAX)
}

/// `ln(1 + x)` as a large and a small term, for finite x > −1.
#[inline(always)]
pub(super) fn ln_1p_in_two(x: f64) -> (f64, f64) {
    let (u, c) = two_sum(1.0, x);
    let (k, f) = logarithm::split(u, 0);
    let (f, low) = if k == 0.0 { (x, 0.0) } else { (f, c / u) };
    logarithm::parts(k, f, low)
}

/// `ln(1 + x)` for −1 (−∞), below it (NaN), +∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn ln_1p_fallback(x: f64) -> f64 {
    if x == -1.0 {
        f64::NEG_INFINITY
    } else if x == f64::INFINITY {
        x
    } else {
        f64::NAN
    }
}

/// `1/(1 + e⁻ˣ)`, which holds where it is a normal double.
///
/// With `e = e^(−|x|)` it is `1/(1 + e)` for x ≥ 0 and `e/(1 + e)` below. The power of two in the second
/// numerator is applied last, when it loses nothing.
#[inline(always)]
pub(super) fn sigmoid_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let Parts { scale, p, p_low } = parts(-if magnitude < NORMAL { magnitude } else { NORMAL });
    let (below, below_low) = one_plus(scale, scale * p, scale * p_low);
    let (e, e_low) = fast_two_sum(1.0, p);
    let (above, above_low, scale) = if x < 0.0 { (e, e_low + p_low, scale) } else { (1.0, 0.0, 1.0) };
    let (quotient, rest) = quotient(above, above_low, below, below_low);
    (scale * (quotient + rest), x >= -NORMAL)
}

/// `1/(1 + e⁻ˣ)` where it is `eˣ` and may underflow; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn sigmoid_fallback(x: f64) -> f64 {
    exp_fallback(x)
}

/// `ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|))`, which holds for finite x ≥ [`SOFTPLUS_IS_EXP`].
#[inline(always)]
pub(super) fn softplus_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let bounded = if magnitude < -SOFTPLUS_IS_EXP { magnitude } else { -SOFTPLUS_IS_EXP };
    let Parts { scale, p, p_low } = parts(-bounded);
    let (e, e_low) = fast_two_sum(scale, scale * p);
    let (e, e_low) = fast_two_sum(e, e_low + scale * p_low);
    let (u, error) = fast_two_sum(1.0, e);
    let (u, c) = fast_two_sum(u, error + e_low);
    let (k, f) = logarithm::split(u, 0);
    // As for ln(1 + x), with e in two doubles.
    let (f, low) = if k == 0.0 { (e, e_low) } else { (f, c) };
    let (sum, rest) = logarithm::parts(k, f, low / u);
    let (value, error) = two_sum(if x > 0.0 { x } else { 0.0 }, sum);
    (value + (error + rest), (SOFTPLUS_IS_EXP..=f64::MAX).contains(&x))
}

/// `ln(1 + eˣ)` where it is `eˣ`, and for +∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn softplus_fallback(x: f64) -> f64 {
    if x == f64::INFINITY {
        return x;
    }
    let (value, holds) = exp_fast(x);
    if holds { value } else { exp_fallback(x) }
}
