//! The arena: nodes in structure-of-arrays form, in recording order.
//!
//! A node is a row across parallel arrays, and its index is its place in recording order. So an
//! operand always has a smaller index than the node that uses it, and a reverse sweep over indices
//! is a reverse topological order. That invariant is never given up: nodes are reclaimed by
//! **sliding** the live ones down, not by reusing holes.
//!
//! What keeps a node alive is a [`Handle`] on it or on a descendant. Recording therefore counts
//! nothing: it appends a row. When the arena has grown to twice what was last found alive, a
//! collection marks from the handles down and slides; its cost is proportional to what is alive,
//! and at least as many rows were recorded since the last one. Nodes that die at the end of the
//! arena are cut off at once. Nothing here recurses.
//!
//! An op none of whose inputs needs a gradient gives a constant: it records no operands, so a
//! running average does not hold on to its history.

use crate::node_set::{NodeSet, for_each_descending};
use crate::ops::{Arity, Op};
use crate::reduce::Reduction;
use crate::scalar::TrScalar;
use crate::status::Status;

/// A claim on a node, by an index that stays put while nodes slide. Each handle given out must be
/// released once; [`Var`](crate::Var) does so on drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Handle(u32);

impl Handle {
    /// A number that no other node alive has.
    pub const fn id(self) -> u32 {
        self.0
    }
}

/// No handle points here.
const UNOWNED: u32 = u32::MAX;

/// Where a handle points, and how often it was given out.
#[derive(Debug)]
struct Claim {
    node: u32,
    count: u32,
}

/// The flag byte of a node.
pub(crate) mod flag {
    /// Gradients flow to or through this node.
    pub const NEEDS_GRAD: u8 = 1;
    /// The node is, or depends on, an input (a coordinate of exploration regions).
    pub const ON_INPUT: u8 = 2;
}

/// The gradients of nodes. Only backward makes them, so the columns may be shorter than the others.
#[derive(Debug, Default)]
pub(crate) struct Gradients {
    values: Vec<f64>,
    /// 0 for no gradient, else [`Gradients::PRESENT`] and the status.
    marks: Vec<u8>,
}

impl Gradients {
    const PRESENT: u8 = 8;

    /// Makes room for the gradients of so many nodes.
    pub(crate) fn grow(&mut self, nodes: usize) {
        if self.values.len() < nodes {
            self.values.resize(nodes, 0.0);
            self.marks.resize(nodes, 0);
        }
    }

    fn get(&self, node: u32) -> Option<(TrScalar, Status)> {
        let mark = *self.marks.get(node as usize)?;
        let value = TrScalar::from_ieee(self.values[node as usize]);
        (mark != 0).then(|| (value, Status::from_bits_truncate(mark)))
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, node: u32, gradient: f64, status: Status) {
        self.values[node as usize] = gradient;
        self.marks[node as usize] = Self::PRESENT | status.bits();
    }

    /// Adds to a leaf's gradient. One that overflowed to an infinity stays there, so that a
    /// gradient is never `Φ`.
    #[inline(always)]
    pub(crate) fn accumulate(&mut self, node: u32, gradient: f64, status: Status) {
        let i = node as usize;
        let sum = match (self.marks[i], self.values[i]) {
            (0, _) => gradient,
            (_, before) if before.is_infinite() => before,
            (_, before) => before + gradient,
        };
        self.values[i] = sum;
        self.marks[i] |= Self::PRESENT | status.bits();
    }

    fn copy(&mut self, from: usize, to: usize) {
        if from < self.values.len() {
            self.values[to] = self.values[from];
            self.marks[to] = self.marks[from];
        } else if to < self.values.len() {
            self.marks[to] = 0;
        }
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.marks.truncate(len);
    }

    fn shrink_to(&mut self, len: usize) {
        self.values.shrink_to(len);
        self.marks.shrink_to(len);
    }

    fn allocated_bytes(&self) -> usize {
        self.values.capacity() * 9
    }
}

