//! The bounded contributions of the singular ops.

use super::lengths::square_of_length;
use super::powers::bounded_real_power;
use super::relative::log1prel_moment;
use super::{arc, rise};
use crate::reference::wide::Wide;
use std::f64::consts::{LN_2, LN_10};
use zeroproof::Op;

/// `ḡ·recip(y)`, `recip(y) = sign(y)/√(y² + b²)`, 0 at zeros, infinities and Φ.
pub fn bounded_recip(g: Wide, y: Wide, bound: f64) -> Wide {
    match y.sign() {
        0.0 => g.times(Wide::new(0.0)),
        sign => g.times(Wide::new(sign)).over(y.hypot(bound)),
    }
}

/// The bounded contributions of a singular op.
pub fn bounded(op: Op, g: f64, a: f64, b: f64, bound: f64) -> Vec<Wide> {
    let (ḡ, x, y) = (Wide::new(g), Wide::new(a), Wide::new(b));
    match op {
        Op::Div => {
            let h = y.hypot(bound);
            vec![bounded_recip(ḡ, y, bound), Wide::new(-g).times(x).over(h).over(h)]
        }
        Op::Log => vec![bounded_recip(ḡ, x, bound)],
        Op::Log2 => vec![bounded_recip(ḡ, x.times(Wide::new(LN_2)), bound)],
        Op::Log10 => vec![bounded_recip(ḡ, x.times(Wide::new(LN_10)), bound)],
        Op::Sqrt => vec![bounded_recip(ḡ, x.root().times(Wide::new(2.0)), bound)],
        Op::Cbrt => vec![bounded_recip(ḡ, Wide::new(a.cbrt()).power(2).times(Wide::new(3.0)), bound)],
        Op::PowInt => vec![bounded_recip(ḡ.times(y), x.power((1.0 - b) as u32), bound)],
        Op::Xlogy => {
            let to_y = if b > 0.0 && b.is_finite() {
                bounded_recip(ḡ, y, bound).times(x)
            } else {
                ḡ.times(Wide::new(0.0)).times(x)
            };
            vec![ḡ.times(Wide::new(b.ln())), to_y]
        }
        Op::Log1p => vec![bounded_recip(ḡ, Wide::new(1.0 + a), bound)],
        Op::Log1prel => vec![bounded_recip(ḡ.times(log1prel_moment(a)), Wide::new(1.0 + a), bound)],
        Op::Acosh => vec![bounded_recip(ḡ, rise(a), bound)],
        Op::Atanh => vec![bounded_recip(ḡ, Wide::new((1.0 - a) * (1.0 + a)), bound)],
        Op::Asin => vec![bounded_recip(ḡ, arc(a), bound)],
        Op::Acos => vec![bounded_recip(Wide::new(-g), arc(a), bound)],
        Op::Tan => {
            vec![ḡ.over(square_of_length(&[a.cos(), bound]))]
        }
        Op::Atan2 if a.is_infinite() || b.is_infinite() => vec![ḡ.times(Wide::new(0.0)); 2],
        Op::Atan2 => {
            let square = square_of_length(&[a, b, bound]);
            vec![ḡ.times(y).over(square), Wide::new(-g).times(x).over(square)]
        }
        Op::Pow => bounded_real_power(g, a, b, bound),
        _ => unreachable!("not singular"),
    }
}
