//! Hyperbolic functions.

use super::facts::Read::A;
use super::facts::{Facts, Notation};
use super::form::{Form, guarded};
use super::kinds::{NoPole, Unary};
use super::range::{bell, bell_fallback};
use crate::elementary;

/// `tanh a`.
pub(crate) struct Tanh;

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
