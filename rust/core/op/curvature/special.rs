//! The error function and the normal distribution.

use super::super::facts::Read::{self, A};
use super::super::range::{is_normal, scaled_gauss};
use super::super::special::{Erf, Erfc, FRAC_1_SQRT_2PI, LogNdtr};
use super::CurvedUnary;
use super::entry::{Entry, entry};
use super::wide::Wide;
use crate::elementary::{self, second};
use std::f64::consts::FRAC_2_SQRT_PI;

impl CurvedUnary for Erf {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−4a ÷ √π·exp(−a²)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        bell_slope(-2.0, a)
    }
}

impl CurvedUnary for Erfc {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "4a ÷ √π·exp(−a²)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        bell_slope(2.0, a)
    }
}

/// `factor·a·2/√π·exp(−a²)`.
#[inline(always)]
fn bell_slope(factor: f64, a: f64) -> impl Entry {
    let (slope, holds) = elementary::fast::erf_slope(a);
    entry((factor * a * slope, holds & is_normal(slope)), move || {
        Wide::new(factor * FRAC_2_SQRT_PI).mul(Wide::new(a)).mul(Wide::Real(scaled_gauss(a, 1.0)))
    })
}

/// With the slope `r = φ(a)/Φ(a)` it is `−r·(r + a)`.
impl CurvedUnary for LogNdtr {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−r·(r + a), r = φ(a) ÷ Φ(a)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let (slope, holds) = elementary::fast::log_ndtr_slope(a);
        let rise = second::log_ndtr_rise(a);
        let value = -slope * rise;
        entry((value, holds & is_normal(slope) & is_normal(rise)), move || {
            let slope = elementary::log_ndtr_slope(a);
            // Where the slope is below the range, Φ(a) is 1.
            let slope = if is_normal(slope) || a < 0.0 {
                Wide::new(slope)
            } else {
                Wide::new(FRAC_1_SQRT_2PI).mul(Wide::Real(scaled_gauss(a, 0.5)))
            };
            Wide::new(-1.0).mul(slope).mul(Wide::new(rise))
        })
    }
}
