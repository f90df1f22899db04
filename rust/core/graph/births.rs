//! Where values that are not REAL began.
//!
//! Recording itself looks for nothing and notes nothing: a node that is not REAL although its operands
//! are is a birth by its structure. What the structure does not tell is the place in the user's program,
//! and what made a constant that records no operands. A caller that knows the place notes both, at
//! the event; the table follows its nodes.

use super::{Graph, Handle, Node, UNOWNED};
use crate::op::Op;
use crate::reduce::Reduction;
use std::iter::successors;

/// The most operands that a birth remembers.
pub const MOST_OPERANDS: usize = 8;

/// How far behind a copied node its birth is looked for, so that copying costs a bounded time.
const MOST_STEPS: usize = 1000;

/// How a value that is not REAL came about, or a REAL one at a pole.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    /// The op, or the kind of the leaf.
    pub op: Op,
    /// The values of its first [`MOST_OPERANDS`] operands; behind the base of a power its exponent.
    pub operands: Box<[f64]>,
    /// The value that was made.
    pub value: f64,
    /// What the caller calls the place in the user's program.
    pub place: u32,
    /// Whether it was taken over by a constant that was computed from there.
    pub carried: bool,
}

/// An operand as its op was given it.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The value, or the exponent of a power.
    pub value: f64,
    /// The node; `None` for a number.
    pub node: Option<Handle>,
}

impl Origin {
    /// Whether it is a number that is not REAL.
    fn is_bare(&self) -> bool {
        self.node.is_none() && !self.value.is_finite()
    }
}

/// The births of an arena, in recording order.
#[derive(Debug, Default)]
pub(super) struct Births(Vec<(u32, Birth)>);

impl Births {
    pub fn get(&self, node: u32) -> Option<&Birth> {
        let place = self.0.binary_search_by_key(&node, |entry| entry.0).ok()?;
        Some(&self.0[place].1)
    }

    /// Forgets the nodes from `len` on.
    fn truncate(&mut self, len: usize) {
        self.0.truncate(self.0.partition_point(|entry| (entry.0 as usize) < len));
    }

    /// Behind the newest node noted.
    fn end(&self) -> usize {
        self.0.last().map_or(0, |last| last.0 as usize + 1)
    }

    /// Follows the live nodes, given in descending order, to where each is now.
    pub fn slide(&mut self, live: &[u32]) {
        let mut rest = live.iter().rev().zip(0..).peekable();
        self.0.retain_mut(|entry| {
            while rest.next_if(|(old, _)| **old < entry.0).is_some() {}
            let moved = rest.peek().filter(|(old, _)| **old == entry.0).map(|&(_, new)| new);
            entry.0 = moved.unwrap_or(entry.0);
            moved.is_some()
        });
    }

    pub fn shrink_to(&mut self, len: usize) {
        self.0.shrink_to(len);
    }

    pub fn allocated_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u32, Birth)>()
    }
}

impl Graph {
    /// Forgets what is noted of the nodes from `len` on.
    #[inline(never)]
    pub(super) fn forget_notes(&mut self, len: usize) {
        self.births.truncate(len);
        if self.last_pass.root as usize >= len {
            self.last_pass.root = UNOWNED;
        }
        self.find_noted_end();
    }

    /// Follows the live nodes, given in descending order, to where each is now.
    pub(super) fn slide_notes(&mut self, live: &[u32]) {
        self.births.slide(live);
        let root = live.binary_search_by(|node| self.last_pass.root.cmp(node));
        self.last_pass.root = root.map_or(UNOWNED, |place| (live.len() - 1 - place) as u32);
        self.find_noted_end();
    }

    fn find_noted_end(&mut self) {
        let root = self.last_pass.root;
        let behind_root = if root == UNOWNED { 0 } else { root as usize + 1 };
        self.noted_end = self.births.end().max(behind_root);
    }

    /// Notes the birth of a node that is newer than all others noted.
    fn push_birth(&mut self, node: u32, birth: Birth) {
        debug_assert!(self.births.end() <= node as usize);
        self.births.0.push((node, birth));
        self.noted_end = self.noted_end.max(node as usize + 1);
    }

