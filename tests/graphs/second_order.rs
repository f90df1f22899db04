//! Products with the Hessian and derivatives forward: rules, statuses, counts.

use zeroproof::backward::Gradient;
use zeroproof::tape::Along;
use zeroproof::{Error, ModeState, Reduction, Statistics, Status, Tape, Var};

fn mask_real() -> ModeState {
    ModeState::mask_real()
}

fn saturating(bound: f64) -> ModeState {
    ModeState::saturating(bound).unwrap()
}

/// Number and status.
fn shown(found: &Option<Gradient>) -> (f64, Status) {
    let (number, status) = found.expect("a path leads there");
    (number.to_ieee(), status)
}

fn all_shown(found: &[Option<Gradient>]) -> Vec<(f64, Status)> {
    found.iter().map(shown).collect()
}

/// `J·v` of a function of one variable, along 1.
fn bend(f: impl for<'t> Fn(&Var<'t>) -> Var<'t>, at: f64, state: ModeState) -> (f64, Status) {
    let tape = Tape::new();
    let x = tape.parameter(at);
    let products = tape.hvp(&f(&x), &Along::new(&[&x], &[1.0]).in_mode(state)).unwrap();
    shown(&products[0])
}

#[test]
fn a_polynomial_has_its_hessian() {
    let tape = Tape::new();
    let (x, y) = (tape.parameter(2.0), tape.parameter(3.0));
    let f = &x * &x * &y + y.pow_int(3) - 5.0 * &x;
    let found = tape.hessian(&f, &[&x, &y], &mask_real(), &mut Statistics::new()).unwrap();
    let columns: Vec<_> = found.products.iter().map(|column| all_shown(column)).collect();
    let exact = |number| (number, Status::EXACT);
    assert_eq!(columns, [[exact(6.0), exact(4.0)], [exact(4.0), exact(18.0)]]);
    assert_eq!(all_shown(&found.gradient), [exact(7.0), exact(31.0)]);
}

#[test]
fn what_is_masked_is_a_constant_and_says_so() {
    // 1/(1/x + 1) is REAL at the pole of 1/x.
    fn through_pole<'t>(x: &Var<'t>) -> Var<'t> {
        1.0 / (1.0 / x + 1.0)
    }
    assert_eq!(bend(through_pole, 0.0, mask_real()), (0.0, Status::MASKED));
    assert_eq!(bend(|x| 3.0 * x, 0.0, mask_real()), (0.0, Status::EXACT));

    // The gradient by y is REAL and made of what is masked.
    let tape = Tape::new();
    let (x, y) = (tape.parameter(0.0), tape.parameter(2.0));
    let f = &y * (1.0 / (1.0 / &x + 1.0));
    let found = tape.hvp(&f, &Along::new(&[&x, &y], &[1.0, 0.0])).unwrap();
    assert_eq!(all_shown(&found), [(0.0, Status::MASKED), (0.0, Status::MASKED)]);
    // Along y alone nothing masked plays a part in how the gradient by y changes.
    let found = tape.hvp(&f, &Along::new(&[&x, &y], &[0.0, 1.0])).unwrap();
    assert_eq!(shown(&found[1]), (0.0, Status::EXACT));
}

#[test]
fn what_first_order_drops_is_a_constant() {
    // √x at 0: the contribution is infinite.
    assert_eq!(bend(|x| x.sqrt(), 0.0, mask_real()), (0.0, Status::DROPPED));
    // 0·√x: nothing is left out that has a weight.
    assert_eq!(bend(|x| 0.0 * x.sqrt(), 0.0, mask_real()), (0.0, Status::EXACT));
}

#[test]
fn a_term_out_of_range_is_dropped_unless_its_weights_bring_it_back() {
    let tape = Tape::new();
    let x = tape.parameter(1e-150);
    let f = 1.0 / &x;
    let mut statistics = Statistics::new();
    let variables = [&x];
    let along = Along::new(&variables, &[1.0]);
    let found = tape.hvp_with(&f, 1.0, &along, &mut statistics).unwrap();
    assert_eq!((shown(&found.products[0][0]), found.counts.dropped), ((0.0, Status::DROPPED), 1));
    assert_eq!(statistics.dropped_contributions(), 1);
    assert_eq!(shown(&found.gradient[0]), (-1.0 / 1e-150 / 1e-150, Status::EXACT));

    let found = tape.hvp_with(&f, 1e-200, &along, &mut statistics).unwrap();
    let (number, status) = shown(&found.products[0][0]);
    assert_eq!(status, Status::EXACT);
    assert!((number / 2e250 - 1.0).abs() < 1e-14, "{number:e}");
}

