//! Logarithms, and products with them.

use super::super::facts::Read::{self, A, B};
use super::super::form::Fast;
use super::super::logarithms::{Log, Log1p, Log1prel, Log2, Log10, Xlogy};
use super::super::range::is_normal;
use super::super::range::smoothed;
use super::entry::{
    Entries, Entry, Four, Symmetric, constant, entry, over_smoothed, ratio, wide_product, wide_smoothed,
};
use super::wide::Wide;
use super::{Coupled, CurvedBinary, CurvedPoleBinary, CurvedPoleUnary, CurvedUnary};
use crate::elementary::second;
use std::f64::consts::{LN_2, LN_10};

impl CurvedUnary for Log {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−1 ÷ a²";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-1.0], [a, a])
    }
}

impl CurvedPoleUnary for Log {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        over_smoothed::<2, 0, 3>([-1.0, a.abs()], [], a, s)
    }
}

impl CurvedUnary for Log2 {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−1 ÷ (a²·ln 2)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-1.0], [a, a, LN_2])
    }
}

impl CurvedPoleUnary for Log2 {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        recip_product_slope(a, LN_2, s)
    }
}

impl CurvedUnary for Log10 {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−1 ÷ (a²·ln 10)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-1.0], [a, a, LN_10])
    }
}

impl CurvedPoleUnary for Log10 {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        recip_product_slope(a, LN_10, s)
    }
}

/// The slope of `recip(a·ln base)`: `−|y|·ln base/h³`, `y = a·ln base`.
#[inline(always)]
fn recip_product_slope(a: f64, ln_base: f64, s: f64) -> impl Entry {
    let y = a * ln_base;
    let (h, full) = smoothed(y, s);
    let part = -y.abs() / h;
    let slope = part * ln_base / (h * h);
    let holds = full & is_normal(y) & is_normal(part) & is_normal(h * h);
    entry((slope, holds), move || {
        if a == 0.0 {
            return Wide::new(0.0);
        }
        let y = wide_product([a, ln_base]);
        wide_product([-1.0, a.abs(), ln_base, ln_base]).div(wide_smoothed(y, s, 3))
    })
}

impl CurvedUnary for Log1p {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−1 ÷ (1 + a)²";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-1.0], [1.0 + a, 1.0 + a])
    }
}

impl CurvedPoleUnary for Log1p {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        let y = 1.0 + a;
        over_smoothed::<2, 0, 3>([-1.0, y.abs()], [], y, s)
    }
}

/// With `d = 2 + a`, `s = a/d` and `A = (artanh s − s)/s³`, a positive number, `ln(1 + a)` is `2·artanh s` and the
/// second derivative `1/(d·(1 + a)²) + 4A/d³`, where nothing cancels.
impl CurvedUnary for Log1prel {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "(2·ln(1 + a) − a·(2 + 3a) ÷ (1 + a)²) ÷ a³, ⅔ at 0";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let (excess, u, d) = (second::artanh_excess(a), 1.0 + a, 2.0 + a);
        let (near_pole, far) = (1.0 / (d * (u * u)), 4.0 * excess / (d * d * d));
        let holds = is_normal(near_pole) & is_normal(far);
        entry((near_pole + far, holds), move || {
            let [one, u, d] = [1.0, u, d].map(Wide::new);
            let excess = Wide::new(4.0 * excess);
            one.div(d).div(u).div(u).add(excess.div(d).div(d).div(d))
        })
    }
}

/// Of `m·recip(y)`, `y = 1 + a`: the slope of m is `2A/d²`, and m is `−(d² + 2a·y·A)/d³`.
impl CurvedPoleUnary for Log1prel {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        let (excess, y, d) = (second::artanh_excess(a), 1.0 + a, 2.0 + a);
        let (h, full) = smoothed(y, s);
        let (square, part) = (d * d, y / h);
        let minus_m = (square + 2.0 * a * y * excess) / (square * d);
        let first = 2.0 * excess / (square * h);
        let second = minus_m * part / (h * h);
        let holds = full & is_normal(first) & is_normal(second) & is_normal(square * d) & is_normal(h * h);
        let holds = holds & is_normal(minus_m) & is_normal(square * h) & is_normal(part);
        entry((first + second, holds), move || bounded_log1prel_wide(a, excess, s))
    }
}

#[cold]
fn bounded_log1prel_wide(a: f64, excess: f64, s: f64) -> Wide {
    if 1.0 + a <= 0.0 {
        return Wide::new(0.0);
    }
    let [y, d, excess, a] = [1.0 + a, 2.0 + a, excess, a].map(Wide::new);
    let square = d.mul(d);
    let minus_m = square.add(Wide::new(2.0).mul(a).mul(y).mul(excess)).div(square).div(d);
    let first = Wide::new(2.0).mul(excess).div(square).div(wide_smoothed(y, s, 1));
    first.add(minus_m.mul(y).div(wide_smoothed(y, s, 3)))
}

impl CurvedBinary for Xlogy {
    const COUPLED: Coupled = [false, true, true, true];
    const READS: &'static [Read] = &[A, B];
    const FORMULA: &'static str = "0, 1 ÷ b, −a ÷ b²";

    #[inline(always)]
    fn curvature(a: f64, b: f64, _z: f64) -> impl Entries {
        Symmetric(constant(0.0), ratio([1.0], [b]), Falling(a, b))
    }
}

impl CurvedPoleBinary for Xlogy {
    #[inline(always)]
    fn bounded_curvature(a: f64, b: f64, _z: f64, s: f64) -> impl Entries {
        Four(
            constant(0.0),
            ratio([1.0], [b]),
            over_smoothed::<1, 0, 1>([1f64.copysign(b)], [], b, s),
            over_smoothed::<3, 0, 3>([-1.0, a, b.abs()], [], b, s),
        )
    }
}

/// `−a/b²`, and 0 where a is 0, also at b = 0.
struct Falling(f64, f64);

impl Entry for Falling {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        ratio([-self.0], [self.1, self.1]).fast()
    }

    fn wide(&self) -> Wide {
        if self.0 == 0.0 { Wide::new(0.0) } else { ratio([-self.0], [self.1, self.1]).wide() }
    }
}
