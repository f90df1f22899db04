//! Sine, cosine and tangent; sin πa ÷ πa and (1 − cos a) ÷ a².

use super::bounded::smoothed;
use super::facts::Read::{A, Z};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, exact, guarded, scaled};
use super::kinds::{NoPole, SingularUnary, Unary};
use super::range::is_full;
use crate::elementary;
use crate::scaled::Scaled;
use std::f64::consts::{PI, TAU};

const RADIANS: Option<&str> = Some("a in radians");

/// `sin a`.
pub struct Sin;

impl Unary for Sin {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: RADIANS,
        partials: "ḡ·cos a",
        reason: "No limit at ±∞: Φ.",
        notation: Notation::Call("sin"),
        smooth_on: (-4.0, 4.0),
        period: Some(TAU),
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::sin(a), move || elementary::sin(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(scaled(g, elementary::fast::cos(a)), move || g * elementary::cos(a))
    }
}

/// `cos a`.
pub struct Cos;

impl Unary for Cos {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: RADIANS,
        partials: "−ḡ·sin a",
        reason: "No limit at ±∞: Φ.",
        notation: Notation::Call("cos"),
        smooth_on: (-4.0, 4.0),
        period: Some(TAU),
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::cos(a), move || elementary::cos(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(scaled(-g, elementary::fast::sin(a)), move || -g * elementary::sin(a))
    }
}

/// `tan a`.
pub struct Tan;

impl Unary for Tan {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: RADIANS,
        partials: "ḡ ÷ cos² a",
        reason: "No limit at ±∞: Φ. No double is a pole, but some come close: the tangent is then as large \
                 as 10¹⁸.",
        notation: Notation::Call("tan"),
        smooth_on: (-1.2, 1.2),
        period: Some(PI),
        kink: None,
        reads: &[A, Z],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::tan(a), move || elementary::tan(a))
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, z: f64) -> impl Form<f64> {
        exact(g * (1.0 + z * z))
    }
}

impl SingularUnary for Tan {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: false,
        distance: "|cos a|",
        bounded: "ḡ ÷ (cos² a + s²)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(elementary::cos(a))
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        let (cosine, holds) = elementary::fast::cos(a);
        let (h, full) = smoothed(cosine, s);
        let quotient = g / h;
        guarded((quotient / h, holds & full & is_full(quotient, g)), move || tan_bounded_fallback(g, a, s))
    }
}

#[cold]
fn tan_bounded_fallback(g: f64, a: f64, s: f64) -> f64 {
    let cosine = elementary::cos(a);
    if !(g.is_finite() && cosine.is_finite()) {
        return g * cosine;
    }
    let h = Scaled::new(cosine).hypot(s);
    Scaled::new(g).div(h).div(h).to_f64()
}

/// `sin πa/(πa)`.
pub struct Sinc;

impl Unary for Sinc {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: Some("a in half turns"),
        partials: "ḡ·(cos πa − sinc a) ÷ a, 0 at 0",
        reason: "The removable singularity at 0 is removed: value 1, slope 0. Scaled by π as in NumPy, \
                 SciPy, PyTorch and JAX. At ±∞ value and slope have the limit 0.",
        notation: Notation::Call("sinc"),
        smooth_on: (-4.0, 4.0),
        period: Some(2.0),
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::sinc(a), move || elementary::sinc(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(sinc_slope_fast(g, a), move || sinc_slope_fallback(g, a))
    }
}

/// The slope of `sinc a` is `−π²a/3` near 0.
const SINC_BEND: f64 = -PI * PI / 3.0;

/// From twice this on, all doubles are even integers.
const FAR: f64 = (1u64 << 53) as f64;

#[inline(always)]
fn sinc_slope_fast(g: f64, x: f64) -> Fast<f64> {
    let (slope, holds) = elementary::fast::sinc_slope(x);
    (g * slope, holds & is_full(slope, x))
}

#[cold]
fn sinc_slope_fallback(g: f64, x: f64) -> f64 {
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

/// `(1 − cos a)/a²`.
pub struct Cosc;

impl Unary for Cosc {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: RADIANS,
        partials: "ḡ·(a·sin a + 2·cos a − 2) ÷ a³, 0 at 0",
        reason: "The removable singularity at 0 is removed: value ½, slope 0. In radians, as in the \
                 exponential map of rotations. At ±∞ value and slope have the limit 0.",
        notation: Notation::Call("cosc"),
        smooth_on: (-4.0, 4.0),
        period: Some(TAU),
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::cosc(a), move || elementary::cosc(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (slope, holds) = elementary::fast::cosc_slope(a);
        guarded((g * slope, holds & is_full(slope, a)), move || times_cosc_slope(g, a))
    }
}

/// Where the slope is below the range it is −a/12 near 0, and sin a/a² far out.
#[cold]
fn times_cosc_slope(g: f64, a: f64) -> f64 {
    let slope = elementary::cosc_slope(a);
    if is_full(slope, a) || !a.is_finite() || !g.is_finite() {
        return g * slope;
    }
    let (g, a_scaled) = (Scaled::new(g), Scaled::new(a));
    if a.abs() < 1.0 {
        return g.mul(a_scaled).div(Scaled::new(-12.0)).to_f64();
    }
    g.mul(Scaled::new(elementary::sin(a))).div(a_scaled).div(a_scaled).to_f64()
}
