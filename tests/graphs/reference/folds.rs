//! Values and shares of the ops of any number of inputs, written down a second time.

use super::rules::{arithmetic, length, norm_share};
use super::wide::Wide;
use zeroproof::Op;

pub fn value(op: Op, kept: &[f64]) -> f64 {
    let sum = kept.iter().copied().reduce(|a, b| arithmetic(Op::Add, a, b)).unwrap_or(0.0);
    let (is_null, largest) = (kept.iter().any(|x| x.is_nan()), largest(kept));
    match op {
        Op::Sum => sum,
        Op::Mean => arithmetic(Op::Div, sum, kept.len() as f64),
        _ if is_null => f64::NAN,
        Op::Prod => kept.iter().copied().reduce(|a, b| arithmetic(Op::Mul, a, b)).unwrap_or(1.0),
        Op::Max | Op::Min if kept.is_empty() => f64::NAN,
        Op::Max => largest,
        Op::Min => smallest(kept),
        Op::Norm if kept.iter().any(|x| x.is_infinite()) => f64::INFINITY,
        Op::Norm => length(kept).narrow(),
        Op::Logsumexp if largest.is_infinite() => largest,
        Op::Logsumexp => largest + beside(largest, kept).ln_1p(),
        _ => unreachable!("not variadic"),
    }
}

pub fn largest(kept: &[f64]) -> f64 {
    kept.iter().fold(f64::NEG_INFINITY, |most, &x| if x > most { x } else { most })
}

/// `e^(x−m)` for REAL x and m, x ≤ m, with what rounding takes from the difference.
fn exp_difference(x: f64, m: f64) -> Wide {
    let d = x - m;
    let rest = if x.abs() > m.abs() { (x - d) - m } else { x - (m + d) };
    let rest = if d.is_finite() { rest } else { 0.0 };
    Wide::exp(d.max(f64::MIN)).times(Wide::new(1.0 + rest))
}

/// `Σe^(x−m)` over all inputs but one that is m.
fn beside(m: f64, kept: &[f64]) -> f64 {
    let place = kept.iter().position(|&x| x == m);
    let others = kept.iter().enumerate().filter(|&(other, x)| Some(other) != place && x.is_finite());
    others.map(|(_, &x)| exp_difference(x, m).narrow()).fold(0.0, |sum, term| sum + term)
}

fn smallest(kept: &[f64]) -> f64 {
    kept.iter().fold(f64::INFINITY, |least, &x| if x < least { x } else { least })
}

/// `ḡ`, shared by the inputs that are the extreme one.
fn share_of(extreme: f64, g: f64, x: f64, kept: &[f64]) -> Wide {
    let count = kept.iter().filter(|&&other| other == extreme).count();
    if x == extreme { Wide::new(g).over(Wide::new(count as f64)) } else { Wide::new(g * 0.0) }
}

/// `ḡ` times all inputs but one that is `x`.
fn share_of_product(g: f64, x: f64, kept: &[f64]) -> Wide {
    let place = kept.iter().position(|&other| other == x).expect("x is kept");
    let others = kept.iter().enumerate().filter(|&(other, _)| other != place);
    others.fold(Wide::new(g), |product, (_, &factor)| product.times(Wide::new(factor)))
}

/// What arrives at the input `x`.
pub fn share(op: Op, g: f64, x: f64, kept: &[f64]) -> Wide {
    let (ḡ, largest) = (Wide::new(g), largest(kept));
    match op {
        Op::Sum => ḡ,
        Op::Prod => share_of_product(g, x, kept),
        Op::Max => share_of(largest, g, x, kept),
        Op::Min => share_of(smallest(kept), g, x, kept),
        Op::Mean => Wide::new(g / kept.len() as f64),
        Op::Norm => norm_share(g, x, kept),
        Op::Logsumexp if largest == f64::INFINITY => match kept.iter().filter(|&&x| x == largest).count() {
            _ if x < largest => ḡ.times(Wide::new(0.0)),
            1 => ḡ,
            _ => Wide::new(f64::NAN),
        },
        Op::Logsumexp if x == f64::NEG_INFINITY => ḡ.times(Wide::new(0.0)),
        Op::Logsumexp => ḡ.times(exp_difference(x, largest)).over(Wide::new(1.0 + beside(largest, kept))),
        _ => unreachable!("not variadic"),
    }
}
