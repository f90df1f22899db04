//! `sin x` and `cos x`.
//!
//! `|x| = k·π/2 + r`, `|r| ≤ π/4`, with `r` in two doubles; minimax polynomials for both functions of
//! `r`, of which the last bits of `k` choose one and its sign.

use super::exact::{SHIFT, fast_two_sum, half_square, power_of_two, product_in_two, quotient, two_sum};
use super::payne_hanek::{self, Reduced};

/// Up to here, which is about 2²⁰·π/2, the fast form holds.
pub(super) const LIMIT: f64 = 1_647_099.0;
pub(super) const SIGN: u64 = 1 << 63;

/// Cody and Waite in four parts, for 0 ≤ x ≤ [`LIMIT`].
///
/// The first three parts of π/2 end at 2⁻³², 2⁻⁶⁴ and 2⁻⁹⁶, so their products with `k ≤ 2²⁰` are exact.
/// Each difference either is exact or has the larger minuend, so its error is exact as well. What is
/// lost is below 2⁻¹⁰⁵ of `r` and, where the differences cancel, below 2⁻¹³⁰, while the double nearest to
/// a multiple of π/2 in this range, at `k = 29`, is 2⁻⁶⁰·⁵ away from it.
#[inline(always)]
pub(super) fn reduce(x: f64) -> Reduced {
    const PI_2: [f64; 4] =
        [1.5707963267341256, 6.07710050359346e-11, 2.912732056084878e-20, 8.4784276603689e-32];
    let shifted = x * std::f64::consts::FRAC_2_PI + SHIFT;
    let k = shifted - SHIFT;
    let (r, first) = fast_two_sum(x - k * PI_2[0], -(k * PI_2[1]));
    let (r, second) = fast_two_sum(r, -(k * PI_2[2]));
    let (r, r_low) = fast_two_sum(r, first + (second - k * PI_2[3]));
    Reduced { k: shifted.to_bits(), r, r_low }
}

/// Sine and cosine of `r + r_low`.
#[inline(always)]
fn kernels(r: f64, r_low: f64) -> [f64; 2] {
    kernels_in_two(r, r_low).map(|(sum, rest)| sum + rest)
}

/// Sine and cosine of `r + r_low`, each as a large and a small term.
///
/// Remez; relative errors below 2⁻⁵⁷ and 2⁻⁶³.
#[inline(always)]
pub(super) fn kernels_in_two(r: f64, r_low: f64) -> [(f64, f64); 2] {
    const S: [f64; 6] = [
        -0.1666666666666663,
        0.00833333333332184,
        -0.00019841269829358525,
        2.7557313538512544e-06,
        -2.505073438890709e-08,
        1.5895433264964925e-10,
    ];
    let w = r * r;
    let w2 = w * w;
    let (half_square, half_square_low) = half_square(r);

    let s = S[0] + w * ((S[1] + w * S[2]) + w2 * ((S[3] + w * S[4]) + w2 * S[5]));
    let (sum, error) = fast_two_sum(r, r * w * s);
    let sin = (sum, error + (r_low - r_low * half_square));

    let (sum, error) = fast_two_sum(1.0, -half_square);
    let cos = (sum, error + (w2 * cos_rest(w) - (half_square_low + r * r_low)));
    [sin, cos]
}

/// `(cos r − 1 + w/2)/w²` for `w = r²`.
#[inline(always)]
fn cos_rest(w: f64) -> f64 {
    const C: [f64; 6] = [
        0.041666666666666595,
        -0.0013888888888873342,
        2.4801587289002083e-05,
        -2.755731421704104e-07,
        2.0875705396459625e-09,
        -1.1358749266579785e-11,
    ];
    let w2 = w * w;
    (C[0] + w * C[1]) + w2 * ((C[2] + w * C[3]) + w2 * (C[4] + w * C[5]))
}

