//! Random programs over random batches, on every path: the batched engine against the scalar one.
//!
//! `BATCH_CASES` sets how many programs each test tries, `BATCH_SAMPLES` how many samples the largest
//! batches have. Native code against the interpreter, bit for bit, is tried on as many programs as
//! `NATIVE_PROGRAMS` says, or as fit in twenty seconds.

mod batch_reference;

use batch_reference::cases::{PLAIN, Random, modes};
use batch_reference::recipe::{Recipe, directional_recipe, recipe};
use batch_reference::{Batch, Mode, check, compare, run};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use std::fmt;
use std::time::{Duration, Instant};
use zeroproof::batch::{Execution, Native, Simd, native_blocks, native_code};

#[derive(Clone)]
struct Case {
    recipe: Recipe,
    samples: usize,
    seed: u64,
    specials: f64,
    mode: Mode,
    execution: (usize, Option<usize>),
}

fn case(recipe: impl Strategy<Value = Recipe>) -> impl Strategy<Value = Case> {
    let samples =
        prop_oneof![6 => 1..70usize, 3 => 70..300usize, 1 => 300..setting("BATCH_SAMPLES", 1300usize)];
    let specials = select(vec![0.0, 0.05, 0.5]);
    let execution = (select(vec![1, 2, 3, 8]), select(vec![None, Some(32), Some(64), Some(256), Some(8192)]));
    (recipe, samples, any::<u64>(), specials, select(modes()), execution).prop_map(
        |(recipe, samples, seed, specials, mode, execution)| Case {
            recipe,
            samples,
            seed,
            specials,
            mode,
            execution,
        },
    )
}

/// Batches of full blocks, in which some samples are not regular.
fn case_with_few_specials(recipe: impl Strategy<Value = Recipe>) -> impl Strategy<Value = Case> {
    let large = (2048..9000usize, select(vec![1e-3, 1e-2]));
    (case(recipe), large).prop_map(|(case, (samples, specials))| Case { samples, specials, ..case })
}

/// On one line; the message of a failure lists the program.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recipe, samples, seed, specials, mode, execution } = self;
        write!(f, "{recipe:?}, {samples} samples, seed {seed}, specials {specials}, {mode:?}, {execution:?}")
    }
}

impl Case {
    /// Finite numbers, of which some are 0; often all that are not are 1.
    fn direction(&self, random: &mut Random, count: usize) -> Vec<f64> {
        let of_ones = random.bits().is_multiple_of(4);
        let number = |_| match random.bits() % 64 {
            bits if of_ones => f64::from(u8::from(bits % 3 > 0)),
            0 => -0.0,
            1 if self.specials > 0.0 => 1e-310,
            2 if self.specials > 0.0 => -1e300,
            _ => random.number(0.0),
        };
        (0..count).map(number).collect()
    }

    fn batch(&self) -> Batch {
        let function = self.recipe.function();
        let mut random = Random(self.seed);
        let input = |(number, &(_, per_sample, _)): (usize, &(Option<usize>, bool, bool))| {
            let count = function.width(number) * if per_sample { self.samples } else { 1 };
            (0..count).map(|_| random.number(self.specials)).collect()
        };
        let inputs: Vec<Vec<f64>> = self.recipe.arguments.iter().enumerate().map(input).collect();
        let mut directions: Vec<Vec<f64>> =
            inputs.iter().map(|numbers| self.direction(&mut random, numbers.len())).collect();
        let is_shared = self.recipe.arguments.iter().all(|&(_, per_sample, _)| !per_sample);
        let adjoints = function.program.outputs().len() * if is_shared { 1 } else { self.samples };
        directions.push((0..adjoints).map(|_| random.number(self.specials)).collect());
        Batch { samples: self.samples, inputs, function, directions }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let batch = self.batch();
        let (threads, block) = self.execution;
        let natives = [Native::Never, Native::Always(Simd::Avx2), Native::Always(Simd::Avx512)];
        let executions =
            natives.map(|native| [Execution { native, ..PLAIN }, Execution { threads, block, native }]);
        let executions = executions.concat();
        check(&batch, &self.recipe.request(), &self.mode, &executions).map_err(TestCaseError::fail)
    }
}

impl Case {
    /// Native code against the interpreter.
    fn check_native(&self) -> Result<(), TestCaseError> {
        let (batch, request) = (self.batch(), self.recipe.request());
        let (threads, block) = self.execution;
        let run = |native, threads, block| {
            let execution = Execution { threads, block, native };
            run(&batch, &request, &self.mode, execution, &mut || false).expect("nobody interrupts")
        };
        let expected = run(Native::Never, 1, None);
        for simd in [Simd::Avx2, Simd::Avx512] {
            let found = run(Native::Always(simd), threads, block);
            compare::outcomes(&batch, &found, &expected, &self.mode.state)
                .map_err(|wrong| TestCaseError::fail(format!("{simd:?}: {wrong}")))?;
        }
        Ok(())
    }
}

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
                .run(case, |case| case.check_native())
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
    let recipes = [recipe(1).boxed(), recipe(8).boxed(), directional_recipe(1).boxed()];
    for recipe in recipes {
        TestRunner::new(config(30))
            .run(&case_with_few_specials(recipe), |case| case.check_native())
            .unwrap_or_else(|e| panic!("{e}"));
    }
}

/// A setting from the environment.
fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn config(cases: u32) -> ProptestConfig {
    let cases = setting("BATCH_CASES", cases);
    ProptestConfig { failure_persistence: None, max_shrink_iters: 4000, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn random_programs_come_to_what_the_scalar_path_does(case in case(recipe(1))) {
        case.check()?;
    }
}

proptest! {
    #![proptest_config(config(10))]

    #[test]
    fn few_irregular_samples_come_to_what_the_scalar_path_does(case in case_with_few_specials(recipe(1))) {
        case.check()?;
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_programs_with_many_selections_come_to_what_the_scalar_path_does(case in case(recipe(8))) {
        case.check()?;
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn directional_derivatives_come_to_what_the_scalar_path_does(case in case(directional_recipe(1))) {
        case.check()?;
    }

    #[test]
    fn directional_derivatives_through_selections_do_too(case in case(directional_recipe(8))) {
        case.check()?;
    }
}
