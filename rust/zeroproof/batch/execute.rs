//! Running a plan: threads, tasks, blocks.

mod backend;
mod block;
mod decisions;
mod dispatch;
mod hybrid;
mod kernels;
mod lines;
mod machine;
pub(super) mod misfit;
pub(super) mod native;
mod outputs;
pub(super) mod part_mode;
pub(super) mod partial;
mod run;
mod shared;
mod slots;
mod task;
mod totals;
mod worker;

use dispatch::Width;
use kernels::HasNonReal;
use slots::LANES;

/// Whether all numbers are REAL.
pub fn are_finite(numbers: &[f64]) -> bool {
    let (lines, rest) = numbers.as_chunks::<LANES>();
    rest.iter().all(|number| number.is_finite()) && !Width::widest().run(HasNonReal(lines))
}
