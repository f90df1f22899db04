//! Derivatives along directions and second derivatives, as instructions.
//!
//! Tangents go forward through a program as adjoints go backward: what an operand's tangent adds to that of a
//! node is what the node would pass to that operand for it as an adjoint. For second derivatives the reverse
//! sweep of first order comes once, and then for each direction tangents forward and a sweep of how the adjoints
//! change. These share values, adjoints and second partials, and add up in the order of the scalar passes.
//!
//! A tangent that no direction leads to is 0: what it would add are zeros, which change nothing but the sign of
//! a zero, and that of a second derivative is always positive.
//!
//! What is left to the per-sample interpreter: samples in which something is not REAL, the fast form of a second
//! partial does not hold, or Hybrid mode decides for bounded partials; and whole programs in which gradients flow
//! through a product, a norm or a logsumexp of many inputs, or whose code would take more than the budget of a plan.

use super::code::{Derivative, Instruction, SEED, Source};
use super::lowering::{Lowering, PLAN_BUDGET};
use super::mask::Mask;
use super::reverse::{Contribution, Pass, Rows, Rule};
use super::targets::Targets;
use crate::batch::program::{Kind, NodeId, Program};
use crate::batch::{Directional, Product};
use crate::error::Error;
use crate::op::curvature::CurvedVariadic;
use crate::op::{Op, Read};
use crate::room;
use std::collections::BTreeMap;

/// Appends what computes the derivatives; whether the program is one that there are instructions for. If it is
/// not, the derivatives have no source.
pub(crate) fn lower(
    lowering: &mut Lowering<'_>,
    what: &Directional,
    targets: &Targets,
    directions: &[NodeId],
    steps: usize,
) -> Result<bool, Error> {
    place(lowering, what, targets)?;
    lowering.code.is_directional = true;
    let roots = lowering.program.outputs().to_vec();
    let reached = reached(lowering, &roots);
    if *what != (Directional::Derivative { widths: targets.widths.clone() })
        && reached.iter().any(|&node| bends_many(lowering.program, node))
    {
        return Ok(false);
    }
    let before = Marks::of(lowering);
    let mut rows = Rows::new(lowering.program.len())?;
    let pass = Pass::over(lowering, &mut rows, (0, &roots), reached, steps)?;
    let fits = match what {
        Directional::Derivative { .. } => derivatives(pass, &roots, targets, directions),
        Directional::Product(product) => {
            let direction: BTreeMap<_, _> =
                targets.elements.iter().map(|e| e.0).zip(directions.iter().copied()).collect();
            Second::new(pass, *product)?.run(targets, 1, |lowering, _, element| {
                direction.get(&element).map(|&tangent| lowering.source(tangent))
            })
        }
        Directional::Hessian => {
            let count = targets.elements.len();
            Second::new(pass, Product::Jacobian)?
                .run(targets, count, |_, k, element| (targets.elements[k].0 == element).then_some(SEED))
        }
    }?;
    if !fits {
        before.restore(lowering);
    }
    Ok(fits)
}

/// Notes the derivatives that are asked for, without sources.
fn place(lowering: &mut Lowering<'_>, what: &Directional, targets: &Targets) -> Result<(), Error> {
    let (program, elements) = (lowering.program, &targets.elements);
    let derivatives = &mut lowering.code.derivatives;
    let new = |element, array, column| Derivative { output: 0, element, array, column, source: None };
    room::reserve_exact(derivatives, targets.widths.iter().sum())?;
    match what {
        Directional::Derivative { widths } => {
            let places = widths
                .iter()
                .enumerate()
                .flat_map(|(array, &width)| (0..width).map(move |column| (array, column)));
            let outputs = program.outputs().iter().zip(places);
            derivatives.extend(outputs.map(|(&output, (array, column))| new(output, array, column)));
        }
        Directional::Product(_) => {
            derivatives.extend(elements.iter().map(|&(element, array, column)| new(element, array, column)));
        }
        Directional::Hessian => {
            for &(element, _, row) in elements {
                derivatives.extend((0..elements.len()).map(|j| new(element, 0, row * elements.len() + j)));
            }
        }
    }
    Ok(())
}

/// The nodes that gradients flow through from any of the roots, in descending order.
fn reached(lowering: &mut Lowering<'_>, roots: &[NodeId]) -> Vec<NodeId> {
    let mut reached = vec![];
    for &root in roots {
        reached.extend(lowering.reached(root));
    }
    if roots.len() > 1 {
        reached.sort_unstable_by(|a, b| b.cmp(a));
        reached.dedup();
    }
    reached
}

/// Whether the node is a variadic op whose shares change with its inputs.
fn bends_many(program: &Program, node: NodeId) -> bool {
    let Kind::Fold(op, _) = program.kind(node) else { return false };
    with_variadic!(op, O => !O::FLAT, else false)
}

/// How long the code was.
struct Marks {
    instructions: usize,
    lists: usize,
    checks: usize,
}

