//! Stand-ins.
#![allow(missing_docs)]
pub fn tan(x: f64) -> f64 {
    x.tan()
}
fn half_turns(x: f64) -> (f64, f64) {
    let (turn, nearest) = (x % 2.0, (x % 2.0).round());
    (std::f64::consts::PI * (turn - nearest), if nearest.abs() == 1.0 { -1.0 } else { 1.0 })
}
pub fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, s) = half_turns(x);
    s * a.sin() / (std::f64::consts::PI * x)
}
pub fn sinc_slope(x: f64) -> f64 {
    if x == 0.0 || x.is_infinite() {
        return 0.0;
    }
    if x.abs() < 0.5 {
        let p2 = std::f64::consts::PI * std::f64::consts::PI;
        let (mut term, mut series) = (1.0 / 3.0, 0.0);
        for k in 0..12 {
            series += term;
            let n = f64::from(2 * k + 4);
            term *= -p2 * x * x / ((n - 2.0) * (n + 1.0));
        }
        return -p2 * series * x;
    }
    let (a, s) = half_turns(x);
    (s * a.cos() - sinc(x)) / x
}
pub fn asin(x: f64) -> f64 {
    x.asin()
}
pub fn acos(x: f64) -> f64 {
    x.acos()
}
pub fn atan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}
pub mod hot {
    pub fn tan(x: f64) -> (f64, bool) {
        (super::tan(x), true)
    }
    pub fn sinc(x: f64) -> (f64, bool) {
        (super::sinc(x), true)
    }
    pub fn sinc_slope(x: f64) -> (f64, bool) {
        (super::sinc_slope(x), true)
    }
    pub fn asin(x: f64) -> (f64, bool) {
        (super::asin(x), true)
    }
    pub fn acos(x: f64) -> (f64, bool) {
        (super::acos(x), true)
    }
    pub fn atan2(y: f64, x: f64) -> (f64, bool) {
        (super::atan2(y, x), true)
    }
}
