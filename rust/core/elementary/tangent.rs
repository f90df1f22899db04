//! `tan x`.
//!
//! Sine and cosine of a remainder below π/8, where both are known to 56 bits, and one division.

use super::exact::{fast_two_sum, quotient, two_sum};
use super::payne_hanek;
use super::payne_hanek::Reduced;
use super::trigonometric::{self, LIMIT, SIGN, kernels_in_two};

const PI_4: f64 = std::f64::consts::FRAC_PI_4;
/// π/4 without its first 53 bits.
const PI_4_LOW: f64 = 3.061616997868383e-17;
const PI_8: f64 = 0.5 * PI_4;

/// `tan x` from the reduced `|x|`.
#[inline(always)]
fn finish(x: f64, Reduced { k, r, r_low }: Reduced) -> f64 {
    // |x| = j·π/4 + r + r_low
    let (shift, shift_low, step) = if r > PI_8 {
        (PI_4, PI_4_LOW, 1)
    } else if r < -PI_8 {
        (-PI_4, -PI_4_LOW, u64::MAX)
    } else {
        (0.0, 0.0, 0)
    };
    let j = (k << 1).wrapping_add(step);
    let (r, r_low) = two_sum(r - shift, r_low - shift_low);
    let [(sin, sin_low), (cos, cos_low)] = kernels_in_two(r, r_low);

    // tan(π/4 + r) = (cos r + sin r)/(cos r − sin r)
    let (sum, sum_error) = fast_two_sum(cos, sin);
    let (difference, difference_error) = fast_two_sum(cos, -sin);
    let odd = j & 1 == 1;
    let (above, above_low) = if odd { (sum, sum_error + (cos_low + sin_low)) } else { (sin, sin_low) };
    let (below, below_low) =
        if odd { (difference, difference_error + (cos_low - sin_low)) } else { (cos, cos_low) };

    // tan(π/2 + r) = −1/tan r
    let turned = j & 2 == 2;
    let (quotient, rest) = if turned {
        quotient(below, below_low, above, above_low)
    } else {
        quotient(above, above_low, below, below_low)
    };
    f64::from_bits((quotient + rest).to_bits() ^ ((j & 2) << 62) ^ (x.to_bits() & SIGN))
}

/// `tan x`, which holds for |x| up to [`LIMIT`].
#[inline(always)]
pub(super) fn tan_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    (finish(x, trigonometric::reduce(magnitude)), magnitude <= LIMIT)
}

/// `tan x` for large operands; NaN for ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn tan_fallback(x: f64) -> f64 {
    if x.is_finite() { finish(x, payne_hanek::reduce(x.abs())) } else { f64::NAN }
}
