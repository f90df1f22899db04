//! Values and contributions of each op, written down a second time.

use super::wide::Wide;
use zeroproof::Op;

/// The tag tables of the four operations.
pub fn arithmetic(op: Op, a: f64, b: f64) -> f64 {
    let sign = a.signum() * b.signum();
    let (a_infinite, b_infinite) = (a.is_infinite(), b.is_infinite());
    match op {
        _ if a.is_nan() || b.is_nan() => f64::NAN,
        Op::Sub => arithmetic(Op::Add, a, -b),
        Op::Add if a_infinite && b_infinite => {
            if a == b {
                a
            } else {
                f64::NAN
            }
        }
        Op::Add if a_infinite => a,
        Op::Add if b_infinite => b,
        Op::Add => a + b,
        Op::Mul if a_infinite || b_infinite => {
            if a == 0.0 || b == 0.0 {
                f64::NAN
            } else {
                sign * f64::INFINITY
            }
        }
        Op::Mul => a * b,
        _ if a_infinite && b_infinite || a == 0.0 && b == 0.0 => f64::NAN,
        _ if b_infinite => sign * 0.0,
        _ if b == 0.0 || a_infinite => sign * f64::INFINITY,
        _ => a / b,
    }
}

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
        Op::Constant | Op::Parameter | Op::Input | Op::Sum | Op::Mean => unreachable!("not elementwise"),
    }
}

/// Whether `op` is singular here, and if so the operand whose magnitude is the distance to the pole.
pub fn pole(op: Op, a: f64, b: f64) -> Option<f64> {
    match op {
        Op::Div => Some(b),
        Op::Log | Op::Sqrt => Some(a),
        Op::PowInt if b < 0.0 => Some(a),
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
        Op::Constant | Op::Parameter | Op::Input | Op::Sum | Op::Mean => unreachable!("not elementwise"),
    }
}

/// `ḡ·recip(y)`, `recip(y) = sign(y)/√(y² + b²)`, 0 at zeros, infinities and Φ.
fn bounded_recip(g: Wide, y: Wide, bound: f64) -> Wide {
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
        Op::Sqrt => vec![bounded_recip(ḡ, x.root().times(Wide::new(2.0)), bound)],
        Op::PowInt => vec![bounded_recip(ḡ.times(y), x.power((1.0 - b) as u32), bound)],
        _ => unreachable!("not singular"),
    }
}
