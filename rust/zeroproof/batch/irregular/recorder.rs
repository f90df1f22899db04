//! Derivatives along directions and second derivatives of single samples.
//!
//! A sample is recorded on an arena of its own, as the scalar path records it, and differentiated by the
//! passes of the scalar path.

use super::interpreter::{Found, Note};
use crate::backward::policies::{Coordinate, Decide};
use crate::backward::{Gradient, PassCounts, Scratch};
use crate::batch::compile::plan::Plan;
use crate::batch::program::{Kind, NodeId, Program};
use crate::batch::{Directional, Request};
use crate::error::Error;
use crate::graph::aliases::Side;
use crate::graph::{Graph, Handle};
use crate::mode::ModeState;
use crate::op::{Arity, Op};
use crate::reduce::Reduction;
use crate::room;
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;

/// Decides as the statistics would, and leaves the counting for later.
struct Notes<'a> {
    lane: usize,
    statistics: &'a Statistics,
    notes: &'a mut Vec<Note>,
}

impl Decide for Notes<'_> {
    fn decide(&mut self, _: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.notes.push(Note { lane: self.lane, d, at });
        self.would_saturate(state, d, at)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.statistics.would_saturate(state, d, at.explored)
    }
}

/// The arena of a sample, and what is kept between samples for its memory.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    graph: Graph,
    scratch: Scratch,
    /// By node: a handle, unless it is a condition or not needed.
    handles: Vec<Option<Handle>>,
    /// By node: the truth of a condition.
    truths: Vec<bool>,
    /// The inputs of the variadic node at hand.
    inputs: Vec<Handle>,
    sources: Vec<Handle>,
    roots: Vec<Handle>,
    /// Under a total, the sum that is the root.
    sum: Option<Handle>,
    direction: Vec<f64>,
}

impl Recorder {
    /// Records a sample, given the elements of arguments in it, and appends the values of all outputs and then
    /// the derivatives.
    #[expect(clippy::too_many_arguments, reason = "where each of the results goes")]
    pub fn sample(
        &mut self,
        plan: &Plan,
        state: &ModeState,
        element: &dyn Fn(NodeId) -> f64,
        (lane, statistics): (usize, &Statistics),
        values: &mut Vec<f64>,
        found: &mut [Found],
        notes: &mut Vec<Note>,
    ) -> Result<PassCounts, Error> {
        let counts = self.record(plan, element).and_then(|()| {
            let outputs = plan.program.outputs().iter();
            values.extend(outputs.map(|&output| self.graph.value(self.handle(output)).to_ieee()));
            self.direction.clear();
            self.direction.extend(plan.directions.iter().map(|&element_of| element(element_of)));
            let mut decisions = Notes { lane, statistics, notes };
            self.differentiate(plan, state, &mut decisions, found)
        });
        // From the newest on: the arena is cut off from its end.
        if let Some(sum) = self.sum.take() {
            self.graph.release(sum);
        }
        for node in (0..self.handles.len()).rev() {
            if let Some(handle) = self.handles[node].take() {
                self.graph.release(handle);
            }
        }
        counts
    }

    fn handle(&self, node: NodeId) -> Handle {
        self.handles[node as usize].expect("what is needed is recorded")
    }

    /// Records the nodes that the outputs need.
    fn record(&mut self, plan: &Plan, element: &dyn Fn(NodeId) -> f64) -> Result<(), Error> {
        let program = &plan.program;
        room::grow(&mut self.handles, program.len(), None)?;
        room::grow(&mut self.truths, program.len(), false)?;
        self.sources.clear();
        room::reserve(&mut self.sources, program.element_count())?;
        for (number, argument) in program.arguments().iter().enumerate() {
            let is_source = plan.request.sources().contains(&number);
            let op = match plan.request.coordinate() == Some(number) {
                true => Op::Input,
                false if is_source => Op::Parameter,
                false => Op::Constant,
            };
            debug_assert!(argument.size() == program.elements(number).len());
            for node in program.elements(number) {
                if is_source || plan.facts.needed[node as usize] {
                    self.graph.reserve_leaf()?;
                    self.handles[node as usize] = Some(self.graph.leaf(op, element(node), None));
                }
            }
        }
        for &source in plan.request.sources() {
            let elements = program.elements(source).map(|node| self.handles[node as usize]);
            self.sources.extend(elements.flatten());
        }
        for node in program.element_count() as NodeId..program.len() as NodeId {
            if plan.facts.needed[node as usize] {
                self.push(program, node)?;
            }
        }
        Ok(())
    }

