//! Choices and aliases: nodes that stand for another one.

use zeroproof::backward::Scratch;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::{Dependence, Graph, Handle};
use zeroproof::{Error, ModeState, Op, Reduction, Region, Statistics, Status};

const ZERO: Option<(f64, Status)> = Some((0.0, Status::EXACT));

#[derive(Default)]
struct Bench {
    graph: Graph,
    scratch: Scratch,
    statistics: Statistics,
}

impl Bench {
    fn parameter(&mut self, value: f64) -> Handle {
        self.graph.leaf(Op::Parameter, value, None)
    }

    fn choose(&mut self, chosen: Handle, other: Handle) -> Handle {
        self.graph.choose(Side::Node(chosen), Side::Node(other)).expect("one may be asked for a gradient")
    }

    fn backward(&mut self, root: Handle, state: &ModeState) {
        let Self { graph, scratch, statistics } = self;
        let counts = graph.backward(root, 1.0.into(), state, Some(statistics), scratch).unwrap();
        statistics.add_pass(counts);
    }

    fn gradient(&self, node: Handle) -> Option<(f64, Status)> {
        self.graph.gradient(node).map(|(gradient, status)| (gradient.to_ieee(), status))
    }

    fn gradients_of(&mut self, root: Handle, sources: &[Handle]) -> Vec<Option<(f64, Status)>> {
        let state = ModeState::mask_real();
        let found = self.graph.gradients_of(root, 1.0.into(), sources, &state, None, &mut self.scratch);
        let found = found.unwrap().0.into_iter();
        found.map(|found| found.map(|(gradient, status)| (gradient.to_ieee(), status))).collect()
    }
}

fn modes() -> [ModeState; 4] {
    [
        ModeState::mask_real(),
        ModeState::saturating(0.5).unwrap(),
        ModeState::hybrid(None).unwrap(),
        ModeState::hybrid(Some(10.0)).unwrap(),
    ]
}

/// `1 / choice` where a number was chosen: nothing is decided, masked or dropped on the way to nothing.
#[test]
fn what_leads_only_to_the_branch_not_taken_decides_nothing() {
    for (state, number) in modes().iter().flat_map(|state| [0.0, 2.0, f64::INFINITY].map(|x| (state, x))) {
        let mut bench = Bench::default();
        let p = bench.parameter(-1.0);
        let root = bench.graph.unary(Op::Sqrt, p);
        let choice = bench.graph.choose(Side::Value(number), Side::Node(root)).expect("p may be asked");
        let quotient = bench.graph.constant_with_binary(Op::Div, 1.0, choice, None).handle;
        let sum = bench.graph.reduce(Op::Sum, Reduction::Strict, &[quotient, choice]);
        assert!(bench.graph.requires_grad(sum));
        bench.backward(sum, state);
        assert_eq!(bench.gradient(p), ZERO);
        let summary = bench.statistics.summary(state);
        assert_eq!((summary.total_gradient_calls, summary.masked_nodes), (0, 0), "{number} {state:?}");
        assert_eq!((summary.dropped_contributions, summary.q_min_epoch), (0, None));
        assert_eq!(bench.gradients_of(sum, &[p, choice]), [ZERO, bench.gradients_of(sum, &[choice])[0]]);
    }
}

/// Contributions are added one by one where they would be without the choices between.
#[test]
fn sums_are_associated_as_if_there_were_no_choice() {
    for chosen in [[true; 4], [false, true, false, true], [true, true, false, false], [false; 4]] {
        let mut bench = Bench::default();
        let x = bench.parameter(1.0);
        let other = bench.parameter(3.0);
        let mut at = x;
        let mut terms = vec![];
        for (k, choose) in chosen.into_iter().enumerate() {
            if choose {
                at = bench.choose(at, other);
            }
            for factor in [0.1, 1e16, -1e16, 0.7 + k as f64] {
                terms.push(bench.graph.binary_with_constant(Op::Mul, at, factor, None).handle);
            }
        }
        let root = bench.graph.reduce(Op::Sum, Reduction::Strict, &terms);
        bench.backward(root, &ModeState::mask_real());
        // In reverse of recording.
        let all = (0..4).rev().flat_map(|k| [0.7 + f64::from(k), -1e16, 1e16, 0.1]);
        let expected = all.reduce(|sum, term| sum + term);
        assert_eq!(bench.gradient(x).map(|found| found.0), expected, "{chosen:?}");
        assert_eq!(bench.gradient(other), if chosen == [false; 4] { None } else { ZERO });
        assert_eq!(bench.gradients_of(root, &[x])[0].map(|found| found.0), expected);
    }
}