impl Marks {
    fn of(lowering: &Lowering<'_>) -> Self {
        let code = &lowering.code;
        Self { instructions: code.instructions.len(), lists: code.lists.len(), checks: code.checks.len() }
    }

    fn restore(self, lowering: &mut Lowering<'_>) {
        let code = &mut lowering.code;
        code.instructions.truncate(self.instructions);
        code.instructions.shrink_to_fit();
        code.lists.truncate(self.lists);
        code.checks.truncate(self.checks);
        code.sites.clear();
        code.derivatives.iter_mut().for_each(|derivative| derivative.source = None);
    }
}

/// Tangents of the outputs.
fn derivatives(
    mut pass: Pass<'_, '_>,
    roots: &[NodeId],
    targets: &Targets,
    directions: &[NodeId],
) -> Result<bool, Error> {
    let direction: BTreeMap<_, _> =
        targets.elements.iter().map(|e| e.0).zip(directions.iter().copied()).collect();
    pass.check_values();
    let mut tangents = room::filled(pass.lowering.program.len(), None)?;
    ascend(&mut pass, &mut tangents, Rule::Mode, |lowering, element| {
        direction.get(&element).map(|&tangent| lowering.source(tangent))
    })?;
    for (number, &root) in roots.iter().enumerate() {
        let code = &mut pass.lowering.code;
        let found = tangents[root as usize];
        code.derivatives[number].source = found;
        code.checks.extend(found);
    }
    pass.clear();
    Ok(true)
}

