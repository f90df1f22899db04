//! The sweep over the arena.

use super::policies::{Decide, Policy, Rule};
use super::step::{self, Arrived, Sink};
use crate::adjoints::{ACTIVE, Adjoint, FORWARDS, REACHED, RECEIVED, STATUS};
use crate::error::Error;
use crate::graph::{Graph, Node, Operands};
use crate::node_set::NodeSet;
use crate::op::{Arity, Elementwise, Op, Variadic};
use crate::pass_counts::PassCounts;
use crate::room;
use crate::status::Status;

/// The sweep's set holds blocks of 32 nodes: inside a block it walks down node by node, which the
/// processor predicts, and between blocks it skips what was not reached.
const BLOCK_BITS: u32 = 5;

/// The arena during a sweep: what it reads, and the columns that contributions go to. The sweep over an arena
/// without what is `RARE`, aliases and recorded gradients, is compiled for itself: looking for aliases took 4 % of
/// its instructions, and what is done with gradients took registers from it.
pub(super) struct Sweep<'a, const RARE: bool> {
    /// Whether the pass asks chosen sources for gradients, which are marked, and not all leaves. Such a pass is
    /// compiled as a rare one.
    pub(super) restricted: bool,
    pub(super) nodes: &'a [Node],
    pub(super) lists: &'a [u32],
    pub(super) adjoints: &'a mut [Adjoint],
    pub(super) set: &'a mut NodeSet,
    /// The list of the nodes reached that nothing stayed at: aliases, and what depends on leaves only through
    /// what was not chosen. Empty if the pass is restricted.
    pub(super) passed: &'a mut Option<u32>,
    pub(super) counts: PassCounts,
}

