//! The first walk: what the roots reach.

use super::rows::{Row, Rows};
use crate::error::Error;
use crate::graph::Graph;
use crate::node_set::NodeSet;
use crate::room;

/// As in the first-order sweep, a set holds blocks of 32 nodes.
const BLOCK_BITS: u32 = 5;

impl<const K: usize> Rows<K> {
    /// Lists the nodes through which the roots depend on anything from the first source on.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is no room for their rows.
    pub(super) fn reach(
        &mut self,
        graph: &Graph,
        roots: &[u32],
        sources: &[u32],
        set: &mut NodeSet,
    ) -> Result<(), Error> {
        let first = sources.iter().map(|&source| graph.made_at(source)).min().unwrap_or(u32::MAX);
        let nodes = graph.len();
        room::grow(&mut self.rows, nodes, Row::NEW)?;
        room::grow(&mut self.seen, nodes, 0)?;
        self.reached.clear();
        room::reserve_exact(&mut self.reached, nodes)?;
        set.grow(nodes)?;
        self.walk = self.next();
        let (walk, seen, rows) = (self.walk, &mut self.seen[..nodes], &graph.nodes[..nodes]);
        for &root in roots {
            if root >= first && (rows[root as usize].needs_grad() || sources.contains(&root)) {
                seen[root as usize] = walk;
                set.insert(root >> BLOCK_BITS);
            }
        }
        while let Some(block) = set.last() {
            let start = (block << BLOCK_BITS) as usize;
            let end = nodes.min(start + (1 << BLOCK_BITS));
            for index in (start..end).rev() {
                if seen[index] != walk {
                    continue;
                }
                self.reached.push(index as u32);
                rows[index].operands(&graph.lists).for_each(|input| {
                    let i = input as usize;
                    if seen[i] != walk && rows[i].needs_grad() && input >= first {
                        seen[i] = walk;
                        if input >> BLOCK_BITS != block {
                            set.insert(input >> BLOCK_BITS);
                        }
                    }
                });
            }
            set.remove(block);
        }
        Ok(())
    }
}
