//! Roots.

use super::bounded::times_recip;
use super::facts::Read::{A, Z};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Form, exact, guarded};
use super::kinds::{SingularUnary, Unary};
use crate::elementary;

/// `√a`.
pub struct Sqrt;

impl Unary for Sqrt {
    const FACTS: Facts = Facts {
        domain: "a ≥ 0",
        units: None,
        partials: "ḡ ÷ 2√a",
        reason: "Left of 0 there is no real root. At 0 the root is REAL and its slope infinite, so the \
                 classical contribution is dropped.",
        notation: Notation::Call("√"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[Z],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a.sqrt())
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, z: f64) -> impl Form<f64> {
        exact(g / (2.0 * z))
    }
}

impl SingularUnary for Sqrt {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(0),
        is_real_there: true,
        distance: "|a|",
        bounded: "ḡ·recip(2√a)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, _a: f64, z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, 2.0 * z, s)
    }
}

/// `∛a`.
pub struct Cbrt;

impl Unary for Cbrt {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ ÷ 3(∛a)²",
        reason: "Odd, with the limits at ±∞. At 0 the root is REAL and its slope infinite, so the classical \
                 contribution is dropped.",
        notation: Notation::Call("∛"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[Z],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::cbrt(a), move || elementary::cbrt(a))
    }

    /// The square of a double's cube root neither overflows nor underflows.
    #[inline(always)]
    fn classical(g: f64, _a: f64, z: f64) -> impl Form<f64> {
        exact(g / (3.0 * (z * z)))
    }
}

impl SingularUnary for Cbrt {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(0),
        is_real_there: true,
        distance: "|a|",
        bounded: "ḡ·recip(3(∛a)²)",
    });

    #[inline(always)]
    fn pole(a: f64) -> Option<f64> {
        Some(a)
    }

    #[inline(always)]
    fn bounded(g: f64, _a: f64, z: f64, s: f64) -> impl Form<f64> {
        times_recip(g, 3.0 * (z * z), s)
    }
}
