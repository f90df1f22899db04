//! The op table reaches the user: every row is a method of [`TrScalar`] and [`Var`], or of [`Reduction`] and
//! [`Tape`], and the operators on variables, references and doubles are the same rows.

use std::collections::HashSet;
use zeroproof::op::Arity;
use zeroproof::{Op, Reduction, Tape, TrScalar, Var};

const VALUES: [f64; 8] = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 0.75, 3.0, f64::INFINITY, f64::NAN];

fn bits(value: TrScalar) -> u64 {
    value.to_ieee().to_bits()
}

/// A row on nodes, which may be of any tape.
type OnNode = for<'t> fn(&Var<'t>) -> Var<'t>;
type OnNodes = for<'t> fn(&Var<'t>, &Var<'t>) -> Var<'t>;
type OnPower = for<'t> fn(&Var<'t>, i32) -> Var<'t>;

fn check(node: &Var, scalar: TrScalar, op: Op, want: f64) {
    let want = bits(TrScalar::from(want));
    assert_eq!((bits(node.value()), node.op()), (want, op));
    assert_eq!(bits(scalar), want);
}

fn check_unary(op: Op, on_node: OnNode, on_scalar: fn(TrScalar) -> TrScalar) {
    for a in VALUES {
        let tape = Tape::new();
        check(&on_node(&tape.parameter(a)), on_scalar(a.into()), op, op.value(a, 0.0));
    }
}

fn check_binary(op: Op, on_nodes: OnNodes, on_scalars: fn(TrScalar, TrScalar) -> TrScalar) {
    for (a, b) in VALUES.iter().flat_map(|&a| VALUES.map(|b| (a, b))) {
        let tape = Tape::new();
        let node = on_nodes(&tape.parameter(a), &tape.parameter(b));
        check(&node, on_scalars(a.into(), b.into()), op, op.value(a, b));
    }
}

fn check_power(op: Op, on_node: OnPower, on_scalar: fn(TrScalar, i32) -> TrScalar) {
    for (a, n) in VALUES.iter().flat_map(|&a| (-3..=3).map(move |n| (a, n))) {
        let tape = Tape::new();
        check(&on_node(&tape.parameter(a), n), on_scalar(a.into(), n), op, op.value(a, f64::from(n)));
    }
}

/// Checks each row through both types; returns the ops, so that the caller knows what was covered.
macro_rules! rows {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        fn check_rows() -> Vec<Op> {
            $(rows! { @$arity Op::$op, $name })*
            vec![$(Op::$op),*]
        }
    };
    (@Unary $op:expr, $name:ident) => { check_unary($op, |a| a.$name(), |a| a.$name()); };
    (@Binary $op:expr, $name:ident) => { check_binary($op, |a, b| a.$name(b), |a, b| a.$name(b)); };
    (@Power $op:expr, $name:ident) => { check_power($op, |a, n| a.$name(n), |a, n| a.$name(n)); };
}
zeroproof::for_each_elementwise_op! { rows }

/// The same for variadic rows.
macro_rules! variadic_rows {
    ($(($op:ident, $name:ident, $formula:literal))*) => {
        fn check_variadic_rows() -> Vec<Op> {
            let tape = Tape::new();
            for (a, mode) in VALUES.iter().flat_map(|&a| Reduction::ALL.map(|mode| (a, mode))) {
                for inputs in [vec![], vec![a], vec![a, 0.5, -1.0, a]] {
                    let kept: Vec<_> = inputs.iter().copied().filter(|&x| mode.keeps(x)).collect();
                    let all_null = mode == Reduction::DropNull && kept.is_empty() && !inputs.is_empty();
                    let scalars: Vec<_> = inputs.iter().copied().map(TrScalar::from).collect();
                    let nodes: Vec<_> = inputs.iter().map(|&x| tape.parameter(x)).collect();
                    $(
                        let fold = if all_null { f64::NAN } else { Op::$op.fold(kept.iter().copied()) };
                        let (want, z) = (TrScalar::from(fold), tape.$name(&nodes, mode));
                        // A fold of nothing is a constant.
                        let op = if inputs.is_empty() { Op::Constant } else { Op::$op };
                        assert_eq!((bits(z.value()), z.op()), (bits(want), op), "{inputs:?} {mode:?}");
                        assert_eq!(bits(mode.$name(&scalars)), bits(want), "{inputs:?} {mode:?}");
                    )*
                }
            }
            vec![$(Op::$op),*]
        }
    };
}
zeroproof::for_each_variadic_op! { variadic_rows }

