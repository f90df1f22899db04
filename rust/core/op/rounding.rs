//! Rounding to integers and the remainder of a division: piecewise constant or linear, with jumps.

use super::facts::Read::{A, B};
use super::facts::{Facts, Notation};
use super::form::{Form, exact, guarded};
use super::kinds::{Binary, NoPole, Unary};
use crate::elementary;
use crate::scaled::Scaled;

/// `⌊a⌋`.
pub struct Floor;

impl Unary for Floor {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "0",
        reason: "Constant between the integers, where it jumps.",
        notation: Notation::Call("floor"),
        smooth_on: (0.1, 0.9),
        period: Some(1.0),
        kink: Some(|operands| operands[0].floor() == operands[0]),
        reads: &[],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a.floor())
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(g * 0.0)
    }
}

/// `⌈a⌉`.
pub struct Ceil;

impl Unary for Ceil {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "0",
        reason: "Constant between the integers, where it jumps.",
        notation: Notation::Call("ceil"),
        smooth_on: (0.1, 0.9),
        period: Some(1.0),
        kink: Some(|operands| operands[0].ceil() == operands[0]),
        reads: &[],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a.ceil())
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(g * 0.0)
    }
}

/// The integer nearest to `a`.
pub struct Round;

impl Unary for Round {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "0",
        reason: "Halves go to the even neighbour, as in Python, NumPy and IEEE 754. It jumps there, and is \
                 constant between.",
        notation: Notation::Call("round"),
        smooth_on: (-0.4, 0.4),
        period: Some(1.0),
        kink: Some(|operands| (operands[0] - operands[0].trunc()).abs() == 0.5),
        reads: &[],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a.round_ties_even())
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(g * 0.0)
    }
}

/// `a − b·⌊a/b⌋`.
pub struct Remainder;

impl Binary for Remainder {
    const FACTS: Facts = Facts {
        domain: "b ≠ 0",
        units: None,
        partials: "ḡ, −ḡ·⌊a ÷ b⌋",
        reason: "Python's a % b, with the sign of b. There is no remainder of a division by 0, nor of an \
                 infinite a; beside b = ±∞ it is the limit: a, or b where their signs differ. Where it jumps \
                 the partials are those of the side on which it is 0.",
        notation: Notation::Infix("%"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: Some(|operands| elementary::remainder(operands[0], operands[1]) == 0.0),
        reads: &[A, B],
        propagates: &[A],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        guarded(elementary::fast::remainder(a, b), move || elementary::remainder(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        let (quotient, holds) = elementary::fast::floor_quotient(a, b);
        guarded(([g, -g * quotient], holds), move || partials_fallback(g, a, b))
    }
}

/// Also where the quotient alone leaves the range.
#[cold]
fn partials_fallback(g: f64, a: f64, b: f64) -> [f64; 2] {
    let quotient = elementary::floor_quotient(a, b);
    if quotient.is_infinite() && g.is_finite() {
        return [g, Scaled::new(-g).mul(Scaled::new(a)).div(Scaled::new(b)).to_f64()];
    }
    [g, -g * quotient]
}
