//! `√(a² + b²)`, and the same for any number of values.
//!
//! Squares are summed in two doubles, of which the root is then rounded once. Where squares would overflow
//! or lose digits to underflow, the values are first scaled by a power of two, which is exact.

use super::exact::{power_of_two, two_product, two_sum};

/// If the largest magnitude lies between these, squares need no scaling: 2²⁰⁰ of them can be summed, and
/// what one loses to underflow does not count beside the largest.
const SMALL: f64 = power_of_two(-450);
const LARGE: f64 = power_of_two(400);
/// Brings larger and smaller values into that range.
const DOWN: f64 = power_of_two(-624);
const UP: f64 = power_of_two(624);

/// The root of a sum of squares, both in two doubles, for a sum that is positive.
#[inline(always)]
fn root((sum, sum_low): (f64, f64)) -> f64 {
    let root = sum.sqrt();
    let (square, error) = two_product(root, root);
    root + 0.5 * (((sum - square) - error) + sum_low) / root
}

/// The sum of the squares of `values·scale`, in two doubles.
#[inline(always)]
fn sum_of_squares(values: impl Iterator<Item = f64>, scale: f64) -> (f64, f64) {
    values.fold((0.0, 0.0), |(sum, low), value| {
        let value = value * scale;
        let (square, square_low) = two_product(value, value);
        let (sum, error) = two_sum(sum, square);
        (sum, (low + square_low) + error)
    })
}

/// The largest magnitude; NaN if there is one.
#[inline(always)]
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |largest: f64, value| {
        let magnitude = value.abs();
        if magnitude > largest || magnitude.is_nan() { magnitude } else { largest }
    })
}

/// `√Σv²`, which holds where the largest magnitude is neither 0 nor near the ends of the range.
#[inline(always)]
pub(super) fn norm_fast(values: impl Iterator<Item = f64> + Clone) -> (f64, bool) {
    let holds = (SMALL..=LARGE).contains(&largest(values.clone()));
    (root(sum_of_squares(values, 1.0)), holds)
}

/// `√Σv²` for zeros, small, large and infinite values and NaN.
#[cold]
#[inline(never)]
pub(super) fn norm_fallback(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = largest(values.clone());
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let (scale, back) = if largest > 1.0 { (DOWN, UP) } else { (UP, DOWN) };
    root(sum_of_squares(values, scale)) * back
}
