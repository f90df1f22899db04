//! From a program to instructions: the forward part, then one reverse pass for each output.
//!
//! Nothing that is left out or merged here changes a bit: a product with the seed 1 is its other
//! factor, a sum that begins with its first contribution is that contribution, and `c + a·b` is two
//! roundings in one instruction.

use super::analysis::{Analysis, differentiable, is_singular};
use super::code::{Code, Derivative, Instruction, NO_SITE, SEED, Site, Source, Uniform};
use super::program::{Kind, NodeId, Program};
use super::registers;
use crate::ops::{Arity, Op};
use crate::reduce::Reduction;
use std::collections::BTreeMap;

/// What is differentiated, and where the derivatives go.
pub(super) struct Derivatives<'a> {
    /// The elements, with their array and place in a row, for the first output.
    pub elements: &'a [(NodeId, usize, usize)],
    /// How many places further the next output's derivatives stand.
    pub stride: usize,
}

/// Compiles `program`.
pub(super) fn lower(program: &Program, facts: &Analysis, derivatives: &Derivatives<'_>) -> Code {
    let mut lowering = Lowering {
        program,
        facts,
        code: Code { uniforms: vec![Uniform::Number(1.0)], ..Code::default() },
        place: vec![None; program.len()],
        registers: 0,
        angles: BTreeMap::new(),
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
        for (number, &root) in program.outputs().iter().enumerate() {
            lowering.differentiate(number, root, derivatives);
        }
    }
    lowering.code.checks.sort_unstable();
    lowering.code.checks.dedup();
    lowering.fuse_products();
    registers::allocate(&mut lowering.code, lowering.registers);
    lowering.code
}

struct Lowering<'a> {
    program: &'a Program,
    facts: &'a Analysis,
    code: Code,
    /// Where each node's value is.
    place: Vec<Option<Source>>,
    /// How many virtual registers there are.
    registers: u32,
    /// Angles with their sine and cosine.
    angles: BTreeMap<Source, [Source; 2]>,
}

