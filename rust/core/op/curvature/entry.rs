//! An entry: a second partial in fast form, and as a number of any size where that does not hold.

use super::super::form::Fast;
use super::super::range::{is_normal, smoothed};
use super::weighted::{term, wide_term};
use super::wide::Wide;
use crate::scaled::Scaled;

/// A second partial for given operands.
pub trait Entry {
    /// A normal double or an exact 0, and whether that holds.
    fn fast(&self) -> Fast<f64>;
    /// The entry, whatever its size.
    fn wide(&self) -> Wide;
}

struct Guarded<F>(Fast<f64>, F);

impl<F: Fn() -> Wide> Entry for Guarded<F> {
    #[inline(always)]
    fn fast(&self) -> Fast<f64> {
        self.0
    }

    fn wide(&self) -> Wide {
        (self.1)()
    }
}

/// An entry with a fast form, which holds if it is normal besides, and a fallback.
#[inline(always)]
pub(super) fn entry((value, holds): Fast<f64>, wide: impl Fn() -> Wide) -> impl Entry {
    Guarded((value, holds & is_normal(value)), wide)
}

/// A constant, 0 or normal.
#[inline(always)]
pub(super) fn constant(value: f64) -> impl Entry {
    Guarded((value, true), move || Wide::new(value))
}

/// A number at hand, rounded correctly or nearly so also where it is subnormal or 0.
#[inline(always)]
pub(super) fn number(value: f64) -> impl Entry {
    Guarded((value, is_normal(value) | (value == 0.0)), move || Wide::new(value))
}

/// `Π above ÷ Π below`, each factor rounded well whatever its size. At a pole it is not REAL.
#[inline(always)]
pub(super) fn ratio<const N: usize, const M: usize>(above: [f64; N], below: [f64; M]) -> impl Entry {
    let (above_product, is_zero, full) = product(above);
    let (below_product, _, below_full) = product(below);
    let value = above_product / below_product;
    let holds = full & below_full & (is_normal(value) | is_zero);
    Guarded((value, holds), move || wide_product(above).div(wide_product(below)))
}

/// A factor, which is exactly 0 or rounded well where it is normal, times another entry.
#[inline(always)]
pub(super) fn scaled(
    factor: f64,
    (entry, holds): Fast<f64>,
    is_zero: bool,
    wide: impl Fn() -> Wide,
) -> impl Entry {
    let value = factor * entry;
    Guarded((value, holds & (is_zero | (is_normal(factor) & is_normal(value)))), wide)
}

/// A product, whether a factor is 0, and whether it is right: no partial product leaves the range.
#[inline(always)]
fn product<const N: usize>(factors: [f64; N]) -> (f64, bool, bool) {
    let (mut product, mut is_zero, mut full) = (1.0, false, true);
    for factor in factors {
        product *= factor;
        is_zero |= factor == 0.0;
        full &= is_normal(product) | is_zero;
    }
    (product, is_zero, full & (product.is_finite()))
}

pub(super) fn wide_product<const N: usize>(factors: [f64; N]) -> Wide {
    factors.into_iter().fold(Wide::new(1.0), |product, factor| product.mul(Wide::new(factor)))
}

/// `Π above ÷ (Π below·hᵖ)` with `h = √(y² + s²)`, the slope of something bounded; 0 where y is 0, which is
/// where the bounded reciprocal jumps.
#[inline(always)]
pub(super) fn over_smoothed<const N: usize, const M: usize, const P: usize>(
    above: [f64; N],
    below: [f64; M],
    y: f64,
    s: f64,
) -> impl Entry {
    let (fast, holds) = over_smoothed_fast::<N, M, P>(above, below, y, s);
    Guarded((fast, holds & (y != 0.0)), move || match y == 0.0 {
        true => Wide::new(0.0),
        false => wide_over_smoothed::<N, M, P>(above, below, y, s),
    })
}