#[test]
fn a_choice_between_constants_is_the_constant() {
    let mut graph = Graph::new();
    let (a, b) = (graph.constant(1.0), graph.constant(2.0));
    assert_eq!(graph.choose(Side::Node(a), Side::Node(b)), None);
    assert_eq!(graph.choose(Side::Node(a), Side::Value(2.0)), None);
    let number = graph.choose(Side::Value(3.0), Side::Node(a)).expect("a number becomes a constant");
    assert_eq!((graph.op(number), graph.requires_grad(number)), (Op::Constant, false));
    let p = graph.leaf(Op::Parameter, 1.0, None);
    assert_eq!(graph.choose(Side::Node(p), Side::Node(p)), None);
}

#[test]
fn it_keeps_what_was_not_chosen_alive() {
    let mut bench = Bench::default();
    let (p, q) = (bench.parameter(1.0), bench.parameter(2.0));
    let dead = bench.graph.unary(Op::Exp, q);
    let choice = bench.choose(p, dead);
    let root = bench.graph.unary(Op::Neg, choice);
    bench.graph.release(dead);
    bench.graph.release(choice);
    for _ in 0..3 {
        bench.graph.collect();
        bench.backward(root, &ModeState::mask_real());
    }
    assert_eq!(
        (bench.graph.len(), bench.gradient(p), bench.gradient(q)),
        (5, Some((-3.0, Status::EXACT)), ZERO)
    );
    bench.graph.release(root);
    assert_eq!(bench.graph.len(), 2);
}