impl Lowering<'_> {
    fn register(&mut self) -> u32 {
        self.registers += 1;
        self.registers - 1
    }

    /// Where the value of a node is; elements are loaded when they are first asked for.
    fn source(&mut self, node: NodeId) -> Source {
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
            if self.program.arguments()[argument].size() == 1 {
                self.code.columns.push(argument as u32);
                Source::Column(argument as u32)
            } else {
                let to = self.register();
                let (argument, element) = (argument as u32, element as u32);
                self.code.instructions.push(Instruction::Load { to, argument, element });
                Source::Slot(to)
            }
        };
        self.place[node as usize] = Some(place);
        place
    }

    fn value(&mut self, op: Op, a: Source, b: Source) -> Source {
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
            Kind::Fold(op, Reduction::Strict) => {
                let sum = sources[1..].iter().fold(sources[0], |sum, &next| self.value(Op::Add, sum, next));
                if op == Op::Mean {
                    let count = self.count(sources.len());
                    self.value(Op::Div, sum, count)
                } else {
                    sum
                }
            }
            _ => {
                let to = self.register();
                let code = &mut self.code;
                code.instructions.push(match kind {
                    Kind::Power(n) => Instruction::Power { n, to, a: sources[0] },
                    Kind::Fold(op, mode) => {
                        let start = code.lists.len() as u32;
                        code.lists.extend(&sources);
                        Instruction::Fold { op, mode, to, list: (start, code.lists.len() as u32) }
                    }
                    Kind::Condition(predicate) => {
                        let b = *sources.last().unwrap_or(&sources[0]);
                        Instruction::Test { predicate, to, a: sources[0], b }
                    }
                    Kind::Select => {
                        Instruction::Select { to, condition: sources[0], a: sources[1], b: sources[2] }
                    }
                    _ => unreachable!("constants and arguments are no instructions"),
                });
                Source::Slot(to)
            }
        };
        self.place[node as usize] = Some(place);
    }

    /// The sine and the cosine of an angle.
    fn sin_cos(&mut self, angle: Source) -> [Source; 2] {
        if let Some(&found) = self.angles.get(&angle) {
            return found;
        }
        let to = [self.register(), self.register()];
        self.code.instructions.push(Instruction::SinCos { to: to.map(Some), a: angle });
        let found = to.map(Source::Slot);
        self.angles.insert(angle, found);
        found
    }

    /// A count as a uniform number.
    fn count(&mut self, count: usize) -> Source {
        self.code.uniforms.push(Uniform::Number(count as f64));
        Source::Uniform(self.code.uniforms.len() as u32 - 1)
    }

    /// One reverse pass from an output.
    fn differentiate(&mut self, output: usize, root: NodeId, derivatives: &Derivatives<'_>) {
        let reached = self.facts.reached(self.program, root);
        for node in Analysis::checks(self.program, &reached) {
            let source = self.source(node);
            self.code.checks.push(source);
        }
        let mut adjoints: Vec<Option<Source>> = vec![None; self.program.len()];
        adjoints[root as usize] = reached[root as usize].then_some(SEED);
        for node in (0..=root).rev() {
            if let (true, Some(g)) = (reached[node as usize], adjoints[node as usize]) {
                self.pass_on(output, node, g, &reached, &mut adjoints);
            }
        }
        for &(element, array, column) in derivatives.elements {
            let source = adjoints[element as usize];
            let column = column + output * derivatives.stride;
            self.code.derivatives.push(Derivative { output: output as u32, element, array, column, source });
            // An infinite sum of contributions is for the exact rules.
            self.code.checks.extend(source.filter(|&s| s != SEED));
        }
    }

    /// What a node passes to its operands.
    fn pass_on(
        &mut self,
        output: usize,
        node: NodeId,
        g: Source,
        reached: &[bool],
        adjoints: &mut [Option<Source>],
    ) {
        let kind = self.program.kind(node);
        let operands: Vec<_> = self.program.operands(node).to_vec();
        let flows = |operand: NodeId| reached[operand as usize];
        match kind {
            Kind::Elementwise(Op::Add) => {
                for o in operands.into_iter().filter(|&o| flows(o)) {
                    self.receive(&mut adjoints[o as usize], g);
                }
            }
            Kind::Elementwise(Op::Sub) => {
                if flows(operands[0]) {
                    self.receive(&mut adjoints[operands[0] as usize], g);
                }
                if flows(operands[1]) {
                    let sum = &mut adjoints[operands[1] as usize];
                    *sum = Some(match *sum {
                        None => self.value(Op::Neg, g, g),
                        Some(sum) => self.value(Op::Sub, sum, g),
                    });
                }
            }
            Kind::Elementwise(Op::Neg) => {
                let sum = &mut adjoints[operands[0] as usize];
                *sum = Some(match *sum {
                    None => self.value(Op::Neg, g, g),
                    Some(sum) => self.value(Op::Sub, sum, g),
                });
            }
            Kind::Elementwise(Op::Mul) => {
                for (this, other) in [(0, 1), (1, 0)] {
                    if flows(operands[this]) {
                        let factor = self.source(operands[other]);
                        self.receive_product(&mut adjoints[operands[this] as usize], g, factor);
                    }
                }
            }
            Kind::Elementwise(op @ (Op::Sin | Op::Cos)) => {
                let angle = self.source(operands[0]);
                let [sine, cosine] = self.sin_cos(angle);
                let sum = &mut adjoints[operands[0] as usize];
                if op == Op::Sin {
                    self.receive_product(sum, g, cosine);
                } else {
                    let g = self.value(Op::Neg, g, g);
                    self.receive_product(sum, g, sine);
                }
            }
            Kind::Fold(op, mode) => {
                // In a regular sample every operand is REAL, so every mode keeps all of them.
                if op == Op::Mean && mode != Reduction::Strict {
                    for &operand in operands.iter().filter(|&&o| !flows(o)) {
                        let source = self.source(operand);
                        self.code.checks.push(source);
                    }
                }
                let count = operands.len();
                let share = if op == Op::Mean {
                    let count = self.count(count);
                    self.value(Op::Div, g, count)
                } else {
                    g
                };
                for o in operands.into_iter().filter(|&o| flows(o)) {
                    self.receive(&mut adjoints[o as usize], share);
                }
            }
            Kind::Elementwise(_) | Kind::Power(_) => self.pass_on_by_rule(output, node, g, reached, adjoints),
            Kind::Select | Kind::Condition(_) | Kind::Constant(_) | Kind::Argument(_) => {}
        }
    }

    /// What an op passes on whose contributions are more than a product.
    fn pass_on_by_rule(
        &mut self,
        output: usize,
        node: NodeId,
        g: Source,
        reached: &[bool],
        adjoints: &mut [Option<Source>],
    ) {
        let kind = self.program.kind(node);
        let operands: Vec<_> = self.program.operands(node).to_vec();
        let (op, n) = match kind {
            Kind::Elementwise(op) => (op, 0),
            Kind::Power(n) => (Op::PowInt, n),
            _ => unreachable!("only ops of the table have rules"),
        };
        let a = self.source(operands[0]);
        let b = if op.arity() == Arity::Binary { self.source(operands[1]) } else { a };
        let z = if reads_value(op) { self.source(node) } else { a };
        let site = if is_singular(kind) {
            let coordinates = self.coordinates_below(node);
            let (pole, operand) = if op == Op::Div { (b, operands[1]) } else { (a, operands[0]) };
            if !reached[operand as usize] {
                // So that every regular sample comes to a decision here.
                self.code.checks.push(pole);
            }
            self.code.sites.push(Site { node, output: output as u32, pole, coordinates });
            self.code.sites.len() as u32 - 1
        } else {
            NO_SITE
        };
        let flows = |place: usize| operands.get(place).is_some_and(|&o| reached[o as usize]);
        let to = [0, 1].map(|place| flows(place).then(|| self.register()));
        self.code.instructions.push(Instruction::Adjoint { op, n, g, a, b, z, to, site });
        for (to, operand) in to.into_iter().zip(operands) {
            if let Some(to) = to {
                self.receive(&mut adjoints[operand as usize], Source::Slot(to));
            }
        }
    }

    /// The coordinates that a node depends on.
    fn coordinates_below(&mut self, node: NodeId) -> Vec<Source> {
        let mut below = vec![false; node as usize + 1];
        below[node as usize] = self.facts.on_coordinate[node as usize];
        let mut found = vec![];
        for node in (0..=node).rev().filter(|_| self.facts.on_coordinate[node as usize]) {
            if !below[node as usize] {
                continue;
            }
            if let Kind::Argument(_) = self.program.kind(node) {
                found.push(node);
            }
            for &operand in differentiable(self.program.kind(node), self.program.operands(node)) {
                below[operand as usize] |= self.facts.on_coordinate[operand as usize];
            }
        }
        found.into_iter().rev().map(|element| self.source(element)).collect()
    }

    /// Adds a contribution to a sum, which begins with its first one.
    fn receive(&mut self, sum: &mut Option<Source>, contribution: Source) {
        *sum = Some(match *sum {
            None => contribution,
            Some(sum) => self.value(Op::Add, sum, contribution),
        });
    }

    fn receive_product(&mut self, sum: &mut Option<Source>, g: Source, factor: Source) {
        *sum = Some(match *sum {
            _ if g == SEED => {
                self.receive(sum, factor);
                return;
            }
            None => self.value(Op::Mul, g, factor),
            Some(c) => {
                let to = self.register();
                self.code.instructions.push(Instruction::MulAdd { to, a: g, b: factor, c });
                Source::Slot(to)
            }
        });
    }

    /// Puts a product and the one sum that uses it into one instruction.
    fn fuse_products(&mut self) {
        let mut uses = vec![0u32; self.registers as usize];
        let mut count = |source: &Source| {
            if let Source::Slot(register) = source {
                uses[*register as usize] += 1;
            }
        };
        for instruction in &mut self.code.instructions {
            instruction.visit(|source| count(source), |_| ());
        }
        let code = &self.code;
        code.values.iter().chain(&code.checks).chain(&code.lists).for_each(&mut count);
        code.derivatives.iter().filter_map(|d| d.source.as_ref()).for_each(&mut count);
        code.sites.iter().for_each(|site| {
            count(&site.pole);
            site.coordinates.iter().for_each(&mut count);
        });

        let mut product = vec![None; self.registers as usize];
        let mut kept: Vec<Instruction> = Vec::with_capacity(self.code.instructions.len());
        let mut dead = vec![false; self.registers as usize];
        for &instruction in &self.code.instructions {
            let mut instruction = instruction;
            match instruction {
                Instruction::Value { op: Op::Mul, to, a, b } if uses[to as usize] == 1 => {
                    product[to as usize] = Some((a, b));
                }
                Instruction::Value { op: Op::Add, to, a, b } => {
                    let of = |source| match source {
                        Source::Slot(r) => product[r as usize].map(|factors| (r, factors)),
                        _ => None,
                    };
                    let found = of(b).map(|p| (p, a)).or_else(|| of(a).map(|p| (p, b)));
                    if let Some(((register, (a, b)), c)) = found {
                        dead[register as usize] = true;
                        instruction = Instruction::MulAdd { to, a, b, c };
                    }
                }
                _ => {}
            }
            kept.push(instruction);
        }
        kept.retain(|instruction| {
            !matches!(instruction, Instruction::Value { op: Op::Mul, to, .. } if dead[*to as usize])
        });
        self.code.instructions = kept;
    }
}

/// Whether the contributions of an op are worked out from its value.
fn reads_value(op: Op) -> bool {
    matches!(op, Op::Div | Op::Sqrt | Op::Exp)
}
