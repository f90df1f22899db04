//! Gradients through graphs: seeds, sums of contributions, statuses on their way down.

use zeroproof::{Error, ModeState, Reduction, Statistics, Status, Summary, Tape, TrScalar, Var};

/// Differentiates `root` and returns what was counted.
fn pass(root: &Var, seed: f64, state: &ModeState) -> Summary {
    let mut statistics = Statistics::new();
    root.backward_with(seed, state, &mut statistics).unwrap();
    statistics.summary(state)
}

/// Gradient and status.
fn shown(x: &Var) -> (f64, Status) {
    (x.gradient().expect("a pass has been here").to_ieee(), x.status())
}

/// The bits of the gradient, which tell the sign of a zero.
fn bits(x: &Var) -> u64 {
    shown(x).0.to_bits()
}

fn mask_real() -> ModeState {
    ModeState::mask_real()
}

fn saturating() -> ModeState {
    ModeState::saturating(1.0).unwrap()
}

#[test]
fn a_seed_scales_the_gradient_and_zero_keeps_its_sign() {
    let tape = Tape::new();
    for (seed, want) in [(1.0, 3.0), (-2.0, -6.0), (0.0, 0.0), (-0.0, -0.0), (5e-324, 1.5e-323)] {
        let x = tape.parameter(2.0);
        let counts = pass(&(&x * 3.0), seed, &mask_real());
        assert_eq!((bits(&x), x.status()), (f64::to_bits(want), Status::EXACT), "seed {seed}");
        assert_eq!(counts.dropped_contributions, 0);
    }
}

#[test]
fn a_contribution_out_of_range_is_dropped_and_one_below_it_is_zero() {
    let tape = Tape::new();
    let x = tape.parameter(2.0);
    assert_eq!(pass(&(&x * 10.0), 1e308, &mask_real()).dropped_contributions, 1);
    assert_eq!((bits(&x), x.status()), (0, Status::DROPPED));

    let x = tape.parameter(2.0);
    assert_eq!(pass(&(&x * -0.25), 5e-324, &mask_real()).dropped_contributions, 0);
    assert_eq!((bits(&x), x.status()), ((-0.0f64).to_bits(), Status::EXACT));
}

#[test]
fn a_seed_that_is_not_real_is_dropped_like_any_contribution() {
    for seed in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        for state in [mask_real(), saturating(), ModeState::hybrid(Some(0.5)).unwrap()] {
            let tape = Tape::new();
            let x = tape.parameter(2.0);
            let y = &x * 3.0;
            assert_eq!(pass(&y, seed, &state).dropped_contributions, 1);
            assert_eq!(shown(&y), (0.0, Status::DROPPED));
            assert_eq!(shown(&x), (0.0, Status::DROPPED));
        }
    }
}

#[test]
fn a_sum_of_finite_contributions_may_overflow_and_is_never_phi() {
    let tape = Tape::new();
    let x = tape.parameter(1e-10);
    let twice = |weight: f64| &x * weight + &x * weight;
    let (up, down) = (twice(1e308), twice(-1e308));
    // Reverse of recording: −1e308 − 1e308 = −∞ first, and what comes after does not cancel it.
    let counts = pass(&(&up + &down), 1.0, &mask_real());
    assert_eq!(counts.dropped_contributions, 0);
    assert_eq!(shown(&x), (f64::NEG_INFINITY, Status::EXACT));

    // Over passes the other infinity meets it.
    pass(&up, 1.0, &mask_real());
    assert!(shown(&x).0.is_infinite());
    x.zero_gradient();
    pass(&up, 1.0, &mask_real());
    assert_eq!(shown(&x), (f64::INFINITY, Status::EXACT));
}

#[test]
fn an_infinite_adjoint_contributes_nothing_further_down() {
    let tape = Tape::new();
    let x = tape.parameter(1.0);
    let inner = &x * 1e-3;
    let y = &inner * 1e308 + &inner * 1e308;
    assert_eq!(pass(&y, 1.0, &mask_real()).dropped_contributions, 1);
    assert_eq!(shown(&inner), (f64::INFINITY, Status::EXACT));
    assert_eq!((bits(&x), x.status()), (0, Status::DROPPED));
}

#[test]
fn passes_accumulate_until_zeroed() {
    let tape = Tape::new();
    let x = tape.parameter(3.0);
    assert!(x.gradient().is_none() && x.status() == Status::EXACT);
    let (y, z) = (&x * &x, 1.0 / (&x - 3.0));
    pass(&y, 1.0, &mask_real());
    pass(&y, 0.5, &mask_real());
    assert_eq!(shown(&x), (9.0, Status::EXACT));
    assert_eq!(shown(&y), (0.5, Status::EXACT), "an inner node shows the last pass alone");
    pass(&z, 1.0, &mask_real());
    assert_eq!(shown(&x), (9.0, Status::MASKED));
    x.zero_gradient();
    assert_eq!((bits(&x), x.status()), (0, Status::EXACT));
}

