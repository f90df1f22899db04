//! What can be asked of a graph without touching its gradients: `gradients_of`, `contributions`,
//! `topological_order`.

use zeroproof::backward::Scratch;
use zeroproof::graph::{Graph, Handle};
use zeroproof::{ModeState, Op, Reduction, Statistics, Status, TrScalar};

fn doubles(found: &[Option<(TrScalar, Status)>]) -> Vec<Option<f64>> {
    found.iter().map(|f| f.map(|(g, _)| g.to_ieee())).collect()
}

/// `y = (a·b + a)/b`, with every node.
struct Program {
    graph: Graph,
    a: Handle,
    b: Handle,
    product: Handle,
    sum: Handle,
    y: Handle,
}

impl Program {
    fn new(a: f64, b: f64) -> Self {
        let mut graph = Graph::new();
        let (a, b) = (graph.leaf(Op::Parameter, a, Some("a")), graph.leaf(Op::Parameter, b, None));
        let product = graph.binary(Op::Mul, a, b);
        let sum = graph.binary(Op::Add, product, a);
        let y = graph.binary(Op::Div, sum, b);
        Self { graph, a, b, product, sum, y }
    }
}

fn one() -> TrScalar {
    1.0.into()
}

#[test]
fn gradients_of_any_nodes_leave_the_gradients_of_the_graph_alone() {
    let mut p = Program::new(3.0, 4.0);
    let lone = p.graph.leaf(Op::Parameter, 7.0, None);
    let mut scratch = Scratch::default();
    let state = ModeState::mask_real();
    let sources = [p.a, p.product, p.b, lone, p.y, p.a];
    let (found, counts) = p.graph.gradients_of(p.y, one(), &sources, &state, None, &mut scratch).unwrap();
    let want = [Some(1.25), Some(0.25), Some(-0.1875), None, Some(1.0), Some(1.25)];
    assert_eq!(doubles(&found), want);
    assert_eq!((counts.dropped, counts.masked), (0, 0));
    for node in [p.a, p.b, p.product, p.sum, p.y] {
        assert_eq!(p.graph.gradient(node), None);
    }
    // The other way round: a backward pass does not show in the next answer.
    p.graph.backward(p.y, 2.0.into(), &state, None, &mut scratch).unwrap();
    let (again, _) = p.graph.gradients_of(p.y, one(), &sources, &state, None, &mut scratch).unwrap();
    assert_eq!(doubles(&again), want);
    assert_eq!(p.graph.gradient(p.a), Some((2.5.into(), Status::EXACT)));
}

#[test]
fn gradients_of_restricts_the_sweep_to_what_leads_to_a_source() {
    let mut graph = Graph::new();
    let (x, y) = (graph.leaf(Op::Parameter, 0.0, None), graph.leaf(Op::Parameter, 2.0, None));
    let (pole, log) = (graph.constant_with_binary(Op::Div, 1.0, x, None).handle, graph.unary(Op::Log, y));
    let root = graph.reduce(Op::Sum, Reduction::DropNonreal, &[pole, log]);
    let (state, mut scratch) = (ModeState::hybrid(None).unwrap(), Scratch::default());
    let mut statistics = Statistics::new();
    let (found, counts) =
        graph.gradients_of(root, one(), &[y], &state, Some(&mut statistics), &mut scratch).unwrap();
    assert_eq!(found, [Some((0.5.into(), Status::EXACT))]);
    assert_eq!((counts.masked, statistics.summary(&state).total_gradient_calls), (0, 1));
    let (found, counts) =
        graph.gradients_of(root, one(), &[x], &state, Some(&mut statistics), &mut scratch).unwrap();
    assert_eq!(found, [Some((0.0.into(), Status::MASKED))]);
    assert_eq!((counts.masked, statistics.summary(&state).total_gradient_calls), (1, 2));
    let constant = graph.leaf(Op::Constant, 1.0, None);
    let (found, _) = graph.gradients_of(constant, one(), &[x], &state, None, &mut scratch).unwrap();
    assert_eq!(found, [None]);
}

