//! Random programs over random batches, on every path: the batched engine against the scalar one.
//!
//! `BATCH_CASES` sets how many programs each test tries, `BATCH_SAMPLES` how many samples the largest
//! batches have.

mod batch_reference;

use batch_reference::cases::{PLAIN, Random, modes};
use batch_reference::recipe::{Recipe, recipe};
use batch_reference::{Batch, Mode, check};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;
use zeroproof::batch::{Execution, Native, Simd};

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
    fn check(&self) -> Result<(), TestCaseError> {
        let function = self.recipe.function();
        let mut random = Random(self.seed);
        let input = |(number, &(_, per_sample, _)): (usize, &(Option<usize>, bool, bool))| {
            let count = function.width(number) * if per_sample { self.samples } else { 1 };
            (0..count).map(|_| random.number(self.specials)).collect()
        };
        let inputs = self.recipe.arguments.iter().enumerate().map(input).collect();
        let batch = Batch { samples: self.samples, inputs, function };
        let (threads, block) = self.execution;
        let natives = [Native::Never, Native::Always(Simd::Avx2), Native::Always(Simd::Avx512)];
        let executions =
            natives.map(|native| [Execution { native, ..PLAIN }, Execution { threads, block, native }]);
        let executions = executions.concat();
        check(&batch, &self.recipe.request(), &self.mode, &executions).map_err(TestCaseError::fail)
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
