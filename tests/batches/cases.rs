//! The batched engine against the scalar path, case by case: every op, every mode, every way to ask.

use std::collections::HashSet;
use zeroproof::batch::{Kind, NodeId, Predicate, Request, Total};
use zeroproof::op::Arity;
use zeroproof::{ModeState, Op, Reduction};
use zeroproof_tests::batch_reference::cases::{
    NUMBER, Random, agree, batch, combinations, gradient, jacobian, modes, total,
};
use zeroproof_tests::batch_reference::{Function, Mode};

/// Operands at the edges of the range and of the tags.
const EDGES: [f64; 13] = [
    f64::NEG_INFINITY,
    -1.7e308,
    -40.0, // where exp(−a²) underflows
    -1.0,
    -5e-324,
    -0.0,
    0.0,
    1e-310,
    1.0,
    711.0, // where eᵃ and its kin overflow
    f64::MAX,
    f64::INFINITY,
    f64::NAN,
];

/// Adjoints that arrive at an op.
const ADJOINTS: [f64; 5] = [-3.0, 0.0, -0.0, 1e300, -1e-300];

/// Every elementwise row of the table, powers with several exponents.
fn elementwise() -> Vec<Kind> {
    let kinds = |&op: &Op| match op.arity() {
        Arity::Unary | Arity::Binary => vec![Kind::Elementwise(op)],
        Arity::Power => (-5..=9).map(Kind::Power).collect(),
        Arity::Leaf | Arity::Alias | Arity::Gradients | Arity::Gradient | Arity::Variadic => vec![],
    };
    Op::ALL.iter().flat_map(kinds).collect()
}

fn is_binary(kind: Kind) -> bool {
    matches!(kind, Kind::Elementwise(op) if op.arity() == Arity::Binary)
}

/// The operands of an op whose first ones are the nodes 0 and 1.
fn operands(kind: Kind) -> &'static [NodeId] {
    if is_binary(kind) { &[0, 1] } else { &[0] }
}

/// What the second argument is worth trying at.
fn seconds(kind: Kind) -> &'static [f64] {
    if is_binary(kind) { &EDGES } else { &[1.0] }
}

/// `kind(a, b) × adjoint`, where `per_sample` says of which operands every sample has its own.
fn times_adjoint(kind: Kind, per_sample: [bool; 2]) -> Function {
    let mut function = Function::new(&[(NUMBER, per_sample[0]), (NUMBER, per_sample[1]), (NUMBER, true)]);
    let value = function.push(kind, operands(kind));
    let product = function.op(Op::Mul, &[value, 2]);
    function.returns(&[product])
}

#[test]
fn every_op_in_every_mode_at_special_values() {
    let mut covered = HashSet::new();
    for kind in elementwise() {
        covered.insert(if let Kind::Elementwise(op) = kind { op } else { Op::PowInt });
        let numbers = combinations(&[&EDGES, seconds(kind), &ADJOINTS]);
        let batch = batch(times_adjoint(kind, [true; 2]), numbers);
        for mode in modes() {
            agree(&batch, &gradient(&[0, 1, 2]), &mode);
        }
        agree(&batch, &total(&[1, 0], Total::Sum), &ModeState::saturating(0.25).unwrap().into());
    }
    let elementwise = Op::ALL.iter().filter(|op| op.arity().operands() > 0);
    assert_eq!(covered.len(), elementwise.count(), "every op of the table");
}

#[test]
fn every_op_with_a_shared_operand_or_one_that_is_no_source() {
    let near: Mode = ModeState::hybrid(Some(1.0)).unwrap().into();
    for kind in elementwise() {
        let places = operands(kind).iter().map(|&operand| operand as usize);
        for (place, shared) in places.flat_map(|place| EDGES.map(|shared| (place, shared))) {
            let other = if place == 0 { seconds(kind) } else { &EDGES };
            let (mut per_sample, mut columns) = ([true; 2], combinations(&[other, &ADJOINTS]));
            per_sample[place] = false;
            columns.insert(place, vec![shared]);
            let batch = batch(times_adjoint(kind, per_sample), columns);
            for mode in [ModeState::mask_real().into(), near.clone()] {
                agree(&batch, &gradient(&[place]), &mode);
                agree(&batch, &gradient(&[1 - place, 2]), &mode);
                agree(&batch, &total(&[0, 1], Total::Mean), &mode);
            }
        }
    }
}

