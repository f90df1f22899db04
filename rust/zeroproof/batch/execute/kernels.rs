//! Loops over the samples of a block, one for each kind of instruction and op.
//!
//! Every kernel computes the fast form of the op for all lanes, which the compiler turns into vector
//! instructions, and then has the full form decide in the lines where the fast one does not hold for some
//! lane. So a kernel computes what the op says, bit for bit.
//!
//! A kernel is a [`Work`](super::dispatch::Work): a function of its own for each width of vectors. Ops are
//! types, and nothing is a closure: all that a loop calls is certain to be inlined into it, and so compiled
//! for the processor's vectors. A line is computed on the stack and then stored, so that the compiler need
//! not fear that a store changes a source. What is rare is compiled once, for all widths.

mod adjoints;
mod choices;
mod folds;
mod rows;
mod second;
mod sums;
mod values;

pub(crate) use adjoints::{AdjointSources, Bounded, Classical, Contribute, Saturate, Share};
pub(crate) use choices::{Select, Test};
pub(crate) use folds::{AddKept, Fold, ShareOut};
pub(crate) use rows::{Column, Rows};
pub(crate) use second::{Bend, BoundedBending, ClassicalBending, Quotient, Term};
pub(crate) use sums::{AddLines, Close, Count, HasNonReal, NotReal, Ones};
pub(crate) use values::{Cheap, MultiplyAdd, Polynomial, Power, SinCos, Square, Value};
