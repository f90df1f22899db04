//! Parts of a batch: merged, they are what one run over all samples gives, bit for bit.

use std::ops::Range;
use zeroproof::batch::{Execution, Input, Misfit, Native, Outputs, Partial, Plan, Request, Total, Totals};
use zeroproof::{ModeState, Unreadable};
use zeroproof_tests::batch_reference::cases::{self, Random, modes};
use zeroproof_tests::batch_reference::mixture::{TASK, hybrid_on_x, mixture, numbers, on_x, run_plain};
use zeroproof_tests::batch_reference::{Batch, Mode, Outcome, compare};

fn batch(samples: usize, specials: f64) -> Batch {
    let (function, root) = mixture();
    cases::batch(function.returns(&[root]), numbers(samples, specials))
}

const SHARED: usize = 3;

/// A part with its rows by source.
struct Part {
    part: Partial,
    gradients: Vec<Vec<f64>>,
    statuses: Vec<Vec<u8>>,
}

fn part(batch: &Batch, plan: &Plan, samples: Range<usize>, mode: &Mode) -> Part {
    let len = samples.len();
    let inputs: Vec<_> = (0..batch.inputs.len())
        .map(|argument| match batch.function.is_per_sample(argument) {
            true => {
                let width = batch.function.width(argument);
                Input::PerSample(&batch.inputs[argument][samples.start * width..samples.end * width])
            }
            false => Input::Shared(&batch.inputs[argument]),
        })
        .collect();
    let lengths = [0, len, 2 * len];
    let mut gradients = lengths.map(|len| vec![0.5; len]).to_vec();
    let mut statuses = lengths.map(|len| vec![0x55; len]).to_vec();
    let outputs = Outputs {
        values: vec![],
        gradients: gradients.iter_mut().map(|all| &mut all[..]).collect(),
        statuses: statuses.iter_mut().map(|all| &mut all[..]).collect(),
    };
    let execution = Execution { threads: 2, block: None, native: Native::default() };
    let part = plan
        .run_part(samples.start, len, &inputs, outputs, &mode.state, &mode.before, execution, &mut || false)
        .expect("nobody interrupts");
    // As it comes out of another process.
    let part = Partial::from_bytes(&part.to_bytes()).expect("what was written is read");
    Part { part, gradients, statuses }
}

/// The same as an outcome of one run.
fn finished(parts: Vec<Part>, total: Total, mode: &Mode, order: &mut Random) -> Outcome {
    let mut outcome = Outcome {
        values: vec![],
        gradients: vec![vec![], vec![], vec![]],
        statuses: vec![vec![], vec![], vec![]],
        totals: Totals::default(),
        statistics: mode.before.clone(),
    };
    let mut waiting = vec![];
    for Part { part, gradients, statuses } in parts {
        outcome.gradients.iter_mut().zip(gradients).for_each(|(all, more)| all.extend(more));
        outcome.statuses.iter_mut().zip(statuses).for_each(|(all, more)| all.extend(more));
        waiting.push(part);
    }
    while waiting.len() > 1 {
        // Any two neighbours, from either side.
        let first = (order.bits() % (waiting.len() as u64 - 1)) as usize;
        let second = waiting.remove(first + 1);
        if order.bits().is_multiple_of(2) {
            waiting[first].merge(second).unwrap();
        } else {
            let first_one = std::mem::replace(&mut waiting[first], second);
            waiting[first].merge(first_one).unwrap();
        }
    }
    let all = waiting.remove(0);
    let found = all.finish(total).unwrap();
    if total == Total::Mean && all.kept() > 0 {
        outcome.gradients.iter_mut().flatten().for_each(|g| *g /= all.kept() as f64);
    }
    outcome.totals = Totals {
        value: found.value,
        kept: all.kept(),
        gradients: vec![found.gradients, vec![], vec![]],
        statuses: vec![found.statuses, vec![], vec![]],
    };
    outcome.statistics.merge(all.statistics());
    outcome
}

fn sum_plan(batch: &Batch) -> Plan {
    Plan::new(&batch.function.program, on_x(Some(Total::Sum)))
}

#[test]
fn parts_in_any_grouping_give_the_bits_of_one_run() {
    let mut random = Random(5);
    let mut modes = modes();
    modes.push(hybrid_on_x());
    for (number, mode) in modes.iter().enumerate() {
        for samples in [0, 1, TASK, 3 * TASK + 17, 7 * TASK] {
            let batch = batch(samples, [0.0, 0.02][number % 2]);
            let plan = sum_plan(&batch);
            let tasks = samples.div_ceil(TASK);
            let mut cuts: Vec<_> =
                (1..tasks).filter(|_| !random.bits().is_multiple_of(3)).map(|task| task * TASK).collect();
            cuts.insert(0, 0);
            cuts.push(samples);
            for total in [Total::Sum, Total::Mean] {
                let parts = cuts.windows(2).map(|ends| part(&batch, &plan, ends[0]..ends[1], mode));
                let found = finished(parts.collect(), total, mode, &mut random);
                let expected = run_plain(&batch, &on_x(Some(total)), mode);
                if let Err(difference) = compare::outcomes(&batch, &found, &expected, &mode.state) {
                    panic!("{difference}\n{mode:?}, {samples} samples cut at {cuts:?}");
                }
            }
        }
    }
}

