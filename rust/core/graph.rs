//! The arena: nodes in recording order.
//!
//! What recording writes and a sweep reads together stands together, in 24 bytes a node; what only
//! a sweep touches (adjoints, marks, gradients) stands in columns of its own, made when the first
//! backward pass asks for them. A node's index is its place in recording order. So an
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

use crate::adjoints::Adjoints;
use crate::node_set::NodeSet;
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

/// A recorded operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub value: f64,
    /// Two operands; or one and the exponent; or the start in `lists` and the packed length.
    pub links: [u32; 2],
    /// The claim on this node, or [`UNOWNED`].
    owner: u32,
    pub op: Op,
    pub flags: u8,
}

const _: () = assert!(size_of::<Node>() == 24);

impl Node {
    /// Whether gradients flow to or through the node.
    #[inline(always)]
    pub fn needs_grad(&self) -> bool {
        self.flags & flag::NEEDS_GRAD != 0
    }

    /// The operands, given the arena's lists.
    #[inline(always)]
    pub fn operands<'g>(&self, lists: &'g [u32]) -> Operands<'g> {
        match self.op.arity() {
            Arity::Leaf => Operands::Fixed(self.links, 0),
            Arity::Unary | Arity::Power => Operands::Fixed(self.links, 1),
            Arity::Binary => Operands::Fixed(self.links, 2),
            Arity::Variadic => {
                let (start, len) = self.list();
                Operands::List(&lists[start..start + len], Reduction::ALL[(self.links[1] & 3) as usize])
            }
        }
    }

    /// Whether the node is a parameter or an input.
    #[inline(always)]
    pub fn has_leaf(&self) -> bool {
        matches!(self.op, Op::Parameter | Op::Input)
    }

    /// Where a variadic node's operands begin in the arena's lists, and how many they are.
    fn list(&self) -> (usize, usize) {
        (self.links[0] as usize, (self.links[1] >> 2) as usize)
    }
}

/// The operands of a node.
pub(crate) enum Operands<'g> {
    /// The first `usize` of the two.
    Fixed([u32; 2], usize),
    /// Those of a sum or mean, and which it keeps.
    List(&'g [u32], Reduction),
}

impl Operands<'_> {
    #[inline(always)]
    pub fn for_each(&self, mut visit: impl FnMut(u32)) {
        match self {
            Self::Fixed(inputs, count) => inputs[..*count].iter().for_each(|&i| visit(i)),
            Self::List(inputs, _) => inputs.iter().for_each(|&i| visit(i)),
        }
    }
}

/// The flag byte of a node.
pub(crate) mod flag {
    /// Gradients flow to or through this node.
    pub const NEEDS_GRAD: u8 = 1;
    /// The node is, or depends on, an input (a coordinate of exploration regions).
    pub const ON_INPUT: u8 = 2;
    /// The node is, or depends on, a parameter or an input.
    pub const LEARNS: u8 = 4;
    /// What a node takes over from its operands.
    pub const INHERITED: u8 = NEEDS_GRAD | ON_INPUT | LEARNS;
}

/// What only a parameter or an input has. The table is in recording order, and the leaf's first
/// link is its place in it.
#[derive(Debug, Default)]
struct Leaf {
    gradient: Option<(f64, Status)>,
    name: Option<Box<str>>,
}

impl Leaf {
    /// Adds to the gradient. One that overflowed to an infinity stays there, so that no gradient
    /// is ever `Φ`.
    fn accumulate(&mut self, gradient: f64, status: Status) {
        self.gradient = Some(match self.gradient {
            None => (gradient, status),
            Some((before, was)) if before.is_infinite() => (before, was | status),
            Some((before, was)) => (before + gradient, was | status),
        });
    }
}

/// Collections never happen below this size; the arrays of so many nodes stay in L1 and L2.
const SMALLEST_NURSERY: usize = 1024;

