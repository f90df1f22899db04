//! `(eˣ − 1)/x`, `ln(1 + x)/x` and their slopes.
//!
//! Numerators and divisors are carried in two doubles, so a quotient is rounded once. The numerators of the
//! slopes cancel near 0, where forms without that take their place.

use super::exact::{fast_two_sum, power_of_two, product_in_two, quotient, two_product, two_sum};
use super::exponential::{NORMAL, exp_in_two, power_of_two_in};
use super::near_one::{expm1_in_two, ln_1p_in_two};

/// `(eˣ − 1)/x` and `ln(1 + x)/x` are 1 to the last bit up to here.
const ONE: f64 = power_of_two(-60);
/// `eˣ − 1` is −1 to 64 bits from here down.
const EXPM1_SATURATED: f64 = -45.0;
/// Up to here reciprocals are far from subnormal.
const LARGE: f64 = power_of_two(900);
/// Up to here squares do not overflow.
const SQUARE: f64 = 1e150;
/// Up to here `eˣ·x` does not overflow.
const PRODUCT: f64 = 700.0;
/// Beyond, `(eˣ − 1)/x` and its slope round to +∞.
const OVERFLOW: f64 = 717.0;

/// `x`, but no smaller than [`ONE`] in magnitude.
#[inline(always)]
fn not_tiny(x: f64) -> f64 {
    if x.abs() < ONE { ONE } else { x }
}

/// `value·2ⁿ` with one rounding, for an n from 1000 to 1100 in the low bits.
fn scaled_up(value: f64, n: u64) -> f64 {
    value * power_of_two_in(n.wrapping_sub(1000)) * power_of_two(1000)
}

/// `(eˣ − 1)/x`, which holds for x from −[`LARGE`] to [`NORMAL`].
#[inline(always)]
pub(super) fn exprel_fast(x: f64) -> (f64, bool) {
    let divisor = not_tiny(x);
    let (sum, rest) = expm1_in_two(if divisor < EXPM1_SATURATED { EXPM1_SATURATED } else { divisor });
    let (sum, rest) = fast_two_sum(sum, rest);
    let (quotient, rest) = quotient(sum, rest, divisor, 0.0);
    (quotient + rest, (-LARGE..=NORMAL).contains(&x))
}

/// `(eˣ − 1)/x` where it is −1/x or `eˣ/x`; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn exprel_fallback(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x < 0.0 {
        -1.0 / x
    } else if x > OVERFLOW {
        f64::INFINITY
    } else {
        let ((e, e_low), n) = exp_in_two(x, 0.0);
        let (quotient, rest) = quotient(e, e_low, x, 0.0);
        scaled_up(quotient + rest, n)
    }
}

/// The slope of `(eˣ − 1)/x` is a series up to here. Beyond, what its numerator loses is less than the two
/// doubles have to spare.
const EXPREL_SERIES: f64 = 0.5;

/// `(f(x) − ½ − x/3)/x²` for the slope f of `(eˣ − 1)/x` and |x| ≤ [`EXPREL_SERIES`].
///
/// Remez, relative error of the slope made of it below 2⁻⁵⁶.
#[inline(always)]
fn exprel_slope_rest(x: f64) -> f64 {
    const C: [f64; 11] = [
        0.12500000000000003,
        0.03333333333333377,
        0.006944444444443494,
        0.001190476190455778,
        0.00017361111112895432,
        2.2045855710819057e-05,
        2.4801585918255804e-06,
        2.5051864504686904e-07,
        2.296487083573397e-08,
        1.9354074267959618e-09,
        1.488447863388607e-10,
    ];
    let x2 = x * x;
    let x4 = x2 * x2;
    let low = (C[0] + x * C[1]) + x2 * (C[2] + x * C[3]);
    let middle = (C[4] + x * C[5]) + x2 * (C[6] + x * C[7]);
    let high = (C[8] + x * C[9]) + x2 * C[10];
    low + x4 * (middle + x4 * high)
}

/// `eˣ·(x − 1)`, given `eˣ` in two doubles.
#[inline(always)]
fn times_less_one(e: (f64, f64), x: f64) -> (f64, f64) {
    product_in_two(e, two_sum(x, -1.0))
}

/// `(eˣ(x − 1) + 1)/x²`, which holds for x from −[`SQUARE`] to [`PRODUCT`].
#[inline(always)]
pub(super) fn exprel_slope_fast(x: f64) -> (f64, bool) {
    const THIRD: (f64, f64) = (1.0 / 3.0, 1.850371707708594e-17);
    let (linear, linear_low) = product_in_two(THIRD, (x, 0.0));
    let (sum, error) = fast_two_sum(0.5, linear);
    let near = sum + (error + (linear_low + x * x * exprel_slope_rest(x)));

    let ((e, e_low), n) = exp_in_two(if x < -PRODUCT { -PRODUCT } else { x }, 0.0);
    let scale = power_of_two_in(n);
    let (product, product_low) = times_less_one((scale * e, scale * e_low), x);
    let (above, error) = two_sum(product, 1.0);
    let (below, below_low) = two_product(x, x);
    let (far, far_rest) = quotient(above, error + product_low, below, below_low);
    let value = if x.abs() < EXPREL_SERIES { near } else { far + far_rest };
    (value, (-SQUARE..=PRODUCT).contains(&x))
}

