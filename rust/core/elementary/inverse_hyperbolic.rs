//! `asinh x`, `acosh x` and `atanh x`.
//!
//! The first two are logarithms of `|x| + √(x² ± 1)`, which, or near 1 the same less 1, is carried in two
//! doubles. The last one is reduced by multiples of `ln 2/2`, which takes no logarithm.

use super::exact::{fast_two_sum, from_integer, power_of_two, quotient, two_product, two_sum};
use super::exponential::{LN_2_HIGH, LN_2_LOW};
use super::logarithm;
use super::trigonometric::SIGN;

/// Up to here squares do not overflow; beyond, both functions are `ln 2x`.
const LARGE: f64 = power_of_two(500);
/// Below this `√(1 + x²) − 1` is `x²/2`.
const TINY: f64 = power_of_two(-20);

/// `ln(sum + delta/(2·root))`, where `less_1` is the sum less 1. Both sums have two doubles, the root is part
/// of them, and delta is what its square lacks.
#[inline(always)]
fn ln_of(sum: (f64, f64), less_1: (f64, f64), root: f64, delta: f64) -> f64 {
    let (k, f) = logarithm::split(sum.0, 0);
    let (f, error) = if k == 0.0 { less_1 } else { (f, sum.1) };
    let doubled = root + root;
    // The root may be 0, and delta with it: the divisor must not be.
    let low = (doubled * error + delta) / (doubled * sum.0 + f64::MIN_POSITIVE);
    let (sum, rest) = logarithm::parts(k, f, low);
    sum + rest
}

/// `ln 2x` for normal x.
fn ln_of_twice(x: f64) -> f64 {
    let (k, f) = logarithm::split(x, 0);
    let (sum, rest) = logarithm::parts(k + 1.0, f, 0.0);
    sum + rest
}

/// The root of a sum in two doubles, and what its square lacks.
#[inline(always)]
fn root(sum: f64, sum_low: f64) -> (f64, f64) {
    let root = sum.sqrt();
    let (square, error) = two_product(root, root);
    (root, ((sum - square) - error) + sum_low)
}

/// `asinh x`, which holds for |x| ≤ [`LARGE`].
#[inline(always)]
pub(super) fn asinh_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let (square, square_low) = two_product(magnitude, magnitude);
    let (sum, error) = two_sum(1.0, square);
    let (root, delta) = root(sum, error + square_low);
    let (rise, delta) = if magnitude < TINY { (0.5 * square, 0.0) } else { (root - 1.0, delta) };
    let value = ln_of(fast_two_sum(root, magnitude), fast_two_sum(magnitude, rise), root, delta);
    (f64::from_bits(value.to_bits() | (x.to_bits() & SIGN)), magnitude <= LARGE)
}

/// `asinh x` for huge operands, ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn asinh_fallback(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x.is_infinite() {
        x
    } else {
        ln_of_twice(x.abs()).copysign(x)
    }
}

/// `acosh x`, which holds from 1 to [`LARGE`].
#[inline(always)]
pub(super) fn acosh_fast(x: f64) -> (f64, bool) {
    // Exact as long as the 1 counts.
    let less_1 = x - 1.0;
    let (more, more_low) = fast_two_sum(x, 1.0);
    let (square, square_low) = two_product(less_1, more);
    let (root, delta) = root(square, square_low + less_1 * more_low);
    let value = ln_of(fast_two_sum(x, root), fast_two_sum(root, less_1), root, delta);
    (value, (1.0..=LARGE).contains(&x))
}

/// `acosh x` for huge operands and +∞; NaN below 1 and for NaN.
#[cold]
#[inline(never)]
pub(super) fn acosh_fallback(x: f64) -> f64 {
    if x == f64::INFINITY {
        x
    } else if x > 1.0 {
        ln_of_twice(x)
    } else {
        f64::NAN
    }
}

/// `(atanh s/s − 1)/z` for `z = s²`, `|s| ≤ 0.2004`.
///
/// Remez, relative error of the `atanh` made of it below 2⁻⁶¹.
#[inline(always)]
fn atanh_rest(z: f64) -> f64 {
    const C: [f64; 8] = [
        0.333333333333333,
        0.20000000000028662,
        0.14285714277837386,
        0.1111111215684179,
        0.0909083242426616,
        0.07695572722696656,
        0.06586518076616929,
        0.06923427468735481,
    ];
    let z2 = z * z;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let high = (C[4] + z * C[5]) + z2 * (C[6] + z * C[7]);
    low + (z2 * z2) * high
}

/// `atanh x`, which holds for |x| < 1.
///
/// `atanh |x| = k·ln 2/2 + atanh s` with `s = (1 + |x| − 2ᵏ(1 − |x|))/(1 + |x| + 2ᵏ(1 − |x|))`. The bits of a
/// double, read as an integer, are its logarithm to base 2 up to 0.086, so their difference for `1 ± |x|`
/// gives a k with |s| ≤ tanh(0.586·ln 2/2).
#[inline(always)]
pub(super) fn atanh_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let (more, more_low) = fast_two_sum(1.0, magnitude);
    let (less, less_low) = fast_two_sum(1.0, -magnitude);
    let whole = more.to_bits().wrapping_sub(less.to_bits()).wrapping_add(1 << 51) >> 52;
    let k = from_integer(whole);
    let power = f64::from_bits(whole.wrapping_add(1023) << 52);

    let (less, less_low) = (power * less, power * less_low);
    let (above, above_error) = two_sum(more, -less);
    let (below, below_error) = two_sum(more, less);
    let (s, rest) =
        quotient(above, above_error + (more_low - less_low), below, below_error + (more_low + less_low));
    let (s, s_low) = if k == 0.0 { (magnitude, 0.0) } else { fast_two_sum(s, rest) };

    let z = s * s;
    let (sum, error) = fast_two_sum(k * (0.5 * LN_2_HIGH), s);
    let value = sum + (error + (k * (0.5 * LN_2_LOW) + (s_low + s * z * atanh_rest(z))));
    (f64::from_bits(value.to_bits() | (x.to_bits() & SIGN)), magnitude < 1.0)
}

/// `atanh x` for ±1 (±∞), beyond (NaN) and NaN.
#[cold]
#[inline(never)]
pub(super) fn atanh_fallback(x: f64) -> f64 {
    if x.abs() == 1.0 { f64::INFINITY.copysign(x) } else { f64::NAN }
}
