//! What the graph notes of its nodes besides their rows, and how it follows them.

use super::handle::{Handle, UNOWNED};
use super::origins::{Given, Origin, hands_on, kept, operands};
use super::{Graph, Node};
use crate::op::Op;
use std::iter::successors;

/// How far behind a copied node its origin is looked for, so that copying costs a bounded time.
const MOST_STEPS: usize = 1000;

impl Graph {
    /// Forgets what is noted of the nodes from `len` on.
    #[inline(never)]
    pub(super) fn forget_notes(&mut self, len: usize) {
        self.origins.truncate(len);
        self.recorded_gradients.truncate(len);
        self.eras.truncate(len);
        if self.last_pass.root as usize >= len {
            self.last_pass.root = UNOWNED;
        }
        self.find_noted_end();
    }

    /// Follows the live nodes, given in descending order, to where each is now.
    pub(super) fn slide_notes(&mut self, live: &[u32]) {
        self.origins.slide(live);
        self.recorded_gradients.slide(live);
        self.eras.slide(live);
        let root = live.binary_search_by(|node| self.last_pass.root.cmp(node));
        self.last_pass.root = root.map_or(UNOWNED, |place| (live.len() - 1 - place) as u32);
        self.find_noted_end();
    }

    pub(super) fn find_noted_end(&mut self) {
        let root = self.last_pass.root;
        let behind_root = if root == UNOWNED { 0 } else { root as usize + 1 };
        let notes = self.origins.end().max(self.recorded_gradients.end());
        self.noted_end = notes.max(behind_root).max(self.eras.end());
    }

    /// Takes over what is noted in another arena, whose rows stand from `base` on now.
    pub(super) fn join_notes(&mut self, other: &mut Self, base: u32) {
        self.origins
            .entries()
            .extend(other.origins.entries().drain(..).map(|(row, origin)| (row + base, origin)));
        let gradients = other.recorded_gradients.0.drain(..);
        self.recorded_gradients.0.extend(gradients.map(|(row, pass)| (row + base, pass)));
        if self.last_pass.root == UNOWNED && other.last_pass.root != UNOWNED {
            self.last_pass = std::mem::take(&mut other.last_pass);
            self.last_pass.root += base;
        }
    }

    /// Notes the origin of a node that is newer than all others noted.
    fn push_origin(&mut self, node: u32, origin: Origin) {
        self.origins.push(node, origin);
        self.noted_end = self.noted_end.max(node as usize + 1);
    }

    /// Lets a new last node take over what is noted of another one, as its copy or computed from it.
    pub(super) fn hand_on(&mut self, from: u32, to: u32, computed: bool) {
        if let Some(origin) = self.origins.get(from).cloned() {
            self.push_origin(to, Origin { carried: origin.carried | computed, ..origin });
        }
    }

    /// Whether something began with the node recorded last, made from these: whether it is to be noted.
    /// What took over a value that is not REAL from a node began there; a constant, which records no
    /// operands, takes over the origin as well.
    #[inline]
    pub fn begins(&mut self, node: Handle, given: &[Given]) -> bool {
        let row = self.node(node);
        let Some(from) = self.carried(row, given).and_then(|given| given.node) else { return true };
        if self.nodes[row as usize].op != Op::Constant {
            return given.iter().any(Given::is_bare);
        }
        self.hand_on(self.node(from), row, true);
        self.origins.get(row).is_none()
    }

    /// Notes how the node recorded last came about, given what it was made from; a leaf has no operands.
    /// Of its operands, bare numbers that are not REAL are noted.
    pub fn note_origin(&mut self, node: Handle, op: Op, given: &[Given], place: u32) {
        let row = self.node(node);
        debug_assert_eq!(row as usize + 1, self.len, "only the newest node is noted");
        let Node { value, op: kind, .. } = self.nodes[row as usize];
        if kind != Op::Constant {
            // The numbers became constants just before the node, in their order.
            let numbers = given.iter().filter(|given| given.node.is_none());
            for (before, number) in (1..).zip(numbers.rev()).collect::<Vec<_>>().into_iter().rev() {
                if number.is_bare() {
                    let (op, operands) = (Op::Constant, [].into());
                    let origin = Origin { op, operands, value: number.value, place, carried: false };
                    self.push_origin(row - before, origin);
                }
            }
        }
        if kind == Op::Constant || self.carried(row, given).is_none() {
            self.push_origin(row, Origin { op, operands: operands(given), value, place, carried: false });
        }
    }

    /// Puts the place `to` where [`note_origin`](Self::note_origin) noted `from`, at the node and the
    /// numbers that became constants with it.
    ///
    /// So a caller whose program may run on while it looks for the place, and record more, notes the origin
    /// with a place of its own choice first.
    #[inline]
    pub fn move_origin(&mut self, node: Handle, from: u32, to: u32) {
        let row = self.node(node);
        let operands = self.nodes[row as usize].operands(&self.lists);
        for noted in operands.inputs().iter().copied().chain([row]) {
            if let Some(origin) = self.origins.get_mut(noted).filter(|origin| origin.place == from) {
                origin.place = to;
            }
        }
    }