/// Appends the tangents of the nodes that the pass reaches.
fn ascend(
    pass: &mut Pass<'_, '_>,
    tangents: &mut [Option<Source>],
    rule: Rule,
    mut direction: impl FnMut(&mut Lowering<'_>, NodeId) -> Option<Source>,
) -> Result<(), Error> {
    let reached = std::mem::take(&mut pass.reached);
    let operands: usize = reached.iter().map(|&node| 1 + pass.lowering.program.operands(node).len()).sum();
    pass.lowering.reserve(2 * operands)?;
    for &node in reached.iter().rev() {
        let program = pass.lowering.program;
        tangents[node as usize] = match program.kind(node) {
            Kind::Argument(_) => direction(pass.lowering, node),
            Kind::Select => {
                let operands = program.operands(node);
                let [a, b] = [operands[1], operands[2]].map(|operand| tangents[operand as usize]);
                if a.is_none() && b.is_none() {
                    None
                } else {
                    let condition = pass.lowering.source(operands[0]);
                    let zero = pass.lowering.number(0.0);
                    Some(pass.select(condition, a.unwrap_or(zero), b.unwrap_or(zero)))
                }
            }
            Kind::Elementwise(Op::Div) if tangents[program.operands(node)[1] as usize].is_some() => {
                let t = [0, 1].map(|place| tangents[program.operands(node)[place] as usize]);
                Some(pass.tangent_of_quotient(node, t, rule))
            }
            _ => {
                let mut sum = None;
                for place in 0..program.operands(node).len() {
                    let operand = program.operands(node)[place];
                    let Some(t) = tangents[operand as usize] else { continue };
                    for (_, contribution) in pass.contributions(node, t, Some(place), rule) {
                        sum = Some(match sum {
                            None => pass.begin(contribution),
                            Some(sum) => pass.add(sum, contribution),
                        });
                    }
                }
                sum
            }
        };
    }
    pass.reached = reached;
    Ok(())
}

/// Second derivatives: the first-order sweep, and what comes of it direction by direction.
struct Second<'l, 'a> {
    pass: Pass<'l, 'a>,
    product: Product,
    /// By node: adjoints, tangents of the direction at hand, and second partials.
    adjoints: Vec<Option<Source>>,
    tangents: Vec<Option<Source>>,
    entries: BTreeMap<NodeId, [Source; 4]>,
}

impl<'l, 'a> Second<'l, 'a> {
    fn new(pass: Pass<'l, 'a>, product: Product) -> Result<Self, Error> {
        let nodes = pass.lowering.program.len();
        Ok(Self {
            pass,
            product,
            adjoints: room::filled(nodes, None)?,
            tangents: room::filled(nodes, None)?,
            entries: BTreeMap::new(),
        })
    }

    /// Appends everything; whether the code fits the budget.
    fn run(
        mut self,
        targets: &Targets,
        directions: usize,
        mut direction: impl FnMut(&mut Lowering<'_>, usize, NodeId) -> Option<Source>,
    ) -> Result<bool, Error> {
        self.pass.check_values();
        self.pass.sweep();
        for &(element, ..) in &targets.elements {
            // An infinite sum of contributions is for the per-sample interpreter.
            let found = self.pass.found(element).filter(|&source| source != SEED);
            self.pass.lowering.code.checks.extend(found);
        }
        std::mem::swap(&mut self.adjoints, &mut self.pass.rows.adjoints);
        let (first, mut fits) = (self.pass.lowering.bytes(), true);
        let rule = if self.product == Product::Transposed { Rule::Mode } else { Rule::Classical };
        for k in 0..directions {
            self.tangents.fill(None);
            ascend(&mut self.pass, &mut self.tangents, rule, |lowering, element| {
                direction(lowering, k, element)
            })?;
            self.descend()?;
            for (i, &(element, ..)) in targets.elements.iter().enumerate() {
                let found = self.pass.found(element);
                let code = &mut self.pass.lowering.code;
                code.derivatives[i * directions + k].source = found;
                room::reserve(&mut code.checks, 1)?;
                code.checks.extend(found);
            }
            self.pass.rows.adjoints.fill(None);
            // The first direction may take what memory there is, as the pass of a first output.
            if k > 0 && self.pass.lowering.bytes() - first > PLAN_BUDGET {
                fits = false;
                break;
            }
        }
        self.pass.clear();
        Ok(fits)
    }

    /// Appends the sweep of how the adjoints change along the tangents.
    fn descend(&mut self) -> Result<(), Error> {
        let reached = std::mem::take(&mut self.pass.reached);
        // A tangent that is not REAL shows in that of the root, since all that is reached leads there.
        if let Some(&root) = reached.first() {
            self.pass.lowering.code.checks.extend(self.tangents[root as usize].filter(|&t| t != SEED));
        }
        let operands: usize =
            reached.iter().map(|&node| 1 + self.pass.lowering.program.operands(node).len()).sum();
        self.pass.lowering.reserve(4 * operands)?;
        for &node in &reached {
            self.hand_down(node);
        }
        self.pass.reached = reached;
        Ok(())
    }

    /// What arrives at the operands of a node.
    fn hand_down(&mut self, node: NodeId) {
        let mask = self.pass.rows.visited[node as usize];
        let (g, change) = (self.adjoints[node as usize], self.pass.rows.adjoints[node as usize]);
        let Some(g) = g.filter(|_| mask != Mask::Never) else { return };
        let rule = if self.product == Product::Transposed { Rule::Classical } else { Rule::Mode };
        let program = self.pass.lowering.program;
        let passed = change.map_or(vec![], |change| self.pass.contributions(node, change, None, rule));
        let (Kind::Elementwise(_) | Kind::Power(_)) = program.kind(node) else {
            for (operand, contribution) in passed {
                self.pass.receive(operand, contribution, mask);
            }
            return;
        };
        let mut passed = passed.into_iter().peekable();
        let operands = program.operands(node).to_vec();
        let (op, n) = self.pass.op_of(node);
        let coupled = if op == Op::PowInt && (n == 0 || n == 1) { [false; 4] } else { op.coupled() };
        for (place, &operand) in operands.iter().enumerate() {
            // Contributions are in the order of the operands; of x·x both are for the same one.
            if passed.peek().is_some_and(|&(to, _)| to == operand) {
                let (_, contribution) = passed.next().expect("it was just seen");
                self.pass.receive(operand, contribution, mask);
            }
            if self.pass.rows.visited[operand as usize] == Mask::Never {
                continue;
            }
            for (other, &moving) in operands.iter().enumerate() {
                let entry = match self.product {
                    Product::Jacobian => 2 * place + other,
                    Product::Transposed => 2 * other + place,
                };
                let Some(t) = self.tangents[moving as usize].filter(|_| coupled[entry]) else { continue };
                let term = self.term(node, (op, n), g, t, entry);
                self.pass.receive(operand, term, mask);
            }
        }
    }

    /// The term of an entry.
    fn term(&mut self, node: NodeId, (op, n): (Op, i32), g: Source, t: Source, entry: usize) -> Contribution {
        let m = match (op, n) {
            // Its entry is 1.
            (Op::Mul, _) if g == SEED => return Contribution::Plain(t),
            (Op::Mul, _) if t == SEED => return Contribution::Plain(g),
            (Op::Mul, _) => None,
            (Op::Square, _) | (Op::PowInt, 2) => Some(self.pass.lowering.number(2.0)),
            _ => Some(self.entries(node, (op, n))[entry]),
        };
        Contribution::Term(g, t, m)
    }

    /// The second partials of a node.
    fn entries(&mut self, node: NodeId, (op, n): (Op, i32)) -> [Source; 4] {
        if let Some(&known) = self.entries.get(&node) {
            return known;
        }
        let is_site = self.pass.is_site(node);
        let lowering = &mut *self.pass.lowering;
        let operands = lowering.program.operands(node).to_vec();
        let reads = op.second_reads();
        let first = lowering.source(operands[0]);
        let b = match operands.get(1) {
            Some(&b) if reads.contains(&Read::B) => lowering.source(b),
            _ => first,
        };
        let z = if reads.contains(&Read::Z) { lowering.source(node) } else { first };
        let coupled = op.coupled();
        let registers = coupled.map(|is_coupled| is_coupled.then(|| lowering.register()));
        lowering.code.instructions.push(Instruction::Entries {
            op,
            n,
            a: first,
            b,
            z,
            to: registers,
            is_site,
        });
        let zero = lowering.number(0.0);
        let found = registers.map(|to| to.map_or(zero, Source::Slot));
        self.entries.insert(node, found);
        found
    }
}
