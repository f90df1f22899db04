//! Hyperbolic functions and their inverses.

use super::bounded::times_recip;
use super::facts::Read::A;
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Form, exact, guarded, scaled};
use super::kinds::{NoPole, SingularUnary, Unary};
use super::range::{bell, bell_fallback, times_exp, within};
use crate::elementary;
use crate::scaled::Scaled;

/// `tanh a`.
pub struct Tanh;

impl Unary for Tanh {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·(1 − tanh² a)",
        reason: "The limits at ±∞. The partial is worked out as 4e ÷ (1 + e)² with e = exp(−2|a|), which \
                 does not cancel.",
        notation: Notation::Call("tanh"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::tanh(a), move || elementary::tanh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(bell(g, 4.0, -2.0 * a.abs()), move || bell_fallback(g, 4.0, -2.0 * a.abs()))
    }
}

/// `sinh a`.
pub struct Sinh;

impl Unary for Sinh {
    const FACTS: Facts = Facts {
        domain: "all a up to ±710.47, where it overflows",
        units: None,
        partials: "ḡ·cosh a",
        reason: "Odd, with the limits at ±∞. The partial is right also where cosh a overflows and the \
                 contribution does not.",
        notation: Notation::Call("sinh"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::sinh(a), move || elementary::sinh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(scaled(g, elementary::fast::cosh(a)), move || times_half_exp(g, a, elementary::cosh(a)))
    }
}

/// `cosh a`.
pub struct Cosh;

impl Unary for Cosh {
    const FACTS: Facts = Facts {
        domain: "all a up to ±710.47, where it overflows",
        units: None,
        partials: "ḡ·sinh a",
        reason: "Even, with the limit +∞ at ±∞. The partial is right also where sinh a overflows and the \
                 contribution does not.",
        notation: Notation::Call("cosh"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::cosh(a), move || elementary::cosh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(scaled(g, elementary::fast::sinh(a)), move || {
            times_half_exp(if a < 0.0 { -g } else { g }, a, elementary::sinh(a).abs())
        })
    }
}

/// `ḡ·slope`, the slope the magnitude of sinh a or cosh a: where that overflows, it is `½e^|a|`.
#[cold]
fn times_half_exp(g: f64, a: f64, slope: f64) -> f64 {
    if slope.is_finite() || !a.is_finite() || !g.is_finite() {
        return g * slope;
    }
    times_exp(Scaled::new(g).mul(Scaled::new(0.5)), a.abs())
}

/// `arsinh a`.
pub struct Asinh;

impl Unary for Asinh {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ ÷ √(1 + a²)",
        reason: "The limits at ±∞. Keeps its digits near 0, and the partial does where a² overflows.",
        notation: Notation::Call("asinh"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::asinh(a), move || elementary::asinh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (h, holds) = elementary::fast::hypot(1.0, a);
        guarded((g / h, holds), move || g / elementary::hypot(1.0, a))
    }
}

/// `arcosh a`.
pub struct Acosh;

impl Unary for Acosh {
    const FACTS: Facts = Facts {
        domain: "a ≥ 1",
        units: None,
        partials: "ḡ ÷ √((a − 1)(a + 1))",
        reason: "Below 1 there is no real value. At 1 the value is REAL and the slope infinite, as that \
                 of sqrt at 0.",
        notation: Notation::Call("acosh"),
        smooth_on: (1.25, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::acosh(a), move || elementary::acosh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g / rise(a))
    }
}

impl SingularUnary for Acosh {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: true,
        distance: "|a − 1|",
        bounded: "ḡ·recip(√((a − 1)(a + 1)))",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a - 1.0)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, rise(a), s)
    }
}

/// `√(a² − 1)`, which does not overflow; 0 at 1, NaN below.
#[inline(always)]
pub(super) fn rise(a: f64) -> f64 {
    (a - 1.0).sqrt() * (a + 1.0).sqrt()
}

/// `artanh a`.
pub struct Atanh;

impl Unary for Atanh {
    const FACTS: Facts = Facts {
        domain: "−1 < a < 1",
        units: None,
        partials: "ḡ ÷ ((1 − a)(1 + a))",
        reason: "±1 are the ends of the domain, beyond which there is no real value: Φ, as log is at 0.",
        notation: Notation::Call("atanh"),
        smooth_on: (-0.9, 0.9),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(within(elementary::fast::atanh(a), a.abs() < 1.0), move || elementary::atanh(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g / ((1.0 - a) * (1.0 + a)))
    }
}

impl SingularUnary for Atanh {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Computed,
        is_real_there: false,
        distance: "|1 − |a||",
        bounded: "ḡ·recip((1 − a)(1 + a))",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(1.0 - a.abs())
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, _z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, (1.0 - a) * (1.0 + a), s)
    }
}
