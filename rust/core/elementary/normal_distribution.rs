//! `ln Φ(x)` of the standard normal distribution and its slope `φ(x)/Φ(x)`.
//!
//! With `y = |x|/√2`, `2Φ(x)` is `1 ± erf y` near 0 and `erfc y` or `2 − erfc y` beyond, as in
//! [`error_function`](super::error_function). There `erfc y = √(2/π)·e^(−x²/2)/M` with the inverse Mills
//! ratio `M = |x| + √(2/π)·h(y)`, which is the slope itself on the left.

use super::error_function::{h_beyond_centre, near};
use super::exact::{fast_two_sum, half_square, product_in_two, quotient, two_sum};
use super::exponential::{exp_in_two, power_of_two_in, scaled_once};
use super::logarithm;

/// √(2/π) in two doubles.
const SQRT_2_OVER_PI: (f64, f64) = (0.7978845608028654, -4.98465440455546e-17);
/// √(2π) in two doubles.
const SQRT_2_PI: (f64, f64) = (2.5066282746310007, -1.8328579980459167e-16);
/// What is near 0, the centre and the offset of [`error_function`](super::error_function), times √2.
const NEAR: f64 = 0.46875 * std::f64::consts::SQRT_2;
const CENTRE: f64 = 1.016465997971091;
const OFFSET: f64 = 3.5355339059327378;
/// `√(2/π)·h` at the centre, in two doubles.
const H_AT_CENTRE: (f64, f64) = (0.5218727273656134, 5.4579859584995215e-17);
/// Up to here the density and what is left of 1 are so far above the subnormals that their low parts are
/// normal.
const NORMAL: f64 = 37.0;
/// Beyond, the density and what is left of 1 round to 0.
const UNDERFLOW: f64 = 38.6;
/// Up to here products with x do not overflow; beyond, `ln Φ(x)` on the left is −x²/2.
const LARGE: f64 = 1e150;

/// What both functions are made of.
struct Pieces {
    is_near: bool,
    /// `√(2/π)·e^(−x²/2)·2⁻ⁿ`, where |x| ≤ [`UNDERFLOW`].
    density: (f64, f64),
    /// In the low bits.
    n: u64,
    /// `erf y`, where `is_near`.
    erf: (f64, f64),
    /// The inverse Mills ratio of |x| elsewhere.
    mills: (f64, f64),
}

#[inline(always)]
fn pieces(magnitude: f64, bound: f64) -> Pieces {
    let bounded = if magnitude < bound { magnitude } else { bound };
    let (half, half_low) = half_square(bounded);
    let (e, n) = exp_in_two(-half, -half_low);
    let erf = near(product_in_two(SQRT_2_OVER_PI, (bounded, 0.0)), half + half_low);
    let t = (magnitude - CENTRE) / (magnitude + OFFSET);
    let (sum, first) = two_sum(magnitude, H_AT_CENTRE.0);
    let (mills, second) = fast_two_sum(sum, SQRT_2_OVER_PI.0 * h_beyond_centre(t));
    let mills = (mills, (first + second) + H_AT_CENTRE.1);
    Pieces { is_near: magnitude < NEAR, density: product_in_two(SQRT_2_OVER_PI, e), n, erf, mills }
}

impl Pieces {
    /// `erfc y·2⁻ⁿ`, as a large and a small term, where y is not near 0.
    #[inline(always)]
    fn erfc(&self) -> (f64, f64) {
        quotient(self.density.0, self.density.1, self.mills.0, self.mills.1)
    }
}

