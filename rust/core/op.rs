//! The operations: one place per op, a file per family.
//!
//! An op is a type that says everything about itself: its value, its partials, and the [`Facts`] that
//! compiler, printer and documentation ask for. No fact that affects a result has a default: leave it
//! out and the crate does not compile. What the batch compiler writes again, for speed, are the
//! contributions of arithmetic, sine and cosine, squares, sums and means; tests hold them to these types.
//!
//! ```text
//! registry.rs     codes, names, arities and formulas of all ops; the `Op` enum and its dispatch
//! kinds.rs        what an op of one operand, of two, or of any number has to say
//! facts.rs        facts: what a reverse step reads, how infinities spread, how the op is printed
//! form.rs         fast form and fallback of an entry
//! bounded.rs      recip, the bounded reciprocal of the Saturating rule
//! curvature/      second partials, a file per family
//! flags.rs        which ops leave the processor's floating-point flags alone
//! range.rs        tests whether plain doubles lost anything, and what to do if they did
//! *.rs            the families
//! ```
//!
//! Notation: `g` is the adjoint ḡ that arrives, `a` and `b` are the operands, `z` the value, `s` the
//! saturation bound. Contributions that are not REAL are dropped by the sweep in
//! [`backward`](crate::backward), not here. An adjoint that is not REAL must show: no contribution made
//! of it is REAL.

pub(crate) mod curvature;
mod facts;
mod flags;
mod form;
mod kinds;
mod range;
#[macro_use]
mod registry;

pub mod bounded;

pub(crate) mod arithmetic;
pub(crate) mod exponentials;
pub(crate) mod hyperbolic;
pub(crate) mod inverse_trigonometric;
pub(crate) mod lengths;
pub(crate) mod logarithms;
pub(crate) mod order;
pub(crate) mod powers;
pub(crate) mod real_powers;
pub(crate) mod reductions;
pub(crate) mod roots;
pub(crate) mod rounding;
pub(crate) mod special;
pub(crate) mod trigonometric;

pub use facts::{Arity, Facts, Notation, PoleAt, PoleFacts, Read};
pub use registry::Op;

pub(crate) use form::Form;
pub(crate) use kinds::{Elementwise, Variadic};
