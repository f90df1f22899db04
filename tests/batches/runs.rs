//! Runs of the batched engine: sample counts, blocks, threads, arrays, statistics, interruptions.

use zeroproof::batch::{Execution, Kind, Native, Predicate, Request, Stopped, Total};
use zeroproof::{HybridSchedule, HysteresisPolicy, Op, Reduction, Statistics, Status};
use zeroproof_tests::batch_reference::cases::{
    NUMBER, PLAIN, Random, agree, batch, gradient, jacobian, modes, total,
};
use zeroproof_tests::batch_reference::mixture::{TASK, X, hybrid_on_x, mixture, numbers, on_x, run_plain};
use zeroproof_tests::batch_reference::{Batch, Function, Outcome, check, compare, run, run_into};

#[test]
fn no_sample_count_and_no_block_makes_a_difference() {
    let (function, root) = mixture();
    let function = function.returns(&[root]);
    let blocks = [Some(32), Some(64), Some(128), Some(256), Some(1024), Some(8192), None];
    let executions = blocks.map(|block| Execution { threads: 1, block, native: Native::default() });
    let every_mode = modes();
    for (number, samples) in [0, 1, 31, 32, 33, 255, 257, TASK - 1, TASK, TASK + 1].into_iter().enumerate() {
        let batch =
            Batch { samples, inputs: numbers(samples, 0.02), function: function.clone(), directions: vec![] };
        let totals = if samples < 300 {
            &[None, Some(Total::Sum), Some(Total::Mean)][..]
        } else {
            &[Some(Total::Mean)]
        };
        for &total in totals {
            check(&batch, &on_x(total), &hybrid_on_x(), &executions)
                .unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        if samples < 300 {
            agree(&batch, &on_x(totals[number % 3]), &every_mode[number % every_mode.len()]);
        }
    }
}

/// The most threads that the engine is asked for, and blocks with them.
const THREADS: [(usize, Option<usize>); 4] = [(1, None), (2, Some(32)), (3, None), (8, Some(256))];

/// Enough samples for three threads, given enough to do in each.
const SEVERAL_TASKS: usize = 20_000;

fn with_threads((threads, block): (usize, Option<usize>)) -> Execution {
    Execution { threads, block, native: Native::default() }
}

#[test]
fn no_number_of_threads_makes_a_difference_to_the_exact_rules() {
    // A selection above a singular op has every sample worked out by the exact rules, which is long.
    let (mut f, root) = mixture();
    let condition = f.push(Kind::Condition(Predicate::Less), &[X, 4]);
    let root = f.push(Kind::Select, &[condition, root, X]);
    let numbers = numbers(SEVERAL_TASKS, 0.001);
    let batch = batch(f.returns(&[root]), numbers);
    check(&batch, &on_x(Some(Total::Mean)), &hybrid_on_x(), &THREADS.map(with_threads))
        .unwrap_or_else(|wrong| panic!("{wrong}"));
}

#[test]
fn no_number_of_threads_makes_a_difference_to_a_long_program() {
    let (mut f, mut root) = mixture();
    for _ in 0..16 {
        let sine = f.op(Op::Sin, &[root]);
        let shifted = f.op(Op::Add, &[sine, 4]);
        let quotient = f.op(Op::Div, &[shifted, 5]);
        root = f.push(Kind::Fold(Op::Mean, Reduction::DropNull), &[quotient, X, root]);
    }
    let batch = batch(f.returns(&[root]), numbers(SEVERAL_TASKS, 0.001));
    // One thread agrees with the scalar path on fewer samples; more of them agree with one.
    let few = Batch {
        samples: 300,
        inputs: numbers(300, 0.02),
        function: batch.function.clone(),
        directions: vec![],
    };
    agree(&few, &on_x(Some(Total::Mean)), &hybrid_on_x());
    let run = |execution| {
        run(&batch, &on_x(Some(Total::Mean)), &hybrid_on_x(), execution, &mut || false)
            .expect("nobody interrupts")
    };
    let alone = run(PLAIN);
    for execution in THREADS.map(with_threads) {
        compare::outcomes(&batch, &run(execution), &alone, &hybrid_on_x().state).unwrap();
    }
}

#[test]
fn a_jacobian_is_a_pass_for_each_output() {
    let (function, root) = mixture();
    // An output twice, an element that is an output, elements that are no sources, a constant.
    for outputs in [vec![root], vec![root, 8, root], vec![X, 0, root, 4], vec![]] {
        let mut function = function.clone();
        let constant = function.push(Kind::Constant(f64::INFINITY), &[]);
        let outputs: Vec<_> = outputs.into_iter().chain([constant]).collect();
        let batch = batch(function.returns(&outputs), numbers(100, 0.05));
        for mode in modes() {
            for sources in [&[0, 1, 2][..], &[2, 0], &[1], &[]] {
                agree(&batch, &jacobian(sources), &mode);
            }
        }
        agree(&batch, &Request::Jacobian { sources: vec![0, 2], coordinate: Some(1) }, &hybrid_on_x());
        agree(&batch, &Request::Values, &hybrid_on_x());
    }
}

#[test]
fn arguments_without_elements_and_programs_without_samples_of_their_own() {
    let mut f = Function::new(&[(&[0], true), (&[2, 2], false), (&[0, 3], false)]);
    let pole = f.push(Kind::Power(-3), &[1]);
    let root = f.push(Kind::Fold(Op::Sum, Reduction::DropNonreal), &[pole, 0, 2, 3]);
    let function = f.returns(&[root]);
    for shared in [0.0, -0.5, f64::INFINITY] {
        let inputs = vec![vec![], vec![1.0, shared, 3.0, f64::NAN], vec![]];
        let batch = Batch { samples: 70, inputs, function: function.clone(), directions: vec![] };
        for mode in modes() {
            for request in
                [gradient(&[2, 1, 0]), jacobian(&[0, 1]), total(&[0, 1, 2], Total::Mean), gradient(&[])]
            {
                agree(&batch, &request, &mode);
            }
        }
    }
}

/// Two coordinates a sample, one of which may be explored, and ops that depend on either or both.
#[test]
fn regions_and_poles_are_in_the_coordinates_of_an_op() {
    let mut f = Function::new(&[(&[2], true), (NUMBER, true), (NUMBER, false)]);
    let left = f.op(Op::Div, &[2, 0]);
    let shifted = f.op(Op::Sub, &[1, 3]);
    let right = f.op(Op::Log, &[shifted]);
    let both = f.op(Op::Mul, &[left, right]);
    let root = f.op(Op::Sqrt, &[both]);
    let without = f.op(Op::Div, &[root, 2]);
    let function = f.returns(&[without]);
    let mut random = Random(5);
    let mut near_zero = |count: usize| (0..count).map(|_| random.number(0.02) * 0.1).collect::<Vec<_>>();
    let batch = batch(function, vec![near_zero(800), near_zero(400), vec![0.125]]);
    let mut schedule = HybridSchedule::default();
    (schedule.pole_detection_threshold, schedule.pole_exploration_radius) = (0.02, 0.003);
    let mut wide = Statistics::new();
    wide.begin_epoch(3, Some(&schedule), None);
    let mut found_poles = 0;
    for mut mode in modes() {
        if mode.state.delta().is_some() {
            mode.before = wide.clone();
        }
        for (sources, coordinate) in [(&[0, 1][..], 0), (&[1], 0), (&[0], 1), (&[1, 0, 2], 2)] {
            let sources = sources.to_vec();
            let request = Request::Gradient { sources, coordinate: Some(coordinate), total: None };
            agree(&batch, &request, &mode);
            found_poles += run_plain(&batch, &request, &mode).statistics.detected_poles().len();
        }
    }
    assert!(found_poles > 100, "{found_poles}");
}

#[test]
fn a_run_adds_to_what_was_measured_before() {
    let (function, root) = mixture();
    let policy = HysteresisPolicy::new(0.5, 1.0, Some(50.0), None).unwrap();
    // Few decisions, kept one by one, and many, both before and in the run.
    for (before, samples) in [(0, 100), (10, 1000), (1020, 3), (1021, 1), (3000, 10), (5, 3000)] {
        let mut mode = hybrid_on_x();
        mode.before.set_policy(Some(policy));
        (0..before).for_each(|k| mode.before.add_distance(f64::from(k) * 0.01).unwrap());
        let batch = batch(function.clone().returns(&[root]), numbers(samples, 0.01));
        agree(&batch, &on_x(None), &mode);
    }
}

/// Runs into arrays of values of these widths, and with or without statuses.
fn run_into_arrays(batch: &Batch, request: &Request, widths: &[usize], statuses: bool) -> Outcome {
    let mut outcome = Outcome::of(batch, request, &hybrid_on_x());
    outcome.values = widths.iter().map(|width| vec![0.5; width * batch.samples]).collect();
    if !statuses {
        outcome.statuses.clear();
    }
    run_into(&mut outcome, batch, request, &hybrid_on_x().state, PLAIN, &mut || false).unwrap();
    outcome
}

#[test]
fn nobody_needs_to_ask_for_statuses() {
    let (function, root) = mixture();
    let batch = batch(function.returns(&[root]), numbers(100, 0.1));
    for (request, widths) in
        [(on_x(None), &[1][..]), (on_x(Some(Total::Mean)), &[]), (jacobian(&[0, 1]), &[1])]
    {
        let with = run_plain(&batch, &request, &hybrid_on_x());
        let mut without = run_into_arrays(&batch, &request, widths, false);
        without.statuses.clone_from(&with.statuses);
        compare::outcomes(&batch, &without, &with, &hybrid_on_x().state).unwrap();
    }
}

#[test]
fn values_may_stand_in_rows_or_be_left_out_of_a_jacobian() {
    let (function, root) = mixture();
    let outputs = [root, X, 8, 0];
    let batch = batch(function.returns(&outputs), numbers(100, 0.1));
    let request = jacobian(&[0, 1]);
    for request in [&Request::Values, &request] {
        let columns = run_plain(&batch, request, &hybrid_on_x());
        for widths in [&[4][..], &[1, 3], &[2, 1, 1], &[1, 1, 1, 1]] {
            let mut rows = run_into_arrays(&batch, request, widths, true);
            let mut found = vec![];
            for (values, &width) in rows.values.iter().zip(widths) {
                let column = |k| values.iter().copied().skip(k).step_by(width).collect();
                found.extend((0..width).map(column));
            }
            rows.values = found;
            compare::outcomes(&batch, &rows, &columns, &hybrid_on_x().state).unwrap();
        }
    }
    let mut without = run_into_arrays(&batch, &request, &[], true);
    let with = run_plain(&batch, &request, &hybrid_on_x());
    assert!(without.values.is_empty());
    without.values.clone_from(&with.values);
    compare::outcomes(&batch, &without, &with, &hybrid_on_x().state).unwrap();
}

#[test]
fn an_interrupted_run_leaves_the_statistics_alone() {
    let (mut f, mut root) = mixture();
    let condition = f.push(Kind::Condition(Predicate::Less), &[X, 4]);
    // Far more work than fits in the time after which the caller is asked.
    for _ in 0..30 {
        let sine = f.op(Op::Sin, &[root]);
        root = f.push(Kind::Select, &[condition, root, sine]);
    }
    let batch = batch(f.returns(&[root]), numbers(1 << 19, 0.0));
    let (request, mode) = (on_x(None), hybrid_on_x());
    let mut outcome = Outcome::of(&batch, &request, &mode);
    outcome.statistics.add_distance(0.25).unwrap();
    let before = outcome.statistics.summary(&mode.state);
    for threads in [1, 2] {
        let mut asked = 0;
        let mut interrupted = || {
            asked += 1;
            true
        };
        let execution = Execution { threads, block: None, native: Native::default() };
        let result = run_into(&mut outcome, &batch, &request, &mode.state, execution, &mut interrupted);
        assert_eq!((result, asked), (Err(Stopped::Interrupted), 1));
        assert_eq!(outcome.statistics.summary(&mode.state), before);
    }
}

#[test]
fn the_comparison_sees_every_difference() {
    let (function, root) = mixture();
    let batch = batch(function.returns(&[root]), numbers(100, 0.1));
    let state = hybrid_on_x().state;
    let rows = run_plain(&batch, &on_x(None), &hybrid_on_x());
    let totals = run_plain(&batch, &on_x(Some(Total::Sum)), &hybrid_on_x());
    let flip = |number: &mut f64| *number = f64::from_bits(number.to_bits() ^ 1);
    let changes: [&dyn Fn(&mut Outcome); 6] = [
        &|rows| flip(&mut rows.values[0][99]),
        &|rows| flip(&mut rows.gradients[2][150]),
        &|rows| rows.gradients[1][3] = -rows.gradients[1][3],
        &|rows| rows.statuses[0][0] ^= 1,
        &|rows| rows.statistics.add_distance(0.5).unwrap(),
        &|rows| drop(rows.statuses.pop()),
    ];
    let total_changes: [&dyn Fn(&mut Outcome); 4] = [
        &|all| flip(&mut all.totals.value),
        &|all| flip(&mut all.totals.gradients[0][2]),
        &|all| all.totals.kept -= 1,
        &|all| all.totals.statuses[0][1] = Status::EXACT,
    ];
    for (outcome, changes) in [(rows, &changes[..]), (totals, &total_changes[..])] {
        compare::outcomes(&batch, &outcome, &outcome, &state).unwrap();
        for (number, change) in changes.iter().enumerate() {
            let mut changed = outcome.clone();
            change(&mut changed);
            assert!(compare::outcomes(&batch, &changed, &outcome, &state).is_err(), "change {number}");
        }
    }
}
