//! Every op × every mode × special values and adjoints against the reference, through one helper.

use crate::reference::{Expected, Wide};
use std::collections::HashSet;
use std::fmt::Debug;
use zeroproof::backward::Scratch;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::{Graph, Handle};
use zeroproof::op::Arity;
use zeroproof::{ModeState, Op, Reduction, Statistics, Status, TrScalar};

const SPECIALS: [f64; 18] = [
    f64::NEG_INFINITY,
    -1.0,
    -0.0,
    0.0,
    1.0,
    f64::INFINITY,
    f64::NAN,
    5e-324,
    -5e-324,
    1e-310,
    1.7e308,
    0.5,
    -2.5,
    -0.75,
    2.0,
    1e200,
    711.0, // where sinh and cosh overflow
    -40.0,
];
const EXPONENTS: [i32; 9] = [-3, -2, -1, 0, 1, 2, 3, 5, 10];
const SEEDS: [f64; 6] = [1.0, -3.0, 0.0, 1e300, -1e-300, 1.7e308];

/// Equal as zeros, infinities or Φ; otherwise within four ulp.
fn close(got: f64, want: f64) -> bool {
    close_beside(got, want, 0.0)
}

/// The same, or within four ulp of terms of this size that cancelled.
fn close_beside(got: f64, want: f64, terms: f64) -> bool {
    let ulp = f64::from_bits(want.abs().max(terms).to_bits().max(1)) * f64::EPSILON;
    got == want
        || (got.is_nan() && want.is_nan())
        || (got.is_finite() && (got - want).abs() <= 4.0 * ulp.max(5e-324))
}

/// The one helper: records one node over operands of these values, differentiates it with the
/// adjoint `g` and compares everything that can be seen.
#[derive(Default)]
struct Bench {
    graph: Graph,
    scratch: Scratch,
    cases: usize,
    wrong: Vec<String>,
}

type Record<'a> = &'a dyn Fn(&mut Graph, &[Handle]) -> Handle;

impl Bench {
    /// Fails if anything was wrong; returns how many cases were checked.
    fn finish(self) -> usize {
        let Self { cases, wrong, .. } = self;
        let shown = wrong[..wrong.len().min(40)].join("\n");
        assert!(wrong.is_empty(), "{} faults in {cases} cases:\n{shown}", wrong.len());
        cases
    }

    fn check(
        &mut self,
        name: &str,
        operands: &[f64],
        record: Record,
        g: f64,
        state: &ModeState,
        want: &Expected,
    ) {
        let Self { graph, scratch, cases, wrong } = self;
        *cases += 1;
        let mut compare = |what: &str, agrees: bool, got: &dyn Debug, want: &dyn Debug| {
            if !agrees {
                let (mode, bound, delta) = (state.mode, state.bound(), state.delta());
                wrong.push(format!(
                    "{name} on {operands:?}, adjoint {g:e}, {mode:?} bound {bound} δ {delta:?}: {what} {got:?}, not {want:?}"
                ));
            }
        };
        let inputs: Vec<_> = operands.iter().map(|&x| graph.leaf(Op::Parameter, x, None)).collect();
        let root = record(graph, &inputs);
        let z = graph.value(root).to_ieee();
        let sign = z.is_nan() || z.is_sign_negative() == want.value.is_sign_negative();
        compare("value", sign && close_beside(z, want.value, want.value_terms), &z, &want.value);
        let mut statistics = Statistics::new();
        if graph.requires_grad(root) {
            let pass = graph.backward(root, TrScalar::from(g), state, Some(&mut statistics), scratch);
            statistics.add_pass(pass.unwrap());
            for (k, (&input, &(contribution, status))) in inputs.iter().zip(&want.operands).enumerate() {
                let (gradient, shown) = graph.gradient(input).expect("reached");
                let (got, expected) = (gradient.to_ieee(), contribution.map_or(0.0, Wide::narrow));
                // Nothing arrived: the empty sum is +0.
                let agrees =
                    close_beside(got, expected, want.terms) && (contribution.is_some() || got.to_bits() == 0);
                compare(&format!("gradient {k}"), agrees, &got, &expected);
                compare(&format!("status {k}"), shown == status, &shown, &status);
            }
        }
        let seen = statistics.summary(state);
        let calls = u64::from(want.decision.is_some());
        let saturating = u64::from(want.decision.is_some_and(|(_, saturates)| saturates));
        for (what, got, expected) in [
            ("dropped", seen.dropped_contributions, want.dropped()),
            ("masked", seen.masked_nodes, want.masked.unwrap_or(seen.masked_nodes)),
            ("decisions", seen.total_gradient_calls, calls),
            ("saturating", seen.saturating_activations, saturating),
            ("Mask-REAL", seen.mask_real_activations, calls - saturating),
        ] {
            compare(what, got == expected, &got, &expected);
        }
        let distance = want.decision.map(|(d, _)| d);
        let agrees = match (seen.q_min_epoch, distance) {
            (Some(got), Some(want)) => close(got, want),
            (got, want) => got == want,
        };
        compare("distance", agrees, &seen.q_min_epoch, &distance);
        graph.release(root);
        inputs.into_iter().for_each(|input| graph.release(input));
    }
}