#[test]
fn contributions_of_one_node_are_those_of_a_pass() {
    let specials = [-2.0, -0.0, 0.0, 1e-310, 0.5, f64::INFINITY, f64::NAN];
    let states = [
        ModeState::mask_real(),
        ModeState::saturating(0.5).unwrap(),
        ModeState::hybrid(None).unwrap(),
        ModeState::hybrid(Some(0.25)).unwrap(),
    ];
    for state in &states {
        for a in specials {
            for b in specials {
                let (mut graph, mut scratch) = (Graph::new(), Scratch::default());
                let (x, y) = (graph.leaf(Op::Parameter, a, None), graph.leaf(Op::Input, b, None));
                for (node, inputs) in [
                    (graph.binary(Op::Div, x, y), vec![x, y]),
                    (graph.binary(Op::Maximum, x, y), vec![x, y]),
                    (graph.unary(Op::Log, y), vec![y]),
                    (graph.pow_int(x, -2), vec![x]),
                    (graph.reduce(Op::Mean, Reduction::DropNull, &[x, y]), vec![x, y]),
                ] {
                    let seed = TrScalar::from(-1.5);
                    let alone = graph.contributions(node, seed, state, &Statistics::new());
                    inputs.iter().for_each(|&input| graph.zero_gradient(input));
                    graph.backward(node, seed, state, None, &mut scratch).unwrap();
                    let passed: Vec<_> = inputs.iter().filter_map(|&input| graph.gradient(input)).collect();
                    assert_eq!(alone, passed, "{:?} on {a} {b}, {state:?}", graph.op(node));
                }
            }
        }
    }
}

#[test]
fn contributions_stay_apart_for_an_operand_used_twice() {
    let mut graph = Graph::new();
    let x = graph.leaf(Op::Parameter, 2.0, None);
    let quotient = graph.binary(Op::Div, x, x);
    let found = graph.contributions(quotient, one(), &ModeState::mask_real(), &Statistics::new());
    assert_eq!(found, [(0.5.into(), Status::EXACT), ((-0.5).into(), Status::EXACT)]);
    assert!(graph.contributions(x, one(), &ModeState::mask_real(), &Statistics::new()).is_empty());
    assert_eq!(graph.gradient(x), None);
}

#[test]
fn topological_order_begins_at_the_root_and_puts_users_before_operands() {
    let mut p = Program::new(3.0, 4.0);
    let unrelated = p.graph.unary(Op::Exp, p.a);
    let constant = p.graph.leaf(Op::Constant, 2.0, None);
    let root = p.graph.binary(Op::Mul, p.y, constant);
    let order = p.graph.topological_order(root, &mut Scratch::default());
    assert_eq!(order[0], root);
    let mut sorted = order.clone();
    sorted.sort_by_key(|h| h.id());
    let mut want = vec![p.a, p.b, p.product, p.sum, p.y, root];
    want.sort_by_key(|h| h.id());
    assert_eq!(sorted, want, "each once, without constants and without {unrelated:?}");
    for (place, &node) in order.iter().enumerate() {
        for input in p.graph.inputs(node) {
            let at = order.iter().position(|&h| h == input);
            assert!(input == constant || at.is_some_and(|at| at > place), "{:?}", p.graph.op(node));
            p.graph.release(input);
        }
    }
}

#[test]
fn nodes_tell_what_they_are() {
    let mut p = Program::new(3.0, 4.0);
    let (power, mean) =
        (p.graph.pow_int(p.a, -3), p.graph.reduce(Op::Mean, Reduction::DropNull, &[p.a, p.b, p.a]));
    assert_eq!((p.graph.name(p.a), p.graph.name(p.b), p.graph.name(p.y)), (Some("a"), None, None));
    assert_eq!((p.graph.exponent(power), p.graph.exponent(p.y)), (Some(-3), None));
    assert_eq!((p.graph.reduction(mean), p.graph.reduction(p.y)), (Some(Reduction::DropNull), None));
    assert_eq!(p.graph.inputs(mean), [p.a, p.b, p.a]);
    assert_eq!(p.graph.inputs(p.a), []);
    assert!(p.graph.requires_grad(mean));
}
