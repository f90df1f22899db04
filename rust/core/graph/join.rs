//! Joining: an arena takes another one in, with all that is alive there.
//!
//! The rows are appended in their order, so operands stay before what uses them. Nothing there depends on a
//! row here, or the other way round, and so it does not matter to any sweep which of the two stand first. What
//! asks for time, and not for order, asks for the [era](super::eras) besides.

use super::eras::Eras;
use super::handle::{HandleSlot, UNOWNED};
use super::{Graph, Handle, Node, flag};
use crate::error::Error;
use crate::op::{Arity, Op};
use crate::room;

/// Where the handles of an arena are that was taken in.
#[derive(Debug, Default)]
pub struct Moved(Vec<u32>);

impl Moved {
    /// The handle that stands for one of the other arena.
    pub fn handle(&self, before: Handle) -> Handle {
        Handle(self.0[before.0 as usize])
    }

    /// All pairs of a handle that was alive in the other arena and the one that stands for it.
    pub fn pairs(&self) -> impl Iterator<Item = (Handle, Handle)> + '_ {
        let pairs = (0..).zip(&self.0).filter(|(_, after)| **after != UNOWNED);
        pairs.map(|(before, &after)| (Handle(before), Handle(after)))
    }
}

/// What is added to the places of another arena's rows, leaves and lists.
#[derive(Clone, Copy)]
struct Offsets {
    row: u32,
    leaf: u32,
    list: u32,
}

impl Graph {
    /// An empty arena that is made at this time, by a clock of the caller's.
    pub fn made_at_time(now: u64) -> Self {
        Self { eras: Eras::since(now), ..Self::default() }
    }

    /// Has an empty arena be one that is made at this time.
    pub fn begin_at_time(&mut self, now: u64) {
        debug_assert!(self.is_empty());
        self.eras = Eras::since(now);
        self.find_noted_end();
    }

    /// Takes in all that is alive in another arena, at this time of the clock that both were made by. Handles
    /// on nodes there are from now on those that the result names, counted as often. The other one is left
    /// empty, with its memory.
    ///
    /// Gradients, names, origins and adjoints come along. The last backward pass, for explanations, is that of
    /// this arena if it had one.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then both hold what they held.
    pub fn join(&mut self, other: &mut Self, now: u64) -> Result<Moved, Error> {
        other.try_collect()?;
        let more = other.len;
        self.reserve_rows(more)?;
        if self.len + more >= UNOWNED as usize / 2
            || self.lists.len() + other.lists.len() > UNOWNED as usize / 2
        {
            return Err(Error::OutOfMemory);
        }
        let base = self.len;
        let handles = other.nodes[..more].iter().filter(|node| node.owner != UNOWNED).count();
        room::reserve(&mut self.slots, handles)?;
        room::reserve(&mut self.leaves, other.leaves.len())?;
        room::reserve(&mut self.lists, other.lists.len())?;
        room::reserve(self.origins.entries(), other.origins.entries().len())?;
        room::reserve(&mut self.recorded_gradients.0, other.recorded_gradients.0.len())?;
        room::reserve(self.eras.entries(), other.eras.more())?;
        let mut moved = Moved(room::filled(other.slots.len(), UNOWNED)?);
        if !other.adjoints.rows.is_empty() {
            self.adjoints.grow(base + other.adjoints.rows.len())?;
        }
        // Nothing is refused from here on.
        let by = Offsets { row: base as u32, leaf: self.leaves.len() as u32, list: self.lists.len() as u32 };
        for row in 0..more {
            let node = other.nodes[row];
            let mut here = shifted(node, by);
            here.owner = UNOWNED;
            self.nodes[base + row] = here;
            if node.owner != UNOWNED {
                let count = other.slots[node.owner as usize].count;
                moved.0[node.owner as usize] = self.take_slot((base + row) as u32, count);
            }
        }
        self.len = base + more;
        self.lists.extend(other.lists.drain(..).map(|node| node + by.row));
        for mut leaf in other.leaves.drain(..) {
            for row in [&mut leaf.first, &mut leaf.oldest, &mut leaf.newest] {
                *row += by.row;
            }
            self.leaves.push(leaf);
        }
        for (row, adjoint) in other.adjoints.rows.drain(..).enumerate() {
            self.adjoints.rows[base + row] = adjoint;
        }
        self.join_notes(other, by.row);
        self.eras.join(&mut other.eras, by.row, self.len as u32, now);
        if other.first_alias != UNOWNED {
            self.first_alias = self.first_alias.min(other.first_alias + by.row);
        }
        self.find_noted_end();
        other.empty(now);
        Ok(moved)
    }

    /// A handle slot for a node, given out so many times; its memory is there.
    fn take_slot(&mut self, node: u32, count: u32) -> u32 {
        let slot = HandleSlot { node, count };
        let place = match self.free_slot {
            UNOWNED => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
            place => {
                self.free_slot = std::mem::replace(&mut self.slots[place as usize], slot).node;
                place
            }
        };
        self.nodes[node as usize].owner = place;
        place
    }

    /// Begins anew after all nodes have gone elsewhere.
    fn empty(&mut self, now: u64) {
        self.slots.clear();
        self.free_slot = UNOWNED;
        self.last_pass.root = UNOWNED;
        self.eras = Eras::since(now);
        self.truncate(0);
        self.find_noted_end();
    }

    /// A constant that gradients do not flow to, that holds none and whose value is REAL: nothing but a number.
    pub fn plain_number(&self, handle: Handle) -> Option<f64> {
        let node = self.at(handle);
        (node.op == Op::Constant && node.flags == 0 && node.value.is_finite()).then_some(node.value)
    }
}

/// The row of a node of another arena.
fn shifted(mut node: Node, by: Offsets) -> Node {
    let [a, b] = node.links;
    node.links = match node.op.arity() {
        Arity::Leaf if node.has_leaf() => [a + by.leaf, b],
        Arity::Leaf if node.flags & flag::GRADIENT != 0 => [a + by.row, b],
        Arity::Leaf => [0, b],
        Arity::Unary | Arity::Power | Arity::Gradient => [a + by.row, b],
        Arity::Binary | Arity::Alias => [a + by.row, b + by.row],
        Arity::Variadic | Arity::Gradients => [a + by.list, b],
    };
    node
}
