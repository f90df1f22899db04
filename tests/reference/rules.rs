//! Values and contributions of each op, written down a second time.

use super::wide::Wide;
use std::f64::consts::PI;
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
        Op::Sinc if a.is_infinite() => 0.0,
        Op::Sinc if a == 0.0 => 1.0,
        Op::Sinc => sin_pi(a) / (PI * a),
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
        _ => unreachable!("not elementwise"),
    }
}

/// `aᵇ` for real b, row by row of its table.
fn real_power(a: f64, b: f64) -> f64 {
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
fn wide_power(a: f64, b: f64) -> Wide {
    let power = a.abs().powf(b);
    if power.is_normal() {
        return Wide::new(power);
    }
    // Further out it is as good as 0 or as good as infinite, but neither.
    let quarter = a.abs().powf(b / 4.0).clamp(1e-300, 1e300);
    Wide::new(quarter).power(if (1e-299..1e299).contains(&quarter) { 4 } else { 8 })
}

/// `x` less the nearest integer, and that integer's parity as a sign.
fn half_turns(x: f64) -> (f64, f64) {
    let (turn, nearest) = (x % 2.0, (x % 2.0).round());
    (turn - nearest, if nearest.abs() == 1.0 { -1.0 } else { 1.0 })
}

fn sin_pi(x: f64) -> f64 {
    let (rest, sign) = half_turns(x);
    sign * (PI * rest).sin()
}

/// The derivative of `sinc`.
fn sinc_slope(x: f64) -> Wide {
    if x == 0.0 || x.is_infinite() {
        return Wide::new(0.0);
    }
    if x.abs() < 0.5 {
        // −π²x·Σ (−(πx)²)ᵏ·(2k + 2)/(2k + 3)!, each term from the one before
        let square = (PI * x) * (PI * x);
        let (mut term, mut series) = (1.0 / 3.0, 0.0);
        for k in 0..12 {
            series += term;
            let n = f64::from(2 * k + 4);
            term *= -square / ((n - 2.0) * (n + 1.0));
        }
        return Wide::new(-PI * PI * series).times(Wide::new(x));
    }
    let (rest, sign) = half_turns(x);
    let cosine = sign * (PI * (0.5 - rest.abs())).sin();
    Wide::new(cosine - sin_pi(x) / (PI * x)).over(Wide::new(x))
}

/// Whether `op` is singular here, and if so the operand whose magnitude is the distance to the pole.
pub fn pole(op: Op, a: f64, b: f64) -> Option<f64> {
    match op {
        Op::Div => Some(b),
        Op::Log | Op::Sqrt => Some(a),
        Op::PowInt if b < 0.0 => Some(a),
        Op::Pow if b < 1.0 && b != 0.0 && b.is_finite() => Some(a),
        Op::Xlogy => Some(b),
        Op::Log1p => Some(1.0 + a),
        Op::Asin | Op::Acos => Some(1.0 - a.abs()),
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
        Op::Sinc => vec![ḡ.times(sinc_slope(a))],
        Op::Hypot => vec![norm_share(g, a, &[a, b]), norm_share(g, b, &[a, b])],
        Op::Atan2 if a.is_infinite() || b.is_infinite() => vec![times(0.0); 2],
        Op::Atan2 => {
            let r = length(&[a, b]);
            vec![ḡ.times(y).over(r).over(r), minus.times(x).over(r).over(r)]
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
        _ => unreachable!("not elementwise"),
    }
}

/// `√((1 − x)(1 + x))`.
fn arc(x: f64) -> Wide {
    Wide::new((1.0 - x) * (1.0 + x)).root()
}

fn power_to_base(g: f64, a: f64, b: f64) -> Wide {
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

fn power_to_exponent(g: f64, a: f64, b: f64) -> Wide {
    let ḡ = Wide::new(g);
    if a == 0.0 && b > 0.0 {
        return ḡ.times(Wide::new(0.0));
    }
    if a <= 0.0 || a.is_infinite() || b.is_infinite() {
        return ḡ.times(Wide::new(real_power(a, b)).times(Wide::new(a.ln())));
    }
    ḡ.times(Wide::new(a.ln())).times(wide_power(a, b))
}

/// `√Σx²` of finite numbers.
pub fn length(inputs: &[f64]) -> Wide {
    let largest = inputs.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if largest == 0.0 {
        return Wide::new(0.0);
    }
    let ratio = |x: &f64| Wide::new(*x).over(Wide::new(largest)).narrow();
    let squares: f64 = inputs.iter().map(|x| ratio(x) * ratio(x)).sum();
    Wide::new(largest).times(Wide::new(squares.sqrt()))
}

/// `ḡ·x/√Σx²`.
pub fn norm_share(g: f64, x: f64, inputs: &[f64]) -> Wide {
    let ḡ = Wide::new(g);
    match inputs.iter().filter(|x| x.is_infinite()).count() {
        0 if inputs.iter().all(|&x| x == 0.0) => ḡ.times(Wide::new(0.0)),
        0 => ḡ.times(Wide::new(x)).over(length(inputs)),
        _ if x.is_finite() => ḡ.times(Wide::new(0.0)),
        1 => ḡ.times(Wide::new(x.signum())),
        _ => Wide::new(f64::NAN),
    }
}

/// `ḡ·recip(y)`, `recip(y) = sign(y)/√(y² + b²)`, 0 at zeros, infinities and Φ.
fn bounded_recip(g: Wide, y: Wide, bound: f64) -> Wide {
    match y.sign() {
        0.0 => g.times(Wide::new(0.0)),
        sign => g.times(Wide::new(sign)).over(y.hypot(bound)),
    }
}

/// `aᵇ` with b < 1, b ≠ 0.
fn bounded_real_power(g: f64, a: f64, b: f64, bound: f64) -> Vec<Wide> {
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
        Op::Xlogy => {
            let to_y = if b > 0.0 && b.is_finite() {
                bounded_recip(ḡ, y, bound).times(x)
            } else {
                ḡ.times(Wide::new(0.0)).times(x)
            };
            vec![ḡ.times(Wide::new(b.ln())), to_y]
        }
        Op::Log1p => vec![bounded_recip(ḡ, Wide::new(1.0 + a), bound)],
        Op::Asin => vec![bounded_recip(ḡ, arc(a), bound)],
        Op::Acos => vec![bounded_recip(Wide::new(-g), arc(a), bound)],
        Op::Tan => {
            let h = Wide::new(a.cos()).hypot(bound);
            vec![ḡ.over(h).over(h)]
        }
        Op::Atan2 if a.is_infinite() || b.is_infinite() => vec![ḡ.times(Wide::new(0.0)); 2],
        Op::Atan2 => {
            let h = length(&[a, b, bound]);
            vec![ḡ.times(y).over(h).over(h), Wide::new(-g).times(x).over(h).over(h)]
        }
        Op::Pow => bounded_real_power(g, a, b, bound),
        _ => unreachable!("not singular"),
    }
}
