//! The error function and the normal distribution.

use crate::reference::wide::Wide;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2, PI};

/// What rounding 1/√2 to a double took from it.
const FRAC_1_SQRT_2_REST: f64 = -4.833_646_656_726_457e-17;

/// `exp(−x²·weight)`, a weight that is a power of two: the square in two doubles.
fn gauss(x: f64, weight: f64) -> Wide {
    let square = x * x;
    if !square.is_finite() || square > 1e6 {
        return Wide::exp(-2800.0);
    }
    let rest = x.mul_add(x, -square);
    Wide::exp(-weight * square).times(Wide::new((-weight * rest).exp()))
}

/// The derivative of erf.
pub fn erf_slope(x: f64) -> Wide {
    if x.is_infinite() { Wide::new(0.0) } else { gauss(x, 1.0).times(Wide::new(FRAC_2_SQRT_PI)) }
}

/// `Φ(−x)/φ(x)` for x ≥ 3, by its continued fraction `1/(x + 1/(x + 2/(x + 3/…)))`.
fn mills(x: f64) -> f64 {
    1.0 / (x + (1..400).rev().fold(0.0, |tail, k| f64::from(k) / (x + tail)))
}

/// `Φ(x) = ½·erfc(−x/√2)`; the quotient is rounded, which matters where erfc is steep.
fn distribution(x: f64) -> f64 {
    let t = -x * FRAC_1_SQRT_2;
    let rest = (-x).mul_add(FRAC_1_SQRT_2, -t) - x * FRAC_1_SQRT_2_REST;
    0.5 * (libm::erfc(t) - rest * erf_slope(t).narrow())
}

fn density(x: f64) -> Wide {
    gauss(x, 0.5).over(Wide::new((2.0 * PI).sqrt()))
}

/// `ln Φ(x)`.
pub fn log_ndtr(x: f64) -> f64 {
    match x {
        f64::INFINITY => -0.0,
        _ if x < -1e160 => f64::NEG_INFINITY,
        _ if x < -8.0 => -0.5 * x * x + (mills(-x).ln() - 0.5 * (LN_2 + PI.ln())),
        _ if x < 0.0 => distribution(x).ln(),
        _ if x < 8.0 => (-distribution(-x)).ln_1p(),
        _ => -density(x).times(Wide::new(mills(x))).narrow(),
    }
}

/// `φ(x)/Φ(x)`.
pub fn log_ndtr_slope(x: f64) -> Wide {
    match x {
        f64::INFINITY => Wide::new(0.0),
        f64::NEG_INFINITY => Wide::new(-x),
        _ if x < -3.0 => Wide::new(1.0).over(Wide::new(mills(-x))),
        _ => density(x).over(Wide::new(distribution(x))),
    }
}
