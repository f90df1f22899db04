//! Parameters and inputs that are assigned a value: what was recorded before keeps its history.

use zeroproof::backward::Scratch;
use zeroproof::backward::explain::What;
use zeroproof::graph::{Graph, Handle};
use zeroproof::{Error, ModeState, Op, Statistics, Status, Tape, TrScalar, Var};

fn gradient(var: &Var<'_>) -> f64 {
    var.gradient().expect("a pass led there").to_ieee()
}

fn asked(graph: &Graph, root: Handle, source: Handle) -> Option<(TrScalar, Status)> {
    let (state, mut scratch) = (ModeState::default(), Scratch::default());
    graph.gradients_of(root, 1.0.into(), &[source], &state, None, &mut scratch).unwrap().0[0]
}

#[test]
fn what_was_recorded_before_keeps_the_old_value() {
    let tape = Tape::new();
    let (w, v) = (tape.parameter(3.0), tape.input(2.0));
    let before = &w * &w * &v;
    w.assign(-5.0).unwrap();
    v.assign(7.0).unwrap();
    let after = &w * &v;
    assert_eq!([before.value(), after.value(), w.value()].map(TrScalar::to_ieee), [18.0, -35.0, -5.0]);
    assert_eq!((w.op(), v.op()), (Op::Parameter, Op::Input));
    before.backward().unwrap();
    assert_eq!([gradient(&w), gradient(&v)], [12.0, 9.0]);
    after.backward().unwrap();
    assert_eq!([gradient(&w), gradient(&v)], [19.0, 4.0]);
}

/// `w` is assigned 1, 2, …, and a node of each version goes into one root.
fn unrolled(graph: &mut Graph, versions: usize) -> (Handle, Handle) {
    let w = graph.leaf(Op::Parameter, 0.1, Some("w"));
    let terms: Vec<_> = (1..=versions)
        .map(|k| {
            let term = graph.pow_int(w, 3);
            graph.assign(w, 0.1 + 0.7 * k as f64).unwrap();
            term
        })
        .collect();
    let root = graph.reduce(Op::Sum, zeroproof::Reduction::Strict, &terms);
    terms.into_iter().for_each(|term| graph.release(term));
    (w, root)
}

#[test]
fn a_source_stands_for_all_its_versions_with_the_bits_of_a_backward_pass() {
    for collects in [false, true] {
        let mut graph = Graph::new();
        let (w, root) = unrolled(&mut graph, 100);
        let other = graph.leaf(Op::Parameter, 1.0, None);
        if collects {
            graph.collect();
        }
        let state = ModeState::default();
        graph.backward(root, 1.0.into(), &state, None, &mut Scratch::default()).unwrap();
        // The last contribution comes first: a sum in another order has other bits.
        let slope = |k: usize| 3.0 * (0.1 + 0.7 * k as f64).powi(2);
        let expected = (0..99).rev().fold(slope(99), |sum, k| sum + slope(k));
        let close = (expected - graph.gradient(w).unwrap().0.to_ieee()).abs() <= 1e-12 * expected;
        assert!(close, "{expected} {:?}", graph.gradient(w));
        assert_eq!(asked(&graph, root, w), graph.gradient(w));
        assert_eq!(asked(&graph, root, other), None);
        let all = graph.gradients_of(root, 1.0.into(), &[other, w, w], &state, None, &mut Scratch::default());
        assert_eq!(all.unwrap().0, [None, graph.gradient(w), graph.gradient(w)]);
    }
}

#[test]
fn statuses_of_versions_unite() {
    let mut graph = Graph::new();
    let w = graph.leaf(Op::Parameter, 0.0, None);
    let masked = graph.constant_with_binary(Op::Div, 1.0, w, None).handle;
    graph.assign(w, 2.0).unwrap();
    let fine = graph.unary(Op::Neg, w);
    let masked = graph.unary(Op::Tanh, masked);
    let root = graph.binary(Op::Add, masked, fine);
    assert_eq!(asked(&graph, root, w), Some((TrScalar::from(-1.0), Status::MASKED)));
}

#[test]
fn an_earlier_version_is_an_operand_and_cannot_be_assigned_to() {
    let mut graph = Graph::new();
    let w = graph.leaf(Op::Parameter, 3.0, Some("w"));
    let y = graph.unary(Op::Exp, w);
    graph.assign(w, 4.0).unwrap();
    let inputs = graph.inputs(y);
    let old = inputs[0];
    assert_eq!((graph.value(old).to_ieee(), graph.name(old), graph.op(old)), (3.0, Some("w"), Op::Parameter));
    assert_ne!(old, w);
    assert_eq!(graph.assign(old, 1.0), Err(Error::EarlierVersion(Op::Parameter)));
    // Whichever of the two is asked about, the leaf is meant.
    assert_eq!(asked(&graph, y, old), asked(&graph, y, w));
    assert!(asked(&graph, y, w).is_some());
    graph.zero_gradient(old);
    assert_eq!(graph.gradient(w).unwrap().0.to_ieee(), 0.0);
    // That stays so when the newest version is gone.
    graph.release(w);
    graph.collect();
    assert_eq!(graph.assign(old, 1.0), Err(Error::EarlierVersion(Op::Parameter)));
    assert_eq!(asked(&graph, y, old).unwrap().0, graph.value(y));
}

