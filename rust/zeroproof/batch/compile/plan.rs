//! A program compiled for a request.

use super::analysis::{Analysis, differentiable};
use super::code::{Code, Derivative, Source, Uniform};
use super::lower::lower;
use super::reachable::ReachableSets;
use super::targets::Targets;
use crate::batch::program::{Argument, Kind, NodeId, Program};
use crate::batch::{Directional, Input, Product, Request, Total};
use crate::error::Error;
use crate::op::{Arity, Op};
use crate::room::{self, granted};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What is added up over the samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summand {
    /// The derivative by its number, or the value.
    pub derivative: Option<usize>,
    /// Where a block leaves it; `None` if no path leads to it, and it is 0.
    pub source: Option<Source>,
}

/// The program with an argument more for the direction of each source, or for the adjoints of the outputs, and
/// the elements of these.
fn directed(program: &Program, request: &Request) -> Result<(Program, Vec<NodeId>), Error> {
    let direction = |&source: &usize| {
        let argument = &program.arguments()[source];
        Argument { name: format!("d{}", argument.name), ..argument.clone() }
    };
    let more: Vec<_> = match request {
        Request::Directional { what, sources, .. } if what.has_direction() => {
            sources.iter().map(direction).collect()
        }
        Request::Pullback { .. } => {
            let per_sample = program.arguments().iter().any(|argument| argument.per_sample);
            let shape = vec![program.outputs().len()];
            vec![Argument { name: "adjoints".into(), shape, per_sample }]
        }
        _ => return Ok((program.clone(), vec![])),
    };
    let first = program.arguments().len();
    let program = program.with_arguments(more)?;
    let elements = (first..program.arguments().len()).flat_map(|number| program.elements(number)).collect();
    Ok((program, elements))
}

