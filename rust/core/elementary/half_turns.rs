//! `sin πx`, `cos πx`, `sinc x = sin πx/(πx)` and its derivative.
//!
//! Unlike that by π/2, the reduction by half integers is exact: `|x| = k/2 + t`, `|t| ≤ ¼`. The kernels of
//! the sine and the cosine then take `πt` in two doubles.

use super::exact::{SHIFT, fast_two_sum, power_of_two, quotient, two_product};
use super::fixed_point;
use super::payne_hanek::Reduced;
use super::trigonometric::{SIGN, cos_less_ratio, finish, is_far_from_0, kernels_in_two, turned};

const PI: f64 = std::f64::consts::PI;
/// π without its first 53 bits.
const PI_LOW: f64 = 1.2246467991473532e-16;
/// Below this the fast forms hold.
const LIMIT: f64 = (1u64 << 50) as f64;
/// Below this the rounding errors of products may be subnormal.
pub(super) const TINY: f64 = power_of_two(-900);
/// All doubles from here on are even integers.
pub(super) const EVEN: f64 = (1u64 << 53) as f64;
/// Up to here the derivative of `sinc` is a series; beyond, its terms cancel only next to other zeros.
const SERIES: f64 = 0.375;
/// `sinc x` is 1 to the last bit up to here.
const SINC_IS_ONE: f64 = power_of_two(-30);

/// `x·π` in two doubles.
#[inline(always)]
pub(super) fn times_pi(x: f64) -> (f64, f64) {
    let (product, error) = two_product(x, PI);
    fast_two_sum(product, error + x * PI_LOW)
}

/// `πx = k·π/2 + r + r_low` for 0 ≤ x < [`LIMIT`].
#[inline(always)]
pub(super) fn reduce(x: f64) -> Reduced {
    let shifted = (x + x) + SHIFT;
    let (r, r_low) = times_pi(x - 0.5 * (shifted - SHIFT));
    Reduced { k: shifted.to_bits(), r, r_low }
}

/// Not huge, and not so small that products lose their errors.
#[inline(always)]
fn is_ordinary(magnitude: f64) -> bool {
    (magnitude == 0.0) | ((TINY..LIMIT).contains(&magnitude))
}

/// `[sin πx, cos πx]` for x with the sign of `x` and the magnitude that has been reduced.
#[inline(always)]
fn signed(x: f64, reduced: Reduced) -> [f64; 2] {
    // Adding 0 makes zeros positive: those of the sine then get the sign of x.
    let [sin, cos] = finish(1.0, reduced).map(|value| value + 0.0);
    [f64::from_bits(sin.to_bits() ^ (x.to_bits() & SIGN)), cos]
}

/// `[sin πx, cos πx]`, which hold for 0 and |x| from [`TINY`] to [`LIMIT`].
#[inline(always)]
pub(super) fn sin_cos_pi_fast(x: f64) -> ([f64; 2], bool) {
    let magnitude = x.abs();
    (signed(x, reduce(magnitude)), is_ordinary(magnitude))
}

/// `[sin πx, cos πx]` for tiny and huge operands; NaN for ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn sin_cos_pi_fallback(x: f64) -> [f64; 2] {
    if x.abs() < TINY {
        [tiny_times(x, PI, PI_LOW), 1.0]
    } else if x.is_finite() {
        signed(x, reduce(x.abs() % 2.0))
    } else {
        [f64::NAN; 2]
    }
}

/// `x·(a + a_low)` for |x| below [`TINY`].
pub(super) fn tiny_times(x: f64, a: f64, a_low: f64) -> f64 {
    const LIFT: f64 = power_of_two(400);
    const DROP: f64 = power_of_two(-400);
    let x = x * LIFT;
    let (product, error) = two_product(x, a);
    (product + (error + x * a_low)) * DROP
}

/// `sinc` for `x ≥` [`SINC_IS_ONE`], given its sine: a quotient of 26 bits and the rest of it.
#[inline(always)]
fn sinc_in_two(x: f64, (sin, sin_low): (f64, f64)) -> (f64, f64) {
    let (below, below_low) = times_pi(x);
    quotient(sin, sin_low, below, below_low)
}