#[test]
fn other_nodes_are_refused() {
    let tape = Tape::new();
    let (w, c) = (tape.parameter(1.0), tape.constant(1.0));
    let y = w.exp();
    assert_eq!(c.assign(2.0), Err(Error::NotAssignable(Op::Constant)));
    assert_eq!(y.assign(2.0), Err(Error::NotAssignable(Op::Exp)));
    assert!(c.assign(2.0).unwrap_err().to_string().contains("constant"));
    assert!(y.assign(2.0).unwrap_err().to_string().contains("made by exp"));
    assert_eq!((c.value().to_ieee(), y.value()), (1.0, w.exp().value()));
}

#[test]
fn a_leaf_that_nothing_refers_to_is_written_in_place() {
    let mut graph = Graph::new();
    let w = graph.leaf(Op::Parameter, 1.0, None);
    for k in 0..10 {
        graph.assign(w, f64::from(k)).unwrap();
    }
    assert_eq!((graph.len(), graph.value(w).to_ieee()), (1, 9.0));
    let y = graph.unary(Op::Sin, w);
    graph.assign(w, 0.5).unwrap();
    assert_eq!(graph.len(), 3);
    graph.release(y);
    let state = ModeState::default();
    graph.backward(w, 1.0.into(), &state, None, &mut Scratch::default()).unwrap();
    graph.assign(w, 2.0).unwrap();
    assert_eq!(graph.len(), 4, "the root of the last pass is still asked about");
}

#[test]
fn long_training_loops_neither_fill_the_arena_nor_the_table_of_leaves() {
    let tape = Tape::new();
    let weights: Vec<_> = (0..10).map(|k| tape.parameter(f64::from(k))).collect();
    let mut most = 0;
    for step in 0..100_000 {
        let loss = weights.iter().skip(1).fold(&weights[0] * 1.0, |sum, w| sum + w * w);
        loss.backward().unwrap();
        drop(loss);
        for w in &weights {
            w.assign(w.value().to_ieee() - 0.1 * gradient(w)).unwrap();
            w.zero_gradient();
        }
        if step % 1000 == 999 {
            most = most.max(tape.allocated_bytes());
        }
    }
    assert!(most < 100_000, "{most}");
    assert_eq!(tape.live_nodes(), 10);
    assert!(weights[1..].iter().all(|w| w.value().to_ieee().abs() < 1e-6));
}

#[test]
fn leaves_keep_their_names_and_gradients_in_whatever_order_their_oldest_versions_go() {
    let mut graph = Graph::new();
    let names = ["a", "b", "c", "d"];
    let leaves = names.map(|name| graph.leaf(Op::Parameter, 1.0, Some(name)));
    for (k, &leaf) in leaves.iter().enumerate() {
        graph
            .backward(leaf, (k as f64).into(), &ModeState::default(), None, &mut Scratch::default())
            .unwrap();
    }
    // Of `a` and `c` only later versions stay, recorded after `b` and `d`.
    let kept = graph.unary(Op::Exp, leaves[1]);
    [3, 2, 0, 0, 1].into_iter().for_each(|k| graph.assign(leaves[k], 2.0).unwrap());
    graph.collect();
    let fresh = graph.leaf(Op::Parameter, 5.0, Some("e"));
    graph.release(fresh);
    graph.collect();
    for (k, &leaf) in leaves.iter().enumerate() {
        assert_eq!(graph.name(leaf), Some(names[k]));
        assert_eq!(graph.gradient(leaf), Some((TrScalar::from(k as f64), Status::EXACT)));
    }
    leaves.into_iter().for_each(|leaf| graph.release(leaf));
    graph.collect();
    let old = graph.inputs(kept);
    assert_eq!((graph.len(), graph.name(old[0])), (2, Some("b")));
}

#[test]
fn an_explanation_names_the_leaf_and_not_its_versions() {
    let mut graph = Graph::new();
    let w = graph.leaf(Op::Parameter, 0.0, Some("w"));
    let pole = graph.constant_with_binary(Op::Div, 1.0, w, None).handle;
    graph.assign(w, 3.0).unwrap();
    let root = graph.binary(Op::Div, w, pole);
    let (state, statistics) = (ModeState::default(), Statistics::default());
    for wrt in [None, Some(w)] {
        let told = graph.explain(root, wrt, &state, &statistics, &mut Scratch::default(), 20);
        assert!(told.depends);
        let masked = told.events.iter().find(|event| event.what == What::Masked).expect("1/0 is masked");
        assert_eq!(masked.leaves, [w]);
        assert_eq!(told.counts[What::Masked as usize], 1);
    }
    // The gradient of the leaf itself, in a pass that led to its earlier version only.
    graph.backward(pole, 1.0.into(), &state, None, &mut Scratch::default()).unwrap();
    let told = graph.explain(w, None, &state, &statistics, &mut Scratch::default(), 20);
    assert!(told.depends && told.counts[What::Masked as usize] == 1);
}
