//! `eᵃ` and what is made of it.

use super::super::exponentials::{Exp, Expm1, Exprel, LogSigmoid, Sigmoid, Softplus};
use super::super::facts::Read::{self, A, Z};
use super::super::form::Fast;
use super::super::range::{bell, is_normal, scaled_exp};
use super::CurvedUnary;
use super::entry::{Entry, entry};
use super::wide::Wide;
use crate::elementary::{self, second};

impl CurvedUnary for Exp {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "eᵃ";

    #[inline(always)]
    fn curvature(a: f64, z: f64) -> impl Entry {
        entry((z, true), move || Wide::Real(scaled_exp(a)))
    }
}

impl CurvedUnary for Expm1 {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "eᵃ";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        entry(elementary::fast::exp(a), move || Wide::Real(scaled_exp(a)))
    }
}

impl CurvedUnary for Sigmoid {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−sign a·e·(1 − e) ÷ (1 + e)³, e = exp(−|a|)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let magnitude = a.abs();
        let ((e, holds), (less, less_holds)) =
            (elementary::fast::exp(-magnitude), elementary::fast::expm1(-magnitude));
        let (sign, sum) = (1f64.copysign(a), 1.0 + e);
        let value = sign * less * e / (sum * sum * sum);
        Sigmoidal((value, holds & less_holds & (is_normal(value) | (a == 0.0))), a)
    }
}

struct Sigmoidal(Fast<f64>, f64);

impl Entry for Sigmoidal {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        self.0
    }

    fn wide(&self) -> Wide {
        let magnitude = self.1.abs();
        let sum = Wide::new(1.0 + elementary::exp(-magnitude));
        let less = Wide::new(elementary::expm1(-magnitude) * 1f64.copysign(self.1));
        less.mul(Wide::Real(scaled_exp(-magnitude))).div(sum).div(sum).div(sum)
    }
}

/// `sign·e/(1 + e)²` with `e = exp(−|a|)`, the slope of `sigmoid ±a`.
#[inline(always)]
fn sigmoid_slope(sign: f64, a: f64) -> impl Entry {
    entry(bell(sign, 1.0, -a.abs()), move || {
        let sum = Wide::new(1.0 + elementary::exp(-a.abs()));
        Wide::new(sign).mul(Wide::Real(scaled_exp(-a.abs()))).div(sum).div(sum)
    })
}

impl CurvedUnary for Softplus {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "e ÷ (1 + e)², e = exp(−|a|)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        sigmoid_slope(1.0, a)
    }
}

impl CurvedUnary for LogSigmoid {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−e ÷ (1 + e)², e = exp(−|a|)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        sigmoid_slope(-1.0, a)
    }
}

impl CurvedUnary for Exprel {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "(eᵃ·(a² − 2a + 2) − 2) ÷ a³, ⅓ at 0";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        entry(second::exprel_bend(a), move || exprel_wide(a))
    }
}

/// Far out to the left it is `−2/a³`, to the right `eᵃ·(a² − 2a + 2)/a³`.
#[cold]
fn exprel_wide(a: f64) -> Wide {
    let wide = Wide::new(a);
    if a < 0.0 {
        return Wide::new(-2.0).div(wide).div(wide).div(wide);
    }
    let polynomial = Wide::new((a - 2.0) * a + 2.0);
    Wide::Real(scaled_exp(a)).mul(polynomial).div(wide).div(wide).div(wide)
}