/// Sine and cosine of `r + r_low` for what cancels: as [`kernels_in_two`], but with an error below
/// 2⁻⁵³·|r|⁵/60 and 2⁻⁵³·r⁴/12.
///
/// Remez; relative errors below 2⁻⁶² and 2⁻⁶³.
#[inline(always)]
pub(super) fn close_kernels(r: f64, r_low: f64) -> [(f64, f64); 2] {
    const S: [f64; 6] = [
        0.00833333333333333,
        -0.00019841269841261151,
        2.7557319216861346e-06,
        -2.505210551806352e-08,
        1.605843541852592e-10,
        -7.581782195438799e-13,
    ];
    const THIRD: (f64, f64) = (1.0 / 3.0, 1.850371707708594e-17);
    let w = r * r;
    let w2 = w * w;
    let (half_square, half_square_low) = half_square(r);

    let (cube, cube_low) = product_in_two((half_square, half_square_low), THIRD);
    let (cube, cube_low) = product_in_two((r, 0.0), (cube, cube_low));
    let s = (S[0] + w * S[1]) + w2 * ((S[2] + w * S[3]) + w2 * (S[4] + w * S[5]));
    let (sum, first) = fast_two_sum(r, -cube);
    let (sum, second) = fast_two_sum(sum, r * w2 * s);
    let sin = (sum, second + (first + ((r_low - r_low * half_square) - cube_low)));

    let (sum, first) = fast_two_sum(1.0, -half_square);
    let (sum, second) = fast_two_sum(sum, w2 * cos_rest(w));
    let cos = (sum, second + (first - (half_square_low + r * r_low)));
    [sin, cos]
}

/// `[sin x, cos x]` of `x = k·π/2 + r`, given those of r.
#[inline(always)]
pub(super) fn turned(k: u64, [sin, cos]: [(f64, f64); 2]) -> [(f64, f64); 2] {
    let odd = k & 1 == 1;
    let (for_sin, for_cos) = if odd { (cos, sin) } else { (sin, cos) };
    let turn = |(value, low): (f64, f64), half_turn: u64| {
        let sign = (half_turn & 2) << 62;
        (f64::from_bits(value.to_bits() ^ sign), f64::from_bits(low.to_bits() ^ sign))
    };
    [turn(for_sin, k), turn(for_cos, k.wrapping_add(1))]
}

/// `cos u − sin u/u` and `sin u/u`, each in two doubles, and whether enough of the former is left.
///
/// [`close_kernels`] are off by less than 2⁻⁵³·r⁴/12, and the quotient by 2⁻⁷⁵ of it.
#[inline(always)]
pub(super) fn cos_less_ratio(Reduced { k, r, r_low }: Reduced, u: (f64, f64)) -> [(f64, f64); 2] {
    let [(sin, sin_low), (cos, cos_low)] = turned(k, close_kernels(r, r_low));
    let (sin, sin_low) = fast_two_sum(sin, sin_low);
    let (ratio, ratio_low) = quotient(sin, sin_low, u.0, u.1);
    let (difference, error) = two_sum(cos, -ratio);
    [two_sum(difference, error + (cos_low - ratio_low)), (ratio, ratio_low)]
}

/// Whether [`cos_less_ratio`] is so far from 0 that its errors, r⁴/12 and 2⁻²² of the ratio in units of
/// 2⁻⁵³, do not count.
#[inline(always)]
pub(super) fn is_far_from_0(difference: f64, r: f64, ratio: f64) -> bool {
    const RATIO: f64 = power_of_two(-19);
    let square = r * r;
    difference.abs() >= 0.25 * square * square + RATIO * ratio.abs()
}

/// `[sin x, cos x]` from the reduced `|x|`.
#[inline(always)]
pub(super) fn finish(x: f64, Reduced { k, r, r_low }: Reduced) -> [f64; 2] {
    let [sin, cos] = kernels(r, r_low);
    let odd = k & 1 == 1;
    let (for_sin, for_cos) = if odd { (cos, sin) } else { (sin, cos) };
    let sign_of_sin = ((k & 2) << 62) ^ (x.to_bits() & SIGN);
    let sign_of_cos = (k.wrapping_add(1) & 2) << 62;
    [f64::from_bits(for_sin.to_bits() ^ sign_of_sin), f64::from_bits(for_cos.to_bits() ^ sign_of_cos)]
}

/// `[sin x, cos x]`, which hold for |x| up to [`LIMIT`].
#[inline(always)]
pub(super) fn sin_cos_fast(x: f64) -> ([f64; 2], bool) {
    let magnitude = x.abs();
    (finish(x, reduce(magnitude)), magnitude <= LIMIT)
}

/// `[sin x, cos x]` for large operands; NaN for ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn sin_cos_fallback(x: f64) -> [f64; 2] {
    if x.is_finite() { finish(x, payne_hanek::reduce(x.abs())) } else { [f64::NAN; 2] }
}
