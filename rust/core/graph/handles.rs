//! Handles: given out, counted and given back.

use super::{Claim, Graph, Handle, UNOWNED};
use crate::op::Arity;

impl Graph {
    /// The row a handle points to.
    #[inline(always)]
    pub(crate) fn node(&self, handle: Handle) -> u32 {
        self.claims[handle.0 as usize].node
    }

    /// A handle on a node: the one it has, counted once more, or a new one.
    #[inline(always)]
    pub(crate) fn claim(&mut self, node: u32) -> Handle {
        let owner = self.nodes[node as usize].owner;
        if owner == UNOWNED {
            return self.claim_new(node);
        }
        self.claims[owner as usize].count += 1;
        Handle(owner)
    }

    /// The first handle on a node.
    #[inline(always)]
    pub(super) fn claim_new(&mut self, node: u32) -> Handle {
        if self.free_claim == UNOWNED {
            self.add_claims();
        }
        let slot = self.free_claim;
        let claim = &mut self.claims[slot as usize];
        self.free_claim = claim.node;
        *claim = Claim { node, count: 1 };
        self.nodes[node as usize].owner = slot;
        Handle(slot)
    }

    /// A handle on a new last node; an operand's that is given up with it serves again.
    #[inline(always)]
    pub(super) fn claim_from(&mut self, node: u32, taken: Option<Handle>) -> Handle {
        let Some(taken) = taken else { return self.claim_new(node) };
        let claim = &mut self.claims[taken.0 as usize];
        if claim.count > 1 {
            claim.count -= 1;
            return self.claim_new(node);
        }
        let before = std::mem::replace(&mut claim.node, node);
        self.nodes[before as usize].owner = UNOWNED;
        self.nodes[node as usize].owner = taken.0;
        taken
    }

    /// Makes more claims, chained as free.
    #[cold]
    #[inline(never)]
    fn add_claims(&mut self) {
        let (first, more) = (self.claims.len() as u32, self.claims.len().max(16) as u32);
        assert!(first <= UNOWNED / 2, "more than 2^31 handles");
        self.claims.extend((1..=more).map(|k| Claim { node: first + k, count: 0 }));
        self.claims[(first + more - 1) as usize].node = UNOWNED;
        self.free_claim = first;
    }

    /// Counts a handle once more.
    pub fn retain(&mut self, handle: Handle) {
        self.claims[handle.0 as usize].count += 1;
    }

    /// Gives a handle back.
    #[inline(always)]
    pub fn release(&mut self, handle: Handle) {
        let claim = &mut self.claims[handle.0 as usize];
        claim.count -= 1;
        if claim.count == 0 {
            let node = claim.node as usize;
            claim.node = self.free_claim;
            self.free_claim = handle.0;
            self.nodes[node].owner = UNOWNED;
            if node + 1 == self.len {
                self.cut_tail();
            }
        }
    }

    /// Drops unowned nodes from the end: nothing after them can refer to them.
    pub(super) fn cut_tail(&mut self) {
        let live = self.nodes[..self.len].iter().rposition(|n| n.owner != UNOWNED).map_or(0, |last| last + 1);
        let dead = &self.nodes[live..self.len];
        if let Some(first) = dead.iter().find(|node| node.has_leaf()) {
            self.leaves.truncate(first.links[0] as usize);
        }
        if !self.lists.is_empty()
            && let Some(first) = dead.iter().find(|node| node.op.arity() == Arity::Variadic)
        {
            self.lists.truncate(first.list().0);
        }
        self.truncate(live);
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.len = len;
        self.adjoints.truncate(len);
        if len < self.noted_end {
            self.forget_notes(len);
        }
    }
}