/// Where no sample of a vector is at an edge, and where one is.
#[test]
fn every_op_at_ordinary_numbers() {
    for kind in elementwise() {
        let op = if let Kind::Elementwise(op) = kind { op } else { Op::PowInt };
        let (low, high) = op.facts().expect("an op has facts").smooth_on;
        let mut random = Random(1);
        let mut inside = || (0..160).map(|_| low + random.share() * (high - low)).collect::<Vec<_>>();
        let (mut a, b, adjoints) = (inside(), inside(), inside());
        for edge in [0.0, 1e-310, f64::NAN] {
            a[90] = edge;
            let numbers = vec![a.clone(), b.clone(), adjoints.clone()];
            let batch = batch(times_adjoint(kind, [true; 2]), numbers);
            for mode in [ModeState::mask_real(), ModeState::saturating(0.5).unwrap()].map(Mode::from) {
                agree(&batch, &gradient(&[0, 1]), &mode);
            }
        }
    }
}

#[test]
fn every_variadic_op_at_ordinary_numbers() {
    for op in Op::ALL.iter().copied().filter(|op| op.arity() == Arity::Variadic) {
        for (mode, edge) in
            Reduction::ALL.into_iter().flat_map(|mode| [0.5, -900.0, f64::NAN].map(|e| (mode, e)))
        {
            let mut random = Random(2);
            let mut inside = || (0..160).map(|_| 8.0 * random.share() - 4.0).collect::<Vec<_>>();
            let (mut a, b) = (inside(), inside());
            a[90] = edge;
            a[91] = b[91];
            let mut function = Function::new(&[(NUMBER, true), (NUMBER, true)]);
            let fold = function.push(Kind::Fold(op, mode), &[0, 1, 0]);
            let root = function.op(Op::Mul, &[fold, 1]);
            let batch = batch(function.returns(&[root]), vec![a, b]);
            for mode in [ModeState::mask_real(), ModeState::saturating(0.5).unwrap()].map(Mode::from) {
                agree(&batch, &gradient(&[0, 1]), &mode);
            }
        }
    }
}

#[test]
fn the_seed_itself_arrives_at_every_op() {
    for kind in elementwise() {
        let mut function = Function::new(&[(NUMBER, true), (NUMBER, true)]);
        let root = function.push(kind, operands(kind));
        let batch = batch(function.returns(&[root]), combinations(&[&EDGES, seconds(kind)]));
        for mode in modes() {
            agree(&batch, &gradient(&[0, 1]), &mode);
        }
        agree(&batch, &gradient(&[1]), &ModeState::mask_real().into());
        agree(&batch, &Request::Values, &ModeState::mask_real().into());
    }
}

#[test]
fn variadic_ops_keep_what_their_mode_keeps() {
    let values = [1.5, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1.7e308, 5e-324, -800.0];
    // One source, an argument that is none, a shared source, a constant; any of them twice.
    let lists: [&[NodeId]; 8] =
        [&[], &[0], &[1, 0], &[0, 1, 0], &[0, 3, 2], &[2, 0, 1], &[1, 3], &[4, 0, 1, 2]];
    for op in Op::ALL.iter().copied().filter(|op| op.arity() == Arity::Variadic) {
        for (mode, list) in Reduction::ALL.into_iter().flat_map(|mode| lists.map(|list| (mode, list))) {
            for shared in values {
                let mut function = Function::new(&[(NUMBER, true), (NUMBER, true), (NUMBER, false)]);
                let constant = function.push(Kind::Constant(f64::NEG_INFINITY), &[]);
                let pole = function.op(Op::Log, &[0]);
                assert_eq!((constant, pole), (3, 4));
                let fold = function.push(Kind::Fold(op, mode), list);
                let root = function.op(Op::Div, &[fold, 1]);
                let mut columns = combinations(&[&values, &values]);
                columns.push(vec![shared]);
                let batch = batch(function.returns(&[root]), columns);
                for mode in [ModeState::mask_real(), ModeState::hybrid(Some(0.5)).unwrap()] {
                    agree(&batch, &gradient(&[0, 2]), &mode.into());
                }
                agree(&batch, &total(&[2, 0], Total::Mean), &ModeState::saturating(1.0).unwrap().into());
            }
        }
    }
}

