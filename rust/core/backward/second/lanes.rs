//! Contributions for several weights at once.

use crate::op::Form;

/// `f` of each number; `map` of an array goes through five functions, which hundreds of copies make long to compile.
#[inline(always)]
pub(crate) fn each<const N: usize>(mut numbers: [f64; N], f: impl Fn(f64) -> f64) -> [f64; N] {
    for number in &mut numbers {
        *number = f(*number);
    }
    numbers
}

/// The contributions to each operand for some weights: all in fast form if that holds for all.
#[inline(always)]
pub(super) fn contributions<const K: usize, F: Form<[f64; 2]>>(
    weights: [f64; K],
    of: impl Fn(f64) -> F,
) -> [[f64; K]; 2] {
    let (mut found, mut all_hold) = ([[0.0; K]; 2], true);
    for lane in 0..K {
        let (contributions, holds) = of(weights[lane]).fast();
        [found[0][lane], found[1][lane]] = contributions;
        all_hold &= holds;
    }
    if all_hold { found } else { with_fallback(weights, of) }
}

#[cold]
#[inline(never)]
fn with_fallback<const K: usize, F: Form<[f64; 2]>>(
    weights: [f64; K],
    of: impl Fn(f64) -> F,
) -> [[f64; K]; 2] {
    let mut found = [[0.0; K]; 2];
    for lane in 0..K {
        [found[0][lane], found[1][lane]] = of(weights[lane]).full();
    }
    found
}

/// Whether all of them are finite.
#[inline(always)]
pub(super) fn are_finite<const K: usize>(numbers: &[f64; K]) -> bool {
    let mut finite = true;
    for &number in numbers {
        finite &= number.abs() < f64::INFINITY;
    }
    finite
}
