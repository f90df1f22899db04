//! A traced function as data: nodes in recording order, to be replayed on every sample of a batch.
//!
//! The first nodes are the elements of the arguments. A node's operands come before it, as in the
//! arena, and nothing is folded, merged or reordered: the program replays what the scalar path
//! would record. Conditions and selections are no ops of the table, since the scalar path decides
//! them while it records; here they are nodes whose truth is 1 or 0.

use crate::error::Error;
use crate::op::{Arity, Notation, Op};
use crate::reduce::Reduction;
use crate::room::{self, granted};
use std::fmt;

/// A node of a [`Program`], by its place.
pub type NodeId = u32;

/// A total predicate on transreal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Predicate {
    /// a < b in the transreal order; false with Φ.
    Less,
    /// a ≤ b in the transreal order; false with Φ.
    LessEqual,
    /// a = b by tag, then by value: Φ equals Φ.
    Equal,
    /// a is a finite number.
    IsReal,
    /// a is +∞ or −∞.
    IsInfinite,
    /// a is Φ.
    IsPhi,
    /// Both conditions hold.
    And,
    /// At least one of the conditions holds.
    Or,
    /// The condition does not hold.
    Not,
}

impl Predicate {
    /// How many operands it has.
    pub const fn operands(self) -> usize {
        match self {
            Self::IsReal | Self::IsInfinite | Self::IsPhi | Self::Not => 1,
            _ => 2,
        }
    }

    /// Whether its operands are conditions.
    pub const fn is_logical(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Not)
    }

    /// Whether it holds; conditions are 1 or 0.
    #[inline(always)]
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Less => a < b,
            Self::LessEqual => a <= b,
            Self::Equal => (a == b) | (a.is_nan() & b.is_nan()),
            Self::IsReal => a.is_finite(),
            Self::IsInfinite => a.is_infinite(),
            Self::IsPhi => a.is_nan(),
            Self::And => (a != 0.0) & (b != 0.0),
            Self::Or => (a != 0.0) | (b != 0.0),
            Self::Not => a == 0.0,
        }
    }

    /// The name; Python puts `tr_` before it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Less => "less",
            Self::LessEqual => "less_equal",
            Self::Equal => "equal",
            Self::IsReal => "is_real",
            Self::IsInfinite => "is_infinite",
            Self::IsPhi => "is_phi",
            Self::And => "and",
            Self::Or => "or",
            Self::Not => "not",
        }
    }
}

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A number that stands in the program.
    Constant(f64),
    /// An element of an argument, by its place among all elements.
    Argument(u32),
    /// An op of the table of one or two operands.
    Elementwise(Op),
    /// A power with an integer exponent.
    Power(i32),
    /// A sum or a mean.
    Fold(Op, Reduction),
    /// A predicate, as 1 or 0.
    Condition(Predicate),
    /// The second operand where the first one, a condition, holds, else the third.
    Select,
}

/// A node: what it computes, and from what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub kind: Kind,
    /// Its operands stand in the program's lists from the first up to the second.
    operands: (u32, u32),
}

/// An argument of the traced function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name, for the listing.
    pub name: String,
    /// The shape of what one sample sees.
    pub shape: Vec<usize>,
    /// Whether every sample has its own.
    pub per_sample: bool,
}

impl Argument {
    /// How many numbers one sample sees.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A traced function.
#[derive(Clone, Debug, Default)]
pub struct Program {
    arguments: Vec<Argument>,
    /// Where each argument's elements begin, and at the end their number.
    offsets: Vec<u32>,
    nodes: Vec<Node>,
    lists: Vec<NodeId>,
    outputs: Vec<NodeId>,
}

/// The most nodes, and operands of nodes, that a program may have.
const MOST: usize = 1 << 31;

impl Program {
    /// A program that so far has only its arguments' elements, the nodes from 0 up.
    ///
    /// # Panics
    /// If the elements are 2³¹ or more, and for want of memory.
    pub fn new(arguments: Vec<Argument>) -> Self {
        granted(Self::try_new(arguments))
    }

