//! A program compiled for a request.

use super::analysis::{Analysis, differentiable};
use super::code::{Code, Derivative, Source, Uniform};
use super::lower::lower;
use super::lowering::Derivatives;
use super::reachable::ReachableSets;
use crate::batch::program::{Kind, NodeId, Program};
use crate::batch::{Input, Request, Total};
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
    /// What is added up under a total: the value first, then the derivatives by shared arguments.
    pub(crate) totals: Vec<Summand>,
    /// What must be checked if those are added up, which shows what of them is not REAL.
    pub(crate) checks_besides_totals: Vec<Source>,
    /// By array of derivatives: how many a sample has.
    pub(crate) widths: Vec<usize>,
    /// By site, when they are first asked for: the derivatives that its contributions reach.
    below: Vec<OnceLock<Vec<u32>>>,
    below_any: OnceLock<Vec<bool>>,
    /// The nodes that are the same for every sample, and needed.
    uniform_nodes: Vec<NodeId>,
    /// What a back end keeps with the plan, such as machine code; compiling knows nothing of it.
    pub(crate) kept: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Plan {
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
        let (sources, coordinate): (&[usize], _) = match &request {
            Request::Values => (&[], None),
            Request::Gradient { sources, coordinate, .. } => (sources, *coordinate),
            Request::Jacobian { sources, coordinate } => (sources, *coordinate),
        };
        if let Request::Gradient { .. } = request {
            assert!(program.outputs().len() == 1, "a gradient is that of one output");
        }
        // The analysis, and the plan's own copy of the program.
        room::probe(program.bytes() + program.len() * size_of::<f64>() * 2)?;
        let facts = Analysis::new(program, sources, coordinate);
        let sizes: Vec<_> = sources.iter().map(|&s| program.elements(s).len()).collect();
        let total_size: usize = sizes.iter().sum();
        let joined = matches!(request, Request::Jacobian { .. });
        let widths = if joined { vec![total_size * program.outputs().len()] } else { sizes.clone() };
        let mut elements = vec![];
        room::reserve_exact(&mut elements, total_size)?;
        for (array, &source) in sources.iter().enumerate() {
            for (place, element) in program.elements(source).enumerate() {
                elements.push(if joined { (element, 0, elements.len()) } else { (element, array, place) });
            }
        }
        let stride = if joined { total_size } else { 0 };
        let mut code = lower(program, &facts, &Derivatives { elements: &elements, stride })?;
        room::probe(program.bytes() + code.after_bytes())?;
        if let Request::Gradient { total: Some(_), .. } = request {
            // A sample whose value is not REAL is left out of a total.
            let value = code.values[0];
            if !code.checks.contains(&value) {
                code.checks.push(value);
            }
        }
        let mut totals = vec![];
        if let Request::Gradient { total: Some(_), .. } = request {
            totals.push(Summand { derivative: None, source: Some(code.values[0]) });
            let shared = |array: usize| !program.arguments()[sources[array]].per_sample;
            let derivatives = code.derivatives.iter().enumerate().filter(|(_, d)| shared(d.array));
            totals.extend(derivatives.map(|(n, d)| Summand { derivative: Some(n), source: d.source }));
        }
        let added: BTreeSet<_> = totals.iter().filter_map(|summand| summand.source).collect();
        let checks_besides_totals =
            code.checks.iter().filter(|check| !added.contains(check)).copied().collect();
        let below = code.sites.iter().map(|_| OnceLock::new()).collect();
        let selects = !elements.is_empty() && facts.selects(program);
        let has_undecided_poles = facts.has_undecided_poles(program);
        let uniform_nodes = (0..program.len() as NodeId)
            .filter(|&n| facts.needed[n as usize] && !facts.varying[n as usize])
            .collect();
        Ok(Self {
            program: program.clone(),
            request,
            facts,
            code,
            selects,
            has_undecided_poles,
            totals,
            checks_besides_totals,
            widths,
            below,
            below_any: OnceLock::new(),
            uniform_nodes,
            kept: OnceLock::new(),
        })
    }

    /// The total that the request asks for.
    pub(crate) fn total(&self) -> Option<Total> {
        if let Request::Gradient { total, .. } = self.request { total } else { None }
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
