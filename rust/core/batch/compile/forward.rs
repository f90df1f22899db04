//! From a program to instructions: the forward part here, then one reverse pass for each output.
//!
//! Nothing that is left out or merged on the way changes a bit.

use super::analysis::Analysis;
use super::code::{Code, Instruction, Source, Uniform};
use super::conditions::Mask;
use super::reachable::Cones;
use super::reverse::{Pass, Rows};
use super::{fuse, registers};
use crate::batch::program::{Kind, NodeId, Program};
use crate::op::Op;
use crate::reduce::Reduction;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A column that is read so often is first copied to a slot. The user's array need not be aligned to
/// cache lines, and reading it takes up to twice as long.
const WORTH_A_COPY: u32 = 2;

/// What is differentiated, and where the derivatives go.
pub(crate) struct Derivatives<'a> {
    /// The elements, with their array and place in a row, for the first output.
    pub elements: &'a [(NodeId, usize, usize)],
    /// How many places further the next output's derivatives stand.
    pub stride: usize,
}

/// Compiles `program`.
pub(crate) fn lower(program: &Program, facts: &Analysis, derivatives: &Derivatives<'_>) -> Code {
    let mut lowering = Lowering {
        program,
        facts,
        code: Code { uniforms: vec![Uniform::Number(1.0)], ..Code::default() },
        place: vec![None; program.len()],
        registers: 0,
        angles: BTreeMap::new(),
        negations: BTreeMap::new(),
        numbers: BTreeMap::new(),
        leading: None,
        cones: Cones::default(),
    };
    for node in 0..program.len() as NodeId {
        if facts.needed[node as usize] && !matches!(program.kind(node), Kind::Argument(_)) {
            lowering.forward(node);
        }
    }
    for &output in program.outputs() {
        let value = lowering.source(output);
        lowering.code.values.push(value);
    }
    if !derivatives.elements.is_empty() {
        let mut rows = Rows::new(program.len());
        for (number, &root) in program.outputs().iter().enumerate() {
            Pass::new(&mut lowering, &mut rows, number, root).run(derivatives);
        }
    }
    lowering.code.checks.sort_unstable();
    lowering.code.checks.dedup();
    fuse::fuse(&mut lowering.code, lowering.registers);
    registers::allocate(&mut lowering.code, lowering.registers);
    lowering.code
}

/// The code so far.
pub(crate) struct Lowering<'a> {
    pub program: &'a Program,
    pub facts: &'a Analysis,
    pub code: Code,
    /// Where each node's value is.
    place: Vec<Option<Source>>,
    /// How many virtual registers there are.
    registers: u32,
    /// Angles with their sine and cosine.
    angles: BTreeMap<Source, [Source; 2]>,
    /// Conditions with where they do not hold.
    pub negations: BTreeMap<Source, Mask>,
    /// Uniform numbers by their bits.
    numbers: BTreeMap<u64, Source>,
    pub leading: Option<Rc<[Mask]>>,
    cones: Cones,
}

impl Lowering<'_> {
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

    fn forward(&mut self, node: NodeId) {
        if !self.facts.varying[node as usize] {
            return; // worked out once a call, if it is asked for
        }
        let kind = self.program.kind(node);
        let sources: Vec<_> = self.program.operands(node).to_vec();
        let sources: Vec<_> = sources.into_iter().map(|o| self.source(o)).collect();
        let place = match kind {
            // The derivative of the one is the other.
            Kind::Elementwise(op @ (Op::Sin | Op::Cos)) if self.facts.active[node as usize] => {
                self.sin_cos(sources[0])[usize::from(op == Op::Cos)]
            }
            Kind::Elementwise(op) => self.value(op, sources[0], *sources.last().unwrap_or(&sources[0])),
            Kind::Fold(op @ (Op::Sum | Op::Mean), Reduction::Strict) => {
                let sum = sources[1..].iter().fold(sources[0], |sum, &next| self.value(Op::Add, sum, next));
                if op == Op::Mean {
                    let count = self.number(sources.len() as f64);
                    self.value(Op::Div, sum, count)
                } else {
                    sum
                }
            }
            _ => {
                let to = self.register();
                let instruction = match kind {
                    Kind::Power(n) => Instruction::Power { n, to, a: sources[0] },
                    Kind::Fold(op, mode) => {
                        Instruction::Fold { op, mode, to, list: self.code.list(&sources) }
                    }
                    Kind::Condition(predicate) => {
                        let b = *sources.last().unwrap_or(&sources[0]);
                        Instruction::Test { predicate, to, a: sources[0], b }
                    }
                    Kind::Select => {
                        Instruction::Select { to, condition: sources[0], a: sources[1], b: sources[2] }
                    }
                    _ => unreachable!("constants and arguments are no instructions"),
                };
                self.code.instructions.push(instruction);
                Source::Slot(to)
            }
        };
        self.place[node as usize] = Some(place);
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
    pub fn cone(&mut self, root: NodeId) -> Vec<NodeId> {
        let facts = self.facts;
        self.cones.below(self.program, root, |node| facts.active[node as usize]).to_vec()
    }

    /// The coordinates that a node depends on.
    pub fn coordinates_below(&mut self, node: NodeId) -> Vec<Source> {
        let (program, facts) = (self.program, self.facts);
        let below = self.cones.below(program, node, |node| facts.on_coordinate[node as usize]);
        let elements = below.iter().rev().filter(|&&node| matches!(program.kind(node), Kind::Argument(_)));
        elements.copied().collect::<Vec<_>>().into_iter().map(|element| self.source(element)).collect()
    }
}