#[test]
fn samples_left_out_are_counted_by_value() {
    let samples = 2 * TASK + 5;
    let batch = batch(samples, 0.1);
    let values = run_plain(&batch, &Request::Values, &ModeState::mask_real().into()).values.remove(0);
    let count = |holds: &dyn Fn(f64) -> bool| values.iter().filter(|&&value| holds(value)).count() as u64;
    let all = part(&batch, &sum_plan(&batch), 0..samples, &ModeState::mask_real().into()).part;
    let expected =
        [count(&|v| v == f64::INFINITY), count(&|v| v == f64::NEG_INFINITY), count(&|v| v.is_nan())];
    assert!(expected.iter().all(|&count| count > 0));
    assert_eq!((all.left_out().by_tag, all.kept()), (expected, count(&f64::is_finite)));
    assert!(all.left_out().incomplete > 0);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let batch = batch(3 * TASK + 9, 0.0);
    let (plan, mode) = (sum_plan(&batch), ModeState::mask_real().into());
    let of = |samples| part(&batch, &plan, samples, &mode).part;
    let refused = |a: &Partial, b: &Partial| {
        let (mut a, mut b) = (a.clone(), b.clone());
        let (before, found) = (a.to_bytes(), a.merge(b.clone()).unwrap_err());
        assert_eq!(a.to_bytes(), before);
        assert_eq!(b.merge(a).unwrap_err().to_string().len(), found.to_string().len());
        found
    };
    let first = of(0..TASK);
    assert_eq!(refused(&first, &of(2 * TASK..3 * TASK)), Misfit::Gap(TASK..2 * TASK));
    assert_eq!(refused(&first, &of(0..2 * TASK)), Misfit::Overlap(0..TASK));
    let end = TASK - 3;
    assert_eq!(refused(&of(0..end), &of(TASK..2 * TASK)), Misfit::EndsWithinLeaf { end, start: TASK });
    assert_eq!(of(TASK..2 * TASK).finish(Total::Sum), Err(Misfit::Beginning(TASK)));
    let saturating: Mode = ModeState::saturating(1.0).unwrap().into();
    let other = part(&batch, &plan, TASK..2 * TASK, &saturating).part;
    assert!(matches!(refused(&first, &other), Misfit::Mode(..)));
    let policy = hybrid_on_x().under_policy();
    let (a, b) = (part(&batch, &plan, 0..TASK, &hybrid_on_x()), part(&batch, &plan, TASK..TASK, &policy));
    assert!(matches!(refused(&a.part, &b.part), Misfit::Mode(..)));
    let by_w = Plan::new(
        &batch.function.program,
        Request::Gradient { sources: vec![0], coordinate: None, total: Some(Total::Sum) },
    );
    let inputs: Vec<_> =
        [Input::Shared(&batch.inputs[0][..]), Input::PerSample(&[]), Input::PerSample(&[])].into();
    let outputs = Outputs { values: vec![], gradients: vec![&mut []], statuses: vec![&mut []] };
    let execution = Execution { threads: 1, block: None, native: Native::default() };
    let (state, before) = (&mode.state, &mode.before);
    let other = by_w.run_part(TASK, 0, &inputs, outputs, state, before, execution, &mut || false).unwrap();
    assert_eq!(refused(&first, &other), Misfit::Function);
}

/// What waits in the tree is all that is sent.
#[test]
fn a_record_is_small_and_damage_is_refused() {
    let mode: Mode = ModeState::mask_real().into();
    for tasks in [1, 8, 13] {
        let batch = batch(tasks * TASK, 0.0);
        let all = part(&batch, &sum_plan(&batch), 0..tasks * TASK, &mode).part;
        assert_eq!(all.waiting(), tasks.count_ones() as usize);
        assert!(all.to_bytes().len() < 120 + all.waiting() * 8 * (1 + SHARED), "{}", all.to_bytes().len());
    }
    let batch = batch(2 * TASK, 0.05);
    let bytes = part(&batch, &sum_plan(&batch), 0..2 * TASK, &hybrid_on_x()).part.to_bytes();
    // Every byte of what comes first, and many of the distances and counts.
    for place in (0..200).chain((200..bytes.len()).step_by(13)) {
        assert!(Partial::from_bytes(&bytes[..place]).is_err(), "cut off at {place}");
        for flip in [1, 0x80] {
            let mut other = bytes.clone();
            other[place] ^= flip;
            if let Ok(part) = Partial::from_bytes(&other) {
                // Some numbers are as good as others; nothing panics.
                let _ = part.finish(Total::Mean);
                let mut merged = part.clone();
                let _ = merged.merge(part);
                merged.statistics().summary(&ModeState::default());
            }
        }
    }
    let mut newer = bytes.clone();
    newer[3] += 1;
    assert_eq!(Partial::from_bytes(&newer).unwrap_err(), Unreadable::Version { found: 2, known: 1 });
    assert_eq!(Partial::from_bytes(b"pickle").unwrap_err(), Unreadable::Foreign);
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(Partial::from_bytes(&longer).unwrap_err(), Unreadable::Damaged);
}