/// `ln Φ(x)`, which holds for x from −[`LARGE`] to [`NORMAL`].
///
/// `ln Φ` near 0, `ln(1 − erfc y/2)` to the right and `−x²/2 − ln(√(2π)·M)` to the left: no terms cancel.
#[inline(always)]
pub(super) fn log_ndtr_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let pieces = pieces(magnitude, NORMAL);
    let left = x < 0.0;
    let half_scale = 0.5 * power_of_two_in(pieces.n);

    // Φ is below 1 by this much, and the logarithm takes it as it is.
    let (erfc, rest) = pieces.erfc();
    let (erfc, rest) = fast_two_sum(erfc, rest);
    let (missing, missing_low) = (half_scale * erfc, half_scale * rest);

    let half_sign = if left { -0.5 } else { 0.5 };
    let (near, near_error) = fast_two_sum(0.5, half_sign * pieces.erf.0);
    let near_low = near_error + half_sign * pieces.erf.1;
    let (far, far_low) = product_in_two(SQRT_2_PI, pieces.mills);
    let (u, c) = if pieces.is_near { (near, near_low) } else { (far, far_low) };
    let (k, f) = logarithm::split(u, 0);

    let is_right = !(pieces.is_near | left);
    let (k, f) = if is_right { (0.0, -missing) } else { (k, f) };
    let (u, c) = if is_right { (1.0 - missing, -missing_low) } else { (u, c) };
    let (ln, ln_low) = logarithm::parts(k, f, c / u);

    let (half, half_low) = half_square(magnitude);
    let (sum, error) = two_sum(half, ln);
    let far_left = -(sum + (error + (half_low + ln_low)));
    (if left & !pieces.is_near { far_left } else { ln + ln_low }, (-LARGE..=NORMAL).contains(&x))
}

/// `ln Φ(x)` where it is close to the subnormals, close to overflow or beyond; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn log_ndtr_fallback(x: f64) -> f64 {
    if x < -LARGE {
        return -0.5 * x * x;
    }
    if x > UNDERFLOW {
        return 0.0;
    }
    if x.is_nan() {
        return f64::NAN;
    }
    let pieces = pieces(x, UNDERFLOW);
    let (erfc, rest) = pieces.erfc();
    // Zeros are positive.
    0.0 - scaled_once(0.5 * (erfc + rest), pieces.n, false)
}

/// `φ(x)/Φ(x)`, which holds for finite x up to [`NORMAL`].
#[inline(always)]
pub(super) fn log_ndtr_slope_fast(x: f64) -> (f64, bool) {
    let pieces = pieces(x.abs(), NORMAL);
    let scale = power_of_two_in(pieces.n);
    let (erfc, rest) = pieces.erfc();
    let left = x < 0.0;

    // 2Φ is 1 ± erf y or 2 − erfc y.
    let (base, term, low) = if pieces.is_near {
        let sign = if left { -1.0 } else { 1.0 };
        (1.0, sign * pieces.erf.0, sign * pieces.erf.1)
    } else {
        (2.0, -(scale * erfc), -(scale * rest))
    };
    let (twice, error) = fast_two_sum(base, term);
    let (slope, slope_rest) = quotient(pieces.density.0, pieces.density.1, twice, error + low);
    let far_left = pieces.mills.0 + pieces.mills.1;
    let value = if left & !pieces.is_near { far_left } else { scale * (slope + slope_rest) };
    (value, (f64::MIN..=NORMAL).contains(&x))
}

/// `φ(x)/Φ(x)` where it is close to the subnormals or below, and for −∞ (+∞) and NaN.
#[cold]
#[inline(never)]
pub(super) fn log_ndtr_slope_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x.is_infinite() || x > UNDERFLOW {
        return if x < 0.0 { f64::INFINITY } else { 0.0 };
    }
    let pieces = pieces(x, UNDERFLOW);
    scaled_once(0.5 * (pieces.density.0 + pieces.density.1), pieces.n, false)
}

/// `φ(−x)/Φ(−x) − x` for x where the polynomial of the Mills ratio holds and little of it cancels.
pub(super) fn rise_near_centre(x: f64) -> f64 {
    let t = (x - CENTRE) / (x + OFFSET);
    let (sum, error) = fast_two_sum(H_AT_CENTRE.0, SQRT_2_OVER_PI.0 * h_beyond_centre(t));
    sum + (error + H_AT_CENTRE.1)
}
