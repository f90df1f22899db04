//! Quantiles of a stream of distances in bounded memory.
//!
//! The first `EXACT` values are kept as they are, so that the quantiles of an ordinary batch are
//! exact. Beyond that, values are counted in buckets that share an exponent and the six leading
//! bits of the mantissa; a quantile is then within 2⁻⁷ (0.8 %) of the true one. Count and minimum
//! stay exact, and so does the mean but for what is counted in bulk, where it is within a few ulp. Two
//! streams merge into what the joint stream would have given, whatever the order.

mod buckets;
mod summary;
mod tally;

use crate::wire::{Reader, Unreadable, Writer, expect};
use buckets::{ALL_BUCKETS, BUCKETS, key, middle, place};
use summary::Summary;

pub use tally::Tally;

/// How many values are kept exactly.
pub(crate) const EXACT: usize = 1024;

/// Counts of the values of one binary exponent.
type Page = Box<[u64; BUCKETS]>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Quantiles {
    summary: Summary,
    /// The first values, in order of arrival.
    first: Vec<f64>,
    /// By exponent; empty until there are more values than `first` holds.
    pages: Vec<Option<Page>>,
}

impl Quantiles {
    /// Takes in a finite value that is not negative.
    pub fn add(&mut self, value: f64) {
        let value = value.abs(); // −0 is 0
        self.summary.add(value);
        if !self.pages.is_empty() {
            self.tally(value, 1);
        } else if self.first.len() < EXACT {
            self.first.push(value);
        } else {
            self.spill();
            self.tally(value, 1);
        }
    }

    /// Whether the next value is kept as it is.
    pub fn keeps_values(&self) -> bool {
        self.pages.is_empty() && self.first.len() < EXACT
    }

    /// Takes in what was counted in bulk.
    pub fn add_tally(&mut self, tally: &Tally) {
        if tally.summary.count == 0 {
            return;
        }
        if self.pages.is_empty() {
            self.spill();
        }
        for key in key(tally.summary.min)..=key(tally.summary.max) {
            let count = tally.in_bucket(key);
            if count > 0 {
                let page = self.pages[key / BUCKETS].get_or_insert_with(|| Box::new([0; BUCKETS]));
                page[key % BUCKETS] += count;
            }
        }
        self.summary.merge(&tally.summary);
    }

    /// Takes in all that another stream took in.
    pub fn merge(&mut self, other: &Self) {
        if other.summary.count == 0 {
            return;
        }
        if self.pages.is_empty() && other.pages.is_empty() && self.first.len() + other.first.len() <= EXACT {
            self.first.extend(&other.first);
        } else {
            if self.pages.is_empty() {
                self.spill();
            }
            let room = EXACT - self.first.len();
            self.first.extend(other.first.iter().take(room));
            if other.pages.is_empty() {
                other.first.iter().for_each(|&value| self.tally(value, 1));
            }
            for (p, page) in other.pages.iter().enumerate() {
                for (b, &count) in page.iter().flat_map(|page| page.iter().enumerate()) {
                    if count > 0 {
                        self.tally(middle(p, b), count);
                    }
                }
            }
        }
        self.summary.merge(&other.summary);
    }

    /// Writes all that was taken in.
    pub fn write(&self, to: &mut Writer) {
        self.summary.write(to);
        if self.summary.count == 0 {
            return;
        }
        to.count(self.first.len() as u64);
        to.numbers(&self.first);
        let pages = self.pages.iter().enumerate();
        let buckets = pages.flat_map(|(p, page)| {
            let counts = page.iter().flat_map(|page| page.iter().enumerate());
            counts.filter(|(_, count)| **count > 0).map(move |(b, &count)| (p * BUCKETS + b, count))
        });
        let buckets: Vec<_> = buckets.collect();
        to.count(buckets.len() as u64);
        let mut before = 0;
        for (key, count) in buckets {
            to.count((key - before) as u64);
            to.count(count);
            before = key;
        }
    }

