//! `z = xʸ` for real exponents.
//!
//! Partials are made of the power itself: `y·z/x` and `z·ln x`. An exponent `y − 1` would be rounded, and
//! a power multiplies what is lost by ln x.

use super::{bounded_recip, is_full, is_normal};
use crate::elementary;
use crate::scaled::Scaled;

/// `ḡ·y·z/x` to `x`, `ḡ·z·ln x` to `y`.
#[inline(always)]
pub(crate) fn pow(g: f64, x: f64, y: f64, z: f64) -> ([f64; 2], bool) {
    let (log, holds) = elementary::fast::ln(x);
    let (by_y, ratio, by_log) = (g * y, z / x, g * log);
    let full = is_normal(z) & is_full(by_y, g) & is_full(ratio, z) & (is_full(by_log, g) | (log == 0.0));
    ([by_y * ratio, by_log * z], holds & full & y.is_finite() & g.is_finite())
}

/// Whether every number that the contributions are made of is finite, and `x` is not 0.
fn is_ordinary(g: f64, x: f64, y: f64) -> bool {
    g.is_finite() && x.is_finite() && x != 0.0 && y.is_finite()
}

/// More than any product of three doubles makes up for.
const HOPELESS: i64 = 1 << 13;

/// `|x|ʸ` where it may be outside the range, for finite x ≠ 0 and y.
fn scaled_power(x: f64, y: f64) -> Scaled {
    let quarter = elementary::pow(x.abs(), 0.25 * y);
    if is_normal(quarter) {
        Scaled::new(quarter).powi(4)
    } else {
        Scaled::new(1.0).shifted(if quarter > 1.0 { HOPELESS } else { -HOPELESS })
    }
}

/// The sign of `xⁿ` for an integer n.
fn sign_of_power(x: f64, n: f64) -> f64 {
    elementary::pow(1f64.copysign(x), n)
}

#[cold]
pub(crate) fn pow_slow(g: f64, x: f64, y: f64, z: f64) -> [f64; 2] {
    if z.is_nan() {
        return [z; 2];
    }
    [pow_slow_to_base(g, x, y, z), pow_slow_to_exponent(g, x, y, z)]
}

fn pow_slow_to_base(g: f64, x: f64, y: f64, z: f64) -> f64 {
    if y == 0.0 {
        return g * 0.0;
    }
    if y == 1.0 {
        return g;
    }
    if !is_ordinary(g, x, y) {
        return g * (y * elementary::pow(x, y - 1.0)); // only zeros and infinities decide here
    }
    let scale = Scaled::new(g).mul(Scaled::new(y));
    if is_normal(z) {
        return scale.mul(Scaled::new(z)).div(Scaled::new(x)).to_f64();
    }
    let scale = scale.mul(Scaled::new(sign_of_power(x, y))).div(Scaled::new(x));
    scale.mul(scaled_power(x, y)).to_f64()
}

fn pow_slow_to_exponent(g: f64, x: f64, y: f64, z: f64) -> f64 {
    if x == 0.0 && y > 0.0 {
        return g * 0.0; // constant in y
    }
    if x < 0.0 || !is_ordinary(g, x, y) {
        return g * (z * elementary::ln(x)); // Φ for a negative base
    }
    let power = if is_normal(z) { Scaled::new(z) } else { scaled_power(x, y) };
    Scaled::new(g).mul(Scaled::new(elementary::ln(x))).mul(power).to_f64()
}

/// Bounded, for y < 1 and y ≠ 0. To `x`: `ḡ·y·recip(x^(1−y))` for y < 0, `ḡ·recip(x^(1−y)/y)` else; to `y`:
/// `ḡ·recip(x⁻ʸ)·ln x` for y < 0, and the classical contribution else.
#[inline(always)]
pub(crate) fn bounded_pow(g: f64, x: f64, y: f64, z: f64, b: f64) -> ([f64; 2], bool) {
    let (log, holds) = elementary::fast::ln(x);
    let (by_y, by_log, inverse) = (g * y, g * log, x / z);
    let falls = y < 0.0;
    let (scale, base) = if falls { (by_y, inverse) } else { (g, inverse / y) };
    let (to_x, full_x) = bounded_recip(scale, base, b);
    let (bounded_to_y, full_y) = bounded_recip(by_log, 1.0 / z, b);
    let to_y = if falls { bounded_to_y } else { by_log * z };
    let full = is_normal(z) & is_normal(inverse) & is_normal(base) & is_full(scale, g);
    let full_log = is_full(by_log, g) | (log == 0.0);
    ([to_x, to_y], holds & full & full_log & full_x & (full_y | !falls) & g.is_finite())
}

#[cold]
pub(crate) fn bounded_pow_slow(g: f64, x: f64, y: f64, z: f64, b: f64) -> [f64; 2] {
    if z.is_nan() {
        return [z; 2];
    }
    let to_y = if y < 0.0 { bounded_to_exponent(g, x, y, z, b) } else { pow_slow_to_exponent(g, x, y, z) };
    [bounded_to_base(g, x, y, z, b), to_y]
}

fn bounded_to_base(g: f64, x: f64, y: f64, z: f64, b: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return g * 0.0;
    }
    if !g.is_finite() {
        return g;
    }
    let power = if is_normal(z) { Scaled::new(z.abs()) } else { scaled_power(x, y) };
    let inverse = Scaled::new(x.abs()).div(power);
    let sign = if x < 0.0 { -sign_of_power(x, y) } else { 1.0 };
    let (g, y_scaled) = (Scaled::new(sign * g), Scaled::new(y));
    if y < 0.0 {
        g.mul(y_scaled).div(inverse.hypot(b)).to_f64()
    } else {
        g.div(inverse.div(y_scaled).hypot(b)).to_f64()
    }
}

fn bounded_to_exponent(g: f64, x: f64, y: f64, z: f64, b: f64) -> f64 {
    let log = elementary::ln(x);
    if x == 0.0 || !log.is_finite() || !g.is_finite() {
        return g * 0.0 * log; // recip is 0 at 0 and at ±∞
    }
    let power = if is_normal(z) { Scaled::new(z) } else { scaled_power(x, y) };
    Scaled::new(g).mul(Scaled::new(log)).div(Scaled::new(1.0).div(power).hypot(b)).to_f64()
}