/// The arena of nodes and the handles on them.
#[derive(Debug)]
pub struct Graph {
    /// The first `len` rows are in use; the others are room made beforehand, so that recording
    /// writes a row and never reallocates on its way.
    pub(crate) nodes: Vec<Node>,
    len: usize,
    /// The adjoints of the last pass; the columns may be shorter than `nodes`.
    pub(crate) adjoints: Adjoints,
    leaves: Vec<Leaf>,
    /// The operands of variadic nodes, in recording order.
    pub(crate) lists: Vec<u32>,
    /// A collection is due when `lists` is longer than this.
    list_room: usize,
    claims: Vec<Claim>,
    /// The first claim not in use; its `node` is the next one.
    free_claim: u32,
    set: NodeSet,
    remap: Vec<u32>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            nodes: vec![],
            len: 0,
            adjoints: Adjoints::default(),
            leaves: vec![],
            lists: vec![],
            list_room: SMALLEST_NURSERY,
            claims: vec![],
            free_claim: UNOWNED,
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

    /// Records a value that no gradient flows to.
    #[inline(always)]
    pub fn constant(&mut self, value: f64) -> Handle {
        self.make_room(1);
        let node = self.push_constant(value);
        self.claim_new(node)
    }

    /// Records a leaf; `op` is `Constant`, `Parameter` or `Input`.
    pub fn leaf(&mut self, op: Op, value: f64, name: Option<&str>) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Leaf);
        self.make_room(1);
        let flags = match op {
            Op::Parameter => flag::NEEDS_GRAD | flag::LEARNS,
            Op::Input => flag::NEEDS_GRAD | flag::LEARNS | flag::ON_INPUT,
            _ => 0,
        };
        let place = self.leaves.len() as u32;
        if flags != 0 {
            self.leaves.push(Leaf { gradient: None, name: name.map(Into::into) });
        }
        let node = self.push_row(op, value, [place, 0], flags);
        self.claim_new(node)
    }

    /// Records `op(a, b)`.
    #[inline(always)]
    pub fn binary(&mut self, op: Op, a: Handle, b: Handle) -> Handle {
        self.binary_taking(op, a, b, None)
    }

    /// Records `op(a, b)` and releases `taken`, one of the two, in one go.
    #[inline(always)]
    pub fn binary_taking(&mut self, op: Op, a: Handle, b: Handle, taken: Option<Handle>) -> Handle {
        self.make_room(1);
        let node = self.push_binary(op, self.node(a), self.node(b));
        self.claim_from(node, taken)
    }

    /// Records `op(a, constant)`, and releases `taken` if it is given: `a`.
    #[inline(always)]
    pub fn binary_with_constant(
        &mut self,
        op: Op,
        a: Handle,
        constant: f64,
        taken: Option<Handle>,
    ) -> Handle {
        self.make_room(2);
        let (a, b) = (self.node(a), self.push_constant(constant));
        let node = self.push_binary(op, a, b);
        self.claim_from(node, taken)
    }

    /// Records `op(constant, b)`, and releases `taken` if it is given: `b`.
    #[inline(always)]
    pub fn constant_with_binary(
        &mut self,
        op: Op,
        constant: f64,
        b: Handle,
        taken: Option<Handle>,
    ) -> Handle {
        self.make_room(2);
        let (a, b) = (self.push_constant(constant), self.node(b));
        let node = self.push_binary(op, a, b);
        self.claim_from(node, taken)
    }

    /// Records `op(a)`.
    #[inline(always)]
    pub fn unary(&mut self, op: Op, a: Handle) -> Handle {
        self.unary_with_immediate(op, a, 0)
    }

    /// Records `aⁿ`.
    #[inline(always)]
    pub fn pow_int(&mut self, a: Handle, n: i32) -> Handle {
        self.unary_with_immediate(Op::PowInt, a, n)
    }

    #[inline(always)]
    fn unary_with_immediate(&mut self, op: Op, a: Handle, n: i32) -> Handle {
        self.make_room(1);
        let a = self.node(a);
        let operand = &self.nodes[a as usize];
        let value = op.value(operand.value, f64::from(n));
        let node = self.push(op, value, [a, n as u32], operand.flags);
        self.claim_new(node)
    }

    /// Records the sum or mean of any number of nodes.
    pub fn reduce(&mut self, op: Op, mode: Reduction, inputs: &[Handle]) -> Handle {
        debug_assert_eq!(op.arity(), Arity::Variadic);
        if self.lists.len() + inputs.len() > self.list_room {
            self.collect();
        }
        self.make_room(1);
        let start = self.lists.len();
        assert!(start < u32::MAX as usize, "the live sums and means have more than 2^32 inputs");
        self.lists.extend(inputs.iter().map(|h| self.claims[h.0 as usize].node));
        let inputs = &self.lists[start..];
        let (sum, kept) = mode.sum_of(inputs.iter().map(|&i| self.nodes[i as usize].value));
        let value = if op == Op::Mean { sum / kept as f64 } else { sum };
        let flags = inputs.iter().fold(0, |all, &i| all | self.nodes[i as usize].flags);
        if flags & flag::NEEDS_GRAD == 0 {
            self.lists.truncate(start);
        }
        let packed = (inputs_len(&self.lists, start) << 2) | mode as u32;
        let node = self.push(op, value, [start as u32, packed], flags);
        self.claim_new(node)
    }

    #[inline(always)]
    fn push_constant(&mut self, value: f64) -> u32 {
        self.push_row(Op::Constant, value, [0; 2], 0)
    }

    #[inline(always)]
    fn push_binary(&mut self, op: Op, a: u32, b: u32) -> u32 {
        let (left, right) = (&self.nodes[a as usize], &self.nodes[b as usize]);
        let value = op.value(left.value, right.value);
        self.push(op, value, [a, b], left.flags | right.flags)
    }

    /// Appends an op whose operands have, together, these flags.
    #[inline(always)]
    fn push(&mut self, op: Op, value: f64, links: [u32; 2], operand_flags: u8) -> u32 {
        let flags = operand_flags & flag::INHERITED;
        if flags & flag::NEEDS_GRAD == 0 {
            return self.push_constant(value);
        }
        self.push_row(op, value, links, flags)
    }

    #[inline(always)]
    fn push_row(&mut self, op: Op, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let node = self.len;
        self.nodes[node] = Node { value, links, owner: UNOWNED, op, flags };
        self.len = node + 1;
        node as u32
    }
}

