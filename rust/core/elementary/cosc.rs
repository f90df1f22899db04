//! `cosc x = (1 − cos x)/x²` and its slope.
//!
//! With `u = x/2` and `s = sin u/u`, `cosc x = s²/2` and its slope is `s·e/x`, `e = cos u − s`. Both are as
//! good as `s` and `e`. The latter cancels near 0, where the slope is a series, and where `tan u = u`: sine
//! and cosine are known so closely that little is lost, and next to those points the fallback form has more
//! bits.

use super::exact::{fast_two_sum, power_of_two, product_in_two, quotient, two_product};
use super::half_turns::{TINY, tiny_times};
use super::payne_hanek::Reduced;
use super::trigonometric::{self, SIGN, close_kernels, cos_less_ratio, is_far_from_0, turned};
use super::{fixed_point, payne_hanek};

/// Up to here the fast forms hold.
const LIMIT: f64 = 2.0 * trigonometric::LIMIT;
/// `cosc x` is ½ to the last bit up to here.
const COSC_IS_HALF: f64 = power_of_two(-30);
/// Up to here the slope is a series.
const SERIES: f64 = power_of_two(-6);
/// −1/12 in two doubles.
const SLOPE: (f64, f64) = (-1.0 / 12.0, -4.625929269271485e-18);
/// Larger operands are scaled before they are squared.
const LARGE: f64 = power_of_two(400);
/// From here on all results round to 0.
const UNDERFLOW: f64 = power_of_two(541);

/// `(sin u/u)²/2`, given the sine.
#[inline(always)]
fn half_square_of_ratio((sin, sin_low): (f64, f64), u: f64) -> f64 {
    let (sin, sin_low) = fast_two_sum(sin, sin_low);
    let (ratio, rest) = quotient(sin, sin_low, u, 0.0);
    // The quotient has 26 bits, so its square is exact.
    0.5 * (ratio * ratio + rest * (ratio + ratio + rest))
}

#[inline(always)]
fn sin_cos(Reduced { k, r, r_low }: Reduced) -> [(f64, f64); 2] {
    turned(k, close_kernels(r, r_low))
}

/// `cosc x`, which holds for |x| up to [`LIMIT`].
#[inline(always)]
pub(super) fn cosc_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let u = 0.5 * if magnitude > COSC_IS_HALF { magnitude } else { COSC_IS_HALF };
    let [sin, _] = sin_cos(trigonometric::reduce(u));
    (half_square_of_ratio(sin, u), magnitude <= LIMIT)
}

/// `cosc x` for large operands, ±∞ (0) and NaN.
#[cold]
#[inline(never)]
pub(super) fn cosc_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    let u = 0.5 * x.abs();
    if u >= UNDERFLOW {
        return 0.0;
    }
    let [sin, _] = sin_cos(payne_hanek::reduce(u));
    let (u, back) = scaled(u);
    half_square_of_ratio(sin, u) * back
}

/// A scaled u, and what to multiply something divided by its square with.
fn scaled(u: f64) -> (f64, f64) {
    if u > LARGE { (u * power_of_two(-400), power_of_two(-800)) } else { (u, 1.0) }
}

/// The slope of `cosc` for |x| up to [`SERIES`]: `Σ (−1)ᵏ·2k/(2k + 2)!·x²ᵏ⁻¹`, k from 1 to 5.
#[inline(always)]
fn slope_near_0(x: f64) -> f64 {
    const C: [f64; 4] = [1.0 / 180.0, -1.0 / 6720.0, 1.0 / 453_600.0, -1.0 / 47_900_160.0];
    let w = x * x;
    let (factor, error) = fast_two_sum(SLOPE.0, w * ((C[0] + w * C[1]) + w * w * (C[2] + w * C[3])));
    let (product, product_error) = two_product(x, factor);
    product + (product_error + x * (error + SLOPE.1))
}

/// The slope `s·e/x` for x > 0.
#[inline(always)]
fn slope_of(ratio: (f64, f64), difference: (f64, f64), x: f64) -> f64 {
    let (above, above_low) = product_in_two(fast_two_sum(ratio.0, ratio.1), difference);
    let (slope, rest) = quotient(above, above_low, x, 0.0);
    slope + rest
}

/// The slope of `cosc`, which holds for 0 and |x| from [`TINY`] to [`LIMIT`] unless `tan u` is close to u.
#[inline(always)]
pub(super) fn cosc_slope_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let u = 0.5 * magnitude;
    let reduced = trigonometric::reduce(u);
    let r = reduced.r;
    let [difference, ratio] = cos_less_ratio(reduced, (u, 0.0));
    let far = slope_of(ratio, difference, magnitude);
    let far = f64::from_bits(far.to_bits() ^ (x.to_bits() & SIGN));

    let is_near = magnitude <= SERIES;
    let holds = (magnitude == 0.0)
        | ((TINY..=LIMIT).contains(&magnitude) & (is_near | is_far_from_0(difference.0, r, ratio.0)));
    // Adding 0 makes zeros positive.
    (if is_near { slope_near_0(x) } else { far } + 0.0, holds)
}

/// The slope of `cosc` for tiny and large operands, where `tan u` is close to u, for ±∞ (0) and NaN.
#[cold]
#[inline(never)]
pub(super) fn cosc_slope_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.abs() < TINY {
        return tiny_times(x, SLOPE.0, SLOPE.1);
    }
    let u = 0.5 * x.abs();
    if u >= UNDERFLOW {
        return 0.0;
    }
    let (k, fraction) = payne_hanek::quarters(u);
    let [sin, cos] = fixed_point::sin_cos(k, fraction);
    let difference = fixed_point::in_two(cos - fixed_point::quotient(sin, u));
    let (sin, sin_low) = fixed_point::in_two(sin);
    let (u, back) = scaled(u);
    let slope = slope_of(quotient(sin, sin_low, u, 0.0), difference, 2.0 * u) * back;
    if x < 0.0 { -slope + 0.0 } else { slope + 0.0 }
}
