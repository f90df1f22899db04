//! Derivatives of gradients, which are not available: they are refused, never 0.

use super::scratch::Scratch;
use crate::error::Error;
use crate::graph::{Graph, Handle, flag};
use crate::op::Op;

impl Scratch {
    /// Whether `root` was computed from a gradient that may depend on one of these sources: one that was
    /// there before it.
    pub(super) fn needs_second_order(
        &mut self,
        graph: &Graph,
        root: u32,
        sources: &[u32],
    ) -> Result<bool, Error> {
        let Some(first) = sources.iter().map(|&source| graph.made_at(source)).min() else {
            return Ok(false);
        };
        let is_gradient = |node: u32| graph.nodes[node as usize].flags & flag::GRADIENT != 0;
        if !is_gradient(root) {
            return Ok(false);
        }
        let mut found = false;
        self.set.grow(graph.len())?;
        self.set.insert(root);
        while let Some(node) = self.set.take_last() {
            let row = &graph.nodes[node as usize];
            found |= row.gradient_since().is_some_and(|since| since > first);
            if found || node < first {
                continue; // what is below is older
            }
            row.references(&graph.lists).for_each(|input| {
                if is_gradient(input) {
                    self.set.insert(input);
                }
            });
        }
        Ok(found)
    }
}

impl Graph {
    /// Whether `root` depends on a leaf, a watched constant, an alias or a gradient that is not among
    /// `sources`: then so do its gradients. An alias among them stands for what it was made from.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn depends_on_others(
        &self,
        root: Handle,
        sources: &[Handle],
        scratch: &mut Scratch,
    ) -> Result<bool, Error> {
        let mut sources: Vec<_> = sources.iter().map(|&source| self.node(source)).collect();
        sources.sort_unstable();
        self.depends_on_any(root, scratch, |node| sources.binary_search(&node).is_err())
    }

    /// Whether `root` depends on a leaf, a watched constant, an alias or a gradient that is no newer than `newest`,
    /// however often a leaf was assigned a value since.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn depends_on_older(
        &self,
        root: Handle,
        newest: Handle,
        scratch: &mut Scratch,
    ) -> Result<bool, Error> {
        let newest = self.made_at(self.node(newest));
        self.depends_on_any(root, scratch, |node| self.made_at(node) <= newest)
    }

    /// Whether `root` depends on a leaf, a watched constant, an alias or a gradient that was there before this
    /// time, or is no newer than `newest`, which was the newest node of its arena then. Of a node in rows that
    /// were taken in, that is so unless it must be newer.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn depends_on_older_than(
        &self,
        root: Handle,
        newest: Option<Handle>,
        time: u64,
        scratch: &mut Scratch,
    ) -> Result<bool, Error> {
        let newest = newest.map(|newest| self.made_at(self.node(newest)));
        let newest = newest.map(|newest| (newest, self.eras.of(newest)));
        self.depends_on_any(root, scratch, |node| {
            let node = self.made_at(node);
            let era = self.eras.of(node);
            match newest {
                Some((newest, same)) if same == era => node <= newest,
                _ => self.eras.began(era) < time,
            }
        })
    }

    /// Whether `root` depends on an argument of a call that lasts, of any thread, as
    /// [`set_argument`](Self::set_argument) says.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn depends_on_argument(&self, root: Handle, scratch: &mut Scratch) -> Result<bool, Error> {
        self.depends_on_any(root, scratch, |node| {
            self.nodes[self.held_version(node) as usize].flags & flag::ARGUMENT != 0
        })
    }

    /// Whether `root` depends on something that gradients may be asked for and that is asked about.
    fn depends_on_any(
        &self,
        root: Handle,
        scratch: &mut Scratch,
        is_asked_about: impl Fn(u32) -> bool,
    ) -> Result<bool, Error> {
        let set = &mut scratch.set;
        let mut found = false;
        set.grow(self.len())?;
        set.insert(self.node(root));
        while let Some(node) = set.take_last() {
            let row = &self.nodes[node as usize];
            // Nobody can ask for what nobody holds, as a leaf that was made for a function and is done with.
            let is_leaf = (row.has_leaf() || row.is_source_alias()) && self.is_held(node);
            let is_source = is_leaf || row.op == Op::Constant;
            let may_be_asked = is_source && row.flags & (flag::NEEDS_GRAD | flag::GRADIENT) != 0;
            found |= may_be_asked && is_asked_about(node);
            if !found {
                row.references(&self.lists).for_each(|input| {
                    if self.nodes[input as usize].flags & (flag::NEEDS_GRAD | flag::GRADIENT) != 0 {
                        set.insert(input);
                    }
                });
            }
        }
        Ok(found)
    }
}
