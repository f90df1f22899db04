//! Reverse-mode automatic differentiation over **transreal** numbers.
//!
//! Every operation is total: `1/0` is `+∞`, `0/0` is nullity `Φ`, and a value carries the tag
//! that says which of the four it is. What a gradient does at a pole is a policy
//! ([`GradientMode`]), never an accident: no gradient is ever NaN, and a [`Status`] beside it
//! tells a true zero from a silenced one.
//!
//! ```
//! use zeroproof::{Status, Tape};
//!
//! let tape = Tape::new();
//! let x = tape.parameter(0.0);
//! let y = (1.0 / &x).tanh(); // 1/0 = +∞, tanh(+∞) = 1
//! y.backward()?;
//!
//! assert_eq!(y.value().to_ieee(), 1.0);
//! assert_eq!(x.gradient().unwrap().to_ieee(), 0.0);
//! assert_eq!(x.status(), Status::MASKED); // a zero, and the reason for it
//! # Ok::<(), zeroproof::Error>(())
//! ```
//!
//! [`Tape`] records and differentiates. [`batch`] replays a traced function over many samples; it is this crate's own,
//! the rest is that of `zeroproof-core`, the engine on scalars.
//!
//! # Features
//!
//! `native`, on by default: large batches run as machine code where the processor has AVX2 or AVX-512. Without it
//! they are interpreted, with the same bits; beside its engine the crate then depends on `libm` alone, and
//! asks for no executable memory.

#![deny(unsafe_code)]

#[macro_use(with_elementwise, with_variadic)]
extern crate zeroproof_core;

pub mod batch;

#[doc(inline)]
pub use zeroproof_core::{
    Error, GradientMode, HybridSchedule, HysteresisPolicy, ModeState, Op, Reduction, Region, ScheduleType,
    SharedTape, Statistics, Status, Summary, Tape, TrScalar, TrTag, Unreadable, Var, arenas, backward,
    elementary, error, for_each_elementwise_op, for_each_variadic_op, graph, mode, op, policy, reduce,
    scalar, schedule, stats, status, tape,
};
#[doc(hidden)]
pub use zeroproof_core::{ops, rules};

// What the batches ask the engine for beside its API.
use zeroproof_core::{adjoints, poles, quantiles, room, wire};
