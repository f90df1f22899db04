//! Random programs over random batches, on every path: the batched engine against the scalar one.
//!
//! `BATCH_CASES` sets how many programs each test tries, `BATCH_SAMPLES` how many samples the largest
//! batches have. Native code against the interpreter, bit for bit, is tried on as many programs as
//! `NATIVE_PROGRAMS` says, or as fit in twenty seconds.

mod batch_reference;

use batch_reference::cases::{PLAIN, Random, modes};
use batch_reference::recipe::{Recipe, recipe};
use batch_reference::{Batch, Mode, check, compare, run};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
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

fn case(choices: u32) -> impl Strategy<Value = Case> {
    let samples =
        prop_oneof![6 => 1..70usize, 3 => 70..300usize, 1 => 300..setting("BATCH_SAMPLES", 1300usize)];
    let specials = select(vec![0.0, 0.05, 0.5]);
    let execution = (select(vec![1, 2, 3, 8]), select(vec![None, Some(32), Some(64), Some(256), Some(8192)]));
    (recipe(choices), samples, any::<u64>(), specials, select(modes()), execution).prop_map(
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

/// On one line; the message of a failure lists the program.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { recipe, samples, seed, specials, mode, execution } = self;
        write!(f, "{recipe:?}, {samples} samples, seed {seed}, specials {specials}, {mode:?}, {execution:?}")
    }
}

impl Case {
    fn batch(&self) -> Batch {
        let function = self.recipe.function();
        let mut random = Random(self.seed);
        let input = |(number, &(_, per_sample, _)): (usize, &(Option<usize>, bool, bool))| {
            let count = function.width(number) * if per_sample { self.samples } else { 1 };
            (0..count).map(|_| random.number(self.specials)).collect()
        };
        let inputs = self.recipe.arguments.iter().enumerate().map(input).collect();
        Batch { samples: self.samples, inputs, function }
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
    /// Fails with the difference between native code and the interpreter.
    fn check_native(&self) {
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
                .unwrap_or_else(|wrong| panic!("{simd:?}: {wrong}\n{self:?}"));
        }
    }
}

#[test]
fn native_code_has_the_bits_of_the_interpreter() {
    let (begun, enough) = (Instant::now(), Duration::from_secs(20));
    let wanted = setting("NATIVE_PROGRAMS", 0u64);
    let (mut runner, cases, mut done) = (TestRunner::default(), [case(1), case(8)], 0);
    while if wanted > 0 { done < wanted } else { done < 100 || begun.elapsed() < enough } {
        let case = cases[done as usize % 2].new_tree(&mut runner).expect("a program").current();
        case.check_native();
        done += 1;
    }
    println!("{done} programs, {} blocks of native code", native_blocks());
    assert_eq!(native_blocks() > 0, native_code().is_ok(), "native code runs where it can");
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
    fn random_programs_come_to_what_the_scalar_path_does(case in case(1)) {
        case.check()?;
    }
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn random_programs_with_many_selections_come_to_what_the_scalar_path_does(case in case(8)) {
        case.check()?;
    }
}
