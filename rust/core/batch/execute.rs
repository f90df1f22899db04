//! Running a plan: threads, tasks, blocks.

mod backend;
mod block;
mod decisions;
mod dispatch;
mod hybrid;
mod kernels;
mod lines;
mod machine;
pub(super) mod native;
mod outputs;
mod run;
mod shared;
mod slots;
mod task;
mod totals;
mod worker;
