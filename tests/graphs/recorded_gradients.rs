//! Gradients as variables of the tape, differentiated once more.

use zeroproof::backward::second::Product;
use zeroproof::tape::Along;
use zeroproof::{Error, GradientMode, ModeState, Statistics, Status, Tape, Var};

fn gradients<'t>(tape: &'t Tape, root: &Var<'t>, by: &[&Var<'t>], state: &ModeState) -> Vec<Var<'t>> {
    let found = tape.differentiable_gradients(root, by, state, &mut Statistics::default());
    found.expect("first order").into_iter().map(|found| found.expect("a path")).collect()
}

fn number(var: &Var<'_>) -> f64 {
    var.gradient().expect("a pass came by").to_ieee()
}

#[test]
fn a_penalty_reaches_parameters_inside_and_outside() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let (x, w) = (tape.parameter(1.5), tape.parameter(0.5));
    let outside = &w * 2.0; // what the function uses goes on by the pass that asks
    let model = &x * &x * &x * &outside;
    let slope = gradients(&tape, &model, &[&x], &state).remove(0);
    let error = &slope - 1.0;
    let loss = &model + &error * &error;
    loss.backward().expect("a parameter");
    let (x0, w0) = (1.5f64, 0.5);
    let slope = 6.0 * w0 * x0 * x0;
    assert_eq!(number(&x), slope + 2.0 * (slope - 1.0) * 12.0 * w0 * x0);
    assert_eq!(number(&w), 2.0 * x0.powi(3) + 2.0 * (slope - 1.0) * 6.0 * x0 * x0);
}

#[test]
fn several_gradients_are_passed_on_together_as_the_transposed_product() {
    let (tape, mut state) = (Tape::new(), ModeState::default());
    state.mode = GradientMode::Saturating;
    state.set_bound(0.7).expect("a bound");
    let (x, y) = (tape.parameter(0.3), tape.parameter(-0.2));
    let f = &x / &y + (&x * &y).exp() * x.log();
    let found = gradients(&tape, &f, &[&x, &y], &state);
    let weighed = &found[0] * 0.25 + &found[1] * -3.0;
    weighed.backward_with(1.0, &state, &mut Statistics::default()).expect("a parameter");
    let (variables, direction) = ([&x, &y], [0.25, -3.0]);
    let along = Along::new(&variables, &direction).in_mode(state).transposed();
    assert_eq!(along.product, Product::Transposed);
    let product = tape.hvp(&f, &along).expect("a direction");
    for (var, found) in [&x, &y].into_iter().zip(product) {
        let (value, status) = found.expect("a path");
        assert_eq!((number(var), var.status()), (value.to_ieee(), status));
    }
}

#[test]
fn a_masked_second_derivative_says_so() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let x = tape.parameter(0.0);
    let f = 1.0 / (1.0 / &x + 1.0);
    let slope = gradients(&tape, &f, &[&x], &state).remove(0);
    slope.backward().expect("a parameter");
    assert_eq!((number(&x), x.status()), (0.0, Status::MASKED));
}

#[test]
fn derivatives_forward_go_through_gradients() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let (x, w) = (tape.parameter(2.0), tape.parameter(3.0));
    let f = &x * &x * &x * &w;
    let slope = gradients(&tape, &f, &[&x], &state).remove(0);
    let twice = &slope * 2.0;
    let along = [0.5, 0.25];
    let found = tape.jvp(&[&twice], &Along::new(&[&x, &w], &along)).expect("a direction");
    // 2·(6xw·ẋ + 3x²·ẇ)
    assert_eq!(found[0].0.to_ieee(), 2.0 * (36.0 * 0.5 + 12.0 * 0.25));
}

#[test]
fn there_is_no_third_derivative() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let x = tape.parameter(2.0);
    let cube = &x * &x * &x;
    let slope = gradients(&tape, &cube, &[&x], &state).remove(0);
    assert_eq!(tape.hvp(&slope, &Along::new(&[&x], &[1.0])).unwrap_err(), Error::SecondDerivative);
    let twice = gradients(&tape, &slope, &[&x], &state).remove(0);
    assert_eq!(twice.value().to_ieee(), 12.0);
    assert_eq!((&twice * &x).backward().unwrap_err(), Error::SecondDerivative);
    assert!(x.gradient().is_none());
}

#[test]
fn recorded_gradients_move_with_the_arena_and_are_reclaimed() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let x = tape.parameter(2.0);
    let mut kept = vec![];
    for k in 0..3000 {
        let scaled = &x * &x * f64::from(k);
        let slope = gradients(&tape, &scaled, &[&x], &state).remove(0);
        if k % 500 == 0 {
            kept.push((k, slope));
        }
    }
    let live = tape.live_nodes();
    assert!(live < 100, "{live} nodes");
    for (k, slope) in &kept {
        x.zero_gradient();
        slope.backward().expect("a parameter");
        assert_eq!(number(&x), 2.0 * f64::from(*k));
    }
    drop(kept);
    assert_eq!(tape.live_nodes(), 1);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let (tape, state) = (Tape::new(), ModeState::default());
    let x = tape.parameter(1.0);
    let mut f = &x * &x;
    for _ in 0..100_000 {
        f = &f * 1.0 + 0.0;
    }
    let slope = gradients(&tape, &f, &[&x], &state).remove(0);
    slope.backward().expect("a parameter");
    assert_eq!(number(&x), 2.0);
}