    /// [`Program::new`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    ///
    /// # Panics
    /// If the elements are 2³¹ or more.
    pub fn try_new(arguments: Vec<Argument>) -> Result<Self, Error> {
        let mut program = Self { offsets: vec![0], ..Self::default() };
        for argument in &arguments {
            let from = program.nodes.len();
            let size = argument.size();
            assert!(size < MOST - from, "a program takes fewer than 2^31 numbers");
            room::reserve(&mut program.nodes, size)?;
            program.nodes.extend(
                (from..from + size).map(|k| Node { kind: Kind::Argument(k as u32), operands: (0, 0) }),
            );
            program.offsets.push(program.nodes.len() as u32);
        }
        program.arguments = arguments;
        Ok(program)
    }

    /// Appends a node with these operands, which must be nodes of this program.
    ///
    /// # Panics
    /// If they are not, or not as many as the kind takes; and for want of memory.
    pub fn push(&mut self, kind: Kind, operands: &[NodeId]) -> NodeId {
        granted(self.try_push(kind, operands))
    }

    /// [`Program::push`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then the program is as it was.
    ///
    /// # Panics
    /// If the operands are no nodes of this program, or not as many as the kind takes.
    pub fn try_push(&mut self, kind: Kind, operands: &[NodeId]) -> Result<NodeId, Error> {
        assert!(
            operands.iter().all(|&o| (o as usize) < self.nodes.len()),
            "an operand comes before its node"
        );
        let expected = match kind {
            Kind::Constant(_) | Kind::Argument(_) => Some(0),
            Kind::Elementwise(op) => Some(if op.arity() == Arity::Binary { 2 } else { 1 }),
            Kind::Power(_) => Some(1),
            Kind::Fold(..) => None,
            Kind::Condition(predicate) => Some(predicate.operands()),
            Kind::Select => Some(3),
        };
        assert!(
            expected.is_none_or(|n| n == operands.len()),
            "{kind:?} does not take {} operands",
            operands.len()
        );
        if self.nodes.len() >= MOST || self.lists.len() + operands.len() >= MOST {
            return Err(Error::OutOfMemory); // a place has 31 bits
        }
        room::reserve(&mut self.lists, operands.len())?;
        room::reserve(&mut self.nodes, 1)?;
        let start = self.lists.len() as u32;
        self.lists.extend(operands);
        self.nodes.push(Node { kind, operands: (start, self.lists.len() as u32) });
        Ok((self.nodes.len() - 1) as NodeId)
    }

    /// The same program with further arguments, whose elements follow those of the others. Later nodes are
    /// numbered anew.
    pub(crate) fn with_arguments(&self, more: Vec<Argument>) -> Result<Self, Error> {
        let mut arguments = self.arguments.clone();
        arguments.extend(more);
        let mut program = Self::try_new(arguments)?;
        let (before, shift) = (self.element_count(), program.nodes.len() - self.element_count());
        let nodes = &self.nodes[before..];
        if program.nodes.len() + nodes.len() >= MOST {
            return Err(Error::OutOfMemory);
        }
        let moved = |&id: &NodeId| if (id as usize) < before { id } else { id + shift as NodeId };
        room::reserve(&mut program.nodes, nodes.len())?;
        program.nodes.extend(nodes);
        room::reserve(&mut program.lists, self.lists.len())?;
        program.lists.extend(self.lists.iter().map(moved));
        program.outputs = self.outputs.iter().map(moved).collect();
        Ok(program)
    }

    /// How many operands all nodes have together.
    pub(crate) fn operand_count(&self) -> usize {
        self.lists.len()
    }

    /// What it takes, in bytes, arguments apart.
    pub(crate) fn bytes(&self) -> usize {
        let ids = self.lists.len() + self.outputs.len() + self.offsets.len();
        self.nodes.len() * size_of::<Node>() + ids * size_of::<NodeId>()
    }

    /// Says which nodes are the results.
    pub fn set_outputs(&mut self, outputs: Vec<NodeId>) {
        assert!(
            outputs.iter().all(|&o| (o as usize) < self.nodes.len()),
            "an output is a node of the program"
        );
        self.outputs = outputs;
    }

    /// The arguments.
    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// The nodes of an argument's elements, in order.
    pub fn elements(&self, argument: usize) -> std::ops::Range<NodeId> {
        self.offsets[argument]..self.offsets[argument + 1]
    }

