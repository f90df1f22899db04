//! The reverse pass from an output, as instructions.
//!
//! A product with the seed 1 is its other factor, a sum that begins with its first contribution is that
//! contribution, and to what is not visited goes −0, which changes no sum.

use super::analysis::{Pole, pole, propagates};
use super::code::{Derivative, Instruction, NO_SITE, SEED, Site, Source};
use super::lowering::Lowering;
use super::mask::Mask;
use super::targets::Targets;
use crate::batch::program::{Kind, NodeId};
use crate::error::Error;
use crate::op::{Op, Read};
use crate::reduce::Reduction;
use crate::room;
use std::collections::BTreeMap;

/// What a pass takes for a node that it reaches, in bytes, besides the code.
const BYTES_OF_REACHED: usize = 64;

/// By node, what a pass knows of it; kept between passes for its memory.
pub(crate) struct Rows {
    pub visited: Vec<Mask>,
    /// Of the sweep at hand: the adjoints, or how they change along a direction.
    pub adjoints: Vec<Option<Source>>,
    /// A value that is not REAL shows in another one that is looked at.
    shown: Vec<bool>,
}

impl Rows {
    pub fn new(nodes: usize) -> Result<Self, Error> {
        Ok(Self {
            visited: room::filled(nodes, Mask::Never)?,
            adjoints: room::filled(nodes, None)?,
            shown: room::filled(nodes, false)?,
        })
    }
}

/// A pass that is being lowered.
pub(crate) struct Pass<'l, 'a> {
    pub lowering: &'l mut Lowering<'a>,
    output: usize,
    /// The adjoint of the root.
    seed: Source,
    /// The nodes that gradients flow through, in descending order.
    pub reached: Vec<NodeId>,
    pub rows: &'l mut Rows,
    /// By singular op that was met: its number among them.
    sites: BTreeMap<NodeId, u32>,
    /// By variadic op that was met: what its shares have in common.
    shared: BTreeMap<NodeId, [Source; 2]>,
}

/// What arrives at an operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Contribution {
    Plain(Source),
    Negated(Source),
    Product(Source, Source),
    /// An adjoint, a tangent and an entry, or none for 1: a term of second order.
    Term(Source, Source, Option<Source>),
}

/// Which partials contributions are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Those of the mode.
    Mode,
    /// Those of the value.
    Classical,
}

impl<'l, 'a> Pass<'l, 'a> {
    /// A pass that adds at most so many instructions for a node and each of its operands.
    pub fn new(
        lowering: &'l mut Lowering<'a>,
        rows: &'l mut Rows,
        output: usize,
        root: NodeId,
        steps: usize,
    ) -> Result<Self, Error> {
        let reached = lowering.reached(root);
        Self::over(lowering, rows, (output, &[root]), reached, steps)
    }

