//! The contributions that need more than a product: singular ops, classical and bounded.
//!
//! Each rule has a fast form in plain doubles, which says whether it holds, and a fallback form for the
//! other operands: where a factor might leave the range of a double although the contribution does
//! not, the same formula in `Scaled`. Which of the two is used depends on the operands only, so every
//! path computes the same bits.
//!
//! Notation: `g` the adjoint ḡ that arrives, `b` the saturation bound, `recip(y) = sign(y)/√(y²+b²)`.

mod directions;
mod logarithms;
mod powers;
mod smooth;

pub(crate) use directions::*;
pub(crate) use logarithms::*;
pub(crate) use powers::*;
pub(crate) use smooth::*;

use crate::elementary;
use crate::ops::Op;
use crate::scaled::Scaled;

/// Normal doubles carry full precision: neither zero, subnormal, infinite nor NaN.
#[inline(always)]
fn is_normal(x: f64) -> bool {
    let magnitude = x.to_bits() & (u64::MAX >> 1);
    magnitude.wrapping_sub(1 << 52) < 0x7fe0_0000_0000_0000
}

/// A factor that loses nothing: normal, or zero because its numerator is.
#[inline(always)]
fn is_full(factor: f64, numerator: f64) -> bool {
    is_normal(factor) | ((numerator == 0.0) & (factor == 0.0))
}

/// `z = a/y`: `ḡ/y` to `a`, `−ḡ·a/y²` to `y`.
#[inline(always)]
pub(crate) fn div(g: f64, a: f64, y: f64, z: f64) -> ([f64; 2], bool) {
    let to_a = g / y;
    ([to_a, -to_a * z], is_full(to_a, g) & is_full(z, a))
}

#[cold]
pub(crate) fn div_slow(g: f64, a: f64, y: f64, z: f64) -> [f64; 2] {
    let to_a = g / y;
    if g.is_finite() && a.is_finite() && y.is_finite() && y != 0.0 {
        let y = Scaled::new(y);
        [to_a, Scaled::new(-g).mul(Scaled::new(a)).div(y).div(y).to_f64()]
    } else {
        [to_a, -to_a * z]
    }
}

/// `z = eˣ`: `ḡ·eˣ`, also where `eˣ` alone is below the range.
#[inline(always)]
pub(crate) fn exp(g: f64, z: f64) -> (f64, bool) {
    (g * z, is_normal(z))
}

#[cold]
pub(crate) fn exp_slow(g: f64, x: f64, z: f64) -> f64 {
    if z > 1.0 || !x.is_finite() || !g.is_finite() {
        return g * z;
    }
    times_exp(Scaled::new(g), x)
}

/// `factor·eˣ` for x ≤ 0. A quarter of any x that matters is in the range of `exp`.
fn times_exp(factor: Scaled, x: f64) -> f64 {
    let quarter = Scaled::new(elementary::exp(0.25 * x.max(-2900.0)));
    factor.mul(quarter.powi(4)).to_f64()
}

/// `tanh x`: `ḡ·sech²x = ḡ·4e/(1 + e)²` with `e = exp(−2|x|)`, which does not cancel near ±1.
#[inline(always)]
pub(crate) fn tanh(g: f64, x: f64) -> (f64, bool) {
    bell(g, 4.0, -2.0 * x.abs())
}

#[cold]
pub(crate) fn tanh_slow(g: f64, x: f64) -> f64 {
    bell_slow(g, 4.0, -2.0 * x.abs())
}

/// `ḡ·height·e/(1 + e)²` with `e = eᵗ`, t ≤ 0.
#[inline(always)]
fn bell(g: f64, height: f64, t: f64) -> (f64, bool) {
    let (e, holds) = elementary::fast::exp(t);
    (bell_of(g, height, e), holds & is_normal(e))
}

#[inline(always)]
fn bell_of(g: f64, height: f64, e: f64) -> f64 {
    let sum = 1.0 + e;
    g * (height * e / (sum * sum))
}

