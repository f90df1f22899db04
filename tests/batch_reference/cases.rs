//! What the engine is tried on: numbers and gradient modes.

use super::{Batch, Function, Mode, check};
use zeroproof::batch::{Execution, Native, Request, Total};
use zeroproof::{ModeState, Region};

/// Zeros, infinities, Φ, and numbers whose products leave the range of a double.
pub const SPECIALS: [f64; 17] = [
    1.0,
    0.0,
    f64::NEG_INFINITY,
    -1.7e308,
    -1e155,
    -1.0,
    -1e-155,
    -1e-310,
    -5e-324,
    -0.0,
    5e-324,
    1e-310,
    1e-155,
    1e155,
    1.7e308,
    f64::INFINITY,
    f64::NAN,
];

/// Every gradient mode, in each of the states that make a difference.
pub fn modes() -> Vec<Mode> {
    let bounded = |bound| ModeState::saturating(bound).unwrap();
    let hybrid = |delta| ModeState::hybrid(delta).unwrap();
    let exploring = |delta| {
        let mut state = hybrid(delta);
        state.set_regions(&[Region::new(-1.5, -0.5).unwrap(), Region::new(0.0, 0.25).unwrap()]);
        state.set_bound(0.125).unwrap();
        state
    };
    let states = [
        ModeState::mask_real(),
        bounded(1e-3),
        bounded(1.0),
        bounded(1e3),
        hybrid(None),
        hybrid(Some(1e-2)),
        hybrid(Some(1.0)),
        exploring(None),
        exploring(Some(1e-2)),
    ];
    let mut modes: Vec<Mode> = states.into_iter().map(Mode::from).collect();
    modes.extend([hybrid(None), exploring(Some(1e-2))].map(|state| Mode::from(state).under_policy()));
    modes
}

/// Numbers by splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// In [0, 1).
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A special value at this rate; else a number of moderate size, a small integer, or one of any
    /// magnitude at which little overflows.
    pub fn number(&mut self, specials: f64) -> f64 {
        if self.share() < specials {
            return SPECIALS[self.bits() as usize % SPECIALS.len()];
        }
        let x = 8.0 * self.share() - 4.0;
        match self.bits() % 8 {
            0 => x.round(),
            1 => x * 1e-2,
            2 => x * 10f64.powi((self.bits() % 41) as i32 - 20),
            _ => x,
        }
    }
}

/// The shape of an argument that is one number.
pub const NUMBER: &[usize] = &[];

/// One thread, and the engine chooses the block.
pub const PLAIN: Execution = Execution { threads: 1, block: None, native: Native::WhenItPays };

pub fn gradient(sources: &[usize]) -> Request {
    Request::Gradient { sources: sources.to_vec(), coordinate: None, total: None }
}

pub fn total(sources: &[usize], total: Total) -> Request {
    Request::Gradient { sources: sources.to_vec(), coordinate: None, total: Some(total) }
}

pub fn jacobian(sources: &[usize]) -> Request {
    Request::Jacobian { sources: sources.to_vec(), coordinate: None }
}

/// Fails with the difference between the engine and the scalar path.
pub fn agree(batch: &Batch, request: &Request, mode: &Mode) {
    check(batch, request, mode, &[PLAIN]).unwrap_or_else(|difference| panic!("{difference}"));
}

/// `numbers` as columns: the k-th argument's is `columns[k]`.
pub fn batch(function: Function, columns: Vec<Vec<f64>>) -> Batch {
    let samples = (0..columns.len())
        .filter(|&k| function.is_per_sample(k))
        .map(|k| columns[k].len() / function.width(k).max(1));
    Batch { samples: samples.max().unwrap_or(1), inputs: columns, function, directions: vec![] }
}

/// All combinations of the numbers of some lists, by column.
pub fn combinations(lists: &[&[f64]]) -> Vec<Vec<f64>> {
    let count: usize = lists.iter().map(|list| list.len()).product();
    let mut step = count;
    let mut column = |list: &&[f64]| {
        step /= list.len();
        (0..count).map(|k| list[k / step % list.len()]).collect()
    };
    lists.iter().map(&mut column).collect()
}
