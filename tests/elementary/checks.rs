//! Values of functions, compared to the bit.

#![allow(dead_code, reason = "each test file uses what it needs")]

pub type Function = fn(f64) -> f64;
pub type Function2 = fn(f64, f64) -> f64;

pub const INF: f64 = f64::INFINITY;
pub const LEAST: f64 = 5e-324;

/// NaN of any bits is one value here.
pub fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[track_caller]
pub fn check(name: &str, f: Function, cases: &[(f64, f64)]) {
    for &(x, want) in cases {
        let found = f(x);
        assert!(same(found, want), "{name}({x:e}) = {found:e}, not {want:e}");
    }
}

#[track_caller]
pub fn check2(name: &str, f: Function2, cases: &[(f64, f64, f64)]) {
    for &(x, y, want) in cases {
        let found = f(x, y);
        assert!(same(found, want), "{name}({x:e}, {y:e}) = {found:e}, not {want:e}");
    }
}
