//! `x − y·⌊x/y⌋`, with the sign of the divisor, and `⌊x/y⌋`.
//!
//! The remainder of magnitudes is a double, whatever the quotient. Below a quotient of 2⁵⁰ the integer next
//! to it and the products of its halves with those of the divisor are exact, hence the rest too.

use super::exact::{SHIFT, head, power_of_two};
use super::trigonometric::SIGN;

/// The fast form holds for quotients below this.
const QUOTIENT: f64 = (1u64 << 50) as f64;
/// It holds for dividends up to this: products next to them do not overflow.
const DIVIDEND: f64 = power_of_two(1022);
/// From here on doubles are integers.
const ALL_INTEGERS: f64 = (1u64 << 53) as f64;

/// `x = (quotient + rest/|y|)·y`.
struct Nearest {
    /// An integer at most 0.57 away from x/y; a zero has the sign of x/y.
    quotient: f64,
    /// The rest of x with the sign it has beside y.
    rest: f64,
    holds: bool,
}

/// Holds for normal divisors, dividends up to [`DIVIDEND`] and quotients below [`QUOTIENT`].
///
/// The heads have 26 bits, the tail of the quotient has 24 and that of the divisor 27, so all products are
/// exact. The first one is 0 or close to the dividend: their difference is exact. If the quotient has no tail,
/// the second difference is the rest, which is a double. If it has one, the quotient is at least 2²⁶, and
/// the second difference is a multiple of 2ᵐ⁻⁷⁷ below 2ᵐ⁻²⁴, with m the sum of the exponents of quotient and
/// divisor: a double too. The others are multiples of the same, and smaller.
#[inline(always)]
fn nearest(x: f64, y: f64) -> Nearest {
    let (dividend, divisor) = (x.abs(), y.abs());
    let ratio = dividend / divisor;
    let quotient = (ratio + SHIFT) - SHIFT;
    let (q, d) = (head(quotient), head(divisor));
    let (q_tail, d_tail) = (quotient - q, divisor - d);
    let rest = (((dividend - q * d) - q * d_tail) - q_tail * d) - q_tail * d_tail;

    let turn = |value: f64| f64::from_bits(value.to_bits() ^ ((x.to_bits() ^ y.to_bits()) & SIGN));
    let holds =
        (f64::MIN_POSITIVE..=f64::MAX).contains(&divisor) & (dividend <= DIVIDEND) & (ratio < QUOTIENT);
    Nearest { quotient: turn(quotient), rest: turn(rest), holds }
}

/// The remainder, which holds where [`nearest`] does.
#[inline(always)]
pub(super) fn remainder_fast(x: f64, y: f64) -> (f64, bool) {
    let Nearest { rest, holds, .. } = nearest(x, y);
    let magnitude = if rest < 0.0 { rest + y.abs() } else { rest.abs() };
    (f64::from_bits(magnitude.to_bits() | (y.to_bits() & SIGN)), holds)
}

/// `⌊x/y⌋`, which holds where [`nearest`] does.
#[inline(always)]
pub(super) fn floor_quotient_fast(x: f64, y: f64) -> (f64, bool) {
    let Nearest { quotient, rest, holds } = nearest(x, y);
    (if rest < 0.0 { quotient - 1.0 } else { quotient }, holds)
}

/// Neither function is defined: x is infinite, y is 0, or one of them is NaN.
fn is_undefined(x: f64, y: f64) -> bool {
    !x.is_finite() || y == 0.0 || y.is_nan()
}

/// The remainder for all other operands.
#[cold]
#[inline(never)]
pub(super) fn remainder_fallback(x: f64, y: f64) -> f64 {
    if is_undefined(x, y) {
        return f64::NAN;
    }
    let rest = x % y;
    if rest == 0.0 {
        0.0f64.copysign(y)
    } else if (rest < 0.0) == (y < 0.0) {
        rest
    } else {
        rest + y
    }
}

/// `⌊x/y⌋` for all other operands.
#[cold]
#[inline(never)]
pub(super) fn floor_quotient_fallback(x: f64, y: f64) -> f64 {
    if is_undefined(x, y) {
        return f64::NAN;
    }
    let ratio = x / y;
    if ratio.abs() > ALL_INTEGERS {
        return ratio;
    }
    let (dividend, divisor) = (x.abs(), y.abs());
    // Eight times an integer below 2⁵⁰, of which the rounded quotient is close enough, and one below 8.
    let by_8 = 8.0 * divisor; // may be ∞, which no dividend reaches
    let (rest_by_8, rest) = (dividend % by_8, dividend % divisor);
    let eights = ((dividend - rest_by_8) / by_8).round();
    let whole = 8.0 * eights + ((rest_by_8 - rest) / divisor).round();
    if ratio.is_sign_positive() {
        whole
    } else if rest == 0.0 {
        -whole
    } else {
        -(whole + 1.0)
    }
}
