//! Random programs over random batches, on every path: the batched engine against the scalar one.
//!
//! `BATCH_CASES` sets how many programs each test tries, `BATCH_SAMPLES` how many samples the largest
//! batches have. Native code against the interpreter, bit for bit, is tried on as many programs as
//! `NATIVE_PROGRAMS` says, or as fit in twenty seconds.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::time::{Duration, Instant};
use zeroproof::batch::{native_blocks, native_code};
use zeroproof_tests::batch_reference::bytes::Cases;
use zeroproof_tests::batch_reference::case::{case, case_with_few_specials, setting};
use zeroproof_tests::batch_reference::cases::Random;
use zeroproof_tests::batch_reference::recipe::{directional_recipe, recipe};

#[test]
fn native_code_has_the_bits_of_the_interpreter() {
    const AT_ONCE: u32 = 64;
    let recipes =
        [recipe(1).boxed(), recipe(8).boxed(), directional_recipe(1).boxed(), directional_recipe(8).boxed()];
    let cases = recipes.map(|recipe| case(recipe).boxed());
    let (begun, enough) = (Instant::now(), Duration::from_secs(20));
    let (wanted, mut done) = (setting("NATIVE_PROGRAMS", 0), 0);
    let config = ProptestConfig { cases: AT_ONCE, ..config(AT_ONCE) };
    while if wanted > 0 { done < wanted } else { done < 2 * AT_ONCE || begun.elapsed() < enough } {
        for case in &cases {
            TestRunner::new(config.clone())
                .run(case, |case| case.check_native().map_err(TestCaseError::fail))
                .unwrap_or_else(|e| panic!("{e}"));
            done += AT_ONCE;
        }
    }
    println!("{done} programs, {} blocks of native code", native_blocks());
    assert_eq!(native_blocks() > 0, native_code().is_ok(), "native code runs where it can");
}

/// What is not regular is computed by itself, or with its block if it is much; sums leave it out or take it in.
#[test]
fn few_irregular_samples_have_the_bits_of_the_interpreter() {
    for recipe in [recipe(1).boxed(), recipe(8).boxed(), directional_recipe(1).boxed()] {
        TestRunner::new(config(30))
            .run(&case_with_few_specials(recipe), |case| case.check_native().map_err(TestCaseError::fail))
            .unwrap_or_else(|e| panic!("{e}"));
    }
}

fn config(cases: u32) -> ProptestConfig {
    let cases = setting("BATCH_CASES", cases);
    ProptestConfig { failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::with_cases(cases) }
}

/// The fuzz targets' cases, for bytes that nobody chose: `fuzz/` has those that reach new code.
#[test]
fn cases_made_of_bytes_come_to_what_the_scalar_path_does() {
    let (cases, mut random) = (Cases::default(), Random(17));
    assert!(cases.of(&[]).is_none() && cases.of(&[0; 7]).is_none());
    for _ in 0..setting("BATCH_CASES", 100) {
        let parts = 2 + random.bits() % 30;
        let bytes: Vec<u8> = (0..parts).flat_map(|_| (random.bits() as u32).to_le_bytes()).collect();
        let case = cases.of(&bytes).expect("it has a step");
        assert_eq!(format!("{case:?}"), format!("{:?}", cases.of(&bytes).expect("it has a step")));
        case.check().and_then(|()| case.check_native()).unwrap_or_else(|wrong| panic!("{case:?}\n{wrong}"));
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn random_programs_come_to_what_the_scalar_path_does(case in case(recipe(1))) {
        case.check().map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_programs_with_many_selections_come_to_what_the_scalar_path_does(case in case(recipe(8))) {
        case.check().map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn directional_derivatives_come_to_what_the_scalar_path_does(case in case(directional_recipe(1))) {
        case.check().map_err(TestCaseError::fail)?;
    }

    #[test]
    fn directional_derivatives_through_selections_do_too(case in case(directional_recipe(8))) {
        case.check().map_err(TestCaseError::fail)?;
    }
}

proptest! {
    #![proptest_config(config(10))]

    #[test]
    fn few_irregular_samples_come_to_what_the_scalar_path_does(case in case_with_few_specials(recipe(1))) {
        case.check().map_err(TestCaseError::fail)?;
    }
}
