//! Powers with integer and with real exponents.

use super::arithmetic;
use super::bounded::bounded_recip;
use crate::reference::wide::Wide;
use zeroproof::Op;

pub fn power(x: f64, n: i32) -> f64 {
    match n {
        0 => {
            if x != 0.0 && x.is_finite() {
                1.0
            } else {
                f64::NAN
            }
        }
        _ if n < 0 => arithmetic(Op::Div, 1.0, power(x, -n)),
        _ => {
            let (mut r, mut b) = (1.0, x);
            for bit in 0..i32::BITS - n.leading_zeros() {
                if n >> bit & 1 == 1 {
                    r = arithmetic(Op::Mul, r, b);
                }
                b = arithmetic(Op::Mul, b, b);
            }
            r
        }
    }
}

/// `aᵇ` for real b, row by row of its table.
pub fn real_power(a: f64, b: f64) -> f64 {
    let integer = b.is_finite() && b.fract() == 0.0;
    if b.is_infinite() {
        let grows = if b > 0.0 { a > 1.0 } else { a < 1.0 };
        return match a {
            _ if a < 0.0 || a == 1.0 => f64::NAN,
            _ if grows => f64::INFINITY,
            _ => 0.0,
        };
    }
    match a {
        _ if b == 0.0 => {
            if a == 0.0 || a.is_infinite() {
                f64::NAN
            } else {
                1.0
            }
        }
        _ if (a < 0.0) && !integer => f64::NAN,
        _ => a.powf(b),
    }
}

/// The same wherever it is a number, whatever its exponent; of |a|.
pub fn wide_power(a: f64, b: f64) -> Wide {
    let power = a.abs().powf(b);
    if power.is_normal() {
        return Wide::new(power);
    }
    // Further out it is as good as 0 or as good as infinite, but neither.
    let quarter = a.abs().powf(b / 4.0).clamp(1e-300, 1e300);
    Wide::new(quarter).power(if (1e-299..1e299).contains(&quarter) { 4 } else { 8 })
}

pub fn power_to_base(g: f64, a: f64, b: f64) -> Wide {
    let ḡ = Wide::new(g);
    if b == 0.0 {
        return ḡ.times(Wide::new(0.0));
    }
    if b == 1.0 {
        return ḡ;
    }
    if a == 0.0 || a.is_infinite() || b.is_infinite() {
        return ḡ.times(Wide::new(b).times(Wide::new(a.powf(b - 1.0))));
    }
    let odd = b % 2.0 != 0.0;
    let sign = if a < 0.0 && !odd { -1.0 } else { 1.0 };
    ḡ.times(Wide::new(sign)).times(Wide::new(b)).times(wide_power(a, b)).over(Wide::new(a.abs()))
}

pub fn power_to_exponent(g: f64, a: f64, b: f64) -> Wide {
    let ḡ = Wide::new(g);
    if a == 0.0 && b > 0.0 {
        return ḡ.times(Wide::new(0.0));
    }
    if a <= 0.0 || a.is_infinite() || b.is_infinite() {
        return ḡ.times(Wide::new(real_power(a, b)).times(Wide::new(a.ln())));
    }
    ḡ.times(Wide::new(a.ln())).times(wide_power(a, b))
}

/// `aᵇ` with b < 1, b ≠ 0.
pub fn bounded_real_power(g: f64, a: f64, b: f64, bound: f64) -> Vec<Wide> {
    let (ḡ, x, y) = (Wide::new(g), Wide::new(a), Wide::new(b));
    let log = Wide::new(a.ln());
    if a == 0.0 || a.is_infinite() {
        let zero = ḡ.times(Wide::new(0.0));
        return vec![zero, if b < 0.0 { zero.times(log) } else { power_to_exponent(g, a, b) }];
    }
    let sign = if a < 0.0 && b % 2.0 == 0.0 { -1.0 } else { 1.0 };
    let rest = Wide::new(sign * a.abs()).over(wide_power(a, b));
    debug_assert!(x.sign() == a.signum());
    if b > 0.0 {
        return vec![bounded_recip(ḡ, rest.over(y), bound), power_to_exponent(g, a, b)];
    }
    let inverse = Wide::new(1.0).over(wide_power(a, b));
    vec![bounded_recip(ḡ.times(y), rest, bound), bounded_recip(ḡ, inverse, bound).times(log)]
}
