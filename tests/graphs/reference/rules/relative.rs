//! `(eˣ − 1)/x` and `ln(1 + x)/x`, and their derivatives.

use crate::reference::wide::Wide;

/// `Σ term(k)·xᵏ` over k below `count`, the last term first.
fn series(count: u32, x: f64, term: impl Fn(f64) -> f64) -> f64 {
    (0..count).rev().fold(0.0, |sum, k| sum * x + term(f64::from(k)))
}

pub fn exprel(x: f64) -> f64 {
    match x {
        0.0 => 1.0,
        f64::NEG_INFINITY => 0.0,
        f64::INFINITY => x,
        _ if x > 700.0 => Wide::exp(x).over(Wide::new(x)).narrow(),
        _ => x.exp_m1() / x,
    }
}

/// `(eˣ(x − 1) + 1)/x²`; near 0 by series of terms of one sign: `Σ xᵏ/(k!·(k + 2))` for x > 0, and
/// `eˣ·Σ |x|ᵏ/(k!·(k + 1)(k + 2))` for x < 0.
pub fn exprel_slope(x: f64) -> Wide {
    let factorial = |k: f64| libm::tgamma(k + 1.0);
    let wide = Wide::new(x);
    match x {
        f64::NEG_INFINITY => Wide::new(0.0),
        f64::INFINITY => wide,
        _ if x > 700.0 => Wide::exp(x).times(Wide::new(x - 1.0)).over(wide).over(wide),
        _ if (0.0..1.0).contains(&x) => Wide::new(series(24, x, |k| 1.0 / (factorial(k) * (k + 2.0)))),
        _ if (-2.0..0.0).contains(&x) => {
            let sum = series(32, -x, |k| 1.0 / (factorial(k) * (k + 1.0) * (k + 2.0)));
            Wide::new(x.exp() * sum)
        }
        _ => Wide::new(x.exp() * (x - 1.0) + 1.0).over(wide).over(wide),
    }
}

pub fn log1prel(x: f64) -> f64 {
    match x {
        0.0 => 1.0,
        f64::INFINITY => 0.0,
        _ if x > -1.0 => x.ln_1p() / x,
        _ => f64::NAN,
    }
}

/// `m = (x − (1 + x)·ln(1 + x))/x²`, with which the slope is `m/(1 + x)`. Near 0 by series of terms of one
/// sign: `−m = Σ |x|ᵏ/((k + 1)(k + 2))` for x < 0; `−m = ½(1 − v)(1 + (1 + v)·v·Σ v²ᵏ/(2k + 3))` with
/// v = x/(2 + x), from the series of ln(1 + x) = 2 artanh v, for x > 0.
pub fn log1prel_moment(x: f64) -> Wide {
    let (y, v) = (1.0 + x, x / (2.0 + x));
    match x {
        _ if x <= -1.0 => Wide::new(f64::NAN),
        f64::INFINITY => Wide::new(0.0),
        _ if (-0.8..=0.0).contains(&x) => Wide::new(-series(160, -x, |k| 1.0 / ((k + 1.0) * (k + 2.0)))),
        _ if (0.0..4.0).contains(&x) => {
            let rest = v * series(60, v * v, |k| 1.0 / (2.0 * k + 3.0));
            Wide::new(-(1.0 + (1.0 + v) * rest) / (2.0 + x))
        }
        _ if x < 0.0 => Wide::new((x - y * x.ln_1p()) / (x * x)),
        _ => Wide::new(1.0 - y / x * x.ln_1p()).over(Wide::new(x)),
    }
}
