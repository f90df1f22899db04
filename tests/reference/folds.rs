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
        Op::Norm if kept.iter().any(|x| x.is_infinite()) => f64::INFINITY,
        Op::Norm => length(kept).narrow(),
        Op::Logsumexp if largest.is_infinite() => largest,
        Op::Logsumexp => largest + kept.iter().map(|x| (x - largest).exp()).sum::<f64>().ln(),
        _ => unreachable!("not variadic"),
    }
}

fn largest(kept: &[f64]) -> f64 {
    kept.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// What arrives at the input `x`.
pub fn share(op: Op, g: f64, x: f64, kept: &[f64]) -> Wide {
    let (ḡ, largest) = (Wide::new(g), largest(kept));
    match op {
        Op::Sum => ḡ,
        Op::Mean => Wide::new(g / kept.len() as f64),
        Op::Norm => norm_share(g, x, kept),
        Op::Logsumexp if largest == f64::INFINITY => match kept.iter().filter(|&&x| x == largest).count() {
            _ if x < largest => ḡ.times(Wide::new(0.0)),
            1 => ḡ,
            _ => Wide::new(f64::NAN),
        },
        Op::Logsumexp if x == f64::NEG_INFINITY => ḡ.times(Wide::new(0.0)),
        Op::Logsumexp => {
            let sum: f64 = kept.iter().map(|x| (x - largest).exp()).sum();
            ḡ.times(Wide::exp(x - largest)).over(Wide::new(sum))
        }
        _ => unreachable!("not variadic"),
    }
}
