//! Whether plain doubles lost anything.
//!
//! A contribution must be right wherever it is representable, also where a factor of it is not. A fast
//! form multiplies plain doubles and checks that no factor left the range of normal doubles; a fallback
//! evaluates the same formula in [`Scaled`] numbers, whose exponent cannot overflow.

use super::form::Fast;
use crate::elementary;
use crate::scaled::Scaled;

/// Normal doubles carry full precision: neither zero, subnormal, infinite nor NaN.
#[inline(always)]
pub(super) fn is_normal(x: f64) -> bool {
    let magnitude = x.to_bits() & (u64::MAX >> 1);
    magnitude.wrapping_sub(1 << 52) < 0x7fe0_0000_0000_0000
}

/// A factor that loses nothing: normal, or zero because its numerator is.
#[inline(always)]
pub(super) fn is_full(factor: f64, numerator: f64) -> bool {
    is_normal(factor) | ((numerator == 0.0) & (factor == 0.0))
}

/// `h = √(y² + s²)` for REAL `y`, and whether it kept full precision.
#[inline(always)]
pub(super) fn smoothed(y: f64, s: f64) -> Fast<f64> {
    let (large, small) = if y.abs() > s { (y.abs(), s) } else { (s, y.abs()) };
    let ratio = small / large;
    let h = large * (1.0 + ratio * ratio).sqrt();
    (h, is_normal(h))
}

/// A value in fast form inside of its domain, Φ outside, without a branch: a fallback meets operands inside
/// only.
#[inline(always)]
pub(super) fn within((value, holds): Fast<f64>, inside: bool) -> Fast<f64> {
    (if inside { value } else { f64::NAN }, holds | !inside)
}

/// `factor·eˣ`.
pub(super) fn times_exp(factor: Scaled, x: f64) -> f64 {
    times_exp_of_sum(factor, x, 0.0)
}

/// ln 2 in two parts; the first has so few bits that its product with any k below is exact.
const LN_2_PARTS: [f64; 2] = [f64::from_bits(0x3fe6_2e42_fee0_0000), 1.908_214_929_270_587_7e-10];

/// `factor·e^(x+rest)` for a small rest, as `factor·2ᵏ·eʳ` with |r| little more than ½·ln 2: the error is that
/// of one exponential.
fn times_exp_of_sum(factor: Scaled, x: f64, rest: f64) -> f64 {
    factor.mul(scaled_exp_of_sum(x, rest)).to_f64()
}

/// `eˣ`, whatever its size.
pub(super) fn scaled_exp(x: f64) -> Scaled {
    scaled_exp_of_sum(x, 0.0)
}

/// `e^(x+rest)`, whatever its size.
pub(super) fn scaled_exp_of_sum(x: f64, rest: f64) -> Scaled {
    let x = x.clamp(-2900.0, 2800.0); // farther out the result is 0 or ±∞, whatever the factor
    let k = (x * std::f64::consts::LOG2_E).round_ties_even();
    let r = (x - k * LN_2_PARTS[0]) + (rest - k * LN_2_PARTS[1]);
    Scaled::new(elementary::exp(r)).shifted(k as i64)
}

/// `factor·exp(−weight·a²)` for finite a, a weight that is a power of two. What rounding takes from a² would
/// matter in the exponent.
pub(super) fn times_gauss(factor: Scaled, a: f64, weight: f64) -> f64 {
    factor.mul(scaled_gauss(a, weight)).to_f64()
}

/// `exp(−weight·a²)`, whatever its size.
pub(super) fn scaled_gauss(a: f64, weight: f64) -> Scaled {
    let a = a.abs().min(100.0); // 0 from far below this on, whatever the factor
    let high = f64::from_bits(a.to_bits() & (u64::MAX << 27));
    let (low, square) = (a - high, high * high); // the square is exact
    scaled_exp_of_sum(-weight * square, -weight * (low * (a + high)))
}

/// `ḡ·height·e/(1 + e)²` with `e = eᵗ`, t ≤ 0.
#[inline(always)]
pub(super) fn bell(g: f64, height: f64, t: f64) -> Fast<f64> {
    let (e, holds) = elementary::fast::exp(t);
    (bell_of(g, height, e), holds & is_normal(e))
}

#[inline(always)]
fn bell_of(g: f64, height: f64, e: f64) -> f64 {
    // The square of 1 + e with what rounding took from the sum.
    let sum = 1.0 + e;
    let low = e - (sum - 1.0);
    g * (height * e / (sum * sum + 2.0 * sum * low))
}

/// Where `e` is below the range, `(1 + e)²` is 1.
#[cold]
pub(super) fn bell_fallback(g: f64, height: f64, t: f64) -> f64 {
    let e = elementary::exp(t);
    if is_normal(e) {
        return bell_of(g, height, e);
    }
    if !t.is_finite() || !g.is_finite() {
        return g * e;
    }
    times_exp(Scaled::new(g).mul(Scaled::new(height)), t)
}
