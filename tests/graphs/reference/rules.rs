//! Values and contributions of each op, written down a second time.

mod arithmetic;
mod bounded;
mod lengths;
mod normal;
mod powers;
mod relative;
mod rounding;
mod sines;

use super::wide::Wide;
pub use arithmetic::arithmetic;
pub use bounded::bounded;
use lengths::square_of_length;
pub use lengths::{length, norm_share};
use powers::{power, power_to_base, power_to_exponent, real_power};
pub use sines::cosc_slope_terms;
use std::f64::consts::{LN_2, LN_10, PI};
use zeroproof::Op;

/// The value of `op(a, b)`; `b` is the exponent of a power.
pub fn value(op: Op, a: f64, b: f64) -> f64 {
    let real = a.is_finite();
    match op {
        Op::PowInt => power(a, b as i32),
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        Op::Add | Op::Sub | Op::Mul | Op::Div => arithmetic(op, a, b),
        Op::Minimum => {
            if b < a {
                b
            } else {
                a
            }
        }
        Op::Maximum => {
            if b > a {
                b
            } else {
                a
            }
        }
        Op::Neg => -a,
        Op::Abs => a.abs(),
        Op::Sign => {
            if a == 0.0 {
                0.0
            } else {
                a.signum()
            }
        }
        Op::Log => {
            if a > 0.0 {
                a.ln()
            } else {
                f64::NAN
            }
        }
        Op::Sqrt => {
            if a >= 0.0 {
                a.sqrt()
            } else {
                f64::NAN
            }
        }
        Op::Cbrt => a.cbrt(),
        Op::Exp => a.exp(),
        Op::Sin => {
            if real {
                a.sin()
            } else {
                f64::NAN
            }
        }
        Op::Cos => {
            if real {
                a.cos()
            } else {
                f64::NAN
            }
        }
        Op::Tanh => a.tanh(),
        Op::Sinc if a.is_infinite() => 0.0,
        Op::Sinc if a == 0.0 => 1.0,
        Op::Sinc => sines::sin_pi(a) / (PI * a) + 0.0, // its zeros have no sign
        Op::Hypot => a.hypot(b),
        Op::Atan2 if a == 0.0 && b == 0.0 || a.is_infinite() && b.is_infinite() => f64::NAN,
        Op::Atan2 => a.atan2(b),
        Op::Xlogy if a == 0.0 && b >= 0.0 => 0.0,
        Op::Xlogy if b > 0.0 => arithmetic(Op::Mul, a, b.ln()),
        Op::Xlogy => f64::NAN,
        Op::Expm1 => a.exp_m1(),
        Op::Log1p if a > -1.0 => a.ln_1p(),
        Op::Log1p => f64::NAN,
        Op::Pow => real_power(a, b),
        Op::Asin => a.asin(),
        Op::Acos => a.acos(),
        Op::Tan => a.tan(),
        Op::Sigmoid if a < 0.0 => Wide::exp(a).over(Wide::new(1.0 + a.exp())).narrow(),
        Op::Sigmoid => 1.0 / (1.0 + (-a).exp()),
        Op::Softplus if a < -40.0 => a.exp(),
        Op::Softplus if a > 40.0 => a,
        Op::Softplus => a.exp().ln_1p(),
        Op::LogSigmoid => -value(Op::Softplus, -a, b),
        Op::Atan => a.atan(),
        // The half of eᵃ − e⁻ᵃ, where eᵃ alone may overflow.
        Op::Sinh if a.abs() > 40.0 => half_exp(a).times(Wide::new(a.signum())).narrow(),
        Op::Sinh => {
            let grown = a.abs().exp_m1();
            (0.5 * (grown + grown / (1.0 + grown))).copysign(a)
        }
        Op::Cosh if a.abs() > 40.0 => half_exp(a).narrow(),
        Op::Cosh => 0.5 * (a.exp() + (-a).exp()),
        Op::Asinh => libm::asinh(a),
        Op::Acosh if a >= 1.0 => libm::acosh(a),
        Op::Atanh if a.abs() < 1.0 => 0.5 * (a.ln_1p() - (-a).ln_1p()),
        Op::Acosh | Op::Atanh => f64::NAN,
        Op::Erf => libm::erf(a),
        Op::Erfc => libm::erfc(a),
        Op::LogNdtr => normal::log_ndtr(a),
        Op::Square => arithmetic(Op::Mul, a, a),
        Op::Unit if a.is_infinite() => f64::NAN,
        Op::Unit => 1.0,
        Op::Log2 if a > 0.0 => a.log2(),
        Op::Log10 if a > 0.0 => a.log10(),
        Op::Log2 | Op::Log10 => f64::NAN,
        Op::Exprel => relative::exprel(a),
        Op::Log1prel => relative::log1prel(a),
        Op::Cosc => sines::cosc(a),
        Op::Floor => a.floor(),
        Op::Ceil => -(-a).floor(),
        Op::Round => rounding::round(a).copysign(a),
        Op::Remainder => rounding::remainder(a, b),
        Op::ClipMin => value(Op::Maximum, a, b),
        Op::ClipMax => value(Op::Minimum, a, b),
        Op::Copysign => a.abs() * f64::copysign(1.0, b),
        _ => unreachable!("not elementwise"),
    }
}

