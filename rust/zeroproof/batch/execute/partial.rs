//! What some of the samples come to under a total, to be put together with what the others do.
//!
//! The tree of sums depends on the numbers of the samples alone, so it may be cut anywhere between two
//! tasks: what waits in it, a sum for each of a few subtrees, is all that the part has to say.

use super::misfit::Misfit;
use super::part_mode::PartMode;
use super::totals::{NOTHING, TASK, Tree, places};
use crate::batch::Total;
use crate::stats::Statistics;
use crate::status::Status;
use crate::wire::{Reader, Unreadable, Writer, expect};
use std::ops::Range;

/// How a record of a part begins, and the version of its format.
const RECORD: ([u8; 3], u8) = (*b"zpp", 1);

/// The version of this crate: parts of different ones need not have the same bits.
const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// How many samples were left out of a total, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The value is +∞, −∞ or Φ.
    pub by_tag: [u64; 3],
    /// A contribution to the sample's gradient was dropped, whether the value is REAL or not.
    pub incomplete: u64,
}

impl LeftOut {
    /// Adds those of other samples.
    pub(crate) fn add(&mut self, more: Self) {
        self.by_tag.iter_mut().zip(more.by_tag).for_each(|(all, one)| *all += one);
        self.incomplete += more.incomplete;
    }

    /// Notes a value that is not REAL.
    pub(crate) fn note(&mut self, value: f64) {
        let tag = if value.is_nan() { 2 } else { usize::from(value < 0.0) };
        self.by_tag[tag] += 1;
    }
}

/// What samples in a row come to under a total.
#[derive(Clone, Debug)]
pub struct Partial {
    pub(crate) samples: Range<usize>,
    /// Of what was computed: program, shapes and request.
    pub(crate) fingerprint: u128,
    pub(crate) mode: PartMode,
    pub(crate) engine: String,
    pub(crate) tree: Tree,
    /// How many samples have a REAL value.
    pub(crate) kept: u64,
    pub(crate) left_out: LeftOut,
    /// By sum, that of the values first: whether anything was added.
    pub(crate) contributed: Vec<bool>,
    /// Of each derivative that is summed.
    pub(crate) statuses: Vec<Status>,
    pub(crate) statistics: Statistics,
}

/// What a finished [`Partial`] comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The sum or mean of the values that are REAL.
    pub value: f64,
    /// The gradients of the shared arguments, one behind the other.
    pub gradients: Vec<f64>,
    /// How each came about over all samples.
    pub statuses: Vec<Status>,
}

/// The sum or mean of the values, then of each derivative, given the sums over all samples; `zero` is
/// added to the latter.
pub(crate) fn shares(total: Total, kept: u64, sums: &[f64], contributed: &[bool], zero: f64) -> Vec<f64> {
    let share = |sum: f64| if total == Total::Mean { sum / kept as f64 } else { sum };
    let of = |(number, &any): (usize, &bool)| {
        // A sum of nothing is +0, not what changes no sum.
        let whole = if any { sums[number] } else { 0.0 };
        match number {
            0 => share(whole),
            _ if kept > 0 => share(whole + zero),
            // The mean of no values is Φ, but no gradient is.
            _ => 0.0,
        }
    };
    contributed.iter().enumerate().map(of).collect()
}

impl Partial {
    /// What was computed by this version of the engine.
    pub(crate) fn this_engine() -> String {
        ENGINE.into()
    }

    /// The samples.
    pub fn samples(&self) -> Range<usize> {
        self.samples.clone()
    }

    /// What was computed as one number: operations, shapes of arguments and request.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// How many samples have a REAL value.
    pub fn kept(&self) -> u64 {
        self.kept
    }