/// Neither a long row of choices nor a long dead branch recurses, or is gone through twice.
#[test]
fn long_rows_of_choices() {
    const LENGTH: usize = 200_000;
    let run = || {
        let mut bench = Bench::default();
        let (p, q) = (bench.parameter(1.0), bench.parameter(0.0));
        let (mut best, mut dead, mut terms) = (p, q, vec![]);
        for _ in 0..LENGTH {
            dead = bench.graph.unary(Op::Neg, dead);
            best = bench.choose(best, dead);
            terms.push(best);
        }
        let root = bench.graph.reduce(Op::Sum, Reduction::Strict, &terms);
        bench.backward(root, &ModeState::mask_real());
        let all = Some((LENGTH as f64, Status::EXACT));
        assert_eq!((bench.gradient(p), bench.gradient(q)), (all, ZERO));
        assert_eq!(bench.gradients_of(root, &[q, p]), [ZERO, all]);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn an_alias_is_a_leaf_where_it_is_asked_for() {
    let mut bench = Bench::default();
    let x = bench.graph.constant(3.0);
    let alias = bench.graph.alias(x);
    let square = bench.graph.binary(Op::Mul, alias, alias);
    assert!(bench.graph.requires_grad(square));
    assert_eq!(bench.gradients_of(square, &[alias]), [Some((6.0, Status::EXACT))]);
    let state = ModeState::mask_real();
    let pass = bench.graph.backward(square, 1.0.into(), &state, None, &mut bench.scratch);
    assert_eq!(pass, Err(Error::NoParameter));
}

/// Where passes before had explored nodes, in rows that are used anew.
#[test]
fn a_number_that_was_chosen_is_on_no_coordinate() {
    let mut bench = Bench::default();
    let mut state = ModeState::hybrid(None).unwrap();
    state.set_regions(&[Region { low: 0.0, high: 1.0 }]);
    let (x, q) = (bench.graph.leaf(Op::Input, 0.5, None), bench.parameter(1.0));
    let slope = |bench: &mut Bench, root: Handle, source: Handle| {
        let Bench { graph, scratch, .. } = bench;
        let found = graph.gradients_of(root, 1.0.into(), &[source], &state, None, scratch).unwrap().0;
        found[0].map(|(gradient, status)| (gradient.to_ieee(), status))
    };
    let quotients: Vec<_> =
        (0..20).map(|_| bench.graph.constant_with_binary(Op::Div, 1.0, x, None).handle).collect();
    let sum = bench.graph.reduce(Op::Sum, Reduction::Strict, &quotients);
    assert_eq!(slope(&mut bench, sum, x).map(|found| found.1), Some(Status::SATURATED));
    quotients.into_iter().chain([sum]).for_each(|node| bench.graph.release(node));
    let number = bench.graph.choose(Side::Value(4.0), Side::Node(q)).expect("q may be asked");
    let quotient = bench.graph.constant_with_binary(Op::Div, 1.0, number, None).handle;
    let root = bench.graph.binary(Op::Mul, quotient, x);
    assert_eq!(slope(&mut bench, root, number), Some((-0.03125, Status::EXACT)));
}

#[test]
fn the_derivative_of_a_gradient_is_refused() {
    let mut bench = Bench::default();
    let (p, q) = (bench.parameter(1.0), bench.parameter(2.0));
    let gradient = bench.graph.gradient_node(5.0.into(), Status::MASKED, Dependence::Bound);
    let later = bench.parameter(2.0);
    let constant = bench.graph.unary(Op::Exp, gradient);
    let product = bench.graph.binary(Op::Mul, constant, later);
    let choice = bench.choose(p, product);
    let state = ModeState::mask_real();
    for root in [gradient, constant, product, choice] {
        let Bench { graph, scratch, .. } = &mut bench;
        assert_eq!(graph.backward(root, 1.0.into(), &state, None, scratch), Err(Error::SecondDerivative));
        let mut asked = |sources: &[Handle]| {
            graph.gradients_of(root, 1.0.into(), sources, &state, None, scratch).map(|found| found.0.len())
        };
        assert_eq!(asked(&[q]), Err(Error::SecondDerivative));
        assert_eq!(asked(&[later, p]), Err(Error::SecondDerivative));
        assert_eq!(asked(&[later]), Ok(1), "it is newer than the gradient");
    }
    assert_eq!(bench.graph.status(gradient), Status::MASKED);
    let plain = bench.graph.gradient_node(5.0.into(), Status::EXACT, Dependence::None);
    let product = bench.graph.binary(Op::Mul, plain, p);
    bench.backward(product, &state);
    assert_eq!(bench.gradient(p), Some((5.0, Status::EXACT)));
}

#[test]
fn a_gradient_depends_on_what_its_root_does() {
    let mut bench = Bench::default();
    let (x, w) = (bench.parameter(1.0), bench.parameter(2.0));
    let number = bench.graph.constant(3.0);
    let [own, lone] = [x, number].map(|node| bench.graph.alias(node));
    let both = bench.graph.binary(Op::Mul, own, w);
    let by_number = bench.graph.binary(Op::Mul, lone, lone);
    let dead = bench.graph.choose(Side::Node(by_number), Side::Node(w)).expect("w may be asked");
    let Bench { graph, scratch, .. } = &mut bench;
    let mut depends = |root, sources: &[Handle]| graph.depends_on_others(root, sources, scratch).unwrap();
    assert!(depends(both, &[own]) && depends(both, &[own, w]) && depends(both, &[x]));
    assert!(!depends(both, &[x, own, w]));
    assert!(!depends(by_number, &[lone]) && depends(by_number, &[own]));
    assert!(depends(dead, &[lone]) && !depends(dead, &[lone, w]));
}
