//! The bounded reciprocal of the Saturating rule, `recip(y) = sign(y)/√(y² + s²)`, and the rules of
//! singular ops by themselves.

use super::form::{Fast, Form, guarded};
use super::range::is_full;
pub(super) use super::range::smoothed;
use super::registry::Op;
use crate::scaled::Scaled;

/// `ḡ·recip(y)`.
#[inline(always)]
pub(super) fn times_recip(g: f64, y: f64, s: f64) -> impl Form<f64> {
    guarded(times_recip_fast(g, y, s), move || times_recip_fallback(g, y, s))
}

#[inline(always)]
pub(super) fn times_recip_fast(g: f64, y: f64, s: f64) -> Fast<f64> {
    let g = if y < 0.0 { -g } else { g };
    let (h, full) = smoothed(y, s);
    (g / h, full & (y != 0.0) & y.is_finite())
}

#[cold]
fn times_recip_fallback(g: f64, y: f64, s: f64) -> f64 {
    if y == 0.0 || !y.is_finite() {
        return g * 0.0;
    }
    let g = if y < 0.0 { -g } else { g };
    if g.is_finite() { Scaled::new(g).div(Scaled::new(y).hypot(s)).to_f64() } else { g / smoothed(y, s).0 }
}

/// `[ḡ·recip(y), −ḡ·a/(y² + s²)]`, what a quotient `a/y` passes to `a` and `y`.
#[inline(always)]
pub(super) fn quotient(g: f64, a: f64, y: f64, s: f64) -> impl Form<[f64; 2]> {
    guarded(quotient_fast(g, a, y, s), move || quotient_fallback(g, a, y, s))
}

#[inline(always)]
fn quotient_fast(g: f64, a: f64, y: f64, s: f64) -> Fast<[f64; 2]> {
    let (h, full) = smoothed(y, s);
    let (left, right) = (g / h, a / h);
    let to_a = if y < 0.0 { -left } else { left };
    let finite = g.is_finite() & a.is_finite() & y.is_finite() & (y != 0.0);
    ([to_a, -left * right], full & finite & is_full(left, g) & is_full(right, a))
}

#[cold]
fn quotient_fallback(g: f64, a: f64, y: f64, s: f64) -> [f64; 2] {
    let to_a = times_recip(g, y, s).full();
    if !(g.is_finite() && a.is_finite() && y.is_finite()) {
        // Nothing passes from an infinite y, whatever g and a multiply to.
        return [to_a, if y.is_finite() { -(g * a) } else { -(g * 0.0) * a }];
    }
    let (h, full) = smoothed(y, s);
    let (left, right) = (g / h, a / h);
    let to_y = if full && is_full(left, g) && is_full(right, a) {
        -left * right
    } else {
        let h = Scaled::new(y).hypot(s);
        Scaled::new(-g).mul(Scaled::new(a)).div(h).div(h).to_f64()
    };
    [to_a, to_y]
}

/// `recip(y) = sign(y)/√(y² + s²)` for REAL `y`, so 0 at ±0; 0 for ±∞ and Φ.
pub fn recip(y: f64, s: f64) -> f64 {
    times_recip(1.0, y, s).full()
}

/// `x/(|x| + s)`, which squeezes every value into [−1, 1]: ±∞ → ±1, Φ → 0.
pub fn saturate(x: f64, s: f64) -> f64 {
    if x.is_nan() {
        0.0
    } else if x.abs() > s {
        1.0f64.copysign(x) / (1.0 + s / x.abs())
    } else {
        x / (x.abs() + s)
    }
}

/// What a singular op passes to its operands under the Saturating rule: a contribution that is not
/// REAL is dropped, and a `Φ` node passes nothing.
pub fn saturating_contributions(op: Op, g: f64, a: f64, b: f64, bound: f64) -> [f64; 2] {
    let z = op.value(a, b);
    if z.is_nan() {
        return [0.0; 2];
    }
    let rule = if op.pole(a, b).is_some() { op.bounded(g, a, b, z, bound) } else { op.classical(g, a, b, z) };
    rule.map(|contribution| if contribution.is_finite() { contribution } else { 0.0 })
}
