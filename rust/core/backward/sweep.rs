//! The sweep over the arena.

use super::PassCounts;
use super::policies::Policy;
use super::step::{self, Arrived, Sink};
use crate::adjoints::{ACTIVE, Adjoint, REACHED, RECEIVED, STATUS};
use crate::graph::{Node, Operands};
use crate::node_set::NodeSet;
use crate::op::{Arity, Elementwise, Variadic};
use crate::status::Status;

/// The sweep's set holds blocks of 32 nodes: inside a block it walks down node by node, which the
/// processor predicts, and between blocks it skips what was not reached.
const BLOCK_BITS: u32 = 5;

/// The arena during a sweep: what it reads, and the columns that contributions go to.
pub(super) struct Sweep<'a, const RESTRICTED: bool> {
    pub(super) nodes: &'a [Node],
    pub(super) lists: &'a [u32],
    pub(super) adjoints: &'a mut [Adjoint],
    pub(super) set: &'a mut NodeSet,
    pub(super) counts: PassCounts,
}

impl<const RESTRICTED: bool> Sweep<'_, RESTRICTED> {
    /// Visits what the root reached, in reverse of recording; `on_leaf` sees the leaves.
    #[inline(always)]
    pub(super) fn run<P: Policy>(&mut self, policy: &mut P, mut on_leaf: impl FnMut(u32, f64, Status)) {
        while let Some(block) = self.set.last() {
            let start = (block as usize) << BLOCK_BITS;
            let end = self.nodes.len().min(start + (1 << BLOCK_BITS));
            for index in (start..end).rev() {
                let Adjoint { value, mark } = self.adjoints[index];
                if mark & REACHED == 0 {
                    continue;
                }
                self.adjoints[index].mark = mark & !REACHED;
                let g = if mark & RECEIVED != 0 { value } else { 0.0 };
                let at = Visit { index, block, g, status: mark & STATUS };
                with_elementwise!(self.nodes[index].op, O => self.elementwise::<O, P>(policy, at), else {
                    with_variadic!(self.nodes[index].op, O => self.variadic::<O, P>(policy, at), else {
                        on_leaf(index as u32, g, Status::from_bits_truncate(mark));
                    })
                });
            }
            self.set.remove(block);
        }
    }

    /// Each op has its own code. Without optimization the locals of all of them would stand on the stack at
    /// once.
    #[cfg_attr(debug_assertions, inline(never))]
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn elementwise<O: Elementwise, P: Policy>(&mut self, policy: &mut P, at: Visit) {
        let Node { value: z, links: [a, b], .. } = self.nodes[at.index];
        let x = self.nodes[a as usize].value;
        let y = match O::ARITY {
            Arity::Binary => self.nodes[b as usize].value,
            Arity::Power => f64::from(b as i32),
            _ => 0.0,
        };
        let from = Arrived { g: at.g, status: at.status };
        let mut inputs = Inputs { sweep: self, links: |place| if place == 0 { a } else { b }, at };
        step::elementwise::<O, P>(policy, at.index, from, [x, y, z], &mut inputs);
    }

    #[inline(always)]
    fn variadic<O: Variadic, P: Policy>(&mut self, policy: &mut P, at: Visit) {
        let (node, nodes) = (self.nodes[at.index], self.nodes);
        let Operands::List(inputs, mode) = node.operands(self.lists) else { return };
        let values = inputs.iter().map(|&input| nodes[input as usize].value);
        let from = Arrived { g: at.g, status: at.status };
        let mut inputs = Inputs { sweep: self, links: |place: usize| inputs[place], at };
        step::variadic::<O, P>(policy, from, values, mode, node.value, &mut inputs);
    }

    /// A contribution arrives at an input: see [`Adjoint::receive`].
    #[inline(always)]
    pub(super) fn receive(&mut self, input: u32, contribution: f64, from: Visit) {
        let i = input as usize;
        if self.flows_to(i) {
            let dropped = self.visit_later(i, from, |row| row.receive(contribution, from.g, from.status));
            self.counts.dropped += u64::from(dropped);
        }
    }

    /// The input is reached, and gets nothing.
    #[inline(always)]
    fn silence(&mut self, input: u32, from: Visit) {
        let i = input as usize;
        if self.flows_to(i) {
            self.visit_later(i, from, |row| row.reach(from.status | Status::MASKED.bits()));
        }
    }

    /// Whether gradients flow to this node in this pass.
    #[inline(always)]
    fn flows_to(&self, i: usize) -> bool {
        if RESTRICTED { self.adjoints[i].mark & ACTIVE != 0 } else { self.nodes[i].needs_grad() }
    }

    /// Changes a node's row, begun anew if this pass reaches it for the first time, and has the node
    /// visited.
    #[inline(always)]
    fn visit_later<R>(&mut self, i: usize, from: Visit, change: impl FnOnce(&mut Adjoint) -> R) -> R {
        let row = &mut self.adjoints[i];
        let first = row.mark & REACHED == 0;
        if first {
            row.mark = if RESTRICTED { row.mark & ACTIVE } else { 0 };
        }
        let result = change(row);
        if first {
            self.enqueue(i, from.block);
        }
        result
    }

    /// Has the node's block visited, unless it is the block being visited now.
    #[inline(always)]
    fn enqueue(&mut self, i: usize, block: u32) {
        let own = (i >> BLOCK_BITS) as u32;
        if own != block {
            self.set.insert(own);
        }
    }
}

/// The inputs of the node at hand, by place, to which contributions go.
struct Inputs<'s, 'a, L, const RESTRICTED: bool> {
    sweep: &'s mut Sweep<'a, RESTRICTED>,
    links: L,
    at: Visit,
}

impl<L: Fn(usize) -> u32, const RESTRICTED: bool> Sink for Inputs<'_, '_, L, RESTRICTED> {
    #[inline(always)]
    fn receive(&mut self, place: usize, contribution: f64, from: Arrived) {
        self.sweep.receive((self.links)(place), contribution, Visit { status: from.status, ..self.at });
    }

    #[inline(always)]
    fn silence(&mut self, place: usize, _from: Arrived) {
        self.sweep.silence((self.links)(place), self.at);
    }

    #[inline(always)]
    fn mask(&mut self, operands: usize, _from: Arrived) {
        self.sweep.counts.masked += 1;
        for place in 0..operands {
            self.sweep.silence((self.links)(place), self.at);
        }
    }

    #[inline(always)]
    fn saturate(&mut self) {}
}

/// A visit to a node: where it is, and what arrived there.
#[derive(Clone, Copy)]
pub(super) struct Visit {
    pub(super) index: usize,
    pub(super) block: u32,
    pub(super) g: f64,
    pub(super) status: u8,
}