/// `(eˣ(x − 1) + 1)/x²` where it is `1/x²` or `eˣ(x − 1)/x²`; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn exprel_slope_fallback(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x > OVERFLOW {
        f64::INFINITY
    } else if x > 0.0 {
        let (e, n) = exp_in_two(x, 0.0);
        let (above, above_low) = times_less_one(e, x);
        let (below, below_low) = two_product(x, x);
        let (quotient, rest) = quotient(above, above_low, below, below_low);
        scaled_up(quotient + rest, n)
    } else {
        let (root, down) = scaled_down(-x);
        let (below, below_low) = two_product(root, root);
        let (quotient, rest) = quotient(1.0, 0.0, below, below_low);
        (quotient + rest) * down
    }
}

/// `x·2⁻⁴⁸⁰` and `2⁻⁹⁶⁰`, for x from [`SQUARE`] on; from 2⁶⁰⁰ on, where slopes round to 0, as if x were that.
fn scaled_down(x: f64) -> (f64, f64) {
    const NO_SLOPE: f64 = power_of_two(600);
    (x.min(NO_SLOPE) * power_of_two(-480), power_of_two(-960))
}

/// `ln(1 + x)/x`, which holds for x > −1 up to [`LARGE`].
#[inline(always)]
pub(super) fn log1prel_fast(x: f64) -> (f64, bool) {
    let divisor = not_tiny(x);
    let (sum, rest) = ln_1p_in_two(divisor);
    let (sum, rest) = fast_two_sum(sum, rest);
    let (quotient, rest) = quotient(sum, rest, divisor, 0.0);
    (quotient + rest, x > -1.0 && x <= LARGE)
}

/// `ln(1 + x)/x` for huge operands, +∞ (0), −1 (+∞), below it and NaN (NaN).
#[cold]
#[inline(never)]
pub(super) fn log1prel_fallback(x: f64) -> f64 {
    if x == f64::INFINITY {
        0.0
    } else if x > 0.0 {
        const DOWN: f64 = power_of_two(-200);
        let (sum, rest) = ln_1p_in_two(x);
        let (sum, rest) = fast_two_sum(sum, rest);
        let (quotient, rest) = quotient(sum, rest, x * DOWN, 0.0);
        (quotient + rest) * DOWN
    } else if x == -1.0 {
        f64::INFINITY
    } else {
        f64::NAN
    }
}

/// Between these, where `|x/(2 + x)| ≤ ¼`, the slope of `ln(1 + x)/x` is made of an inverse hyperbolic
/// tangent.
pub(super) const ARTANH: (f64, f64) = (-0.4, 0.6666666666666666);

/// `(artanh s/s − 1)/z` for `z = s²`, `|s| ≤ ¼`.
///
/// Remez, relative error of the slope made of it below 2⁻⁵⁹.
#[inline(always)]
pub(super) fn artanh_rest(z: f64) -> f64 {
    const C: [f64; 9] = [
        0.3333333333333334,
        0.1999999999999343,
        0.14285714287549975,
        0.11111110878170032,
        0.09090925074475699,
        0.07691665295439301,
        0.06682191981826592,
        0.056616594723590624,
        0.06934361683535087,
    ];
    let z2 = z * z;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let high = (C[4] + z * C[5]) + z2 * ((C[6] + z * C[7]) + z2 * C[8]);
    low + (z2 * z2) * high
}

/// `(x/(1 + x) − ln(1 + x))/x²`, which holds for x > −1 up to [`SQUARE`].
///
/// With `d = 2 + x`, `s = x/d` and `artanh s = s + s³Q(s²)`, `ln(1 + x)` is `2·artanh s` and the slope
/// `−(d² + 2x(1 + x)Q)/((1 + x)d³)`, where nothing cancels.
#[inline(always)]
pub(super) fn log1prel_slope_fast(x: f64) -> (f64, bool) {
    let u = two_sum(1.0, x);
    let d = two_sum(2.0, x);
    let square = product_in_two(d, d);
    let s = x / d.0;
    let (near, error) = fast_two_sum(square.0, 2.0 * x * u.0 * artanh_rest(s * s));
    let near = (-near, -(error + square.1));
    let near_below = product_in_two(square, product_in_two(d, u));

    let is_near = (ARTANH.0..=ARTANH.1).contains(&x);
    let far = difference(x, u);
    let (above, above_low) = if is_near { near } else { far };
    let (below, below_low) = if is_near { near_below } else { two_product(x, x) };
    let (quotient, rest) = quotient(above, above_low, below, below_low);
    (quotient + rest, x > -1.0 && x <= SQUARE)
}

/// `x/(1 + x) − ln(1 + x)` in two doubles, given `1 + x`.
#[inline(always)]
fn difference(x: f64, (u, u_low): (f64, f64)) -> (f64, f64) {
    let (ratio, ratio_low) = quotient(x, 0.0, u, u_low);
    let (ln, ln_low) = ln_1p_in_two(x);
    let (sum, error) = two_sum(ratio, -ln);
    two_sum(sum, error + (ratio_low - ln_low))
}

/// The slope of `ln(1 + x)/x` for huge operands, +∞ (0), −1 (−∞), below it and NaN (NaN).
#[cold]
#[inline(never)]
pub(super) fn log1prel_slope_fallback(x: f64) -> f64 {
    if x > 0.0 {
        let (root, down) = scaled_down(x);
        let (ln, ln_low) = ln_1p_in_two(x.min(f64::MAX));
        let (above, error) = fast_two_sum(-ln, 1.0);
        let (below, below_low) = two_product(root, root);
        let (quotient, rest) = quotient(above, error - ln_low, below, below_low);
        // Zeros are positive.
        (quotient + rest) * down + 0.0
    } else if x == -1.0 {
        f64::NEG_INFINITY
    } else {
        f64::NAN
    }
}
