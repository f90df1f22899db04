//! Explanations of a graph: what is found, that nothing changes by asking, and that the answers are those
//! of a backward pass.

use crate::explain_reference::{Machine, Step, expected, masked_events, program};
use proptest::prelude::*;
use std::time::{Duration, Instant};
use zeroproof::backward::Scratch;
use zeroproof::backward::explain::{Event, Explanation, MOST_NAMED, What};
use zeroproof::graph::origins::Given;
use zeroproof::graph::{Graph, Handle};
use zeroproof::{GradientMode, HysteresisPolicy, ModeState, Op, Reduction, Region, Statistics, Tape};

const INF: f64 = f64::INFINITY;

/// An arena, and the handles that a test has on its nodes.
#[derive(Default)]
struct Bench {
    graph: Graph,
    scratch: Scratch,
    state: ModeState,
    statistics: Statistics,
    held: Vec<Handle>,
}

impl Bench {
    fn hold(&mut self, handle: Handle) -> Handle {
        self.held.push(handle);
        handle
    }

    fn parameter(&mut self, value: f64) -> Handle {
        let leaf = self.graph.leaf(Op::Parameter, value, None);
        self.hold(leaf)
    }

    fn input(&mut self, value: f64) -> Handle {
        let leaf = self.graph.leaf(Op::Input, value, None);
        self.hold(leaf)
    }

    fn unary(&mut self, op: Op, a: Handle) -> Handle {
        let node = self.graph.unary(op, a);
        self.hold(node)
    }

    fn binary(&mut self, op: Op, a: Handle, b: Handle) -> Handle {
        let node = self.graph.binary(op, a, b);
        self.hold(node)
    }

    fn reciprocal(&mut self, x: Handle) -> Handle {
        let node = self.graph.constant_with_binary(Op::Div, 1.0, x, None).handle;
        self.hold(node)
    }

    fn reduce(&mut self, op: Op, mode: Reduction, inputs: &[Handle]) -> Handle {
        let node = self.graph.reduce(op, mode, inputs);
        self.hold(node)
    }

    fn backward(&mut self, root: Handle, seed: f64) {
        let Self { graph, scratch, state, statistics, .. } = self;
        graph.backward(root, seed.into(), state, Some(statistics), scratch).unwrap();
    }

    /// Asks, and gives the handles back at once: the nodes are held.
    fn explain(&mut self, node: Handle, wrt: Option<Handle>) -> Explanation {
        self.explain_up_to(node, wrt, usize::MAX)
    }

    fn explain_up_to(&mut self, node: Handle, wrt: Option<Handle>, limit: usize) -> Explanation {
        let Self { graph, scratch, state, statistics, .. } = self;
        let answer = graph.explain(node, wrt, state, statistics, scratch, limit);
        answer.clone().map(&mut |handle| graph.release(handle));
        answer
    }
}

impl Drop for Bench {
    /// Every handle that an answer gave out was given back.
    fn drop(&mut self) {
        self.held.iter().for_each(|&handle| self.graph.release(handle));
        self.graph.collect();
        assert!(std::thread::panicking() || self.graph.is_empty(), "{} nodes are left", self.graph.len());
    }
}

fn of(answer: &Explanation, what: What) -> Vec<&Event> {
    answer.events.iter().filter(|event| event.what == what).collect()
}

fn nodes(answer: &Explanation, what: What) -> Vec<Handle> {
    of(answer, what).into_iter().map(|event| event.node).collect()
}

