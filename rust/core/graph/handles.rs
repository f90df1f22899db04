//! Handles: given out, counted and given back.

use super::Graph;
use super::handle::{Handle, HandleSlot, UNOWNED};
use crate::error::Error;
use crate::room::{granted, reserve_exact};

impl Graph {
    /// The row a handle points to.
    #[inline(always)]
    pub(crate) fn node(&self, handle: Handle) -> u32 {
        self.slots[handle.0 as usize].node
    }

    /// A handle on a node: the one it has, counted once more, or a new one.
    #[inline(always)]
    pub(crate) fn handle(&mut self, node: u32) -> Handle {
        let owner = self.nodes[node as usize].owner;
        if owner == UNOWNED {
            return self.new_handle(node);
        }
        self.slots[owner as usize].count += 1;
        Handle(owner)
    }

    /// The first handle on a node.
    #[inline(always)]
    pub(super) fn new_handle(&mut self, node: u32) -> Handle {
        if self.free_slot == UNOWNED {
            granted(self.add_slots());
        }
        let place = self.free_slot;
        let slot = &mut self.slots[place as usize];
        self.free_slot = slot.node;
        *slot = HandleSlot { node, count: 1 };
        self.nodes[node as usize].owner = place;
        Handle(place)
    }

    /// A handle on a new last node; an operand's that is given up with it serves again.
    #[inline(always)]
    pub(super) fn handle_from(&mut self, node: u32, taken: Option<Handle>) -> Handle {
        let Some(taken) = taken else { return self.new_handle(node) };
        let slot = &mut self.slots[taken.0 as usize];
        if slot.count > 1 {
            slot.count -= 1;
            return self.new_handle(node);
        }
        let before = std::mem::replace(&mut slot.node, node);
        self.nodes[before as usize].owner = UNOWNED;
        self.nodes[node as usize].owner = taken.0;
        taken
    }

    /// Moves the handles of a node to a new last row.
    pub(super) fn move_handles(&mut self, handle: Handle, row: u32) {
        let before = std::mem::replace(&mut self.slots[handle.0 as usize].node, row);
        self.nodes[before as usize].owner = UNOWNED;
        self.nodes[row as usize].owner = handle.0;
    }

    /// Makes more handle slots, chained as free.
    #[cold]
    #[inline(never)]
    pub(super) fn add_slots(&mut self) -> Result<(), Error> {
        let (first, more) = (self.slots.len() as u32, self.slots.len().max(16) as u32);
        if first > UNOWNED / 2 {
            return Err(Error::OutOfMemory); // a handle has 32 bits
        }
        let more = match reserve_exact(&mut self.slots, more as usize) {
            Ok(()) => more,
            Err(_) => {
                let least = first / 8 + 2;
                reserve_exact(&mut self.slots, least as usize)?;
                least
            }
        };
        self.slots.extend((1..=more).map(|k| HandleSlot { node: first + k, count: 0 }));
        self.slots[(first + more - 1) as usize].node = UNOWNED;
        self.free_slot = first;
        Ok(())
    }

    /// Handles on nodes, in their order.
    pub(crate) fn handles(&mut self, nodes: &[u32]) -> Result<Vec<Handle>, Error> {
        let mut handles = vec![];
        reserve_exact(&mut handles, nodes.len())?;
        for &node in nodes {
            if self.free_slot == UNOWNED
                && let Err(error) = self.add_slots()
            {
                handles.into_iter().for_each(|handle| self.release(handle));
                return Err(error);
            }
            handles.push(self.handle(node));
        }
        Ok(handles)
    }

    /// Counts a handle once more.
    pub fn retain(&mut self, handle: Handle) {
        self.slots[handle.0 as usize].count += 1;
    }

    /// Gives a handle back.
    #[inline(always)]
    pub fn release(&mut self, handle: Handle) {
        let slot = &mut self.slots[handle.0 as usize];
        slot.count -= 1;
        if slot.count == 0 {
            let node = slot.node as usize;
            slot.node = self.free_slot;
            self.free_slot = handle.0;
            self.nodes[node].owner = UNOWNED;
            if node + 1 == self.len {
                self.cut_tail();
            }
        }
    }

    /// Drops unowned nodes from the end: nothing after them can refer to them.
    pub(super) fn cut_tail(&mut self) {
        let live = self.nodes[..self.len].iter().rposition(|n| n.owner != UNOWNED).map_or(0, |last| last + 1);
        self.cut_leaves(live);
        if !self.lists.is_empty()
            && let Some(first) = self.nodes[live..self.len].iter().find(|node| node.has_list())
        {
            self.lists.truncate(first.list().0);
        }
        self.truncate(live);
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.adjoints.truncate(len);
        if self.first_alias as usize >= len {
            self.first_alias = UNOWNED;
        }
        if len < self.noted_end {
            self.forget_notes(len);
        }
    }
}
