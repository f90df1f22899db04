//! Random programs over random batches, and the comparisons that they go through.

use super::cases::{PLAIN, Random, modes};
use super::recipe::Recipe;
use super::{Batch, Mode, check, compare, run};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt;
use zeroproof::batch::{Execution, Native, Simd};

/// A random program, the numbers that it is run on, and how.
#[derive(Clone)]
pub struct Case {
    pub recipe: Recipe,
    pub samples: usize,
    pub seed: u64,
    pub specials: f64,
    pub mode: Mode,
    pub execution: (usize, Option<usize>),
}

pub fn case(recipe: impl Strategy<Value = Recipe>) -> impl Strategy<Value = Case> {
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
pub fn case_with_few_specials(recipe: impl Strategy<Value = Recipe>) -> impl Strategy<Value = Case> {
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

    /// The scalar path against the batch, in the interpreter and in native code.
    ///
    /// # Errors
    /// What is different, where, and for which numbers.
    pub fn check(&self) -> Result<(), String> {
        let batch = self.batch();
        let (threads, block) = self.execution;
        let natives = [Native::Never, Native::Always(Simd::Avx2), Native::Always(Simd::Avx512)];
        let executions =
            natives.map(|native| [Execution { native, ..PLAIN }, Execution { threads, block, native }]);
        let executions = executions.concat();
        check(&batch, &self.recipe.request(), &self.mode, &executions)
    }

    /// Native code against the interpreter.
    ///
    /// # Errors
    /// Likewise.
    pub fn check_native(&self) -> Result<(), String> {
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
                .map_err(|wrong| format!("{simd:?}: {wrong}"))?;
        }
        Ok(())
    }
}

/// A setting from the environment.
pub fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
