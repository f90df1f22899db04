//! `eˣ` and `tanh x`.
//!
//! Both begin with `x = n·ln 2 + r`, `|r| ≤ ln 2/2` (Cody and Waite) and a minimax polynomial for the
//! rest of `eʳ` after its first three terms.

use super::exact::{SHIFT, fast_two_sum, half_square, quotient, two_sum};

const LOG2_E: f64 = std::f64::consts::LOG2_E;
/// The first 42 bits of ln 2: its product with an integer below 2¹¹ is exact.
pub(super) const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_3000);
/// ln 2 without them.
pub(super) const LN_2_LOW: f64 = f64::from_bits(0x3d53_de6a_f278_ece6);

/// Where `eˣ` is a normal double, up to rounding of the bound.
pub(super) const NORMAL: f64 = 708.39;
/// Beyond these `eˣ` rounds to +∞ and to 0.
pub(super) const OVERFLOW: f64 = 709.79;
pub(super) const UNDERFLOW: f64 = -745.14;
/// `tanh` is 1 to the last bit from 19.07 on.
const SATURATED: f64 = 20.0;

/// `x = n·ln 2 + r + c`.
pub(super) struct Reduced {
    /// A double with `n` in its low bits.
    pub(super) n: u64,
    pub(super) r: f64,
    /// What rounding took from `r`.
    pub(super) c: f64,
}

#[inline(always)]
pub(super) fn reduce(x: f64) -> Reduced {
    let shifted = x * LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let (high, low) = (x - n * LN_2_HIGH, n * LN_2_LOW);
    let r = high - low;
    Reduced { n: shifted.to_bits(), r, c: (high - r) - low }
}

/// `(eʳ − 1 − r − r²/2)/r³` for `|r| ≤ ln 2/2`.
///
/// Remez with the first two coefficients fixed; relative error of the `eʳ − 1` made of it below 2⁻⁵⁹.
#[inline(always)]
fn tail(r: f64) -> f64 {
    const C: [f64; 10] = [
        0.16666666666666666,
        0.041666666666666664,
        0.00833333333332876,
        0.001388888888890773,
        0.0001984126986955597,
        2.4801587243115987e-05,
        2.7557259724509725e-06,
        2.755736605300543e-07,
        2.510395920637063e-08,
        2.0881120503447564e-09,
    ];
    let r2 = r * r;
    let low = (C[0] + r * C[1]) + r2 * (C[2] + r * C[3]);
    let high = (C[4] + r * C[5]) + r2 * ((C[6] + r * C[7]) + r2 * (C[8] + r * C[9]));
    low + (r2 * r2) * high
}

/// `e^(r + c)` in [0.7, 1.42].
#[inline(always)]
fn exp_reduced(r: f64, c: f64) -> f64 {
    let rest = r * r * (0.5 + r * tail(r)) + (c + c * r);
    let (sum, error) = fast_two_sum(1.0, r);
    sum + (error + rest)
}

/// `e^(r + c) − 1` as a large and a small term, the small one at most a fortieth of the other.
#[inline(always)]
fn expm1_reduced(r: f64, c: f64) -> (f64, f64) {
    let (half_square, half_square_low) = half_square(r);
    let (p, error) = fast_two_sum(r, half_square);
    (p, error + (half_square_low + (c + c * r) + r * r * r * tail(r)))
}

/// `e^(r + c)` in [0.7, 1.42], as [`exp_reduced`], but with an error below 0.54 ulp.
#[inline(always)]
pub(super) fn exp_reduced_closely(r: f64, c: f64) -> f64 {
    let (p, p_low) = expm1_reduced(r, c);
    let (sum, error) = fast_two_sum(1.0, p);
    sum + (error + p_low)
}

/// `eˣ = scale·(1 + p + p_low)`, scale a power of two, for |x| ≤ [`NORMAL`].
pub(super) struct Parts {
    pub(super) scale: f64,
    pub(super) p: f64,
    pub(super) p_low: f64,
}

#[inline(always)]
pub(super) fn parts(x: f64) -> Parts {
    let Reduced { n, r, c } = reduce(x);
    let (p, p_low) = expm1_reduced(r, c);
    Parts { scale: power_of_two_in(n), p, p_low }
}

/// `2ⁿ` for an n in the low bits, from −1022 to 1023.
#[inline(always)]
pub(super) fn power_of_two_in(n: u64) -> f64 {
    f64::from_bits(n.wrapping_add(1023) << 52)
}

/// `e^(x + low)` as `(e + e_low)·2ⁿ` with e in [0.7, 1.42], known to 2⁻⁵⁹, for a low that is small beside
/// 1; n is in the low bits.
#[inline(always)]
pub(super) fn exp_in_two(x: f64, low: f64) -> ((f64, f64), u64) {
    let Reduced { n, r, c } = reduce(x);
    let (r, c) = two_sum(r, c + low);
    let (p, p_low) = expm1_reduced(r, c);
    let (e, error) = fast_two_sum(1.0, p);
    ((e, error + p_low), n)
}

/// `eˣ`, which holds where it is a normal double.
#[inline(always)]
pub(super) fn exp_fast(x: f64) -> (f64, bool) {
    let Reduced { n, r, c } = reduce(x);
    let bits = exp_reduced(r, c).to_bits().wrapping_add(n << 52);
    (f64::from_bits(bits), x.abs() <= NORMAL)
}

/// `eˣ` near the ends of the range and beyond.
#[cold]
#[inline(never)]
pub(super) fn exp_fallback(x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    if x > OVERFLOW {
        return f64::INFINITY;
    }
    if x < UNDERFLOW {
        return 0.0;
    }
    let Reduced { n, r, c } = reduce(x);
    scaled_once(exp_reduced(r, c), n, x > 0.0)
}

/// `value·2ⁿ` with one rounding, for a value around 1; n, in the low bits, is not negative
/// if the power goes up, and not positive otherwise.
///
/// The power of two is applied in two steps, and only the second one can leave the normal range.
pub(super) fn scaled_once(value: f64, n: u64, up: bool) -> f64 {
    let (bias, last) = if up { (u64::MAX, 2.0) } else { (64, 1.0 / (1u128 << 64) as f64) };
    f64::from_bits(value.to_bits().wrapping_add(n.wrapping_add(bias) << 52)) * last
}

/// `tanh x = (1 − e)/(1 + e)` with `e = exp(−2|x|)`, which holds for all numbers.
///
/// Numerator and denominator are carried in two doubles each, and the quotient has one rounding.
#[inline(always)]
pub(super) fn tanh_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let magnitude = if magnitude < SATURATED { magnitude } else { SATURATED };
    let Parts { scale, p, p_low } = parts(-2.0 * magnitude);
    let (p, p_low) = (scale * p, scale * p_low);

    let (above, above_low) = one_plus(-scale, -p, -p_low);
    let (below, below_low) = one_plus(scale, p, p_low);
    let (quotient, rest) = quotient(above, above_low, below, below_low);
    (f64::from_bits((quotient + rest).to_bits() | (x.to_bits() & (1 << 63))), !x.is_nan())
}

/// `1 + a + b + c`, each term far smaller than the sum before it, in two doubles.
#[inline(always)]
pub(super) fn one_plus(a: f64, b: f64, c: f64) -> (f64, f64) {
    let (sum, first) = fast_two_sum(1.0, a);
    let (sum, second) = fast_two_sum(sum, b);
    (sum, first + second + c)
}

/// NaN, the one operand for which the fast form does not hold.
#[cold]
#[inline(never)]
pub(super) fn tanh_fallback(_x: f64) -> f64 {
    f64::NAN
}
