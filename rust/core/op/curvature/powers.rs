//! Powers with an integer exponent, the square, and the constant term of a polynomial.

use super::super::facts::Read::{self, A};
use super::super::form::Fast;
use super::super::powers::{PLAIN_POWER, PowInt, Square, Unit, plain_power};
use super::super::range::is_normal;
use super::super::range::smoothed;
use super::entry::{Entry, constant, entry, wide_smoothed};
use super::wide::Wide;
use super::{CurvedPower, CurvedUnary, flat_unary};
use crate::scaled::Scaled;

flat_unary! { Unit }

impl CurvedUnary for Square {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[];
    const FORMULA: &'static str = "2";

    #[inline(always)]
    fn curvature(_a: f64, _z: f64) -> impl Entry {
        constant(2.0)
    }
}

impl CurvedPower for PowInt {
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "n·(n − 1)·aⁿ⁻²";

    #[inline(always)]
    fn curvature(a: f64, n: i32, _z: f64) -> impl Entry {
        Bend { fast: bend_fast(a, n), a, n }
    }

    #[inline(always)]
    fn bounded_curvature(a: f64, n: i32, _z: f64, s: f64) -> impl Entry {
        entry(bounded_fast(a, n, s), move || bounded_wide(a, n, s))
    }
}

struct Bend {
    fast: Fast<f64>,
    a: f64,
    n: i32,
}

impl Entry for Bend {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        self.fast
    }

    #[cold]
    fn wide(&self) -> Wide {
        let m = i64::from(self.n) - 2;
        let power = Wide::Real(Scaled::new(self.a).powi(m.unsigned_abs()));
        let scale = Wide::new(f64::from(self.n)).mul(Wide::new(f64::from(self.n) - 1.0));
        if m < 0 { scale.div(power) } else { scale.mul(power) }
    }
}

#[inline(always)]
fn bend_fast(a: f64, n: i32) -> Fast<f64> {
    match n {
        0 | 1 => (0.0, true),
        2 => (2.0, true),
        _ => {
            let scale = f64::from(n) * (f64::from(n) - 1.0);
            let (power, holds) = plain_power(a, (i64::from(n) - 2).unsigned_abs());
            let value = if n > 0 { scale * power } else { scale / power };
            (value, holds & is_normal(value))
        }
    }
}

/// The slope of `n·recip(y)`, `y = aᵐ` and m = 1 − n: `−n·m·|y|·y/(a·h³)`, h = √(y² + s²).
#[inline(always)]
fn bounded_fast(a: f64, n: i32, s: f64) -> Fast<f64> {
    debug_assert!(n < 0);
    let m = (1 - i64::from(n)) as u64;
    if m > PLAIN_POWER {
        return (0.0, false);
    }
    let (y, full) = plain_power(a, m);
    let (h, h_full) = smoothed(y, s);
    let part = y / h;
    let scale = -f64::from(n) * m as f64 * part.abs() * part;
    let divisor = a * h;
    (scale / divisor, full & h_full & is_normal(part) & is_normal(scale) & is_normal(divisor))
}

#[cold]
fn bounded_wide(a: f64, n: i32, s: f64) -> Wide {
    if a == 0.0 {
        return Wide::new(0.0);
    }
    let m = (1 - i64::from(n)) as u64;
    let y = Scaled::new(a).powi(m);
    let square = Wide::Real(y.mul(y.abs()));
    let scale = Wide::new(-f64::from(n)).mul(Wide::new(m as f64));
    scale.mul(square).div(Wide::new(a)).div(wide_smoothed(Wide::Real(y), s, 3))
}