    /// Reads what was written.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut read = Self { summary: Summary::read(from)?, ..Self::default() };
        if read.summary.count == 0 {
            return Ok(read);
        }
        let first = from.length(size_of::<f64>())?;
        expect(first <= EXACT)?;
        read.first = (0..first).map(|_| from.distance()).collect::<Result<_, _>>()?;
        let buckets = from.length(2)?;
        if buckets == 0 {
            expect(read.summary.count == first as u64)?;
            return Ok(read);
        }
        read.pages = vec![None; ALL_BUCKETS / BUCKETS];
        let (mut key, mut counted) = (0u64, 0u64);
        for _ in 0..buckets {
            key = key.checked_add(from.count()?).ok_or(Unreadable::Damaged)?;
            let count = from.count()?;
            counted = counted.checked_add(count).ok_or(Unreadable::Damaged)?;
            expect(key < ALL_BUCKETS as u64)?;
            let page = read.pages[key as usize / BUCKETS].get_or_insert_with(|| Box::new([0; BUCKETS]));
            page[key as usize % BUCKETS] += count;
        }
        expect(counted == read.summary.count)?;
        Ok(read)
    }

    /// Begins to count in buckets.
    fn spill(&mut self) {
        self.pages = vec![None; ALL_BUCKETS / BUCKETS];
        for k in 0..self.first.len() {
            self.tally(self.first[k], 1);
        }
    }

    fn tally(&mut self, value: f64, count: u64) {
        let (page, bucket) = place(value);
        self.pages[page].get_or_insert_with(|| Box::new([0; BUCKETS]))[bucket] += count;
    }

    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.summary.count
    }

    /// The first values, in order of arrival.
    pub fn first(&self) -> &[f64] {
        &self.first
    }

    pub fn min(&self) -> Option<f64> {
        self.summary.least()
    }

    pub fn mean(&self) -> Option<f64> {
        self.summary.mean()
    }

    /// The quantiles of the values at these fractions, interpolated as NumPy does.
    pub fn quantiles<const N: usize>(&self, fractions: [f64; N]) -> Option<[f64; N]> {
        self.interpolate(fractions, |ranked, rank| ranked(rank))
    }

    /// The quantiles of the reciprocals `1/value`.
    pub fn reciprocal_quantiles<const N: usize>(&self, fractions: [f64; N]) -> Option<[f64; N]> {
        self.interpolate(fractions, |ranked, rank| 1.0 / ranked(self.summary.count - 1 - rank))
    }

    fn interpolate<const N: usize>(
        &self,
        fractions: [f64; N],
        at: impl Fn(&dyn Fn(u64) -> f64, u64) -> f64,
    ) -> Option<[f64; N]> {
        let last = self.summary.count.checked_sub(1)?;
        let mut sorted = self.first.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let ranked = |rank: u64| match self.pages.is_empty() {
            true => sorted[rank as usize],
            false => self.ranked_in_buckets(rank),
        };
        Some(fractions.map(|fraction| {
            let position = fraction * last as f64;
            let (below, above) = (at(&ranked, position.floor() as u64), at(&ranked, position.ceil() as u64));
            if below == above { below } else { below + (above - below) * position.fract() }
        }))
    }

    /// The value of this rank, from 0, to within half a bucket.
    fn ranked_in_buckets(&self, rank: u64) -> f64 {
        let mut seen = 0;
        for (p, page) in self.pages.iter().enumerate() {
            for (b, &count) in page.iter().flat_map(|page| page.iter().enumerate()) {
                seen += count;
                if seen > rank {
                    return middle(p, b).clamp(self.summary.min, self.summary.max);
                }
            }
        }
        self.summary.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(values: impl IntoIterator<Item = f64>) -> Quantiles {
        let mut q = Quantiles::default();
        values.into_iter().for_each(|v| q.add(v));
        q
    }

    #[test]
    fn small_streams_are_exact() {
        let q = stream([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(q.quantiles([0.0, 0.1, 0.5, 1.0]).unwrap(), [1.0, 1.3, 2.5, 4.0]);
        assert_eq!(q.reciprocal_quantiles([0.0, 1.0]).unwrap(), [0.25, 1.0]);
        assert_eq!(Quantiles::default().quantiles([0.5]), None);
    }

    #[test]
    fn large_streams_are_within_the_stated_error() {
        let values = |n: u64| (1..=n).map(|k| 1e-8 * (k as f64).powi(3));
        let q = stream(values(100_000));
        for fraction in [0.1, 0.5, 0.9] {
            let truth = 1e-8 * (1.0 + fraction * 99_999.0f64).powi(3);
            let [found] = q.quantiles([fraction]).unwrap();
            assert!((found / truth - 1.0).abs() < 1.0 / 128.0, "{fraction}: {found} for {truth}");
        }
        assert_eq!(q.min(), Some(1e-8));
    }

    #[test]
    fn merged_streams_are_the_joint_stream() {
        for (left, right) in [(10, 20), (1000, 1000), (5000, 10), (10, 5000), (3000, 3000)] {
            let value = |k: u32| f64::from(k * 7919 % 10_007) * 1e-3;
            let mut merged = stream((0..left).map(value));
            merged.merge(&stream((left..left + right).map(value)));
            let joint = stream((0..left + right).map(value));
            assert_eq!(merged.quantiles([0.1, 0.5, 0.9]), joint.quantiles([0.1, 0.5, 0.9]));
            assert_eq!(
                (merged.count(), merged.min(), merged.mean()),
                (joint.count(), joint.min(), joint.mean())
            );
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for n in [0, 1, 1024, 1025, 40_000] {
            let q = stream((0..n).map(|k| 1e-9 * f64::from(k * 7919 % 10_007).powi(3)));
            let mut writer = Writer::new(*b"abc", 1);
            q.write(&mut writer);
            let bytes = writer.finish();
            let mut reader = Reader::new(&bytes, *b"abc", 1).unwrap();
            let read = Quantiles::read(&mut reader).unwrap();
            reader.end().unwrap();
            assert_eq!(read.quantiles([0.1, 0.5, 0.9]), q.quantiles([0.1, 0.5, 0.9]));
            assert_eq!((read.count(), read.min(), read.mean()), (q.count(), q.min(), q.mean()));
            assert_eq!((read.summary.max, read.first()), (q.summary.max, q.first()));
            // Whatever is cut off or changed is refused or harmless.
            for place in 4..bytes.len().min(400) {
                let mut other = bytes.clone();
                other[place] ^= 0x41;
                for bytes in [&bytes[..place], &other] {
                    let mut reader = Reader::new(bytes, *b"abc", 1).unwrap();
                    if let Ok(read) = Quantiles::read(&mut reader) {
                        read.quantiles([0.1, 0.9]);
                        read.reciprocal_quantiles([0.5]);
                    }
                }
            }
        }
    }

    /// Distances as they come, and some that are far from the others.
    fn distances(n: usize, far: bool) -> Vec<f64> {
        let distance = |k: usize| match k % 97 {
            5 if far => [0.0, 5e-324, 1e-200, 1e300, -f64::MAX][k % 5],
            _ => ((k * 7919 % 10_007) as f64 * 1e-3 - 4.0).powi(3),
        };
        (0..n).map(distance).collect()
    }

    #[test]
    fn what_is_counted_in_bulk_is_the_stream() {
        for (n, far) in [(32 * 60, false), (32 * 60, true), (32 * 400, false), (32 * 400, true)] {
            let values = distances(n, far);
            let mut tally = Tally::default();
            let (first, rest) = values.split_at(323);
            tally.add(first, 0.5);
            tally.add(rest, 0.5);
            let more = [1e-3, 1e3, 0.25];
            more.iter().for_each(|&value| tally.add(&[value], 0.5));
            let all = values.iter().chain(&more);
            assert_eq!(tally.near, all.clone().filter(|value| value.abs() <= 0.5).count() as u64);
            let (mut bulk, joint) = (Quantiles::default(), stream(all.copied()));
            bulk.add_tally(&tally);
            let of = |stream: &Quantiles| (stream.count(), stream.summary.min, stream.summary.max);
            assert_eq!(of(&bulk), of(&joint));
            let buckets = |q: &Quantiles| -> Vec<u64> {
                q.pages.iter().flat_map(|p| p.as_ref().map_or([0; BUCKETS], |page| **page)).collect()
            };
            assert_eq!(buckets(&bulk), buckets(&joint));
        }
    }

    #[test]
    fn zeros_stay_zeros_in_large_streams() {
        let q = stream((0..3000).map(|k| f64::from(k % 2)));
        assert_eq!(q.quantiles([0.1, 0.9]).unwrap(), [0.0, 1.0]);
        assert_eq!(q.reciprocal_quantiles([0.9]).unwrap(), [f64::INFINITY]);
    }

    #[test]
    fn zeros_have_infinite_reciprocals_and_no_nan() {
        let q = stream([0.0, 0.0, 0.0]);
        assert_eq!(q.reciprocal_quantiles([0.1, 0.9]).unwrap(), [f64::INFINITY; 2]);
        assert_eq!(q.mean(), Some(0.0));
    }
}
