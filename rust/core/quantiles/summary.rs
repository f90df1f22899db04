//! What is known of a stream without its values.

use crate::exact_sum::ExactSum;
use crate::wire::{Reader, Unreadable, Writer, expect};

/// Count, extremes and sum of numbers that are not negative.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub count: u64,
    /// An infinity as long as there are none.
    pub min: f64,
    pub max: f64,
    pub sum: ExactSum,
}

impl Default for Summary {
    fn default() -> Self {
        Self { count: 0, min: f64::INFINITY, max: 0.0, sum: ExactSum::default() }
    }
}

impl Summary {
    /// Takes in a number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.widen(value, value);
        self.sum.add(value);
    }

    /// The least of them.
    pub fn least(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// Takes in the extremes of some numbers.
    #[inline]
    pub fn widen(&mut self, min: f64, max: f64) {
        (self.min, self.max) = (self.min.min(min), self.max.max(max));
    }

    /// Takes in all that another stream took in.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.widen(other.min, other.max);
        self.sum.merge(&other.sum);
    }

    /// The mean of them.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.mean(self.count))
    }

    /// Writes it; the count alone if there are none.
    pub fn write(&self, to: &mut Writer) {
        to.count(self.count);
        if self.count > 0 {
            to.number(self.min);
            to.number(self.max);
            self.sum.write(to);
        }
    }

    /// Reads what was written.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let count = from.count()?;
        expect(count < 1 << 60)?; // far from an overflow, however many are merged
        if count == 0 {
            return Ok(Self::default());
        }
        let read = Self { count, min: from.distance()?, max: from.distance()?, sum: ExactSum::read(from)? };
        expect(read.min <= read.max)?;
        Ok(read)
    }
}
