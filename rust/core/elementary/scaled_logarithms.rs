//! `log₂ x` and `log₁₀ x`.
//!
//! `k·log 2 + ln(1 + f)·log e`, the logarithms to the base in question, with both products in two doubles:
//! so the error hardly exceeds that of `ln`, and logarithms that are integers are exact.

use super::exact::{fast_two_sum, two_product};
use super::logarithm;

/// Logarithms to a base, in two doubles each.
struct Base {
    /// Of 2: the first part has so few bits that its products with exponents are exact.
    two: (f64, f64),
    e: (f64, f64),
}

const TWO: Base = Base { two: (1.0, 0.0), e: (std::f64::consts::LOG2_E, 2.0355273740931033e-17) };
const TEN: Base = Base {
    two: (f64::from_bits(0x3fd3_4413_509f_7800), 2.8363394551044964e-14),
    e: (std::f64::consts::LOG10_E, 1.098319650216765e-17),
};

/// The logarithm of `x·2⁻ˡ` for normal x > 0.
#[inline(always)]
fn scaled(x: f64, lift: i32, base: &Base) -> f64 {
    let (k, f) = logarithm::split(x, lift);
    let (sum, rest) = logarithm::parts(0.0, f, -0.0);
    let (ln, ln_low) = fast_two_sum(sum, rest);
    let (product, error) = two_product(ln, base.e.0);
    let product_low = error + (ln * base.e.1 + ln_low * base.e.0);
    let (sum, error) = fast_two_sum(k * base.two.0, product);
    sum + (error + (product_low + k * base.two.1))
}

/// The logarithm, which holds for normal x > 0.
#[inline(always)]
fn log_fast(x: f64, base: &Base) -> (f64, bool) {
    (scaled(x, 0, base), (f64::MIN_POSITIVE..=f64::MAX).contains(&x))
}

/// The logarithm of subnormals, zeros (−∞), negative numbers (NaN), +∞ and NaN.
fn log_fallback(x: f64, base: &Base) -> f64 {
    if x == 0.0 {
        f64::NEG_INFINITY
    } else if x == f64::INFINITY {
        x
    } else if x > 0.0 {
        scaled(x * (1u64 << logarithm::LIFT) as f64, logarithm::LIFT, base)
    } else {
        f64::NAN
    }
}

/// `log₂ x`, which holds for normal x > 0.
#[inline(always)]
pub(super) fn log2_fast(x: f64) -> (f64, bool) {
    log_fast(x, &TWO)
}

/// `log₂ x` for all other operands.
#[cold]
#[inline(never)]
pub(super) fn log2_fallback(x: f64) -> f64 {
    log_fallback(x, &TWO)
}

/// `log₁₀ x`, which holds for normal x > 0.
#[inline(always)]
pub(super) fn log10_fast(x: f64) -> (f64, bool) {
    log_fast(x, &TEN)
}

/// `log₁₀ x` for all other operands.
#[cold]
#[inline(never)]
pub(super) fn log10_fallback(x: f64) -> f64 {
    log_fallback(x, &TEN)
}
