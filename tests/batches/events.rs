//! What happens in a batch, against the definition on the scalar path.

use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use zeroproof::batch::events::{BatchEvent, Happened};
use zeroproof::batch::{Kind, NodeId, Predicate, Request, Stopped, Total};
use zeroproof::{ModeState, Op, Reduction, TrTag};
use zeroproof_tests::batch_reference::cases::{NUMBER, Random, batch, gradient, jacobian, modes, total};
use zeroproof_tests::batch_reference::events::{by_place, causes, dropped, expected_origins, origins};
use zeroproof_tests::batch_reference::mixture::{mixture, numbers};
use zeroproof_tests::batch_reference::recipe::{Recipe, recipe};
use zeroproof_tests::batch_reference::{Batch, Function, Mode, scalar};

fn mask_real() -> Mode {
    ModeState::mask_real().into()
}

/// `1 ÷ x`.
fn reciprocal() -> (Function, NodeId) {
    let mut f = Function::new(&[(NUMBER, true)]);
    let one = f.push(Kind::Constant(1.0), &[]);
    let root = f.op(Op::Div, &[one, 0]);
    (f, root)
}

fn dropped_of(batch: &Batch, request: &Request, mode: &Mode) -> Vec<BatchEvent> {
    dropped(batch, request, mode, batch.samples, &mut || false).expect("nobody interrupts")
}

/// The samples of some events.
fn samples_of(events: &[BatchEvent]) -> BTreeSet<usize> {
    events.iter().flat_map(|event| event.samples.iter().copied()).collect()
}

#[test]
fn an_origin_tells_node_kind_samples_operands_and_distance() {
    let (f, root) = reciprocal();
    let x = vec![2.0, 0.0, f64::INFINITY, -0.0, 0.0, f64::NAN, 5e-324];
    let all = batch(f.returns(&[root]), vec![x]);
    let found = origins(&all, 10);
    let told: Vec<_> = found.iter().map(|e| (e.node, e.happened, e.count, &e.samples[..], e.value)).collect();
    let up = (root, Happened::Born(TrTag::PInf), 3, &[1, 4, 6][..], f64::INFINITY);
    let down = (root, Happened::Born(TrTag::NInf), 1, &[3][..], f64::NEG_INFINITY);
    assert_eq!(told, [up, down]);
    assert_eq!(found[0].operands, [1.0, 0.0]);
    assert_eq!(found.iter().map(|e| e.distance).collect::<Vec<_>>(), [Some(0.0), Some(0.0)]);
}

#[test]
fn so_many_samples_are_named_and_at_least_one() {
    let (f, root) = reciprocal();
    let zeros = batch(f.returns(&[root]), vec![vec![0.0; 1000]]);
    for (most, named) in [(0, 1), (1, 1), (3, 3), (600, 600), (5000, 1000)] {
        let found = origins(&zeros, most);
        assert_eq!((found.len(), found[0].count), (1, 1000));
        assert_eq!(found[0].samples, (0..named).collect::<Vec<_>>());
    }
}

#[test]
fn the_least_distance_counts_also_where_the_first_is_farther() {
    // 1 ÷ x overflows at distances other than 0.
    let (f, root) = reciprocal();
    let near = batch(f.returns(&[root]), vec![vec![1e-309, 1e-310, 1e-320, 2e-309]]);
    assert_eq!(origins(&near, 9)[0].distance, Some(1e-320));
}

#[test]
fn a_batch_without_samples_or_events_has_none() {
    let (f, root) = reciprocal();
    let f = f.returns(&[root]);
    let nothing = Batch { function: f.clone(), samples: 0, inputs: vec![vec![]], directions: vec![] };
    assert!(origins(&nothing, 5).is_empty() && causes(&nothing, 5).is_empty());
    assert!(dropped_of(&nothing, &gradient(&[0]), &mask_real()).is_empty());
    let regular = batch(f, vec![vec![1.0, -2.0]]);
    assert!(origins(&regular, 5).is_empty() && causes(&regular, 5).is_empty());
    assert!(dropped_of(&regular, &gradient(&[0]), &mask_real()).is_empty());
}

#[test]
fn what_a_selection_does_not_take_is_born_but_no_cause() {
    let (mut f, quotient) = reciprocal();
    let zero = f.push(Kind::Constant(0.0), &[]);
    let is_zero = f.push(Kind::Condition(Predicate::Equal), &[0, zero]);
    let chosen = f.push(Kind::Select, &[is_zero, zero, quotient]);
    let logarithm = f.op(Op::Log, &[0]);
    let root = f.op(Op::Add, &[chosen, logarithm]);
    let all = batch(f.returns(&[root]), vec![vec![0.0, -1.0, 1.0]]);
    let of = |found: Vec<BatchEvent>| found.into_iter().map(|e| (e.node, e.samples)).collect::<Vec<_>>();
    assert_eq!(of(origins(&all, 5)), [(quotient, vec![0]), (logarithm, vec![0, 1])]);
    assert_eq!(of(causes(&all, 5)), [(logarithm, vec![0, 1])]);
}

#[test]
fn long_folds_remember_their_first_operands() {
    let mut f = Function::new(&[(&[12], true)]);
    let root = f.push(Kind::Fold(Op::Sum, Reduction::Strict), &(0..12).collect::<Vec<_>>());
    let huge = batch(f.returns(&[root]), vec![vec![1.7e308; 12]]);
    let found = origins(&huge, 5);
    assert_eq!((found[0].operands.len(), found[0].distance), (8, None));
}

