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
    Drop(usize),
    Backward(usize),
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..64usize;
    let value = prop_oneof![Just(0.0), Just(f64::INFINITY), -3.0..3.0];
    prop_oneof![
        2 => value.prop_map(Step::Leaf),
        6 => (0..4usize, place.clone(), place.clone()).prop_map(|(op, a, b)| Step::Binary(op, a, b)),
        2 => (place.clone(), -3..4).prop_map(|(a, n)| Step::Power(a, n)),
        1 => prop::collection::vec(place.clone(), 0..4).prop_map(Step::Sum),
        2 => (place.clone(), place.clone()).prop_map(|(a, b)| Step::Choose(a, b)),
        1 => place.clone().prop_map(Step::Alias),
        7 => place.clone().prop_map(Step::Drop),
        2 => place.prop_map(Step::Backward),
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
}

impl Machine {
    fn run(&mut self, step: &Step) {
        let Self { graph, scratch, held, hoard, hoards } = self;
        let count = held.len();
        let made = match *step {
            Step::Leaf(value) => Some(graph.leaf(Op::Parameter, value, Some(&value.to_string()))),
            _ if count == 0 => None,
            Step::Binary(op, a, b) => {
                let op = [Op::Add, Op::Mul, Op::Div, Op::Maximum][op];
                Some(graph.binary(op, held[a % count], held[b % count]))
            }
            Step::Power(a, n) => Some(graph.pow_int(held[a % count], n)),
            Step::Sum(ref inputs) => {
                let inputs: Vec<_> = inputs.iter().map(|i| held[i % count]).collect();
                Some(graph.reduce(Op::Sum, Reduction::DropNonreal, &inputs))
            }
            Step::Choose(a, b) => graph.choose(Side::Node(held[a % count]), Side::Node(held[b % count])),
            Step::Alias(a) => Some(graph.alias(held[a % count])),
            Step::Drop(a) => {
                graph.release(held.swap_remove(a % count));
                None
            }
            Step::Backward(a) => {
                let state = ModeState::hybrid(Some(0.5)).unwrap();
                let _ = graph.backward(held[a % count], 1.0.into(), &state, None, scratch);
                None
            }
            Step::Collect => {
                if !*hoards {
                    graph.collect();
                }
                None
            }
        };
        if let Some(handle) = made {
            held.push(handle);
            if *hoards {
                graph.retain(handle);
                hoard.push(handle);
            }
        }
    }

    fn shown(&self) -> Vec<String> {
        let Self { graph, held, .. } = self;
        let show = |&h: &Handle| {
            let (op, value, name) = (graph.op(h), graph.value(h), graph.name(h));
            format!("{op:?} {value} {name:?} {:?} {:?}", graph.exponent(h), graph.gradient(h))
        };
        held.iter().map(show).collect()
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
