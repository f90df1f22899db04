//! `xʸ` for real exponents.
//!
//! `e^(y·ln x)`, where an error of the exponent becomes a relative error of the power, so with results up to
//! e⁷⁰⁹ the logarithm needs ten bits more than a double has. It is computed in two doubles, to 2⁻⁶⁹.

use super::exact::{fast_two_sum, product_in_two, quotient, two_product, two_sum};
use super::exponential::{
    LN_2_HIGH, LN_2_LOW, NORMAL, OVERFLOW, Reduced, UNDERFLOW, exp_reduced_closely, reduce, scaled_once,
};
use super::logarithm;

/// ln x is 0 or at least 2⁻⁵³, so larger exponents overflow or underflow, as this one does.
const LARGEST_EXPONENT: f64 = (1u128 << 64) as f64;
/// From here on all doubles are integers, and from twice that on they are even.
const ALL_INTEGERS: f64 = (1u64 << 52) as f64;

/// `ln(x·2⁻ˡ)` in two doubles, for normal x > 0.
///
/// `x·2⁻ˡ = 2ᵏ·(1 + f)` and, with `s = f/(2 + f)` and `z = s²`, `ln(1 + f) = 2s + s·z·(⅔ + z·(⅖ + z·Q(z)))`.
/// Only Q, whose share is below 2⁻¹⁸, is computed in one double.
#[inline(always)]
pub(super) fn ln_in_two(x: f64, lift: i32) -> (f64, f64) {
    const TWO_THIRDS: (f64, f64) = (2.0 / 3.0, 3.700743415417188e-17);
    const TWO_FIFTHS: (f64, f64) = (0.4, -2.2204460492503132e-17);
    let (k, f) = logarithm::split(x, lift);
    let (below, below_low) = fast_two_sum(2.0, f);
    let (s, s_low) = quotient(f, 0.0, below, below_low);
    // The quotient has 26 bits, so its square is exact.
    let (z, z_low) = fast_two_sum(s * s, s_low * (s + s + s_low));

    let (sum, error) = fast_two_sum(TWO_FIFTHS.0, z * rest(z));
    let (product, product_low) = product_in_two((z, z_low), (sum, error + TWO_FIFTHS.1));
    let (sum, error) = fast_two_sum(TWO_THIRDS.0, product);
    let (w, w_low) = product_in_two((z, z_low), (sum, error + (product_low + TWO_THIRDS.1)));
    let (s, s_low) = fast_two_sum(s, s_low);
    let (cubic, cubic_low) = product_in_two((s, s_low), (w, w_low));

    let (sum, first) = fast_two_sum(k * LN_2_HIGH, s + s);
    let (sum, second) = fast_two_sum(sum, cubic);
    fast_two_sum(sum, (first + second) + (k * LN_2_LOW + (s_low + s_low + cubic_low)))
}

/// `Q(z) = (2·artanh(s)/s − 2 − ⅔z − ⅖z²)/z³` for `z = s²`, `|s| ≤ 0.1716`.
///
/// Remez, relative error of the logarithm made of it below 2⁻⁷².
#[inline(always)]
fn rest(z: f64) -> f64 {
    const C: [f64; 7] = [
        0.28571428571433155,
        0.2222222222001469,
        0.1818181860507495,
        0.1538457292861287,
        0.13335761833550122,
        0.11685070198658085,
        0.11910721198650662,
    ];
    let z2 = z * z;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let high = (C[4] + z * C[5]) + z2 * C[6];
    low + (z2 * z2) * high
}

/// `y·ln(x·2⁻ˡ)` as one double, and reduced for the exponential function.
#[inline(always)]
fn exponent(x: f64, lift: i32, y: f64) -> (f64, Reduced) {
    let (ln, ln_low) = ln_in_two(x, lift);
    let (exponent, error) = two_product(y, ln);
    let Reduced { n, r, c } = reduce(exponent);
    let (r, c) = two_sum(r, c + (error + y * ln_low));
    (exponent, Reduced { n, r, c })
}

/// `xʸ`, which holds for normal x > 0, if it is a normal double.
#[inline(always)]
pub(super) fn pow_fast(x: f64, y: f64) -> (f64, bool) {
    let (exponent, Reduced { n, r, c }) = exponent(x, 0, y);
    let power = f64::from_bits(exp_reduced_closely(r, c).to_bits().wrapping_add(n << 52));
    let holds = (f64::MIN_POSITIVE..=f64::MAX).contains(&x)
        & (y.abs() <= LARGEST_EXPONENT)
        & (exponent.abs() <= NORMAL);
    // Squares are rounded correctly.
    (if y == 2.0 { x * x } else { power }, holds)
}

/// `xʸ` for all other operands, with the special cases of C99.
#[cold]
#[inline(never)]
pub(super) fn pow_fallback(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let parity = Parity::of(y);
    if x < 0.0 && x.is_finite() && y.is_finite() && parity == Parity::NoInteger {
        return f64::NAN;
    }
    let power = pow_of_magnitude(x.abs(), y);
    if x.is_sign_negative() && parity == Parity::Odd { -power } else { power }
}

#[derive(PartialEq)]
enum Parity {
    Odd,
    Even,
    NoInteger,
}

impl Parity {
    fn of(y: f64) -> Parity {
        let magnitude = y.abs();
        if magnitude >= 2.0 * ALL_INTEGERS {
            return Parity::Even; // ±∞ too, of which no power is negative
        }
        // Below 2⁵² adding it rounds to an integer; from there on every double is one.
        let integer =
            if magnitude < ALL_INTEGERS { (magnitude + ALL_INTEGERS) - ALL_INTEGERS } else { magnitude };
        match (integer == magnitude, integer as u64 & 1) {
            (false, _) => Parity::NoInteger,
            (true, 1) => Parity::Odd,
            (true, _) => Parity::Even,
        }
    }
}

/// `xʸ` for x ≥ 0 and y ≠ 0, no NaN among them.
fn pow_of_magnitude(x: f64, y: f64) -> f64 {
    if x == 1.0 {
        return 1.0;
    }
    if x == 0.0 || x == f64::INFINITY || y.is_infinite() {
        return if (x > 1.0) == (y > 0.0) { f64::INFINITY } else { 0.0 };
    }
    if y == 2.0 {
        return x * x;
    }
    let (x, lift) =
        if x < f64::MIN_POSITIVE { (x * (1u64 << logarithm::LIFT) as f64, logarithm::LIFT) } else { (x, 0) };
    let bounded = y.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT);
    let (exponent, Reduced { n, r, c }) = exponent(x, lift, bounded);
    if exponent > OVERFLOW {
        f64::INFINITY
    } else if exponent < UNDERFLOW {
        0.0
    } else {
        scaled_once(exp_reduced_closely(r, c), n, exponent > 0.0)
    }
}
