//! `sinh x` and `cosh x`.
//!
//! With `|x| = n·ln 2 + r`, `|r| ≤ ln 2/2`, they are half the difference and half the sum of `2ⁿ·eʳ` and
//! `2⁻ⁿ·e⁻ʳ`. Powers of two and `±r + r²/2` are summed with their rounding errors, since near 0 and for n = 1
//! terms cancel.

use super::exact::{fast_two_sum, half_square, two_sum};
use super::exponential::{NORMAL, Reduced, exp_reduced_closely, reduce, scaled_once};
use super::trigonometric::SIGN;

/// Beyond this both overflow.
const OVERFLOW: f64 = 710.48;

/// `(sinh r − r)/r³` for `z = r²`, `|r| ≤ ln 2/2`.
///
/// Remez, relative error of the hyperbolic sine made of it below 2⁻⁶⁰.
#[inline(always)]
fn sinh_rest(z: f64) -> f64 {
    const C: [f64; 5] = [
        0.16666666666666677,
        0.00833333333332168,
        0.00019841269885996428,
        2.7557244345841656e-06,
        2.5108987772068324e-08,
    ];
    (C[0] + z * C[1]) + (z * z) * ((C[2] + z * C[3]) + (z * z) * C[4])
}

/// `(cosh r − 1 − r²/2)/r⁴` for `z = r²`, `|r| ≤ ln 2/2`.
///
/// Remez, relative error of the hyperbolic cosine made of it below 2⁻⁶⁶.
#[inline(always)]
fn cosh_rest(z: f64) -> f64 {
    const C: [f64; 5] = [
        0.041666666666666685,
        0.0013888888888873633,
        2.4801587348437937e-05,
        2.7557252514678046e-07,
        2.0921545081952467e-09,
    ];
    (C[0] + z * C[1]) + (z * z) * ((C[2] + z * C[3]) + (z * z) * C[4])
}

/// `[sinh x, cosh x]`, which hold for |x| ≤ [`NORMAL`].
#[inline(always)]
pub(super) fn sinh_cosh_fast(x: f64) -> ([f64; 2], bool) {
    let magnitude = x.abs();
    let Reduced { n, r, c } = reduce(magnitude);
    let (up, down) =
        (f64::from_bits(n.wrapping_add(1023) << 52), f64::from_bits(1023u64.wrapping_sub(n) << 52));

    // e^±(r + c) − 1, each as a large and a small term.
    let z = r * r;
    let (half_square, half_square_low) = half_square(r);
    let odd = r * z * sinh_rest(z) + (c + c * half_square);
    let even = half_square_low + (z * z * cosh_rest(z) + c * r);
    let (rise, error) = fast_two_sum(r, half_square);
    let rise_low = error + (even + odd);
    let (fall, error) = fast_two_sum(-r, half_square);
    let fall_low = error + (even - odd);

    let combined = |down: f64| {
        let (whole, first) = fast_two_sum(up, down);
        let (part, second) = two_sum(up * rise, down * fall);
        // The whole is 0 or the larger one.
        let (sum, third) = fast_two_sum(whole, part);
        // Halved last, so that subnormals lose nothing.
        0.5 * (sum + (third + (first + second + (up * rise_low + down * fall_low))))
    };
    let (sinh, cosh) = (combined(-down), combined(down));
    ([f64::from_bits(sinh.to_bits() | (x.to_bits() & SIGN)), cosh], magnitude <= NORMAL)
}

/// `[sinh x, cosh x]` where they are `±e^|x|/2` and may overflow; NaN for NaN.
#[cold]
#[inline(never)]
pub(super) fn sinh_cosh_fallback(x: f64) -> [f64; 2] {
    if x.is_nan() {
        return [f64::NAN; 2];
    }
    let magnitude = x.abs();
    let value = if magnitude > OVERFLOW {
        f64::INFINITY
    } else {
        let Reduced { n, r, c } = reduce(magnitude);
        scaled_once(exp_reduced_closely(r, c), n.wrapping_sub(1), true)
    };
    [value.copysign(x), value]
}