#[test]
fn passes_of_several_outputs_name_a_sample_once() {
    // √x twice, on top of the same root.
    let mut f = Function::new(&[(NUMBER, true)]);
    let root = f.op(Op::Sqrt, &[0]);
    let twice = f.op(Op::Add, &[root, root]);
    let all = batch(f.returns(&[root, twice]), vec![vec![1.0, 0.0, 0.0]]);
    let found = dropped_of(&all, &jacobian(&[0]), &mask_real());
    let told: Vec<_> = found.iter().map(|e| (e.node, e.happened, e.count, &e.samples[..])).collect();
    assert_eq!(told, [(root, Happened::Dropped(0), 4, &[1, 2][..])]);
    assert_eq!((found[0].operands[0], found[0].value, found[0].distance), (0.0, 0.0, Some(0.0)));
}

#[test]
fn contributions_left_out_are_told_from_the_root_down() {
    // √x + √y, where √y was recorded later.
    let mut f = Function::new(&[(NUMBER, true), (NUMBER, true)]);
    let low = f.op(Op::Sqrt, &[0]);
    let high = f.op(Op::Sqrt, &[1]);
    let sum = f.op(Op::Add, &[low, high]);
    let all = batch(f.returns(&[sum]), vec![vec![0.0, 0.0], vec![0.0, 1.0]]);
    let found = dropped_of(&all, &gradient(&[0, 1]), &mask_real());
    assert_eq!(found.iter().map(|e| e.node).collect::<Vec<_>>(), [high, low]);
}

#[test]
fn an_adjoint_of_zero_leaves_nothing_out() {
    let mut f = Function::new(&[(NUMBER, true)]);
    let root = f.op(Op::Sqrt, &[0]);
    let zero = f.push(Kind::Constant(0.0), &[]);
    let product = f.op(Op::Mul, &[root, zero]);
    let all = batch(f.returns(&[product]), vec![vec![0.0; 3]]);
    assert!(dropped_of(&all, &gradient(&[0]), &mask_real()).is_empty());
}

#[test]
fn scans_can_be_interrupted() {
    let (f, root) = mixture();
    let large = batch(f.returns(&[root]), numbers(3_000_000, 0.3));
    for request in [gradient(&[0, 1, 2]), total(&[0], Total::Mean)] {
        let mut asked = 0;
        let mut interrupted = || {
            asked += 1;
            true
        };
        let found = dropped(&large, &request, &mask_real(), 1, &mut interrupted);
        assert!(matches!(found, Err(Stopped::Interrupted)));
        assert_eq!(asked, 1);
    }
}

#[derive(Clone, Debug)]
struct Case {
    recipe: Recipe,
    samples: usize,
    seed: u64,
    specials: f64,
    mode: Mode,
}

fn case() -> impl Strategy<Value = Case> {
    let samples = prop_oneof![3 => 1..20usize, 1 => 200..600usize];
    (recipe(2), samples, any::<u64>(), select(vec![0.0, 0.05, 0.5]), select(modes()))
        .prop_map(|(recipe, samples, seed, specials, mode)| Case { recipe, samples, seed, specials, mode })
}

impl Case {
    fn batch(&self) -> Batch {
        let function = self.recipe.function();
        let mut random = Random(self.seed);
        let mut inputs = vec![];
        for argument in 0..self.recipe.arguments.len() {
            let rows = if function.is_per_sample(argument) { self.samples } else { 1 };
            let count = function.width(argument) * rows;
            inputs.push((0..count).map(|_| random.number(self.specials)).collect());
        }
        Batch { function, samples: self.samples, inputs, directions: vec![] }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn origins_and_causes_are_those_of_the_definition(case in case()) {
        let batch = case.batch();
        prop_assert_eq!(by_place(&origins(&batch, batch.samples)), expected_origins(&batch, false));
        prop_assert_eq!(by_place(&causes(&batch, batch.samples)), expected_origins(&batch, true));
    }

    #[test]
    fn contributions_left_out_are_those_of_the_scalar_passes(case in case()) {
        let (batch, request) = (case.batch(), case.recipe.request());
        // What is told of a pullback is what is told of the gradient.
        prop_assume!(!matches!(request, Request::Pullback { .. }));
        let found = dropped_of(&batch, &request, &case.mode);
        let expected = scalar::dropped(&batch, &request, &case.mode);
        let lacking = (0..batch.samples).filter(|&sample| expected[sample] > 0).collect();
        prop_assert_eq!(samples_of(&found), lacking);
        prop_assert_eq!(found.iter().map(|event| event.count).sum::<u64>(), expected.iter().sum());
        for event in &found {
            prop_assert!(matches!(event.happened, Happened::Dropped(_)));
            prop_assert!(event.samples.is_sorted_by(|a, b| a < b));
        }
        if !matches!(request, Request::Jacobian { .. }) {
            // One pass a sample: what is left out in it is left out at so many places.
            for (sample, &expected) in expected.iter().enumerate() {
                let places = found.iter().filter(|event| event.samples.contains(&sample)).count();
                prop_assert_eq!(places as u64, expected, "in sample {}", sample);
            }
        }
    }
}