    /// The operand from which a node took over a value that is not REAL; none if that began with it.
    fn carried<'o>(&self, row: u32, given: &'o [Given]) -> Option<&'o Given> {
        let row = &self.nodes[row as usize];
        let values = given.iter().map(|given| given.value);
        let kept = kept(row.operands(&self.lists).reduction(), values);
        given.iter().find(|given| kept(given.value) && hands_on(given.value, row.value))
    }

    /// Whether the node recorded last, made from these, is not REAL and nothing handed that on to it.
    #[inline]
    pub fn is_origin(&self, node: Handle, given: &[Given]) -> bool {
        let row = self.node(node);
        !self.nodes[row as usize].value.is_finite() && self.carried(row, given).is_none()
    }

    /// Lets the node recorded last, a copy of `from`, take over the origin behind that. Returns whether
    /// one was found, among the nearest thousand nodes.
    pub fn inherit_origin(&mut self, node: Handle, from: Handle) -> bool {
        let (from, to) = (self.node(from), self.node(node));
        let behind = successors(Some(from), |&node| self.carrier(node)).take(MOST_STEPS);
        let found = behind.into_iter().find(|&node| self.origins.get(node).is_some());
        if let Some(noted) = found {
            self.hand_on(noted, to, noted != from);
        }
        found.is_some()
    }

    /// The origin behind a value; none if that is REAL.
    pub(crate) fn origin_behind(&self, node: u32) -> Option<u32> {
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
    pub fn origin(&self, node: Handle) -> Option<&Origin> {
        self.origin_of(self.node(node))
    }

    /// The former name of [`origin`](Self::origin).
    #[deprecated(note = "now called `origin`")]
    pub fn birth(&self, node: Handle) -> Option<&Origin> {
        self.origin(node)
    }

    /// The former name of [`note_origin`](Self::note_origin).
    #[deprecated(note = "now called `note_origin`")]
    pub fn note_birth(&mut self, node: Handle, op: Op, given: &[Given], place: u32) {
        self.note_origin(node, op, given, place);
    }

    /// The former name of [`inherit_origin`](Self::inherit_origin).
    #[deprecated(note = "now called `inherit_origin`")]
    pub fn inherit_birth(&mut self, node: Handle, from: Handle) -> bool {
        self.inherit_origin(node, from)
    }

    pub(crate) fn origin_of(&self, node: u32) -> Option<&Origin> {
        self.origins.get(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(graph: &Graph, node: Handle) -> Option<u32> {
        graph.origin(node).map(|origin| origin.place)
    }

    fn given(graph: &Graph, node: Handle) -> Given {
        Given { value: graph.value(node).to_ieee(), node: Some(node) }
    }

    /// `1 / x`, noted at a place.
    fn reciprocal(graph: &mut Graph, x: Handle, at: u32) -> Handle {
        let node = graph.constant_with_binary(Op::Div, 1.0, x, None).handle;
        let given = [Given { value: 1.0, node: None }, given(graph, x)];
        graph.note_origin(node, Op::Div, &given, at);
        node
    }

    #[test]
    fn origins_follow_their_nodes_through_collections() {
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
            let origin = graph.origin(node).expect("noted");
            assert_eq!((origin.op, &*origin.operands, origin.place), (Op::Div, &[1.0, 0.0][..], at));
        }
        kept.iter().rev().for_each(|&node| graph.release(node));
        assert_eq!(graph.origins.len(), 0, "what is cut off is forgotten");
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
        let from = given(&graph, infinite);
        assert!(!graph.begins(carried, &[from]));
        assert_eq!(place(&graph, carried), Some(7));
        let copy = graph.constant(f64::NEG_INFINITY);
        graph.inherit_origin(copy, carried);
        assert_eq!(place(&graph, copy), Some(7));
    }

    #[test]
    fn a_place_may_be_put_in_later() {
        let mut graph = Graph::new();
        let zero = graph.leaf(Op::Parameter, 0.0, None);
        let before = reciprocal(&mut graph, zero, 1);
        let quotient = graph.constant_with_binary(Op::Div, f64::INFINITY, before, None).handle;
        let operands = [Given { value: f64::INFINITY, node: None }, given(&graph, before)];
        graph.note_origin(quotient, Op::Div, &operands, 9);
        let after = reciprocal(&mut graph, zero, 9);
        graph.collect();
        graph.move_origin(quotient, 9, 2);
        assert_eq!([before, quotient, after].map(|node| place(&graph, node)), [Some(1), Some(2), Some(9)]);
        let inputs = graph.inputs(quotient);
        assert_eq!(place(&graph, inputs[0]), Some(2));
        inputs.into_iter().for_each(|input| graph.release(input));
    }

    #[test]
    fn a_bare_number_that_is_not_real_is_noted_as_a_constant() {
        let mut graph = Graph::new();
        let x = graph.leaf(Op::Parameter, 1.0, None);
        let sum = graph.binary_with_constant(Op::Add, x, f64::INFINITY, None).handle;
        let given = [given(&graph, x), Given { value: f64::INFINITY, node: None }];
        assert!(graph.begins(sum, &given));
        graph.note_origin(sum, Op::Add, &given, 3);
        assert_eq!(place(&graph, sum), None);
        let inputs = graph.inputs(sum);
        assert_eq!(graph.origin(inputs[1]).map(|origin| (origin.op, origin.place)), Some((Op::Constant, 3)));
        inputs.into_iter().for_each(|input| graph.release(input));
    }
}