#[test]
fn bounded_partials_have_their_own_slopes() {
    fn recip<'t>(x: &Var<'t>) -> Var<'t> {
        1.0 / x
    }
    assert_eq!(bend(recip, 0.0, saturating(1.0)), (0.0, Status::SATURATED));
    let (number, status) = bend(recip, 0.5, saturating(1.0));
    assert_eq!(status, Status::SATURATED);
    assert!((number - 2.0 * 0.5 / 1.25f64.powi(2)).abs() < 1e-15);

    let hybrid = || ModeState::hybrid(Some(0.1)).unwrap();
    assert_eq!(bend(recip, 0.5, hybrid()), (16.0, Status::EXACT));
    let (number, status) = bend(recip, 0.05, hybrid());
    assert_eq!(status, Status::SATURATED);
    assert!((number - 2.0 * 0.05 / 1.0025f64.powi(2)).abs() < 1e-15);
}

#[test]
fn in_saturating_mode_the_two_products_differ() {
    let tape = Tape::new();
    let (a, b) = (tape.parameter(2.0), tape.parameter(-0.5));
    let f = &a / &b;
    // The partials are sign(b)/h and −a/h², h = √(b² + 1).
    let h: f64 = 1.25f64.sqrt();
    let jacobian = [[0.0, -0.5 / h.powi(3)], [-1.0 / h.powi(2), 2.0 * 2.0 * -0.5 / h.powi(4)]];
    let variables = [&a, &b];
    for direction in [[1.0, 0.0], [0.0, 1.0], [0.5, -2.0]] {
        let along = || Along::new(&variables, &direction).in_mode(saturating(1.0));
        let by_rows = tape.hvp(&f, &along()).unwrap();
        let by_columns = tape.hvp(&f, &along().transposed()).unwrap();
        for i in 0..2 {
            let [row, column]: [f64; 2] = [
                [0, 1].map(|j| jacobian[i][j] * direction[j]),
                [0, 1].map(|j| jacobian[j][i] * direction[j]),
            ]
            .map(|terms| terms.iter().sum());
            assert!((shown(&by_rows[i]).0 - row).abs() < 1e-14, "J·{direction:?}");
            assert!((shown(&by_columns[i]).0 - column).abs() < 1e-14, "Jᵀ·{direction:?}");
        }
    }
}

#[test]
fn kinks_and_ties_do_not_bend() {
    for kinked in [
        (|x| x.abs()) as for<'t> fn(&Var<'t>) -> Var<'t>,
        |x| x.maximum(x),
        |x| x.minimum(&(-x)),
        |x| x.hypot(x),
        |x| x.floor(),
        |x| x.remainder(x),
    ] {
        let (number, status) = bend(kinked, 0.0, mask_real());
        assert_eq!(number, 0.0);
        assert!(status == Status::EXACT || status == Status::MASKED, "{status:?}");
    }
    assert_eq!(bend(|x| x.abs() * x, 0.0, mask_real()), (0.0, Status::EXACT));
}

#[test]
fn reductions_couple_all_of_their_inputs() {
    let tape = Tape::new();
    let values = [0.7, -1.3, 0.4, 2.1];
    let inputs: Vec<Var> = values.iter().map(|&x| tape.parameter(x)).collect();
    let sources: Vec<&Var> = inputs.iter().collect();
    let hessian = |f: &Var<'_>| {
        let found = tape.hessian(f, &sources, &mask_real(), &mut Statistics::new()).unwrap();
        found.products.iter().map(|column| all_shown(column)).collect::<Vec<_>>()
    };
    let delta = |i, j| f64::from(u8::from(i == j));
    let close = |found: Vec<Vec<(f64, Status)>>, expected: &dyn Fn(usize, usize) -> f64| {
        for (j, column) in found.iter().enumerate() {
            for (i, &(number, status)) in column.iter().enumerate() {
                assert!((number - expected(i, j)).abs() < 1e-15, "{i} {j}: {number} {}", expected(i, j));
                assert_eq!(status, Status::EXACT);
            }
        }
    };
    let norm = values.iter().map(|x| x * x).sum::<f64>().sqrt();
    close(hessian(&tape.norm(&inputs, Reduction::Strict)), &|i, j| {
        delta(i, j) / norm - values[i] * values[j] / norm.powi(3)
    });
    let total: f64 = values.iter().map(|x| x.exp()).sum();
    let weight = |i: usize| values[i].exp() / total;
    close(hessian(&tape.logsumexp(&inputs, Reduction::Strict)), &|i, j| {
        delta(i, j) * weight(i) - weight(i) * weight(j)
    });
    close(hessian(&tape.prod(&inputs, Reduction::Strict)), &|i, j| {
        let others = (0..4).filter(|&k| k != i && k != j).map(|k| values[k]).product::<f64>();
        (1.0 - delta(i, j)) * others
    });
    for linear in [Tape::sum, Tape::mean, Tape::max, Tape::min] {
        close(hessian(&linear(&tape, &inputs, Reduction::Strict)), &|_, _| 0.0);
    }
}

