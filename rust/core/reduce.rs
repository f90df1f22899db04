//! Sums, products, means, norms, minima and maxima over many values.

use crate::op::Op;
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
    #[doc(hidden)]
    pub fn keeps(self, value: f64) -> bool {
        match self {
            Self::Strict => true,
            Self::DropNull => !value.is_nan(),
            Self::DropNonreal => value.is_finite(),
        }
    }

    /// The values that the mode keeps, in order.
    #[inline(always)]
    #[doc(hidden)]
    pub fn kept(self, values: impl Iterator<Item = f64> + Clone) -> impl Iterator<Item = f64> + Clone {
        values.filter(move |&value| self.keeps(value))
    }

    /// The value of a variadic op.
    #[inline]
    #[doc(hidden)]
    pub fn fold(self, op: Op, values: impl Iterator<Item = f64> + Clone) -> f64 {
        if self.leaves_only_null(values.clone()) { f64::NAN } else { op.fold(self.kept(values)) }
    }

    /// Whether there are values and all of them are `Φ`, so that the result is too.
    #[inline]
    fn leaves_only_null(self, mut values: impl Iterator<Item = f64>) -> bool {
        self == Self::DropNull && values.next().is_some_and(f64::is_nan) && values.all(f64::is_nan)
    }
}

/// One method per variadic row of the op table.
macro_rules! methods {
    ($(($op:ident, $name:ident, $formula:literal))*) => {
        impl Reduction {
            $(
                #[doc = $formula]
                pub fn $name(self, values: &[TrScalar]) -> TrScalar {
                    self.fold(Op::$op, doubles(values)).into()
                }
            )*
        }
    };
}
for_each_variadic_op! { methods }

fn doubles(values: &[TrScalar]) -> impl Iterator<Item = f64> + Clone {
    values.iter().map(|v| v.to_ieee())
}
