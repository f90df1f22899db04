//! The arena: what is reclaimed, what survives, and what passes cost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};
use zeroproof::backward::Scratch;
use zeroproof::graph::Graph;
use zeroproof::{ModeState, Op, Reduction, Tape};

const STEPS: usize = 1_000_000;

/// Runs a training loop and asserts that the arena stays as small as it was after the first steps.
fn stays_flat(what: &str, tape: &Tape, live: usize, mut step: impl FnMut(usize)) {
    let (mut nodes, mut bytes) = (0, 0);
    for k in 0..STEPS {
        step(k);
        if k == STEPS / 20 {
            (nodes, bytes) = (tape.live_nodes(), tape.allocated_bytes());
        } else if k > STEPS / 20 && k % (STEPS / 200) == 0 {
            assert!(
                tape.allocated_bytes() <= bytes,
                "{what}, step {k}: {} > {bytes}",
                tape.allocated_bytes()
            );
        }
    }
    assert!(nodes <= live && tape.live_nodes() <= live, "{what}: {nodes}, {}", tape.live_nodes());
    assert!(bytes < 200_000, "{what}: {bytes}");
}

#[test]
fn parameters_made_anew_each_step() {
    let tape = Tape::new();
    stays_flat("new", &tape, 0, |k| {
        let x = tape.parameter(k as f64 + 1.0);
        (1.0 / &x).backward().unwrap();
    });
}

#[test]
fn one_parameter_kept_for_ever() {
    let tape = Tape::new();
    let kept = tape.parameter(0.5);
    stays_flat("kept", &tape, 1, |k| {
        let x = tape.input(k as f64);
        (&kept * &x + 1.0).backward().unwrap();
    });
    assert_eq!(kept.gradient().unwrap().to_ieee(), (0..STEPS).map(|k| k as f64).sum::<f64>());
}

#[test]
fn parameters_kept_until_the_next_step() {
    let tape = Tape::new();
    let mut before = tape.parameter(1.0);
    stays_flat("alternating", &tape, 3, |k| {
        let now = tape.parameter(k as f64 + 0.5);
        (&now / &before).backward().unwrap();
        if k % 2 == 0 {
            before = now;
        }
    });
}

#[test]
fn a_window_of_results_slides_over_the_steps() {
    let tape = Tape::new();
    let weight = tape.parameter(2.0);
    let mut window = VecDeque::new();
    stays_flat("window", &tape, 1 + 3 * 100, |k| {
        window.push_back(&weight * tape.parameter(k as f64));
        if window.len() > 100 {
            window.pop_front();
        }
    });
    assert_eq!(window[99].value().to_ieee(), 2.0 * (STEPS - 1) as f64);
    tape.sum(window.make_contiguous(), Reduction::Strict).backward().unwrap();
    let want = (STEPS - 100..STEPS).map(|k| k as f64).sum::<f64>();
    assert_eq!(weight.gradient().unwrap().to_ieee(), want);
}

#[test]
fn a_running_average_of_constants_holds_no_history() {
    let tape = Tape::new();
    let (x, mut average) = (tape.parameter(3.0), tape.constant(0.0));
    stays_flat("average", &tape, 2, |_| {
        let loss = &x * 2.0;
        average = &average * 0.9 + loss.detach() * 0.1;
    });
    assert!((average.value().to_ieee() - 6.0).abs() < 1e-12);
}

#[test]
fn wide_sums_in_a_loop_stay_flat() {
    let tape = Tape::new();
    let weights: Vec<_> = (0..5000).map(|k| tape.parameter(f64::from(k))).collect();
    let mut kept = tape.sum(&weights, Reduction::Strict);
    let before = tape.allocated_bytes();
    for _ in 0..1000 {
        let next = tape.sum(&weights, Reduction::Strict);
        kept = next; // the old one is dropped before the end of the arena
    }
    assert_eq!(kept.value().to_ieee(), 4999.0 * 2500.0);
    let after = tape.allocated_bytes();
    assert!(after <= 4 * before, "{before} bytes grew to {after}");
}