#[test]
fn every_row_is_a_method_of_scalars_and_variables() {
    let covered: HashSet<_> = check_rows().into_iter().chain(check_variadic_rows()).collect();
    let nodes = Op::ALL.iter().filter(|op| op.facts().is_some());
    assert_eq!(covered, nodes.copied().collect());
    let mut names: Vec<_> = Op::ALL.iter().map(|op| op.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Op::ALL.len(), "names are unique");
    assert!(Op::ALL.iter().all(|op| !op.formula().is_empty()));
}

/// So a contribution that is not REAL shows in every gradient that it reaches.
#[test]
fn what_an_op_makes_of_an_adjoint_that_is_not_real_is_not_real() {
    for op in Op::ALL.iter().filter(|op| op.arity().operands() > 0) {
        let places = if op.arity() == Arity::Binary { 2 } else { 1 };
        for (a, b) in VALUES.iter().flat_map(|&a| VALUES.map(|b| (a, b))) {
            let b = if op.arity() == Arity::Power { -3.0 } else { b };
            let z = op.value(a, b);
            for g in [f64::NEG_INFINITY, f64::INFINITY, f64::NAN] {
                let mut rules = vec![op.classical(g, a, b, z)];
                if op.pole(a, b).is_some() {
                    rules.push(op.bounded(g, a, b, z, 0.5));
                }
                for contribution in rules.iter().flat_map(|rule| &rule[..places]) {
                    assert!(z.is_nan() || !contribution.is_finite(), "{op:?} {a} {b}: {contribution}");
                }
            }
        }
    }
    for op in Op::ALL.iter().filter(|op| op.arity() == Arity::Variadic) {
        for inputs in VALUES.iter().flat_map(|&a| VALUES.map(|b| [a, b])) {
            let z = op.fold(inputs.into_iter());
            let shared = op.shared(inputs.into_iter(), z);
            for (x, g) in inputs.iter().flat_map(|&x| [f64::INFINITY, f64::NAN].map(|g| (x, g))) {
                let share = op.share(g, x, shared);
                assert!(z.is_nan() || !share.is_finite(), "{op:?} of {inputs:?} to {x}: {share}");
            }
        }
    }
}

/// The double of a node.
fn number(node: &Var) -> f64 {
    node.value().to_ieee()
}

macro_rules! forms_of {
    ($operator:tt) => {{
        let forms: [OnNodes; 8] = [
            |a, b| a $operator b,
            |a, b| a.clone() $operator b,
            |a, b| a $operator b.clone(),
            |a, b| a.clone() $operator b.clone(),
            |a, b| a $operator number(b),
            |a, b| a.clone() $operator number(b),
            |a, b| number(a) $operator b,
            |a, b| number(a) $operator b.clone(),
        ];
        forms
    }};
}

#[test]
fn operators_are_the_rows_in_every_form() {
    let tape = Tape::new();
    let operators =
        [(Op::Add, forms_of!(+)), (Op::Sub, forms_of!(-)), (Op::Mul, forms_of!(*)), (Op::Div, forms_of!(/))];
    for (a, b) in VALUES.iter().flat_map(|&a| VALUES.map(|b| (a, b))) {
        let (x, y) = (tape.parameter(a), tape.parameter(b));
        for (op, forms) in operators {
            for z in forms.map(|form| form(&x, &y)) {
                let want = bits(op.value(a, b).into());
                assert_eq!((bits(z.value()), z.op()), (want, op), "{op:?} {a} {b}");
            }
        }
        assert_eq!(bits((-&x).value()), bits(-TrScalar::from(a)));
    }
}

#[test]
fn scalars_are_ordered_equal_and_shown_as_transreal_numbers() {
    let [ninf, zero, one, pinf, phi] =
        [f64::NEG_INFINITY, 0.0, 1.0, f64::INFINITY, f64::NAN].map(TrScalar::from);
    assert!(ninf < zero && zero < one && one < pinf);
    for other in [ninf, one, pinf, phi] {
        assert_eq!((phi.partial_cmp(&other), other.partial_cmp(&phi)), (None, None), "Φ is unordered");
    }
    assert_eq!(phi, TrScalar::PHI);
    assert_eq!(zero, TrScalar::from(-0.0));
    assert_eq!([ninf, zero, pinf, phi].map(|v| v.is_truthy()), [true, false, true, false]);
    assert_eq!([ninf, one, pinf, phi].map(|v| v.to_string()), ["−∞", "1", "+∞", "Φ"]);
    assert_eq!(format!("[{:>4}] [{:.2}]", phi, TrScalar::from(0.125)), "[   Φ] [0.12]");
    assert_eq!([zero, pinf, ninf, phi].map(|v| v.tag() as u8), [0, 1, 2, 3]);
    assert!(TrScalar::real(f64::NAN).is_none() && TrScalar::real(f64::INFINITY).is_none());
    assert_eq!(TrScalar::real(-0.0).map(bits), Some((-0.0f64).to_bits()));
}
