//! Variables are written like doubles: operators, assigning operators, powers.

use zeroproof::{Reduction, SharedTape, Status, Tape, Var};

fn gradient(x: &Var) -> f64 {
    x.gradient().expect("a pass has been here").to_ieee()
}

#[test]
fn assigning_operators_record_what_the_plain_ones_do() {
    let tape = Tape::new();
    let (x, y) = (tape.parameter(3.0), tape.parameter(2.0));
    let mut z = x.clone();
    z += &y;
    z *= 2.0;
    z -= x.clone();
    z /= &y;
    let want = ((&x + &y) * 2.0 - &x) / &y;
    assert_eq!(z.value(), want.value());
    z.backward().unwrap();
    let (by_x, by_y) = (gradient(&x), gradient(&y));
    x.zero_gradient();
    y.zero_gradient();
    want.backward().unwrap();
    assert_eq!((gradient(&x), gradient(&y)), (by_x, by_y));
    assert_eq!(x.value().to_ieee(), 3.0, "what z was is untouched");
}

#[test]
fn a_variable_may_meet_itself() {
    let tape = Tape::new();
    let x = tape.parameter(3.0);
    let mut z = x.clone();
    z *= z.clone();
    z += z.clone();
    z.backward().unwrap();
    assert_eq!((z.value().to_ieee(), gradient(&x)), (18.0, 12.0));
}

#[test]
fn a_loop_that_adds_up_is_a_sum() {
    let tape = Tape::new();
    let inputs: Vec<_> = (1..=4).map(|i| tape.parameter(f64::from(i))).collect();
    let mut total = tape.constant(0.0);
    for x in &inputs {
        total += x * x;
    }
    let squares: Vec<_> = inputs.iter().map(|x| x.powi(2)).collect();
    let sum = tape.sum(&squares, Reduction::Strict);
    assert_eq!((total.value(), total.value().to_ieee()), (sum.value(), 30.0));
}

#[test]
fn poles_are_values_in_assignments_too() {
    let tape = SharedTape::shared();
    let x = tape.parameter(0.0);
    let mut z = tape.constant(1.0);
    z /= &x;
    z += 1.0;
    z.backward().unwrap();
    assert_eq!((z.value().to_ieee(), x.status()), (f64::INFINITY, Status::MASKED));
}

#[test]
fn powers_have_the_names_that_doubles_give_them() {
    let tape = Tape::new();
    for base in [-8.0, -0.5, 0.0, 0.25, 2.0, f64::INFINITY] {
        let x = tape.constant(base);
        assert_eq!(x.powi(-3).value(), x.pow_int(-3).value());
        for exponent in [-1.5, 0.0, 1.0 / 3.0, 3.0] {
            assert_eq!(x.powf(exponent).value(), x.pow(&tape.constant(exponent)).value());
        }
    }
}

#[test]
#[should_panic(expected = "variables of different tapes meet")]
fn assignments_keep_tapes_apart() {
    let (one, other) = (Tape::new(), Tape::new());
    let mut x = one.parameter(1.0);
    x += &other.parameter(1.0);
}
