//! Which operations leave the processor's floating-point flags alone.
//!
//! The flags are those of an invalid operation, a division by zero, an overflow and an underflow; that a
//! result was rounded does not count. Whoever has to put flags back reads them only where this module does
//! not rule them out, since reading takes longer than a sum. `tests/flags.rs` tries the rule out.

use super::Op;

/// Whether the magnitude of a number lies between these powers of two. As integers, since some comparisons of
/// the processor take NaN for invalid.
#[inline(always)]
const fn is_within(x: f64, low: u64, high: u64) -> bool {
    let size = x.to_bits() & !(1 << 63);
    size.wrapping_sub((1023 - low) << 52) <= (low + high) << 52
}

/// Whether a number is finite, and normal by more than rounding up.
#[inline(always)]
const fn is_normal(x: f64) -> bool {
    let size = x.to_bits() & !(1 << 63);
    size > f64::MIN_POSITIVE.to_bits() && size < f64::INFINITY.to_bits()
}

impl Op {
    /// Whether the op is one correctly rounded operation of the processor, which sets a flag only if its
    /// value tells: an invalid one gives NaN, overflow and division by zero an infinity, underflow a number
    /// below the normal ones or, rounded up, the least of them.
    #[inline(always)]
    const fn is_primitive(self) -> bool {
        matches!(self, Self::Add | Self::Sub | Self::Mul | Self::Div | Self::Neg | Self::Abs | Self::Sqrt)
    }

    /// The powers of two between which operands make the op set no flag on its way to a normal value: one
    /// over the first, and the second.
    #[inline(always)]
    const fn ordinary_operands(self) -> Option<(u64, u64)> {
        match self {
            // The last square may overflow, and is not used.
            Self::PowInt => None,
            // Powers of an exponential that is small already.
            Self::Softplus | Self::LogSigmoid => None,
            // Squares of a quotient.
            Self::Atan2 => Some((50, 50)),
            // What is not used of both forms, which some compilers work out all the same.
            Self::Cosc => Some((100, 20)),
            Self::Expm1 | Self::Exprel => Some((100, 8)),
            // Halves of an exponential that overflows, or one of the other sign that underflows.
            Self::Sigmoid | Self::Sinh | Self::Cosh => Some((100, 8)),
            // Exponentials of squares.
            Self::LogNdtr => Some((100, 3)),
            _ => Some((100, 100)),
        }
    }

    /// Whether an elementwise op has certainly set no flag when it made `value` of these operands; for an op
    /// of one operand `b` is `a` again.
    #[inline(always)]
    pub const fn leaves_no_flags(self, a: f64, b: f64, value: f64) -> bool {
        if !is_normal(value) {
            return false;
        }
        match self.ordinary_operands() {
            _ if self.is_primitive() => true,
            Some((low, high)) => is_within(a, low, high) && is_within(b, low, high),
            None => false,
        }
    }
}
