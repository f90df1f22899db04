//! Roots.

use super::super::facts::Read::{self, A, Z};
use super::super::roots::{Cbrt, Sqrt};
use super::entry::{Entry, over_smoothed, ratio};
use super::{CurvedPoleUnary, CurvedUnary};

impl CurvedUnary for Sqrt {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "−1 ÷ 4a√a";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        ratio([-0.25], [a, z])
    }
}

impl CurvedPoleUnary for Sqrt {
    #[inline(always)]
    fn bounded_curvature(_a: f64, z: f64, s: f64) -> impl Entry {
        over_smoothed::<1, 0, 3>([-2.0], [], 2.0 * z, s)
    }
}

impl CurvedUnary for Cbrt {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "−2 ÷ 9a(∛a)²";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        ratio([-2.0], [9.0, a, z, z])
    }
}

impl CurvedPoleUnary for Cbrt {
    #[inline(always)]
    fn bounded_curvature(_a: f64, z: f64, s: f64) -> impl Entry {
        over_smoothed::<2, 0, 3>([-6.0, z], [], 3.0 * (z * z), s)
    }
}