fn modes() -> Vec<ModeState> {
    let mut near = ModeState::hybrid(Some(0.5)).unwrap();
    near.set_bound(0.25).unwrap();
    vec![
        ModeState::mask_real(),
        ModeState::saturating(1.0).unwrap(),
        ModeState::saturating(0.25).unwrap(),
        ModeState::hybrid(None).unwrap(),
        ModeState::hybrid(Some(0.5)).unwrap(),
        near,
    ]
}

/// The second operands to try: an exponent for a power, none for a unary op.
fn seconds(op: Op) -> Vec<f64> {
    match op.arity() {
        Arity::Binary => SPECIALS.to_vec(),
        Arity::Power => EXPONENTS.map(f64::from).to_vec(),
        _ => vec![0.0],
    }
}

#[test]
fn every_op_in_every_mode_at_every_special_value() {
    let mut bench = Bench::default();
    let mut covered = HashSet::new();
    for &op in Op::ALL {
        for state in &modes() {
            for g in SEEDS {
                covered.insert(op);
                match op.arity() {
                    Arity::Leaf => check_leaf(&mut bench, op, g, state),
                    Arity::Alias => check_choice(&mut bench, op, g, state),
                    // What gradients pass on is a pass of its own: `recorded_gradients.rs`.
                    Arity::Gradients | Arity::Gradient => {}
                    Arity::Variadic => check_reduction(&mut bench, op, g, state),
                    _ => check_elementwise(&mut bench, op, g, state),
                }
            }
        }
    }
    let cases = bench.finish();
    assert_eq!(covered.len(), Op::ALL.len(), "every op, and none twice in the table");
    let binary = Op::ALL.iter().filter(|op| op.arity() == Arity::Binary).count();
    assert!(
        binary >= 6 && cases > binary * SPECIALS.len().pow(2) * modes().len() * SEEDS.len(),
        "{cases} cases"
    );
}

fn check_leaf(bench: &mut Bench, op: Op, g: f64, state: &ModeState) {
    for x in SPECIALS {
        // The seed itself arrives at a leaf, whatever the leaf's value.
        let leaf = move |graph: &mut Graph, _: &[Handle]| graph.leaf(op, x, None);
        let expected = Expected { value: x, masked: Some(0), ..Expected::default() };
        bench.check(&format!("{op:?} of {x:e}"), &[], &leaf, g, state, &expected);
    }
}

