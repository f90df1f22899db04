//! Cases made of bytes, for fuzzers. Every four bytes are the seed of one part of a case, so that a change of a few
//! bytes changes, inserts or removes a step of the program and leaves the others as they are.

use super::case::{Case, case};
use super::cases::Random;
use super::recipe::{frame, step};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The bytes of a part.
const PART: usize = 4;
/// Longer programs are no harder, and take longer.
const MOST_STEPS: usize = 60;

/// The cases of a fuzzer.
pub struct Cases {
    frames: BoxedStrategy<Case>,
    steps: [BoxedStrategy<super::recipe::Step>; 2],
}

impl Default for Cases {
    fn default() -> Self {
        let steps = [1, 8].map(|choices| step(choices).boxed());
        Self { frames: case(frame()).boxed(), steps }
    }
}

impl Cases {
    /// The case that these bytes stand for; `None` if there are too few for one step.
    pub fn of(&self, bytes: &[u8]) -> Option<Case> {
        let parts: Vec<[u8; PART]> =
            bytes.chunks_exact(PART).map(|part| part.try_into().expect("so long")).collect();
        let (&first, rest) = parts.split_first()?;
        if rest.is_empty() {
            return None;
        }
        let mut found = drawn(&self.frames, first);
        // One bit of each part says how likely selections are.
        let step = |&part: &[u8; PART]| drawn(&self.steps[usize::from(part[0] & 1)], part);
        found.recipe = found.recipe.with_steps(rest.iter().take(MOST_STEPS).map(step).collect());
        Some(found)
    }
}

/// What a strategy gives for a seed.
fn drawn<T: std::fmt::Debug>(strategy: &BoxedStrategy<T>, seed: [u8; PART]) -> T {
    let mut random = Random(u32::from_le_bytes(seed).into());
    let seed = [random.bits(), random.bits()].map(u64::to_le_bytes).concat();
    let rng = TestRng::from_seed(RngAlgorithm::XorShift, &seed);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    strategy.new_tree(&mut runner).expect("no part is filtered").current()
}
