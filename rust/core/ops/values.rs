//! The values of ops that are more than one operation or elementary function, and shorthands of the
//! table.

use crate::{elementary, rules};

/// `ln a`; Φ unless a > 0, without a branch.
#[inline(always)]
pub(super) fn log(a: f64) -> (f64, bool) {
    let (value, holds) = elementary::fast::ln(a);
    let positive = a > 0.0;
    (if positive { value } else { f64::NAN }, holds | !positive)
}

/// A fast contribution to the one operand.
#[inline(always)]
pub(super) fn unary((contribution, holds): (f64, bool)) -> ([f64; 2], bool) {
    ([contribution, 0.0], holds)
}

/// `ḡ·partial` for a partial in fast form.
#[inline(always)]
pub(super) fn scaled(g: f64, (partial, holds): (f64, bool)) -> ([f64; 2], bool) {
    ([g * partial, 0.0], holds)
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
pub(super) fn signum(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else {
        a + 0.0 // +0 for both zeros, NaN for NaN
    }
}

/// `ḡ` to the operand that won, half of it to each of two that tie.
#[inline(always)]
pub(super) fn share_of_extremum(g: f64, a_wins: bool, b_wins: bool) -> [f64; 2] {
    match (a_wins, b_wins) {
        (true, true) => [0.5 * g; 2],
        (true, false) => [g, 0.0 * g],
        _ => [0.0 * g, g],
    }
}

/// `xⁿ` by squaring, low bit first; `1 ÷ x⁻ⁿ` for negative n.
pub(crate) fn pow_int(x: f64, n: i32) -> f64 {
    if n == 0 {
        return if x != 0.0 && x.is_finite() { 1.0 } else { f64::NAN };
    }
    let (mut result, mut base, mut bits) = (1.0, x, n.unsigned_abs());
    while bits > 0 {
        if bits & 1 == 1 {
            result *= base;
        }
        base *= base;
        bits >>= 1;
    }
    if n < 0 { 1.0 / result } else { result }
}

/// `a·ln b`, and 0 for a = 0.
#[inline(always)]
pub(super) fn xlogy_fast(a: f64, b: f64) -> (f64, bool) {
    let (log, holds) = elementary::fast::ln(b);
    (if a == 0.0 { 0.0 } else { a * log }, holds)
}

pub(super) fn xlogy(a: f64, b: f64) -> f64 {
    match (a == 0.0, b > 0.0) {
        (true, _) if b >= 0.0 => 0.0,
        (_, true) => a * elementary::ln(b),
        _ => f64::NAN, // a Φ, or the logarithm of 0 or of a negative number
    }
}

/// `ln(1 + a)`; Φ unless a > −1, without a branch.
#[inline(always)]
pub(super) fn log1p(a: f64) -> (f64, bool) {
    let (value, holds) = elementary::fast::ln_1p(a);
    let inside = a > -1.0;
    (if inside { value } else { f64::NAN }, holds | !inside)
}

/// Whether the point (x, y) lies in a direction: neither at the origin nor at a corner of infinity.
#[inline(always)]
fn has_direction(y: f64, x: f64) -> bool {
    !((y == 0.0) & (x == 0.0) | y.is_infinite() & x.is_infinite())
}

#[inline(always)]
pub(super) fn atan2_fast(y: f64, x: f64) -> (f64, bool) {
    let (angle, holds) = elementary::fast::atan2(y, x);
    (angle, holds & has_direction(y, x))
}

pub(super) fn atan2(y: f64, x: f64) -> f64 {
    if has_direction(y, x) { elementary::atan2(y, x) } else { f64::NAN }
}

/// Where C99 has a power that is a limit here too. C99 sets x⁰ = 1ʸ = 1 whatever x and y are, and gives
/// negative bases infinite powers.
fn has_power(a: f64, b: f64) -> bool {
    if a.is_nan() || b.is_nan() {
        false
    } else if b.is_infinite() {
        a >= 0.0 && a != 1.0
    } else if a.is_infinite() {
        b != 0.0 && (a > 0.0 || b.trunc() == b)
    } else {
        a != 0.0 || b != 0.0
    }
}

#[inline(always)]
pub(super) fn pow_fast(a: f64, b: f64) -> (f64, bool) {
    let (power, holds) = elementary::fast::pow(a, b);
    (power, holds & (a > 0.0) & a.is_finite() & b.is_finite())
}

pub(super) fn pow(a: f64, b: f64) -> f64 {
    if has_power(a, b) { elementary::pow(a, b) } else { f64::NAN }
}

/// The mean of some values, 0 ÷ 0 of none.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0u64);
    for value in values {
        sum = if count == 0 { value } else { sum + value };
        count += 1;
    }
    sum / count as f64
}

/// `ln Σeˣ = m + ln(1 + Σ′)`, m the largest value and Σ′ the sum of `e^(x−m)` over the others; −∞ of
/// nothing.
pub(super) fn logsumexp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = rules::largest(values.clone());
    if largest.is_finite() {
        largest + elementary::ln_1p(rules::sum_beside(values, largest))
    } else {
        largest
    }
}