    /// How many samples were left out.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
    }

    /// What the samples measured.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The gradient mode that it was computed in.
    pub fn mode(&self) -> &PartMode {
        &self.mode
    }

    /// How many sums wait in the tree.
    pub fn waiting(&self) -> usize {
        self.tree.waiting().len()
    }

    /// The tasks that the samples belong to.
    fn tasks(samples: &Range<usize>) -> Range<usize> {
        samples.start / TASK..samples.end.div_ceil(TASK)
    }

    /// Adds a part whose samples come just before or just behind.
    ///
    /// # Errors
    /// [`Misfit`]; the part is then as it was.
    pub fn merge(&mut self, other: Self) -> Result<(), Misfit> {
        if self.engine != other.engine {
            return Err(Misfit::Engine(self.engine.clone(), other.engine));
        }
        let sums = (self.contributed.len(), self.statuses.len());
        if self.fingerprint != other.fingerprint || sums != (other.contributed.len(), other.statuses.len()) {
            return Err(Misfit::Function);
        }
        if self.mode != other.mode {
            return Err(Misfit::Mode(self.mode.to_string(), other.mode.to_string()));
        }
        let (a, b) = (self.samples(), other.samples());
        let comes_first = (a.start, a.end) <= (b.start, b.end);
        let (first, second) = if comes_first { (a, b) } else { (b, a) };
        if second.start < first.end {
            // Without samples it may lie anywhere.
            if !second.is_empty() {
                return Err(Misfit::Overlap(second.start..first.end.min(second.end)));
            }
        } else if !first.end.is_multiple_of(TASK) {
            return Err(Misfit::EndsWithinLeaf { end: first.end, start: second.start });
        } else if second.start > first.end {
            return Err(Misfit::Gap(first.end..second.start));
        }
        self.samples = first.start..first.end.max(second.end);
        self.tree.merge(other.tree);
        self.kept += other.kept;
        self.left_out.add(other.left_out);
        self.contributed.iter_mut().zip(other.contributed).for_each(|(all, one)| *all |= one);
        self.statuses.iter_mut().zip(other.statuses).for_each(|(all, one)| *all |= one);
        self.statistics.merge(&other.statistics);
        Ok(())
    }

    /// What all samples come to: bit for bit what one run over all of them does.
    ///
    /// # Errors
    /// [`Misfit::Beginning`] for a part that does not begin at sample 0.
    pub fn finish(&self, total: Total) -> Result<Finished, Misfit> {
        if self.samples.start > 0 {
            return Err(Misfit::Beginning(self.samples.start));
        }
        let sums = self.tree.clone().finish().unwrap_or_default();
        let mut gradients = shares(total, self.kept, &sums, &self.contributed, NOTHING);
        let value = gradients.remove(0);
        Ok(Finished { value, gradients, statuses: self.statuses.clone() })
    }

    /// As bytes for another process.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Writer::new(RECORD.0, RECORD.1);
        to.bytes(self.engine.as_bytes());
        to.count(self.samples.start as u64);
        to.count(self.samples.len() as u64);
        to.count(self.fingerprint as u64);
        to.count((self.fingerprint >> 64) as u64);
        self.mode.write(&mut to);
        to.count(self.kept);
        self.left_out.by_tag.iter().for_each(|&count| to.count(count));
        to.count(self.left_out.incomplete);
        let flags = self.contributed[1..].iter().zip(&self.statuses);
        to.byte(u8::from(self.contributed[0]));
        let flags: Vec<u8> = flags.map(|(&any, status)| status.bits() << 1 | u8::from(any)).collect();
        to.bytes(&flags);
        self.tree.waiting().into_iter().for_each(|sums| to.numbers(sums));
        self.statistics.write(&mut to);
        to.finish()
    }

    /// That of another process.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut from = Reader::new(bytes, RECORD.0, RECORD.1)?;
        let engine = String::from_utf8(from.bytes()?.to_vec()).map_err(|_| Unreadable::Damaged)?;
        let number = |count: u64| usize::try_from(count).map_err(|_| Unreadable::Damaged);
        let (start, len) = (number(from.count()?)?, number(from.count()?)?);
        let end = start.checked_add(len).filter(|&end| end <= MOST_SAMPLES).ok_or(Unreadable::Damaged)?;
        expect(start.is_multiple_of(TASK))?;
        let fingerprint = u128::from(from.count()?) | u128::from(from.count()?) << 64;
        let mode = PartMode::read(&mut from)?;
        let kept = from.count()?;
        let mut left_out = LeftOut::default();
        for count in &mut left_out.by_tag {
            *count = from.count()?;
        }
        left_out.incomplete = from.count()?;
        let samples = len as u64;
        expect([kept, left_out.incomplete].iter().chain(&left_out.by_tag).all(|&count| count <= samples))?;
        let mut contributed = vec![from.flag()?];
        let mut statuses = vec![];
        for &flags in from.bytes()? {
            expect(flags < 16)?;
            contributed.push(flags & 1 != 0);
            statuses.push(Status::from_bits_truncate(flags >> 1));
        }
        let tasks = Self::tasks(&(start..end));
        let sums = places(tasks.clone())
            .into_iter()
            .map(|_| from.numbers(contributed.len()))
            .collect::<Result<Vec<_>, _>>()?;
        expect(!sums.is_empty() || !contributed.contains(&true))?;
        let tree = Tree::of_waiting(tasks, sums);
        let mut statistics = Statistics::with_settings(mode.settings);
        statistics.merge(&Statistics::read(&mut from)?);
        from.end()?;
        let samples = start..end;
        Ok(Self {
            samples,
            fingerprint,
            mode,
            engine,
            tree,
            kept,
            left_out,
            contributed,
            statuses,
            statistics,
        })
    }
}

/// The most samples that parts have in all: far from where a number of a sample would overflow.
pub const MOST_SAMPLES: usize = 1 << (usize::BITS - 2);
