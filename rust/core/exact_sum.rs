//! A sum of non-negative doubles without rounding, so that its order and grouping do not matter.
//!
//! The sum is a fixed-point number of 32-bit digits, each held in 64 bits: digit `i` weighs
//! `2^(32i − 1074)`. A double touches three digits; the spare bits take 2³¹ additions before a
//! carry has to be passed on.

use crate::wire::{Reader, Unreadable, Writer, expect};

const DIGITS: usize = 68;
const CARRY_AFTER: u32 = 1 << 31;

#[derive(Clone, Debug, Default)]
pub(crate) struct ExactSum {
    /// None until something is added: most sums of a run stay empty, and a run of few samples should not pay for
    /// them.
    digits: Option<Box<[u64; DIGITS]>>,
    additions: u32,
}

impl ExactSum {
    fn digits(&mut self) -> &mut [u64; DIGITS] {
        self.digits.get_or_insert_with(|| Box::new([0; DIGITS]))
    }

    /// Adds a finite double that is not negative.
    pub fn add(&mut self, value: f64) {
        debug_assert!(value >= 0.0 && value.is_finite());
        let bits = value.to_bits();
        let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
        let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
        let position = exponent.saturating_sub(1) as usize;
        let shifted = u128::from(mantissa) << (position % 32);
        for (k, digit) in self.digits()[position / 32..][..3].iter_mut().enumerate() {
            *digit += (shifted >> (32 * k)) as u64 & 0xffff_ffff;
        }
        self.count(1);
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        let mut other = other.clone();
        other.carry();
        let Some(more) = other.digits else { return };
        self.carry();
        self.digits().iter_mut().zip(more.iter()).for_each(|(a, b)| *a += b);
        self.count(1);
    }

    fn count(&mut self, additions: u32) {
        self.additions += additions;
        if self.additions >= CARRY_AFTER {
            self.carry();
        }
    }

    fn carry(&mut self) {
        let mut carry = 0;
        for digit in self.digits.iter_mut().flat_map(|digits| digits.iter_mut()) {
            let sum = *digit + carry;
            *digit = sum & 0xffff_ffff;
            carry = sum >> 32;
        }
        self.additions = 0;
    }

    /// Writes the digits between the first and the last that is not 0.
    pub fn write(&self, to: &mut Writer) {
        let mut sum = self.clone();
        sum.carry();
        let digits = sum.digits();
        let last = digits.iter().rposition(|&digit| digit != 0).map_or(0, |last| last + 1);
        let first = digits.iter().position(|&digit| digit != 0).unwrap_or(0);
        to.count(first as u64);
        to.count((last - first) as u64);
        digits[first..last].iter().for_each(|&digit| to.count(digit));
    }

    /// Reads what was written.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (first, len) = (from.count()?, from.length(1)?);
        let mut sum = Self::default();
        let places = usize::try_from(first).ok().and_then(|first| Some(first..first.checked_add(len)?));
        let digits = places.and_then(|places| sum.digits().get_mut(places)).ok_or(Unreadable::Damaged)?;
        for digit in digits {
            *digit = from.count()?;
            expect(*digit <= 0xffff_ffff)?;
        }
        Ok(sum)
    }

    /// The sum divided by `count`, to within an ulp.
    pub fn mean(&self, count: u64) -> f64 {
        let mut sum = self.clone();
        sum.carry();
        let digits = sum.digits();
        let Some(top) = digits.iter().rposition(|&d| d != 0) else { return 0.0 };
        let low = top.saturating_sub(2);
        let digits = digits[low..=top].iter().rev();
        let head = digits.fold(0u128, |all, &digit| all << 32 | u128::from(digit));
        let quotient = head as f64 / count as f64;
        // quotient·2^(32·low − 1074), in two exact steps around the middle of the range
        let exponent = 32 * low as i32 - 1074;
        let half = exponent / 2;
        quotient * 2f64.powi(half) * 2f64.powi(exponent - half)
    }
}

#[cfg(test)]
mod tests {
    use super::ExactSum;

    #[test]
    fn the_order_and_the_grouping_do_not_matter() {
        let values = [1e308, 1e-308, 3.5, 5e-324, 1e16, 1.0, 1e308];
        let sum_of = |values: &[f64]| {
            let mut sum = ExactSum::default();
            values.iter().for_each(|&v| sum.add(v));
            sum
        };
        let forward = sum_of(&values);
        let mut reversed = values;
        reversed.reverse();
        let mut merged = sum_of(&values[..3]);
        merged.merge(&sum_of(&values[3..]));
        assert_eq!(forward.mean(7), sum_of(&reversed).mean(7));
        assert_eq!(forward.mean(7), merged.mean(7));
        assert_eq!(forward.mean(7), 1e308 / 3.5);
    }

    #[test]
    fn means_are_right_at_both_ends() {
        for value in [0.0, 5e-324, 1e-310, 1e-6, 1.0, f64::MAX] {
            let mut sum = ExactSum::default();
            (0..3).for_each(|_| sum.add(value));
            assert_eq!(sum.mean(3), value);
        }
    }
}
