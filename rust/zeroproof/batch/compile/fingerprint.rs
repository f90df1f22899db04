//! What a plan computes as one number, the same in every process: parts of a batch that are added up
//! must be of the same function.

use super::plan::Plan;
use crate::batch::program::Kind;
use crate::reduce::Reduction;

/// FNV-1a of 128 bits, over words.
struct Hash(u128);

impl Hash {
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const FACTOR: u128 = 0x0100_0000_0000_0000_0000_013b;

    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ u128::from(word)).wrapping_mul(Self::FACTOR);
    }

    /// So that it is seen where a list ends.
    fn add_all(&mut self, words: impl ExactSizeIterator<Item = u64>) {
        self.add(words.len() as u64);
        words.for_each(|word| self.add(word));
    }
}

/// A kind as a code and a number.
fn words(kind: Kind) -> [u64; 2] {
    match kind {
        Kind::Constant(value) => [0, value.to_bits()],
        Kind::Argument(place) => [1, u64::from(place)],
        Kind::Elementwise(op) => [2, op as u64],
        Kind::Power(exponent) => [3, i64::from(exponent) as u64],
        Kind::Fold(op, mode) => {
            let mode = Reduction::ALL.iter().position(|&other| other == mode).unwrap_or_default();
            [4 + mode as u64, op as u64]
        }
        Kind::Condition(predicate) => [8, predicate as u64],
        Kind::Select => [9, 0],
    }
}

impl Plan {
    /// Of operations, constants, shapes of arguments and the request; names do not count.
    pub(crate) fn fingerprint(&self) -> u128 {
        let mut hash = Hash(Hash::START);
        let program = &self.program;
        hash.add(program.arguments().len() as u64);
        for argument in program.arguments() {
            hash.add(u64::from(argument.per_sample));
            hash.add_all(argument.shape.iter().map(|&n| n as u64));
        }
        hash.add(program.len() as u64);
        for node in 0..program.len() as u32 {
            words(program.kind(node)).into_iter().for_each(|word| hash.add(word));
            hash.add_all(program.operands(node).iter().map(|&operand| u64::from(operand)));
        }
        hash.add_all(program.outputs().iter().map(|&output| u64::from(output)));
        hash.add_all(self.request.sources().iter().map(|&source| source as u64));
        hash.add(self.request.coordinate().map_or(0, |coordinate| coordinate as u64 + 1));
        hash.0
    }
}
