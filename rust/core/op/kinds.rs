//! What an op has to say about itself, by the number of its operands.
//!
//! An op implements [`Unary`], [`Binary`], [`Power`] or [`Variadic`]; the registry makes an
//! [`Elementwise`] op of the first three. Methods are `#[inline(always)]`: loops over them vectorise only
//! if all of an op is inlined.

use super::facts::{Arity, Facts, PoleFacts};
use super::form::{Form, exact};

/// An op of one operand.
pub(crate) trait Unary {
    /// Facts.
    const FACTS: Facts;
    /// `Self` for a singular op, else [`NoPole`].
    type Singular: SingularUnary;
    /// The transreal value as a double.
    fn value(a: f64) -> impl Form<f64>;
    /// The classical contribution.
    fn classical(g: f64, a: f64, z: f64) -> impl Form<f64>;
}

/// What a singular op of one operand says besides.
pub(crate) trait SingularUnary {
    /// Facts about the pole.
    const POLE: Option<PoleFacts>;
    /// A number whose magnitude is the distance to the pole; `None` without one.
    fn pole(a: f64) -> Option<f64>;
    /// The contribution with saturation bound `s`.
    fn bounded(g: f64, a: f64, z: f64, s: f64) -> impl Form<f64>;
}

/// An op of two operands.
pub(crate) trait Binary {
    /// Facts.
    const FACTS: Facts;
    /// `Self` for a singular op, else [`NoPole`].
    type Singular: SingularBinary;
    /// The transreal value as a double.
    fn value(a: f64, b: f64) -> impl Form<f64>;
    /// The classical contributions.
    fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]>;

    /// Whether there is a [`margin`](Self::margin), which only saves time.
    const HAS_MARGIN: bool;

    /// For an op whose fast form takes long to say whether it holds: where the smallest of these numbers
    /// over a line of samples is normal, and the samples are regular, the classical contributions hold.
    #[inline(always)]
    fn margin(_contributions: [f64; 2], _z: f64) -> f64 {
        0.0
    }
}

/// What a singular op of two operands says besides.
pub(crate) trait SingularBinary {
    /// Facts about the pole.
    const POLE: Option<PoleFacts>;
    /// A number whose magnitude is the distance to the pole, not finite where no REAL operand has one;
    /// `None` without a pole.
    fn pole(a: f64, b: f64) -> Option<f64>;
    /// The contributions with saturation bound `s`.
    fn bounded(g: f64, a: f64, b: f64, z: f64, s: f64) -> impl Form<[f64; 2]>;
}

/// An op of one operand and an integer exponent, which has no gradient.
pub(crate) trait Power {
    /// Facts.
    const FACTS: Facts;
    /// Facts about the pole.
    const POLE: PoleFacts;
    /// The transreal value as a double.
    fn value(a: f64, n: i32) -> impl Form<f64>;
    /// The classical contribution.
    fn classical(g: f64, a: f64, n: i32, z: f64) -> impl Form<f64>;
    /// A number whose magnitude is the distance to the pole; `None` if this exponent makes none.
    fn pole(a: f64, n: i32) -> Option<f64>;
    /// The contribution with saturation bound `s`, where there is a pole.
    fn bounded(g: f64, a: f64, n: i32, z: f64, s: f64) -> impl Form<f64>;
}

/// An op of any number of inputs.
pub trait Variadic {
    /// Facts.
    const FACTS: Facts;
    /// The value over the inputs kept.
    fn value(kept: impl Iterator<Item = f64> + Clone) -> f64;
    /// What the shares of all inputs have in common.
    fn shared(kept: impl Iterator<Item = f64> + Clone, z: f64) -> [f64; 2];
    /// The contribution to a kept input `x`.
    fn share(g: f64, x: f64, shared: [f64; 2]) -> impl Form<f64>;
}

/// The singular part of an op that has none.
pub struct NoPole;

impl SingularUnary for NoPole {
    const POLE: Option<PoleFacts> = None;

    #[inline(always)]
    fn pole(_a: f64) -> Option<f64> {
        None
    }

    #[inline(always)]
    fn bounded(_g: f64, _a: f64, _z: f64, _s: f64) -> impl Form<f64> {
        exact(f64::NAN) // never asked for
    }
}

impl SingularBinary for NoPole {
    const POLE: Option<PoleFacts> = None;

    #[inline(always)]
    fn pole(_a: f64, _b: f64) -> Option<f64> {
        None
    }

    #[inline(always)]
    fn bounded(_g: f64, _a: f64, _b: f64, _z: f64, _s: f64) -> impl Form<[f64; 2]> {
        exact([f64::NAN; 2]) // never asked for
    }
}

/// An op of one or two operands as sweeps and kernels see it. `b` is the exponent of a power, and
/// means nothing to an op of one operand.
pub trait Elementwise {
    /// How many operands it has.
    const ARITY: Arity;
    /// Whether it is written as an operator. These are so frequent that a sweep has their code in line.
    const IS_OPERATOR: bool;
    /// Facts about the pole, if it has one.
    const POLE: Option<PoleFacts>;
    /// The transreal value as a double.
    fn value(a: f64, b: f64) -> impl Form<f64>;
    /// The classical contributions to the operands.
    fn classical(g: f64, a: f64, b: f64, z: f64) -> impl Form<[f64; 2]>;
    /// A number whose magnitude is the distance to the pole, not finite where no REAL operand has one; `None`
    /// without a pole.
    fn pole(a: f64, b: f64) -> Option<f64>;
    /// The contributions with saturation bound `s`, where there is a pole.
    fn bounded(g: f64, a: f64, b: f64, z: f64, s: f64) -> impl Form<[f64; 2]>;
    /// Whether there is a [`margin`](Self::margin).
    const HAS_MARGIN: bool;
    /// A number that tells whether the fast form of the classical contributions holds, where that takes long.
    fn margin(contributions: [f64; 2], z: f64) -> f64;
}

/// The contribution of an op of one operand, in the place of the first of two.
pub(crate) struct First<F>(pub F);

impl<F: Form<f64>> Form<[f64; 2]> for First<F> {
    #[inline(always)]
    fn fast(self) -> ([f64; 2], bool) {
        let (contribution, holds) = self.0.fast();
        ([contribution, 0.0], holds)
    }

    #[inline(always)]
    fn full(self) -> [f64; 2] {
        [self.0.full(), 0.0]
    }
}