#[test]
fn an_origin_its_way_and_where_gradients_stop() {
    let mut b = Bench::default();
    let (p, x) = (b.parameter(3.0), b.input(0.0));
    let born = b.binary(Op::Div, p, x);
    let carried = b.unary(Op::Exp, born);
    let loss = b.binary(Op::Mul, carried, p);
    let answer = b.explain(loss, None);
    assert_eq!((answer.root, answer.depends, answer.counts), (Some(loss), true, [1, 1, 0, 0]));
    let [origin, masked] = &answer.events[..] else { panic!("{answer:?}") };
    assert_eq!((origin.what, origin.node, origin.op, origin.value), (What::Born, born, Op::Div, INF));
    assert_eq!(origin.operands, [3.0, 0.0]);
    assert_eq!((&origin.path[..], origin.steps), (&[carried, loss][..], 2));
    assert_eq!((origin.place, origin.carried, origin.cause.is_none()), (None, false, true));
    assert!(origin.leaves.is_empty());
    assert_eq!((masked.what, masked.node, masked.steps), (What::Masked, loss, 0));
    assert_eq!(masked.leaves, [p, x]);
    assert_eq!(masked.cause.as_ref().map(|cause| cause.node), Some(born));
    let answer = b.explain(loss, Some(x));
    assert_eq!(of(&answer, What::Masked)[0].leaves, [x]);
}

#[test]
fn a_healthy_graph_has_nothing_to_explain() {
    let mut b = Bench::default();
    let p = b.parameter(3.0);
    let y = b.reciprocal(p);
    let answer = b.explain(y, None);
    assert_eq!((answer.root, answer.depends, answer.counts), (Some(y), true, [0; 4]));
    let constant = b.graph.constant(1.0);
    b.hold(constant);
    let answer = b.explain(constant, None);
    assert_eq!((answer.root, answer.depends, answer.counts), (None, false, [0; 4]));
}

#[test]
fn phi_of_infinities_begins_there_and_their_origins_follow() {
    let mut b = Bench::default();
    let (x, y) = (b.parameter(0.0), b.parameter(0.0));
    let (first, second) = (b.reciprocal(x), b.reciprocal(y));
    let phi = b.binary(Op::Sub, first, second);
    let loss = b.unary(Op::Neg, phi);
    let answer = b.explain(loss, None);
    assert_eq!(nodes(&answer, What::Born), [phi, first, second]);
    let steps: Vec<_> = of(&answer, What::Born).iter().map(|origin| origin.steps).collect();
    assert_eq!(steps, [1, 2, 2]);
}

#[test]
fn what_a_sum_leaves_out_does_not_explain_its_value() {
    let mut b = Bench::default();
    let (x, one) = (b.parameter(0.0), b.parameter(1.0));
    let infinite = b.reciprocal(x);
    let phi = b.binary(Op::Mul, infinite, x);
    for (mode, inputs, born, left_out) in [
        (Reduction::DropNonreal, [one, infinite, phi], vec![infinite, phi], vec![1, 2]),
        (Reduction::DropNull, [one, infinite, phi], vec![infinite], vec![]),
        (Reduction::Strict, [one, infinite, phi], vec![phi, infinite], vec![]),
        (Reduction::DropNull, [phi, phi, phi], vec![phi, infinite], vec![]),
    ] {
        let sum = b.reduce(Op::Sum, mode, &inputs);
        let answer = b.explain(sum, None);
        assert_eq!(nodes(&answer, What::Born), born, "{mode:?}");
        let masked: Vec<_> = of(&answer, What::Masked).iter().filter_map(|event| event.input).collect();
        assert_eq!(masked, left_out, "{mode:?}");
    }
    // A mean that keeps nothing is 0/0, which begins there.
    let mean = b.reduce(Op::Mean, Reduction::DropNonreal, &[infinite, phi]);
    let answer = b.explain(mean, None);
    assert_eq!(nodes(&answer, What::Born), [mean]);
    assert_eq!(of(&answer, What::Born)[0].operands[0], INF);
}

