//! Hybrid mode: who decides, in which order, and what is counted.

use zeroproof::{
    GradientMode, HysteresisPolicy, ModeState, Region, Statistics, Status, Summary, Tape, TrScalar, Var,
};

fn hybrid(delta: Option<f64>, regions: &[(f64, f64)]) -> ModeState {
    let mut state = ModeState::hybrid(delta).unwrap();
    let regions: Vec<_> = regions.iter().map(|&(low, high)| Region::new(low, high).unwrap()).collect();
    state.set_regions(&regions);
    state
}

/// Statistics whose policy is in state SAT.
fn saturated() -> Statistics {
    let mut statistics = Statistics::new();
    statistics.set_policy(Some(HysteresisPolicy::new(0.1, 0.2, None, None).unwrap()));
    statistics.add_distance(0.01).unwrap();
    statistics.end_batch();
    assert_eq!(statistics.summary(&ModeState::default()).policy_mode, Some("SAT"));
    statistics
}

fn pass(root: &Var, state: &ModeState, statistics: &mut Statistics) -> Summary {
    root.backward_with(1.0, state, statistics).unwrap();
    statistics.summary(state)
}

/// The status of `d(1/x)/dx` for a coordinate `x`, decided in `state`.
fn status_at(x: f64, state: &ModeState, statistics: &mut Statistics) -> (Status, Summary) {
    let tape = Tape::new();
    let x = tape.input(x);
    let summary = pass(&(1.0 / &x), state, statistics);
    (x.status(), summary)
}

#[test]
fn region_then_policy_then_threshold_then_mask_real() {
    let region = [(1.5, 2.5)];
    for in_region in [false, true] {
        for in_sat in [false, true] {
            for near in [false, true] {
                let state = hybrid(near.then_some(2.0), if in_region { &region } else { &[(9.0, 9.5)] });
                let mut statistics = if in_sat { saturated() } else { Statistics::new() };
                let (status, summary) = status_at(2.0, &state, &mut statistics);
                let saturates = in_region || in_sat || near;
                let want = if saturates { Status::SATURATED } else { Status::EXACT };
                assert_eq!(status, want, "region {in_region}, SAT {in_sat}, near {near}");
                assert_eq!(summary.total_gradient_calls, 1);
                assert_eq!(summary.saturating_activations, u64::from(saturates));
                assert_eq!(summary.mask_real_activations, u64::from(!saturates));
                assert_eq!(summary.near_pole_ratio, Some(f64::from(u8::from(near))));
            }
        }
    }
}

#[test]
fn the_threshold_and_the_ends_of_regions_are_included() {
    let near = |x| status_at(x, &hybrid(Some(0.5), &[]), &mut Statistics::new()).0;
    assert_eq!(
        [0.5, -0.5, 0.5f64.next_up()].map(near),
        [Status::SATURATED, Status::SATURATED, Status::EXACT]
    );
    let inside = |x| status_at(x, &hybrid(None, &[(1.0, 2.0)]), &mut Statistics::new()).0;
    let want = [Status::EXACT, Status::SATURATED, Status::SATURATED, Status::EXACT];
    assert_eq!([1.0f64.next_down(), 1.0, 2.0, 2.0f64.next_up()].map(inside), want);
}

#[test]
fn regions_follow_inputs_through_the_graph_and_parameters_are_no_coordinates() {
    let state = hybrid(None, &[(0.9, 1.1)]);
    let tape = Tape::new();
    let (inside, outside, parameter) = (tape.input(1.0), tape.input(5.0), tape.parameter(1.0));
    let deep = ((&inside * 3.0).sin() + &outside).exp();
    let sum = tape.sum(&[deep.clone(), outside.clone()], Default::default());
    for (root, explored) in [
        (1.0 / &deep, true),
        (1.0 / &sum, true),
        (sum.log(), true),
        (deep.pow_int(-2), true),
        (1.0 / &outside, false),
        (1.0 / &parameter, false),
        (1.0 / (&parameter * &outside), false),
        (1.0 / (&parameter * inside.detach()), false),
    ] {
        let summary = pass(&root, &state, &mut Statistics::new());
        assert_eq!(summary.saturating_activations, u64::from(explored), "{root:?}");
        assert_eq!(summary.total_gradient_calls, 1);
    }
}

#[test]
fn an_infinite_node_that_is_no_singular_op_saturates_while_a_threshold_is_set() {
    for (delta, want) in [(None, (0.0, Status::MASKED)), (Some(1e-3), (10.0, Status::EXACT))] {
        let tape = Tape::new();
        let x = tape.parameter(1e308);
        let state = hybrid(delta, &[]);
        let summary = pass(&(&x * 10.0), &state, &mut Statistics::new());
        assert_eq!((x.gradient().unwrap().to_ieee(), x.status()), want);
        assert_eq!(summary.total_gradient_calls, 0, "it decides nothing");
    }
}

