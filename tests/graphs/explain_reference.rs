//! Random graphs, and what a backward pass does at their nodes, by asking each node on its own.

use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashSet;
use zeroproof::backward::explain::{Explanation, What};
use zeroproof::backward::{PassCounts, Scratch};
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{Error, GradientMode, ModeState, Op, Reduction, Statistics, Status, TrScalar};

/// One step of a random program; places are taken modulo what is there.
#[derive(Clone, Debug)]
pub enum Step {
    Leaf(Op, f64),
    Unary(Op, usize),
    Power(usize, i32),
    Binary(Op, usize, usize),
    Reduce(Op, Reduction, Vec<usize>),
}

fn ops_of(arity: Arity) -> Vec<Op> {
    Op::ALL.iter().copied().filter(|op| op.arity() == arity).collect()
}

/// A program that begins with a leaf.
pub fn program() -> impl Strategy<Value = Vec<Step>> {
    let place = || 0..64usize;
    let value = select(vec![0.0, -0.0, 1.0, -1.0, 0.5, 1e200, 1e-200, 5e-324, 710.0]);
    let value = prop_oneof![6 => value, 1 => select(vec![f64::INFINITY, f64::NEG_INFINITY, f64::NAN])];
    let kind = select(vec![Op::Parameter, Op::Input, Op::Constant]);
    let leaf = (kind, value).prop_map(|(op, value)| Step::Leaf(op, value));
    let unary = select(ops_of(Arity::Unary));
    let binary = select(ops_of(Arity::Binary));
    let reduce = (
        select(ops_of(Arity::Variadic)),
        select(Reduction::ALL.to_vec()),
        prop::collection::vec(place(), 0..4),
    );
    let step = prop_oneof![
        2 => leaf.clone(),
        3 => (unary, place()).prop_map(|(op, a)| Step::Unary(op, a)),
        1 => (place(), -3..4).prop_map(|(a, n)| Step::Power(a, n)),
        5 => (binary, place(), place()).prop_map(|(op, a, b)| Step::Binary(op, a, b)),
        1 => reduce.prop_map(|(op, mode, inputs)| Step::Reduce(op, mode, inputs)),
    ];
    (leaf, prop::collection::vec(step, 1..30)).prop_map(|(first, mut steps)| {
        steps.insert(0, first);
        steps
    })
}

/// A graph, every node of which is held.
#[derive(Default)]
pub struct Machine {
    pub graph: Graph,
    pub held: Vec<Handle>,
    scratch: Scratch,
    statistics: Statistics,
}

impl Machine {
    pub fn run(steps: &[Step]) -> Self {
        let mut machine = Self::default();
        for step in steps {
            let Self { graph, held, .. } = &mut machine;
            let at = |place: &usize| held[place % held.len()];
            let made = match step {
                Step::Leaf(op, value) => graph.leaf(*op, *value, None),
                Step::Unary(op, a) => graph.unary(*op, at(a)),
                Step::Power(a, n) => graph.pow_int(at(a), *n),
                Step::Binary(op, a, b) => graph.binary(*op, at(a), at(b)),
                Step::Reduce(op, mode, inputs) => {
                    graph.reduce(*op, *mode, &inputs.iter().map(at).collect::<Vec<_>>())
                }
            };
            held.push(made);
        }
        machine
    }

    pub fn explain(&mut self, node: Handle, state: &ModeState) -> Explanation {
        let Self { graph, scratch, statistics, .. } = self;
        let answer = graph.explain(node, None, state, statistics, scratch, usize::MAX);
        answer.clone().map(&mut |handle| graph.release(handle));
        answer
    }

    pub fn backward(&mut self, root: Handle, state: &ModeState) -> Result<PassCounts, Error> {
        let Self { graph, scratch, statistics, .. } = self;
        graph.backward(root, 1.0.into(), state, Some(statistics), scratch)
    }

    /// All that can be seen of nodes and statistics.
    pub fn observed(&self) -> String {
        let node = |&handle: &Handle| (self.graph.gradient(handle), self.graph.status(handle));
        let nodes: Vec<_> = self.held.iter().map(node).collect();
        format!("{nodes:?} {:?} {}", self.statistics, self.graph.len())
    }

    /// Gives every node back, after which the arena is empty.
    pub fn end(mut self) {
        self.held.iter().for_each(|&handle| self.graph.release(handle));
        self.graph.collect();
        assert!(self.graph.is_empty(), "{} nodes are left", self.graph.len());
    }