impl<const RARE: bool> Sweep<'_, RARE> {
    /// Visits what the root reached, in reverse of recording. `on_leaf` sees the leaves. `on_gradients` passes on
    /// what arrived at recorded gradients, by a sweep [`apart`](Self::apart), and returns what that counted. It gets
    /// the node alone: a [`Visit`] that another function may read is written to memory at every node.
    #[inline(always)]
    pub(super) fn run<P: Policy>(
        &mut self,
        policy: &mut P,
        mut on_leaf: impl FnMut(u32, f64, Status),
        mut on_gradients: impl FnMut(Sweep<'_, RARE>, u32, Option<&mut dyn Decide>) -> PassCounts,
    ) {
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
                with_elementwise!(self.nodes[index].op, O => {
                    if RARE || !O::IS_OPERATOR {
                        self.outlined::<O, P>(policy, at)
                    } else {
                        self.elementwise::<O, P>(policy, at)
                    }
                }, else {
                    with_variadic!(self.nodes[index].op, O => self.variadic::<O, P>(policy, at), else {
                        if self.is_restricted() && self.nodes[index].is_alias() {
                            self.counts.dropped += self.apart().hand_down(at, mark & RECEIVED != 0);
                        }
                        match self.nodes[index].op {
                            Op::Gradients if RARE => {
                                let counts = on_gradients(self.apart(), index as u32, policy.decisions());
                                self.counts.add(counts);
                            }
                            Op::Gradient if RARE => {
                                let rule = policy.rule_without_pole(self.nodes[index].value);
                                let is_silent = matches!(rule, Rule::Silence);
                                self.apart().gradient(index, is_silent);
                                self.counts.masked += u64::from(is_silent);
                            }
                            _ => on_leaf(index as u32, g, Status::from_bits_truncate(mark)),
                        }
                    })
                });
            }
            self.set.remove(block);
        }
    }

    /// A recorded gradient keeps what arrived until the sweep comes to the row of all of them.
    #[cold]
    #[inline(never)]
    fn gradient(mut self, index: usize, is_silent: bool) {
        let all = self.nodes[index].links[0] as usize;
        if !self.stays_at(all) {
            return; // in a pass that asks for this gradient, and for nothing below it
        }
        let mut at = self.visit_of(index);
        let row = &mut self.adjoints[index];
        row.mark |= REACHED;
        if is_silent {
            row.value = 0.0;
            at.status |= Status::MASKED.bits();
        }
        self.visit_later(all, at, |row| row.reach(at.status));
    }

    /// The visit that the sweep is at.
    fn visit_of(&self, index: usize) -> Visit {
        let status = self.adjoints[index].mark & STATUS;
        Visit { index, block: (index >> BLOCK_BITS) as u32, g: 1.0, status }
    }

    /// Takes what arrived at recorded gradients: a weight for each source, and the visit's flags with what is
    /// left out.
    #[cold]
    #[inline(never)]
    pub(super) fn take_gradients(
        &mut self,
        graph: &Graph,
        node: u32,
        weights: &mut Vec<f64>,
    ) -> Result<Visit, Error> {
        let mut at = self.visit_of(node as usize);
        let room = room::grow(weights, graph.nodes[at.index].list().1 - 1, 0.0);
        for gradient in graph.gradients_at(node) {
            let row = &mut self.adjoints[gradient];
            let Some((v, _)) = row.visit() else { continue };
            row.mark &= !REACHED; // without room too: no mark outlasts the pass
            let weight = weights.get_mut(graph.place_of_gradient(gradient));
            if let Some(weight) = weight.filter(|_| v.is_finite()) {
                *weight = v;
            } else {
                self.counts.dropped += 1;
                at.status |= Status::DROPPED.bits();
            }
        }
        room.map(|()| at)
    }

    /// The same as a function of its own, as most ops are: one function of all of them takes several times as long
    /// to compile.
    #[inline(never)]
    fn outlined<O: Elementwise, P: Policy>(&mut self, policy: &mut P, at: Visit) {
        self.elementwise::<O, P>(policy, at);
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
        if self.stays_at(i) {
            let dropped = self.visit_later(i, from, |row| row.receive(contribution, from.g, from.status));
            self.counts.dropped += u64::from(dropped);
        } else if self.may_go_on_from(i) {
            self.counts.dropped += self.apart().receive_further(i, contribution, from);
        }
    }

    /// The input is reached, and gets nothing.
    #[inline(always)]
    fn silence(&mut self, input: u32, from: Visit) {
        let i = input as usize;
        if self.stays_at(i) {
            self.visit_later(i, from, |row| row.reach(from.status | Status::MASKED.bits()));
        } else if self.may_go_on_from(i) {
            self.apart().silence_further(i, from);
        }
    }

    #[inline(always)]
    pub(super) fn is_restricted(&self) -> bool {
        RARE && self.restricted
    }

    /// Whether gradients flow to this node in this pass, and stay there.
    #[inline(always)]
    fn stays_at(&self, i: usize) -> bool {
        if self.is_restricted() {
            self.adjoints[i].mark & (ACTIVE | FORWARDS) == ACTIVE
        } else if RARE {
            self.nodes[i].receives()
        } else {
            self.nodes[i].flows()
        }
    }

    /// Whether a node at which nothing stays is more than a constant.
    #[inline(always)]
    fn may_go_on_from(&self, i: usize) -> bool {
        if self.is_restricted() {
            self.adjoints[i].mark & FORWARDS != 0
        } else {
            RARE && self.nodes[i].needs_grad()
        }
    }

    /// The same sweep for a function that is called. It gets this copy, since the sweep itself is in
    /// registers only as long as nobody knows where it is: that was 11 % of a backward pass.
    #[inline(always)]
    pub(super) fn apart(&mut self) -> Sweep<'_, RARE> {
        Sweep {
            restricted: self.restricted,
            nodes: self.nodes,
            lists: self.lists,
            adjoints: &mut *self.adjoints,
            set: &mut *self.set,
            passed: &mut *self.passed,
            counts: PassCounts::default(),
        }
    }

    /// What arrives at an alias goes to the node that it stands for. Returns whether it was dropped.
    #[cold]
    #[inline(never)]
    fn receive_further(mut self, i: usize, contribution: f64, from: Visit) -> u64 {
        let Some(i) = self.target(i) else { return 0 };
        u64::from(self.visit_later(i, from, |row| row.receive(contribution, from.g, from.status)))
    }

    #[cold]
    #[inline(never)]
    fn silence_further(mut self, i: usize, from: Visit) {
        if let Some(i) = self.target(i) {
            self.visit_later(i, from, |row| row.reach(from.status | Status::MASKED.bits()));
        }
    }

    /// Where that which arrives at a node at which it does not stay goes, if gradients flow there. Each
    /// alias remembers it, so that a long row of them is gone through once.
    fn target(&mut self, start: usize) -> Option<usize> {
        if self.is_restricted() {
            return self.adjoints[start].target().map(|target| target as usize);
        }
        let mut end = start as u32;
        while self.nodes[end as usize].is_alias() {
            let row = self.adjoints[end as usize];
            end = row.target().unwrap_or(self.nodes[end as usize].links[0]);
        }
        let mut at = start as u32;
        while at != end {
            let next = self.nodes[at as usize].links[0];
            if !self.pass_by(at, end) {
                break;
            }
            at = next;
        }
        let node = &self.nodes[end as usize];
        if !node.receives() && node.needs_grad() {
            self.pass_by(end, end);
        }
        node.receives().then_some(end as usize)
    }

    /// Notes a choice that recorded gradients went by, so that what it did not choose gets 0.
    #[cold]
    pub(super) fn pass_by_choice(&mut self, choice: u32) {
        self.pass_by(choice, self.nodes[choice as usize].links[0]);
    }

    /// Notes a node at which nothing stays, and whether that was new.
    fn pass_by(&mut self, at: u32, target: u32) -> bool {
        let row = &mut self.adjoints[at as usize];
        let is_new = row.mark & FORWARDS == 0;
        if is_new {
            row.forward(target, self.passed.replace(at));
        }
        is_new
    }

    /// What was summed at an alias that is a source goes on to what lies below, as from an addition. Returns
    /// how much was dropped.
    #[cold]
    #[inline(never)]
    fn hand_down(mut self, at: Visit, received: bool) -> u64 {
        let below = self.nodes[at.index].links[0];
        if received {
            self.receive(below, at.g, at);
            return self.counts.dropped;
        }
        let below = self.adjoints[below as usize].target().unwrap_or(below) as usize;
        if self.stays_at(below) {
            self.visit_later(below, at, |row| row.reach(at.status));
        }
        0
    }

    /// Changes a node's row, begun anew if this pass reaches it for the first time, and has the node
    /// visited.
    #[inline(always)]
    fn visit_later<R>(&mut self, i: usize, from: Visit, change: impl FnOnce(&mut Adjoint) -> R) -> R {
        let restricted = self.is_restricted();
        let row = &mut self.adjoints[i];
        let first = row.mark & REACHED == 0;
        if first {
            row.mark = if restricted { row.mark & ACTIVE } else { 0 };
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
struct Inputs<'s, 'a, L, const RARE: bool> {
    sweep: &'s mut Sweep<'a, RARE>,
    links: L,
    at: Visit,
}

impl<L: Fn(usize) -> u32, const RARE: bool> Sink for Inputs<'_, '_, L, RARE> {
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
