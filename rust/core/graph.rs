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
//! Memory may be refused. Recording panics then, as Rust programs do; who would rather go on without calls
//! [`Graph::reserve`] and its like first, after which a recording takes no memory.
//!
//! An op none of whose inputs needs a gradient gives a constant: it records no operands, so a
//! running average does not hold on to its history.

pub mod origins;

/// The former name of [`origins`].
#[deprecated(note = "now called `origins`")]
pub mod births {
    pub use super::origins::{Given as Origin, MOST_OPERANDS, Origin as Birth};
}

pub mod aliases;
mod collect;
mod eras;
mod gradient_pass;
mod gradients;
mod handle;
mod handles;
mod join;
mod leaf;
mod leaves;
mod notes;
mod record;

use crate::adjoints::Adjoints;
use crate::error::Error;
use crate::mode::ModeState;
use crate::node_set::NodeSet;
use crate::op::{Arity, Op};
use crate::reduce::Reduction;
use crate::room::{granted, reserve_exact};
use crate::scalar::TrScalar;
use crate::status::Status;
use eras::Eras;
pub(crate) use gradient_pass::GradientPass;
use gradient_pass::RecordedGradients;
pub use gradients::Dependence;
pub use handle::Handle;
use handle::{HandleSlot, UNOWNED};
pub use join::Moved;
use leaf::Leaf;
pub(crate) use leaf::{Versions, accumulate};
use origins::Origins;
pub use record::Recorded;

/// A recorded operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub value: f64,
    /// Two operands; or one and the exponent; or the start in `lists` and the packed length; or what an
    /// alias stands for and what was not chosen; or the place of a leaf in its table and the version; or since
    /// when a constant holds a gradient; or the gradients of which this is one, and its place and status.
    pub links: [u32; 2],
    /// The handle slot of this node, or [`UNOWNED`].
    owner: u32,
    pub op: Op,
    pub flags: u8,
}

const _: () = assert!(size_of::<Node>() == 24);

impl Node {
    /// Whether the node is, or depends on, what gradients may be asked for.
    #[inline(always)]
    pub fn needs_grad(&self) -> bool {
        self.flags & flag::NEEDS_GRAD != 0
    }

    /// Whether gradients flow to or through the node.
    #[inline(always)]
    pub fn flows(&self) -> bool {
        self.flags & flag::FLOWS != 0
    }

    /// Whether it stands for another node.
    #[inline(always)]
    pub fn is_alias(&self) -> bool {
        self.flags & flag::ALIAS != 0
    }

    /// Whether it is an alias that may be a source of its own, and not a choice.
    pub fn is_source_alias(&self) -> bool {
        self.is_alias() && self.links[0] == self.links[1]
    }

    /// Whether contributions stay at the node: gradients flow to it, and it stands for no other. The two
    /// bits are the highest ones, so that one comparison tells.
    #[inline(always)]
    pub fn receives(&self) -> bool {
        self.flags as i8 >= flag::FLOWS as i8
    }

    /// What the value was made from, and where contributions go, given the arena's lists.
    #[inline(always)]
    pub fn operands<'g>(&self, lists: &'g [u32]) -> Operands<'g> {
        match self.op.arity() {
            Arity::Leaf => Operands::Fixed(self.links, 0),
            Arity::Unary | Arity::Power | Arity::Alias | Arity::Gradient => Operands::Fixed(self.links, 1),
            Arity::Binary => Operands::Fixed(self.links, 2),
            Arity::Variadic => {
                let (start, len) = self.list();
                Operands::List(&lists[start..start + len], Reduction::ALL[(self.links[1] & 3) as usize])
            }
            Arity::Gradients => {
                let (start, len) = self.list();
                Operands::List(&lists[start..start + len], Reduction::Strict)
            }
        }
    }

    /// All nodes that the row names: the operands and, behind what a condition chose, the other one.
    #[inline(always)]
    pub fn references<'g>(&self, lists: &'g [u32]) -> Operands<'g> {
        match self.op.arity() {
            Arity::Alias if !self.is_source_alias() => Operands::Fixed(self.links, 2),
            _ => self.operands(lists),
        }
    }

    /// Whether the node is a parameter or an input.
    #[inline(always)]
    pub fn has_leaf(&self) -> bool {
        matches!(self.op, Op::Parameter | Op::Input)
    }

    /// Whether its operands stand in the arena's lists.
    pub fn has_list(&self) -> bool {
        matches!(self.op.arity(), Arity::Variadic | Arity::Gradients)
    }

    /// Where the operands that stand in the arena's lists begin there, and how many they are.
    pub fn list(&self) -> (usize, usize) {
        (self.links[0] as usize, (self.links[1] >> 2) as usize)
    }
}

