//! Powers with an integer exponent, the square, and the constant term of a polynomial.

use super::bounded::{times_recip, times_recip_fast};
use super::facts::Read::A;
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, exact, guarded};
use super::kinds::{NoPole, Power, Unary};
use super::range::{is_full, is_normal};
use crate::scaled::Scaled;

/// `aⁿ`.
pub struct PowInt;

impl Power for PowInt {
    const FACTS: Facts = Facts {
        domain: "all a for n > 0, a ≠ 0 for n ≤ 0",
        units: None,
        partials: "ḡ·n·aⁿ⁻¹, 0 for n = 0",
        reason: "By squaring, so the tables of × and ÷ decide; 0⁰ and ∞⁰ may be anything.",
        notation: Notation::Call("aⁿ"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    const POLE: PoleFacts = PoleFacts {
        at: PoleAt::BaseByExponent,
        is_real_there: false,
        distance: "|a| if n < 0",
        bounded: "ḡ·n·recip(a^(1−n))",
    };

    #[inline(always)]
    fn value(a: f64, n: i32) -> impl Form<f64> {
        exact(pow_int(a, n))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, n: i32, _z: f64) -> impl Form<f64> {
        guarded(slope_fast(g, a, n), move || slope_fallback(g, a, n))
    }

    #[inline(always)]
    fn pole(a: f64, n: i32) -> Option<f64> {
        (n < 0).then_some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, n: i32, _z: f64, s: f64) -> impl Form<f64> {
        guarded(bounded_fast(g, a, n, s), move || bounded_fallback(g, a, n, s))
    }
}

/// `xⁿ` by squaring, low bit first; `1 ÷ x⁻ⁿ` for negative n.
fn pow_int(x: f64, n: i32) -> f64 {
    if n == 0 {
        return if x != 0.0 && x.is_finite() { 1.0 } else { f64::NAN };
    }
    let (mut result, mut base, mut bits) = (1.0, x, n.unsigned_abs());
    while bits > 0 {
        if bits & 1 == 1 {
            result *= base;
        }
        base *= base;
        bits >>= 1;
    }
    if n < 0 { 1.0 / result } else { result }
}

/// Powers up to this one are multiplied out in doubles; their rounding errors stay below 2 ulp.
pub(super) const PLAIN_POWER: u64 = 4;

/// `xᵐ` in plain doubles, and whether that is accurate.
#[inline(always)]
pub(super) fn plain_power(x: f64, m: u64) -> Fast<f64> {
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

#[inline(always)]
fn slope_fast(g: f64, x: f64, n: i32) -> Fast<f64> {
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
fn slope_fallback(g: f64, x: f64, n: i32) -> f64 {
    let m = i64::from(n) - 1;
    if x.is_infinite() && m < 0 {
        return g * 0.0; // whatever ḡ·n is
    }
    if !g.is_finite() || !x.is_finite() || (x == 0.0 && m < 0) {
        // Only infinities, zeros and Φ decide here.
        let power = pow_int(x, m.unsigned_abs().min(i32::MAX as u64) as i32);
        let scale = g * f64::from(n);
        return if m < 0 { scale / power } else { scale * power };
    }
    let scale = Scaled::new(g).mul(Scaled::new(f64::from(n)));
    let power = Scaled::new(x).powi(m.unsigned_abs());
    if m < 0 { scale.div(power).to_f64() } else { scale.mul(power).to_f64() }
}

/// `ḡ·n·recip(x^(1−n))` with n < 0. A power that underflows still has its sign, so the rule jumps only at
/// `x = 0`.
#[inline(always)]
fn bounded_fast(g: f64, x: f64, n: i32, s: f64) -> Fast<f64> {
    debug_assert!(n < 0);
    let scale = g * f64::from(n);
    let (power, full) = plain_power(x, (i64::from(n) - 1).unsigned_abs());
    let (contribution, holds) = times_recip_fast(scale, power, s);
    (contribution, holds & full & x.is_finite() & is_full(scale, g))
}

#[cold]
fn bounded_fallback(g: f64, x: f64, n: i32, s: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return -g * 0.0; // the sign of ḡ·n, which may overflow
    }
    let scale = g * f64::from(n);
    let m = (1 - i64::from(n)) as u64;
    match plain_power(x, m) {
        (power, true) if is_full(scale, g) => times_recip(scale, power, s).full(),
        _ if !g.is_finite() => scale,
        _ => {
            let sign = if x < 0.0 && m % 2 == 1 { -1.0 } else { 1.0 };
            let scale = Scaled::new(sign * g).mul(Scaled::new(f64::from(n)));
            scale.div(Scaled::new(x).powi(m).hypot(s)).to_f64()
        }
    }
}

/// `a²`.
pub struct Square;

impl Unary for Square {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·2a",
        reason: "The bits of a × a, and one operand less to read.",
        notation: Notation::Call("a²"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a * a)
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let twice = 2.0 * g;
        guarded((twice * a, twice.is_finite() | !g.is_finite()), move || g * (2.0 * a))
    }
}

/// 1 for a REAL `a`.
pub struct Unit;

impl Unary for Unit {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "0",
        reason: "The empty product that the constant term c₀a⁰ of a polynomial is multiplied by, so that the \
                 polynomial is c₀ at 0. The transreal 0⁰, which may be anything, is pow_int(0, 0).",
        notation: Notation::Call("a⁰"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(if a.is_finite() { 1.0 } else { f64::NAN })
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(g * 0.0)
    }
}