/// Collections never happen below this size; the arrays of so many nodes stay in L1 and L2.
const SMALLEST_NURSERY: usize = 1024;

/// The arena of nodes and the handles on them.
#[derive(Debug)]
pub struct Graph {
    pub(crate) values: Vec<f64>,
    /// Two operands; or one and the exponent; or the start in `lists` and the packed length.
    pub(crate) links: Vec<[u32; 2]>,
    pub(crate) ops: Vec<Op>,
    pub(crate) flags: Vec<u8>,
    owners: Vec<u32>,
    pub(crate) gradients: Gradients,
    /// The operands of variadic nodes, in recording order.
    pub(crate) lists: Vec<u32>,
    /// Names of leaves, in recording order.
    names: Vec<(u32, Box<str>)>,
    claims: Vec<Claim>,
    free_claims: Vec<u32>,
    collect_at: usize,
    set: NodeSet,
    remap: Vec<u32>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            values: vec![],
            links: vec![],
            ops: vec![],
            flags: vec![],
            owners: vec![],
            gradients: Gradients::default(),
            lists: vec![],
            names: vec![],
            claims: vec![],
            free_claims: vec![],
            collect_at: SMALLEST_NURSERY,
            set: NodeSet::default(),
            remap: vec![],
        }
    }
}

/// Recording.
impl Graph {
    /// An empty arena.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a leaf; `op` is `Constant`, `Parameter` or `Input`.
    pub fn leaf(&mut self, op: Op, value: f64, name: Option<&str>) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Leaf);
        self.make_room(1);
        let node = self.push_leaf(op, value);
        if let Some(name) = name {
            self.names.push((node, name.into()));
        }
        self.claim(node)
    }

    /// Records `op(a, b)`.
    #[inline]
    pub fn binary(&mut self, op: Op, a: Handle, b: Handle) -> Handle {
        self.make_room(1);
        let node = self.push_binary(op, self.node(a), self.node(b));
        self.claim(node)
    }

    /// Records `op(a, constant)`.
    #[inline]
    pub fn binary_with_constant(&mut self, op: Op, a: Handle, constant: f64) -> Handle {
        self.make_room(2);
        let (a, b) = (self.node(a), self.push_leaf(Op::Constant, constant));
        let node = self.push_binary(op, a, b);
        self.claim(node)
    }

    /// Records `op(constant, b)`.
    #[inline]
    pub fn constant_with_binary(&mut self, op: Op, constant: f64, b: Handle) -> Handle {
        self.make_room(2);
        let (a, b) = (self.push_leaf(Op::Constant, constant), self.node(b));
        let node = self.push_binary(op, a, b);
        self.claim(node)
    }

    /// Records `op(a)`.
    #[inline]
    pub fn unary(&mut self, op: Op, a: Handle) -> Handle {
        self.unary_with_immediate(op, a, 0)
    }

    /// Records `aⁿ`.
    #[inline]
    pub fn pow_int(&mut self, a: Handle, n: i32) -> Handle {
        self.unary_with_immediate(Op::PowInt, a, n)
    }

    #[inline(always)]
    fn unary_with_immediate(&mut self, op: Op, a: Handle, n: i32) -> Handle {
        self.make_room(1);
        let a = self.node(a);
        let value = op.value(self.values[a as usize], f64::from(n));
        let node = self.push(op, value, [a, n as u32], self.flags[a as usize]);
        self.claim(node)
    }

    /// Records the sum or mean of any number of nodes.
    pub fn reduce(&mut self, op: Op, mode: Reduction, inputs: &[Handle]) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Variadic);
        self.make_room(1);
        let start = self.lists.len();
        self.lists.extend(inputs.iter().map(|h| self.claims[h.0 as usize].node));
        let inputs = &self.lists[start..];
        let (sum, kept) = mode.sum_of(inputs.iter().map(|&i| self.values[i as usize]));
        let value = if op == Op::Mean { sum / kept as f64 } else { sum };
        let flags = inputs.iter().fold(0, |all, &i| all | self.flags[i as usize]);
        if flags & flag::NEEDS_GRAD == 0 {
            self.lists.truncate(start);
        }
        let packed = (inputs_len(&self.lists, start) << 2) | mode as u32;
        let node = self.push(op, value, [start as u32, packed], flags);
        self.claim(node)
    }

    #[inline(always)]
    fn push_leaf(&mut self, op: Op, value: f64) -> u32 {
        let flags = match op {
            Op::Parameter => flag::NEEDS_GRAD,
            Op::Input => flag::NEEDS_GRAD | flag::ON_INPUT,
            _ => 0,
        };
        self.push_row(op, value, [0; 2], flags)
    }

    #[inline(always)]
    fn push_binary(&mut self, op: Op, a: u32, b: u32) -> u32 {
        let (i, j) = (a as usize, b as usize);
        let value = op.value(self.values[i], self.values[j]);
        self.push(op, value, [a, b], self.flags[i] | self.flags[j])
    }

    /// Appends an op whose operands have, together, these flags.
    #[inline(always)]
    fn push(&mut self, op: Op, value: f64, links: [u32; 2], operand_flags: u8) -> u32 {
        let flags = operand_flags & (flag::NEEDS_GRAD | flag::ON_INPUT);
        if flags & flag::NEEDS_GRAD == 0 {
            return self.push_row(Op::Constant, value, [0; 2], 0);
        }
        self.push_row(op, value, links, flags)
    }

    #[inline(always)]
    fn push_row(&mut self, op: Op, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let node = self.values.len();
        self.values.push(value);
        self.links.push(links);
        self.ops.push(op);
        self.flags.push(flags);
        self.owners.push(UNOWNED);
        node as u32
    }
}