/// Whether `op` is singular here, and if so the operand whose magnitude is the distance to the pole.
pub fn pole(op: Op, a: f64, b: f64) -> Option<f64> {
    match op {
        Op::Div => Some(b),
        Op::Log | Op::Sqrt | Op::Cbrt | Op::Log2 | Op::Log10 => Some(a),
        Op::Acosh => Some(a - 1.0),
        Op::PowInt if b < 0.0 => Some(a),
        Op::Pow if b < 1.0 && b != 0.0 && b.is_finite() => Some(a),
        Op::Xlogy => Some(b),
        Op::Log1p | Op::Log1prel => Some(1.0 + a),
        Op::Asin | Op::Acos | Op::Atanh => Some(1.0 - a.abs()),
        Op::Tan => Some(a.cos()),
        Op::Atan2 if a.is_finite() && b.is_finite() => Some(a.hypot(b).min(f64::MAX)),
        Op::Atan2 => Some(f64::INFINITY),
        _ => None,
    }
}

/// `ḡ` times the classical partial, for each operand.
pub fn classical(op: Op, g: f64, a: f64, b: f64) -> Vec<Wide> {
    let (ḡ, x, y) = (Wide::new(g), Wide::new(a), Wide::new(b));
    let times = |partial: f64| ḡ.times(Wide::new(partial));
    let minus = times(-1.0);
    let share = |to_a: f64| vec![times(to_a), times(1.0 - to_a)];
    match op {
        Op::Add => vec![ḡ, ḡ],
        Op::Sub => vec![ḡ, minus],
        Op::Mul => vec![times(b), times(a)],
        Op::Div => vec![ḡ.over(y), minus.times(x).over(y).over(y)],
        Op::Minimum => share(if a < b {
            1.0
        } else if b < a {
            0.0
        } else {
            0.5
        }),
        Op::Maximum => share(if a > b {
            1.0
        } else if b > a {
            0.0
        } else {
            0.5
        }),
        Op::Neg => vec![minus],
        Op::Abs => vec![times(if a == 0.0 { 0.0 } else { a.signum() })],
        Op::Sign => vec![times(0.0)],
        Op::Log => vec![ḡ.over(x)],
        Op::Sqrt => vec![times(0.5).over(x.root())],
        Op::Cbrt => vec![ḡ.over(Wide::new(a.cbrt()).power(2)).over(Wide::new(3.0))],
        // Where eᵃ overflows the node is no REAL path; its partial is its value, +∞.
        Op::Exp if a.exp().is_infinite() => vec![times(f64::INFINITY)],
        Op::Exp => vec![ḡ.times(Wide::exp(a))],
        Op::Sin => vec![times(a.cos())],
        Op::Cos => vec![times(-a.sin())],
        Op::Tanh => {
            // sech² = 4e/(1 + e)², e = exp(−2|x|)
            let e = Wide::exp(-2.0 * a.abs());
            vec![times(4.0).times(e).over(Wide::new(1.0 + e.narrow()).power(2))]
        }
        Op::PowInt => vec![match b as i32 {
            0 => times(0.0),
            n if n > 0 => times(b).times(x.power(n as u32 - 1)),
            n => times(b).over(x.power(1 + n.unsigned_abs())),
        }],
        Op::Sinc => vec![ḡ.times(sines::sinc_slope(a))],
        Op::Hypot => vec![norm_share(g, a, &[a, b]), norm_share(g, b, &[a, b])],
        Op::Atan2 if a.is_infinite() || b.is_infinite() => vec![times(0.0); 2],
        Op::Atan2 => {
            let square = square_of_length(&[a, b]);
            vec![ḡ.times(y).over(square), minus.times(x).over(square)]
        }
        Op::Xlogy => {
            let to_y = if a == 0.0 { times(0.0) } else { ḡ.times(x).over(y) };
            vec![times(b.ln()), to_y]
        }
        Op::Expm1 if a.exp().is_infinite() => vec![times(f64::INFINITY)],
        Op::Expm1 => vec![ḡ.times(Wide::exp(a))],
        Op::Log1p => vec![ḡ.over(Wide::new(1.0 + a))],
        Op::Pow => vec![power_to_base(g, a, b), power_to_exponent(g, a, b)],
        Op::Asin => vec![ḡ.over(arc(a))],
        Op::Acos => vec![minus.over(arc(a))],
        Op::Tan => vec![ḡ.over(Wide::new(a.cos()).power(2))],
        Op::Sigmoid => {
            let e = Wide::exp(-a.abs());
            vec![ḡ.times(e).over(Wide::new(1.0 + e.narrow()).power(2))]
        }
        Op::Softplus if a > 0.0 => vec![ḡ.over(Wide::new(1.0 + (-a).exp()))],
        Op::Softplus => vec![ḡ.times(Wide::exp(a)).over(Wide::new(1.0 + a.exp()))],
        Op::LogSigmoid => classical(Op::Softplus, g, -a, b),
        Op::Atan if (a * a).is_finite() => vec![ḡ.over(Wide::new(1.0 + a * a))],
        Op::Atan => vec![ḡ.over(x).over(x)],
        Op::Sinh | Op::Cosh if a.is_infinite() => vec![times(if op == Op::Sinh { a.abs() } else { a })],
        Op::Sinh if a.abs() > 40.0 => vec![ḡ.times(half_exp(a))],
        Op::Cosh if a.abs() > 40.0 => vec![times(a.signum()).times(half_exp(a))],
        Op::Sinh => vec![times(value(Op::Cosh, a, b))],
        Op::Cosh => vec![times(value(Op::Sinh, a, b))],
        Op::Asinh => vec![ḡ.over(x.hypot(1.0))],
        Op::Acosh => vec![ḡ.over(rise(a))],
        Op::Atanh => vec![ḡ.over(Wide::new((1.0 - a) * (1.0 + a)))],
        Op::Erf => vec![ḡ.times(normal::erf_slope(a))],
        Op::Erfc => vec![minus.times(normal::erf_slope(a))],
        Op::LogNdtr => vec![ḡ.times(normal::log_ndtr_slope(a))],
        Op::Square => vec![times(2.0).times(x)],
        Op::Log2 => vec![ḡ.over(x.times(Wide::new(LN_2)))],
        Op::Log10 => vec![ḡ.over(x.times(Wide::new(LN_10)))],
        Op::Exprel => vec![ḡ.times(relative::exprel_slope(a))],
        Op::Log1prel if a.is_infinite() => vec![times(0.0)],
        Op::Log1prel => vec![ḡ.times(relative::log1prel_moment(a)).over(Wide::new(1.0 + a))],
        Op::Cosc => vec![ḡ.times(sines::cosc_slope(a))],
        Op::Floor | Op::Ceil | Op::Round | Op::Unit => vec![times(0.0)],
        Op::Remainder if b.is_infinite() => {
            let is_b = a != 0.0 && (a < 0.0) != (b < 0.0); // ⌊a/b⌋ is −1, else 0
            vec![ḡ, times(if is_b { 1.0 } else { 0.0 })]
        }
        Op::Remainder => vec![ḡ, minus.times(rounding::floor_quotient(a, b))],
        Op::ClipMin => share(if a >= b { 1.0 } else { 0.0 }),
        Op::ClipMax => share(if a <= b { 1.0 } else { 0.0 }),
        Op::Copysign => {
            let same = a.is_sign_negative() == b.is_sign_negative();
            let partial = if same { 1.0 } else { -1.0 };
            vec![times(if a == 0.0 { 0.0 } else { partial }), times(0.0)]
        }
        _ => unreachable!("not elementwise"),
    }
}

/// `√((1 − x)(1 + x))`.
fn arc(x: f64) -> Wide {
    Wide::new((1.0 - x) * (1.0 + x)).root()
}

/// `√((x − 1)(x + 1))`.
fn rise(x: f64) -> Wide {
    Wide::new(x - 1.0).times(Wide::new(x + 1.0)).root()
}

/// `½·e^|x|`, the magnitude of sinh and cosh far out.
fn half_exp(x: f64) -> Wide {
    Wide::exp(x.abs()).times(Wide::new(0.5))
}
