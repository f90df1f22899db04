//! Sums over the samples in one fixed tree.
//!
//! Sample `i` belongs to lane `i mod 32` of task `i div 8192`. A lane adds up in order; the lanes of
//! a task are added in halves (lane k and lane k + 16, then k and k + 8, …); the tasks' sums are the
//! leaves of a binary tree over the tasks' numbers. So the sum depends on the samples alone. Where a
//! sample contributes nothing, −0 stands, the number that changes no sum.

use super::slots::{LANES, Line};
use std::collections::BTreeMap;
use std::ops::Range;

/// How many samples a task has.
pub(crate) const TASK: usize = 8192;

/// The number that changes no sum, zeros of both signs included.
pub(crate) const NOTHING: f64 = -0.0;

/// Adds two sums of the same number: 0 is that of the values. A gradient that overflowed stays
/// infinite, so that none is ever Φ; values follow the table of transreal addition.
fn sum_of(number: usize, a: f64, b: f64) -> f64 {
    if number > 0 && a.is_infinite() { a } else { a + b }
}

/// Adds the lanes of a task.
pub(crate) fn add_lanes(number: usize, mut lanes: Line) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = sum_of(number, lanes[lane], lanes[lane + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Sums that grow together, such as those of all gradients.
pub(crate) type Sums = Vec<f64>;

/// The tree over the tasks. A pair of neighbours is added as soon as both are there, so that few of
/// them wait at any time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// By level and place in it.
    waiting: BTreeMap<(u32, usize), Sums>,
}

impl Tree {
    /// Adds the sums of a task.
    pub fn add(&mut self, task: usize, sums: Sums) {
        self.place(0, task, sums);
    }

    /// Adds what waits in another tree, of other tasks.
    pub fn merge(&mut self, other: Self) {
        other.waiting.into_iter().for_each(|((level, place), sums)| self.place(level, place, sums));
    }

    /// The sums that wait, in the order of the tasks. Those of tasks in a row say by themselves where
    /// they stand, see [`places`].
    pub fn waiting(&self) -> Vec<&Sums> {
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_by_key(|((level, place), _)| place << level);
        waiting.into_iter().map(|(_, sums)| sums).collect()
    }

    /// A tree in which these sums wait, of tasks in a row.
    pub fn of_waiting(tasks: Range<usize>, sums: impl IntoIterator<Item = Sums>) -> Self {
        Self { waiting: places(tasks).into_iter().zip(sums).collect() }
    }

    fn place(&mut self, mut level: u32, mut place: usize, mut sums: Sums) {
        while let Some(neighbour) = self.waiting.remove(&(level, place ^ 1)) {
            sums = if place & 1 == 1 { joined(neighbour, &sums) } else { joined(sums, &neighbour) };
            (level, place) = (level + 1, place / 2);
        }
        self.waiting.insert((level, place), sums);
    }

    /// The sums over all tasks; `None` if there were none.
    pub fn finish(mut self) -> Option<Sums> {
        while self.waiting.len() > 1 {
            // The lowest one has no neighbour: it stands for its pair.
            if let Some(((level, place), sums)) = self.waiting.pop_first() {
                self.place(level + 1, place / 2, sums);
            }
        }
        self.waiting.pop_first().map(|(_, sums)| sums)
    }
}

/// Where the sums of tasks in a row wait: the fewest subtrees that hold just these.
pub(crate) fn places(tasks: Range<usize>) -> Vec<(u32, usize)> {
    let mut places = vec![];
    let mut first = tasks.start;
    while first < tasks.end {
        let level = (tasks.end - first).ilog2().min(first.trailing_zeros());
        places.push((level, first >> level));
        first += 1 << level;
    }
    places
}

fn joined(mut left: Sums, right: &Sums) -> Sums {
    for (number, (a, &b)) in left.iter_mut().zip(right).enumerate() {
        *a = sum_of(number, *a, b);
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        for tasks in 1..40 {
            let sums = |task: usize| vec![1.0 / (task as f64 + 3.0), 1e16 / (task as f64 - 3.5)];
            let in_order = |order: &mut dyn Iterator<Item = usize>| {
                let mut tree = Tree::default();
                order.for_each(|task| tree.add(task, sums(task)));
                tree.finish()
            };
            let forward = in_order(&mut (0..tasks));
            assert_eq!(forward, in_order(&mut (0..tasks).rev()));
            let odd_ones_first = (0..tasks).filter(|k| k % 2 == 1).chain((0..tasks).step_by(2));
            assert_eq!(forward, in_order(&mut odd_ones_first.into_iter()));
        }
    }

    #[test]
    fn what_waits_is_the_fewest_subtrees() {
        for (first, end) in (0..20).flat_map(|first| (first..40).map(move |end| (first, end))) {
            let mut tree = Tree::default();
            (first..end).rev().for_each(|task| tree.add(task, vec![task as f64]));
            assert_eq!(
                tree.waiting.keys().copied().collect::<std::collections::BTreeSet<_>>(),
                places(first..end).into_iter().collect()
            );
            let sums: Vec<_> = tree.waiting().into_iter().cloned().collect();
            assert_eq!(Tree::of_waiting(first..end, sums).waiting, tree.waiting);
        }
    }

    #[test]
    fn trees_of_parts_merge_to_the_tree_of_all() {
        let sums = |task: usize| vec![1.0 / (task as f64 + 3.0), 1e16 / (task as f64 - 3.5)];
        let tree = |tasks: Range<usize>| {
            let mut tree = Tree::default();
            tasks.for_each(|task| tree.add(task, sums(task)));
            tree
        };
        for (cut, end) in (0..30).flat_map(|end| (0..=end).map(move |cut| (cut, end))) {
            let mut merged = tree(cut..end);
            merged.merge(tree(0..cut));
            assert_eq!(merged.waiting, tree(0..end).waiting);
            assert_eq!(merged.finish(), tree(0..end).finish());
        }
    }

    #[test]
    fn lanes_are_added_in_halves() {
        let mut lanes = [NOTHING; LANES];
        (lanes[0], lanes[16], lanes[8]) = (1e16, 1.0, -1e16);
        assert_eq!(add_lanes(0, lanes), (1e16 + 1.0) - 1e16);
        assert!(add_lanes(0, [NOTHING; LANES]).is_sign_negative());
        (lanes[0], lanes[16]) = (f64::INFINITY, f64::NEG_INFINITY);
        assert!(add_lanes(0, lanes).is_nan());
        assert_eq!(add_lanes(1, lanes), f64::INFINITY);
    }
}
