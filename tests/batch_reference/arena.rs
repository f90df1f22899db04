//! An arena that samples are recorded on and differentiated, as scalars.

use super::{Function, Mode};
use std::cmp::Ordering;
use zeroproof::backward::Scratch;
use zeroproof::batch::{Directional, Kind, Predicate};
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{Op, Reduction, Statistics, Status, TrScalar, TrTag};

/// What a node is while a sample is recorded: conditions are decided at once, and a selection is the
/// operand that it takes.
#[derive(Clone, Copy)]
enum Recorded {
    Number(Handle),
    Truth(bool),
}

impl Recorded {
    fn number(self) -> Handle {
        match self {
            Self::Number(handle) => handle,
            Self::Truth(_) => panic!("a condition is no number"),
        }
    }

    fn holds(self, graph: &Graph) -> bool {
        match self {
            Self::Number(handle) => graph.value(handle).to_ieee() != 0.0,
            Self::Truth(holds) => holds,
        }
    }
}

/// Whether a predicate holds: by tag, then by value; `Φ` is unordered.
fn decide(graph: &Graph, predicate: Predicate, operands: &[Recorded]) -> bool {
    let value = |place: usize| graph.value(operands[place].number());
    let holds = |place: usize| operands[place].holds(graph);
    match predicate {
        Predicate::Less => value(0).partial_cmp(&value(1)) == Some(Ordering::Less),
        Predicate::LessEqual => value(0).partial_cmp(&value(1)).is_some_and(Ordering::is_le),
        Predicate::Equal => value(0) == value(1),
        Predicate::IsReal => value(0).tag() == TrTag::Real,
        Predicate::IsInfinite => matches!(value(0).tag(), TrTag::PInf | TrTag::NInf),
        Predicate::IsPhi => value(0).tag() == TrTag::Phi,
        Predicate::And => holds(0) && holds(1),
        Predicate::Or => holds(0) || holds(1),
        Predicate::Not => !holds(0),
    }
}

/// The arena, and the handles to be released.
#[derive(Default)]
pub struct Arena {
    graph: Graph,
    scratch: Scratch,
    owned: Vec<Handle>,
}

impl Arena {
    pub fn leaf(&mut self, op: Op, number: f64) -> Handle {
        let handle = self.graph.leaf(op, number, None);
        self.owned.push(handle);
        handle
    }

    /// Records what a sample comes to, given its elements; returns the outputs.
    pub fn record(&mut self, function: &Function, elements: &[Handle]) -> Vec<Handle> {
        let recorded = self.record_nodes(function, elements);
        function.program.outputs().iter().map(|&output| recorded[output as usize].number()).collect()
    }

    /// Records a sample and returns the values of all nodes; conditions are 1 or 0.
    pub fn values(&mut self, function: &Function, elements: &[Handle]) -> Vec<f64> {
        let recorded = self.record_nodes(function, elements);
        let value = |recorded: &Recorded| match *recorded {
            Recorded::Number(handle) => self.value(handle),
            Recorded::Truth(holds) => f64::from(u8::from(holds)),
        };
        recorded.iter().map(value).collect()
    }

    fn record_nodes(&mut self, function: &Function, elements: &[Handle]) -> Vec<Recorded> {
        let mut recorded: Vec<_> = elements.iter().map(|&element| Recorded::Number(element)).collect();
        for (kind, operands) in &function.nodes {
            let operands: Vec<_> = operands.iter().map(|&operand| recorded[operand as usize]).collect();
            recorded.push(self.node(*kind, &operands));
        }
        recorded
    }

    fn node(&mut self, kind: Kind, operands: &[Recorded]) -> Recorded {
        let graph = &mut self.graph;
        let number = |place: usize| operands[place].number();
        let made = match kind {
            Kind::Constant(value) => graph.constant(value),
            Kind::Elementwise(op) if op.arity() == Arity::Binary => graph.binary(op, number(0), number(1)),
            Kind::Elementwise(op) => graph.unary(op, number(0)),
            Kind::Power(n) => graph.pow_int(number(0), n),
            Kind::Fold(op, mode) => {
                let inputs: Vec<_> = operands.iter().map(|operand| operand.number()).collect();
                graph.reduce(op, mode, &inputs)
            }
            Kind::Condition(predicate) => {
                return Recorded::Truth(decide(graph, predicate, operands));
            }
            Kind::Select => return operands[if operands[0].holds(graph) { 1 } else { 2 }],
            Kind::Argument(_) => unreachable!("arguments are leaves"),
        };
        self.owned.push(made);
        Recorded::Number(made)
    }

    pub fn value(&self, node: Handle) -> f64 {
        self.graph.value(node).to_ieee()
    }

    /// The sum of the roots that are REAL, which silences the others.
    pub fn sum_of_real(&mut self, roots: &[Handle]) -> Handle {
        let sum = self.graph.reduce(Op::Sum, Reduction::DropNonreal, roots);
        self.owned.push(sum);
        sum
    }

    /// The gradients of a root by some sources, and how they came about.
    pub fn gradients(
        &mut self,
        root: Handle,
        seed: f64,
        sources: &[Handle],
        mode: &Mode,
        statistics: &mut Statistics,
    ) -> Vec<(f64, Status)> {
        let Self { graph, scratch, .. } = self;
        let left_out = graph.left_out(root, seed.into(), Some(sources), &mode.state, statistics, scratch);
        let (found, counts) =
            graph.gradients_of(root, seed.into(), sources, &mode.state, Some(statistics), scratch).unwrap();
        assert_eq!(left_out.len() as u64, counts.dropped, "what is told is what is left out");
        statistics.add_pass(counts);
        let gradient = |(gradient, status): (TrScalar, _)| (gradient.to_ieee(), status);
        found.into_iter().map(|found| found.map_or((0.0, Status::EXACT), gradient)).collect()
    }

    /// The derivatives of the roots along a direction, the product of the direction with a Hessian, or the Hessian
    /// row by row, and how they came about.
    pub fn directional(
        &mut self,
        roots: &[Handle],
        sources: &[Handle],
        direction: &[f64],
        what: &Directional,
        mode: &Mode,
        statistics: &mut Statistics,
    ) -> Vec<(f64, Status)> {
        let Self { graph, scratch, .. } = self;
        let number = |(number, status): (TrScalar, _)| (number.to_ieee(), status);
        let entry = |found: &Option<(TrScalar, Status)>| found.map_or((0.0, Status::EXACT), number);
        let (root, state) = (roots[0], &mode.state);
        let (found, counts) = match what {
            Directional::Derivative { .. } => {
                let (found, counts) =
                    graph.jvp(roots, sources, direction, state, Some(statistics), scratch).unwrap();
                (found.into_iter().map(number).collect(), counts)
            }
            Directional::Product(product) => {
                let seed = 1.0.into();
                let found = graph
                    .hvp(root, seed, sources, direction, *product, state, Some(statistics), scratch)
                    .unwrap();
                (found.products[0].iter().map(entry).collect(), found.counts)
            }
            Directional::Hessian => {
                let found =
                    graph.hessian(root, 1.0.into(), sources, state, Some(statistics), scratch).unwrap();
                let rows = 0..sources.len();
                let entries = rows.flat_map(|i| found.products.iter().map(move |column| entry(&column[i])));
                (entries.collect(), found.counts)
            }
        };
        statistics.add_pass(counts);
        found
    }

    /// Gives everything back that was recorded.
    pub fn clear(&mut self) {
        while let Some(handle) = self.owned.pop() {
            self.graph.release(handle);
        }
    }
}