    /// How many nodes are elements of arguments.
    pub fn element_count(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    /// The results.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// How many nodes there are, the arguments' elements among them.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has neither arguments nor operations.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether the node is a condition.
    pub fn is_condition(&self, node: NodeId) -> bool {
        matches!(self.nodes[node as usize].kind, Kind::Condition(_))
    }

    /// What a node computes.
    pub fn kind(&self, node: NodeId) -> Kind {
        self.nodes[node as usize].kind
    }

    /// The op of the table that a node computes.
    pub fn op(&self, node: NodeId) -> Option<Op> {
        match self.kind(node) {
            Kind::Elementwise(op) | Kind::Fold(op, _) => Some(op),
            Kind::Power(_) => Some(Op::PowInt),
            _ => None,
        }
    }

    /// The operands of a node, in order.
    pub fn operands(&self, node: NodeId) -> &[NodeId] {
        let (start, end) = self.nodes[node as usize].operands;
        &self.lists[start as usize..end as usize]
    }

    /// The argument and the place in it of an element.
    pub(crate) fn place(&self, element: NodeId) -> (usize, usize) {
        let argument = self.offsets.partition_point(|&offset| offset <= element) - 1;
        // Of arguments without elements the last one that begins here.
        (argument, (element - self.offsets[argument]) as usize)
    }

    /// Each node's number in the listing, where neither arguments nor constants have a line.
    fn numbers(&self) -> Vec<usize> {
        let mut next = 0;
        let number = |node: &Node| {
            let number = next;
            next += usize::from(!matches!(node.kind, Kind::Argument(_) | Kind::Constant(_)));
            number
        };
        self.nodes.iter().map(number).collect()
    }

    /// How a node is called in the listing.
    fn name(&self, node: NodeId, numbers: &[usize]) -> String {
        match self.kind(node) {
            Kind::Constant(value) => crate::TrScalar::from_ieee(value).to_string(),
            Kind::Argument(_) => {
                let (argument, mut index) = self.place(node);
                let Argument { name, shape, .. } = &self.arguments[argument];
                let mut indices = vec![];
                for &extent in shape.iter().rev() {
                    indices.push((index % extent).to_string());
                    index /= extent;
                }
                indices.reverse();
                if indices.is_empty() { name.clone() } else { format!("{name}[{}]", indices.join(", ")) }
            }
            _ => format!("%{}", numbers[node as usize]),
        }
    }

    /// The right-hand side of a node in the listing.
    fn formula(&self, node: NodeId, numbers: &[usize]) -> String {
        let names: Vec<_> = self.operands(node).iter().map(|&o| self.name(o, numbers)).collect();
        match self.kind(node) {
            Kind::Elementwise(op) => match (op.facts().map(|facts| facts.notation), &names[..]) {
                (Some(Notation::Infix(sign)), [a, b]) => format!("{a} {sign} {b}"),
                (Some(Notation::Prefix(sign)), [a]) => format!("{sign}{a}"),
                (_, names) => format!("{}({})", op.name(), names.join(", ")),
            },
            Kind::Power(n) => format!("pow_int({}, {n})", names[0]),
            Kind::Fold(op, mode) => format!("{}({}; {mode:?})", op.name(), names.join(", ")),
            Kind::Condition(predicate) => format!("{}({})", predicate.name(), names.join(", ")),
            Kind::Select => format!("where({})", names.join(", ")),
            Kind::Constant(_) | Kind::Argument(_) => names.join(", "),
        }
    }
}

/// The listing: arguments, one line an operation, results.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for argument in &self.arguments {
            let shape: Vec<_> = argument.shape.iter().map(ToString::to_string).collect();
            let kind = if argument.per_sample { "per sample" } else { "shared" };
            writeln!(f, "{}: ({}) {kind}", argument.name, shape.join(", "))?;
        }
        let numbers = self.numbers();
        for node in self.element_count() as NodeId..self.nodes.len() as NodeId {
            if !matches!(self.kind(node), Kind::Constant(_)) {
                writeln!(f, "{} = {}", self.name(node, &numbers), self.formula(node, &numbers))?;
            }
        }
        let outputs: Vec<_> = self.outputs.iter().map(|&o| self.name(o, &numbers)).collect();
        write!(f, "return {}", outputs.join(", "))
    }
}
