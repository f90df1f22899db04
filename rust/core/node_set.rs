//! A set of node indices that yields its largest member.
//!
//! Backward visits nodes in reverse of recording and discovers them on the way, so it needs a
//! priority queue of indices. A bitmap with two summary levels is one whose order comes for free:
//! bit `i` of a summary word says that word `i` of the level below is not zero. Insertion touches a
//! summary only when a word leaves zero, and a dense subgraph is read off word by word. The cost of
//! emptying the set is proportional to what was in it; only the topmost level, one word per
//! 262,144 indices, is scanned.

use crate::error::Error;
use crate::room::grow;

#[derive(Default, Debug)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
    summary: Vec<u64>,
    top: Vec<u64>,
}

impl NodeSet {
    /// Makes room for indices below `capacity`.
    #[inline]
    pub(crate) fn grow(&mut self, capacity: usize) -> Result<(), Error> {
        if self.words.len() * 64 < capacity {
            let words = capacity.div_ceil(64);
            let summary = words.div_ceil(64);
            // The words last, which say how far it reaches.
            grow(&mut self.top, summary.div_ceil(64), 0)?;
            grow(&mut self.summary, summary, 0)?;
            grow(&mut self.words, words, 0)?;
        }
        Ok(())
    }

    /// Takes all members out.
    pub(crate) fn clear(&mut self) {
        while self.take_last().is_some() {}
    }

    /// Adds `index`, which must be below the capacity.
    #[inline(always)]
    pub(crate) fn insert(&mut self, index: u32) {
        let word = (index >> 6) as usize;
        let (before, bit) = (self.words[word], 1 << (index & 63));
        if before & bit == 0 {
            self.words[word] = before | bit;
            if before == 0 {
                self.raise(word);
            }
        }
    }

    /// Inlined, since around a call a sweep has to keep its contributions in memory: 5 % of a backward pass.
    #[inline(always)]
    fn raise(&mut self, word: usize) {
        let before = self.summary[word >> 6];
        self.summary[word >> 6] = before | 1 << (word & 63);
        if before == 0 {
            self.top[word >> 12] |= 1 << ((word >> 6) & 63);
        }
    }

    /// The largest member.
    #[inline]
    pub(crate) fn last(&self) -> Option<u32> {
        let t = self.top.iter().rposition(|&w| w != 0)?;
        let s = t << 6 | self.top[t].ilog2() as usize;
        let w = s << 6 | self.summary[s].ilog2() as usize;
        Some((w as u32) << 6 | self.words[w].ilog2())
    }

    /// Takes a member out.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32) {
        let word = (index >> 6) as usize;
        self.words[word] &= !(1 << (index & 63));
        if self.words[word] == 0 {
            self.summary[word >> 6] &= !(1 << (word & 63));
            if self.summary[word >> 6] == 0 {
                self.top[word >> 12] &= !(1 << ((word >> 6) & 63));
            }
        }
    }

    /// Takes the largest member out.
    pub(crate) fn take_last(&mut self) -> Option<u32> {
        let last = self.last()?;
        self.remove(last);
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yields_members_in_descending_order_with_insertions_on_the_way() {
        let mut set = NodeSet::default();
        set.grow(1 << 20).unwrap();
        for i in [0, 63, 64, 4095, 4096, 300_000, (1 << 20) - 1] {
            set.insert(i);
        }
        let mut seen = vec![];
        while let Some(node) = set.take_last() {
            if node == 300_000 {
                set.insert(299_999);
                set.insert(5);
            }
            seen.push(node);
        }
        assert_eq!(seen, [(1 << 20) - 1, 300_000, 299_999, 4096, 4095, 64, 63, 5, 0]);
        assert!(set.words.iter().chain(&set.summary).chain(&set.top).all(|&w| w == 0));
    }
}