#[test]
fn without_threshold_region_or_policy_hybrid_is_mask_real() {
    let tape = Tape::new();
    for x in [-2.0, -0.0, 0.0, 5e-324, 0.3, 1.7e308, f64::INFINITY, f64::NAN] {
        let bits = |state: &ModeState| {
            let x = tape.input(x);
            let y = (1.0 / &x + x.log() * x.sqrt()).tanh() + x.pow_int(-3) / (&x - 0.3);
            let counts = pass(&y, state, &mut Statistics::new());
            let gradient = x.gradient().unwrap().to_ieee().to_bits();
            (gradient, x.status(), counts.masked_nodes, counts.dropped_contributions)
        };
        assert_eq!(bits(&hybrid(None, &[])), bits(&ModeState::mask_real()), "{x}");
    }
}

#[test]
fn every_singular_op_with_a_real_operand_counts_once_whatever_its_adjoint() {
    let tape = Tape::new();
    let x = tape.parameter(2.0);
    let state = hybrid(Some(0.1), &[]);
    let silenced = (1.0 / &x) / 0.0; // +∞ at distance 0: saturates
    let unheard = x.log() * 0.0;
    let shared = x.sqrt();
    let y = &shared * &shared + &shared;
    for (root, calls) in [
        (silenced.clone(), 2),
        (unheard.clone(), 1),
        (y.clone(), 1),
        (1.0 / tape.parameter(f64::INFINITY), 0),
        (tape.parameter(f64::INFINITY) / &x, 1),
        (tape.parameter(f64::NAN).log(), 0),
        (tape.parameter(-1.0).log(), 1),
        (tape.parameter(0.0) / tape.parameter(0.0), 1),
        (x.pow_int(-1) + x.pow_int(2), 1),
        (tape.sum(&[silenced, unheard, y], Default::default()), 4),
    ] {
        for seed in [1.0, 0.0] {
            let mut statistics = Statistics::new();
            root.backward_with(seed, &state, &mut statistics).unwrap();
            assert_eq!(statistics.summary(&state).total_gradient_calls, calls, "{root:?}");
        }
    }
}

#[test]
fn a_saturated_gradient_is_the_bounded_formula() {
    let (a, y, b) = (3.0, 1e-6, 0.25);
    let mut state = hybrid(Some(1e-3), &[]);
    state.set_bound(b).unwrap();
    let tape = Tape::new();
    let (p, q) = (tape.parameter(a), tape.parameter(y));
    pass(&(&p / &q), &state, &mut Statistics::new());
    let want = [1.0 / (y * y + b * b).sqrt(), -a / (y * y + b * b)];
    for (node, want) in [&p, &q].into_iter().zip(want) {
        assert!((node.gradient().unwrap().to_ieee() / want - 1.0).abs() < 1e-15);
        assert_eq!(node.status(), Status::SATURATED);
    }
}

#[test]
fn a_pass_counts_only_what_its_root_reaches() {
    let tape = Tape::new();
    let x = tape.parameter(0.5);
    let (_unused, y) = (1.0 / &x, x.log());
    let state = hybrid(Some(1.0), &[]);
    let mut statistics = Statistics::new();
    pass(&y, &state, &mut statistics);
    let summary = pass(&y, &state, &mut statistics);
    assert_eq!((summary.total_gradient_calls, summary.q_min_batch), (2, Some(0.5)));
    assert_eq!((summary.saturating_ratio, summary.near_pole_ratio), (Some(1.0), Some(1.0)));
}

#[test]
fn near_decisions_on_one_coordinate_are_detected_as_poles() {
    let tape = Tape::new();
    let (w, state) = (tape.parameter(1.0), hybrid(None, &[]));
    let mut statistics = Statistics::new();
    for k in 0..200 {
        let x = tape.input(f64::from(k) * 0.01);
        pass(&(&w / (&x - 0.703)), &state, &mut statistics);
    }
    let poles = statistics.detected_poles();
    assert!(poles.iter().all(|p| (p - 0.703).abs() <= 0.1), "{poles:?}");
    assert!(poles.iter().any(|p| (p - 0.703).abs() <= 0.0031), "{poles:?}");
}

#[test]
fn a_decision_on_no_coordinate_or_on_several_has_no_place() {
    let tape = Tape::new();
    let (w, state) = (tape.parameter(1.0), hybrid(None, &[]));
    let (x, y) = (tape.input(3.0), tape.input(13.0));
    let mut statistics = Statistics::new();
    for root in [&w / (&x - &y + 10.0), &w / (&w - 1.0), 1.0 / (&w - 1.0) + &x] {
        pass(&root, &state, &mut statistics);
        assert_eq!(statistics.detected_poles(), [] as [f64; 0], "{root:?}");
    }
    assert_eq!(statistics.summary(&state).q_min_batch, Some(0.0));
}

#[test]
fn mode_states_refuse_what_makes_no_sense() {
    for bound in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let error = ModeState::saturating(bound).unwrap_err();
        assert!(error.to_string().contains("positive finite number"), "{error}");
    }
    for delta in [-1e-9, f64::INFINITY, f64::NAN] {
        assert!(ModeState::hybrid(Some(delta)).unwrap_err().to_string().contains("non-negative"));
    }
    for (low, high) in [(1.0, 0.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        assert!(Region::new(low, high).unwrap_err().to_string().contains("low <= high"));
    }
    assert_eq!(ModeState::default().mode, GradientMode::MaskReal);
    assert_eq!(TrScalar::from(ModeState::default().bound()), TrScalar::from(1.0));
}
