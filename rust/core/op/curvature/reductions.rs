//! Sum, mean, product, extrema and logsumexp of any number of inputs.

use super::super::range::scaled_exp_of_sum;
use super::super::reductions::{Logsumexp, Max, Mean, Min, Prod, Sum, difference, largest};
use super::CurvedVariadic;
use super::wide::Wide;
use crate::scaled::Scaled;

/// Reductions that are linear, or choose.
macro_rules! flat {
    ($($op:ident)*) => {$(
        impl CurvedVariadic for $op {
            const FLAT: bool = true;
            const FORMULA: &'static str = "0";

            fn curvature(inputs: &[f64], _tangents: &[f64], out: &mut Vec<Wide>) {
                out.extend(inputs.iter().map(|_| Wide::new(0.0)));
            }
        }
    )*};
}
flat! { Sum Mean Max Min }

/// The sum of some numbers.
pub(super) fn sum(numbers: impl Iterator<Item = Wide>) -> Wide {
    numbers.fold(Wide::new(0.0), Wide::add)
}

/// A sum and its terms, to be told without one of them. Of the term that may be most of the sum the rest is
/// added up by itself; of the others it is the difference, which keeps its digits.
pub(super) struct Rest {
    terms: Vec<Wide>,
    all: Wide,
    dominant: usize,
    without_dominant: Wide,
}

impl Rest {
    pub(super) fn of(terms: impl Iterator<Item = Wide>, dominant: usize) -> Self {
        let terms: Vec<_> = terms.collect();
        let others = terms.iter().enumerate().filter(|(i, _)| *i != dominant).map(|(_, &term)| term);
        let without_dominant = sum(others);
        let all = without_dominant.add(terms[dominant]);
        Self { terms, all, dominant, without_dominant }
    }

    pub(super) fn all(&self) -> Wide {
        self.all
    }

    pub(super) fn without(&self, i: usize) -> Wide {
        if i == self.dominant {
            return self.without_dominant;
        }
        self.all.add(Wide::new(-1.0).mul(self.terms[i]))
    }
}

/// Powers of e to less are 0 whatever they are weighted with.
const HOPELESS: f64 = 3000.0;

impl CurvedVariadic for Logsumexp {
    const FLAT: bool = false;
    const FORMULA: &'static str = "δᵢⱼ·wᵢ − wᵢwⱼ, w = eˣ ÷ Σeˣ";

    /// `wᵢ·(tᵢ·Σw − Σwt)`, where input i has no part in either sum.
    fn curvature(inputs: &[f64], tangents: &[f64], out: &mut Vec<Wide>) {
        let m = largest(inputs.iter().copied());
        let Some(dominant) = inputs.iter().position(|&x| x == m).filter(|_| m.is_finite()) else {
            out.extend(inputs.iter().map(|_| Wide::new(0.0)));
            return;
        };
        let powers: Vec<Wide> = inputs
            .iter()
            .map(|&x| match difference(x, m) {
                (d, rest) if d > -HOPELESS => Wide::Real(scaled_exp_of_sum(d, rest)),
                _ => Wide::new(0.0),
            })
            .collect();
        let weights = Rest::of(powers.iter().copied(), dominant);
        let moved = Rest::of(powers.iter().zip(tangents).map(|(w, &t)| w.mul(Wide::new(t))), dominant);
        let total = weights.all();
        for (i, (w, &t)) in powers.iter().zip(tangents).enumerate() {
            let away = Wide::new(t).mul(weights.without(i)).add(Wide::new(-1.0).mul(moved.without(i)));
            out.push(w.mul(away).div(total).div(total));
        }
    }
}

impl CurvedVariadic for Prod {
    const FLAT: bool = false;
    const FORMULA: &'static str = "the product of the inputs other than xᵢ and xⱼ, 0 for i = j";

    /// The slope of the product of the others: those before an input times those behind it.
    fn curvature(inputs: &[f64], tangents: &[f64], out: &mut Vec<Wide>) {
        let dual = |(&x, &t): (&f64, &f64)| (Wide::new(x), Wide::new(t));
        let times =
            |(x, slope): (Wide, Wide), (y, other): (Wide, Wide)| (x.mul(y), x.mul(other).add(slope.mul(y)));
        let one = (Wide::Real(Scaled::new(1.0)), Wide::new(0.0));
        let mut behind = vec![one; inputs.len() + 1];
        for (i, factor) in inputs.iter().zip(tangents).enumerate().rev() {
            behind[i] = times(dual(factor), behind[i + 1]);
        }
        let mut before = one;
        for (i, factor) in inputs.iter().zip(tangents).enumerate() {
            out.push(times(before, behind[i + 1]).1);
            before = times(before, dual(factor));
        }
    }
}
