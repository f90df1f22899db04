//! Sum, difference, product, quotient and negation.

use super::super::arithmetic::{Add, Div, Mul, Neg, Sub};
use super::super::facts::Read::{self, A, B, Z};
use super::entry::{
    Entries, Entry, Four, Symmetric, constant, over_smoothed, over_smoothed_everywhere, ratio, scaled,
    wide_product,
};
use super::wide::Wide;
use super::{Coupled, CurvedBinary, CurvedPoleBinary, flat_binary, flat_unary};

flat_binary! { Add Sub }
flat_unary! { Neg }

impl CurvedBinary for Mul {
    const COUPLED: Coupled = [false, true, true, false];
    const READS: &'static [Read] = &[];
    const FORMULA: &'static str = "0, 1, 0";

    #[inline(always)]
    fn curvature(_a: f64, _b: f64, _z: f64) -> impl Entries {
        Symmetric(constant(0.0), constant(1.0), constant(0.0))
    }
}

impl CurvedBinary for Div {
    const COUPLED: Coupled = [false, true, true, true];
    const IS_QUOTIENT: bool = true;
    const READS: &'static [Read] = &[A, B, Z];
    const FORMULA: &'static str = "0, −1 ÷ b², 2a ÷ b³";

    #[inline(always)]
    fn curvature(a: f64, b: f64, z: f64) -> impl Entries {
        // One division serves both: 2a ÷ b³ = −2z·(−1 ÷ b²).
        let mixed = ratio([-1.0], [b, b]);
        let last = scaled(-2.0 * z, mixed.fast(), a == 0.0, move || {
            Wide::new(2.0).mul(Wide::new(a)).div(wide_product([b, b, b]))
        });
        Symmetric(constant(0.0), mixed, last)
    }
}

impl CurvedPoleBinary for Div {
    #[inline(always)]
    fn bounded_curvature(a: f64, b: f64, _z: f64, s: f64) -> impl Entries {
        Four(
            constant(0.0),
            over_smoothed::<2, 0, 3>([-1.0, b.abs()], [], b, s),
            // That partial has no jump at b = 0.
            over_smoothed_everywhere::<1, 0, 2>([-1.0], [], b, s),
            over_smoothed::<3, 0, 4>([2.0, a, b], [], b, s),
        )
    }
}
