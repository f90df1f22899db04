//! Functions that are smooth wherever they are REAL: slopes that must be right far out, and the arcs.

use super::{bell, bell_slow, exp, hypot_of, is_full, is_normal, times_exp};
use crate::elementary;
use crate::scaled::Scaled;

/// The slope of `sinc x` is `−π²x/3` near 0.
const SINC_BEND: f64 = -std::f64::consts::PI * std::f64::consts::PI / 3.0;

/// From twice this on, all doubles are even integers.
const FAR: f64 = (1u64 << 53) as f64;

/// `ḡ·(cos πx − sinc x)/x`.
#[inline(always)]
pub(crate) fn sinc(g: f64, x: f64) -> (f64, bool) {
    let (slope, holds) = elementary::fast::sinc_slope(x);
    (g * slope, holds & is_full(slope, x))
}

#[cold]
pub(crate) fn sinc_slow(g: f64, x: f64) -> f64 {
    let slope = elementary::sinc_slope(x);
    if is_full(slope, x) || !x.is_finite() || !g.is_finite() {
        g * slope
    } else if x.abs() < 1.0 {
        Scaled::new(g).mul(Scaled::new(x)).mul(Scaled::new(SINC_BEND)).to_f64()
    } else if x.abs() > FAR {
        // Every double is an even integer here.
        Scaled::new(g).div(Scaled::new(x)).to_f64()
    } else {
        g * slope
    }
}

/// `eˣ − 1`: `ḡ·eˣ`; [`exp_slow`](super::exp_slow) is the fallback form.
#[inline(always)]
pub(crate) fn expm1(g: f64, x: f64) -> (f64, bool) {
    let (power, holds) = elementary::fast::exp(x);
    let (contribution, full) = exp(g, power);
    (contribution, holds & full)
}

/// `1/(1 + e⁻ˣ)`: `ḡ·e/(1 + e)²` with `e = exp(−|x|)`.
#[inline(always)]
pub(crate) fn sigmoid(g: f64, x: f64) -> (f64, bool) {
    bell(g, 1.0, -x.abs())
}

#[cold]
pub(crate) fn sigmoid_slow(g: f64, x: f64) -> f64 {
    bell_slow(g, 1.0, -x.abs())
}

/// `ln(1 + eˣ)`: `ḡ/(1 + e⁻ˣ)`.
#[inline(always)]
pub(crate) fn softplus(g: f64, x: f64) -> (f64, bool) {
    let (slope, holds) = elementary::fast::sigmoid(x);
    (g * slope, holds & is_normal(slope))
}

/// Where the slope is below the range, it is eˣ.
#[cold]
pub(crate) fn softplus_slow(g: f64, x: f64) -> f64 {
    let slope = elementary::sigmoid(x);
    if is_normal(slope) || !x.is_finite() || !g.is_finite() {
        g * slope
    } else {
        times_exp(Scaled::new(g), x)
    }
}

/// `√(1 − x²)`, the other leg of the triangle with hypotenuse 1; 0 at ±1, NaN beyond.
#[inline(always)]
pub(crate) fn leg(x: f64) -> f64 {
    ((1.0 - x) * (1.0 + x)).sqrt()
}

/// `tan x`, bounded: `ḡ/(cos²x + b²)`.
#[inline(always)]
pub(crate) fn bounded_tan(g: f64, x: f64, b: f64) -> (f64, bool) {
    let (cosine, holds) = elementary::fast::cos(x);
    let (h, full) = hypot_of(cosine, b);
    let quotient = g / h;
    (quotient / h, holds & full & is_full(quotient, g))
}

#[cold]
pub(crate) fn bounded_tan_slow(g: f64, x: f64, b: f64) -> f64 {
    let cosine = elementary::cos(x);
    if !(g.is_finite() && cosine.is_finite()) {
        return g * cosine;
    }
    let h = Scaled::new(cosine).hypot(b);
    Scaled::new(g).div(h).div(h).to_f64()
}