#[test]
fn minus_zero_survives_sums_that_start_with_it() {
    let tape = Tape::new();
    let x = tape.parameter(1.0);
    let y = &x * -0.0 + &x * -0.0;
    for _ in 0..2 {
        pass(&y, 1.0, &mask_real());
        assert_eq!(bits(&x), (-0.0f64).to_bits(), "−0 − 0, with no 0 before it");
    }
    x.zero_gradient();
    pass(&y, 1.0, &mask_real());
    assert_eq!(bits(&x), 0, "0 − 0");
}

#[test]
fn contributions_are_added_in_reverse_of_recording_and_in_operand_order() {
    let tape = Tape::new();
    let x = tape.parameter(1.0);
    let (first, second, third) = (&x * 1.0, &x * 1e16, &x * -1e16);
    (first + second + third).backward().unwrap();
    assert_eq!(shown(&x).0, (-1e16 + 1e16) + 1.0);
    assert_ne!(shown(&x).0, (1.0 + 1e16) + -1e16, "the case tells the orders apart");

    let x = tape.parameter(1.0);
    let quotient = &x / &x; // 1, then −1
    let large = &x * 9_007_199_254_740_992.0; // 2⁵³, recorded later
    (quotient + large).backward().unwrap();
    assert_eq!(shown(&x).0, (9_007_199_254_740_992.0 + 1.0) - 1.0);
    assert_ne!(shown(&x).0, (9_007_199_254_740_992.0 - 1.0) + 1.0);
}

#[test]
fn one_operand_twice_and_diamonds() {
    let tape = Tape::new();
    let x = tape.parameter(3.0);
    for (y, want) in [
        (&x * &x, 6.0),
        (&x + &x, 2.0),
        (&x - &x, 0.0),
        (&x / &x, 0.0),
        (x.minimum(&x), 1.0),
        (x.maximum(&x), 1.0),
    ] {
        x.zero_gradient();
        assert_eq!(pass(&y, 1.0, &mask_real()).dropped_contributions, 0);
        assert!((shown(&x).0 - want).abs() < 1e-15 && x.status() == Status::EXACT, "{y:?}");
    }
    let inner = &x * &x;
    let y = &inner * &inner + &inner;
    x.zero_gradient();
    pass(&y, 1.0, &mask_real());
    assert_eq!(shown(&inner), (19.0, Status::EXACT));
    assert_eq!(shown(&x), (114.0, Status::EXACT));

    let zero = tape.parameter(0.0);
    assert_eq!(pass(&(&zero / &zero), 1.0, &saturating()).masked_nodes, 1);
    assert_eq!((bits(&zero), zero.status()), (0, Status::MASKED));
}

#[test]
fn a_pole_silences_its_path_even_when_a_later_node_is_real_again() {
    let tape = Tape::new();
    let x = tape.parameter(0.0);
    let y = 1.0 / (1.0 / &x + 1.0);
    assert_eq!(y.value().to_ieee(), 0.0);
    let counts = pass(&y, 1.0, &mask_real());
    assert_eq!((bits(&x), x.status()), (0, Status::MASKED));
    assert_eq!(counts.masked_nodes, 2, "1/x and 1/x + 1");
    // Another path of the same parameter is not silenced.
    let z = &y + &x * 5.0;
    x.zero_gradient();
    pass(&z, 1.0, &mask_real());
    assert_eq!(shown(&x), (5.0, Status::MASKED));
}

#[test]
fn statuses_are_handed_down_and_leaves_show_the_union() {
    let tape = Tape::new();
    let x = tape.parameter(0.0);
    let (base, other) = (&x * 1.0, tape.parameter(2.0));
    let bounded = 1.0 / &base;
    let y = &bounded * 2.0 + &other;
    pass(&y, 0.0, &saturating());
    assert_eq!(bounded.status(), Status::EXACT, "what the node does itself shows on its inputs");
    assert_eq!([base.status(), x.status()], [Status::SATURATED; 2], "also with an adjoint of 0");
    assert_eq!(other.status(), Status::EXACT);

    let root_at_zero = base.sqrt();
    x.zero_gradient();
    pass(&root_at_zero, 0.0, &mask_real());
    assert_eq!(x.status(), Status::EXACT, "dropping needs an adjoint that is not 0");
    pass(&root_at_zero, 1.0, &mask_real());
    assert_eq!([base.status(), x.status()], [Status::DROPPED; 2]);
    pass(&bounded, 0.0, &mask_real());
    assert_eq!(x.status(), Status::DROPPED | Status::MASKED);
    pass(&bounded, 0.0, &saturating());
    assert_eq!(x.status(), Status::DROPPED | Status::MASKED | Status::SATURATED);
    assert_eq!(format!("{:?}", x.status()), "MASKED | DROPPED | SATURATED");
}

