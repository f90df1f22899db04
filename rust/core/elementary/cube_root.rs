//! `∛x`.

use super::exact::{SHIFT, from_integer, power_of_two};
use super::trigonometric::SIGN;

/// Subnormals times the cube of this are normal.
const LIFT: f64 = power_of_two(18);

/// `∛m` for m from 1 to 2.
///
/// Remez, relative error below 2⁻¹⁶.
#[inline(always)]
fn first_guess(m: f64) -> f64 {
    const C: [f64; 5] = [
        0.5069793738219066,
        0.7181539497799605,
        -0.3006115708085593,
        0.08609135239677959,
        -0.010603897522567657,
    ];
    (C[0] + m * C[1]) + (m * m) * ((C[2] + m * C[3]) + (m * m) * C[4])
}

/// `∛x`, which holds for normal x.
///
/// `|x| = 2³ⁿ·m`, m from ½ to 4. A guess g of 17 bits has an exact cube, `d = (m − g³)/g³` an exact dividend,
/// and `∛m = g·∛(1 + d)` with |d| < 2⁻¹³ is a series of which four terms count. The only rounding that
/// does is that of the last sum, so roots that are doubles are exact.
#[inline(always)]
pub(super) fn cbrt_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let bits = magnitude.to_bits();
    let exponent = from_integer(bits >> 52) - 1023.0;
    let shifted = exponent * (1.0 / 3.0) + SHIFT;
    let rest = exponent - 3.0 * (shifted - SHIFT);

    let mantissa = f64::from_bits((bits & (u64::MAX >> 12)) | 1.0f64.to_bits());
    let (power, root) = if rest > 0.0 { (2.0, 1.2599210498948732) } else { (1.0, 1.0) };
    let (power, root) = if rest < 0.0 { (0.5, 0.7937005259840998) } else { (power, root) };
    let m = mantissa * power;
    let guess = f64::from_bits((first_guess(mantissa) * root).to_bits() & (u64::MAX << 36));
    let cube = guess * guess * guess;
    let d = (m - cube) / cube;
    let series = d * ((1.0 / 3.0 - d * (1.0 / 9.0)) + (d * d) * (5.0 / 81.0 - d * (10.0 / 243.0)));
    let value = guess + guess * series;

    let value = value.to_bits().wrapping_add(shifted.to_bits() << 52);
    (f64::from_bits(value | (x.to_bits() & SIGN)), (f64::MIN_POSITIVE..=f64::MAX).contains(&magnitude))
}

/// `∛x` for subnormals, zeros, ±∞ and NaN.
#[cold]
#[inline(never)]
pub(super) fn cbrt_fallback(x: f64) -> f64 {
    if x.is_nan() {
        f64::NAN
    } else if x == 0.0 || x.is_infinite() {
        x
    } else {
        cbrt_fast(x * (LIFT * LIFT * LIFT)).0 * (1.0 / LIFT)
    }
}