/// The operands of a node.
pub(crate) enum Operands<'g> {
    /// The first `usize` of the two.
    Fixed([u32; 2], usize),
    /// Those of a variadic op, and which it keeps.
    List(&'g [u32], Reduction),
}

impl Operands<'_> {
    /// The operands' nodes, in order.
    pub fn inputs(&self) -> &[u32] {
        match self {
            Self::Fixed(inputs, count) => &inputs[..*count],
            Self::List(inputs, _) => inputs,
        }
    }

    /// Which of them a sum or mean keeps; other ops keep all.
    pub fn reduction(&self) -> Reduction {
        match self {
            Self::Fixed(..) => Reduction::Strict,
            Self::List(_, mode) => *mode,
        }
    }

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
    /// The node is, or depends on, a parameter, an input or a watched constant: also through what a
    /// condition did not choose, so that it never depends on a value.
    pub const NEEDS_GRAD: u8 = 1;
    /// The node is, or depends on, an input (a coordinate of exploration regions).
    pub const ON_INPUT: u8 = 2;
    /// The node is, or depends on, a parameter or an input.
    pub const LEARNS: u8 = 4;
    /// The node was computed from a gradient that may depend on what other gradients are asked for, which
    /// is not recorded.
    pub const GRADIENT: u8 = 8;
    /// A leaf or an alias that was made for a call of a function to be differentiated, while the call lasts.
    pub const ARGUMENT: u8 = 0x10;
    /// Gradients flow to or through this node: it depends on such a leaf through what was chosen.
    pub const FLOWS: u8 = 0x40;
    /// The node stands for another one, to which its contributions go.
    pub const ALIAS: u8 = 0x80;
    /// What a choice takes over from what was not chosen.
    pub const BY_EITHER: u8 = NEEDS_GRAD | LEARNS | GRADIENT;
    /// What a node takes over from its operands.
    pub const INHERITED: u8 = NEEDS_GRAD | ON_INPUT | LEARNS | GRADIENT | FLOWS;
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
    slots: Vec<HandleSlot>,
    /// The first handle slot not in use; its `node` is the next one.
    free_slot: u32,
    set: NodeSet,
    remap: Vec<u32>,
    origins: Origins,
    recorded_gradients: RecordedGradients,
    pub(crate) eras: Eras,
    last_pass: LastPass,
    /// No alias is older than this one; it may be gone, or stand for none.
    first_alias: u32,
    /// Behind the newest node that has an origin, records gradients or was the root of the last pass, and not
    /// before the last era.
    noted_end: usize,
}

/// A backward pass, as it can be run again.
#[derive(Clone, Debug)]
pub(crate) struct LastPass {
    pub root: u32,
    /// The root's adjoint.
    pub seed: f64,
    pub state: ModeState,
    /// Whether the hysteresis policy saturated.
    pub saturates: bool,
}

impl Default for LastPass {
    fn default() -> Self {
        Self { root: UNOWNED, seed: 1.0, state: ModeState::default(), saturates: false }
    }
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
            slots: vec![],
            free_slot: UNOWNED,
            set: NodeSet::default(),
            remap: vec![],
            origins: Origins::default(),
            recorded_gradients: RecordedGradients::default(),
            eras: Eras::default(),
            last_pass: LastPass::default(),
            first_alias: UNOWNED,
            noted_end: 0,
        }
    }
}

/// What a handle's node holds.
impl Graph {
    #[inline(always)]
    fn at(&self, handle: Handle) -> &Node {
        &self.nodes[self.node(handle) as usize]
    }

    /// The value.
    #[inline]
    pub fn value(&self, handle: Handle) -> TrScalar {
        TrScalar::from_ieee(self.at(handle).value)
    }

    /// The operation that made the node.
    pub fn op(&self, handle: Handle) -> Op {
        self.at(handle).op
    }

    /// Whether gradients may be asked for: a parameter, an input, or what depends on one.
    pub fn requires_grad(&self, handle: Handle) -> bool {
        let node = self.at(handle);
        node.needs_grad() && node.op != Op::Constant
    }

