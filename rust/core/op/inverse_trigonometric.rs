//! Angles: arc sine, arc cosine, arc tangent, and the angle of a point, which is singular where there is no direction,
//! at the origin.

use super::bounded::times_recip;
use super::facts::Read::{A, B};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, exact, guarded};
use super::kinds::{Binary, NoPole, SingularBinary, SingularUnary, Unary};
use super::range::{is_full, is_normal};
use crate::elementary;
use crate::scaled::Scaled;

const RADIANS: Option<&str> = Some("result in radians");

/// `√(1 − x²)`, the other leg of the triangle with hypotenuse 1; 0 at ±1, NaN beyond.
#[inline(always)]
pub(super) fn leg(x: f64) -> f64 {
    ((1.0 - x) * (1.0 + x)).sqrt()
}

/// `arcsin a`.
pub struct Asin;

impl Unary for Asin {
    const FACTS: Facts = Facts {
        domain: "−1 ≤ a ≤ 1",
        units: RADIANS,
        partials: "ḡ ÷ √((1 − a)(1 + a))",
        reason: "No real angle beyond ±1, where the value is REAL and the slope infinite, as that of sqrt at \
                 0.",
        notation: Notation::Call("asin"),
        smooth_on: (-0.9, 0.9),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::asin(a), move || elementary::asin(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g / leg(a))
    }
}

impl SingularUnary for Asin {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: true,
        distance: "|1 − |a||",
        bounded: "ḡ·recip(√((1 − a)(1 + a)))",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(1.0 - a.abs())
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, leg(a), s)
    }
}

/// `arccos a`.
pub struct Acos;

impl Unary for Acos {
    const FACTS: Facts = Facts {
        domain: "−1 ≤ a ≤ 1",
        units: RADIANS,
        partials: "−ḡ ÷ √((1 − a)(1 + a))",
        reason: "As arcsin.",
        notation: Notation::Call("acos"),
        smooth_on: (-0.9, 0.9),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::acos(a), move || elementary::acos(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(-g / leg(a))
    }
}

impl SingularUnary for Acos {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: true,
        distance: "|1 − |a||",
        bounded: "−ḡ·recip(√((1 − a)(1 + a)))",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(1.0 - a.abs())
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(-g, leg(a), s)
    }
}

/// `arctan a`.
pub struct Atan;

impl Unary for Atan {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: RADIANS,
        partials: "ḡ ÷ (1 + a²)",
        reason: "The limits ±π/2 at ±∞, where the slope is 0.",
        notation: Notation::Call("atan"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::atan(a), move || elementary::atan(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let square = a * a;
        guarded((g / (1.0 + square), square.is_finite()), move || over_square(g, a))
    }
}

/// `ḡ/a²` where a² overflows, so that 1 does not count beside it.
#[cold]
fn over_square(g: f64, a: f64) -> f64 {
    if !a.is_finite() || !g.is_finite() {
        return g * (1.0 / a);
    }
    Scaled::new(g).div(Scaled::new(a)).div(Scaled::new(a)).to_f64()
}

/// The angle of the point (b, a).
pub struct Atan2;

impl Binary for Atan2 {
    const FACTS: Facts = Facts {
        domain: "all a, b but the origin",
        units: RADIANS,
        partials: "ḡ·b ÷ (a² + b²), −ḡ·a ÷ (a² + b²); 0, 0 beside an infinite operand",
        reason: "The first operand is the ordinate. The origin has no direction, nor has a corner of \
                 infinity: Φ, as 0⁰ and ∞ ÷ ∞ are. Elsewhere the values of C99.",
        notation: Notation::Call("atan2"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A, B],
        propagates: &[],
    };
    type Singular = Self;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        let (angle, holds) = elementary::fast::atan2(a, b);
        guarded((angle, holds & has_direction(a, b)), move || {
            if has_direction(a, b) { elementary::atan2(a, b) } else { f64::NAN }
        })
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        let (h, holds) = elementary::fast::hypot(a, b);
        let (contributions, full) = turn(g, a, b, h);
        guarded((contributions, holds & full), move || turn_fallback(g, a, b))
    }
}

impl SingularBinary for Atan2 {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: false,
        distance: "√(a² + b²)",
        bounded: "ḡ·b ÷ (a² + b² + s²), −ḡ·a ÷ (a² + b² + s²)",
    });

    /// The distance to the origin; of a REAL point it is REAL.
    #[inline(always)]
    fn pole(a: f64, b: f64) -> Option<f64> {
        let distance = elementary::hypot(a, b);
        Some(if a.is_finite() & b.is_finite() & (distance > f64::MAX) { f64::MAX } else { distance })
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, b: f64, _z: f64, s: f64) -> impl Form<[f64; 2]> {
        let (distance, holds) = elementary::fast::hypot(a, b);
        let (h, holds_too) = elementary::fast::hypot(distance, s);
        let (contributions, full) = turn(g, a, b, h);
        guarded((contributions, holds & holds_too & full), move || turn_bounded_fallback(g, a, b, s))
    }
}

/// Whether the point (x, y) lies in a direction: neither at the origin nor at a corner of infinity.
#[inline(always)]
fn has_direction(y: f64, x: f64) -> bool {
    !((y == 0.0) & (x == 0.0) | y.is_infinite() & x.is_infinite())
}

/// `ḡ·x/h²` to `y` and `−ḡ·y/h²` to `x`, for `h²` the square of the distance to the origin or that and
/// more.
#[inline(always)]
fn turn(g: f64, y: f64, x: f64, h: f64) -> Fast<[f64; 2]> {
    let (across_y, across_x, quotient) = (x / h, y / h, g / h);
    let full = is_normal(h) & is_full(across_y, x) & is_full(across_x, y) & is_full(quotient, g);
    ([quotient * across_y, -quotient * across_x], full)
}

fn scaled_turn(g: f64, y: f64, x: f64, h: impl FnOnce() -> Scaled) -> [f64; 2] {
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

#[cold]
fn turn_fallback(g: f64, y: f64, x: f64) -> [f64; 2] {
    match turn(g, y, x, elementary::hypot(y, x)) {
        (contributions, true) => contributions,
        _ if y == 0.0 && x == 0.0 => [f64::NAN; 2],
        _ => scaled_turn(g, y, x, || length(y, x)),
    }
}

#[cold]
fn turn_bounded_fallback(g: f64, y: f64, x: f64, s: f64) -> [f64; 2] {
    match turn(g, y, x, elementary::hypot(elementary::hypot(y, x), s)) {
        (contributions, true) => contributions,
        _ if y == 0.0 && x == 0.0 => [g * 0.0; 2],
        _ => scaled_turn(g, y, x, || length(y, x).hypot(s)),
    }
}
