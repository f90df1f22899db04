//! Second order on the graph itself: choices, and who asks what is left out.

use zeroproof::backward::Scratch;
use zeroproof::backward::second::Product;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::{Graph, Handle};
use zeroproof::{ModeState, Op, Statistics, Status};

type Shown = Option<(f64, Status)>;

const ZERO: Shown = Some((0.0, Status::EXACT));

fn leaf(graph: &mut Graph, value: f64) -> Handle {
    graph.leaf(Op::Parameter, value, None)
}

fn modes() -> [ModeState; 4] {
    [
        ModeState::mask_real(),
        ModeState::saturating(0.5).unwrap(),
        ModeState::hybrid(None).unwrap(),
        ModeState::hybrid(Some(10.0)).unwrap(),
    ]
}

/// Gradient, product along ones, and what was counted.
fn products(
    graph: &Graph,
    root: Handle,
    sources: &[Handle],
    product: Product,
    state: &ModeState,
) -> (Vec<Shown>, Vec<Shown>, Statistics) {
    let (mut statistics, mut scratch) = (Statistics::new(), Scratch::default());
    let ones = vec![1.0; sources.len()];
    let found = graph
        .hvp(root, 1.0.into(), sources, &ones, product, state, Some(&mut statistics), &mut scratch)
        .unwrap();
    statistics.add_pass(found.counts);
    let shown = |list: &[Option<(zeroproof::TrScalar, Status)>]| {
        list.iter().map(|found| found.map(|(x, status)| (x.to_ieee(), status))).collect::<Vec<_>>()
    };
    (shown(&found.gradient), shown(&found.products[0]), statistics)
}

#[test]
fn the_branch_not_taken_is_a_true_zero_and_decides_nothing() {
    for state in modes() {
        for product in [Product::Jacobian, Product::Transposed] {
            let mut graph = Graph::default();
            let (taken, other) = (leaf(&mut graph, 3.0), leaf(&mut graph, 0.0));
            let cube = graph.pow_int(taken, 3);
            // √0 and 1/√0: dropped, masked or bounded if anything looked at them.
            let root = graph.unary(Op::Sqrt, other);
            let pole = graph.pow_int(root, -1);
            let choice =
                graph.choose(Side::Node(cube), Side::Node(pole)).expect("both may be asked for a gradient");
            let square = graph.binary(Op::Mul, choice, choice);
            let (gradient, found, statistics) = products(&graph, square, &[taken, other], product, &state);
            // x⁶ at 3.
            assert_eq!(gradient, [Some((6.0 * 243.0, Status::EXACT)), ZERO], "{state:?}");
            assert_eq!(found, [Some((30.0 * 81.0, Status::EXACT)), ZERO], "{state:?}");
            let summary = statistics.summary(&state);
            assert_eq!((summary.total_gradient_calls, summary.saturating_activations), (0, 0));
            assert_eq!((summary.dropped_contributions, summary.masked_nodes), (0, 0));
        }
    }
}

#[test]
fn a_hessian_has_columns_of_zeros_for_the_branch_not_taken() {
    for state in modes() {
        let mut graph = Graph::default();
        let (taken, other) = (leaf(&mut graph, 3.0), leaf(&mut graph, 0.0));
        let cube = graph.pow_int(taken, 3);
        let pole = graph.pow_int(other, -1);
        let choice = graph.choose(Side::Node(cube), Side::Node(pole)).expect("both may be asked");
        let (mut scratch, mut statistics) = (Scratch::default(), Statistics::new());
        let sources = [taken, other];
        let found =
            graph.hessian(choice, 1.0.into(), &sources, &state, Some(&mut statistics), &mut scratch).unwrap();
        let columns: Vec<Vec<Shown>> = found
            .products
            .iter()
            .map(|column| column.iter().map(|f| f.map(|(x, status)| (x.to_ieee(), status))).collect())
            .collect();
        assert_eq!(columns, [[Some((18.0, Status::EXACT)), ZERO], [ZERO, ZERO]]);
        let (derivatives, counts) =
            graph.jvp(&[choice], &sources, &[0.0, 1.0], &state, Some(&mut statistics), &mut scratch).unwrap();
        let [(derivative, status)] = derivatives[..] else { panic!("one root") };
        assert_eq!((derivative.to_ieee(), status), (0.0, Status::EXACT));
        assert_eq!((counts.dropped, counts.masked), (0, 0));
    }
}

#[test]
fn what_a_pass_leaves_out_is_told_as_often_as_it_is_counted() {
    let mut graph = Graph::default();
    // More sources than are worked out at once, each with a second derivative out of range, and a slope that is.
    let mut sources: Vec<_> = (0..9).map(|_| leaf(&mut graph, 1e-150)).collect();
    let first = leaf(&mut graph, 0.0);
    let mut root = graph.unary(Op::Sqrt, first);
    for &source in &sources {
        let pole = graph.pow_int(source, -1);
        root = graph.binary(Op::Add, root, pole);
    }
    sources.push(first);
    let state = ModeState::mask_real();
    let (statistics, mut scratch) = (Statistics::new(), Scratch::default());
    let mut counted = 0;
    let told = graph
        .second_left_out(&statistics, &mut scratch, |graph, silent, scratch| {
            let found = graph.hessian(root, 1.0.into(), &sources, &state, Some(silent), scratch)?;
            counted = found.counts.dropped;
            Ok(())
        })
        .unwrap();
    assert_eq!(told.len() as u64, counted);
    assert_eq!(told.iter().filter(|each| each.op == Op::PowInt).count(), 9);
    assert!(told.iter().any(|each| each.op == Op::Sqrt && each.operands == [0.0]));
    // Nobody asks the next pass.
    let found = graph.hessian(root, 1.0.into(), &sources, &state, None, &mut scratch).unwrap();
    assert_eq!(found.counts.dropped, counted);
    let told = graph.second_left_out(&statistics, &mut scratch, |_, _, _| Ok(())).unwrap();
    assert!(told.is_empty());
}
