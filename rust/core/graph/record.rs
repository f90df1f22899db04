//! Recording: a row is appended, and nothing is counted.

use super::{Graph, Handle, Leaf, Node, UNOWNED, flag};
use crate::op::{Arity, Op};
use crate::reduce::Reduction;

/// A node just recorded. Its value is at hand, so that a caller who looks at it need not fetch it.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// A handle on it.
    pub handle: Handle,
    /// Its value as a double.
    pub value: f64,
    /// What it was computed from; the one operand twice.
    pub operands: [f64; 2],
}

impl Graph {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a value that no gradient flows to.
    #[inline(always)]
    pub fn constant(&mut self, value: f64) -> Handle {
        self.make_room(1);
        let node = self.push_constant(value);
        self.new_handle(node)
    }

    /// Records what an op made of constants.
    #[inline(always)]
    pub fn computed_constant(&mut self, value: f64, operands: [f64; 2]) -> Recorded {
        Recorded { handle: self.constant(value), value, operands }
    }

    /// Records a leaf; `op` is `Constant`, `Parameter` or `Input`.
    pub fn leaf(&mut self, op: Op, value: f64, name: Option<&str>) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Leaf);
        self.make_room(1);
        let flags = match op {
            Op::Parameter => flag::NEEDS_GRAD | flag::FLOWS | flag::LEARNS,
            Op::Input => flag::NEEDS_GRAD | flag::FLOWS | flag::LEARNS | flag::ON_INPUT,
            _ => 0,
        };
        let place = self.leaves.len() as u32;
        let node = self.push_row(op, value, [place, 0], flags);
        if flags != 0 {
            self.leaves.push(Leaf::new(node, name));
        }
        self.new_handle(node)
    }

    /// Records `op(a, b)`.
    #[inline(always)]
    pub fn binary(&mut self, op: Op, a: Handle, b: Handle) -> Handle {
        self.binary_taking(op, a, b, None).handle
    }

    /// Records `op(a, b)` and releases `taken`, one of the two, in one go.
    #[inline(always)]
    pub fn binary_taking(&mut self, op: Op, a: Handle, b: Handle, taken: Option<Handle>) -> Recorded {
        self.make_room(1);
        let (node, value, operands) = self.push_binary(op, self.node(a), self.node(b));
        Recorded { handle: self.handle_from(node, taken), value, operands }
    }

    /// Records `op(a, constant)`, and releases `taken` if it is given: `a`.
    #[inline(always)]
    pub fn binary_with_constant(
        &mut self,
        op: Op,
        a: Handle,
        constant: f64,
        taken: Option<Handle>,
    ) -> Recorded {
        self.make_room(2);
        let (a, b) = (self.node(a), self.push_constant(constant));
        let (node, value, operands) = self.push_binary(op, a, b);
        Recorded { handle: self.handle_from(node, taken), value, operands }
    }

    /// Records `op(constant, b)`, and releases `taken` if it is given: `b`.
    #[inline(always)]
    pub fn constant_with_binary(
        &mut self,
        op: Op,
        constant: f64,
        b: Handle,
        taken: Option<Handle>,
    ) -> Recorded {
        self.make_room(2);
        let (a, b) = (self.push_constant(constant), self.node(b));
        let (node, value, operands) = self.push_binary(op, a, b);
        Recorded { handle: self.handle_from(node, taken), value, operands }
    }

    /// Records `op(a)`.
    #[inline(always)]
    pub fn unary(&mut self, op: Op, a: Handle) -> Handle {
        self.unary_with_immediate(op, a, 0).handle
    }

    /// Records `aⁿ`.
    #[inline(always)]
    pub fn pow_int(&mut self, a: Handle, n: i32) -> Handle {
        self.unary_with_immediate(Op::PowInt, a, n).handle
    }

    /// Records an op of one operand; `n` is the exponent of a power, and 0 otherwise.
    #[inline(always)]
    pub fn unary_with_immediate(&mut self, op: Op, a: Handle, n: i32) -> Recorded {
        self.make_room(1);
        let a = self.node(a);
        let Node { value: x, flags, .. } = self.nodes[a as usize];
        let value = op.value(x, f64::from(n));
        let node = self.push(op, value, [a, n as u32], flags);
        Recorded { handle: self.new_handle(node), value, operands: [x; 2] }
    }

    /// Records a variadic op over any number of nodes.
    pub fn reduce(&mut self, op: Op, mode: Reduction, inputs: &[Handle]) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Variadic);
        if self.lists.len() > self.list_room {
            self.collect();
        }
        self.make_room(1);
        let start = self.lists.len();
        assert!(start < u32::MAX as usize, "the live nodes have more than 2^32 inputs");
        self.lists.extend(inputs.iter().map(|h| self.slots[h.0 as usize].node));
        let inputs = &self.lists[start..];
        let value = mode.fold(op, inputs.iter().map(|&i| self.nodes[i as usize].value));
        let flags = inputs.iter().fold(0, |all, &i| all | self.nodes[i as usize].flags);
        let packed = (inputs_len(&self.lists, start) << 2) | mode as u32;
        let node = self.push(op, value, [start as u32, packed], flags);
        if flags & flag::NEEDS_GRAD == 0 {
            self.lists.truncate(start);
        }
        self.new_handle(node)
    }

    /// Moves the handles of a constant to a row of its own that gradients flow to.
    pub(super) fn watch_anew(&mut self, handle: Handle) {
        self.make_room(1);
        let before = self.node(handle);
        let row = self.nodes[before as usize];
        let flags = row.flags | flag::NEEDS_GRAD | flag::FLOWS;
        let watched = self.push_row(Op::Constant, row.value, row.links, flags);
        self.move_handles(handle, watched);
        self.hand_on(before, watched, false);
    }

    #[inline(always)]
    pub(super) fn push_constant(&mut self, value: f64) -> u32 {
        self.push_row(Op::Constant, value, [0; 2], 0)
    }

    #[inline(always)]
    fn push_binary(&mut self, op: Op, a: u32, b: u32) -> (u32, f64, [f64; 2]) {
        let (left, right) = (&self.nodes[a as usize], &self.nodes[b as usize]);
        let operands = [left.value, right.value];
        let value = op.value(operands[0], operands[1]);
        (self.push(op, value, [a, b], left.flags | right.flags), value, operands)
    }

    /// Appends an op whose operands have, together, these flags.
    #[inline(always)]
    fn push(&mut self, op: Op, value: f64, links: [u32; 2], operand_flags: u8) -> u32 {
        let flags = operand_flags & flag::INHERITED;
        if flags & flag::NEEDS_GRAD == 0 {
            return if flags == 0 {
                self.push_constant(value)
            } else {
                self.push_gradient(op, value, links, flags)
            };
        }
        self.push_row(op, value, links, flags)
    }

    #[inline(always)]
    pub(super) fn push_row(&mut self, op: Op, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let node = self.len;
        self.nodes[node] = Node { value, links, owner: UNOWNED, op, flags };
        self.len = node + 1;
        node as u32
    }
}

fn inputs_len(lists: &[u32], start: usize) -> u32 {
    let len = lists.len() - start;
    assert!(len < 1 << 30, "a node has 2^30 inputs or more");
    len as u32
}
