//! The op table reaches the user: every row is a method of [`TrScalar`] and [`Var`], or of [`Reduction`] and
//! [`Tape`], and the operators on variables, references and doubles are the same rows.

use std::collections::HashSet;
use zeroproof::op::Arity;
use zeroproof::{Op, Reduction, Tape, TrScalar, Var};

const VALUES: [f64; 8] = [f64::NEG_INFINITY, -2.5, -0.0, 0.0, 0.75, 3.0, f64::INFINITY, f64::NAN];

fn bits(value: TrScalar) -> u64 {
    value.to_ieee().to_bits()
}

/// Checks one row through both types; returns the op, so that the caller knows what was covered.
macro_rules! rows {
    ($(($op:ident, $name:ident, $arity:ident, $formula:literal))*) => {
        fn check_rows() -> Vec<Op> {
            vec![$({ rows! { @$arity $op $name }; Op::$op }),*]
        }
    };
    (@Unary $op:ident $name:ident) => {
        for a in VALUES {
            let (tape, want) = (Tape::new(), TrScalar::from(Op::$op.value(a, 0.0)));
            let z = tape.parameter(a).$name();
            assert_eq!((bits(z.value()), z.op()), (bits(want), Op::$op));
            assert_eq!(bits(TrScalar::from(a).$name()), bits(want));
        }
    };
    (@Binary $op:ident $name:ident) => {
        for a in VALUES {
            for b in VALUES {
                let (tape, want) = (Tape::new(), TrScalar::from(Op::$op.value(a, b)));
                let z = tape.parameter(a).$name(&tape.parameter(b));
                assert_eq!((bits(z.value()), z.op()), (bits(want), Op::$op));
                assert_eq!(bits(TrScalar::from(a).$name(b.into())), bits(want));
            }
        }
    };
    (@Power $op:ident $name:ident) => {
        for a in VALUES {
            for n in -3..=3 {
                let (tape, want) = (Tape::new(), TrScalar::from(Op::$op.value(a, f64::from(n))));
                let z = tape.parameter(a).$name(n);
                assert_eq!((bits(z.value()), z.op()), (bits(want), Op::$op));
                assert_eq!(bits(TrScalar::from(a).$name(n)), bits(want));
            }
        }
    };
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

macro_rules! forms_of {
    ($operator:tt, $a:expr, $b:expr) => {{
        let (a, b): (&Var, &Var) = ($a, $b);
        let (left, right) = (a.value().to_ieee(), b.value().to_ieee());
        vec![
            a $operator b,
            a.clone() $operator b,
            a $operator b.clone(),
            a.clone() $operator b.clone(),
            a $operator right,
            a.clone() $operator right,
            left $operator b,
            left $operator b.clone(),
        ]
    }};
}

#[test]
fn operators_are_the_rows_in_every_form() {
    let tape = Tape::new();
    for a in VALUES {
        for b in VALUES {
            let (x, y) = (tape.parameter(a), tape.parameter(b));
            for (forms, op) in [
                (forms_of!(+, &x, &y), Op::Add),
                (forms_of!(-, &x, &y), Op::Sub),
                (forms_of!(*, &x, &y), Op::Mul),
                (forms_of!(/, &x, &y), Op::Div),
            ] {
                for z in forms {
                    assert_eq!(
                        (bits(z.value()), z.op()),
                        (bits(op.value(a, b).into()), op),
                        "{op:?} {a} {b}"
                    );
                }
            }
            assert_eq!(bits((-&x).value()), bits(-TrScalar::from(a)));
        }
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