/// Whether a power is singular is known beforehand only if its exponent is a constant of the program.
#[test]
fn powers_with_constant_shared_and_varying_exponents() {
    let exponents = [-2.5, -2.0, -1e-310, 0.0, 0.25, 0.5, 1.0, 1.5, 3.0, f64::INFINITY, f64::NAN];
    let near: Mode = ModeState::hybrid(Some(1.0)).unwrap().into();
    for exponent in exponents {
        let mut function = Function::new(&[(NUMBER, true), (NUMBER, true)]);
        let constant = function.push(Kind::Constant(exponent), &[]);
        let power = function.op(Op::Pow, &[0, constant]);
        let root = function.op(Op::Mul, &[power, 1]);
        let one = batch(function.returns(&[root]), combinations(&[&EDGES, &ADJOINTS]));
        for mode in modes() {
            agree(&one, &gradient(&[0, 1]), &mode);
        }
        agree(&one, &total(&[0], Total::Mean), &near);

        let mut function = Function::new(&[(NUMBER, true), (NUMBER, false)]);
        let power = function.op(Op::Pow, &[0, 1]);
        let inverse = function.op(Op::Pow, &[1, 0]);
        let root = function.op(Op::Hypot, &[power, inverse]);
        let shared = batch(function.returns(&[root]), vec![EDGES.to_vec(), vec![exponent]]);
        for mode in modes() {
            agree(&shared, &gradient(&[0, 1]), &mode);
            agree(&shared, &gradient(&[1]), &mode);
        }
        agree(&shared, &total(&[1, 0], Total::Sum), &near);
    }
}

const PREDICATES: [Predicate; 9] = [
    Predicate::Less,
    Predicate::LessEqual,
    Predicate::Equal,
    Predicate::IsReal,
    Predicate::IsInfinite,
    Predicate::IsPhi,
    Predicate::And,
    Predicate::Or,
    Predicate::Not,
];

#[test]
fn selections_are_the_operand_that_every_predicate_chooses() {
    for predicate in PREDICATES {
        let mut function = Function::new(&[(NUMBER, true), (NUMBER, true), (NUMBER, false)]);
        let mut operands = vec![0, 1];
        if predicate.is_logical() {
            operands = [0, 1].map(|x| function.push(Kind::Condition(Predicate::IsReal), &[x])).to_vec();
        }
        let condition = function.push(Kind::Condition(predicate), &operands[..predicate.operands()]);
        let quotient = function.op(Op::Div, &[2, 0]);
        let chosen = function.push(Kind::Select, &[condition, quotient, 1]);
        let root = function.op(Op::Mul, &[chosen, 0]);
        let mut columns = combinations(&[&EDGES, &EDGES]);
        columns.push(vec![-2.5]);
        let batch = batch(function.returns(&[root, chosen, quotient]), columns);
        for mode in modes() {
            agree(&batch, &jacobian(&[1, 2, 0]), &mode);
        }
        agree(&batch, &Request::Values, &ModeState::mask_real().into());
    }
}

/// What a selection can be the root of, or lie beside.
#[test]
fn selections_of_elements_constants_and_selections() {
    let mut function = Function::new(&[(NUMBER, true), (&[2], true), (NUMBER, false)]);
    let one = function.push(Kind::Constant(1.0), &[]);
    let positive = function.push(Kind::Condition(Predicate::Less), &[one, 0]);
    let either = function.push(Kind::Select, &[positive, 1, one]);
    let shared = function.push(Kind::Select, &[one, 3, one]);
    let nested = function.push(Kind::Select, &[positive, either, shared]);
    let twice = function.op(Op::Add, &[nested, 1]);
    let sum = function.push(Kind::Fold(Op::Sum, Reduction::DropNonreal), &[nested, either, 1, twice]);
    let roots = [either, shared, nested, twice, sum];
    let columns = vec![EDGES.to_vec(), [EDGES, EDGES].concat(), vec![0.75]];
    for &root in &roots {
        let batch = batch(function.clone().returns(&[root]), columns.clone());
        for mode in [ModeState::mask_real(), ModeState::hybrid(Some(1.0)).unwrap()].map(Mode::from) {
            for request in [gradient(&[1, 2]), total(&[2, 1], Total::Sum), total(&[1, 2, 0], Total::Mean)] {
                agree(&batch, &request, &mode);
            }
        }
    }
    agree(&batch(function.returns(&roots), columns), &jacobian(&[2, 0, 1]), &ModeState::mask_real().into());
}
