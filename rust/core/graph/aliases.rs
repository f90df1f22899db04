//! Aliases: nodes that stand for another one.
//!
//! What a condition chose is recorded as an alias, so that the graph holds what was not chosen as well:
//! whether a result requires a gradient, and which leaves it depends on, then does not depend on a value.
//! Everything else is as if the node chosen stood there. A backward pass sends what arrives at an alias on
//! at once, to where a batch sends it, so both add the same contributions in the same order. An alias that is
//! asked for a gradient itself is the exception: there contributions are summed, as at a leaf.

use super::{Graph, Handle, flag};
use crate::op::Op;

/// A side of a choice: a node, or a number.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    /// A node.
    Node(Handle),
    /// A number, which becomes a constant.
    Value(f64),
}

impl Graph {
    /// Records that a condition chose between two: a node that is equal to `chosen` and stands for it.
    /// Gradients flow to that alone; `other` gets a gradient of 0. `None` if `chosen` serves as it is: it is a
    /// node, and `other` is the same one, or none of them may be asked for gradients.
    pub fn choose(&mut self, chosen: Side, other: Side) -> Option<Handle> {
        let (value, own) = self.look_at(chosen);
        let flags = own & flag::INHERITED | self.look_at(other).1 & flag::BY_EITHER;
        let needs_grad = flags & flag::NEEDS_GRAD != 0;
        match (chosen, other) {
            (Side::Node(_), _) if !needs_grad && flags == own && !self.binds(chosen, other) => return None,
            (Side::Node(chosen), Side::Node(other)) if chosen == other => return None,
            _ => {}
        }
        // A constant besides, at most: gradients flow from one of them.
        self.make_room(2);
        let node = if needs_grad {
            let links = [chosen, other].map(|side| match side {
                Side::Node(handle) => self.node(handle),
                Side::Value(value) => self.push_constant(value),
            });
            self.push_alias(value, links, flags)
        } else {
            let [a, b] = [chosen, other].map(|side| self.gradient_side(side));
            self.push_row(Op::Constant, value, [a[0].max(b[0]), a[1] | b[1]], flags)
        };
        Some(self.new_handle(node))
    }

    /// The links of a side that is a constant.
    fn gradient_side(&self, side: Side) -> [u32; 2] {
        match side {
            Side::Node(handle) => self.gradient_links(&[self.node(handle)]),
            Side::Value(_) => [0; 2],
        }
    }

    /// Whether what was not chosen holds a gradient that is bound to the graph, and what was chosen does not.
    fn binds(&self, chosen: Side, other: Side) -> bool {
        self.gradient_side(other)[1] > self.gradient_side(chosen)[1]
    }

    /// The value and the flags of a side.
    fn look_at(&self, side: Side) -> (f64, u8) {
        match side {
            Side::Node(handle) => (self.at(handle).value, self.at(handle).flags),
            Side::Value(value) => (value, 0),
        }
    }

    /// Records a node that is equal to the given one and stands for it, and that gradients may be asked for
    /// in any case: [`gradients_of`](Self::gradients_of) takes it for a leaf.
    pub fn alias(&mut self, node: Handle) -> Handle {
        self.make_room(1);
        let below = self.node(node);
        let row = self.nodes[below as usize];
        let flags = row.flags & flag::INHERITED | flag::NEEDS_GRAD | flag::FLOWS;
        let alias = self.push_alias(row.value, [below; 2], flags);
        self.new_handle(alias)
    }

    fn push_alias(&mut self, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let alias = self.push_row(Op::Where, value, links, flags | flag::ALIAS);
        self.first_alias = self.first_alias.min(alias);
        alias
    }

    /// Whether there may be an alias below a node. If not, nobody needs to look for one.
    pub(crate) fn may_lead_to_alias(&self, node: u32) -> bool {
        self.first_alias <= node
    }

    /// The node itself, unless it is an alias that nobody holds any more: then what that stands for.
    pub(crate) fn behind_done_aliases(&self, mut node: u32) -> u32 {
        while self.nodes[node as usize].is_alias() && !self.is_held(node) {
            node = self.nodes[node as usize].links[0];
        }
        node
    }

    /// The node that this one stands for, which may be itself.
    #[inline(always)]
    pub(crate) fn stands_for(&self, mut node: u32) -> u32 {
        while self.nodes[node as usize].is_alias() {
            node = self.nodes[node as usize].links[0];
        }
        node
    }
}
