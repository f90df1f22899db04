//! Random programs with random drops, against the same arena when nothing in it can be reclaimed.

use proptest::prelude::*;
use zeroproof::backward::Scratch;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::{Graph, Handle};
use zeroproof::{ModeState, Op, Reduction};

/// One step of a random program; numbers are taken modulo what is there.
#[derive(Clone, Debug)]
enum Step {
    Leaf(f64),
    Binary(usize, usize, usize),
    Power(usize, i32),
    Sum(Vec<usize>),
    Choose(usize, usize),
    Alias(usize),
    Inputs(usize),
    Assign(usize, f64),
    Drop(usize),
    Backward(usize),
    Gradients(usize, usize, usize),
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..64usize;
    let value = prop_oneof![Just(0.0), Just(f64::INFINITY), -3.0..3.0];
    prop_oneof![
        2 => value.clone().prop_map(Step::Leaf),
        1 => place.clone().prop_map(Step::Inputs),
        3 => (place.clone(), value).prop_map(|(a, value)| Step::Assign(a, value)),
        6 => (0..4usize, place.clone(), place.clone()).prop_map(|(op, a, b)| Step::Binary(op, a, b)),
        2 => (place.clone(), -3..4).prop_map(|(a, n)| Step::Power(a, n)),
        1 => prop::collection::vec(place.clone(), 0..4).prop_map(Step::Sum),
        2 => (place.clone(), place.clone()).prop_map(|(a, b)| Step::Choose(a, b)),
        1 => place.clone().prop_map(Step::Alias),
        7 => place.clone().prop_map(Step::Drop),
        2 => place.clone().prop_map(Step::Backward),
        2 => (place.clone(), place.clone(), place).prop_map(|(y, a, b)| Step::Gradients(y, a, b)),
        1 => Just(Step::Collect),
    ]
}

/// A graph and the handles held on it; the model holds a second set, so that it never reclaims.
#[derive(Default)]
struct Machine {
    graph: Graph,
    scratch: Scratch,
    held: Vec<Handle>,
    hoard: Vec<Handle>,
    hoards: bool,
    /// What was answered on the way.
    answers: Vec<String>,
}

impl Machine {
    fn run(&mut self, step: &Step) {
        let Self { graph, scratch, held, hoard, hoards, answers } = self;
        let count = held.len();
        let mut made = vec![];
        match *step {
            Step::Leaf(value) => made.push(graph.leaf(Op::Parameter, value, Some(&value.to_string()))),
            _ if count == 0 => {}
            Step::Binary(op, a, b) => {
                let op = [Op::Add, Op::Mul, Op::Div, Op::Maximum][op];
                made.push(graph.binary(op, held[a % count], held[b % count]))
            }
            Step::Power(a, n) => made.push(graph.pow_int(held[a % count], n)),
            Step::Sum(ref inputs) => {
                let inputs: Vec<_> = inputs.iter().map(|i| held[i % count]).collect();
                made.push(graph.reduce(Op::Sum, Reduction::DropNonreal, &inputs));
            }
            Step::Choose(a, b) => {
                made.extend(graph.choose(Side::Node(held[a % count]), Side::Node(held[b % count])));
            }
            Step::Alias(a) => made.push(graph.alias(held[a % count])),
            Step::Inputs(a) => made = graph.inputs(held[a % count]),
            Step::Assign(a, value) => {
                answers.push(format!("{:?}", graph.assign(held[a % count], value)));
            }
            Step::Drop(a) => graph.release(held.swap_remove(a % count)),
            Step::Backward(a) => {
                let state = ModeState::hybrid(Some(0.5)).unwrap();
                let _ = graph.backward(held[a % count], 1.0.into(), &state, None, scratch);
            }
            Step::Gradients(y, a, b) => {
                let (y, sources) = (held[y % count], [held[a % count], held[b % count]]);
                let state = ModeState::default();
                let found = graph.gradients_of(y, 1.0.into(), &sources, &state, None, scratch);
                answers.push(format!("{found:?}"));
            }
            Step::Collect => {
                if !*hoards {
                    graph.collect();
                }
            }
        }
        for handle in made {
            held.push(handle);
            if *hoards {
                graph.retain(handle);
                hoard.push(handle);
            }
        }
    }

    fn shown(&self) -> Vec<String> {
        let Self { graph, held, answers, .. } = self;
        let show = |&h: &Handle| {
            let (op, value, name) = (graph.op(h), graph.value(h), graph.name(h));
            format!("{op:?} {value} {name:?} {:?} {:?}", graph.exponent(h), graph.gradient(h))
        };
        held.iter().map(show).chain(answers.last().cloned()).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn random_programs_never_notice_that_nodes_are_reclaimed(
        steps in prop::collection::vec(step(), 1..150)
    ) {
        let (mut real, mut model) = (Machine::default(), Machine { hoards: true, ..Machine::default() });
        for step in &steps {
            real.run(step);
            model.run(step);
            prop_assert_eq!(real.shown(), model.shown(), "after {:?}", step);
        }
        for handle in real.held.drain(..) {
            real.graph.release(handle);
        }
        real.graph.collect();
        prop_assert!(real.graph.is_empty());
    }
}
