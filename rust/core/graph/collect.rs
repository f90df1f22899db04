//! Reclaiming: nodes that no handle and no live descendant can reach make room for new ones.

use super::eras::place_after;
use super::{Graph, Node, SMALLEST_NURSERY, UNOWNED};
use crate::error::Error;
use crate::node_set::NodeSet;
use crate::op::{Arity, Op};
use crate::room::{self, granted, reserve_exact};

impl Graph {
    #[inline(always)]
    pub(super) fn make_room(&mut self, rows: usize) {
        // Written so that the index check of the row that follows is seen to be the same one.
        if self.len >= self.nodes.len() || (rows > 1 && self.nodes.len() - self.len < rows) {
            self.collect();
        }
    }

    /// Has room for so many rows, 2 at most, and for a handle, so that the next recording takes no
    /// memory: a recording by itself panics if there is none.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then nothing has changed but that dead nodes may have been reclaimed.
    #[inline(always)]
    pub fn reserve(&mut self, rows: usize) -> Result<(), Error> {
        if self.nodes.len() - self.len < rows || self.free_slot == UNOWNED {
            return self.find_room(rows);
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn find_room(&mut self, rows: usize) -> Result<(), Error> {
        if self.nodes.len() - self.len < rows {
            self.try_collect()?;
        }
        if self.free_slot == UNOWNED { self.add_slots() } else { Ok(()) }
    }

    /// [`Graph::reserve`] for a parameter or input.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve_leaf(&mut self) -> Result<(), Error> {
        self.reserve(1)?;
        room::reserve(&mut self.leaves, 1)
    }

    /// [`Graph::reserve`] for a variadic op of so many operands.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve_reduction(&mut self, operands: usize) -> Result<(), Error> {
        if self.lists.len() > self.list_room {
            self.try_collect()?;
        }
        self.reserve(1)?;
        room::reserve(&mut self.lists, operands)
    }

    /// [`Graph::reserve`] for a node to which a gradient is given.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn reserve_gradient(&mut self) -> Result<(), Error> {
        self.reserve(1)?;
        self.adjoints.grow(self.len + 1)?;
        self.adjoints.truncate(self.len);
        Ok(())
    }

    /// Reclaims every node that no handle and no live descendant can reach.
    #[cold]
    #[inline(never)]
    pub fn collect(&mut self) {
        granted(self.try_collect());
    }

    /// [`Graph::collect`], which takes some memory to find out what is alive, and makes room for nodes.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then all nodes are there, or all live ones.
    pub fn try_collect(&mut self) -> Result<(), Error> {
        let live = self.mark()?;
        if live.len() < self.len {
            room::grow(&mut self.remap, self.len, 0)?;
            self.slide(&live);
        }
        drop(live);
        if self.len >= UNOWNED as usize / 2 {
            return Err(Error::OutOfMemory); // a node has 31 bits
        }
        let wanted = room_for(self.len).max(self.nodes.len() / 2).max(SMALLEST_NURSERY);
        self.set_room(wanted)?;
        self.list_room = room_for(self.lists.len()).max(SMALLEST_NURSERY);
        Ok(())
    }

    /// The live nodes, in descending order.
    fn mark(&mut self) -> Result<Vec<u32>, Error> {
        self.set.grow(self.len)?;
        // The owned nodes are found from the handle slots or from the rows, whichever are fewer: a burst of
        // handles leaves a long table of free handle slots behind.
        if self.slots.len() <= self.len {
            for slot in self.slots.iter().filter(|slot| slot.count > 0) {
                self.set.insert(slot.node);
            }
        } else {
            for (node, row) in self.nodes[..self.len].iter().enumerate() {
                if row.owner != UNOWNED {
                    self.set.insert(node as u32);
                }
            }
        }
        let mut live = vec![];
        while let Some(node) = self.set.take_last() {
            room::push(&mut live, node).inspect_err(|_| self.set.clear())?;
            let references = self.nodes[node as usize].references(&self.lists);
            references.for_each(|input| self.set.insert(input));
        }
        Ok(live)
    }

    /// Moves the live nodes, given in descending order, to the front without changing their order.
    fn slide(&mut self, live: &[u32]) {
        self.forget_leaf_rows(live);
        self.first_alias = UNOWNED;
        let mut list_end = 0;
        for (new, &old) in live.iter().rev().enumerate() {
            let old = old as usize;
            self.remap[old] = new as u32;
            self.adjoints.slide(old, new);
            let mut node = self.nodes[old];
            if node.owner != UNOWNED {
                self.slots[node.owner as usize].node = new as u32;
            }
            match node.op.arity() {
                Arity::Leaf if node.has_leaf() => self.find_leaf(&mut node, new as u32),
                Arity::Leaf if node.gradient_since().is_some() => {
                    // The gradient itself may be gone: what was recorded before it stays before it.
                    node.links[0] = place_after(live, node.links[0]);
                }
                Arity::Leaf => {}
                Arity::Unary | Arity::Power | Arity::Gradient => {
                    node.links[0] = self.remap[node.links[0] as usize]
                }
                Arity::Binary => node.links = node.links.map(|i| self.remap[i as usize]),
                Arity::Alias => {
                    node.links = node.links.map(|i| self.remap[i as usize]);
                    self.first_alias = self.first_alias.min(new as u32);
                }
                Arity::Variadic | Arity::Gradients => {
                    let (start, len) = node.list();
                    node.links[0] = list_end as u32;
                    for k in start..start + len {
                        self.lists[list_end] = self.remap[self.lists[k] as usize];
                        list_end += 1;
                    }
                }
            }
            self.nodes[new] = node;
        }
        self.slide_notes(live);
        self.lists.truncate(list_end);
        self.truncate(live.len());
        self.place_leaves();
    }

    /// Has room for this many rows more.
    pub(super) fn reserve_rows(&mut self, rows: usize) -> Result<(), Error> {
        if self.nodes.len() - self.len < rows {
            self.try_collect()?;
        }
        if self.nodes.len() - self.len < rows { self.set_room(2 * self.len + rows) } else { Ok(()) }
    }

    /// Makes room for so many rows, and gives memory back that is much more than they need.
    fn set_room(&mut self, rows: usize) -> Result<(), Error> {
        if self.remap.len() > SMALLEST_NURSERY {
            self.remap = vec![];
        }
        let empty = Node { value: 0.0, links: [0; 2], owner: UNOWNED, op: Op::Constant, flags: 0 };
        // Not much less than wanted: each collection has to pay for itself by what is recorded after it.
        let enough = self.len + self.len / 8 + 2;
        let more = |rows: usize| rows.saturating_sub(self.nodes.len());
        let (wanted, least) = (more(rows), more(enough));
        let rows = match reserve_exact(&mut self.nodes, wanted) {
            Ok(()) => rows,
            Err(_) => {
                reserve_exact(&mut self.nodes, least)?;
                self.nodes.len().max(enough)
            }
        };
        self.nodes.resize(rows, empty);
        if self.nodes.capacity() > 4 * rows {
            self.nodes.shrink_to(rows);
            self.adjoints.shrink_to(rows);
            self.leaves.shrink_to(rows);
            self.lists.shrink_to(rows);
            self.origins.shrink_to(rows);
            self.set = NodeSet::default();
        }
        Ok(())
    }
}

/// How much room to make when so much is alive: in proportion, so that collecting costs a constant
/// per row recorded, and less generously for large arenas.
fn room_for(live: usize) -> usize {
    if live < 1 << 16 { 2 * live } else { live + live / 2 }
}