fn inputs_len(lists: &[u32], start: usize) -> u32 {
    let len = lists.len() - start;
    assert!(len < 1 << 30, "a sum or mean has 2^30 inputs or more");
    len as u32
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
        let owner = self.nodes[node as usize].owner;
        if owner == UNOWNED {
            return self.claim_new(node);
        }
        self.claims[owner as usize].count += 1;
        Handle(owner)
    }

    /// The first handle on a node.
    #[inline(always)]
    fn claim_new(&mut self, node: u32) -> Handle {
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
    fn claim_from(&mut self, node: u32, taken: Option<Handle>) -> Handle {
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
    fn cut_tail(&mut self) {
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

    fn truncate(&mut self, len: usize) {
        self.len = len;
        self.adjoints.truncate(len);
    }
}

/// Reclaiming.
impl Graph {
    #[inline(always)]
    fn make_room(&mut self, rows: usize) {
        if self.len + rows > self.nodes.len() {
            self.collect();
        }
    }

    /// Reclaims every node that no handle and no live descendant can reach.
    #[cold]
    #[inline(never)]
    pub fn collect(&mut self) {
        let live = self.mark();
        if live.len() < self.len {
            self.slide(&live);
        }
        assert!(self.len < UNOWNED as usize / 2, "more than 2^31 live nodes");
        let wanted = room_for(self.len).max(self.nodes.len() / 2).max(SMALLEST_NURSERY);
        self.set_room(wanted);
        self.list_room = room_for(self.lists.len()).max(SMALLEST_NURSERY);
    }

    /// The live nodes, in descending order.
    fn mark(&mut self) -> Vec<u32> {
        self.set.grow(self.len);
        // The owned nodes are found from the claims or from the rows, whichever are fewer: a burst of
        // handles leaves a long table of free claims behind.
        if self.claims.len() <= self.len {
            for claim in self.claims.iter().filter(|claim| claim.count > 0) {
                self.set.insert(claim.node);
            }
        } else {
            for (node, row) in self.nodes[..self.len].iter().enumerate() {
                if row.owner != UNOWNED {
                    self.set.insert(node as u32);
                }
            }
        }
        let mut live = vec![];
        while let Some(node) = self.set.take_last() {
            live.push(node);
            let operands = self.nodes[node as usize].operands(&self.lists);
            operands.for_each(|input| self.set.insert(input));
        }
        live
    }

    /// Moves the live nodes, given in descending order, to the front without changing their order.
    fn slide(&mut self, live: &[u32]) {
        self.remap.resize(self.remap.len().max(self.len), 0);
        let (mut list_end, mut leaf_end) = (0, 0);
        for (new, &old) in live.iter().rev().enumerate() {
            let old = old as usize;
            self.remap[old] = new as u32;
            self.adjoints.slide(old, new);
            let mut node = self.nodes[old];
            if node.owner != UNOWNED {
                self.claims[node.owner as usize].node = new as u32;
            }
            match node.op.arity() {
                Arity::Leaf if node.has_leaf() => {
                    self.leaves.swap(leaf_end, node.links[0] as usize);
                    node.links[0] = leaf_end as u32;
                    leaf_end += 1;
                }
                Arity::Leaf => {}
                Arity::Unary | Arity::Power => node.links[0] = self.remap[node.links[0] as usize],
                Arity::Binary => node.links = node.links.map(|i| self.remap[i as usize]),
                Arity::Variadic => {
                    let (start, len) = node.list();
                    node.links[0] = list_end as u32;
                    for k in start..start + len {
                        self.lists[list_end] = self.remap[self.lists[k] as usize];
                        list_end += 1;
                    }
                }
            }
            self.nodes[new] = node;
        }
        self.lists.truncate(list_end);
        self.leaves.truncate(leaf_end);
        self.truncate(live.len());
    }

    /// Makes room for so many rows, and gives memory back that is much more than they need.
    fn set_room(&mut self, rows: usize) {
        let empty = Node { value: 0.0, links: [0; 2], owner: UNOWNED, op: Op::Constant, flags: 0 };
        self.nodes.reserve_exact(rows.saturating_sub(self.nodes.len()));
        self.nodes.resize(rows, empty);
        if self.nodes.capacity() > 4 * rows {
            self.nodes.shrink_to(rows);
            self.adjoints.shrink_to(rows);
            self.leaves.shrink_to(rows);
            self.lists.shrink_to(rows);
            self.set = NodeSet::default();
        }
        if self.remap.len() > SMALLEST_NURSERY {
            self.remap = vec![];
        }
    }
}

/// How much room to make when so much is alive: in proportion, so that collecting costs a constant
/// per row recorded, and less generously for large arenas.
fn room_for(live: usize) -> usize {
    if live < 1 << 16 { 2 * live } else { live + live / 2 }
}

/// What a handle's node holds.
impl Graph {
    #[inline(always)]
    fn at(&self, handle: Handle) -> &Node {
        &self.nodes[self.node(handle) as usize]
    }

    /// The value.
    pub fn value(&self, handle: Handle) -> TrScalar {
        TrScalar::from_ieee(self.at(handle).value)
    }

    /// The operation that made the node.
    pub fn op(&self, handle: Handle) -> Op {
        self.at(handle).op
    }

    /// Whether gradients flow to the node: a parameter, an input, or what depends on one.
    pub fn requires_grad(&self, handle: Handle) -> bool {
        let node = self.at(handle);
        node.needs_grad() && node.op != Op::Constant
    }

    /// Whether the node is, or depends on, a parameter or an input.
    pub(crate) fn learns(&self, handle: Handle) -> bool {
        self.at(handle).flags & flag::LEARNS != 0
    }

    /// The name given to a parameter or input.
    pub fn name(&self, handle: Handle) -> Option<&str> {
        let node = self.at(handle);
        node.has_leaf().then(|| self.leaves[node.links[0] as usize].name.as_deref())?
    }

    /// The exponent of a `PowInt` node.
    pub fn exponent(&self, handle: Handle) -> Option<i32> {
        let node = self.at(handle);
        (node.op == Op::PowInt).then_some(node.links[1] as i32)
    }

    /// Which inputs a sum or mean keeps.
    pub fn reduction(&self, handle: Handle) -> Option<Reduction> {
        match self.at(handle).operands(&self.lists) {
            Operands::List(_, mode) => Some(mode),
            Operands::Fixed(..) => None,
        }
    }

    /// New handles on the operands, in operand order; none for a leaf.
    pub fn inputs(&mut self, handle: Handle) -> Vec<Handle> {
        let mut inputs = vec![];
        self.at(handle).operands(&self.lists).for_each(|input| inputs.push(input));
        inputs.into_iter().map(|node| self.claim(node)).collect()
    }

    /// The gradient and how it came about: accumulated over backward passes for a parameter or
    /// input, the adjoint of the last pass for any other node, `None` before the first.
    pub fn gradient(&self, handle: Handle) -> Option<(TrScalar, Status)> {
        let node = self.at(handle);
        let found = if node.has_leaf() {
            self.leaves[node.links[0] as usize].gradient
        } else {
            self.adjoints.get(self.node(handle))
        };
        found.map(|(gradient, status)| (TrScalar::from_ieee(gradient), status))
    }

    /// How the gradient came about; for a constant made by [`Graph::gradient_node`], how the
    /// gradient that it holds did.
    pub fn status(&self, handle: Handle) -> Status {
        match self.gradient(handle) {
            Some((_, status)) => status,
            None => self.adjoints.status(self.node(handle)),
        }
    }

    /// A constant that holds a gradient and remembers how it came about.
    pub fn gradient_node(&mut self, gradient: TrScalar, status: Status) -> Handle {
        let handle = self.constant(gradient.to_ieee());
        if status != Status::EXACT {
            self.adjoints.grow(self.len);
            self.adjoints.set_status(self.node(handle), status);
        }
        handle
    }

    /// Sets the gradient to REAL 0 and its status to exact.
    pub fn zero_gradient(&mut self, handle: Handle) {
        let node = *self.at(handle);
        if node.has_leaf() {
            self.leaves[node.links[0] as usize].gradient = Some((0.0, Status::EXACT));
        } else {
            self.adjoints.grow(self.len);
            self.adjoints.set_zero(self.node(handle));
        }
    }

    /// Adds to the gradient of a parameter or input.
    pub(crate) fn accumulate(&mut self, node: u32, gradient: f64, status: Status) {
        let place = self.nodes[node as usize].links[0] as usize;
        self.leaves[place].accumulate(gradient, status);
    }

    /// Lets gradients flow to a constant in what is recorded from now on.
    pub fn watch(&mut self, handle: Handle) {
        let node = self.node(handle) as usize;
        self.nodes[node].flags |= flag::NEEDS_GRAD;
    }

    /// How many nodes the arena holds, live ones and those not yet reclaimed.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the arena holds no node.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that the columns of the arena occupy.
    pub fn allocated_bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>()
            + self.adjoints.allocated_bytes()
            + self.leaves.capacity() * size_of::<Leaf>()
            + self.lists.capacity() * 4
            + self.remap.capacity() * 4
            + self.claims.capacity() * size_of::<Claim>()
    }
}
