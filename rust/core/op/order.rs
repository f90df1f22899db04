//! Ops that compare: minimum and maximum, bounds, magnitude and sign.

use super::facts::Read::{A, B};
use super::facts::{Facts, Notation};
use super::form::{Form, exact};
use super::kinds::{Binary, NoPole, Unary};

/// The smaller of `a` and `b`.
pub struct Minimum;

impl Binary for Minimum {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ to the smaller operand, ½ḡ to each at a tie",
        reason: "The transreal order, with Φ absorbing; at a tie the mean of the two one-sided derivatives.",
        notation: Notation::Call("min"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == operands[1]),
        reads: &[A, B],
        propagates: &[],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(smaller(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact(share_of_extremum(g, a <= b, b <= a))
    }
}

/// The larger of `a` and `b`.
pub struct Maximum;

impl Binary for Maximum {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ to the larger operand, ½ḡ to each at a tie",
        reason: "The transreal order, with Φ absorbing; at a tie the mean of the two one-sided derivatives.",
        notation: Notation::Call("max"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == operands[1]),
        reads: &[A, B],
        propagates: &[],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(larger(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact(share_of_extremum(g, a >= b, b >= a))
    }
}

/// The larger of two values; Φ absorbs.
#[inline(always)]
pub(super) fn larger(a: f64, b: f64) -> f64 {
    if b > a || b.is_nan() { b } else { a }
}

/// The smaller of two values; Φ absorbs.
#[inline(always)]
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if b < a || b.is_nan() { b } else { a }
}

/// `ḡ` to the operand that won, half of it to each of two that tie.
#[inline(always)]
fn share_of_extremum(g: f64, a_wins: bool, b_wins: bool) -> [f64; 2] {
    match (a_wins, b_wins) {
        (true, true) => [0.5 * g; 2],
        (true, false) => [g, 0.0 * g],
        _ => [0.0 * g, g],
    }
}

/// `a`, or `b` where that is larger.
pub struct ClipMin;

impl Binary for ClipMin {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ to a where a ≥ b, else to b",
        reason: "A lower bound b for a: the value of maximum, but at the bound the gradient is a's, so that \
                 clipping has slope 1 on the closed interval.",
        notation: Notation::Call("clip_min"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == operands[1]),
        reads: &[A, B],
        propagates: &[],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(larger(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact(share_of_extremum(g, a >= b, b > a))
    }
}

/// `a`, or `b` where that is smaller.
pub struct ClipMax;

impl Binary for ClipMax {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ to a where a ≤ b, else to b",
        reason: "An upper bound b for a: the value of minimum, but at the bound the gradient is a's, so that \
                 clipping has slope 1 on the closed interval.",
        notation: Notation::Call("clip_max"),
        smooth_on: (-4.0, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == operands[1]),
        reads: &[A, B],
        propagates: &[],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(smaller(a, b))
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact(share_of_extremum(g, a <= b, b < a))
    }
}

/// The magnitude of `a` with the sign of `b`.
pub struct Copysign;

impl Binary for Copysign {
    const FACTS: Facts = Facts {
        domain: "all a, b",
        units: None,
        partials: "ḡ if a has the sign of b, else −ḡ, 0 at a = 0; 0 to b",
        reason: "The sign of a zero counts, so the value is one-sided at b = ±0. At a = 0 the middle of the \
                 subgradients, as abs.",
        notation: Notation::Call("copysign"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == 0.0 || operands[1] == 0.0),
        reads: &[A, B],
        propagates: &[A],
    };
    type Singular = NoPole;
    const HAS_MARGIN: bool = false;

    #[inline(always)]
    fn value(a: f64, b: f64) -> impl Form<f64> {
        exact(if b.is_nan() { b } else { a.copysign(b) })
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, b: f64, _z: f64) -> impl Form<[f64; 2]> {
        exact([g * (signum(a) * 1f64.copysign(b)), g * 0.0])
    }
}

/// `|a|`.
pub struct Abs;

impl Unary for Abs {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "ḡ·sign a",
        reason: "At 0 the middle of the subgradients.",
        notation: Notation::Call("|a|"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == 0.0),
        reads: &[A],
        propagates: &[A],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(a.abs())
    }

    #[inline(always)]
    fn classical(g: f64, a: f64, _z: f64) -> impl Form<f64> {
        exact(g * signum(a))
    }
}

/// `−1`, 0 or 1.
pub struct Sign;

impl Unary for Sign {
    const FACTS: Facts = Facts {
        domain: "all a",
        units: None,
        partials: "0",
        reason: "Constant on either side of 0, where it takes the middle value.",
        notation: Notation::Call("sign"),
        smooth_on: (0.25, 4.0),
        period: None,
        kink: Some(|operands| operands[0] == 0.0),
        reads: &[],
        propagates: &[],
    };
    type Singular = NoPole;

    #[inline(always)]
    fn value(a: f64) -> impl Form<f64> {
        exact(signum(a))
    }

    #[inline(always)]
    fn classical(g: f64, _a: f64, _z: f64) -> impl Form<f64> {
        exact(g * 0.0)
    }
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
fn signum(a: f64) -> f64 {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else {
        a + 0.0 // +0 for both zeros, NaN for NaN
    }
}
