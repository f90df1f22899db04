//! `ln x`.

use super::exact::{fast_two_sum, half_square};
use super::exponential::{LN_2_HIGH, LN_2_LOW};

/// The upper half of the bits of √½: where the interval of the mantissas begins.
const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
/// With an integer below 2⁵² in its low bits this is 2⁵² plus that integer.
const TWO_52: u64 = 0x4330_0000_0000_0000;
/// Subnormals times two to this are normal.
pub(super) const LIFT: i32 = 54;

/// `x·2⁻ˡ = 2ᵏ·(1 + f)` with 1 + f in [√½, √2), for normal x > 0.
#[inline(always)]
pub(super) fn split(x: f64, lift: i32) -> (f64, f64) {
    let offset = x.to_bits().wrapping_sub(SQRT_HALF);
    // The exponent may be negative: the shift is of a biased one.
    let biased = offset.wrapping_add(1023 << 52) >> 52;
    let k = f64::from_bits(TWO_52 | biased) - ((1u64 << 52) as f64 + 1023.0 + f64::from(lift));
    (k, f64::from_bits((offset & (u64::MAX >> 12)).wrapping_add(SQRT_HALF)) - 1.0)
}

/// `k·ln 2 + ln(1 + f) + low` as a large and a small term.
///
/// With `s = f/(2 + f)`, `ln(1 + f) = f − f²/2 + s·(f²/2 + R(s²))`. The first two terms and `k·ln 2` are
/// summed with their rounding errors, so what is rounded on the way is at most a nineteenth of the result.
#[inline(always)]
pub(super) fn parts(k: f64, f: f64, low: f64) -> (f64, f64) {
    let (half_square, half_square_low) = half_square(f);
    let (sum, first) = fast_two_sum(k * LN_2_HIGH, f);
    let (sum, second) = fast_two_sum(sum, -half_square);
    let s = f / (2.0 + f);
    let correction = s * (half_square + half_square_low + rest(s * s));
    (sum, correction + ((first + second) + (k * LN_2_LOW - half_square_low) + low))
}

/// `ln(x·2⁻ˡ)` for normal x > 0.
#[inline(always)]
fn scaled(x: f64, lift: i32) -> f64 {
    let (k, f) = split(x, lift);
    // Adding −0 changes nothing, not even a zero.
    let (sum, rest) = parts(k, f, -0.0);
    sum + rest
}

/// `R(z) = (2·artanh(s) − 2s)/s` for `z = s²`, `|s| ≤ 0.1716`.
///
/// Remez, relative error of the logarithm made of it below 2⁻⁵⁹.
#[inline(always)]
fn rest(z: f64) -> f64 {
    const C: [f64; 7] = [
        0.6666666666666734,
        0.3999999999941705,
        0.2857142874189049,
        0.22222198621910463,
        0.18183561888353103,
        0.15314110891523192,
        0.14795363579561902,
    ];
    let z2 = z * z;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let high = (C[4] + z * C[5]) + z2 * C[6];
    z * (low + (z2 * z2) * high)
}

/// `ln x`, which holds for normal x > 0.
#[inline(always)]
pub(super) fn ln_fast(x: f64) -> (f64, bool) {
    (scaled(x, 0), (f64::MIN_POSITIVE..=f64::MAX).contains(&x))
}

/// `ln x` for subnormals, zeros (−∞), negative numbers (NaN), +∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn ln_fallback(x: f64) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x == f64::INFINITY {
        x
    } else if x > 0.0 {
        scaled(x * (1u64 << LIFT) as f64, LIFT)
    } else {
        f64::NAN
    }
}
