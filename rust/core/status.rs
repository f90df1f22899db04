//! How a gradient came about.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// A set of flags beside each gradient; no flag means the classical gradient.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Status(u8);

impl Status {
    /// The classical gradient: nothing was silenced, left out or bounded.
    pub const EXACT: Self = Self(0);
    /// A path was silenced by a non-REAL node.
    pub const MASKED: Self = Self(1);
    /// A contribution was not REAL and was left out.
    pub const DROPPED: Self = Self(2);
    /// A bounded partial was used at a singular op.
    pub const SATURATED: Self = Self(4);

    const NAMES: [(Self, &'static str); 3] =
        [(Self::MASKED, "MASKED"), (Self::DROPPED, "DROPPED"), (Self::SATURATED, "SATURATED")];

    /// The flags as bits: 1 masked, 2 dropped, 4 saturated.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The flags named by the low three bits.
    pub const fn from_bits_truncate(bits: u8) -> Self {
        Self(bits & 7)
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Status {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Status {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set: Vec<_> =
            Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name).collect();
        f.write_str(if set.is_empty() { "EXACT" } else { "" })?;
        f.write_str(&set.join(" | "))
    }
}