#[test]
fn an_input_left_out_names_what_it_hides() {
    let mut b = Bench::default();
    let (x, one) = (b.parameter(0.0), b.parameter(1.0));
    let infinite = b.reciprocal(x);
    let carried = b.unary(Op::Neg, infinite);
    let sum = b.reduce(Op::Sum, Reduction::DropNonreal, &[one, carried]);
    let answer = b.explain(sum, None);
    let [masked] = of(&answer, What::Masked)[..] else { panic!("{answer:?}") };
    assert_eq!((masked.node, masked.input, &masked.leaves[..]), (sum, Some(1), &[x][..]));
    assert_eq!(masked.cause.as_ref().map(|cause| cause.node), Some(infinite));
    assert_eq!(of(&answer, What::Born)[0].path, [carried, sum]);
}

#[test]
fn each_mode_has_its_answer() {
    let mut b = Bench::default();
    let x = b.input(0.25);
    let y = b.reciprocal(x);
    let saturated = |b: &mut Bench| b.explain(y, None).counts[What::Saturated as usize];
    assert_eq!(saturated(&mut b), 0);
    b.state = ModeState::saturating(1.0).unwrap();
    assert_eq!(saturated(&mut b), 1);
    for (delta, want) in [(None, 0), (Some(0.1), 0), (Some(0.25), 1)] {
        b.state = ModeState::hybrid(delta).unwrap();
        assert_eq!(saturated(&mut b), want, "{delta:?}");
    }
    b.state = ModeState::hybrid(None).unwrap();
    b.state.set_regions(&[Region::new(0.2, 0.3).unwrap()]);
    assert_eq!(saturated(&mut b), 1);
    b.state.set_regions(&[Region::new(0.5, 0.6).unwrap()]);
    assert_eq!(saturated(&mut b), 0);
}

#[test]
fn a_leaf_is_explained_by_the_pass_that_was() {
    let mut b = Bench::default();
    b.state = ModeState::hybrid(None).unwrap();
    b.statistics.set_policy(Some(HysteresisPolicy::new(1.0, 2.0, None, None).unwrap()));
    let x = b.parameter(0.5);
    let y = b.reciprocal(x);
    b.backward(y, 1.0);
    b.statistics.end_batch();
    assert!(b.statistics.saturates());
    assert_eq!(b.explain(x, None).counts, [0; 4], "the policy did not saturate yet");
    b.backward(y, 1.0);
    b.statistics.set_policy(None);
    b.state = ModeState::mask_real();
    let answer = b.explain(x, None);
    assert_eq!((answer.root, answer.mode, answer.counts), (Some(y), GradientMode::Hybrid, [0, 0, 0, 1]));
    assert_eq!(of(&answer, What::Saturated)[0].leaves, [x]);
}

#[test]
fn the_adjoint_of_the_root_is_that_of_the_pass() {
    let mut b = Bench::default();
    let x = b.parameter(0.0);
    let root = b.unary(Op::Sqrt, x);
    for (seed, dropped) in [(1.0, 1), (0.0, 0), (INF, 1)] {
        b.backward(root, seed);
        assert_eq!(b.explain(x, None).counts, [0, 0, dropped, 0], "{seed}");
    }
}

#[test]
fn sources_above_each_other_and_twice_count_once() {
    let mut b = Bench::default();
    let x = b.parameter(0.0);
    let root = b.unary(Op::Sqrt, x);
    let top = b.unary(Op::Neg, root);
    let Bench { graph, state, statistics, scratch, .. } = &mut b;
    let found = graph.left_out(top, 1.0.into(), Some(&[root, x, root]), state, statistics, scratch);
    assert_eq!(found.iter().map(|found| (found.op, found.input)).collect::<Vec<_>>(), [(Op::Sqrt, Some(0))]);
}

#[test]
fn a_leaf_whose_root_is_gone_or_elsewhere() {
    let mut b = Bench::default();
    let (x, other) = (b.parameter(0.0), b.parameter(1.0));
    assert_eq!(b.explain(x, None).root, None);
    let y = b.graph.unary(Op::Sqrt, x);
    b.backward(y, 1.0);
    let answer = b.explain(other, None);
    assert_eq!((answer.root, answer.depends, answer.counts), (Some(y), false, [0; 4]));
    assert_eq!(b.explain(x, None).counts, [0, 0, 1, 0]);
    b.graph.release(y);
    let answer = b.explain(x, None);
    assert_eq!((answer.root, answer.depends, answer.counts), (None, false, [0; 4]));
}

