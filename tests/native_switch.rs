//! Turning native code off, and executable memory that is refused. One test: both are the process's.

use zeroproof::batch::{Execution, Native, native_blocks, native_code, set_native, simulate_refusal};
use zeroproof::{ModeState, Op};
use zeroproof_tests::batch_reference::cases::{NUMBER, PLAIN, batch, gradient};
use zeroproof_tests::batch_reference::{Batch, Function, Outcome, run};

const SAMPLES: usize = 40_000;

fn reciprocals() -> Batch {
    let mut f = Function::new(&[(NUMBER, true), (NUMBER, true)]);
    let quotient = f.op(Op::Div, &[0, 1]);
    let numbers = |shift: f64| (0..SAMPLES).map(|k| k as f64 * 1e-3 - shift).collect();
    batch(f.returns(&[quotient]), vec![numbers(1.0), numbers(2.0)])
}

fn outcome(batch: &Batch, native: Native) -> Outcome {
    let execution = Execution { native, ..PLAIN };
    run(batch, &gradient(&[0, 1]), &ModeState::mask_real().into(), execution, &mut || false)
        .expect("nobody interrupts")
}

#[test]
fn native_code_can_be_turned_off_and_refused() {
    let batch = reciprocals();
    let expected = outcome(&batch, Native::Never);
    let mut blocks = native_blocks();
    assert_eq!(blocks, 0, "the interpreter ran");
    if cfg!(not(feature = "native")) {
        assert_eq!(native_code(), Err("it was built without the feature native".to_owned()));
    }
    let Ok(simd) = native_code() else { return };
    let mut runs_natively = || {
        for native in [Native::WhenItPays, Native::Always(simd)] {
            let found = outcome(&batch, native);
            assert_eq!(
                (found.values, found.gradients),
                (expected.values.clone(), expected.gradients.clone())
            );
        }
        let before = std::mem::replace(&mut blocks, native_blocks());
        native_blocks() > before
    };
    assert!(runs_natively());

    set_native(false);
    assert!(!runs_natively());
    assert_eq!(native_code(), Err("it is turned off by set_native".to_owned()));
    set_native(true);
    assert!(runs_natively());

    simulate_refusal(true);
    assert!(!runs_natively());
    assert_eq!(native_code(), Err("the system refuses executable memory: simulated".to_owned()));
    simulate_refusal(false);
    assert_eq!(native_code(), Ok(simd));
    assert!(runs_natively());
}
