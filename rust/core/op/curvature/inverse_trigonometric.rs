//! Arc sine, arc cosine, arc tangent, and the angle of a point.

use super::super::facts::Read::{self, A, B};
use super::super::inverse_trigonometric::{Acos, Asin, Atan, Atan2, leg};
use super::super::range::is_normal;
use super::entry::{Entries, Entry, over_smoothed, ratio};
use super::wide::Wide;
use super::{Coupled, CurvedBinary, CurvedPoleBinary, CurvedPoleUnary, CurvedUnary};
use crate::elementary;
use crate::elementary::second::signed_squares;

impl CurvedUnary for Asin {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "a ÷ ((1 − a)(1 + a))^(3/2)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([a], [1.0 - a, 1.0 + a, leg(a)])
    }
}

impl CurvedPoleUnary for Asin {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        over_smoothed::<1, 0, 3>([a], [], leg(a), s)
    }
}

impl CurvedUnary for Acos {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−a ÷ ((1 − a)(1 + a))^(3/2)";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        ratio([-a], [1.0 - a, 1.0 + a, leg(a)])
    }
}

impl CurvedPoleUnary for Acos {
    #[inline(always)]
    fn bounded_curvature(a: f64, _z: f64, s: f64) -> impl Entry {
        over_smoothed::<1, 0, 3>([-a], [], leg(a), s)
    }
}

impl CurvedUnary for Atan {
    const FLAT: bool = false;
    const READS: &'static [Read] = &[A];
    const FORMULA: &'static str = "−2a ÷ (1 + a²)²";

    #[inline(always)]
    fn curvature(a: f64, _z: f64) -> impl Entry {
        let sum = 1.0 + a * a;
        Arc { value: -2.0 * a / (sum * sum), holds: (sum * sum).is_finite(), a }
    }
}

/// Where `a⁴` overflows, 1 does not count beside a².
struct Arc {
    value: f64,
    holds: bool,
    a: f64,
}

impl Entry for Arc {
    #[inline(always)]
    fn fast(&self) -> (f64, bool) {
        (self.value, self.holds & (is_normal(self.value) | (self.a == 0.0)))
    }

    fn wide(&self) -> Wide {
        let a = Wide::new(self.a);
        let sum = if self.a.abs() > 1e50 { a.mul(a) } else { Wide::new(1.0 + self.a * self.a) };
        Wide::new(-2.0).mul(a).div(sum).div(sum)
    }
}

impl CurvedBinary for Atan2 {
    const COUPLED: Coupled = [true; 4];
    const READS: &'static [Read] = &[A, B];
    const FORMULA: &'static str = "−2ab ÷ (a² + b²)², (a − b)(a + b) ÷ (a² + b²)², 2ab ÷ (a² + b²)²";

    #[inline(always)]
    fn curvature(a: f64, b: f64, _z: f64) -> impl Entries {
        Turning { y: a, x: b, bound: 0.0 }
    }
}

impl CurvedPoleBinary for Atan2 {
    #[inline(always)]
    fn bounded_curvature(a: f64, b: f64, _z: f64, s: f64) -> impl Entries {
        Turning { y: a, x: b, bound: s }
    }
}

/// Of `x/h²` and `−y/h²` with `h² = x² + y² + s²`: `[−2xy, y² + s² − x², y² − s² − x², 2xy]/h⁴`.
struct Turning {
    y: f64,
    x: f64,
    bound: f64,
}

impl Turning {
    /// `y² + s² − x²` and `y² − s² − x²` in units of the square of `unit`, a power of two close to the largest of
    /// the three.
    fn mixed(&self, unit: f64) -> [Wide; 2] {
        let Self { y, x, bound } = *self;
        if bound == 0.0 {
            // The difference is rounded once.
            return [Wide::new(((y - x) / unit) * (y / unit + x / unit)); 2];
        }
        [signed_sum(y, bound, x, unit), signed_sum(-x, bound, y, unit).neg()]
    }
}

/// `a² + s² − b²` in units of `unit²`, also next to its roots.
fn signed_sum(a: f64, s: f64, b: f64, unit: f64) -> Wide {
    let numbers = [a, s, b].map(|number| number / unit);
    let sum = signed_squares(numbers, [1.0, 1.0, -1.0]);
    if sum.abs() > 1e-200 {
        return Wide::new(sum);
    }
    // b is equal to one of the others, and the square of the third underflows.
    let [a, s, b] = numbers.map(f64::abs);
    let (near, far) = if (a - b).abs() < (s - b).abs() { (a, s) } else { (s, a) };
    let [near, far, b] = [near, far, b].map(Wide::new);
    near.add(b.neg()).mul(near.add(b)).add(far.mul(far))
}

impl Entries for Turning {
    #[inline(always)]
    fn fast(&self) -> ([f64; 4], bool) {
        let Self { y, x, bound } = *self;
        if bound != 0.0 {
            return ([0.0; 4], false);
        }
        let (h, holds) = elementary::fast::hypot(y, x);
        let (across_y, across_x, square) = (x / h, y / h, h * h);
        let twice = 2.0 * across_x * across_y / square;
        let mixed = ((y - x) / h) * ((y + x) / h) / square;
        let full = |entry: f64, is_zero: bool| is_normal(entry) | is_zero;
        let holds = holds
            & is_normal(square)
            & full(across_x * across_y, (x == 0.0) | (y == 0.0))
            & full(twice, (x == 0.0) | (y == 0.0))
            & full(mixed, y.abs() == x.abs());
        ([-twice, mixed, mixed, twice], holds)
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        let Self { y, x, .. } = *self;
        if !(y.is_finite() && x.is_finite()) {
            return [Wide::new(0.0); 4];
        }
        let largest = y.abs().max(x.abs()).max(self.bound);
        if largest == 0.0 {
            return [Wide::NONE; 4];
        }
        // A power of two, so that dividing by it is exact.
        let unit = f64::from_bits((largest.to_bits() & (0x7ff << 52)).max(1));
        let h = Wide::new(elementary::norm([y / unit, x / unit, self.bound / unit].into_iter()));
        let square = |number: Wide| number.mul(number);
        let (inner, outer) = (square(square(h)), square(Wide::new(unit)));
        // Numbers that are small beside the largest keep their digits.
        let twice = Wide::new(2.0).mul(Wide::new(x)).mul(Wide::new(y)).div(inner).div(outer).div(outer);
        let [less, more] = self.mixed(unit).map(|mixed| mixed.div(inner).div(outer));
        [Wide::new(-1.0).mul(twice), less, more, twice]
    }
}