#[test]
fn a_node_that_is_not_below() {
    let mut b = Bench::default();
    let (x, other) = (b.parameter(0.0), b.parameter(1.0));
    let y = b.reciprocal(x);
    let answer = b.explain(y, Some(other));
    assert_eq!((answer.root, answer.depends, answer.counts), (Some(y), false, [1, 0, 0, 0]));
    // Of itself a node has the gradient 1.
    let answer = b.explain(x, Some(x));
    assert_eq!((answer.root, answer.depends, answer.counts), (Some(x), true, [0; 4]));
}

#[test]
fn watched_constants_are_leaves() {
    let mut b = Bench::default();
    let c = b.graph.constant(0.0);
    b.hold(c);
    b.graph.watch(c);
    let y = b.reciprocal(c);
    assert_eq!(of(&b.explain(y, None), What::Masked)[0].leaves, [c]);
}

#[test]
fn counts_go_beyond_the_limit() {
    let mut b = Bench::default();
    let x = b.parameter(0.0);
    let origins: Vec<_> = (0..5000).map(|_| b.reciprocal(x)).collect();
    let sum = b.reduce(Op::Sum, Reduction::DropNonreal, &origins);
    for limit in [0, 1, 7, usize::MAX] {
        let answer = b.explain_up_to(sum, None, limit);
        assert_eq!(answer.counts, [5000, 5000, 0, 0]);
        assert_eq!(nodes(&answer, What::Born), origins[..limit.min(5000)]);
        assert_eq!(of(&answer, What::Masked).len(), limit.min(5000));
    }
}

#[test]
fn paths_and_leaves_are_cut_but_counted() {
    let mut b = Bench::default();
    let leaves: Vec<_> = (0..100).map(|_| b.parameter(0.0)).collect();
    let sum = b.reduce(Op::Sum, Reduction::Strict, &leaves);
    let mut top = b.reciprocal(sum);
    let born = top;
    for _ in 0..100 {
        top = b.unary(Op::Neg, top);
    }
    let answer = b.explain(top, None);
    let [origin] = of(&answer, What::Born)[..] else { panic!("{answer:?}") };
    assert_eq!((origin.node, origin.steps, origin.path.len()), (born, 100, MOST_NAMED));
    assert_eq!(of(&answer, What::Masked)[0].leaves, leaves[..MOST_NAMED]);
}

#[test]
fn a_copy_knows_the_origin_behind_it() {
    let mut b = Bench::default();
    let x = b.parameter(0.0);
    let born = b.reciprocal(x);
    let given = [(1.0, None), (0.0, Some(x))].map(|(value, node)| Given { value, node });
    assert!(b.graph.begins(born, &given));
    b.graph.note_origin(born, Op::Div, &given, 7);
    let later = b.unary(Op::Exp, born);
    let copy = b.graph.constant(INF);
    b.hold(copy);
    assert!(b.graph.inherit_origin(copy, later));
    let answer = b.explain(copy, None);
    let [origin] = &answer.events[..] else { panic!("{answer:?}") };
    assert_eq!((origin.node, origin.op, origin.place, origin.carried), (copy, Op::Div, Some(7), true));
    assert_eq!(origin.operands, [1.0, 0.0]);
}

