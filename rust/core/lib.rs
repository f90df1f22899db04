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
//! The modules, bottom up: [`scalar`] (a value is a double, its tag the class of that double),
//! [`op`] (the operations: one place per op), [`graph`] (the arena), [`mode`],
//! [`schedule`] and [`stats`] (the policy), [`backward`] (the sweep), [`tape`] (the API), [`arenas`] (an arena
//! for each thread), and [`batch`] (a traced function over many samples).
//!
//! # Features
//!
//! `native`, on by default: large batches run as machine code where the processor has AVX2 or AVX-512. Without it
//! they are interpreted, with the same bits; the crate then depends on `libm` alone and asks for no executable
//! memory.

#![deny(unsafe_code)]

#[macro_use]
pub mod op;
mod adjoints;
pub mod arenas;
pub mod backward;
pub mod batch;
pub mod elementary;
pub mod error;
mod exact_sum;
pub mod graph;
pub mod mode;
mod node_set;
mod pass_counts;
mod poles;
pub mod policy;
mod quantiles;
pub mod reduce;
mod room;
pub mod scalar;
mod scaled;
pub mod schedule;
pub mod stats;
pub mod status;
mod sync;
pub mod tape;
mod wire;

pub use error::Error;
pub use mode::{GradientMode, ModeState, Region};
#[doc(hidden)]
pub use op as ops;
pub use op::Op;
#[doc(hidden)]
pub use op::bounded as rules;
pub use policy::HysteresisPolicy;

pub use reduce::Reduction;
pub use scalar::{TrScalar, TrTag};
pub use schedule::{HybridSchedule, ScheduleType};

pub use stats::{Statistics, Summary};
pub use status::Status;
pub use tape::{SharedTape, Tape, Var};
pub use wire::Unreadable;
