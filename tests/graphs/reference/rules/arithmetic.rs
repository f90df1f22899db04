//! The four operations.

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
