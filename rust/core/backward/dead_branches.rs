//! What a condition did not choose: its leaves get a gradient of 0, so that what a result depends on never
//! depends on a value. This is a walk of its own after the sweep, and only where there was a choice.

use super::scratch::{Gradient, Scratch};
use crate::adjoints::{ACTIVE, Adjoints, PRESENT};
use crate::error::Error;
use crate::graph::{Graph, flag};
use crate::node_set::NodeSet;
use crate::scalar::TrScalar;
use crate::status::Status;

impl Graph {
    /// Ends a pass: what it did not go on to is unmarked, and the leaves below that have no gradient get 0 if
    /// it succeeded.
    pub(super) fn end_passed(&mut self, scratch: &mut Scratch, succeeded: bool) {
        if let Some(first) = scratch.passed.take() {
            self.zero_dead_leaves(&mut scratch.set, first, succeeded);
        }
    }

    #[cold]
    #[inline(never)]
    fn zero_dead_leaves(&mut self, set: &mut NodeSet, first: u32, succeeded: bool) {
        let wanted = succeeded && self.lacks_gradients();
        let mut passed = Some(first);
        while let Some(node) = passed {
            passed = self.adjoints.rows[node as usize].stop_forwarding();
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

impl NodeSet {
    /// Visits the nodes from `first` on that `root` depends on, also through what was not chosen, in
    /// descending order.
    fn visit_dependencies(
        &mut self,
        graph: &Graph,
        root: u32,
        first: u32,
        mut visit: impl FnMut(u32),
    ) -> Result<(), Error> {
        self.grow(graph.len())?;
        self.insert(root);
        while let Some(node) = self.take_last() {
            if node < first {
                continue; // and neither is any operand of it
            }
            visit(node);
            graph.nodes[node as usize].references(&graph.lists).for_each(|input| {
                if graph.nodes[input as usize].needs_grad() {
                    self.insert(input);
                }
            });
        }
        Ok(())
    }
}

impl Scratch {
    /// Whether `root` depends on a source, also through what was not chosen. All versions of a leaf are one.
    pub(super) fn depends(&mut self, graph: &Graph, root: u32, source: u32) -> Result<bool, Error> {
        let source = graph.oldest_version(source);
        let mut found = false;
        self.set.visit_dependencies(graph, root, source, |node| {
            found |= graph.oldest_version(node) == source;
        })?;
        Ok(found)
    }

    /// Gives a gradient of 0 to the sources that `root` depends on although no gradient flows to them. The
    /// columns hold no marks, and have room for all nodes.
    #[cold]
    pub(super) fn zero_dead_sources(
        &mut self,
        graph: &Graph,
        root: u32,
        sources: &[u32],
        found: &mut [Option<Gradient>],
    ) -> Result<(), Error> {
        let Self { set, adjoints: Adjoints { rows }, .. } = self;
        let place = |source: u32| graph.oldest_version(source) as usize;
        let mut first = root as usize;
        for (&source, found) in sources.iter().zip(&*found) {
            if found.is_none() {
                rows[place(source)].mark = ACTIVE;
                first = first.min(place(source));
            }
        }
        let walked = set.visit_dependencies(graph, root, first as u32, |node| {
            let row = &mut rows[place(node)];
            if row.mark & ACTIVE != 0 {
                row.mark |= PRESENT;
            }
        });
        for (&source, found) in sources.iter().zip(found) {
            if rows[place(source)].mark & PRESENT != 0 {
                found.get_or_insert((TrScalar::from_ieee(0.0), Status::EXACT));
            }
        }
        for &source in sources {
            rows[place(source)].mark = 0;
        }
        walked
    }
}