/// `sinc x`, which holds below [`LIMIT`].
#[inline(always)]
pub(super) fn sinc_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let bounded = if magnitude > SINC_IS_ONE { magnitude } else { SINC_IS_ONE };
    (sinc_of(bounded, reduce(bounded)), magnitude < LIMIT)
}

#[inline(always)]
fn sinc_of(x: f64, reduced: Reduced) -> f64 {
    let [sin, _] = turned(reduced.k, kernels_in_two(reduced.r, reduced.r_low));
    let (quotient, rest) = sinc_in_two(x, sin);
    // Zeros are positive.
    quotient + rest + 0.0
}

/// `sinc x` for huge operands, ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn sinc_fallback(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude >= EVEN {
        return 0.0;
    }
    sinc_of(magnitude, reduce(magnitude % 2.0))
}

/// `(sinc′(x)/x + π²/3)/x²` for `w = x²`, `|x| ≤ ½`.
///
/// Remez, relative error of the derivative made of it below 2⁻⁶².
#[inline(always)]
fn slope_rest(w: f64) -> f64 {
    const C: [f64; 9] = [
        3.2469697011334144,
        -1.1445109447324873,
        0.2091827825404567,
        -0.02346081033809157,
        0.0017811453237652824,
        -9.766091444231311e-05,
        4.0447129585562815e-06,
        -1.202710290508978e-07,
        -6.596931086578776e-09,
    ];
    let w2 = w * w;
    let low = (C[0] + w * C[1]) + w2 * (C[2] + w * C[3]);
    let high = (C[4] + w * C[5]) + w2 * ((C[6] + w * C[7]) + w2 * C[8]);
    low + (w2 * w2) * high
}

/// −π²/3 in two doubles.
const SLOPE: (f64, f64) = (-3.289868133696453, -6.081344700796952e-17);

/// `sinc′(x)` for |x| up to [`SERIES`].
#[inline(always)]
fn slope_near_0(x: f64) -> f64 {
    let w = x * x;
    let (factor, error) = fast_two_sum(SLOPE.0, w * slope_rest(w));
    let (product, product_error) = two_product(x, factor);
    product + (product_error + x * (error + SLOPE.1))
}

/// `sinc′(x) = (cos πx − sinc x)/x` for x above [`SERIES`], and whether the difference has digits enough.
#[inline(always)]
fn slope_of(x: f64, reduced: Reduced) -> (f64, bool) {
    let r = reduced.r;
    let [(difference, difference_low), (sinc, _)] = cos_less_ratio(reduced, times_pi(x));
    let (slope, rest) = quotient(difference, difference_low, x, 0.0);
    (slope + rest, is_far_from_0(difference, r, sinc))
}

/// `sinc′(x)`, which holds for 0 and |x| from [`TINY`] to [`LIMIT`] unless `tan πx` is close to πx.
#[inline(always)]
pub(super) fn sinc_slope_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let (far, is_far_from_0) = slope_of(magnitude, reduce(magnitude));
    let far = f64::from_bits(far.to_bits() ^ (x.to_bits() & SIGN));
    let is_near = magnitude <= SERIES;
    // Adding 0 makes zeros positive.
    (if is_near { slope_near_0(x) } else { far } + 0.0, is_ordinary(magnitude) & (is_near | is_far_from_0))
}

/// `sinc′(x)` for tiny and huge operands, where `tan πx` is close to πx, for ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn sinc_slope_fallback(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude < TINY {
        tiny_times(x, SLOPE.0, SLOPE.1)
    } else if magnitude >= EVEN || x.is_nan() {
        1.0 / x + 0.0
    } else {
        // The rest of the half turns, doubled, counts quarters of 2π: it is exact in 128 bits.
        let shifted = (magnitude % 2.0) * 2.0 + SHIFT;
        let quarter = magnitude % 2.0 * 2.0 - (shifted - SHIFT);
        let [sin, cos] = fixed_point::sin_cos(shifted.to_bits(), (quarter * power_of_two(128)) as i128);
        let sinc = fixed_point::quotient(fixed_point::product(sin, fixed_point::FRAC_1_PI), magnitude);
        let (difference, difference_low) = fixed_point::in_two(cos - sinc);
        let (slope, rest) = quotient(difference, difference_low, magnitude, 0.0);
        if x < 0.0 { -(slope + rest) } else { slope + rest }
    }
}