#[test]
fn a_norm_keeps_the_digits_beside_a_large_input() {
    let tape = Tape::new();
    let inputs = [1e200, 1.0, 1e-200].map(|x| tape.parameter(x));
    let norm = tape.norm(&inputs, Reduction::Strict);
    let sources: Vec<&Var> = inputs.iter().collect();
    let along = Along::new(&sources, &[1.0, 0.0, 0.0]);
    // ∂²/∂x₀² is (1 + 10⁻⁴⁰⁰)/10⁶⁰⁰, which the adjoint brings into range.
    let found = tape.hvp_with(&norm, 1e308, &along, &mut Statistics::new()).unwrap();
    let (number, _) = shown(&found.products[0][0]);
    assert!((number / 1e-292 - 1.0).abs() < 1e-14, "{number:e}");
}

#[test]
fn an_input_that_is_left_out_gets_nothing() {
    let tape = Tape::new();
    let (x, y) = (tape.parameter(0.5), tape.parameter(f64::NAN));
    let norm = tape.norm(&[x.clone(), x.clone(), y.clone()], Reduction::DropNull);
    let found = tape.hvp(&(&norm * &norm), &Along::new(&[&x, &y], &[1.0, 1.0])).unwrap();
    assert!((shown(&found[0]).0 - 4.0).abs() < 1e-14);
    assert_eq!(shown(&found[1]), (0.0, Status::MASKED));
}

#[test]
fn columns_of_a_hessian_are_products_with_unit_vectors() {
    let tape = Tape::new();
    let leaves: Vec<Var> = (0..7).map(|k| tape.parameter(0.3 + 0.2 * f64::from(k))).collect();
    let sources: Vec<&Var> = leaves.iter().collect();
    let mut f = tape.constant(1.0);
    for (k, x) in leaves.iter().enumerate() {
        f = (&f * x).sin() + x.exp() / (&f + 2.0 + k as f64);
    }
    f /= 1.0 / (&leaves[0] - 0.3); // masked: 1/0
    for state in [mask_real(), saturating(0.5), ModeState::hybrid(Some(3.0)).unwrap()] {
        let found = tape.hessian(&f, &sources, &state, &mut Statistics::new()).unwrap();
        assert_eq!(found.products.len(), 7);
        for (j, column) in found.products.iter().enumerate() {
            let mut direction = [0.0; 7];
            direction[j] = 1.0;
            let product = tape.hvp(&f, &Along::new(&sources, &direction).in_mode(state.clone())).unwrap();
            for (entry, other) in column.iter().zip(&product) {
                let (entry, other) = (shown(entry), shown(other));
                assert_eq!((entry.0.to_bits(), entry.1), (other.0.to_bits(), other.1));
            }
        }
    }
}