/// Where `e` is below the range, `(1 + e)²` is 1.
fn bell_slow(g: f64, height: f64, t: f64) -> f64 {
    let e = elementary::exp(t);
    if is_normal(e) {
        return bell_of(g, height, e);
    }
    if !t.is_finite() || !g.is_finite() {
        return g * e;
    }
    times_exp(Scaled::new(g).mul(Scaled::new(height)), t)
}

/// Powers up to this one are multiplied out in doubles; their rounding errors stay below 2 ulp.
const PLAIN_POWER: u64 = 4;

/// `xᵐ` in plain doubles, and whether that is accurate.
#[inline(always)]
fn plain_power(x: f64, m: u64) -> (f64, bool) {
    let square = x * x;
    let power = match m {
        1 => x,
        2 => square,
        3 => square * x,
        PLAIN_POWER => square * square,
        _ => return (0.0, false),
    };
    (power, is_normal(power))
}

/// `xⁿ`: `ḡ·n·xⁿ⁻¹`; 0 for n = 0.
#[inline(always)]
pub(crate) fn pow_int(g: f64, x: f64, n: i32) -> (f64, bool) {
    let scale = g * f64::from(n);
    match n {
        0 => (g * 0.0, true),
        1 => (g, true),
        // The power is x itself, and a product of two factors is rounded once.
        2 => (scale * x, scale.is_finite() | !g.is_finite()),
        _ => {
            let (power, holds) = plain_power(x, (i64::from(n) - 1).unsigned_abs());
            (if n > 0 { scale * power } else { scale / power }, holds & is_full(scale, g))
        }
    }
}

#[cold]
pub(crate) fn pow_int_slow(g: f64, x: f64, n: i32) -> f64 {
    let m = i64::from(n) - 1;
    if x.is_infinite() && m < 0 {
        return g * 0.0; // whatever ḡ·n is
    }
    if !g.is_finite() || !x.is_finite() || (x == 0.0 && m < 0) {
        // Only infinities, zeros and Φ decide here.
        let power = crate::ops::pow_int(x, m.unsigned_abs().min(i32::MAX as u64) as i32);
        let scale = g * f64::from(n);
        return if m < 0 { scale / power } else { scale * power };
    }
    let scale = Scaled::new(g).mul(Scaled::new(f64::from(n)));
    let power = Scaled::new(x).powi(m.unsigned_abs());
    if m < 0 { scale.div(power).to_f64() } else { scale.mul(power).to_f64() }
}

/// `h = √(y² + b²)` for REAL `y`, and whether it kept full precision.
#[inline(always)]
fn hypot_of(y: f64, b: f64) -> (f64, bool) {
    let (large, small) = if y.abs() > b { (y.abs(), b) } else { (b, y.abs()) };
    let ratio = small / large;
    let h = large * (1.0 + ratio * ratio).sqrt();
    (h, is_normal(h))
}

/// `recip(y) = sign(y)/√(y² + b²)` for REAL `y`, so 0 at ±0; 0 for ±∞ and Φ.
pub fn recip(y: f64, b: f64) -> f64 {
    full_bounded_recip(1.0, y, b)
}

fn full_bounded_recip(g: f64, y: f64, b: f64) -> f64 {
    let (contribution, holds) = bounded_recip(g, y, b);
    if holds { contribution } else { bounded_recip_slow(g, y, b) }
}

/// `ḡ·recip(y)`.
#[inline(always)]
pub(crate) fn bounded_recip(g: f64, y: f64, b: f64) -> (f64, bool) {
    let g = if y < 0.0 { -g } else { g };
    let (h, full) = hypot_of(y, b);
    (g / h, full & (y != 0.0) & y.is_finite())
}

#[cold]
pub(crate) fn bounded_recip_slow(g: f64, y: f64, b: f64) -> f64 {
    if y == 0.0 || !y.is_finite() {
        return g * 0.0;
    }
    let g = if y < 0.0 { -g } else { g };
    if g.is_finite() { Scaled::new(g).div(Scaled::new(y).hypot(b)).to_f64() } else { g / hypot_of(y, b).0 }
}

