//! The error function and the normal distribution.

use super::facts::Read::A;
use super::facts::{Facts, Notation};
use super::form::{Fast, Form, guarded, scaled};
use super::kinds::{NoPole, Unary};
use super::range::{is_normal, times_gauss};
use crate::elementary;
use crate::scaled::Scaled;
use std::f64::consts::FRAC_2_SQRT_PI;

/// 1/√(2π).
pub(super) const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `erf a`.
pub struct Erf;

impl Unary for Erf {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·2 ÷ √π·exp(−a²)",
        reason: "The limits ±1 at ±∞. The partial is right far out, where exp(−a²) alone underflows.",
        notation: Notation::Call("erf"),
        smooth_on: (-2.0, 2.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::erf(a), move || elementary::erf(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(times_bell(g, a), move || times_bell_fallback(g, a))
    }
}

/// `erfc a = 1 − erf a`.
pub struct Erfc;

impl Unary for Erfc {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "−ḡ·2 ÷ √π·exp(−a²)",
        reason: "Keeps the digits that 1 − erf a cancels. The limits 2 and 0 at ∓∞.",
        notation: Notation::Call("erfc"),
        smooth_on: (-2.0, 2.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::erfc(a), move || elementary::erfc(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(times_bell(-g, a), move || times_bell_fallback(-g, a))
    }
}

/// `ḡ·2/√π·exp(−a²)`.
#[inline(always)]
fn times_bell(g: f64, a: f64) -> Fast<f64> {
    let (slope, holds) = elementary::fast::erf_slope(a);
    scaled(g, (slope, holds & is_normal(slope)))
}

#[cold]
fn times_bell_fallback(g: f64, a: f64) -> f64 {
    let slope = elementary::erf_slope(a);
    if is_normal(slope) || !a.is_finite() || !g.is_finite() {
        return g * slope;
    }
    times_gauss(Scaled::new(g).mul(Scaled::new(FRAC_2_SQRT_PI)), a, 1.0)
}

/// `ln Φ(a)`, Φ the distribution function of the standard normal distribution.
pub struct LogNdtr;

impl Unary for LogNdtr {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·φ(a) ÷ Φ(a), φ the density",
        reason: "As in SciPy. Keeps its digits on both sides: the value falls as −½a² to the left, where \
                 the partial grows as −a, and vanishes from below to the right: −0 at last.",
        notation: Notation::Call("log_ndtr"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        let (log, holds) = elementary::fast::log_ndtr(a);
        guarded((from_below(log), holds), move || from_below(elementary::log_ndtr(a)))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (slope, holds) = elementary::fast::log_ndtr_slope(a);
        guarded(scaled(g, (slope, holds & is_normal(slope))), move || times_ratio_fallback(g, a))
    }
}

/// A negative number as it is, and −0 for both zeros: what underflows keeps its sign.
#[inline(always)]
fn from_below(x: f64) -> f64 {
    -(0.0 - x)
}

/// Where the slope `φ(a)/Φ(a)` is below the range, Φ(a) is 1.
#[cold]
fn times_ratio_fallback(g: f64, a: f64) -> f64 {
    let slope = elementary::log_ndtr_slope(a);
    if is_normal(slope) || !a.is_finite() || !g.is_finite() {
        return g * slope;
    }
    times_gauss(Scaled::new(g).mul(Scaled::new(FRAC_1_SQRT_2PI)), a, 0.5)
}