/// A chain of 200,000 ops with a bounded partial at every other one.
#[test]
fn a_deep_chain_takes_no_stack_and_linear_time() {
    let ask = || {
        let mut b = Bench::default();
        b.state = ModeState::saturating(1.0).unwrap();
        let x = b.parameter(0.0);
        let mut top = b.reciprocal(x);
        for _ in 0..100_000 {
            top = b.reciprocal(top);
            top = b.unary(Op::Neg, top);
        }
        let begin = Instant::now();
        let answer = b.explain(top, None);
        assert_eq!(answer.counts[What::Saturated as usize], 100_001);
        assert_eq!(of(&answer, What::Saturated)[100_000].steps, 200_000);
        assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(ask).unwrap().join().unwrap();
}

#[test]
fn variables_explain_themselves_and_give_their_nodes_back() {
    let tape = Tape::new();
    let (p, x) = (tape.parameter(1.0), tape.input(0.0));
    {
        let parts = [1.0 / &x, 2.0 / &x, 3.0 / &x, 4.0 / &x];
        let loss = tape.sum(&parts, Reduction::DropNonreal) + &p;
        loss.backward().unwrap();
        let told = loss.explain().to_string();
        assert_eq!(
            told,
            "the value is 1.0\n\
             the gradient to the input 0.0 is silenced at sum(+∞, +∞, +∞, +∞) = 0.0, where +∞ is left \
             out, since 1.0 ÷ 0.0 = +∞\n\
             the gradient to the input 0.0 is silenced at sum(+∞, +∞, +∞, +∞) = 0.0, where +∞ is left \
             out, since 2.0 ÷ 0.0 = +∞\n\
             the gradient to the input 0.0 is silenced at sum(+∞, +∞, +∞, +∞) = 0.0, where +∞ is left \
             out, since 3.0 ÷ 0.0 = +∞\n  and 1 more"
        );
        assert!(x.explain().to_string().starts_with("the value is 0.0\nits gradient is 0.0 [MASKED]\nthe"));
        assert_eq!(p.explain().to_string(), "the value is 1.0\nits gradient is 1.0 [EXACT]");
        let state = ModeState::saturating(0.5).unwrap();
        let wrt_p = loss.explain_with(Some(&p), &state, &Statistics::default(), 5);
        assert_eq!((wrt_p.to_string().as_str(), wrt_p.gradient), ("the value is 1.0", None));
        let kept = parts[0].explain();
        drop(parts);
        assert_eq!(kept.answer.events[0].node.value().to_ieee(), INF);
    }
    let gone = "its gradient is 1.0 [EXACT]; the graph of its last backward pass is gone";
    assert!(p.explain().to_string().ends_with(gone));
    assert_eq!(tape.live_nodes(), 2);
}

#[test]
fn a_shared_tape_explains_too() {
    let tape = Tape::shared();
    let x = tape.input(-1.0);
    std::thread::scope(|scope| {
        let told = scope.spawn(|| x.log().explain().to_string());
        assert_eq!(
            told.join().unwrap(),
            "the value is Φ: log(-1.0) = Φ\nthe gradient to the input -1.0 is silenced at log(-1.0) = Φ"
        );
    });
    assert_eq!(tape.live_nodes(), 1);
}

fn states() -> impl Strategy<Value = ModeState> {
    let mut explored = ModeState::hybrid(Some(0.1)).unwrap();
    explored.set_regions(&[Region::new(0.5, 2.0).unwrap()]);
    prop::sample::select(vec![
        ModeState::mask_real(),
        ModeState::saturating(0.5).unwrap(),
        ModeState::hybrid(None).unwrap(),
        ModeState::hybrid(Some(1.0)).unwrap(),
        explored,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// The events are those of a real pass, by a reference that asks each node on its own.
    #[test]
    fn events_are_those_of_a_backward_pass(steps in program(), state in states()) {
        let mut machine = Machine::run(&steps);
        let root = *machine.held.last().unwrap();
        let answer = machine.explain(root, &state);
        let Ok(counts) = machine.backward(root, &state) else {
            prop_assert_eq!((answer.depends, answer.counts[1..].iter().sum::<usize>()), (false, 0));
            return Ok(());
        };
        let want = expected(&mut machine, root, &state);
        let [_, masked, dropped, saturated] = answer.counts;
        // A pass counts every node silenced that it reached; an event is one at which an adjoint arrived.
        prop_assert_eq!(counts.masked as usize, want.silenced + want.silenced_in_silence);
        prop_assert_eq!(masked_events(&answer), (want.silenced, want.left_out));
        prop_assert_eq!(masked, want.silenced + want.left_out);
        prop_assert_eq!(counts.dropped as usize, want.dropped);
        prop_assert_eq!((dropped, saturated), (want.dropped, want.saturated));
        machine.end();
    }

    /// A question changes no gradient, status, adjoint or statistics, and leaves no handle behind.
    #[test]
    fn nothing_changes_by_asking(steps in program(), state in states()) {
        let mut machine = Machine::run(&steps);
        let root = machine.held[machine.held.len() / 2];
        let _ = machine.backward(root, &state);
        let before = machine.observed();
        for node in machine.held.clone() {
            machine.explain(node, &state);
        }
        prop_assert_eq!(machine.observed(), before);
        let _ = machine.backward(root, &state);
        let mut untouched = Machine::run(&steps);
        let _ = untouched.backward(root, &state);
        let _ = untouched.backward(root, &state);
        prop_assert_eq!(machine.observed(), untouched.observed());
        machine.end();
    }

    /// What is not REAL has an origin, whose way leads to it along the operands.
    #[test]
    fn every_value_that_is_not_real_has_an_origin(steps in program()) {
        let mut machine = Machine::run(&steps);
        for node in machine.held.clone() {
            let answer = machine.explain(node, &ModeState::default());
            if machine.graph.value(node).is_real() {
                continue;
            }
            let origin = answer.events.first().filter(|event| event.what == What::Born);
            let origin = origin.expect("an origin behind the value comes first");
            prop_assert_eq!(origin.steps, origin.path.len());
            prop_assert_eq!(origin.path.last().copied().unwrap_or(origin.node), node);
            let way = std::iter::once(&origin.node).chain(&origin.path);
            for (from, to) in way.zip(&origin.path) {
                let inputs = machine.graph.inputs(*to);
                prop_assert!(inputs.contains(from));
                inputs.into_iter().for_each(|input| machine.graph.release(input));
            }
        }
        machine.end();
    }
}

#[test]
fn the_reference_sees_programs_of_every_kind() {
    let leaf = |op, value| Step::Leaf(op, value);
    let steps = [leaf(Op::Parameter, 0.0), Step::Unary(Op::Log, 0), Step::Binary(Op::Add, 0, 1)];
    let mut machine = Machine::run(&steps);
    let root = machine.held[2];
    machine.backward(root, &ModeState::default()).unwrap();
    let want = expected(&mut machine, root, &ModeState::default());
    assert_eq!((want.silenced, want.silenced_in_silence, want.left_out, want.dropped), (1, 1, 0, 0));
    machine.end();
}

#[test]
fn a_gradient_on_the_way_tells_of_its_own_pass() {
    let tape = Tape::new();
    let x = tape.parameter(0.0);
    let y = 1.0 / (1.0 / &x + 1.0);
    let (state, mut statistics) = (ModeState::default(), Statistics::default());
    let mut found = tape.differentiable_gradients(&y, &[&x], &state, &mut statistics).unwrap();
    let told = (found.remove(0).expect("a way leads there") * 2.0).explain();
    assert_eq!(
        told.to_string(),
        "the value is 0.0\n\
         through gradients that were computed before:\n  \
         the gradient to the parameter 0.0 is silenced at +∞ + 1.0 = +∞, since 1.0 ÷ 0.0 = +∞"
    );
    let [inner] = &told.answer.inner[..] else { panic!("one pass") };
    assert_eq!((inner.counts, inner.mode, inner.inner.len()), ([1, 1, 0, 0], GradientMode::MaskReal, 0));
}
