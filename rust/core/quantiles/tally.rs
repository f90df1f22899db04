//! Distances counted in bulk, many lanes at a time: buckets by turn, in a window around the first values.

use super::buckets::{ALL_BUCKETS, BUCKETS, key};
use super::summary::Summary;

/// How many counts a bucket has in bulk, used in turn: a count that has just been written to makes the next read
/// of it wait.
const TURNS: usize = 4;

/// The buckets that are counted in turns are those of so many exponents, around those of the first values; the
/// table of all would take longer to clear than many a batch to run. A power of two: a bucket stands where its lower
/// bits say, wherever the window begins.
const WINDOW: usize = 64 * BUCKETS;
/// Of them, above the greatest of the first values.
const ABOVE: usize = 8 * BUCKETS;

/// The counts of a window by turn, which take half as much of the cache as wider ones.
type Window = Box<[[u32; WINDOW]; TURNS]>;

/// Distances counted in bulk, many lanes at a time.
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) summary: Summary,
    /// The buckets from `start` on; none before the first values.
    window: Option<Window>,
    start: usize,
    /// How many values are counted there.
    in_window: u64,
    /// The others, as soon as there are any, and what the window could not hold any more.
    others: Vec<u64>,
    /// Of the decisions, how many were near a pole, and how many saturated.
    pub near: u64,
    pub saturating: u64,
}

/// How many values of a window are counted in a bucket.
fn in_turns(window: &Window, key: usize) -> u64 {
    window.iter().map(|counts| u64::from(counts[key % WINDOW])).sum()
}

/// Changes the counts of values, in one turn after the other.
#[inline(always)]
fn count_in_turns(window: &mut Window, values: &[f64], change: impl Fn(u32) -> u32) {
    for (number, &value) in values.iter().enumerate() {
        let count = &mut window[number % TURNS][key(value) % WINDOW];
        *count = change(*count);
    }
}

/// How many values are taken in side by side.
const TOGETHER: usize = 32;

impl Tally {
    /// Takes in the magnitudes of finite values; those up to `delta` are near a pole.
    #[inline(always)]
    pub fn add(&mut self, values: &[f64], delta: f64) {
        if self.window.is_none() || self.in_window + values.len() as u64 > u64::from(u32::MAX) {
            self.open_window(values);
        }
        let Some(window) = &mut self.window else { return };
        let (mut least, mut greatest) = ([f64::INFINITY; TOGETHER], [0.0; TOGETHER]);
        let (mut sum, mut near) = ([0.0; TOGETHER], [0; TOGETHER]);
        let (chunks, rest) = values.as_chunks::<TOGETHER>();
        // Vectors and counts in one loop: they wait for different units of the processor.
        for chunk in chunks {
            for side in 0..TOGETHER {
                let d: f64 = chunk[side].abs();
                least[side] = if d < least[side] { d } else { least[side] };
                greatest[side] = if d > greatest[side] { d } else { greatest[side] };
                sum[side] += d;
                near[side] += u64::from(d <= delta);
            }
            for values in chunk.as_chunks::<{ 2 * TURNS }>().0 {
                count_in_turns(window, values, |count| count.wrapping_add(1));
            }
        }
        count_in_turns(window, rest, |count| count.wrapping_add(1));
        let rest = || rest.iter().map(|value| value.abs());
        let least = rest().chain(least).fold(f64::INFINITY, f64::min);
        let greatest = rest().chain(greatest).fold(0.0, f64::max);
        let near: u64 = rest().map(|d| u64::from(d <= delta)).chain(near).sum();
        let total: f64 = rest().chain(sum).sum();
        if key(least) < self.start || key(greatest) >= self.start + WINDOW {
            self.count_outside(values);
        }
        self.in_window += values.len() as u64;
        self.near += near;
        self.summary.widen(least, greatest);
        if total.is_finite() {
            self.summary.sum.add(total);
        } else {
            values.iter().for_each(|value| self.summary.sum.add(value.abs()));
        }
        self.summary.count += values.len() as u64;
    }

    /// Places the window around the first values, or empties it.
    #[cold]
    fn open_window(&mut self, values: &[f64]) {
        match self.window.take() {
            None => {
                let max = values.iter().fold(0.0, |max: f64, value| max.max(value.abs()));
                self.start = (key(max) + ABOVE).saturating_sub(WINDOW);
            }
            Some(full) => {
                for key in self.start..self.start + WINDOW {
                    let count = in_turns(&full, key);
                    if count > 0 {
                        self.count_others(key, count);
                    }
                }
            }
        }
        let window = vec![[0; WINDOW]; TURNS].into_boxed_slice();
        self.window = Box::<[_; TURNS]>::try_from(window).ok();
        self.in_window = 0;
    }

    /// Counts values anew that were counted in the window, since some do not belong there.
    #[cold]
    fn count_outside(&mut self, values: &[f64]) {
        let Some(mut window) = self.window.take() else { return };
        for values in values.chunks(TOGETHER) {
            count_in_turns(&mut window, values, |count| count.wrapping_sub(1));
        }
        for &value in values {
            let key = key(value);
            if (self.start..self.start + WINDOW).contains(&key) {
                window[0][key % WINDOW] += 1;
            } else {
                self.count_others(key, 1);
            }
        }
        self.window = Some(window);
    }

    fn count_others(&mut self, key: usize, count: u64) {
        if self.others.is_empty() {
            self.others = vec![0; ALL_BUCKETS];
        }
        self.others[key] += count;
    }

    /// How many values are in a bucket.
    pub(super) fn in_bucket(&self, key: usize) -> u64 {
        let is_inside = (self.start..self.start + WINDOW).contains(&key);
        let in_turns = self.window.as_ref().filter(|_| is_inside).map_or(0, |window| in_turns(window, key));
        in_turns + self.others.get(key).copied().unwrap_or(0)
    }

    pub fn count(&self) -> u64 {
        self.summary.count
    }

    pub fn min(&self) -> Option<f64> {
        self.summary.least()
    }
}
