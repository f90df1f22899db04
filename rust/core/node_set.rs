//! A set of node indices that yields its largest member.
//!
//! Backward visits nodes in reverse of recording and discovers them on the way, so it needs a
//! priority queue of indices. A bitmap with two summary levels is one whose order comes for free:
//! bit `i` of a summary word says that word `i` of the level below is not zero. Insertion touches a
//! summary only when a word leaves zero, and a dense subgraph is read off word by word. The cost of
//! emptying the set is proportional to what was in it; only the topmost level, one word per
//! 262,144 indices, is scanned.

#[derive(Default, Debug)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
    summary: Vec<u64>,
    top: Vec<u64>,
}

impl NodeSet {
    /// Makes room for indices below `capacity`.
    pub(crate) fn grow(&mut self, capacity: usize) {
        if self.words.len() * 64 < capacity {
            self.words.resize(capacity.div_ceil(64), 0);
            self.summary.resize(self.words.len().div_ceil(64), 0);
            self.top.resize(self.summary.len().div_ceil(64), 0);
        }
    }

    /// Adds `index`, which must be below the capacity.
    #[inline(always)]
    pub(crate) fn insert(&mut self, index: u32) {
        let word = (index >> 6) as usize;
        let before = self.words[word];
        self.words[word] = before | 1 << (index & 63);
        if before == 0 {
            self.raise(word);
        }
    }

    #[inline]
    fn raise(&mut self, word: usize) {
        let before = self.summary[word >> 6];
        self.summary[word >> 6] = before | 1 << (word & 63);
        if before == 0 {
            self.top[word >> 12] |= 1 << ((word >> 6) & 63);
        }
    }

    /// The word that holds the largest member, or `None` if the set is empty.
    #[inline]
    pub(crate) fn last_word(&self) -> Option<usize> {
        let t = self.top.iter().rposition(|&w| w != 0)?;
        let s = t << 6 | self.top[t].ilog2() as usize;
        Some(s << 6 | self.summary[s].ilog2() as usize)
    }

    /// Removes and returns the largest member of `word`. The last one also clears the summaries.
    ///
    /// Members added meanwhile must be smaller than the last one taken, so that the word stays the
    /// last of the set until it is empty.
    #[inline(always)]
    pub(crate) fn take_from(&mut self, word: usize) -> Option<u32> {
        let bits = self.words[word];
        if bits == 0 {
            self.lower(word);
            return None;
        }
        let bit = bits.ilog2();
        self.words[word] = bits & !(1 << bit);
        Some((word as u32) << 6 | bit)
    }

    #[inline]
    fn lower(&mut self, word: usize) {
        self.summary[word >> 6] &= !(1 << (word & 63));
        if self.summary[word >> 6] == 0 {
            self.top[word >> 12] &= !(1 << ((word >> 6) & 63));
        }
    }
}

/// Visits the members of `$set` from the largest down, while the body may insert smaller ones.
macro_rules! for_each_descending {
    ($owner:expr, $set:ident, |$node:ident| $body:block) => {
        while let Some(word) = $owner.$set.last_word() {
            while let Some($node) = $owner.$set.take_from(word) $body
        }
    };
}
pub(crate) use for_each_descending;

#[cfg(test)]
mod tests {
    use super::*;

    struct Holder {
        set: NodeSet,
    }

    #[test]
    fn yields_members_in_descending_order_with_insertions_on_the_way() {
        let mut holder = Holder { set: NodeSet::default() };
        holder.set.grow(1 << 20);
        for i in [0, 63, 64, 4095, 4096, 300_000, (1 << 20) - 1] {
            holder.set.insert(i);
        }
        let mut seen = vec![];
        for_each_descending!(holder, set, |node| {
            if node == 300_000 {
                holder.set.insert(299_999);
                holder.set.insert(5);
            }
            seen.push(node);
        });
        assert_eq!(seen, [(1 << 20) - 1, 300_000, 299_999, 4096, 4095, 64, 63, 5, 0]);
        assert_eq!(holder.set.last_word(), None);
        assert!(holder.set.summary.iter().chain(&holder.set.top).all(|&w| w == 0));
    }
}