#[test]
fn the_gradient_beside_a_product_is_that_of_a_backward_pass_and_nothing_is_changed() {
    for state in [mask_real(), saturating(0.5), ModeState::hybrid(Some(0.5)).unwrap()] {
        let tape = Tape::new();
        let (x, y) = (tape.input(0.3), tape.parameter(-1.2));
        let f = (&x / &y).sin() * x.log() + y.exp() / (&x - 0.3) + (&x - 0.3).sqrt();
        let g = f.tanh() + &x * &y;
        let (mut by_hvp, mut by_backward) = (Statistics::new(), Statistics::new());
        let found = tape
            .hvp_with(&g, 1.5, &Along::new(&[&x, &y], &[1.0, -2.0]).in_mode(state.clone()), &mut by_hvp)
            .unwrap();
        assert_eq!((x.gradient(), y.gradient()), (None, None));
        g.backward_with(1.5, &state, &mut by_backward).unwrap();
        for (found, leaf) in found.gradient.iter().zip([&x, &y]) {
            let (number, status) = shown(found);
            assert_eq!(number.to_bits(), leaf.gradient().unwrap().to_ieee().to_bits());
            assert_eq!(status, leaf.status());
        }
        // Decisions are counted once.
        let (one, other) = (by_hvp.summary(&state), by_backward.summary(&state));
        assert_eq!(one.saturating_activations, other.saturating_activations);
        assert_eq!(one.mask_real_activations, other.mask_real_activations);
        assert_eq!((one.q_min_batch, one.q_mean_batch), (other.q_min_batch, other.q_mean_batch));
    }
}

#[test]
fn a_derivative_forward_is_the_gradient_times_the_direction() {
    for state in [mask_real(), saturating(0.5), ModeState::hybrid(Some(0.5)).unwrap()] {
        let tape = Tape::new();
        let (x, y) = (tape.parameter(0.3), tape.parameter(-1.2));
        let f = (&x / &y).sin() * x.log() + y.exp() / &x + x.sqrt();
        let variables = [&x, &y];
        let along = Along::new(&variables, &[0.7, -2.0]).in_mode(state.clone());
        let (derivative, status) = tape.jvp(&[&f], &along).unwrap()[0];
        f.backward_with(1.0, &state, &mut Statistics::new()).unwrap();
        let expected = 0.7 * x.gradient().unwrap().to_ieee() - 2.0 * y.gradient().unwrap().to_ieee();
        assert!((derivative.to_ieee() - expected).abs() < 1e-14 * expected.abs().max(1.0));
        assert_eq!(status, x.status() | y.status());
    }
    let tape = Tape::new();
    let x = tape.parameter(0.0);
    let variables = [&x];
    let along = Along::new(&variables, &[1.0]);
    let roots = [(1.0 / &x).tanh(), x.sqrt(), 2.0 * &x, tape.constant(3.0)];
    let found = tape.jvp(&roots.each_ref(), &along).unwrap();
    let found: Vec<_> = found.into_iter().map(|(number, status)| (number.to_ieee(), status)).collect();
    let expected =
        [(0.0, Status::MASKED), (0.0, Status::DROPPED), (2.0, Status::EXACT), (0.0, Status::EXACT)];
    assert_eq!(found, expected);
}

#[test]
fn a_source_may_be_any_node_and_may_be_out_of_reach() {
    let tape = Tape::new();
    let (x, other) = (tape.parameter(2.0), tape.parameter(5.0));
    let y = &x * &x;
    let f = &y * &y;
    let found = tape.hvp(&f, &Along::new(&[&y, &x, &other, &f], &[1.0, 0.0, 1.0, 0.0])).unwrap();
    // f is y², and moving y alone moves 2y·2x by 2·2x.
    assert_eq!(shown(&found[0]), (2.0, Status::EXACT));
    assert_eq!(shown(&found[1]), (8.0, Status::EXACT));
    assert_eq!(found[2], None);
    assert_eq!(shown(&found[3]), (0.0, Status::EXACT));
}

#[test]
fn a_direction_must_fit_and_be_finite() {
    let tape = Tape::new();
    let x = tape.parameter(2.0);
    let refused = |direction: &[f64]| tape.hvp(&(&x * &x), &Along::new(&[&x], direction)).unwrap_err();
    assert_eq!(refused(&[]), Error::Tangents { wanted: 1, given: 0 });
    assert_eq!(refused(&[f64::INFINITY]), Error::Tangent(f64::INFINITY));
    assert_eq!(
        refused(&[1.0, 2.0]).to_string(),
        "a direction must have one number for each variable: 1, not 2"
    );
    assert!(refused(&[f64::NAN]).to_string().contains("finite"));
}

#[test]
fn a_long_chain_needs_no_stack() {
    let run = || {
        let tape = Tape::new();
        let x = tape.parameter(1.0);
        let y = (0..300_000).fold(&x * 1.0, |y, _| y * 0.999_999 + &x * &x * 1e-6);
        let found = tape.hvp(&y, &Along::new(&[&x], &[1.0])).unwrap();
        assert!(shown(&found[0]).0 > 0.0);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}
