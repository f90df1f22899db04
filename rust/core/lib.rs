//! The engine of the crate `zeroproof` on scalars: operations, graphs, backward passes, modes and schedules.
//!
//! Use `zeroproof`, which shows this crate's API and adds the batches. What it does not show is public here for its
//! batches, and may change in any release.
//!
//! The modules, bottom up: [`scalar`] (a value is a double, its tag the class of that double),
//! [`op`] (the operations: one place per op), [`graph`] (the arena), [`mode`],
//! [`schedule`] and [`stats`] (the policy), [`backward`] (the sweep), [`tape`] (the API) and [`arenas`] (an arena
//! for each thread).

#![deny(unsafe_code)]

#[macro_use]
pub mod op;
#[doc(hidden)]
pub mod adjoints;
pub mod arenas;
pub mod backward;
pub mod elementary;
pub mod error;
mod exact_sum;
pub mod graph;
pub mod mode;
mod node_set;
mod pass_counts;
#[doc(hidden)]
pub mod poles;
pub mod policy;
#[doc(hidden)]
pub mod quantiles;
pub mod reduce;
#[doc(hidden)]
pub mod room;
pub mod scalar;
mod scaled;
pub mod schedule;
pub mod stats;
pub mod status;
mod sync;
pub mod tape;
#[doc(hidden)]
pub mod wire;

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