    /// Lets a new last node take over what is noted of another one, as its copy or computed from it.
    pub(super) fn hand_on(&mut self, from: u32, to: u32, computed: bool) {
        if let Some(birth) = self.births.get(from).cloned() {
            self.push_birth(to, Birth { carried: birth.carried | computed, ..birth });
        }
    }

    /// Whether something began with the node recorded last, made from these: whether it is to be noted.
    /// What took over a value that is not REAL from a node began there; a constant, which records no
    /// operands, takes over the birth as well.
    pub fn begins(&mut self, node: Handle, origins: &[Origin]) -> bool {
        let row = self.node(node);
        let Some(from) = self.carried(row, origins).and_then(|origin| origin.node) else { return true };
        if self.nodes[row as usize].op != Op::Constant {
            return origins.iter().any(Origin::is_bare);
        }
        self.hand_on(self.node(from), row, true);
        self.births.get(row).is_none()
    }

    /// Notes how the node recorded last came about, given what it was made from; a leaf has no operands.
    /// Of its operands, bare numbers that are not REAL are noted.
    pub fn note_birth(&mut self, node: Handle, op: Op, origins: &[Origin], place: u32) {
        let row = self.node(node);
        debug_assert_eq!(row as usize + 1, self.len, "only the newest node is noted");
        let Node { value, op: kind, .. } = self.nodes[row as usize];
        if kind != Op::Constant {
            // The numbers became constants just before the node, in their order.
            let numbers = origins.iter().filter(|origin| origin.node.is_none());
            for (before, number) in (1..).zip(numbers.rev()).collect::<Vec<_>>().into_iter().rev() {
                if number.is_bare() {
                    let (op, operands) = (Op::Constant, [].into());
                    let birth = Birth { op, operands, value: number.value, place, carried: false };
                    self.push_birth(row - before, birth);
                }
            }
        }
        if kind == Op::Constant || self.carried(row, origins).is_none() {
            self.push_birth(row, Birth { op, operands: operands(origins), value, place, carried: false });
        }
    }

    /// The operand from which a node took over a value that is not REAL; none if that began with it.
    fn carried<'o>(&self, row: u32, origins: &'o [Origin]) -> Option<&'o Origin> {
        let row = &self.nodes[row as usize];
        let values = origins.iter().map(|origin| origin.value);
        let kept = kept(row.operands(&self.lists).reduction(), values);
        origins.iter().find(|origin| kept(origin.value) && hands_on(origin.value, row.value))
    }

    /// Lets the node recorded last, a copy of `from`, take over the birth behind that. Returns whether
    /// one was found, among the nearest thousand nodes.
    pub fn inherit_birth(&mut self, node: Handle, from: Handle) -> bool {
        let (from, to) = (self.node(from), self.node(node));
        let behind = successors(Some(from), |&node| self.carrier(node)).take(MOST_STEPS);
        let found = behind.into_iter().find(|&node| self.births.get(node).is_some());
        if let Some(noted) = found {
            self.hand_on(noted, to, noted != from);
        }
        found.is_some()
    }

    /// The birth behind a value; none if that is REAL.
    pub(crate) fn birth_behind(&self, node: u32) -> Option<u32> {
        let start = Some(node).filter(|&node| !self.nodes[node as usize].value.is_finite());
        successors(start, |&node| self.carrier(node)).last()
    }

    /// The operand from which a node took over a value that is not REAL; none if that began with it.
    pub(crate) fn carrier(&self, node: u32) -> Option<u32> {
        let row = &self.nodes[node as usize];
        let operands = row.operands(&self.lists);
        let value = |&input: &u32| self.nodes[input as usize].value;
        let kept = kept(operands.reduction(), operands.inputs().iter().map(value));
        let took = |input: &&u32| kept(value(input)) && hands_on(value(input), row.value);
        operands.inputs().iter().find(took).copied()
    }

    /// How a node came about, if that was noted.
    pub fn birth(&self, node: Handle) -> Option<&Birth> {
        self.birth_of(self.node(node))
    }

    pub(crate) fn birth_of(&self, node: u32) -> Option<&Birth> {
        self.births.get(node)
    }
}