/// `z = a/y`, bounded: `ḡ·recip(y)` to `a`, `−ḡ·a/(y² + b²)` to `y`.
#[inline(always)]
pub(crate) fn bounded_div(g: f64, a: f64, y: f64, b: f64) -> ([f64; 2], bool) {
    let (h, full) = hypot_of(y, b);
    let (left, right) = (g / h, a / h);
    let to_a = if y < 0.0 { -left } else { left };
    let finite = g.is_finite() & a.is_finite() & y.is_finite() & (y != 0.0);
    ([to_a, -left * right], full & finite & is_full(left, g) & is_full(right, a))
}

#[cold]
pub(crate) fn bounded_div_slow(g: f64, a: f64, y: f64, b: f64) -> [f64; 2] {
    let to_a = full_bounded_recip(g, y, b);
    if !(g.is_finite() && a.is_finite() && y.is_finite()) {
        // Nothing passes from an infinite y, whatever g and a multiply to.
        return [to_a, if y.is_finite() { -(g * a) } else { -(g * 0.0) * a }];
    }
    let (h, full) = hypot_of(y, b);
    let (left, right) = (g / h, a / h);
    let to_y = if full && is_full(left, g) && is_full(right, a) {
        -left * right
    } else {
        let h = Scaled::new(y).hypot(b);
        Scaled::new(-g).mul(Scaled::new(a)).div(h).div(h).to_f64()
    };
    [to_a, to_y]
}

/// `xⁿ` with n < 0, bounded: `ḡ·n·recip(x^(1−n))`. A power that underflows still has its sign, so
/// the rule jumps only at `x = 0`.
#[inline(always)]
pub(crate) fn bounded_pow_int(g: f64, x: f64, n: i32, b: f64) -> (f64, bool) {
    debug_assert!(n < 0);
    let scale = g * f64::from(n);
    let (power, full) = plain_power(x, (i64::from(n) - 1).unsigned_abs());
    let (contribution, holds) = bounded_recip(scale, power, b);
    (contribution, holds & full & x.is_finite() & is_full(scale, g))
}

#[cold]
pub(crate) fn bounded_pow_int_slow(g: f64, x: f64, n: i32, b: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return -g * 0.0; // the sign of ḡ·n, which may overflow
    }
    let scale = g * f64::from(n);
    let m = (1 - i64::from(n)) as u64;
    match plain_power(x, m) {
        (power, true) if is_full(scale, g) => full_bounded_recip(scale, power, b),
        _ if !g.is_finite() => scale,
        _ => {
            let sign = if x < 0.0 && m % 2 == 1 { -1.0 } else { 1.0 };
            let scale = Scaled::new(sign * g).mul(Scaled::new(f64::from(n)));
            scale.div(Scaled::new(x).powi(m).hypot(b)).to_f64()
        }
    }
}

/// `x/(|x| + b)`, which squeezes every value into [−1, 1]: ±∞ → ±1, Φ → 0.
pub fn saturate(x: f64, b: f64) -> f64 {
    if x.is_nan() {
        0.0
    } else if x.abs() > b {
        1.0f64.copysign(x) / (1.0 + b / x.abs())
    } else {
        x / (x.abs() + b)
    }
}

/// What a singular op passes to its operands under the Saturating rule: a contribution that is not
/// REAL is left out, and a `Φ` node passes nothing.
pub fn saturating_contributions(op: Op, g: f64, a: f64, b: f64, bound: f64) -> [f64; 2] {
    let z = op.value(a, b);
    if z.is_nan() {
        return [0.0; 2];
    }
    let rule = if op.pole(a, b).is_some() { op.bounded(g, a, b, z, bound) } else { op.classical(g, a, b, z) };
    rule.map(|contribution| if contribution.is_finite() { contribution } else { 0.0 })
}
