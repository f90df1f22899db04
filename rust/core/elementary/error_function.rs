//! `erf x`, `erfc x` and their slope `2/√π·e^(−x²)`.
//!
//! Near 0 `erf` is an odd polynomial. Beyond, `erfc y = e^(−y²)/(√π·y + h(y))`, where `h` falls from 0.76
//! to 0: the terms of the divisor are positive, and of `h` only its distance from a constant, at most 8 %
//! of the divisor, is rounded. Squares, divisors and powers of e are carried in two doubles.

use super::exact::{fast_two_sum, half_square, product_in_two, quotient, two_sum};
use super::exponential::{exp_in_two, power_of_two_in, scaled_once};
use super::half_turns::{TINY, tiny_times};
use super::near_one::with_sign;

/// 2/√π in two doubles.
const SLOPE_AT_0: (f64, f64) = (std::f64::consts::FRAC_2_SQRT_PI, 1.533545961316588e-17);
const SQRT_PI: (f64, f64) = (1.772453850905516, -7.666586499825799e-17);
/// Here `h` is close to the middle of what counts beside the divisor.
const CENTRE: f64 = 0.7187500000109099;
const OFFSET: f64 = 2.5;
/// `h(CENTRE)` in two doubles.
const H_AT_CENTRE: (f64, f64) = (0.6540704670867211, -2.067747689797407e-17);
/// Up to here the polynomial, beyond it the quotient.
const NEAR: f64 = 0.46875;
/// `erf` is 1 to the last bit from 5.93 on.
const ERF_SATURATED: f64 = 6.5;
/// Up to here `erfc` is so far above the subnormals that its low parts are normal.
const ERFC_NORMAL: f64 = 26.0;
/// Beyond, `erfc` and the slope round to 0.
const UNDERFLOW: f64 = 27.3;
/// Up to here the slope is normal.
const SLOPE_NORMAL: f64 = 26.5;

/// `(erf y/(2y/√π) − 1)/w` for `w = y²`, y up to [`NEAR`].
///
/// Remez, relative error of the `erf` made of it below 2⁻⁵⁹.
#[inline(always)]
fn near_rest(w: f64) -> f64 {
    const C: [f64; 9] = [
        -0.3333333333333333,
        0.09999999999999812,
        -0.023809523809419843,
        0.004629629626809906,
        -0.0007575757142934145,
        0.00010683720522152386,
        -1.3225213466787965e-05,
        1.450952123753147e-06,
        -1.296470218758105e-07,
    ];
    let w2 = w * w;
    let low = (C[0] + w * C[1]) + w2 * (C[2] + w * C[3]);
    let high = (C[4] + w * C[5]) + w2 * ((C[6] + w * C[7]) + w2 * C[8]);
    low + (w2 * w2) * high
}

/// `erf y` in two doubles, for y up to [`NEAR`], from its first term and `w = y²`.
#[inline(always)]
pub(super) fn near((first, first_low): (f64, f64), w: f64) -> (f64, f64) {
    let (sum, error) = fast_two_sum(first, first * (w * near_rest(w)));
    (sum, error + first_low)
}

/// `h(y) − h(CENTRE)` for y from [`NEAR`], as a polynomial of `t = (y − CENTRE)/(y + OFFSET)`.
///
/// Remez; the divisor made of it has a relative error below 2⁻⁵⁹.
#[inline(always)]
pub(super) fn h_beyond_centre(t: f64) -> f64 {
    const C: [f64; 24] = [
        -1.1249457902399698,
        0.376537073988027,
        0.33389719784947525,
        -0.1625045148996861,
        -0.2150782823399353,
        0.053334023689405055,
        0.1533693747563683,
        0.011551838238275328,
        -0.09893945486471699,
        -0.043053076858777135,
        0.0505176859537317,
        0.04859128532928161,
        -0.017588217568509236,
        -0.020787166155471784,
        -0.06782782636445107,
        0.1863827563201964,
        -0.3119753187759262,
        0.4741984637937409,
        -0.547101882013266,
        0.42787526735009895,
        -0.2194363082512399,
        0.07105286226499774,
        -0.013217738001986189,
        0.0010772797136121416,
    ];
    let t2 = t * t;
    let t4 = t2 * t2;
    let t8 = t4 * t4;
    let four = |i: usize| (C[i] + t * C[i + 1]) + t2 * (C[i + 2] + t * C[i + 3]);
    let eight = |i: usize| four(i) + t4 * four(i + 4);
    t * (eight(0) + t8 * (eight(8) + t8 * eight(16)))
}