fn inputs_len(lists: &[u32], start: usize) -> u32 {
    u32::try_from(lists.len() - start).expect("fewer than 2^30 inputs")
}

/// Handles.
impl Graph {
    /// The row a handle points to.
    #[inline(always)]
    pub(crate) fn node(&self, handle: Handle) -> u32 {
        self.claims[handle.0 as usize].node
    }

    /// A handle on a node: the one it has, counted once more, or a new one.
    #[inline(always)]
    pub(crate) fn claim(&mut self, node: u32) -> Handle {
        let owner = self.owners[node as usize];
        if owner != UNOWNED {
            self.claims[owner as usize].count += 1;
            return Handle(owner);
        }
        let claim = Claim { node, count: 1 };
        let slot = match self.free_claims.pop() {
            Some(slot) => {
                self.claims[slot as usize] = claim;
                slot
            }
            None => {
                self.claims.push(claim);
                (self.claims.len() - 1) as u32
            }
        };
        self.owners[node as usize] = slot;
        Handle(slot)
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
            self.owners[node] = UNOWNED;
            self.free_claims.push(handle.0);
            if node + 1 == self.owners.len() {
                self.cut_tail();
            }
        }
    }

    /// Drops unowned nodes from the end: nothing after them can refer to them.
    fn cut_tail(&mut self) {
        let live = self.owners.iter().rposition(|&o| o != UNOWNED).map_or(0, |last| last + 1);
        if !self.lists.is_empty() {
            let variadic = |&node: &usize| self.ops[node].arity() == Arity::Variadic;
            if let Some(first) = (live..self.ops.len()).find(variadic) {
                self.lists.truncate(self.links[first][0] as usize);
            }
        }
        self.names.truncate(self.names.partition_point(|(node, _)| (*node as usize) < live));
        self.truncate(live);
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.links.truncate(len);
        self.ops.truncate(len);
        self.flags.truncate(len);
        self.owners.truncate(len);
        self.gradients.truncate(len);
    }
}

/// Reclaiming.
impl Graph {
    #[inline(always)]
    fn make_room(&mut self, rows: usize) {
        if self.values.len() + rows > self.collect_at {
            self.collect();
        }
    }