/// The same for what does not jump at y = 0.
#[inline(always)]
pub(super) fn over_smoothed_everywhere<const N: usize, const M: usize, const P: usize>(
    above: [f64; N],
    below: [f64; M],
    y: f64,
    s: f64,
) -> impl Entry {
    let fast = over_smoothed_fast::<N, M, P>(above, below, y, s);
    Guarded(fast, move || wide_over_smoothed::<N, M, P>(above, below, y, s))
}

#[inline(always)]
fn over_smoothed_fast<const N: usize, const M: usize, const P: usize>(
    above: [f64; N],
    below: [f64; M],
    y: f64,
    s: f64,
) -> Fast<f64> {
    let (h, h_full) = smoothed(y, s);
    let (above_product, is_zero, full) = product(above);
    let (below_product, _, below_full) = product(below);
    let (power, _, power_full) = product([h; P]);
    let (divisor, _, divisor_full) = product([below_product, power]);
    let value = above_product / divisor;
    (value, h_full & full & below_full & power_full & divisor_full & (is_normal(value) | is_zero))
}

fn wide_over_smoothed<const N: usize, const M: usize, const P: usize>(
    above: [f64; N],
    below: [f64; M],
    y: f64,
    s: f64,
) -> Wide {
    wide_product(above).div(wide_product(below)).div(wide_smoothed(Wide::new(y), s, P as u64))
}

/// `√(y² + s²)ᵖ`.
pub(super) fn wide_smoothed(y: Wide, s: f64, p: u64) -> Wide {
    match y {
        Wide::Real(y) => {
            let s = Scaled::new(s);
            Wide::Real(y.mul(y).add(s.mul(s)).sqrt().powi(p))
        }
        Wide::Other(y) => Wide::Other(y.abs()),
    }
}

/// The entries of an op of up to two operands: `[∂p₀/∂a, ∂p₀/∂b, ∂p₁/∂a, ∂p₁/∂b]`.
pub trait Entries {
    /// Normal doubles or exact zeros, and whether all of that holds.
    fn fast(&self) -> Fast<[f64; 4]>;
    /// The entries, whatever their size.
    fn wide(&self) -> [Wide; 4];
    /// The entries times a weight.
    fn weighted(&self, weight: f64) -> [f64; 4] {
        match self.fast() {
            (entries, true) => entries.map(|entry| term(weight, 1.0, entry)),
            _ => self.wide().map(|entry| wide_term(weight, 1.0, entry)),
        }
    }
}

/// The only entry of an op of one operand.
pub struct One<E>(pub E);

impl<E: Entry> Entries for One<E> {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        let (value, holds) = self.0.fast();
        ([value, 0.0, 0.0, 0.0], holds)
    }

    fn wide(&self) -> [Wide; 4] {
        let zero = Wide::new(0.0);
        [self.0.wide(), zero, zero, zero]
    }
}

/// Four entries.
pub(super) struct Four<A, B, C, D>(pub A, pub B, pub C, pub D);

impl<A: Entry, B: Entry, C: Entry, D: Entry> Entries for Four<A, B, C, D> {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        let ((a, a_holds), (b, b_holds)) = (self.0.fast(), self.1.fast());
        let ((c, c_holds), (d, d_holds)) = (self.2.fast(), self.3.fast());
        ([a, b, c, d], a_holds & b_holds & c_holds & d_holds)
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        [self.0.wide(), self.1.wide(), self.2.wide(), self.3.wide()]
    }
}

/// A symmetric matrix: aa, ab and bb.
pub(super) struct Symmetric<A, B, C>(pub A, pub B, pub C);

impl<A: Entry, B: Entry, C: Entry> Entries for Symmetric<A, B, C> {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        let ((a, a_holds), (b, b_holds), (c, c_holds)) = (self.0.fast(), self.1.fast(), self.2.fast());
        ([a, b, b, c], a_holds & b_holds & c_holds)
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        let [a, b, c] = [self.0.wide(), self.1.wide(), self.2.wide()];
        [a, b, b, c]
    }
}

/// Zeros.
#[inline(always)]
pub(super) fn none() -> impl Entries {
    Symmetric(constant(0.0), constant(0.0), constant(0.0))
}
