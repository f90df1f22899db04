//! Elementary functions, from one pinned pure-Rust implementation so that every machine and every
//! path computes the same bits. The platform's libm is never called.

pub(crate) use libm::{cos, exp, sin, tanh};

/// `ln x` for finite x > 0 and for +∞. Outside that domain the op table does not ask.
pub(crate) fn ln(x: f64) -> f64 {
    libm::log(x)
}
