//! Sum, difference, product, quotient and negation.

use super::bounded::quotient;
use super::facts::Read::{A, B, Z};
use super::facts::{Facts, Notation, PoleAt, PoleFacts};
use super::form::{Fast, Form, exact, guarded};
use super::kinds::{Binary, NoPole, SingularBinary, Unary};
use super::range::is_full;
use crate::scaled::Scaled;

/// `a + b`.
pub struct Add;

impl Binary for Add {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ, ḡ",
        reason: "+∞ and −∞ may cancel to anything: their sum is Φ.",
        notation: Notation::Infix("+"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A, B],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(a + b)
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact([g, g])
    }
}

/// `a − b`.
pub struct Sub;

impl Binary for Sub {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ, −ḡ",
        reason: "The sum of a and −b.",
        notation: Notation::Infix("−"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A, B],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(a - b)
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact([g, -g])
    }
}

/// `a × b`.
pub struct Mul;

impl Binary for Mul {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ·b, ḡ·a",
        reason: "0 × ±∞ may be anything: it is Φ.",
        notation: Notation::Infix("×"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[A, B],
        propagates: &[A, B],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(a * b)
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact([g * b, g * a])
    }
}

/// `a ÷ b`.
pub struct Div;

impl Binary for Div {
    const FACTS: Facts = Facts {
        domain: "b ≠ 0",
        units: None,
        partials: "ḡ ÷ b, −ḡ·a ÷ b²",
        reason: "1 ÷ 0 is ±∞ by the signs of numerator and zero, so the quotient keeps the side from which \
                 it came; 0 ÷ 0 may be anything.",
        notation: Notation::Infix("÷"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: None,
        reads: &[A, B, Z],
        propagates: &[A],
    };
    type Singular = Self;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(a / b)
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]> {
        guarded(div_fast(g, a, b, z), move || div_fallback(g, a, b, z))
    }

    const HAS_MARGIN: bool = true;

    #[inline(always)]
    fn margin([to_a, _]: [f64; 2], z: f64) -> f64 {
        let (to_a, z) = (to_a.abs(), z.abs());
        if z < to_a { z } else { to_a }
    }
}

impl SingularBinary for Div {
    const POLE: Option<PoleFacts> = Some(PoleFacts {
        at: PoleAt::Operand(1),
        is_real_there: false,
        distance: "|b|",
        bounded: "ḡ·recip(b), −ḡ·a ÷ (b² + s²)",
    });

    #[inline(always)]
    fn pole(_a: f64, b: f64) -> Option<f64> {
        Some(b)
    }

    #[inline(always)]
    fn bounded(g: f64, a: f64, b: f64, _z: f64, s: f64) -> impl Form<[f64; 2]> {
        quotient(g, a, b, s)
    }
}

#[inline(always)]
fn div_fast(g: f64, a: f64, y: f64, z: f64) -> Fast<[f64; 2]> {
    let to_a = g / y;
    ([to_a, -to_a * z], is_full(to_a, g) & is_full(z, a))
}

#[cold]
fn div_fallback(g: f64, a: f64, y: f64, z: f64) -> [f64; 2] {
    let to_a = g / y;
    if g.is_finite() && a.is_finite() && y.is_finite() && y != 0.0 {
        let y = Scaled::new(y);
        [to_a, Scaled::new(-g).mul(Scaled::new(a)).div(y).div(y).to_f64()]
    } else {
        [to_a, -to_a * z]
    }
}

/// `−a`.
pub struct Neg;

impl Unary for Neg {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "−ḡ",
        reason: "Exact.",
        notation: Notation::Prefix("−"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: None,
        reads: &[],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(-a)
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(-g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_that_is_normal_tells_that_the_fast_form_holds() {
        let magnitudes = [5e-324, 1e-310, 1e-300, 1e-160, 0.3, 1.0, 7.0, 1e160, 1e300, f64::MAX];
        let numbers = || magnitudes.into_iter().chain([0.0]).flat_map(|x| [x, -x]);
        let mut told = 0;
        for g in numbers() {
            for (a, b) in numbers().flat_map(|a| numbers().map(move |b| (a, b))) {
                let z = a / b;
                let (contributions, holds) = <Div as Binary>::classical(g, a, b, z).fast();
                let regular = contributions.iter().all(|c| c.is_finite()) && z.is_finite();
                if regular && <Div as Binary>::margin(contributions, z) >= f64::MIN_POSITIVE {
                    told += 1;
                    assert!(holds, "{g:e}·d({a:e} ÷ {b:e})");
                }
            }
        }
        assert!(told > 1000, "{told} cases");
    }
}
