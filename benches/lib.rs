//! What the benchmarks have in common: functions as programs, and the same arithmetic fused by hand.

pub mod batched_functions;
pub mod hand_fused;
