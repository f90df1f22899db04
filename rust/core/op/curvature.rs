//! Second partials: how the partials of an op change with its operands.
//!
//! Of a rule, classical or bounded, that passes `ḡ·pᵢ` to operand i, an entry is `∂pᵢ/∂xⱼ`. Classical entries
//! are the Hessian of the value. What first order takes as a decision is a constant: the mode's choice of a
//! rule, the winner of a comparison, an integer that was rounded to. At kinks, ties and jumps an entry is 0.
//!
//! ```text
//! quotient.rs the tangent of a quotient
//! entry.rs    an entry in fast form and as a number of any size; products of factors
//! wide.rs     numbers of any size
//! weighted.rs an entry times an adjoint and a tangent
//! *.rs        the families, as those of the ops
//! ```
//!
//! Entries are right to a few ulp for finite operands, whatever the size of the entry: a sweep weights them
//! with an adjoint and a tangent, and the product may be representable although the entry is not.

mod entry;
mod quotient;
mod weighted;
mod wide;

mod arithmetic;
mod exponentials;
mod hyperbolic;
mod inverse_trigonometric;
mod lengths;
mod logarithms;
mod order;
mod powers;
mod real_powers;
mod reductions;
mod roots;
mod rounding;
mod special;
mod trigonometric;

use super::facts::Read;
use super::kinds::{Elementwise, NoPole};
pub use entry::{Entries, Entry, One};
pub use quotient::tangent_of_quotient;
pub use weighted::{term, term_fast, wide_term};
pub(crate) use wide::Wide;

/// Which entries are not 0 for all operands: `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`.
pub(crate) type Coupled = [bool; 4];

/// The second partials of an op of one operand.
pub(crate) trait CurvedUnary {
    /// Whether the slope is the same for all operands, or jumps between constants.
    const FLAT: bool;
    /// What the entry is computed from.
    const READS: &'static [Read];
    /// The second derivative, for documentation.
    const FORMULA: &'static str;
    /// The second derivative at a finite `a` with the value `z`.
    fn curvature(a: f64, z: f64) -> impl Entry;
}

/// The slope of the bounded partial of an op of one operand.
pub(crate) trait CurvedPoleUnary {
    /// At a finite `a`, with bound `s`.
    fn bounded_curvature(a: f64, z: f64, s: f64) -> impl Entry;
}

/// The second partials of an op of two operands.
pub(crate) trait CurvedBinary {
    /// Which of them are not always 0, in either rule.
    const COUPLED: Coupled;
    /// Whether classical tangents have the form of a [quotient](tangent_of_quotient).
    const IS_QUOTIENT: bool = false;
    /// What they are computed from.
    const READS: &'static [Read];
    /// The entries aa, ab and bb, for documentation.
    const FORMULA: &'static str;
    /// The Hessian.
    fn curvature(a: f64, b: f64, z: f64) -> impl Entries;
}

/// The slopes of the bounded partials of an op of two operands.
pub(crate) trait CurvedPoleBinary {
    /// `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`.
    fn bounded_curvature(a: f64, b: f64, z: f64, s: f64) -> impl Entries;
}

/// The second partials of a power.
pub(crate) trait CurvedPower {
    /// What they are computed from besides the exponent.
    const READS: &'static [Read];
    /// The second derivative, for documentation.
    const FORMULA: &'static str;
    /// The second derivative.
    fn curvature(a: f64, n: i32, z: f64) -> impl Entry;
    /// The slope of the bounded partial, where there is a pole.
    fn bounded_curvature(a: f64, n: i32, z: f64, s: f64) -> impl Entry;
}

/// The second partials of a variadic op.
pub trait CurvedVariadic {
    /// Whether all of them are 0.
    const FLAT: bool;
    /// The Hessian, for documentation.
    const FORMULA: &'static str;
    /// `(∇²f·t)ᵢ` for the inputs kept: `out` gets what `ḡ` is to be multiplied by.
    fn curvature(inputs: &[f64], tangents: &[f64], out: &mut Vec<Wide>);
}

/// An op of one or two operands as the second-order sweep sees it.
pub trait Curved: Elementwise {
    /// Which second partials are not 0 for all operands.
    const COUPLED: Coupled;
    /// Whether the value is `a ÷ b`.
    const IS_QUOTIENT: bool;
    /// What the second partials are computed from.
    const SECOND_READS: &'static [Read];
    /// The second partials.
    fn curvature(a: f64, b: f64, z: f64) -> impl Entries;
    /// How the bounded partials change with the operands; `s` is the bound.
    fn bounded_curvature(a: f64, b: f64, z: f64, s: f64) -> impl Entries;
}

impl CurvedPoleUnary for NoPole {
    fn bounded_curvature(_a: f64, _z: f64, _s: f64) -> impl Entry {
        entry::constant(f64::NAN) // never asked for
    }
}

impl CurvedPoleBinary for NoPole {
    fn bounded_curvature(_a: f64, _b: f64, _z: f64, _s: f64) -> impl Entries {
        let never = || entry::constant(f64::NAN);
        entry::Four(never(), never(), never(), never())
    }
}

/// Ops of one operand whose slope does not change.
macro_rules! flat_unary {
    ($($op:ident)*) => {$(
        impl super::CurvedUnary for $op {
            const FLAT: bool = true;
            const READS: &'static [crate::op::Read] = &[];
            const FORMULA: &'static str = "0";

            #[inline(always)]
            fn curvature(_a: f64, _z: f64) -> impl super::Entry {
                super::entry::constant(0.0)
            }
        }
    )*};
}
use flat_unary;

/// Ops of two operands whose partials do not change.
macro_rules! flat_binary {
    ($($op:ident)*) => {$(
        impl super::CurvedBinary for $op {
            const COUPLED: super::Coupled = [false; 4];
            const READS: &'static [crate::op::Read] = &[];
            const FORMULA: &'static str = "0, 0, 0";

            #[inline(always)]
            fn curvature(_a: f64, _b: f64, _z: f64) -> impl super::Entries {
                super::entry::none()
            }
        }
    )*};
}
use flat_binary;