#[test]
fn sums_and_means_pass_to_what_they_keep() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let values = [1.0, nan, inf, 3.0];
    for (reduction, mean, want) in [
        (Reduction::Strict, f64::NAN, [None; 4]),
        (Reduction::DropNull, inf, [Some(1.0 / 3.0), None, Some(1.0 / 3.0), Some(1.0 / 3.0)]),
        (Reduction::DropNonreal, 2.0, [Some(0.5), None, None, Some(0.5)]),
    ] {
        let tape = Tape::new();
        let inputs = values.map(|v| tape.parameter(v));
        let y = tape.mean(&inputs, reduction);
        assert_eq!(y.value(), TrScalar::from(mean));
        pass(&y, 1.0, &saturating());
        for (input, want) in inputs.iter().zip(want) {
            let status = if want.is_some() { Status::EXACT } else { Status::MASKED };
            assert_eq!(shown(input), (want.unwrap_or(0.0), status), "{reduction:?}");
        }
    }
    let tape = Tape::new();
    let x = tape.parameter(2.0);
    let twice = tape.sum(&[x.clone(), x.clone(), tape.constant(1.0)], Reduction::Strict);
    pass(&twice, 1.0, &mask_real());
    assert_eq!((twice.value().to_ieee(), shown(&x).0), (5.0, 2.0));
    let nothing = tape.mean(&[tape.parameter(nan)], Reduction::DropNull);
    assert_eq!(nothing.value(), TrScalar::PHI);
    assert_eq!(tape.sum(&[], Reduction::Strict).value().to_ieee().to_bits(), 0);
    assert_eq!(tape.sum(&[tape.parameter(inf)], Reduction::DropNonreal).value().to_ieee(), 0.0);
    assert_eq!(tape.sum(&[tape.parameter(nan)], Reduction::DropNull).value(), TrScalar::PHI);
}

#[test]
fn a_sample_at_a_pole_need_not_silence_the_batch() {
    let tape = Tape::new();
    let w = tape.parameter(2.0);
    let losses: Vec<_> = [1.0, 0.0, 4.0].iter().map(|&q| &w / tape.constant(q)).collect();
    pass(&tape.mean(&losses, Reduction::Strict), 1.0, &mask_real());
    assert_eq!(shown(&w), (0.0, Status::MASKED));
    w.zero_gradient();
    pass(&tape.mean(&losses, Reduction::DropNonreal), 1.0, &mask_real());
    assert_eq!(shown(&w), (0.5 * (1.0 + 0.25), Status::MASKED));
}

#[test]
fn a_root_without_parameters_is_refused_and_constants_get_nothing() {
    let tape = Tape::new();
    let (c, x) = (tape.constant(2.0), tape.parameter(3.0));
    let error = (&c * 2.0).backward().unwrap_err();
    assert_eq!(error, Error::NoParameter);
    assert!(error.to_string().contains("depends on no parameter"), "{error}");
    assert_eq!(x.detach().backward(), Err(Error::NoParameter));
    (&x * &c).backward().unwrap();
    assert_eq!((shown(&x).0, c.gradient()), (2.0, None));
    x.backward().unwrap();
    assert_eq!(shown(&x), (3.0, Status::EXACT), "a leaf is a root too");
}

/// The value goes below the range on the way and stays 0; the partials do not.
#[test]
fn a_product_of_many_inputs_passes_the_others_product_beyond_the_range() {
    let tape = Tape::new();
    let (small, large) = (2f64.powi(-40), 2f64.powi(40));
    let numbers: Vec<f64> = [[small; 40], [large; 40]].concat().into_iter().chain([3.0]).collect();
    let inputs: Vec<_> = numbers.iter().map(|&x| tape.parameter(x)).collect();
    let product = tape.prod(&inputs, Reduction::Strict);
    assert_eq!(product.value().to_ieee(), 0.0);
    assert_eq!(pass(&product, 1.0, &mask_real()).dropped_contributions, 0);
    for (input, x) in inputs.iter().zip(numbers) {
        assert_eq!(shown(input), (3.0 / x, Status::EXACT), "to {x}");
    }

    // Above the range only what is not representable is left out: 10⁴⁹⁹, but not 10⁻³⁰⁰ times that.
    let inputs: Vec<_> = (0..500).map(|_| tape.parameter(10.0)).collect();
    let product = tape.prod(&inputs, Reduction::DropNull);
    assert_eq!(pass(&product, 1.0, &saturating()).dropped_contributions, 500);
    inputs.iter().for_each(Var::zero_gradient);
    assert_eq!(pass(&product, 1e-300, &saturating()).dropped_contributions, 0);
    for (gradient, status) in inputs.iter().map(shown) {
        assert!((gradient / 1e199 - 1.0).abs() < 4.0 * f64::EPSILON, "{gradient}");
        assert_eq!(status, Status::EXACT);
    }
}