    /// Whether the node is, or depends on, a parameter or an input.
    pub fn learns(&self, handle: Handle) -> bool {
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

    /// Which inputs a variadic op keeps.
    pub fn reduction(&self, handle: Handle) -> Option<Reduction> {
        match self.at(handle).operands(&self.lists) {
            Operands::List(_, mode) => Some(mode),
            Operands::Fixed(..) => None,
        }
    }

    /// New handles on the operands, in operand order; none for a leaf. Of a choice, what was chosen comes
    /// first.
    pub fn inputs(&mut self, handle: Handle) -> Vec<Handle> {
        granted(self.try_inputs(handle))
    }

    /// [`Graph::inputs`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn try_inputs(&mut self, handle: Handle) -> Result<Vec<Handle>, Error> {
        let operands = self.at(handle).references(&self.lists);
        let mut inputs = vec![];
        reserve_exact(&mut inputs, operands.inputs().len())?;
        inputs.extend(operands.inputs());
        self.handles(&inputs)
    }

    /// The gradient and how it came about: accumulated over backward passes for a parameter or
    /// input, the adjoint of the last pass for any other node, `None` before the first.
    pub fn gradient(&self, handle: Handle) -> Option<(TrScalar, Status)> {
        let place = self.stands_for(self.node(handle));
        let node = &self.nodes[place as usize];
        let found = if node.has_leaf() {
            self.leaves[node.links[0] as usize].gradient
        } else {
            self.adjoints.get(place)
        };
        found.map(|(gradient, status)| (TrScalar::from_ieee(gradient), status))
    }

    /// Whether the node is a parameter or input.
    pub fn is_leaf(&self, handle: Handle) -> bool {
        self.at(handle).has_leaf()
    }

    /// Whether the node is a parameter or input that has a gradient.
    pub fn has_leaf_gradient(&self, handle: Handle) -> bool {
        let node = self.at(handle);
        node.has_leaf() && self.leaves[node.links[0] as usize].gradient.is_some()
    }

    /// How the gradient came about; for a node made by [`Graph::gradient_node`] or
    /// [`Graph::record_gradients`], how the gradient that it holds did.
    pub fn status(&self, handle: Handle) -> Status {
        if let Some((_, status)) = self.at(handle).recorded_gradient() {
            return status;
        }
        match self.gradient(handle) {
            Some((_, status)) => status,
            None => self.adjoints.status(self.stands_for(self.node(handle))),
        }
    }

    /// Sets the gradient to REAL 0 and its status to exact.
    pub fn zero_gradient(&mut self, handle: Handle) {
        let place = self.stands_for(self.node(handle));
        let node = self.nodes[place as usize];
        if node.has_leaf() {
            self.leaves[node.links[0] as usize].gradient = Some((0.0, Status::EXACT));
        } else {
            granted(self.adjoints.grow(self.len));
            self.adjoints.set_zero(place);
        }
    }

    /// Whether some leaf has no gradient yet.
    pub(crate) fn lacks_gradients(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.gradient.is_none())
    }

    /// Sets the gradient of the leaf at this place to 0 if it has none.
    pub(crate) fn zero_if_none(&mut self, place: u32) {
        self.leaves[place as usize].gradient.get_or_insert((0.0, Status::EXACT));
    }

    /// Remembers a pass that begins at `root`.
    pub(crate) fn begin_pass(&mut self, root: u32, seed: f64, state: &ModeState, saturates: bool) {
        self.noted_end = self.noted_end.max(root as usize + 1);
        let last = &mut self.last_pass;
        (last.root, last.seed, last.saturates) = (root, seed, saturates);
        if last.state != *state {
            last.state = state.clone();
        }
    }

    /// The last backward pass, if its root is still there.
    pub(crate) fn last_pass(&self) -> Option<&LastPass> {
        (self.last_pass.root != UNOWNED).then_some(&self.last_pass)
    }

    /// Lets gradients flow to a constant in what is recorded from now on: its handles move to a new
    /// row, and what was recorded before keeps the old one.
    pub fn watch(&mut self, handle: Handle) {
        let node = *self.at(handle);
        if node.op == Op::Constant && !node.needs_grad() {
            self.watch_anew(handle);
        }
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
            + self.slots.capacity() * size_of::<HandleSlot>()
            + self.origins.allocated_bytes()
            + self.recorded_gradients.bytes()
    }
}
