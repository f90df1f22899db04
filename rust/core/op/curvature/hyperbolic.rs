//! Hyperbolic functions and their inverses.

use super::super::facts::Read::{self, A, Z};
use super::super::form::Fast;
use super::super::hyperbolic::{Acosh, Asinh, Atanh, Cosh, Sinh, Tanh, rise};
use super::super::range::{bell, is_normal, scaled_exp};
use super::entry::{Entry, number, over_smoothed, ratio, wide_product};
use super::wide::Wide;
use super::{CurvedPoleUnary, CurvedUnary};
use crate::elementary;

impl CurvedUnary for Tanh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "−2·tanh a·(1 − tanh² a)";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        let (slope, holds) = bell(1.0, 4.0, -2.0 * a.abs());
        let value = -2.0 * z * slope;
        Sigmoidal((value, holds & (is_normal(value) | (z == 0.0))), a, z)
    }
}

struct Sigmoidal(Fast<f64>, f64, f64);

impl Entry for Sigmoidal {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        self.0
    }

    fn wide(&self) -> Wide {
        let t = -2.0 * self.1.abs();
        let sum = Wide::new(1.0 + elementary::exp(t));
        wide_product([-8.0, self.2]).mul(Wide::Real(scaled_exp(t))).div(sum).div(sum)
    }
}

impl CurvedUnary for Sinh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "sinh a";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        Growing(z, a, 1f64.copysign(a))
    }
}

impl CurvedUnary for Cosh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "cosh a";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        Growing(z, a, 1.0)
    }
}

/// The value, and `±½e^|a|` where that overflows.
struct Growing(f64, f64, f64);

impl Entry for Growing {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        number(self.0).fast()
    }

    fn wide(&self) -> Wide {
        let Self(z, a, sign) = *self;
        if z.is_finite() { Wide::new(z) } else { Wide::new(0.5 * sign).mul(Wide::Real(scaled_exp(a.abs()))) }
    }
}

impl CurvedUnary for Asinh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−a ÷ (1 + a²)^(3/2)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let h = elementary::hypot(1.0, a);
        ratio([-a], [h, h, h])
    }
}

impl CurvedUnary for Acosh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−a ÷ ((a − 1)(a + 1))^(3/2)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-a], [a - 1.0, a + 1.0, rise(a)])
    }
}

impl CurvedPoleUnary for Acosh {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        over_smoothed::<1, 0, 3>([-a], [], rise(a), s)
    }
}

impl CurvedUnary for Atanh {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "2a ÷ ((1 − a)(1 + a))²";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let y = (1.0 - a) * (1.0 + a);
        ratio([2.0, a], [y, y])
    }
}

impl CurvedPoleUnary for Atanh {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        let y = (1.0 - a) * (1.0 + a);
        over_smoothed::<3, 0, 3>([2.0, a, y.abs()], [], y, s)
    }
}