    /// Reclaims every node that no handle and no live descendant can reach.
    #[cold]
    #[inline(never)]
    pub fn collect(&mut self) {
        let live = self.mark();
        if live.len() < self.values.len() {
            self.slide(&live);
        }
        assert!(self.values.len() < UNOWNED as usize / 2, "more than 2^31 live nodes");
        let wanted = (2 * live.len()).max(self.collect_at / 2).max(SMALLEST_NURSERY);
        self.collect_at = wanted.min(UNOWNED as usize);
        self.shrink();
    }

    /// The live nodes, in descending order.
    fn mark(&mut self) -> Vec<u32> {
        self.set.grow(self.values.len());
        for claim in self.claims.iter().filter(|claim| claim.count > 0) {
            self.set.insert(claim.node);
        }
        let mut live = vec![];
        for_each_descending!(self, set, |node| {
            live.push(node);
            match operands(&self.ops, &self.links, &self.lists, node) {
                Operands::Fixed(inputs, count) => {
                    inputs[..count].iter().for_each(|&i| self.set.insert(i));
                }
                Operands::List(inputs, _) => inputs.iter().for_each(|&i| self.set.insert(i)),
            }
        });
        live
    }

    /// Moves the live nodes, given in descending order, to the front without changing their order.
    fn slide(&mut self, live: &[u32]) {
        self.remap.resize(self.remap.len().max(self.values.len()), 0);
        let mut list_end = 0;
        for (new, &old) in live.iter().rev().enumerate() {
            let old = old as usize;
            self.remap[old] = new as u32;
            self.values[new] = self.values[old];
            self.ops[new] = self.ops[old];
            self.flags[new] = self.flags[old];
            self.owners[new] = self.owners[old];
            self.gradients.copy(old, new);
            if self.owners[new] != UNOWNED {
                self.claims[self.owners[new] as usize].node = new as u32;
            }
            let links = self.links[old];
            self.links[new] = match self.ops[new].arity() {
                Arity::Leaf => links,
                Arity::Unary | Arity::Power => [self.remap[links[0] as usize], links[1]],
                Arity::Binary => links.map(|i| self.remap[i as usize]),
                Arity::Variadic => {
                    let (start, len) = (links[0] as usize, (links[1] >> 2) as usize);
                    for k in 0..len {
                        self.lists[list_end + k] = self.remap[self.lists[start + k] as usize];
                    }
                    list_end += len;
                    [(list_end - len) as u32, links[1]]
                }
            };
        }
        self.lists.truncate(list_end);
        let mut kept = live.iter().rev().peekable();
        self.names.retain_mut(|(node, _)| {
            while kept.next_if(|&&l| l < *node).is_some() {}
            let alive = kept.peek() == Some(&&*node);
            *node = self.remap[*node as usize];
            alive
        });
        self.truncate(live.len());
    }

    /// Gives memory back once the columns are much larger than what will be used.
    fn shrink(&mut self) {
        let enough = 2 * self.collect_at;
        if self.values.capacity() > 2 * enough {
            self.values.shrink_to(enough);
            self.links.shrink_to(enough);
            self.ops.shrink_to(enough);
            self.flags.shrink_to(enough);
            self.owners.shrink_to(enough);
            self.gradients.shrink_to(enough);
            self.lists.shrink_to(enough);
            self.remap = vec![];
            self.set = NodeSet::default();
        }
    }
}

/// The operands of a node.
pub(crate) enum Operands<'g> {
    /// The first `usize` of the two.
    Fixed([u32; 2], usize),
    /// Those of a sum or mean, and which it keeps.
    List(&'g [u32], Reduction),
}

/// The operands of a row, from its columns.
#[inline(always)]
pub(crate) fn operands<'g>(ops: &[Op], links: &[[u32; 2]], lists: &'g [u32], node: u32) -> Operands<'g> {
    let links = links[node as usize];
    match ops[node as usize].arity() {
        Arity::Leaf => Operands::Fixed(links, 0),
        Arity::Unary | Arity::Power => Operands::Fixed(links, 1),
        Arity::Binary => Operands::Fixed(links, 2),
        Arity::Variadic => {
            let (start, len) = (links[0] as usize, (links[1] >> 2) as usize);
            Operands::List(&lists[start..start + len], Reduction::ALL[(links[1] & 3) as usize])
        }
    }
}

