//! Samples that the vectorised code is not made for.

pub(crate) mod interpreter;
pub(crate) mod results;
