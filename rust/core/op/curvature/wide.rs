//! Numbers of any size: what an entry is where a double cannot hold it.

use crate::scaled::Scaled;

/// A number of any size.
#[derive(Clone, Copy, Debug)]
pub enum Wide {
    /// A finite one.
    Real(Scaled),
    /// ±∞ or Φ.
    Other(f64),
}

impl Wide {
    pub(crate) const NONE: Self = Self::Other(f64::NAN);

    /// A double, exactly.
    pub(crate) fn new(x: f64) -> Self {
        if x.is_finite() { Self::Real(Scaled::new(x)) } else { Self::Other(x) }
    }

    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Self::Real(x) => x.to_f64(),
            Self::Other(x) => x,
        }
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        match (self, other) {
            (Self::Real(x), Self::Real(y)) => Self::Real(x.mul(y)),
            _ => Self::Other(self.leading() * other.leading()),
        }
    }

    pub(crate) fn div(self, other: Self) -> Self {
        match (self, other) {
            (Self::Real(x), Self::Real(y)) if !y.is_zero() => Self::Real(x.div(y)),
            (Self::Real(_), Self::Other(y)) if y.is_infinite() => Self::new(0.0),
            _ => Self::Other(self.leading() / other.leading()),
        }
    }

    pub(crate) fn neg(self) -> Self {
        match self {
            Self::Real(x) => Self::Real(x.neg()),
            Self::Other(x) => Self::Other(-x),
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        match (self, other) {
            (Self::Real(x), Self::Real(y)) => Self::Real(x.add(y)),
            _ => Self::Other(self.leading() + other.leading()),
        }
    }

    /// What decides beside numbers that are not finite.
    fn leading(self) -> f64 {
        match self {
            Self::Real(x) => x.parts().0,
            Self::Other(x) => x,
        }
    }
}
