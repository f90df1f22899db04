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

#[doc(hidden)]
pub mod curvature;
mod facts;
mod flags;
mod form;
mod kinds;
mod range;
#[macro_use]
mod registry;

pub mod bounded;

#[doc(hidden)]
pub mod arithmetic;
#[doc(hidden)]
pub mod exponentials;
#[doc(hidden)]
pub mod hyperbolic;
#[doc(hidden)]
pub mod inverse_trigonometric;
#[doc(hidden)]
pub mod lengths;
#[doc(hidden)]
pub mod logarithms;
#[doc(hidden)]
pub mod order;
#[doc(hidden)]
pub mod powers;
#[doc(hidden)]
pub mod real_powers;
#[doc(hidden)]
pub mod reductions;
#[doc(hidden)]
pub mod roots;
#[doc(hidden)]
pub mod rounding;
#[doc(hidden)]
pub mod special;
#[doc(hidden)]
pub mod trigonometric;

pub use facts::{Arity, Facts, Notation, PoleAt, PoleFacts, Read};
pub use registry::Op;

#[doc(hidden)]
pub use form::Form;
#[doc(hidden)]
pub use kinds::{Elementwise, Variadic};
