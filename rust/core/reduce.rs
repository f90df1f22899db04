//! Sums, products, means, minima and maxima over many values.

use crate::ops::Op;
use crate::scalar::TrScalar;

/// Which values a reduction keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reduction {
    /// Every value: the tag tables decide.
    #[default]
    Strict = 0,
    /// All but `Φ`; if every value is `Φ`, so is the result.
    DropNull = 1,
    /// The REAL values only.
    DropNonreal = 2,
}

impl Reduction {
    /// Every mode, by code.
    pub const ALL: [Self; 3] = [Self::Strict, Self::DropNull, Self::DropNonreal];

    /// Whether the mode keeps the value of this double.
    #[inline]
    pub fn keeps(self, value: f64) -> bool {
        match self {
            Self::Strict => true,
            Self::DropNull => !value.is_nan(),
            Self::DropNonreal => value.is_finite(),
        }
    }

    /// Folds the kept values in order, from `empty` if there is none to begin with. Returns the
    /// result and how many were kept.
    fn fold(self, values: impl IntoIterator<Item = f64>, empty: f64, op: Op) -> (f64, usize) {
        let (mut result, mut kept, mut seen) = (empty, 0, 0);
        for value in values {
            seen += 1;
            if self.keeps(value) {
                result = if kept == 0 { value } else { op.value(result, value) };
                kept += 1;
            }
        }
        let all_null = self == Self::DropNull && seen > 0 && kept == 0;
        (if all_null { f64::NAN } else { result }, kept)
    }

    pub(crate) fn sum_of(self, values: impl IntoIterator<Item = f64>) -> (f64, usize) {
        self.fold(values, 0.0, Op::Add)
    }

    /// The sum of the values kept; 0 for no value at all.
    pub fn sum(self, values: &[TrScalar]) -> TrScalar {
        self.sum_of(doubles(values)).0.into()
    }

    /// The mean of the values kept; `0/0 = Φ` if none is.
    pub fn mean(self, values: &[TrScalar]) -> TrScalar {
        let (sum, kept) = self.sum_of(doubles(values));
        (sum / kept as f64).into()
    }

    /// The product of the values kept; 1 for no value at all.
    pub fn prod(self, values: &[TrScalar]) -> TrScalar {
        self.fold(doubles(values), 1.0, Op::Mul).0.into()
    }

    /// The smallest value kept, `None` for no value kept.
    pub fn min(self, values: &[TrScalar]) -> Option<TrScalar> {
        self.extremum(values, Op::Minimum)
    }

    /// The largest value kept, `None` for no value kept.
    pub fn max(self, values: &[TrScalar]) -> Option<TrScalar> {
        self.extremum(values, Op::Maximum)
    }

    fn extremum(self, values: &[TrScalar], op: Op) -> Option<TrScalar> {
        let (result, kept) = self.fold(doubles(values), 0.0, op);
        (kept > 0 || result.is_nan()).then(|| result.into())
    }
}

fn doubles(values: &[TrScalar]) -> impl Iterator<Item = f64> {
    values.iter().map(|v| v.to_ieee())
}
