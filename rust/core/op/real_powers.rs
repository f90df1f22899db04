//! `z = aᵇ` for real exponents.
//!
//! Partials are made of the power itself: `b·z/a` and `z·ln a`. An exponent `b − 1` would be rounded, and
//! a power multiplies what is lost by ln a.

use super::bounded::times_recip_fast;
use super::facts::Read::{A, B, Z};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, guarded};
use super::kinds::{Binary, SingularBinary};
use super::range::{is_full, is_normal};
use crate::elementary;
use crate::scaled::Scaled;

/// `aᵇ`.
pub struct Pow;

impl Binary for Pow {
    const FACTS: Facts = Facts {
        domain: "a > 0; a = 0 for b > 0; a < 0 for integers b",
        units: None,
        partials: "ḡ·b·aᵇ⁻¹, ḡ·aᵇ·ln a; to a 0 for b = 0; to b 0 for a = 0 < b, and nothing for a < 0",
        reason: "What has no limit is Φ, as in pow_int, with which it agrees for integers, and with sqrt for \
                 ½. The rest is C99. Between the integers a negative base has no power, so its exponent gets \
                 no slope.",
        notation: Notation::Call("pow"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A, B, Z],
        propagates: &[],
    };
    type Singular = Self;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        let (power, holds) = elementary::fast::pow(a, b);
        guarded((power, holds & (a > 0.0) & a.is_finite() & b.is_finite()), move || {
            if has_power(a, b) { elementary::pow(a, b) } else { f64::NAN }
        })
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
        guarded(partials_fast(g, a, b, z), move || partials_fallback(g, a, b, z))
    }
}

impl SingularBinary for Pow {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::BaseByExponent,
        is_real_there: true,
        distance: "|a| if b < 1 and b ≠ 0",
        bounded: "b < 0: ḡ·b·recip(a^(1−b)), ḡ·recip(a⁻ᵇ)·ln a; 0 < b < 1: ḡ·recip(a^(1−b) ÷ b), ḡ·aᵇ·ln a",
    });

    #[inline(always)]
    fn pole(a: f64, b: f64) -> Option<f64> {
        (b < 1.0 && b != 0.0 && b.is_finite()).then_some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, b: f64, z: f64, s: f64) -> impl Form<[f64; 2]> {
        guarded(bounded_fast(g, a, b, z, s), move || bounded_fallback(g, a, b, z, s))
    }
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

/// `ḡ·y·z/x` to `x`, `ḡ·z·ln x` to `y`.
#[inline(always)]
fn partials_fast(g: f64, x: f64, y: f64, z: f64) -> Fast<[f64; 2]> {
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
pub(super) fn scaled_power(x: f64, y: f64) -> Scaled {
    let quarter = elementary::pow(x.abs(), 0.25 * y);
    if is_normal(quarter) {
        Scaled::new(quarter).powi(4)
    } else {
        Scaled::new(1.0).shifted(if quarter > 1.0 { HOPELESS } else { -HOPELESS })
    }
}

/// The sign of `xⁿ` for an integer n.
pub(super) fn sign_of_power(x: f64, n: f64) -> f64 {
    elementary::pow(1f64.copysign(x), n)
}

#[cold]
fn partials_fallback(g: f64, x: f64, y: f64, z: f64) -> [f64; 2] {
    if z.is_nan() {
        return [z; 2];
    }
    [to_base(g, x, y, z), to_exponent(g, x, y, z)]
}

fn to_base(g: f64, x: f64, y: f64, z: f64) -> f64 {
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

fn to_exponent(g: f64, x: f64, y: f64, z: f64) -> f64 {
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
fn bounded_fast(g: f64, x: f64, y: f64, z: f64, s: f64) -> Fast<[f64; 2]> {
    let (log, holds) = elementary::fast::ln(x);
    let (by_y, by_log, inverse) = (g * y, g * log, x / z);
    let falls = y < 0.0;
    let (scale, base) = if falls { (by_y, inverse) } else { (g, inverse / y) };
    let (to_x, full_x) = times_recip_fast(scale, base, s);
    let (bounded_to_y, full_y) = times_recip_fast(by_log, 1.0 / z, s);
    let to_y = if falls { bounded_to_y } else { by_log * z };
    let full = is_normal(z) & is_normal(inverse) & is_normal(base) & is_full(scale, g);
    let full_log = is_full(by_log, g) | (log == 0.0);
    ([to_x, to_y], holds & full & full_log & full_x & (full_y | !falls) & g.is_finite())
}

#[cold]
fn bounded_fallback(g: f64, x: f64, y: f64, z: f64, s: f64) -> [f64; 2] {
    if z.is_nan() {
        return [z; 2];
    }
    let to_y = if y < 0.0 { bounded_to_exponent(g, x, y, z, s) } else { to_exponent(g, x, y, z) };
    [bounded_to_base(g, x, y, z, s), to_y]
}

fn bounded_to_base(g: f64, x: f64, y: f64, z: f64, s: f64) -> f64 {
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
        g.mul(y_scaled).div(inverse.hypot(s)).to_f64()
    } else {
        g.div(inverse.div(y_scaled).hypot(s)).to_f64()
    }
}

fn bounded_to_exponent(g: f64, x: f64, y: f64, z: f64, s: f64) -> f64 {
    let log = elementary::ln(x);
    if x == 0.0 || !log.is_finite() || !g.is_finite() {
        return g * 0.0 * log; // recip is 0 at 0 and at ±∞
    }
    let power = if is_normal(z) { Scaled::new(z) } else { scaled_power(x, y) };
    Scaled::new(g).mul(Scaled::new(log)).div(Scaled::new(1.0).div(power).hypot(s)).to_f64()
}
