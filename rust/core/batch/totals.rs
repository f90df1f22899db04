//! Sums over the samples in one fixed tree.
//!
//! Sample `i` belongs to lane `i mod 32` of task `i div 8192`. A lane adds up in order; the lanes of
//! a task are added in halves (lane k and lane k + 16, then k and k + 8, …); the tasks' sums are the
//! leaves of a binary tree over the tasks' numbers. So the sum depends on the samples alone. Where a
//! sample contributes nothing, −0 stands, the number that changes no sum.

use super::slots::{LANES, Line};
use std::collections::BTreeMap;

/// How many samples a task has.
pub(super) const TASK: usize = 8192;

/// The number that changes no sum, zeros of both signs included.
pub(super) const NOTHING: f64 = -0.0;

/// Adds the lanes of a task.
pub(super) fn add_lanes(mut lanes: Line) -> f64 {
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
        half /= 2;
    }
    lanes[0]
}

/// Sums that grow together, such as those of all gradients.
pub(super) type Sums = Vec<f64>;

/// The tree over the tasks. A pair of neighbours is added as soon as both are there, so that few of
/// them wait at any time.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// By level and place in it.
    waiting: BTreeMap<(u32, usize), Sums>,
}

impl Tree {
    /// Adds the sums of a task.
    pub fn add(&mut self, task: usize, sums: Sums) {
        self.place(0, task, sums);
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

/// A sum that overflowed stays infinite, so that no gradient is ever Φ.
fn joined(mut left: Sums, right: &Sums) -> Sums {
    for (a, b) in left.iter_mut().zip(right) {
        if a.is_finite() {
            *a += b;
        }
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
            assert_eq!(
                forward,
                in_order(
                    &mut (0..tasks)
                        .map(|k| k * 7 % tasks)
                        .collect::<std::collections::BTreeSet<_>>()
                        .into_iter()
                        .chain((0..tasks).filter(|k| !(0..tasks).any(|j| j * 7 % tasks == *k)))
                )
            );
        }
    }

    #[test]
    fn lanes_are_added_in_halves() {
        let mut lanes = [NOTHING; LANES];
        (lanes[0], lanes[16], lanes[8]) = (1e16, 1.0, -1e16);
        assert_eq!(add_lanes(lanes), (1e16 + 1.0) - 1e16);
        assert!(add_lanes([NOTHING; LANES]).is_sign_negative());
    }
}
