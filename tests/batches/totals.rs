//! Totals of the batched engine: the tree, what is left out of it, and signs of zero.

use zeroproof::batch::{Kind, Total};
use zeroproof::{ModeState, Op, Reduction, Status};
use zeroproof_tests::batch_reference::cases::{NUMBER, agree, batch, modes, total};
use zeroproof_tests::batch_reference::mixture::{TASK, mixture, numbers, on_x, run_plain};
use zeroproof_tests::batch_reference::{Batch, Function, compare, scalar};

/// `w·x`, whose gradient by the shared w is x, and by a third argument +0.
fn product(x: Vec<f64>, w: f64) -> Batch {
    let mut f = Function::new(&[(NUMBER, false), (NUMBER, true), (NUMBER, false)]);
    let root = f.op(Op::Mul, &[0, 1]);
    batch(f.returns(&[root]), vec![vec![w], x, vec![5.0]])
}

#[test]
fn totals_keep_signs_of_zero_and_infinities() {
    let huge = f64::MAX;
    let at = |places: &[(usize, f64)]| {
        let mut x = vec![1.0; 3 * TASK];
        places.iter().for_each(|&(place, number)| x[place] = number);
        x
    };
    for x in [
        vec![-0.0; 70],
        vec![1.0; TASK],
        vec![0.0; 33],
        vec![f64::NAN, -0.0, f64::INFINITY],
        vec![f64::NAN; 40],
        vec![],
        // Lanes, tasks and pairs of tasks that overflow to both infinities.
        at(&[(0, huge), (32, huge), (16, -huge), (48, -huge)]),
        at(&[(0, huge), (32, huge), (TASK, -huge), (TASK + 32, -huge)]),
        at(&[(TASK, huge), (TASK + 32, huge), (2 * TASK, -huge), (2 * TASK + 32, -huge)]),
    ] {
        agree(&product(x.clone(), 1.0), &total(&[0, 1, 2], Total::Sum), &ModeState::mask_real().into());
        if x.len() < TASK {
            agree(&product(x, -1e-300), &total(&[2, 1, 0], Total::Mean), &ModeState::mask_real().into());
        }
    }
    // Said here once more without the reference.
    let mode = ModeState::mask_real().into();
    let found = |x: &[f64], kind| run_plain(&product(x.to_vec(), 1.0), &total(&[0], kind), &mode).totals;
    let zero = found(&[-0.0; 40], Total::Sum);
    assert!(zero.value.is_sign_negative() && zero.gradients[0][0].is_sign_negative());
    let nothing = found(&[f64::NAN], Total::Mean);
    assert!(nothing.value.is_nan() && nothing.kept == 0 && nothing.gradients[0][0].to_bits() == 0);
    assert_eq!(nothing.statuses, [[Status::MASKED]]);
    let mixed = found(&[1.0, f64::INFINITY, 4.0], Total::Mean);
    assert_eq!((mixed.value, mixed.kept, &mixed.gradients[0][..]), (2.5, 2, &[2.5][..]));
}

/// A gradient that overflows in a sample is left out of a total, but stands in the sample's own row.
#[test]
fn a_sample_whose_gradient_overflows_is_left_out_of_totals() {
    let mut f = Function::new(&[(NUMBER, false), (NUMBER, true), (NUMBER, true)]);
    // Each of the two factors gets two contributions that are REAL, and so may their sum not be.
    let products = [0, 0, 1, 1].map(|factor| f.op(Op::Mul, &[factor, 2]));
    let root = f.push(Kind::Fold(Op::Sum, Reduction::Strict), &products);
    let function = f.returns(&[root]);
    for factors in [vec![1.7e308; 40], vec![1.0, 1.7e308, -1.7e308, f64::NAN, 2.0]] {
        let x = vec![1e-308; factors.len()];
        let batch = batch(function.clone(), vec![vec![1e-308], x, factors]);
        for kind in [Total::Sum, Total::Mean] {
            for mode in modes() {
                agree(&batch, &total(&[0, 1], kind), &mode);
            }
        }
        let found = run_plain(&batch, &total(&[0, 1], Total::Sum), &ModeState::mask_real().into());
        assert!(found.totals.gradients[0][0].is_finite());
        assert!(found.totals.statuses[0][0].contains(Status::DROPPED));
        assert!(found.gradients[1].iter().any(|gradient| gradient.is_infinite()));
    }
}

/// The reference for totals takes samples one by one; so much for a sum that meets all of them.
#[test]
fn a_total_is_the_sum_of_all_samples_on_one_arena() {
    let (function, root) = mixture();
    let batch = batch(function.returns(&[root]), numbers(200, 0.1));
    for mode in modes() {
        let found = run_plain(&batch, &on_x(Some(Total::Sum)), &mode);
        let expected = scalar::sum_on_one_arena(&batch, &on_x(Some(Total::Sum)), &mode);
        compare::rows_and_statistics(&batch, &found, &expected, &mode.state).unwrap();
        assert_eq!(found.totals.statuses[0], expected.totals.statuses[0]);
        let rows = run_plain(&batch, &on_x(None), &mode);
        for k in 0..3 {
            let (sum, other) = (found.totals.gradients[0][k], expected.totals.gradients[0][k]);
            let size: f64 = rows.gradients[0].iter().skip(k).step_by(3).map(|g| g.abs()).sum();
            assert!((sum - other).abs() <= 1e-12 * size, "{mode:?}: {sum} for {other}");
        }
    }
}
