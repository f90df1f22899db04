//! Where near-pole decisions happened, in bounded memory.
//!
//! A decision whose op depends on exactly one input is recorded at that input's value. Values are
//! binned, each bin keeps the coordinate closest to the pole, and of the bins the closest are kept:
//! so the record depends on what was seen but not on its order, and records merge.

use crate::wire::{Reader, Unreadable, Writer, expect};
use std::collections::BTreeMap;

const MOST_BINS: usize = 1024;

/// A record of coordinates near poles.
#[derive(Clone, Debug)]
pub struct PoleRecord {
    /// Decisions farther from the pole than this are not recorded.
    threshold: f64,
    /// Coordinates closer together than this are one pole.
    radius: f64,
    /// By bin: the smallest distance seen, and where.
    bins: BTreeMap<i64, (f64, f64)>,
}

/// Whether a distance with its coordinate comes before another: a total order, zeros of both signs
/// included, so that the order in which they were seen does not matter.
fn is_closer((d, x): (f64, f64), (e, y): (f64, f64)) -> bool {
    d.total_cmp(&e).then(x.total_cmp(&y)).is_lt()
}

/// The bin of a coordinate.
fn bin(coordinate: f64, radius: f64) -> i64 {
    let place = coordinate / radius;
    if place.abs() >= (1u64 << 52) as f64 {
        return place as i64; // an integer, or beyond all bins
    }
    // As the floor, which is a call where the processor may have no instruction for it.
    let towards_zero = place as i64;
    towards_zero - i64::from(towards_zero as f64 > place)
}

impl Default for PoleRecord {
    fn default() -> Self {
        Self::new(0.1, 0.05)
    }
}

impl PoleRecord {
    pub fn new(threshold: f64, radius: f64) -> Self {
        Self { threshold, radius, bins: BTreeMap::new() }
    }

    /// A record with the same measures, and nothing in it.
    pub fn empty_like(&self) -> Self {
        Self::new(self.threshold, self.radius)
    }

    /// Records a decision at distance `d` where the input was `coordinate`.
    #[inline]
    pub fn record(&mut self, d: f64, coordinate: f64) {
        if d <= self.threshold {
            self.insert(bin(coordinate, self.radius), (d, coordinate));
        }
    }

    /// Adds what another record has seen, whose measures may be others.
    pub fn merge(&mut self, other: &Self) {
        other.bins.values().for_each(|&(d, coordinate)| self.record(d, coordinate));
    }

    /// The distance up to which decisions are recorded, and that of coordinates of one pole.
    pub fn measures(&self) -> (f64, f64) {
        (self.threshold, self.radius)
    }

    /// Writes measures and what was seen.
    pub fn write(&self, to: &mut Writer) {
        to.numbers(&[self.threshold, self.radius]);
        to.count(self.bins.len() as u64);
        self.bins.values().for_each(|&(d, coordinate)| to.numbers(&[d, coordinate]));
    }

    /// Reads what was written.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let mut read = Self::new(from.distance()?, from.distance()?);
        expect(read.radius > 0.0)?;
        for _ in 0..from.length(2 * size_of::<f64>())? {
            let (d, coordinate) = (from.distance()?, from.number()?);
            expect(coordinate.is_finite())?;
            read.record(d, coordinate);
        }
        Ok(read)
    }

    fn insert(&mut self, bin: i64, seen: (f64, f64)) {
        let best = self.bins.entry(bin).or_insert(seen);
        if is_closer(seen, *best) {
            *best = seen;
        }
        // Pruned in bulk, so that a decision costs the same whether the record is full or not.
        if self.bins.len() >= 2 * MOST_BINS {
            self.bins = self.closest().into_iter().map(|(seen, bin)| (bin, seen)).collect();
        }
    }

    /// The bins closest to a pole, closest first. A bin that belongs to them is never pruned after
    /// its closest coordinate was seen, so they do not depend on the order of what was seen.
    fn closest(&self) -> Vec<((f64, f64), i64)> {
        let mut bins: Vec<_> = self.bins.iter().map(|(&bin, &seen)| (seen, bin)).collect();
        bins.sort_by(|((d, x), _), ((e, y), _)| d.total_cmp(e).then(x.total_cmp(y)));
        bins.truncate(MOST_BINS);
        bins
    }

    /// The coordinates closest to a pole, one per neighbourhood, in ascending order.
    pub fn poles(&self) -> Vec<f64> {
        let mut poles: Vec<f64> = vec![];
        for ((_, coordinate), _) in self.closest() {
            if poles.iter().all(|pole| (pole - coordinate).abs() > self.radius) {
                poles.push(coordinate);
            }
        }
        poles.sort_by(f64::total_cmp);
        poles
    }
}

