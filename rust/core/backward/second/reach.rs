//! The first walk: what the roots reach.

use super::rows::{Row, Rows, flag};
use crate::graph::Graph;
use crate::node_set::NodeSet;

/// As in the first-order sweep, a set holds blocks of 32 nodes.
const BLOCK_BITS: u32 = 5;

impl<const K: usize> Rows<K> {
    /// Lists the nodes through which the roots depend on anything from the first source on.
    pub(super) fn reach(&mut self, graph: &Graph, roots: &[u32], sources: &[u32], set: &mut NodeSet) {
        debug_assert!(self.reached.is_empty());
        let first = sources.iter().copied().min().unwrap_or(u32::MAX);
        if self.rows.len() < graph.len() {
            self.rows.resize(graph.len(), Row::NEW);
        }
        for &root in roots {
            if root >= first && (graph.nodes[root as usize].needs_grad() || sources.contains(&root)) {
                self.rows[root as usize] = Row { mark: flag::SEEN, ..Row::NEW };
                set.insert(root >> BLOCK_BITS);
            }
        }
        while let Some(block) = set.last() {
            let start = (block << BLOCK_BITS) as usize;
            let end = graph.len().min(start + (1 << BLOCK_BITS));
            for index in (start..end).rev() {
                if self.rows[index].mark & flag::SEEN == 0 {
                    continue;
                }
                self.reached.push(index as u32);
                graph.nodes[index].operands(&graph.lists).for_each(|input| {
                    let row = &mut self.rows[input as usize];
                    if row.mark & flag::SEEN == 0
                        && input >= first
                        && graph.nodes[input as usize].needs_grad()
                    {
                        *row = Row { mark: flag::SEEN, ..Row::NEW };
                        if input >> BLOCK_BITS != block {
                            set.insert(input >> BLOCK_BITS);
                        }
                    }
                });
            }
            set.remove(block);
        }
    }
}