/// `(erfc y + rest)·2⁻ⁿ` for y from [`NEAR`] to [`UNDERFLOW`], and n in the low bits.
#[inline(always)]
fn far(y: f64) -> ((f64, f64), u64) {
    let (half, half_low) = half_square(y);
    let ((e, e_low), n) = exp_in_two(-2.0 * half, -2.0 * half_low);
    let (linear, linear_low) = product_in_two(SQRT_PI, (y, 0.0));
    let (sum, first) = two_sum(linear, H_AT_CENTRE.0);
    let (divisor, second) = fast_two_sum(sum, h_beyond_centre((y - CENTRE) / (y + OFFSET)));
    (quotient(e, e_low, divisor, (first + second) + (linear_low + H_AT_CENTRE.1)), n)
}

/// `erf x`, which holds for 0 and |x| ≥ [`TINY`].
#[inline(always)]
pub(super) fn erf_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let y = if magnitude < ERF_SATURATED { magnitude } else { ERF_SATURATED };
    let (near, near_low) = near(product_in_two(SLOPE_AT_0, (y, 0.0)), y * y);
    let ((erfc, rest), n) = far(y);
    let scale = power_of_two_in(n);
    let (far, error) = fast_two_sum(1.0, -(scale * erfc));
    let value = if y < NEAR { near + near_low } else { far + (error - scale * rest) };
    (with_sign(value, x), (magnitude == 0.0) | (magnitude >= TINY))
}

/// `erf x` for tiny operands and NaN.
#[cold]
#[inline(never)]
pub(super) fn erf_fallback(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { tiny_times(x, SLOPE_AT_0.0, SLOPE_AT_0.1) }
}

/// `erfc x`, which holds for x up to [`ERFC_NORMAL`] and −∞.
///
/// `1 − erf x` near 0, and to the left of it `2 − erfc |x|`.
#[inline(always)]
pub(super) fn erfc_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let y = if magnitude < ERFC_NORMAL { magnitude } else { ERFC_NORMAL };
    let (near, near_low) = near(product_in_two(SLOPE_AT_0, (y, 0.0)), y * y);
    let ((erfc, rest), n) = far(y);
    let scale = power_of_two_in(n);

    let left = x < 0.0;
    let is_near = y < NEAR;
    let base = if is_near {
        1.0
    } else if left {
        2.0
    } else {
        0.0
    };
    let (term, low) = if is_near { (near, near_low) } else { (scale * erfc, scale * rest) };
    let sign = if is_near == left { 1.0 } else { -1.0 };
    let (sum, error) = fast_two_sum(base, sign * term);
    (sum + (error + sign * low), x <= ERFC_NORMAL)
}

/// `erfc x` where it is close to the subnormals or below; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn erfc_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x > UNDERFLOW {
        return 0.0;
    }
    let ((erfc, rest), n) = far(x);
    scaled_once(erfc + rest, n, false)
}

/// `2/√π·e^(−x²)` as a value in [0.7, 1.7] and the n of the power of two, in the low bits.
#[inline(always)]
fn slope(x: f64) -> (f64, u64) {
    let (half, half_low) = half_square(x);
    let (e, n) = exp_in_two(-2.0 * half, -2.0 * half_low);
    let (product, error) = product_in_two(SLOPE_AT_0, e);
    (product + error, n)
}

/// `2/√π·e^(−x²)`, which holds for |x| up to [`SLOPE_NORMAL`].
#[inline(always)]
pub(super) fn erf_slope_fast(x: f64) -> (f64, bool) {
    let (value, n) = slope(x);
    (f64::from_bits(value.to_bits().wrapping_add(n << 52)), x.abs() <= SLOPE_NORMAL)
}

/// `2/√π·e^(−x²)` where it is close to the subnormals or below; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn erf_slope_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.abs() > UNDERFLOW {
        return 0.0;
    }
    let (value, n) = slope(x);
    scaled_once(value, n, false)
}