const CELLS: usize = 64;

/// A bin with the closest coordinate seen in it.
type Cell = Option<(i64, (f64, f64))>;

/// Takes in many decisions before they go into a record: those of one bin in a row cost little.
#[derive(Debug)]
pub struct NearPoles {
    record: PoleRecord,
    /// So many, or none until there is a decision.
    cells: Vec<Cell>,
}

impl NearPoles {
    /// For a record with the measures of this one.
    pub fn new(like: &PoleRecord) -> Self {
        Self { record: like.empty_like(), cells: vec![] }
    }

    /// Decisions farther from the pole than this are not recorded.
    #[inline]
    pub fn threshold(&self) -> f64 {
        self.record.threshold
    }

    /// Takes in a decision close to a pole.
    #[inline]
    pub fn record(&mut self, d: f64, coordinate: f64) {
        let bin = bin(coordinate, self.record.radius);
        self.cells.resize(CELLS, None);
        let cell = &mut self.cells[bin as usize % CELLS];
        match cell {
            Some((of, best)) if *of == bin => {
                if is_closer((d, coordinate), *best) {
                    *best = (d, coordinate);
                }
            }
            _ => {
                if let Some((bin, seen)) = cell.replace((bin, (d, coordinate))) {
                    self.record.insert(bin, seen);
                }
            }
        }
    }

    /// Adds all that was taken in to a record.
    pub fn add_to(mut self, record: &mut PoleRecord) {
        for (bin, seen) in self.cells.iter().flatten() {
            self.record.insert(*bin, *seen);
        }
        record.merge(&self.record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pole_per_neighbourhood_at_the_closest_coordinate() {
        let mut record = PoleRecord::default();
        for k in -100..=100 {
            let x = f64::from(k) * 0.01 + 0.003;
            record.record((x - 0.5).abs(), x);
            record.record((x + 0.5).abs(), x);
        }
        let poles = record.poles();
        assert!(poles.iter().any(|p| (p - 0.503).abs() < 1e-9), "{poles:?}");
        assert!(poles.iter().any(|p| (p + 0.497).abs() < 1e-9), "{poles:?}");
        assert!(poles.iter().all(|p| (p.abs() - 0.5).abs() <= 0.1), "{poles:?}");
    }

    #[test]
    fn bins_are_those_of_the_floor() {
        for x in [0.0, -0.0, 0.3, -0.3, 2.0, -2.0, 4.5e15, -4.5e15, 1e300, -1e300, 5e-324, -5e-324] {
            for radius in [1.0, 0.05, 1e-10, 1e10] {
                assert_eq!(bin(x, radius), (x / radius).floor() as i64, "{x} {radius}");
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_the_closest_are_kept() {
        let mut record = PoleRecord::default();
        for k in 0..10_000 {
            record.record(f64::from(k) * 1e-6, f64::from(k));
        }
        assert!(record.bins.len() < 2 * MOST_BINS);
        assert_eq!(record.poles()[0], 0.0);
        assert_eq!(record.poles().len(), MOST_BINS);
    }
}
