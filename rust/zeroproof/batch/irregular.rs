//! Samples that the vectorised code is not made for.

pub(crate) mod interpreter;
mod recorder;
pub(crate) mod results;