/// What was chosen gets the adjoint as it is, whatever the values are; nothing is masked or decided.
fn check_choice(bench: &mut Bench, op: Op, g: f64, state: &ModeState) {
    for (a, b) in SPECIALS.iter().flat_map(|&a| SPECIALS.map(|b| (a, b))) {
        let record = move |graph: &mut Graph, inputs: &[Handle]| {
            graph.choose(Side::Node(inputs[0]), Side::Node(inputs[1])).expect("of parameters")
        };
        let arrived = (Some(Wide::new(g)), Status::EXACT);
        let nothing = (None, Status::EXACT);
        let expected =
            Expected { value: a, operands: vec![arrived, nothing], masked: Some(0), ..Expected::default() };
        bench.check(&format!("{op:?}"), &[a, b], &record, g, state, &expected);
    }
}

fn check_elementwise(bench: &mut Bench, op: Op, g: f64, state: &ModeState) {
    for a in SPECIALS {
        for b in seconds(op) {
            check_at(bench, op, (a, b), g, state);
        }
    }
}

fn check_at(bench: &mut Bench, op: Op, (a, b): (f64, f64), g: f64, state: &ModeState) {
    let expected = Expected::elementwise(op, g, a, b, state);
    let record = move |graph: &mut Graph, inputs: &[Handle]| match (op.arity(), inputs) {
        (Arity::Binary, &[a, b]) => graph.binary(op, a, b),
        (Arity::Power, &[a]) => graph.pow_int(a, b as i32),
        (_, &[a]) => graph.unary(op, a),
        _ => unreachable!("as many inputs as operands"),
    };
    let both = [a, b];
    let operands = if op.arity() == Arity::Binary { &both[..] } else { &both[..1] };
    bench.check(&format!("{op:?} {b:e}"), operands, &record, g, state, &expected);
}

fn check_reduction(bench: &mut Bench, op: Op, g: f64, state: &ModeState) {
    for mode in Reduction::ALL {
        let mut check = |inputs: &[f64]| check_reduction_of(bench, op, mode, inputs, g, state);
        check(&[]);
        for a in SPECIALS {
            check(&[a]);
            for b in SPECIALS {
                check(&[a, b]);
                check(&[a, 1.0, b]);
                check(&[a, b, a, 0.0]);
            }
        }
    }
}

fn check_reduction_of(bench: &mut Bench, op: Op, mode: Reduction, inputs: &[f64], g: f64, state: &ModeState) {
    let record = move |graph: &mut Graph, inputs: &[Handle]| graph.reduce(op, mode, inputs);
    let expected = Expected::reduction(op, mode, g, inputs, state);
    bench.check(&format!("{op:?} {mode:?}"), inputs, &record, g, state, &expected);
}

/// How many random operands are tried of each op in each mode.
const CASES: usize = 2000;

/// A double of random class, sign and exponent, or one of a magnitude from 2⁻⁸ to 2¹² (splitmix64).
fn random_double(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let bits = bits ^ bits >> 31;
    let moderate = 1015 + (bits >> 1) % 20;
    f64::from_bits(if bits & 1 == 0 { bits } else { bits & !(0x7ff << 52) | moderate << 52 })
}

#[test]
fn every_op_in_every_mode_at_random_magnitudes() {
    let (mut bench, mut random) = (Bench::default(), 1);
    for &op in Op::ALL {
        for state in &modes() {
            for k in 0..CASES {
                let g = Some(random_double(&mut random)).filter(|g| g.is_finite()).unwrap_or(1.0);
                let mut draw = || random_double(&mut random);
                match op.arity() {
                    Arity::Leaf | Arity::Alias | Arity::Gradients | Arity::Gradient => {}
                    Arity::Variadic => {
                        let inputs: Vec<_> = (0..1 + k % 5).map(|_| draw()).collect();
                        check_reduction_of(&mut bench, op, Reduction::ALL[k % 3], &inputs, g, state);
                    }
                    Arity::Binary => check_at(&mut bench, op, (draw(), draw()), g, state),
                    _ => check_at(&mut bench, op, (draw(), seconds(op)[k % seconds(op).len()]), g, state),
                }
            }
        }
    }
    let computed = Op::ALL.iter().filter(|op| op.facts().is_some()).count();
    assert_eq!(bench.finish(), computed * modes().len() * CASES);
}
