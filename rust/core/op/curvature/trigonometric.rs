//! Sine, cosine and tangent; sin πa ÷ πa and (1 − cos a) ÷ a².

use super::super::facts::Read::{self, A, Z};
use super::super::trigonometric::{Cos, Cosc, Sin, Sinc, Tan};
use super::entry::{Entry, entry, number, over_smoothed, ratio};
use super::wide::Wide;
use super::{CurvedPoleUnary, CurvedUnary};
use crate::elementary::{self, second};

impl CurvedUnary for Sin {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[Z];
    const FORMULA: &'static str = "−sin a";

    #[inline(always)]
    fn curvature(_a: f64, z: f64) -> impl Entry {
        number(-z)
    }
}

impl CurvedUnary for Cos {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[Z];
    const FORMULA: &'static str = "−cos a";

    #[inline(always)]
    fn curvature(_a: f64, z: f64) -> impl Entry {
        number(-z)
    }
}

impl CurvedUnary for Tan {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A, Z];
    const FORMULA: &'static str = "2·tan a ÷ cos² a";

    #[inline(always)]
    fn curvature(_a: f64, z: f64) -> impl Entry {
        ratio([2.0, z, 1.0 + z * z], [])
    }
}

impl CurvedPoleUnary for Tan {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        let [sine, cosine] = elementary::sin_cos(a);
        over_smoothed::<3, 0, 4>([2.0, cosine, sine], [], cosine, s)
    }
}

impl CurvedUnary for Sinc {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−(π·sin πa + 2·(cos πa − sinc a) ÷ a) ÷ a, −π² ÷ 3 at 0";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let value = second::sinc_bend(a);
        entry((value, a.abs() < 1e100), move || match a.abs() < 1e100 {
            true => Wide::new(value),
            false => ratio([-2.0], [a, a]).wide(), // every double is an even integer here
        })
    }
}

impl CurvedUnary for Cosc {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "(a²·cos a − 4a·sin a − 6·cos a + 6) ÷ a⁴, −1 ÷ 12 at 0";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let (numerator, divisor) = second::cosc_bend(a);
        ratio([numerator], [divisor, divisor])
    }
}