    /// Records a node.
    fn push(&mut self, program: &Program, node: NodeId) -> Result<(), Error> {
        let operands = program.operands(node);
        self.graph.reserve(2)?;
        let recorded = match program.kind(node) {
            Kind::Argument(_) => unreachable!("elements are leaves"),
            Kind::Constant(value) => self.graph.constant(value),
            Kind::Elementwise(op) if op.arity() == Arity::Binary => {
                self.graph.binary(op, self.handle(operands[0]), self.handle(operands[1]))
            }
            Kind::Elementwise(op) => self.graph.unary(op, self.handle(operands[0])),
            Kind::Power(n) => self.graph.pow_int(self.handle(operands[0]), n),
            Kind::Fold(op, mode) => {
                self.graph.reserve_reduction(operands.len())?;
                self.inputs.clear();
                room::reserve(&mut self.inputs, operands.len())?;
                let inputs = operands.iter().map(|&operand| self.handles[operand as usize]);
                self.inputs.extend(inputs.flatten());
                self.graph.reduce(op, mode, &self.inputs)
            }
            Kind::Condition(predicate) => {
                let [a, b] = [0, 1].map(|place| operands.get(place).map_or(0.0, |&o| self.number(o)));
                self.truths[node as usize] = predicate.holds(a, b);
                return Ok(());
            }
            Kind::Select => {
                let holds = self.number(operands[0]) != 0.0;
                let [a, b] = [operands[1], operands[2]].map(|operand| self.handle(operand));
                let (chosen, other) = if holds { (a, b) } else { (b, a) };
                let alias = self.graph.choose(Side::Node(chosen), Side::Node(other));
                alias.unwrap_or_else(|| {
                    self.graph.retain(chosen);
                    chosen
                })
            }
        };
        self.handles[node as usize] = Some(recorded);
        Ok(())
    }

    /// The value of a node; the truth of a condition as 1 or 0.
    fn number(&self, node: NodeId) -> f64 {
        match self.handles[node as usize] {
            Some(handle) => self.graph.value(handle).to_ieee(),
            None => f64::from(u8::from(self.truths[node as usize])),
        }
    }

    /// Differentiates what was recorded.
    fn differentiate(
        &mut self,
        plan: &Plan,
        state: &ModeState,
        decisions: &mut dyn Decide,
        found: &mut [Found],
    ) -> Result<PassCounts, Error> {
        let Request::Directional { what, total, .. } = &plan.request else {
            unreachable!("nothing else is recorded")
        };
        self.roots.clear();
        room::reserve(&mut self.roots, plan.program.outputs().len())?;
        for &output in plan.program.outputs() {
            let mut root = self.handle(output);
            if total.is_some() {
                // What is left out is silenced by the sum.
                self.graph.reserve_reduction(1)?;
                root = self.graph.reduce(Op::Sum, Reduction::DropNonreal, &[root]);
                self.sum = Some(root);
            }
            self.roots.push(root);
        }
        // What no path leads to is 0, and says nothing.
        let entry = |of: Option<Gradient>| {
            of.map_or((0.0, Status::EXACT), |(number, status)| (number.to_ieee(), status))
        };
        let seed = TrScalar::from_ieee(1.0);
        let Self { graph, scratch, sources, roots, direction, .. } = self;
        match what {
            Directional::Derivative { .. } => {
                let (derivatives, counts) =
                    graph.jvp_deciding(roots, sources, direction, state, decisions, scratch)?;
                for (found, derivative) in found.iter_mut().zip(derivatives) {
                    *found = entry(Some(derivative));
                }
                Ok(counts)
            }
            Directional::Product(product) => {
                let pass = graph
                    .hvp_deciding(roots[0], seed, sources, direction, *product, state, decisions, scratch)?;
                for (found, number) in found.iter_mut().zip(pass.products.into_iter().flatten()) {
                    *found = entry(number);
                }
                Ok(pass.counts)
            }
            Directional::Hessian => {
                let pass = graph.hessian_deciding(roots[0], seed, sources, state, decisions, scratch)?;
                for (j, column) in pass.products.into_iter().enumerate() {
                    for (i, number) in column.into_iter().enumerate() {
                        found[i * sources.len() + j] = entry(number);
                    }
                }
                Ok(pass.counts)
            }
        }
    }
}
