//! What a condition did not choose: its leaves get a gradient of 0, so that what a result depends on never
//! depends on a value. This is a walk of its own after the sweep, and only where there was a choice.

use super::Scratch;
use crate::adjoints::FORWARDS;
use crate::graph::{Graph, flag};
use crate::scalar::TrScalar;
use crate::status::Status;

impl Graph {
    /// Ends a pass: what it did not go on to is unmarked, and the leaves below that have no gradient get 0.
    pub(super) fn end_passed(&mut self, scratch: &mut Scratch) {
        if !scratch.passed.is_empty() {
            self.zero_dead_leaves(scratch);
        }
    }

    #[cold]
    #[inline(never)]
    fn zero_dead_leaves(&mut self, scratch: &mut Scratch) {
        let Scratch { set, passed, .. } = scratch;
        let wanted = self.lacks_gradients();
        for node in passed.drain(..) {
            self.adjoints.rows[node as usize].mark &= !FORWARDS;
            let row = &self.nodes[node as usize];
            // The pass went on to what was chosen, or passed that by as well.
            if wanted && !row.is_alias() {
                set.insert(node);
            } else if wanted && !row.is_source_alias() {
                set.insert(row.links[1]);
            }
        }
        while let Some(node) = set.take_last() {
            let row = self.nodes[node as usize];
            if row.has_leaf() {
                self.zero_if_none(row.links[0]);
            } else {
                row.references(&self.lists).for_each(|input| {
                    if self.nodes[input as usize].flags & flag::LEARNS != 0 {
                        set.insert(input);
                    }
                });
            }
        }
    }
}

impl Scratch {
    /// The nodes from `first` on that `root` depends on, also through what was not chosen, in descending
    /// order.
    pub(super) fn dependencies(&mut self, graph: &Graph, root: u32, first: u32) -> Vec<u32> {
        let mut found = vec![];
        self.set.grow(graph.len());
        self.set.insert(root);
        while let Some(node) = self.set.take_last() {
            if node < first {
                continue; // and neither is any operand of it
            }
            found.push(node);
            graph.nodes[node as usize].references(&graph.lists).for_each(|input| {
                if graph.nodes[input as usize].needs_grad() {
                    self.set.insert(input);
                }
            });
        }
        found
    }

    /// Gives a gradient of 0 to the sources that `root` depends on although no gradient flows to them.
    #[cold]
    pub(super) fn zero_dead_sources(
        &mut self,
        graph: &Graph,
        root: u32,
        sources: &[u32],
        found: &mut [Option<(TrScalar, Status)>],
    ) {
        let first = sources.iter().copied().min().unwrap_or(root);
        let below = self.dependencies(graph, root, first);
        for (source, found) in sources.iter().zip(found).filter(|(_, found)| found.is_none()) {
            if below.binary_search_by(|node| source.cmp(node)).is_ok() {
                *found = Some((TrScalar::from_ieee(0.0), Status::EXACT));
            }
        }
    }
}
