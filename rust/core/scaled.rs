//! A double with an exponent that cannot overflow, for the rare products whose factors leave the
//! range of a double while the result does not.
//!
//! A gradient such as `−ḡ·a/y²` must be right wherever it is representable. The fast path multiplies
//! plain doubles and checks that no factor was subnormal, zero or infinite; only when that check
//! fails is the same formula evaluated here. A value is `(hi + lo)·2^e`, `hi` in `[1, 2)` up to sign
//! or zero, `lo` what rounding `hi` left over: the pair keeps high powers, whose relative error
//! grows with the exponent, within an ulp.

/// `(hi + lo)·2^exponent`.
#[derive(Clone, Copy, Debug)]
pub struct Scaled {
    hi: f64,
    lo: f64,
    exponent: i64,
}

const MANTISSA: u64 = (1 << 52) - 1;
const BIAS: u64 = 1023;

/// `2^e` for `-1022 <= e <= 1023`.
fn power_of_two(e: i64) -> f64 {
    debug_assert!((-1022..=1023).contains(&e));
    f64::from_bits(((e + BIAS as i64) as u64) << 52)
}

/// `a·b` and its rounding error (Dekker 1971); the factors are below 4, so nothing overflows.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    fn split(x: f64) -> (f64, f64) {
        let scaled = 134_217_729.0 * x; // 2^27 + 1
        let high = scaled - (scaled - x);
        (high, x - high)
    }
    let product = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (product, ((ah * bh - product) + ah * bl + al * bh) + al * bl)
}

impl Scaled {
    const ONE: Self = Self { hi: 1.0, lo: 0.0, exponent: 0 };

    /// The value of a finite double, exactly.
    pub(crate) fn new(value: f64) -> Self {
        debug_assert!(value.is_finite());
        Self::normalized(value, 0.0, 0)
    }

    /// `(hi + lo)·2^exponent` with `|lo| < |hi|`.
    fn normalized(hi: f64, lo: f64, exponent: i64) -> Self {
        if hi == 0.0 {
            return Self { hi, lo: 0.0, exponent: 0 };
        }
        let bits = hi.to_bits();
        let biased = bits >> 52 & 0x7ff;
        if biased == 0 {
            // Subnormal: only an exact double gets here, so there is no `lo` to scale.
            return Self::normalized(hi * power_of_two(64), 0.0, exponent - 64);
        }
        let shift = biased as i64 - BIAS as i64;
        let unit = f64::from_bits(bits & (MANTISSA | 1 << 63) | BIAS << 52);
        Self {
            hi: unit,
            lo: if lo == 0.0 { 0.0 } else { lo * power_of_two(-shift) },
            exponent: exponent.saturating_add(shift),
        }
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        let (product, error) = two_product(self.hi, other.hi);
        let error = error + (self.hi * other.lo + self.lo * other.hi);
        let hi = product + error;
        Self::normalized(hi, (product - hi) + error, self.exponent.saturating_add(other.exponent))
    }

    /// The quotient; the divisor must not be zero.
    pub(crate) fn div(self, other: Self) -> Self {
        debug_assert!(other.hi != 0.0);
        let quotient = self.hi / other.hi;
        let (back, error) = two_product(quotient, other.hi);
        let rest = ((self.hi - back) - error) + (self.lo - quotient * other.lo);
        let correction = rest / other.hi;
        let hi = quotient + correction;
        let lo = (quotient - hi) + correction;
        Self::normalized(hi, lo, self.exponent.saturating_sub(other.exponent))
    }

    /// The sum, with the precision of the larger term.
    pub(crate) fn add(self, other: Self) -> Self {
        if self.hi == 0.0 || other.hi == 0.0 {
            return if self.hi == 0.0 { other } else { self };
        }
        let (large, small) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let gap = large.exponent.saturating_sub(small.exponent);
        if gap > 200 {
            return large;
        }
        let unit = power_of_two(-gap);
        let (hi, lo) = (small.hi * unit, small.lo * unit);
        let sum = large.hi + hi;
        let part = sum - large.hi;
        let low = ((large.hi - (sum - part)) + (hi - part)) + (large.lo + lo);
        let hi = sum + low;
        Self::normalized(hi, low - (hi - sum), large.exponent)
    }