    /// The operands' values, with the exponent of a power.
    fn operands(&mut self, node: Handle) -> (Vec<Handle>, Vec<f64>) {
        let inputs = self.graph.inputs(node);
        inputs.iter().for_each(|&input| self.graph.release(input));
        let mut values: Vec<_> = inputs.iter().map(|&input| self.graph.value(input).to_ieee()).collect();
        values.extend(self.graph.exponent(node).map(f64::from));
        values.resize(values.len().max(2), 0.0);
        (inputs, values)
    }
}

/// What events there are to be of each kind.
#[derive(Debug, Default)]
pub struct Expected {
    /// Nodes silenced at which an adjoint arrived.
    pub silenced: usize,
    /// Nodes silenced that were reached although none arrived.
    pub silenced_in_silence: usize,
    /// Inputs that a variadic op left out.
    pub left_out: usize,
    pub dropped: usize,
    pub saturated: usize,
}

/// What the pass did that was run last, from `root`, by the adjoints that it left on the nodes.
pub fn expected(machine: &mut Machine, root: Handle, state: &ModeState) -> Expected {
    let mut want = Expected::default();
    let mut arrived = HashSet::from([root]);
    let order = machine.graph.topological_order(root, &mut machine.scratch);
    order.iter().for_each(|&node| machine.graph.release(node));
    for node in order {
        let (inputs, values) = machine.operands(node);
        let leaf = matches!(machine.graph.op(node), Op::Parameter | Op::Input);
        let Some((g, _)) = machine.graph.gradient(node).filter(|_| !leaf) else { continue };
        let does = does(machine, node, g, state);
        if !arrived.contains(&node) {
            want.silenced_in_silence += usize::from(does == Does::Silence);
            continue;
        }
        let z = machine.graph.value(node).to_ieee();
        let (op, g, mode) = (machine.graph.op(node), g.to_ieee(), machine.graph.reduction(node));
        let contributions = match (does, mode) {
            (Does::Silence, _) => {
                want.silenced += 1;
                continue;
            }
            (_, Some(mode)) => {
                let values = &values[..inputs.len()];
                let kept = values.iter().copied().filter(|&x| mode.keeps(x));
                let shared = op.shared(kept, z);
                values.iter().map(|&x| op.share(g, x, shared)).collect()
            }
            (Does::Bound, _) => {
                want.saturated += 1;
                op.bounded(g, values[0], values[1], z, state.bound()).to_vec()
            }
            (Does::Classical, _) => op.classical(g, values[0], values[1], z).to_vec(),
        };
        for (place, (&input, contribution)) in inputs.iter().zip(contributions).enumerate() {
            if !machine.graph.requires_grad(input) {
            } else if mode.is_some_and(|mode| !mode.keeps(values[place])) {
                want.left_out += 1;
            } else if contribution.is_finite() {
                arrived.insert(input);
            } else {
                want.dropped += usize::from(g != 0.0);
            }
        }
    }
    want
}

#[derive(Clone, Copy, PartialEq)]
enum Does {
    Silence,
    Bound,
    Classical,
}

/// What a node does with its adjoint, by the flags that it hands on.
fn does(machine: &Machine, node: Handle, g: TrScalar, state: &ModeState) -> Does {
    if machine.graph.reduction(node).is_some() {
        // Its flags do not tell a silenced node from one that leaves all its inputs out.
        let value = machine.graph.value(node).to_ieee();
        let passes_infinities = match state.mode {
            GradientMode::MaskReal => false,
            GradientMode::Saturating => true,
            GradientMode::Hybrid => state.delta().is_some(),
        };
        let passes = value.is_finite() || (value.is_infinite() && passes_infinities);
        return if passes { Does::Classical } else { Does::Silence };
    }
    let handed_on = machine.graph.contributions(node, g, state, &machine.statistics);
    let has = |status| handed_on.iter().all(|(_, flags)| flags.contains(status));
    match (has(Status::MASKED), has(Status::SATURATED)) {
        (true, _) => Does::Silence,
        (_, true) => Does::Bound,
        _ => Does::Classical,
    }
}

/// How many nodes were silenced, and how many inputs left out.
pub fn masked_events(answer: &Explanation) -> (usize, usize) {
    let masked = answer.events.iter().filter(|event| event.what == What::Masked);
    let (whole, inputs): (Vec<_>, Vec<_>) = masked.partition(|event| event.input.is_none());
    (whole.len(), inputs.len())
}