/// A program compiled for a request.
#[derive(Debug)]
pub struct Plan {
    pub(crate) program: Program,
    pub(crate) request: Request,
    pub(crate) facts: Analysis,
    pub(crate) code: Code,
    /// Whether a condition chooses the way of some gradient, or of the dependence on a coordinate.
    pub(crate) selects: bool,
    /// Whether it is not known beforehand which ops are singular.
    pub(crate) has_undecided_poles: bool,
    /// Whether the code has no derivatives, so that every sample is for the per-sample interpreter.
    pub(crate) is_interpreted: bool,
    /// The elements of the directions, in the order of the sources.
    pub(crate) directions: Vec<NodeId>,
    /// By array of derivatives: whether it is put together over the samples.
    pub(crate) summed: Vec<bool>,
    /// What is added up under a total: the value first, then the derivatives by shared arguments.
    pub(crate) totals: Vec<Summand>,
    /// What must be checked if those are added up, which shows what of them is not REAL.
    pub(crate) checks_besides_totals: Vec<Source>,
    /// By array of derivatives: how many a sample has.
    pub(crate) widths: Vec<usize>,
    /// By array of derivatives: which ones it holds.
    pub(crate) by_array: Vec<Vec<u32>>,
    /// By site, when they are first asked for: the derivatives that its contributions reach.
    below: Vec<OnceLock<Vec<u32>>>,
    below_any: OnceLock<Vec<bool>>,
    /// The nodes that are the same for every sample, and needed.
    uniform_nodes: Vec<NodeId>,
    /// What a back end keeps with the plan, such as machine code; compiling knows nothing of it.
    #[cfg_attr(
        not(all(feature = "native", target_arch = "x86_64")),
        expect(dead_code, reason = "the interpreter keeps nothing")
    )]
    pub(crate) kept: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Plan {
    /// By derivative, output by output: whether a path leads to it.
    pub fn paths(&self) -> Vec<bool> {
        self.code.derivatives.iter().map(|derivative| derivative.source.is_some()).collect()
    }

    /// The program that was compiled.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Compiles a program.
    ///
    /// # Panics
    /// If a source or the coordinate names no argument, or a gradient is asked of several outputs; and for
    /// want of memory.
    pub fn new(program: &Program, request: Request) -> Self {
        granted(Self::try_new(program, request))
    }

    /// [`Plan::new`].
    ///
    /// # Errors
    /// [`Error::PlanTooLarge`] for a Jacobian of so many outputs that its plan would take more than
    /// [`PLAN_BUDGET`](crate::batch::PLAN_BUDGET), and [`Error::OutOfMemory`].
    ///
    /// # Panics
    /// If a source or the coordinate names no argument, or a gradient is asked of several outputs.
    pub fn try_new(program: &Program, request: Request) -> Result<Self, Error> {
        let (sources, coordinate, total) = (request.sources(), request.coordinate(), request.total());
        if let Request::Gradient { .. } = request {
            assert!(program.outputs().len() == 1, "a gradient is that of one output");
        }
        // The analysis, and the plan's own copy of the program.
        room::probe(2 * program.bytes() + program.len() * size_of::<f64>() * 2)?;
        let (program, directions) = directed(program, &request)?;
        let mut facts = Analysis::new(&program, sources, coordinate);
        directions.iter().for_each(|&element| facts.needed[element as usize] = true);
        if let Request::Directional { .. } = request {
            // Numbers of samples are read again and again.
            facts.uses[..program.element_count()].fill(u32::MAX);
        }
        let targets = Targets::new(&program, &request)?;
        let lowered = lower(&program, &facts, &request, &targets, &directions)?;
        let (mut code, is_interpreted) = lowered;
        room::probe(program.bytes() + code.after_bytes())?;
        let mut totals = vec![];
        if total.is_some() {
            // A sample whose value is not REAL is left out of a total.
            let value = code.values[0];
            if !code.checks.contains(&value) {
                code.checks.push(value);
            }
            totals.push(Summand { derivative: None, source: Some(value) });
            let derivatives = code.derivatives.iter().enumerate().filter(|(_, d)| targets.summed[d.array]);
            totals.extend(derivatives.map(|(n, d)| Summand { derivative: Some(n), source: d.source }));
        }
        let mut by_array: Vec<Vec<u32>> = room::filled(targets.widths.len(), vec![])?;
        for (number, derivative) in code.derivatives.iter().enumerate() {
            room::push(&mut by_array[derivative.array], number as u32)?;
        }
        let added: BTreeSet<_> = totals.iter().filter_map(|summand| summand.source).collect();
        let checks_besides_totals =
            code.checks.iter().filter(|check| !added.contains(check)).copied().collect();
        let below = code.sites.iter().map(|_| OnceLock::new()).collect();
        let selects = !targets.elements.is_empty() && facts.selects(&program);
        let has_undecided_poles = facts.has_undecided_poles(&program);
        let uniform_nodes = (0..program.len() as NodeId)
            .filter(|&n| facts.needed[n as usize] && !facts.varying[n as usize])
            .collect();
        Ok(Self {
            program,
            request,
            facts,
            code,
            selects,
            has_undecided_poles,
            is_interpreted,
            directions,
            summed: targets.summed,
            totals,
            checks_besides_totals,
            widths: targets.widths,
            by_array,
            below,
            below_any: OnceLock::new(),
            uniform_nodes,
            kept: OnceLock::new(),
        })
    }

    /// Whether an array of derivatives is put together over the samples.
    pub fn is_summed(&self, array: usize) -> bool {
        self.summed.get(array).copied().unwrap_or(false)
    }

    /// The total that the request asks for.
    pub(crate) fn total(&self) -> Option<Total> {
        self.request.total()
    }

    /// The derivatives that contributions of a site reach.
    pub(crate) fn below(&self, site: usize) -> &[u32] {
        self.below[site].get_or_init(|| {
            let site = &self.code.sites[site];
            let mut reachable_sets = ReachableSets::default();
            let below =
                reachable_sets.below(&self.program, site.node, |node| self.facts.active[node as usize]);
            let reached = |d: &Derivative| below.binary_search_by(|node| d.element.cmp(node)).is_ok();
            let derivatives = self.code.derivatives.iter().enumerate();
            let below = derivatives.filter(|(_, d)| d.output == site.output && reached(d));
            below.map(|(number, _)| number as u32).collect()
        })
    }

    /// By derivative: whether contributions of any site reach it.
    pub(crate) fn below_any(&self) -> &[bool] {
        self.below_any.get_or_init(|| {
            if let Request::Directional { what, .. } = &self.request {
                return self.saturated_by(what);
            }
            let mut reached = vec![u32::MAX; self.program.len()];
            let mut below = vec![false; self.code.derivatives.len()];
            let mut derivatives = self.code.derivatives.iter().enumerate().peekable();
            for sites in self.code.sites.chunk_by(|a, b| a.output == b.output) {
                let output = sites[0].output;
                let mut todo: Vec<NodeId> = sites.iter().map(|site| site.node).collect();
                while let Some(node) = todo.pop() {
                    if std::mem::replace(&mut reached[node as usize], output) != output {
                        let operands = differentiable(self.program.kind(node), self.program.operands(node));
                        todo.extend(operands.iter().filter(|&&o| self.facts.active[o as usize]));
                    }
                }
                while let Some((number, d)) = derivatives.next_if(|(_, d)| d.output <= output) {
                    below[number] = d.output == output && reached[d.element as usize] == output;
                }
            }
            below
        })
    }

    /// The same for what is directional: whether some op on the way uses bounded partials if all do that can, and
    /// no number of the direction is 0.
    fn saturated_by(&self, what: &Directional) -> Vec<bool> {
        let (program, nodes) = (&self.program, self.program.len());
        let is_active = |node: NodeId| self.facts.active[node as usize] && self.facts.needed[node as usize];
        let mut is_site = vec![false; nodes];
        self.code.sites.iter().for_each(|site| is_site[site.node as usize] = true);
        // Upward: tangents.
        let mut above = is_site.clone();
        for node in (0..nodes as NodeId).filter(|&node| is_active(node)) {
            let operands = differentiable(program.kind(node), program.operands(node));
            above[node as usize] |= operands.iter().any(|&o| is_active(o) && above[o as usize]);
        }
        if let Directional::Derivative { .. } = what {
            return program.outputs().iter().map(|&output| above[output as usize]).collect();
        }
        // Downward: adjoints, and how they change.
        let mut below = is_site;
        for node in (0..nodes as NodeId).rev().filter(|&node| is_active(node)) {
            let operands = differentiable(program.kind(node), program.operands(node));
            let coupled = match program.op(node) {
                Some(op) if *what == Directional::Product(Product::Transposed) => op.coupled(),
                _ => [false; 4],
            };
            for (place, &operand) in operands.iter().enumerate() {
                let bends = |other: usize| {
                    let moving = operands.get(other).filter(|&&o| is_active(o));
                    coupled[2 * other + place] && moving.is_some_and(|&o| above[o as usize])
                };
                let gets = below[node as usize] || place < 2 && (bends(0) || bends(1));
                below[operand as usize] |= gets;
            }
        }
        self.code.derivatives.iter().map(|d| below[d.element as usize]).collect()
    }

    /// The uniform numbers of a run, in the order of the code.
    pub(crate) fn uniforms(&self, inputs: &[Input<'_>]) -> Result<Vec<f64>, Error> {
        let mut values = room::filled(self.program.len(), 0.0)?;
        for &node in &self.uniform_nodes {
            let operands: Vec<f64> =
                self.program.operands(node).iter().map(|&o| values[o as usize]).collect();
            let [a, b] = [0, 1].map(|place| operands.get(place).copied().unwrap_or(0.0));
            values[node as usize] = match self.program.kind(node) {
                Kind::Constant(value) => value,
                Kind::Argument(_) => match inputs[self.program.place(node).0] {
                    Input::Shared(data) => data[self.program.place(node).1],
                    Input::PerSample(_) => unreachable!("an argument of samples is not uniform"),
                },
                Kind::Elementwise(op) if op.arity() == Arity::Binary => op.value(a, b),
                Kind::Elementwise(op) => op.value(a, 0.0),
                Kind::Power(n) => Op::PowInt.value(a, f64::from(n)),
                Kind::Fold(op, mode) => mode.fold(op, operands.iter().copied()),
                Kind::Condition(predicate) => f64::from(u8::from(predicate.holds(a, b))),
                Kind::Select => operands[if a != 0.0 { 1 } else { 2 }],
            };
        }
        let number = |uniform: &Uniform| match *uniform {
            Uniform::Number(number) => number,
            Uniform::Node(node) => values[node as usize],
        };
        let mut uniforms = vec![];
        room::reserve_exact(&mut uniforms, self.code.uniforms.len())?;
        uniforms.extend(self.code.uniforms.iter().map(number));
        Ok(uniforms)
    }
}