/// Which operands, by their values, a node was computed from: those that it did not leave out.
pub(crate) fn kept(mode: Reduction, mut values: impl Iterator<Item = f64>) -> impl Fn(f64) -> bool {
    let nothing_but_phi = mode == Reduction::DropNull && values.all(f64::is_nan);
    move |value| nothing_but_phi || mode.keeps(value)
}

/// Whether an operand hands a value that is not REAL on to a result: Φ comes of Φ, unless it begins.
fn hands_on(operand: f64, result: f64) -> bool {
    if result.is_nan() { operand.is_nan() } else { !operand.is_finite() }
}

/// Whether Φ was made from what is not Φ.
pub(crate) fn makes_phi(value: f64, operands: impl IntoIterator<Item = f64>) -> bool {
    value.is_nan() && !operands.into_iter().any(f64::is_nan)
}

fn operands(origins: &[Origin]) -> Box<[f64]> {
    origins.iter().take(MOST_OPERANDS).map(|origin| origin.value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(graph: &Graph, node: Handle) -> Option<u32> {
        graph.birth(node).map(|birth| birth.place)
    }

    fn origin(graph: &Graph, node: Handle) -> Origin {
        Origin { value: graph.value(node).to_ieee(), node: Some(node) }
    }

    /// `1 / x`, noted at a place.
    fn reciprocal(graph: &mut Graph, x: Handle, at: u32) -> Handle {
        let node = graph.constant_with_binary(Op::Div, 1.0, x, None).handle;
        let origins = [Origin { value: 1.0, node: None }, origin(graph, x)];
        graph.note_birth(node, Op::Div, &origins, at);
        node
    }

    #[test]
    fn births_follow_their_nodes_through_collections() {
        let mut graph = Graph::new();
        let x = graph.leaf(Op::Parameter, 0.0, None);
        let kept: Vec<_> = (0..100)
            .map(|at| {
                let dead = reciprocal(&mut graph, x, 1000 + at);
                let alive = reciprocal(&mut graph, x, at);
                graph.release(dead);
                alive
            })
            .collect();
        graph.collect();
        assert_eq!(graph.len(), 201);
        for (at, &node) in (0..).zip(&kept) {
            let birth = graph.birth(node).expect("noted");
            assert_eq!((birth.op, &*birth.operands, birth.place), (Op::Div, &[1.0, 0.0][..], at));
        }
        kept.iter().rev().for_each(|&node| graph.release(node));
        assert_eq!(graph.births.0.len(), 0, "what is cut off is forgotten");
        let fresh = graph.unary(Op::Neg, x);
        assert_eq!(place(&graph, fresh), None);
    }

    #[test]
    fn constants_take_over_what_made_their_operand() {
        let mut graph = Graph::new();
        let zero = graph.constant(0.0);
        let infinite = reciprocal(&mut graph, zero, 7);
        assert_eq!(graph.op(infinite), Op::Constant);
        let carried = graph.unary(Op::Neg, infinite);
        let from = origin(&graph, infinite);
        assert!(!graph.begins(carried, &[from]));
        assert_eq!(place(&graph, carried), Some(7));
        let copy = graph.constant(f64::NEG_INFINITY);
        graph.inherit_birth(copy, carried);
        assert_eq!(place(&graph, copy), Some(7));
    }

    #[test]
    fn a_bare_number_that_is_not_real_is_noted_as_a_constant() {
        let mut graph = Graph::new();
        let x = graph.leaf(Op::Parameter, 1.0, None);
        let sum = graph.binary_with_constant(Op::Add, x, f64::INFINITY, None).handle;
        let origins = [origin(&graph, x), Origin { value: f64::INFINITY, node: None }];
        assert!(graph.begins(sum, &origins));
        graph.note_birth(sum, Op::Add, &origins, 3);
        assert_eq!(place(&graph, sum), None);
        let inputs = graph.inputs(sum);
        assert_eq!(graph.birth(inputs[1]).map(|birth| (birth.op, birth.place)), Some((Op::Constant, 3)));
        inputs.into_iter().for_each(|input| graph.release(input));
    }
}
