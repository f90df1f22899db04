//! Lengths and angles. What a length passes on is a direction, so at most ḡ; an angle is singular where
//! there is no direction, at the origin.

use super::{is_full, is_normal};
use crate::elementary;
use crate::scaled::Scaled;

/// `h = √(a² + b²)`: `ḡ·a/h` and `ḡ·b/h`.
#[inline(always)]
pub(crate) fn hypot(g: f64, a: f64, b: f64, h: f64) -> ([f64; 2], bool) {
    let (along_a, along_b) = (a / h, b / h);
    ([g * along_a, g * along_b], is_normal(h) & is_full(along_a, a) & is_full(along_b, b))
}

#[cold]
pub(crate) fn hypot_slow(g: f64, a: f64, b: f64, h: f64) -> [f64; 2] {
    let shared = norm_shared([a, b].into_iter(), h);
    [norm_slow(g, a, shared), norm_slow(g, b, shared)]
}

/// Inputs whose norm is no normal double are multiplied by two to this or to minus this.
const LIFT: i32 = 600;

/// What the shares of a norm have in common: `[length, e]` with the norm `length·2ᵉ`, `e` 0 where the norm
/// itself is a normal double; beside infinite inputs `[+∞, how many]`.
pub(crate) fn norm_shared(inputs: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2] {
    if is_normal(z) || z == 0.0 {
        return [z, 0.0];
    }
    let infinite = inputs.clone().filter(|x| x.is_infinite()).count();
    if infinite > 0 {
        return [f64::INFINITY, infinite as f64];
    }
    // What scaling loses is too small to count.
    let lift = if z.is_infinite() { -LIFT } else { LIFT };
    let unit = 2f64.powi(lift);
    [elementary::norm(inputs.map(|x| x * unit)), f64::from(-lift)]
}

/// `z = √Σx²`: `ḡ·x/z`.
#[inline(always)]
pub(crate) fn norm(g: f64, x: f64, [length, exponent]: [f64; 2]) -> (f64, bool) {
    let along = x / length;
    (g * along, (exponent == 0.0) & is_normal(length) & is_full(along, x))
}

#[cold]
pub(crate) fn norm_slow(g: f64, x: f64, [length, exponent]: [f64; 2]) -> f64 {
    if length == 0.0 {
        g * 0.0
    } else if length.is_infinite() {
        match x.is_infinite() {
            true if exponent == 1.0 => g * x.signum(),
            true => f64::NAN,
            false => g * 0.0,
        }
    } else if g.is_finite() && x.is_finite() && length.is_finite() {
        Scaled::new(g).mul(Scaled::new(x)).div(Scaled::new(length).shifted(exponent as i64)).to_f64()
    } else {
        g * x
    }
}

/// The distance of the point (x, y) to the origin; of a REAL point it is REAL.
#[inline(always)]
pub(crate) fn distance_to_origin(y: f64, x: f64) -> f64 {
    let distance = elementary::hypot(y, x);
    if y.is_finite() & x.is_finite() & (distance > f64::MAX) { f64::MAX } else { distance }
}

/// The angle of the point (x, y): `ḡ·x/h²` to `y` and `−ḡ·y/h²` to `x`, for `h²` the square of the distance
/// to the origin or that and more.
#[inline(always)]
fn turn(g: f64, y: f64, x: f64, h: f64) -> ([f64; 2], bool) {
    let (across_y, across_x, quotient) = (x / h, y / h, g / h);
    let full = is_normal(h) & is_full(across_y, x) & is_full(across_x, y) & is_full(quotient, g);
    ([quotient * across_y, -quotient * across_x], full)
}

fn turn_slow(g: f64, y: f64, x: f64, h: impl FnOnce() -> Scaled) -> [f64; 2] {
    if !(y.is_finite() && x.is_finite() && g.is_finite()) {
        return [g * 0.0; 2];
    }
    let (g, h) = (Scaled::new(g), h());
    [x, -y].map(|across| g.mul(Scaled::new(across)).div(h).div(h).to_f64())
}

/// `√(a² + b²)` of two finite numbers, not both 0.
fn length(a: f64, b: f64) -> Scaled {
    let (large, small) = if a.abs() < b.abs() { (b, a) } else { (a, b) };
    Scaled::new(small).hypot(large.abs())
}

#[inline(always)]
pub(crate) fn atan2(g: f64, y: f64, x: f64) -> ([f64; 2], bool) {
    let (h, holds) = elementary::fast::hypot(y, x);
    let (contributions, full) = turn(g, y, x, h);
    (contributions, holds & full)
}

#[cold]
pub(crate) fn atan2_slow(g: f64, y: f64, x: f64) -> [f64; 2] {
    match turn(g, y, x, elementary::hypot(y, x)) {
        (contributions, true) => contributions,
        _ if y == 0.0 && x == 0.0 => [f64::NAN; 2],
        _ => turn_slow(g, y, x, || length(y, x)),
    }
}

/// Bounded: `h² = x² + y² + b²`.
#[inline(always)]
pub(crate) fn bounded_atan2(g: f64, y: f64, x: f64, b: f64) -> ([f64; 2], bool) {
    let (distance, holds) = elementary::fast::hypot(y, x);
    let (h, holds_too) = elementary::fast::hypot(distance, b);
    let (contributions, full) = turn(g, y, x, h);
    (contributions, holds & holds_too & full)
}

#[cold]
pub(crate) fn bounded_atan2_slow(g: f64, y: f64, x: f64, b: f64) -> [f64; 2] {
    match turn(g, y, x, elementary::hypot(elementary::hypot(y, x), b)) {
        (contributions, true) => contributions,
        _ if y == 0.0 && x == 0.0 => [g * 0.0; 2],
        _ => turn_slow(g, y, x, || length(y, x).hypot(b)),
    }
}
