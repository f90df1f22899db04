//! The transreal scalar.
//!
//! A transreal value is a finite double (`REAL`), `+∞`, `−∞` or nullity `Φ`. The tag needs no
//! field of its own because it *is* the class of the double: finite ↔ `REAL`, `inf` ↔ `PINF`,
//! `-inf` ↔ `NINF`, any NaN ↔ `PHI`. So a value is eight bytes, and transreal arithmetic is IEEE
//! arithmetic plus the few fix-ups in the op table.

use crate::op::Op;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The class of a transreal value. The codes are public and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum TrTag {
    /// A finite double, ±0 and subnormals included.
    Real = 0,
    /// Positive infinity.
    PInf = 1,
    /// Negative infinity.
    NInf = 2,
    /// Nullity, the value of `0/0`.
    Phi = 3,
}

/// A transreal number: eight bytes, total under every operation.
///
/// ```
/// use zeroproof::{TrScalar, TrTag};
/// let zero = TrScalar::real(0.0).unwrap();
/// let one = TrScalar::real(1.0).unwrap();
/// assert_eq!((one / zero).tag(), TrTag::PInf);
/// assert_eq!(zero / zero, TrScalar::PHI); // Φ equals itself
/// ```
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct TrScalar(f64);

const _: () = assert!(size_of::<TrScalar>() == 8);

impl TrScalar {
    /// Positive infinity.
    pub const PINF: Self = Self(f64::INFINITY);
    /// Negative infinity.
    pub const NINF: Self = Self(f64::NEG_INFINITY);
    /// Nullity.
    pub const PHI: Self = Self(f64::NAN);

    /// A `REAL` value, or `None` for an infinity or a NaN (see [`TrScalar::from_ieee`]).
    pub const fn real(value: f64) -> Option<Self> {
        if value.is_finite() { Some(Self(value)) } else { None }
    }

    /// The value of any double: infinities keep their sign, every NaN is `Φ`.
    pub const fn from_ieee(value: f64) -> Self {
        Self(value)
    }

    /// The double: `REAL` as it is (the sign of zero too), `±∞` as `±inf`, `Φ` as the one
    /// canonical NaN, so that no payload of an intermediate NaN shows.
    pub const fn to_ieee(self) -> f64 {
        if self.0.is_nan() { f64::NAN } else { self.0 }
    }

    /// The class of the value.
    pub const fn tag(self) -> TrTag {
        if self.0.is_finite() {
            TrTag::Real
        } else if self.0.is_nan() {
            TrTag::Phi
        } else if self.0 > 0.0 {
            TrTag::PInf
        } else {
            TrTag::NInf
        }
    }

    /// Whether the value is a finite number.
    pub const fn is_real(self) -> bool {
        self.0.is_finite()
    }

    /// Truth: a `REAL` is true unless it is zero, infinities are true, `Φ` is false.
    pub fn is_truthy(self) -> bool {
        self.0 != 0.0 && !self.0.is_nan()
    }
}

/// One method per elementwise row of the op table. `+ − × ÷` and negation have operators besides.
macro_rules! methods {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        impl TrScalar {
            $(methods! { @$arity $op $name $formula })*
        }
    };
    (@Unary $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        #[allow(clippy::should_implement_trait, reason = "the operators are implemented too")]
        pub fn $name(self) -> Self {
            Self(Op::$op.value(self.0, 0.0))
        }
    };
    (@Binary $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        #[allow(clippy::should_implement_trait, reason = "the operators are implemented too")]
        pub fn $name(self, other: Self) -> Self {
            Self(Op::$op.value(self.0, other.0))
        }
    };
    (@Power $op:ident $name:ident $formula:literal) => {
        #[doc = $formula]
        pub fn $name(self, n: i32) -> Self {
            Self(Op::$op.value(self.0, f64::from(n)))
        }
    };
}
for_each_elementwise_op! { methods }

macro_rules! operators {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for TrScalar {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                TrScalar::$method(self, other)
            }
        }
    )*};
}
operators! { Add add; Sub sub; Mul mul; Div div; }

impl Neg for TrScalar {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl From<f64> for TrScalar {
    fn from(value: f64) -> Self {
        Self::from_ieee(value)
    }
}

/// By tag, then by value: `Φ == Φ`, and `−0 == +0`.
impl PartialEq for TrScalar {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || (self.0.is_nan() && other.0.is_nan())
    }
}
impl Eq for TrScalar {}

/// The transreal order −∞ < REAL < +∞. `Φ` is unordered, though equal to itself.
impl PartialOrd for TrScalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.0.partial_cmp(&other.0)
    }
}

impl Hash for TrScalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // `+ 0.0` gives both zeros, which are equal, the same bits.
        (self.to_ieee() + 0.0).to_bits().hash(state);
    }
}

impl fmt::Display for TrScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag() {
            TrTag::Real => fmt::Display::fmt(&self.0, f),
            TrTag::PInf => f.pad("+∞"),
            TrTag::NInf => f.pad("−∞"),
            TrTag::Phi => f.pad("Φ"),
        }
    }
}
