//! The state of a compilation: the code so far, and where each value is.

use super::analysis::Analysis;
use super::code::{Code, Derivative, Instruction, Site, Source, Uniform};
use super::mask::Mask;
use super::reachable::ReachableSets;
use crate::batch::program::{Kind, NodeId, Program};
use crate::error::Error;
use crate::op::Op;
use crate::room;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A column that is read so often is first copied to a slot. The user's array need not be aligned to
/// cache lines, and reading it takes up to twice as long.
const WORTH_A_COPY: u32 = 2;

/// What compiling takes, in bytes, for each register.
pub(crate) const BYTES_OF_REGISTER: usize = 64;

/// The bytes that the code of a plan, and what compiling it takes, may come to. Each output of a Jacobian has
/// a backward pass, so that the code of outputs that are computed from each other grows with the square of
/// their number. The pass of the first output is not counted: a plan whose length is proportional to that of
/// its program may take what memory there is.
pub const PLAN_BUDGET: usize = 512 << 20;

/// The code so far, and what is known while it grows.
pub(crate) struct Lowering<'a> {
    pub program: &'a Program,
    pub facts: &'a Analysis,
    pub code: Code,
    /// Where each node's value is.
    pub place: Vec<Option<Source>>,
    /// How many virtual registers there are.
    pub registers: u32,
    /// Angles with their sine and cosine.
    angles: BTreeMap<Source, [Source; 2]>,
    /// Conditions with where they do not hold.
    pub negations: BTreeMap<Source, Mask>,
    /// Uniform numbers by their bits.
    numbers: BTreeMap<u64, Source>,
    pub leading: Option<Rc<[Mask]>>,
    reachable_sets: ReachableSets,
}

impl<'a> Lowering<'a> {
    pub fn new(program: &'a Program, facts: &'a Analysis) -> Result<Self, Error> {
        Ok(Self {
            program,
            facts,
            code: Code { uniforms: vec![Uniform::Number(1.0)], ..Code::default() },
            place: room::filled(program.len(), None)?,
            registers: 0,
            angles: BTreeMap::new(),
            negations: BTreeMap::new(),
            numbers: BTreeMap::new(),
            leading: None,
            reachable_sets: ReachableSets::default(),
        })
    }

    /// Has room for so many more instructions.
    pub fn reserve(&mut self, instructions: usize) -> Result<(), Error> {
        room::reserve(&mut self.code.instructions, instructions)?;
        // A register for each is allocated later.
        u32::try_from(self.code.instructions.len() + 2 * instructions)
            .map(drop)
            .map_err(|_| Error::OutOfMemory)
    }

    /// What the code takes so far, and what compiling it will take.
    pub fn bytes(&self) -> usize {
        let Code { instructions, lists, derivatives, checks, sites, .. } = &self.code;
        instructions.capacity() * size_of::<Instruction>()
            + lists.capacity() * size_of::<Source>()
            + derivatives.capacity() * size_of::<Derivative>()
            + checks.capacity() * size_of::<Source>()
            + sites.capacity() * size_of::<Site>()
            + self.registers as usize * BYTES_OF_REGISTER
    }

    pub fn register(&mut self) -> u32 {
        self.registers += 1;
        self.registers - 1
    }

    /// Where the value of a node is; elements are loaded when they are first asked for.
    pub fn source(&mut self, node: NodeId) -> Source {
        if let Some(place) = self.place[node as usize] {
            return place;
        }
        let place = if !self.facts.varying[node as usize] {
            self.code.uniforms.push(Uniform::Node(node));
            Source::Uniform(self.code.uniforms.len() as u32 - 1)
        } else {
            let Kind::Argument(_) = self.program.kind(node) else {
                unreachable!("every other node is lowered before it is used")
            };
            let (argument, element) = self.program.place(node);
            let is_column = self.program.arguments()[argument].size() == 1;
            let (argument, element) = (argument as u32, element as u32);
            if is_column {
                self.code.columns.push(argument);
            }
            if is_column && self.facts.uses[node as usize] < WORTH_A_COPY {
                Source::Column(argument)
            } else {
                let to = self.register();
                self.code.instructions.push(Instruction::Load { to, argument, element });
                Source::Slot(to)
            }
        };
        self.place[node as usize] = Some(place);
        place
    }

    pub fn value(&mut self, op: Op, a: Source, b: Source) -> Source {
        let to = self.register();
        self.code.instructions.push(Instruction::Value { op, to, a, b });
        Source::Slot(to)
    }

    /// The sine and the cosine of an angle.
    pub fn sin_cos(&mut self, angle: Source) -> [Source; 2] {
        if let Some(&found) = self.angles.get(&angle) {
            return found;
        }
        let to = [self.register(), self.register()];
        self.code.instructions.push(Instruction::SinCos { to: to.map(Some), a: angle });
        let found = to.map(Source::Slot);
        self.angles.insert(angle, found);
        found
    }

    /// A number that is the same for every sample.
    pub fn number(&mut self, number: f64) -> Source {
        if let Some(&known) = self.numbers.get(&number.to_bits()) {
            return known;
        }
        let source = Source::Uniform(self.code.uniforms.len() as u32);
        self.code.uniforms.push(Uniform::Number(number));
        self.numbers.insert(number.to_bits(), source);
        source
    }

    /// The nodes from `root` on down that gradients flow through, in descending order.
    pub fn reached(&mut self, root: NodeId) -> Vec<NodeId> {
        let facts = self.facts;
        self.reachable_sets.below(self.program, root, |node| facts.active[node as usize]).to_vec()
    }

    /// The coordinates that a node depends on.
    pub fn coordinates_below(&mut self, node: NodeId) -> Vec<Source> {
        let (program, facts) = (self.program, self.facts);
        let below = self.reachable_sets.below(program, node, |node| facts.on_coordinate[node as usize]);
        let elements = below.iter().rev().filter(|&&node| matches!(program.kind(node), Kind::Argument(_)));
        elements.copied().collect::<Vec<_>>().into_iter().map(|element| self.source(element)).collect()
    }
}
