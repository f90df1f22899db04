//! Rows: results that lie side by side for each sample are turned in registers, as many columns as a vector has
//! lanes at a time, and go straight to the caller's array.

use super::lanes::{Lanes, Rows, Shuffle};
use super::steps::{Id, Steps};
use std::ops::Range;

/// Columns of an array that are turned to rows together.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub rows: Rows,
    /// The first column's place in a row.
    pub first: u32,
    pub columns: Vec<Id>,
    /// Whether zeros are stored as +0.
    pub is_positive: bool,
}

/// Which columns are turned together, with vectors of so many lanes. Where those that are left are few, some that
/// were turned already are once more: a whole vector takes less time than its parts.
pub(crate) fn groups(width: usize, lanes: usize) -> Vec<Range<usize>> {
    let (mut groups, mut done) = (vec![], 0);
    while done < width {
        let size = match width - done {
            5.. if width >= lanes => lanes,
            3.. if width >= 4 => 4,
            2.. => 2,
            _ => 1,
        };
        let first = done.min(width - size);
        groups.push(first..first + size);
        done = first + size;
    }
    groups
}

impl Steps {
    /// Stores a group of columns into rows, from vectors of so many lanes.
    pub fn store_rows(&mut self, group: &Group, lanes: usize) {
        let mut columns = group.columns.clone();
        if group.is_positive {
            let zero = self.constant(0.0);
            columns.iter_mut().for_each(|column| *column = self.add(*column, zero));
        }
        let (rows, first) = (group.rows, group.first);
        let store = |steps: &mut Self, row: usize, column: usize, lanes: Lanes, a: Id| {
            steps.store_in_row(rows, row as u8, first + column as u32, lanes, a);
        };
        if let &[column] = &columns[..] {
            for pair in 0..lanes / 2 {
                let a = match pair {
                    0 => column,
                    _ => self.shuffle(Shuffle::Pair(pair as u8), [column; 2]),
                };
                store(self, 2 * pair, 0, Lanes::First, a);
                store(self, 2 * pair + 1, 0, Lanes::Second, a);
            }
            return;
        }
        // Side by side the columns of samples with even numbers, and with odd ones.
        let both = [Shuffle::Firsts, Shuffle::Seconds];
        let [even, odd] = both.map(|kind| -> Vec<Id> {
            columns.as_chunks().0.iter().map(|&pair| self.shuffle(kind, pair)).collect()
        });
        match (columns.len(), &even[..], &odd[..]) {
            (2, &[even], &[odd]) => {
                for pair in 0..lanes / 2 {
                    store(self, 2 * pair, 0, Lanes::Pair(pair as u8), even);
                    store(self, 2 * pair + 1, 0, Lanes::Pair(pair as u8), odd);
                }
            }
            (4, &[even_0, even_1], &[odd_0, odd_1]) if lanes == 8 => {
                // Two samples side by side.
                for (pair, a) in self.turned([even_0, even_1, odd_0, odd_1]).into_iter().enumerate() {
                    if rows.width == 4 {
                        store(self, 2 * pair, 0, Lanes::All, a);
                        continue;
                    }
                    store(self, 2 * pair, 0, Lanes::Half(0), a);
                    store(self, 2 * pair + 1, 0, Lanes::Half(1), a);
                }
            }
            (4, &[even_0, even_1], &[odd_0, odd_1]) => {
                for (odd, pairs) in [[even_0, even_1], [odd_0, odd_1]].into_iter().enumerate() {
                    for (pair, kind) in [Shuffle::EvenPairs, Shuffle::OddPairs].into_iter().enumerate() {
                        let a = self.shuffle(kind, pairs);
                        store(self, 2 * pair + odd, 0, Lanes::All, a);
                    }
                }
            }
            _ => {
                for (odd, pairs) in [even, odd].into_iter().enumerate() {
                    let [a, b, c, d] = pairs[..] else { unreachable!("a group has 1, 2, 4 or 8 columns") };
                    for (pair, a) in self.turned([a, b, c, d]).into_iter().enumerate() {
                        store(self, 2 * pair + odd, 0, Lanes::All, a);
                    }
                }
            }
        }
    }

    /// From four vectors of four pairs those of all first pairs, of all second ones, and so on.
    fn turned(&mut self, [a, b, c, d]: [Id; 4]) -> [Id; 4] {
        let [even, odd] = [Shuffle::EvenPairs, Shuffle::OddPairs]
            .map(|kind| [[a, b], [c, d]].map(|pair| self.shuffle(kind, pair)));
        let kinds = [(even, Shuffle::EvenPairs), (odd, Shuffle::EvenPairs), (even, Shuffle::OddPairs)];
        let [first, second, third] = kinds.map(|(pair, kind)| self.shuffle(kind, pair));
        [first, second, third, self.shuffle(Shuffle::OddPairs, odd)]
    }
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_cover_all_columns_and_nothing_else() {
        for lanes in [4, 8] {
            for width in 1..70 {
                let groups = groups(width, lanes);
                let mut done = 0;
                for group in &groups {
                    assert!(group.start <= done && group.end > done && group.end <= width);
                    assert!([1, 2, 4, lanes].contains(&group.len()));
                    done = group.end;
                }
                assert_eq!(done, width);
            }
        }
    }
}
