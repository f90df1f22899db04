//! Gradients as operands.
//!
//! A gradient that a caller puts back into the graph is a constant: how it depends on what it was computed
//! at is not recorded. So it bears a flag that goes on to all that is computed from it, and a pass that
//! would have to differentiate it is refused. That is so if a source was there before the gradient was;
//! a constant therefore holds the place of the newest gradient that it was computed from.

use super::{Graph, Handle, Node, UNOWNED, flag};
use crate::op::Op;

impl Node {
    /// The place where the gradient stood, when it was recorded, that a constant holds or was computed from.
    pub fn gradient_since(&self) -> Option<u32> {
        (self.op == Op::Constant && self.flags & flag::GRADIENT != 0).then_some(self.links[0])
    }
}

impl Graph {
    /// Whether the node is a constant that holds, or was computed from, a gradient that depends on what other
    /// gradients may be asked for.
    pub fn is_gradient(&self, handle: Handle) -> bool {
        self.at(handle).gradient_since().is_some()
    }

    /// Appends a constant that was computed from a gradient.
    #[cold]
    #[inline(never)]
    pub(super) fn push_gradient(&mut self, op: Op, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let made = Node { value, links, owner: UNOWNED, op, flags };
        let since = self.gradient_since(made.operands(&self.lists).inputs());
        self.push_row(Op::Constant, value, [since, 0], flags)
    }

    /// The place of the newest gradient among these constants.
    pub(super) fn gradient_since(&self, nodes: &[u32]) -> u32 {
        let places = nodes.iter().filter_map(|&node| self.nodes[node as usize].gradient_since());
        places.max().unwrap_or(0)
    }
}