    /// A pass over these nodes, which the roots reach.
    pub fn over(
        lowering: &'l mut Lowering<'a>,
        rows: &'l mut Rows,
        (output, roots): (usize, &[NodeId]),
        reached: Vec<NodeId>,
        steps: usize,
    ) -> Result<Self, Error> {
        let operands: usize = reached.iter().map(|&node| 1 + lowering.program.operands(node).len()).sum();
        lowering.reserve(operands * steps)?;
        room::reserve(&mut lowering.code.checks, operands)?;
        if !reached.is_empty() {
            lowering.visit(roots, &reached, &mut rows.visited);
        }
        let (sites, shared) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { lowering, output, seed: SEED, reached, rows, sites, shared })
    }

    /// The pass with an adjoint of its own at the root, which must be REAL; `None` is 1.
    pub fn seeded(mut self, seed: Option<Source>) -> Self {
        if let Some(seed) = seed {
            self.lowering.code.checks.push(seed);
            self.seed = seed;
        }
        self
    }

    /// Appends the pass to the code.
    pub fn run(mut self, derivatives: &Targets) -> Result<(), Error> {
        let code = &mut self.lowering.code;
        room::reserve(&mut code.derivatives, derivatives.elements.len())?;
        room::reserve(&mut code.checks, self.reached.len() + derivatives.elements.len())?;
        room::probe(self.reached.len() * BYTES_OF_REACHED)?;
        self.check_values();
        self.sweep();
        for &(element, array, column) in &derivatives.elements {
            let source = self.found(element);
            let column = column + self.output * derivatives.stride;
            let output = self.output as u32;
            let code = &mut self.lowering.code;
            code.derivatives.push(Derivative { output, element, array, column, source });
            // An infinite sum of contributions is for the per-sample interpreter.
            code.checks.extend(source.filter(|&s| s != SEED));
        }
        self.clear();
        Ok(())
    }

    /// Appends the sweep from the root.
    pub fn sweep(&mut self) {
        let reached = std::mem::take(&mut self.reached);
        if let Some(&root) = reached.first() {
            self.receive(root, Contribution::Plain(self.seed), self.rows.visited[root as usize]);
        }
        for &node in &reached {
            if let Some(g) = self.rows.adjoints[node as usize] {
                let mask = self.rows.visited[node as usize];
                for (operand, contribution) in self.contributions(node, g, None, Rule::Mode) {
                    self.receive(operand, contribution, mask);
                }
            }
        }
        self.reached = reached;
    }

    /// What a sweep found for an element.
    pub fn found(&mut self, element: NodeId) -> Option<Source> {
        let sum = self.rows.adjoints[element as usize]?;
        Some(match self.rows.visited[element as usize] {
            Mask::When(condition) => {
                // The sum of nothing is +0.
                let zero = self.lowering.number(0.0);
                self.select(condition, sum, zero)
            }
            _ => sum,
        })
    }

    /// Has the rows as they were.
    pub fn clear(self) {
        for node in self.reached {
            self.rows.visited[node as usize] = Mask::Never;
            self.rows.adjoints[node as usize] = None;
            for &operand in self.lowering.program.operands(node) {
                self.rows.shown[operand as usize] = false;
            }
        }
    }

    /// Has those values looked at that tell whether all values on the way of the gradients are REAL:
    /// those that, if they are not, need not show in another one that is looked at.
    pub fn check_values(&mut self) {
        let program = self.lowering.program;
        for &node in self.reached.iter().filter(|&&node| self.rows.visited[node as usize] == Mask::Always) {
            for (place, &operand) in program.operands(node).iter().enumerate() {
                self.rows.shown[operand as usize] |= propagates(program.kind(node), place);
            }
        }
        for node in self.reached.clone() {
            // A selection has the value of an operand that is looked at itself.
            let looks = !self.rows.shown[node as usize] && program.kind(node) != Kind::Select;
            match self.rows.visited[node as usize] {
                Mask::Always if looks => {
                    let value = self.lowering.source(node);
                    self.lowering.code.checks.push(value);
                }
                Mask::When(condition) if looks => {
                    let value = self.lowering.source(node);
                    let zero = self.lowering.number(0.0);
                    let checked = self.select(condition, value, zero);
                    self.lowering.code.checks.push(checked);
                }
                _ => {}
            }
        }
    }

    pub fn select(&mut self, condition: Source, a: Source, b: Source) -> Source {
        let to = self.lowering.register();
        self.lowering.code.instructions.push(Instruction::Select { to, condition, a, b });
        Source::Slot(to)
    }

    /// What a node passes to its operands, or to the one at a place, for the adjoint `g`: also what a tangent
    /// `g` of that operand adds to the tangent of the node.
    pub fn contributions(
        &mut self,
        node: NodeId,
        g: Source,
        only: Option<usize>,
        rule: Rule,
    ) -> Vec<(NodeId, Contribution)> {
        use Contribution::{Negated, Plain, Product};
        let operands = self.lowering.program.operands(node).to_vec();
        let wanted = |place: usize| only.is_none_or(|only| only == place);
        let chosen = |all: &mut dyn Iterator<Item = Contribution>| {
            let all = operands.iter().copied().zip(all).enumerate();
            all.filter(|&(place, _)| wanted(place)).map(|(_, each)| each).collect()
        };
        match self.lowering.program.kind(node) {
            Kind::Elementwise(Op::Add) => chosen(&mut [Plain(g); 2].into_iter()),
            Kind::Elementwise(Op::Sub) => chosen(&mut [Plain(g), Negated(g)].into_iter()),
            Kind::Elementwise(Op::Neg) => vec![(operands[0], Negated(g))],
            Kind::Elementwise(Op::Mul) => {
                let mut found = vec![];
                for (this, other) in [(0, 1), (1, 0)] {
                    if wanted(this) && self.rows.visited[operands[this] as usize] != Mask::Never {
                        let factor = self.lowering.source(operands[other]);
                        found.push((operands[this], Product(g, factor)));
                    }
                }
                found
            }
            Kind::Elementwise(op @ (Op::Sin | Op::Cos)) => {
                let angle = self.lowering.source(operands[0]);
                let [sine, cosine] = self.lowering.sin_cos(angle);
                let contribution = if op == Op::Sin {
                    Product(g, cosine)
                } else {
                    Product(self.lowering.value(Op::Neg, g, g), sine)
                };
                vec![(operands[0], contribution)]
            }
            Kind::Power(2) => {
                // Where 2ḡ overflows, what is computed is not REAL, and the sample goes to the interpreter.
                let two = self.lowering.number(2.0);
                let scale = if g == SEED { two } else { self.lowering.value(Op::Mul, g, two) };
                let base = self.lowering.source(operands[0]);
                vec![(operands[0], Product(scale, base))]
            }
            Kind::Fold(op @ (Op::Sum | Op::Mean), mode) => {
                let share = Plain(self.share_alike(op, mode, &operands, g));
                chosen(&mut std::iter::repeat(share))
            }
            Kind::Fold(op, mode) => self.shares(node, op, mode, operands, g, only),
            Kind::Elementwise(_) | Kind::Power(_) => self.by_rule(node, operands, g, only, rule),
            Kind::Select | Kind::Condition(_) | Kind::Constant(_) | Kind::Argument(_) => vec![],
        }
    }

    /// What a sum or a mean passes on to each operand. In a regular sample every operand that is visited is
    /// REAL, so every mode keeps it.
    fn share_alike(&mut self, op: Op, mode: Reduction, operands: &[NodeId], g: Source) -> Source {
        if op != Op::Mean {
            return g;
        }
        if mode != Reduction::Strict {
            // The share depends on how many of the others are kept.
            for &operand in operands.iter().filter(|&&o| self.rows.visited[o as usize] != Mask::Always) {
                let source = self.lowering.source(operand);
                self.lowering.code.checks.push(source);
            }
        }
        let count = self.lowering.number(operands.len() as f64);
        self.lowering.value(Op::Div, g, count)
    }

    /// What another variadic op passes on.
    fn shares(
        &mut self,
        node: NodeId,
        op: Op,
        mode: Reduction,
        operands: Vec<NodeId>,
        g: Source,
        only: Option<usize>,
    ) -> Vec<(NodeId, Contribution)> {
        let sources: Vec<_> = operands.iter().map(|&operand| self.lowering.source(operand)).collect();
        let shared = self.shared.get(&node).copied().unwrap_or_else(|| {
            let z = self.lowering.source(node);
            let to = [self.lowering.register(), self.lowering.register()];
            let code = &mut self.lowering.code;
            let list = code.list(&sources);
            code.instructions.push(Instruction::Shared { op, mode, z, to, list });
            to.map(Source::Slot)
        });
        self.shared.insert(node, shared);
        let mut found = vec![];
        for (place, (operand, x)) in operands.into_iter().zip(sources).enumerate() {
            let wanted = only.is_none_or(|only| only == place);
            if wanted && self.rows.visited[operand as usize] != Mask::Never {
                let to = self.lowering.register();
                self.lowering.code.instructions.push(Instruction::Share { op, g, x, shared, to });
                found.push((operand, Contribution::Plain(Source::Slot(to))));
            }
        }
        found
    }

    /// What an op passes on whose contributions are more than a product.
    fn by_rule(
        &mut self,
        node: NodeId,
        operands: Vec<NodeId>,
        g: Source,
        only: Option<usize>,
        rule: Rule,
    ) -> Vec<(NodeId, Contribution)> {
        let (op, n) = self.op_of(node);
        let site = if rule == Rule::Mode { self.site(node, op, &operands) } else { NO_SITE };
        // What is not read is not kept: ḡ stands in its place.
        let mut read = |what, node: Option<&NodeId>| match node {
            Some(&node) if op.facts().is_some_and(|facts| facts.reads(what)) => self.lowering.source(node),
            _ => g,
        };
        let [a, b] = [0, 1].map(|place| read(Read::operand(place), operands.get(place)));
        let z = read(Read::Z, Some(&node));
        let to = [0, 1].map(|place| {
            let visited = operands.get(place).is_some_and(|&o| self.rows.visited[o as usize] != Mask::Never);
            (visited && only.is_none_or(|only| only == place)).then(|| self.lowering.register())
        });
        self.lowering.code.instructions.push(Instruction::Adjoint { op, n, g, a, b, z, to, site });
        let given = to.into_iter().zip(operands);
        given.filter_map(|(to, o)| to.map(|to| (o, Contribution::Plain(Source::Slot(to))))).collect()
    }

    /// What the tangents of its operands add to that of a quotient.
    pub fn tangent_of_quotient(&mut self, node: NodeId, t: [Option<Source>; 2], rule: Rule) -> Source {
        let operands = self.lowering.program.operands(node).to_vec();
        let site = if rule == Rule::Mode { self.site(node, Op::Div, &operands) } else { NO_SITE };
        let [a, b] = [0, 1].map(|place| self.lowering.source(operands[place]));
        let (z, to) = (self.lowering.source(node), self.lowering.register());
        self.lowering.code.instructions.push(Instruction::Quotient { t, a, b, z, to, site });
        Source::Slot(to)
    }

    /// The op of an elementwise node, and the exponent of a power.
    pub fn op_of(&self, node: NodeId) -> (Op, i32) {
        match self.lowering.program.kind(node) {
            Kind::Elementwise(op) => (op, 0),
            Kind::Power(n) => (Op::PowInt, n),
            _ => unreachable!("only ops of the table have rules"),
        }
    }

    /// Whether a node is a singular op that was met.
    pub fn is_site(&self, node: NodeId) -> bool {
        self.sites.get(&node).is_some_and(|&site| site != NO_SITE)
    }

    /// The number of a singular op among the sites of the pass.
    fn site(&mut self, node: NodeId, op: Op, operands: &[NodeId]) -> u32 {
        if let Some(&site) = self.sites.get(&node) {
            return site;
        }
        let site = self.new_site(node, op, operands);
        self.sites.insert(node, site);
        site
    }

    /// Notes an op if it is singular.
    fn new_site(&mut self, node: NodeId, op: Op, operands: &[NodeId]) -> u32 {
        let places = match pole(self.lowering.program, node) {
            Pole::None | Pole::Undecided => return NO_SITE,
            Pole::Operand(place) => place..place + 1,
            Pole::Distance => 0..operands.len(),
        };
        let a = self.lowering.source(operands[0]);
        let b = operands.get(1).map_or(a, |&b| self.lowering.source(b));
        let pole = match pole(self.lowering.program, node) {
            Pole::Operand(place) => [a, b][place],
            _ => {
                let to = self.lowering.register();
                self.lowering.code.instructions.push(Instruction::Distance { op, to, a, b });
                Source::Slot(to)
            }
        };
        for place in places {
            if self.rows.visited[operands[place] as usize] == Mask::Never {
                // So that every regular sample comes to a decision here.
                self.lowering.code.checks.push([a, b][place]);
            }
        }
        let coordinates = self.lowering.coordinates_below(node);
        let sites = &mut self.lowering.code.sites;
        sites.push(Site { node, output: self.output as u32, pole, coordinates });
        sites.len() as u32 - 1
    }

    /// Adds a contribution, in the samples that a mask names, to the sum at an operand. Through a
    /// selection it goes to what was taken, in each sample to one node.
    pub fn receive(&mut self, operand: NodeId, contribution: Contribution, mask: Mask) {
        if self.lowering.program.kind(operand) != Kind::Select {
            return self.add_to(operand, contribution, mask);
        }
        let mut arriving = BTreeMap::from([(operand, mask)]);
        while let Some((node, mask)) = arriving.pop_last() {
            if self.lowering.program.kind(node) != Kind::Select {
                self.add_to(node, contribution, mask);
                continue;
            }
            for (taken, way) in self.lowering.ways(node) {
                let way = self.lowering.both(mask, way);
                let known = arriving.remove(&taken).unwrap_or(Mask::Never);
                let either = self.lowering.either(known, way);
                arriving.insert(taken, either);
            }
        }
    }

    fn add_to(&mut self, operand: NodeId, contribution: Contribution, mask: Mask) {
        let visited = self.rows.visited[operand as usize];
        if visited == Mask::Never || mask == Mask::Never {
            return;
        }
        let contribution = match mask {
            Mask::When(condition) if mask != visited => {
                let contribution = self.begin(contribution);
                let nothing = self.lowering.number(-0.0);
                Contribution::Plain(self.select(condition, contribution, nothing))
            }
            _ => contribution,
        };
        let sum = match self.rows.adjoints[operand as usize] {
            None => self.begin(contribution),
            Some(sum) => self.add(sum, contribution),
        };
        self.rows.adjoints[operand as usize] = Some(sum);
    }

    /// A contribution by itself.
    pub fn begin(&mut self, contribution: Contribution) -> Source {
        match contribution {
            Contribution::Term(g, t, m) => self.term(g, t, m, None),
            Contribution::Plain(g) | Contribution::Product(SEED, g) => g,
            Contribution::Negated(g) => self.lowering.value(Op::Neg, g, g),
            Contribution::Product(g, factor) => self.lowering.value(Op::Mul, g, factor),
        }
    }

    /// A sum with one contribution more.
    pub fn add(&mut self, sum: Source, contribution: Contribution) -> Source {
        match contribution {
            Contribution::Term(g, t, m) => self.term(g, t, m, Some(sum)),
            Contribution::Plain(g) | Contribution::Product(SEED, g) => self.lowering.value(Op::Add, sum, g),
            Contribution::Negated(g) => self.lowering.value(Op::Sub, sum, g),
            Contribution::Product(a, b) => {
                let to = self.lowering.register();
                self.lowering.code.instructions.push(Instruction::MulAdd { to, a, b, c: sum });
                Source::Slot(to)
            }
        }
    }

    fn term(&mut self, g: Source, t: Source, m: Option<Source>, c: Option<Source>) -> Source {
        let to = self.lowering.register();
        self.lowering.code.instructions.push(Instruction::Term { g, t, m, c, to });
        Source::Slot(to)
    }
}