#[test]
fn what_is_kept_survives_collections_unchanged() {
    let mut graph = Graph::new();
    let mut scratch = Scratch::default();
    let mut kept = vec![];
    for k in 0..500 {
        let x = graph.leaf(Op::Parameter, f64::from(k) + 0.5, Some(&format!("x{k}")));
        let n = k % 7 - 3;
        let power = graph.pow_int(x, n);
        let mean = graph.reduce(Op::Mean, Reduction::DropNull, &[power, x, power]);
        let root = graph.binary_with_constant(Op::Mul, mean, 2.0, None).handle;
        graph.backward(root, 1.0.into(), &ModeState::mask_real(), None, &mut scratch).unwrap();
        [power, root].into_iter().for_each(|handle| graph.release(handle));
        if k % 3 == 0 {
            // Held by `mean` alone: the power and its exponent.
            kept.push((k, n, x, mean));
        } else {
            [x, mean].into_iter().for_each(|handle| graph.release(handle));
        }
    }
    let before: Vec<_> =
        kept.iter().map(|&(.., x, mean)| (graph.gradient(x), graph.gradient(mean))).collect();
    graph.collect();
    assert_eq!(graph.len(), 3 * kept.len(), "x, its power and the mean");
    for (&(k, n, x, mean), before) in kept.iter().zip(before) {
        assert_eq!((graph.gradient(x), graph.gradient(mean)), before);
        let value = f64::from(k) + 0.5;
        assert_eq!(graph.value(x).to_ieee(), value);
        assert_eq!(graph.name(x), Some(&format!("x{k}")[..]));
        let inputs = graph.inputs(mean);
        assert_eq!((inputs[0], inputs[1]), (inputs[2], x));
        assert_eq!(graph.exponent(inputs[0]), Some(n));
        assert_eq!(graph.reduction(mean), Some(Reduction::DropNull));
        inputs.into_iter().for_each(|input| graph.release(input));
        graph.zero_gradient(x);
        graph.backward(mean, 1.0.into(), &ModeState::mask_real(), None, &mut scratch).unwrap();
        let want = (2.0 * f64::from(n) * value.powi(n - 1) + 1.0) / 3.0;
        let got = graph.gradient(x).unwrap().0.to_ieee();
        assert!((got - want).abs() <= 1e-14 * want.abs(), "x{k}^{n}: {got}, not {want}");
    }
}

#[test]
fn a_long_chain_needs_no_stack_and_little_memory() {
    const LENGTH: usize = 2_000_000;
    let run = || {
        let tape = Tape::new();
        let (unused, x, c) = (tape.parameter(0.0), tape.parameter(1.0), tape.constant(1.0));
        let mut y = &x * &c;
        for _ in 1..LENGTH {
            y = &y * &c;
        }
        y.backward().unwrap();
        drop(unused); // so that the next collection has every node to move
        assert_eq!(x.gradient().unwrap().to_ieee(), 1.0);
        let nodes = tape.live_nodes();
        assert_eq!(nodes, LENGTH + 2);
        let per_node = tape.allocated_bytes() as f64 / nodes as f64;
        assert!(per_node < 64.0, "{per_node} bytes a node");
        drop(y);
        assert_eq!(tape.live_nodes(), 2);
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_chain_fits_whatever_its_length() {
    for length in [1500, 70_000, (1 << 20) + 10, (1 << 21) + 10] {
        let tape = Tape::new();
        let (x, c) = (tape.parameter(1.0), tape.constant(1.0));
        let y = (0..length).fold(x.clone(), |y, _| y * &c);
        y.backward().unwrap();
        let (bytes, nodes) = (tape.allocated_bytes(), tape.live_nodes());
        assert!(bytes < 64 * nodes, "{length}: {} bytes a node", bytes as f64 / nodes as f64);
    }
}

/// The least time that 200 calls took.
fn least(mut run: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        (0..200).for_each(|_| run());
        start.elapsed()
    };
    (0..15).map(time).min().unwrap()
}

#[test]
fn backward_costs_what_the_root_reaches() {
    let tape = Tape::new();
    let program = |x| {
        let x = tape.parameter(x);
        (0..100).fold(&x * 1.0, |y, _| y * &x + 1.0)
    };
    let early = program(0.5);
    let alone = least(|| early.backward().unwrap());
    let others: Vec<_> = (0..1_000_000).map(|k| tape.parameter(f64::from(k))).collect();
    let late = program(0.5);
    // It reaches from one end of the arena to the other.
    let across = &early + &late;
    for (what, root, ratio) in [("early", &early, 5), ("late", &late, 5), ("across", &across, 10)] {
        root.backward().unwrap();
        // Other processes may slow it down; what depends on the million nodes would show each time.
        let tries: Vec<_> = (0..10).map(|_| least(|| root.backward().unwrap())).collect();
        let flat = tries.iter().any(|among| *among < ratio * alone);
        assert!(flat, "{what}: {tries:?} among a million nodes, {alone:?} alone");
    }
    drop(others);
}

#[test]
fn small_loops_stay_fast_after_a_large_graph() {
    let tape = Tape::new();
    let kept = tape.parameter(1.0);
    let mut held = VecDeque::new();
    let mut step = || {
        held.push_back(&kept * 1.0);
        if held.len() > 10 {
            held.pop_front();
        }
    };
    let before = least(|| (0..20).for_each(|_| step()));
    let large: Vec<_> = (0..250_000).map(|k| tape.parameter(f64::from(k))).collect();
    drop(large);
    // The room made for them is halved at each collection; now it is small again.
    (0..1_000_000).for_each(|_| step());
    let after = least(|| (0..20).for_each(|_| step()));
    assert!(after < 5 * before, "4000 steps took {before:?} before 250,000 variables, {after:?} after");
}

#[test]
fn wide_sums_have_every_gradient() {
    let tape = Tape::new();
    let inputs: Vec<_> = (0..300_000).map(|k| tape.parameter(f64::from(k))).collect();
    tape.mean(&inputs, Reduction::Strict).backward().unwrap();
    let share = 1.0 / 300_000.0;
    assert!(inputs.iter().all(|x| x.gradient().unwrap().to_ieee() == share));
    assert_eq!(tape.live_nodes(), 300_000);
}
