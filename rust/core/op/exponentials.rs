//! `eᵃ` and what is made of it: `eᵃ − 1` and `(eᵃ − 1)/a`, the logistic function, its logarithm and its
//! integral.

use super::facts::Read::{A, Z};
use super::facts::{Facts, Notation};
use super::form::{Fast, Form, guarded, scaled};
use super::kinds::{NoPole, Unary};
use super::range::{bell, bell_fallback, is_normal, times_exp};
use crate::elementary;
use crate::scaled::Scaled;

/// `eᵃ`.
pub struct Exp;

impl Unary for Exp {
    const FACTS: Facts = Facts {
        domain: "all a up to 709.78, where eᵃ overflows",
        units: None,
        partials: "ḡ·eᵃ",
        reason: "The limits at ±∞.",
        notation: Notation::Call("exp"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A, Z],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::exp(a), move || elementary::exp(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, z: f64) -> impl Form<f64> {
        guarded(times_power(g, z), move || times_power_fallback(g, a, z))
    }
}

/// `ḡ·z` with `z = eᵃ`.
#[inline(always)]
fn times_power(g: f64, z: f64) -> Fast<f64> {
    (g * z, is_normal(z))
}

/// Also where `eᵃ` alone is below the range.
#[cold]
fn times_power_fallback(g: f64, a: f64, z: f64) -> f64 {
    if z > 1.0 || !a.is_finite() || !g.is_finite() {
        return g * z;
    }
    times_exp(Scaled::new(g), a)
}

/// `eᵃ − 1`.
pub struct Expm1;

impl Unary for Expm1 {
    const FACTS: Facts = Facts {
        domain: "all a up to 709.78, where eᵃ overflows",
        units: None,
        partials: "ḡ·eᵃ",
        reason: "Keeps the digits that eᵃ − 1 cancels near 0. The limits at ±∞.",
        notation: Notation::Call("expm1"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::expm1(a), move || elementary::expm1(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (power, holds) = elementary::fast::exp(a);
        let (contribution, full) = times_power(g, power);
        guarded((contribution, holds & full), move || times_power_fallback(g, a, elementary::exp(a)))
    }
}

/// `1/(1 + e⁻ᵃ)`.
pub struct Sigmoid;

impl Unary for Sigmoid {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·e ÷ (1 + e)², e = exp(−|a|)",
        reason: "The limits 0 and 1 at ∓∞. The partial does not cancel and is right far out.",
        notation: Notation::Call("sigmoid"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::sigmoid(a), move || elementary::sigmoid(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(bell(g, 1.0, -a.abs()), move || bell_fallback(g, 1.0, -a.abs()))
    }
}

/// `ln(1 + eᵃ)`.
pub struct Softplus;

impl Unary for Softplus {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·sigmoid a",
        reason: "The limits 0 and +∞ at ∓∞. Neither value nor partial cancels or overflows on the way.",
        notation: Notation::Call("softplus"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::softplus(a), move || elementary::softplus(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(times_sigmoid(g, a), move || times_sigmoid_fallback(g, a))
    }
}

/// `ḡ·sigmoid a`.
#[inline(always)]
fn times_sigmoid(g: f64, a: f64) -> Fast<f64> {
    let (slope, holds) = elementary::fast::sigmoid(a);
    scaled(g, (slope, holds & is_normal(slope)))
}

/// Where the slope is below the range, it is eᵃ.
#[cold]
fn times_sigmoid_fallback(g: f64, a: f64) -> f64 {
    let slope = elementary::sigmoid(a);
    if is_normal(slope) || !a.is_finite() || !g.is_finite() {
        g * slope
    } else {
        times_exp(Scaled::new(g), a)
    }
}

/// `ln(1/(1 + e⁻ᵃ))`.
pub struct LogSigmoid;

impl Unary for LogSigmoid {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·sigmoid(−a)",
        reason: "−softplus(−a), so neither value nor partial cancels or overflows on the way.",
        notation: Notation::Call("log_sigmoid"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        let (softplus, holds) = elementary::fast::softplus(-a);
        guarded((-softplus, holds), move || -elementary::softplus(-a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        guarded(times_sigmoid(g, -a), move || times_sigmoid_fallback(g, -a))
    }
}

/// `(eᵃ − 1)/a`.
pub struct Exprel;

impl Unary for Exprel {
    const FACTS: Facts = Facts {
        domain: "all a up to 716.35, where it overflows",
        units: None,
        partials: "ḡ·(eᵃ·(a − 1) + 1) ÷ a², ½ḡ at 0",
        reason: "The removable singularity at 0 is removed: value 1, slope ½. The limits 0 and +∞ at ∓∞.",
        notation: Notation::Call("exprel"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        guarded(elementary::fast::exprel(a), move || elementary::exprel(a))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        let (slope, holds) = elementary::fast::exprel_slope(a);
        guarded(scaled(g, (slope, holds & is_normal(slope))), move || times_exprel_slope_fallback(g, a))
    }
}

/// Where the slope is below the range it is 1/a², where it is above it `eᵃ·(a − 1)/a²`.
#[cold]
fn times_exprel_slope_fallback(g: f64, a: f64) -> f64 {
    let slope = elementary::exprel_slope(a);
    if is_normal(slope) || !a.is_finite() || !g.is_finite() {
        return g * slope;
    }
    let (g, a_scaled) = (Scaled::new(g), Scaled::new(a));
    let quotient = g.div(a_scaled).div(a_scaled);
    if a < 0.0 { quotient.to_f64() } else { times_exp(quotient.mul(Scaled::new(a - 1.0)), a) }
}
