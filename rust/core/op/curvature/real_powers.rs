//! `z = aᵇ` for real exponents.

use super::super::facts::Read::{self, A, B, Z};
use super::super::form::Fast;
use super::super::range::is_normal;
use super::super::real_powers::{Pow, scaled_power, sign_of_power};
use super::entry::{Entries, wide_smoothed};
use super::wide::Wide;
use super::{Coupled, CurvedBinary, CurvedPoleBinary};
use crate::elementary::{self, second};

impl CurvedBinary for Pow {
    const COUPLED: Coupled = [true; 4];
    const READS: &'static [Read] = &[A, B, Z];
    const FORMULA: &'static str = "b·(b − 1)·aᵇ⁻², aᵇ⁻¹·(1 + b·ln a), aᵇ·ln² a";

    #[inline(always)]
    fn curvature(a: f64, b: f64, z: f64) -> impl Entries {
        Bends { a, b, z }
    }
}

struct Bends {
    a: f64,
    b: f64,
    z: f64,
}

impl Entries for Bends {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        let Self { a, b, z } = *self;
        let ((log, holds), (rise, rise_holds)) =
            (elementary::fast::ln(a), second::one_plus_product_fast(b, a));
        let ratio = z / a;
        let aa = b * (b - 1.0) * (ratio / a);
        let (ab, bb) = (ratio * rise, z * log * log);
        let full = is_normal(z) & is_normal(ratio) & is_normal(ratio / a) & is_normal(z * log);
        let full =
            full & (is_normal(aa) | (b == 1.0)) & is_normal(ab) & is_normal(bb) & is_normal(b * (b - 1.0));
        ([aa, ab, ab, bb], holds & rise_holds & full & b.is_finite())
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        let Self { a, b, z } = *self;
        if a == 0.0 {
            return at_zero(b);
        }
        if !(a.is_finite() && b.is_finite()) {
            return [Wide::new(0.0); 4];
        }
        let power = power(a, b, z);
        let (base, exponent) = (Wide::new(a), Wide::new(b));
        let aa = exponent.mul(Wide::new(b - 1.0)).mul(power).div(base).div(base);
        if a < 0.0 {
            return [aa, Wide::NONE, Wide::NONE, Wide::NONE]; // between the integers there is no power
        }
        let ab = power.mul(rise(a, b)).div(base);
        let log = Wide::new(elementary::ln(a));
        [aa, ab, ab, power.mul(log).mul(log)]
    }
}

/// `aᵇ`, also where a double cannot hold it.
fn power(a: f64, b: f64, z: f64) -> Wide {
    if is_normal(z) {
        return Wide::new(z);
    }
    let sign = if a < 0.0 { sign_of_power(a, b) } else { 1.0 };
    Wide::new(sign).mul(Wide::Real(scaled_power(a, b)))
}

/// `[b(b − 1)·0ᵇ⁻², 0ᵇ⁻¹·ln 0, …, 0]`.
fn at_zero(b: f64) -> [Wide; 4] {
    let to_base = match b {
        b if b > 2.0 || b == 1.0 => 0.0,
        2.0 => 2.0,
        b => b * (b - 1.0) * f64::INFINITY,
    };
    let mixed = if b > 1.0 { 0.0 } else { f64::NEG_INFINITY };
    let both = if b > 0.0 { 0.0 } else { f64::NAN };
    [to_base, mixed, mixed, both].map(Wide::new)
}

impl CurvedPoleBinary for Pow {
    #[inline(always)]
    fn bounded_curvature(a: f64, b: f64, z: f64, s: f64) -> impl Entries {
        Bounded { a, b, z, s }
    }
}

/// Of the bounded partials for b < 1 and b ≠ 0.
struct Bounded {
    a: f64,
    b: f64,
    z: f64,
    s: f64,
}

impl Entries for Bounded {
    #[inline(always)]
    fn fast(&self) -> Fast<[f64; 4]> {
        ([0.0; 4], false)
    }

    #[cold]
    fn wide(&self) -> [Wide; 4] {
        let Self { a, b, z, s } = *self;
        if a == 0.0 {
            let [_, _, mixed, both] = at_zero(b);
            return [Wide::new(0.0), Wide::new(0.0), mixed, both];
        }
        if !(a.is_finite() && b.is_finite()) {
            return [Wide::new(0.0); 4];
        }
        let classical = Bends { a, b, z }.wide();
        let (base, power) = (Wide::new(a), power(a, b, z));
        let [b_wide, less, minus] = [b, 1.0 - b, -1.0].map(Wide::new);
        let log = if a > 0.0 { Wide::new(elementary::ln(a)) } else { Wide::NONE };
        // The partial by the base is bounded with y = a^(1−b), for 0 < b with y = a^(1−b)/b.
        let y = if b < 0.0 { base.div(power) } else { base.div(power).div(b_wide) };
        let h = wide_smoothed(y, s, 1);
        let part = y.div(h).mul(y.div(h));
        let sign = if a < 0.0 { Wide::new(-sign_of_power(a, b)) } else { Wide::new(1.0) };
        let rise = if a > 0.0 { rise(a, b) } else { Wide::NONE };
        // 1 + b·ln a·y²/(y² + s²) for y = a^(n − b)
        let one_plus = |y: Wide, n: bool| {
            let h = wide_smoothed(y, s, 1);
            let (share, rest) = (y.div(h), Wide::new(s).div(h));
            let (part, rest) = (share.mul(share), rest.mul(rest));
            let sum = rise.mul(part).add(rest);
            // Next to the roots both cancel.
            if a > 0.0 && sum.to_f64().abs() < 0.25 * rest.to_f64() {
                return part.mul(Wide::new(second::one_plus_product_and_square(b, a, s, n)));
            }
            sum
        };
        if b < 0.0 {
            let aa = minus.mul(sign).mul(b_wide).mul(less).mul(part).div(base).div(h);
            let ab = one_plus(y, true).div(h);
            let w = Wide::new(1.0).div(power);
            let w_h = wide_smoothed(w, s, 1);
            let w_part = w.div(w_h).mul(w.div(w_h));
            let ba = one_plus(w, false).div(base).div(w_h);
            let bb = w_part.mul(log).mul(log).div(w_h);
            let positive = a > 0.0;
            let or_none = |entry: Wide| if positive { entry } else { Wide::NONE };
            [aa, or_none(ab), or_none(ba), or_none(bb)]
        } else {
            let aa = minus.mul(less).mul(part).div(base).div(h);
            let ab = part.mul(rise).div(b_wide).div(h);
            [aa, ab, classical[2], classical[3]]
        }
    }
}

/// `1 + b·ln a` for a > 0.
fn rise(a: f64, b: f64) -> Wide {
    let product = b * elementary::ln(a);
    if product.abs() > 1e20 {
        return Wide::new(b).mul(Wide::new(elementary::ln(a)));
    }
    Wide::new(second::one_plus_product(b, a))
}
