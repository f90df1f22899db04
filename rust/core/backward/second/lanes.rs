//! Contributions for several weights at once.

use crate::op::Form;

/// The contributions to operand `place` for each of some weights: all in fast form if that holds for all.
#[inline(always)]
pub(super) fn contributions<const K: usize, F: Form<[f64; 2]>>(
    weights: [f64; K],
    place: usize,
    of: impl Fn(f64) -> F,
) -> [f64; K] {
    if K == 1 {
        return weights.map(|weight| of(weight).full()[place]);
    }
    let (mut found, mut all_hold) = ([0.0; K], true);
    for lane in 0..K {
        let (contributions, holds) = of(weights[lane]).fast();
        found[lane] = contributions[place];
        all_hold &= holds;
    }
    if all_hold { found } else { with_fallback(weights, place, of) }
}

#[cold]
#[inline(never)]
fn with_fallback<const K: usize, F: Form<[f64; 2]>>(
    weights: [f64; K],
    place: usize,
    of: impl Fn(f64) -> F,
) -> [f64; K] {
    weights.map(|weight| of(weight).full()[place])
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

/// Adds terms to sums. Those that are not REAL are left out; the lanes in which one with a weight is are passed
/// on.
#[inline(always)]
pub(super) fn add<const K: usize>(
    sums: &mut [f64; K],
    terms: [f64; K],
    has_weight: impl Fn(usize) -> bool,
    left_out: impl FnMut(usize),
) {
    if are_finite(&terms) {
        for lane in 0..K {
            sums[lane] += terms[lane];
        }
    } else {
        add_some(sums, terms, has_weight, left_out);
    }
}

#[cold]
fn add_some<const K: usize>(
    sums: &mut [f64; K],
    terms: [f64; K],
    has_weight: impl Fn(usize) -> bool,
    mut left_out: impl FnMut(usize),
) {
    for lane in 0..K {
        if terms[lane].is_finite() {
            sums[lane] += terms[lane];
        } else if has_weight(lane) {
            left_out(lane);
        }
    }
}