    pub(crate) fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo, ..self }
    }

    pub(crate) fn abs(self) -> Self {
        if self.hi < 0.0 { self.neg() } else { self }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.hi == 0.0
    }

    /// `self·2^exponent`.
    pub(crate) fn shifted(self, exponent: i64) -> Self {
        Self { exponent: if self.hi == 0.0 { 0 } else { self.exponent.saturating_add(exponent) }, ..self }
    }

    /// The `n`-th power, by squaring; `x⁰` is 1.
    pub(crate) fn powi(self, mut n: u64) -> Self {
        let (mut result, mut base) = (Self::ONE, self);
        while n > 0 {
            if n & 1 == 1 {
                result = result.mul(base);
            }
            base = base.mul(base);
            n >>= 1;
        }
        result
    }

    /// The root of a number that is not negative, with all digits of the pair.
    pub(crate) fn sqrt(self) -> Self {
        if self.hi == 0.0 {
            return self;
        }
        // An even exponent is left outside.
        let inner = self.exponent.rem_euclid(2);
        let square = Self { exponent: inner, ..self };
        let root = Self::new((self.hi * power_of_two(inner)).sqrt());
        let rest = square.add(root.mul(root).neg());
        root.add(rest.div(root).shifted(-1)).shifted((self.exponent - inner) / 2)
    }

    /// `√(self² + b²)` for `b > 0`, whatever the magnitudes.
    pub(crate) fn hypot(self, b: f64) -> Self {
        let (this, b) = (Self { hi: self.hi.abs(), lo: 0.0, ..self }, Self::new(b));
        let (large, small) = if this.hi != 0.0 && (this.exponent, this.hi) > (b.exponent, b.hi) {
            (this, b)
        } else {
            (b, this)
        };
        let ratio = small.div(large).to_f64();
        large.mul(Self::new((1.0 + ratio * ratio).sqrt()))
    }

    /// A number in [1, 2), up to sign, or zero, and the power of two that it is to be multiplied by.
    pub(crate) fn parts(self) -> (f64, i64) {
        (self.hi + self.lo, self.exponent)
    }

    /// The nearest double: rounded once, ±∞ past the range, ±0 below it.
    pub(crate) fn to_f64(self) -> f64 {
        let unit = if self.lo == 0.0 { self.hi } else { self.hi + self.lo }; // keeps −0
        match self.exponent {
            e if e > 1023 => unit * f64::INFINITY, // a zero has exponent 0, so this is ±∞
            e if e >= -1022 => unit * power_of_two(e),
            e if e >= -1100 => unit * power_of_two(e + 200) * power_of_two(-200),
            _ => unit * 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scaled;

    #[test]
    fn finite_doubles_round_trip() {
        for x in [0.0, -0.0, 1.0, -3.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.7e-310] {
            assert_eq!(Scaled::new(x).to_f64().to_bits(), x.to_bits(), "{x:e}");
        }
    }

    #[test]
    fn products_leave_the_range_and_come_back() {
        let tiny = Scaled::new(1e-300);
        assert_eq!(tiny.mul(tiny).to_f64(), 0.0);
        assert_eq!(tiny.mul(tiny).div(tiny).to_f64(), 1e-300);
        assert_eq!(Scaled::new(-1e300).powi(3).to_f64(), f64::NEG_INFINITY);
        assert_eq!(Scaled::new(0.0).mul(tiny).to_f64(), 0.0);
    }

    #[test]
    fn sums_keep_what_cancels_and_what_is_far_apart() {
        let (one, tiny) = (Scaled::new(1.0), Scaled::new(2f64.powi(-80)));
        assert_eq!(one.add(tiny).add(one.neg()).to_f64(), 2f64.powi(-80));
        let far = Scaled::new(1e-300).mul(Scaled::new(1e-300));
        assert_eq!(one.add(far).to_f64(), 1.0);
        assert_eq!(far.add(one).to_f64(), 1.0);
        assert_eq!(far.add(far.neg()).to_f64(), 0.0);
        assert_eq!(Scaled::new(0.0).add(far).div(far).to_f64(), 1.0);
        assert_eq!(Scaled::new(-3.0).abs().to_f64(), 3.0);
    }

    #[test]
    fn roots_keep_all_digits() {
        for x in [2.0, 3e300, 5e-324, 1.0, 0.7, 1e-155] {
            let root = Scaled::new(x).sqrt();
            let error = root.mul(root).add(Scaled::new(-x)).div(Scaled::new(x)).to_f64();
            assert!(error.abs() < 1e-29, "{x:e}: {error:e}");
        }
        assert!(Scaled::new(0.0).sqrt().is_zero());
    }

    #[test]
    fn high_powers_keep_an_ulp() {
        // (1 + 2⁻³⁰)^(2³⁰) = e^(1 − 2⁻³¹ + …) to the precision of a double.
        let n = 1u64 << 30;
        let expected = (1.0f64 - 0.5 / n as f64).exp();
        let actual = Scaled::new(1.0 + 1.0 / n as f64).powi(n).to_f64();
        assert!((actual - expected).abs() <= 2.0 * f64::EPSILON * expected, "{actual:e} {expected:e}");
    }

    #[test]
    fn hypot_does_not_overflow_on_the_way() {
        let h = Scaled::new(f64::MAX).hypot(f64::MAX);
        assert_eq!(h.to_f64(), f64::INFINITY);
        let back = h.div(Scaled::new(2.0)).to_f64();
        assert!((back / (f64::MAX * 0.5f64.sqrt()) - 1.0).abs() < 1e-15);
        assert_eq!(Scaled::new(0.0).hypot(1e-310).to_f64(), 1e-310);
    }
}