/// What a handle's node holds.
impl Graph {
    /// The value.
    pub fn value(&self, handle: Handle) -> TrScalar {
        TrScalar::from_ieee(self.values[self.node(handle) as usize])
    }

    /// The operation that made the node.
    pub fn op(&self, handle: Handle) -> Op {
        self.ops[self.node(handle) as usize]
    }

    /// Whether gradients flow to the node: a parameter, an input, or what depends on one.
    pub fn requires_grad(&self, handle: Handle) -> bool {
        self.has_flag(handle, flag::NEEDS_GRAD) && self.op(handle) != Op::Constant
    }

    fn has_flag(&self, handle: Handle, flag: u8) -> bool {
        self.flags[self.node(handle) as usize] & flag != 0
    }

    /// The name given to a leaf.
    pub fn name(&self, handle: Handle) -> Option<&str> {
        let node = self.node(handle);
        let found = self.names.binary_search_by_key(&node, |(n, _)| *n).ok()?;
        Some(&self.names[found].1)
    }

    /// The exponent of a `PowInt` node.
    pub fn exponent(&self, handle: Handle) -> Option<i32> {
        let node = self.node(handle) as usize;
        (self.ops[node] == Op::PowInt).then(|| self.links[node][1] as i32)
    }

    /// Which inputs a sum or mean keeps.
    pub fn reduction(&self, handle: Handle) -> Option<Reduction> {
        match operands(&self.ops, &self.links, &self.lists, self.node(handle)) {
            Operands::List(_, mode) => Some(mode),
            Operands::Fixed(..) => None,
        }
    }

    /// New handles on the operands, in operand order; none for a leaf.
    pub fn inputs(&mut self, handle: Handle) -> Vec<Handle> {
        let inputs = match operands(&self.ops, &self.links, &self.lists, self.node(handle)) {
            Operands::Fixed(inputs, count) => inputs[..count].to_vec(),
            Operands::List(inputs, _) => inputs.to_vec(),
        };
        inputs.into_iter().map(|node| self.claim(node)).collect()
    }

    /// The gradient: accumulated over backward passes for a leaf, the adjoint of the last pass for
    /// any other node, `None` before the first.
    pub fn gradient(&self, handle: Handle) -> Option<TrScalar> {
        self.gradients.get(self.node(handle)).map(|(gradient, _)| gradient)
    }

    /// How the gradient came about.
    pub fn status(&self, handle: Handle) -> Status {
        self.gradients.get(self.node(handle)).map(|(_, status)| status).unwrap_or_default()
    }

    /// Sets the gradient to REAL 0 and its status to exact.
    pub fn zero_gradient(&mut self, handle: Handle) {
        self.gradients.grow(self.values.len());
        self.gradients.set(self.node(handle), 0.0, Status::EXACT);
    }

    /// Lets gradients flow to a constant in what is recorded from now on, or stops it. Returns
    /// whether that changed anything.
    pub fn watch(&mut self, handle: Handle, on: bool) -> bool {
        let node = self.node(handle) as usize;
        let was = self.flags[node] & flag::NEEDS_GRAD != 0;
        if self.ops[node] != Op::Constant || was == on {
            return false;
        }
        self.flags[node] ^= flag::NEEDS_GRAD;
        true
    }

    /// How many nodes the arena holds, live ones and those not yet reclaimed.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the arena holds no node.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes that the columns of the arena occupy.
    pub fn allocated_bytes(&self) -> usize {
        self.values.capacity() * 8
            + self.links.capacity() * 8
            + self.ops.capacity()
            + self.flags.capacity()
            + self.owners.capacity() * 4
            + self.gradients.allocated_bytes()
            + self.lists.capacity() * 4
            + self.remap.capacity() * 4
            + self.claims.capacity() * size_of::<Claim>()
            + self.free_claims.capacity() * 4
    }
}
