//! The ratios of sine and cosine to their argument.

use crate::reference::wide::Wide;
use std::f64::consts::PI;

/// `x` less the nearest integer, and that integer's parity as a sign.
fn half_turns(x: f64) -> (f64, f64) {
    let (turn, nearest) = (x % 2.0, (x % 2.0).round());
    (turn - nearest, if nearest.abs() == 1.0 { -1.0 } else { 1.0 })
}

pub fn sin_pi(x: f64) -> f64 {
    let (rest, sign) = half_turns(x);
    sign * (PI * rest).sin()
}

/// The derivative of `sin t/t` by t, divided by −t: `Σ (−t²)ᵏ·(2k + 2)/(2k + 3)!`, each term from the one
/// before.
fn bend(t: f64) -> f64 {
    let (mut term, mut series) = (1.0 / 3.0, 0.0);
    for k in 0..16 {
        series += term;
        let n = f64::from(2 * k + 4);
        term *= -(t * t) / ((n - 2.0) * (n + 1.0));
    }
    series
}

/// The derivative of `sinc`.
pub fn sinc_slope(x: f64) -> Wide {
    if x == 0.0 || x.is_infinite() {
        return Wide::new(0.0);
    }
    if x.abs() < 0.5 {
        return Wide::new(-PI * PI * bend(PI * x)).times(Wide::new(x));
    }
    let (rest, sign) = half_turns(x);
    let cosine = sign * (PI * (0.5 - rest.abs())).sin();
    Wide::new(cosine - sin_pi(x) / (PI * x)).over(Wide::new(x))
}

/// `sin t/t`.
fn ratio(t: f64) -> f64 {
    if t.abs() < 1e-8 { 1.0 } else { t.sin() / t }
}

/// `(1 − cos x)/x² = ½·(sin t/t)²` with t = x/2.
pub fn cosc(x: f64) -> f64 {
    if x.is_infinite() { 0.0 } else { 0.5 * ratio(0.5 * x).powi(2) }
}

/// Its derivative, `½·r·r′` with r = sin t/t and r′ = (cos t − r)/t.
pub fn cosc_slope(x: f64) -> Wide {
    let (t, wide) = (0.5 * x, Wide::new(x));
    if x.is_infinite() {
        return Wide::new(0.0);
    }
    if t.abs() < 1.5 {
        return Wide::new(-0.25 * ratio(t) * bend(t)).times(wide);
    }
    Wide::new(t.sin()).over(wide).times(Wide::new(2.0 * (t.cos() - ratio(t)))).over(wide)
}

/// How large the terms are that cancel in it.
pub fn cosc_slope_terms(x: f64) -> f64 {
    if x.abs() < 3.0 || x.is_infinite() { 0.0 } else { (ratio(0.5 * x) / x).abs() }
}
