//! A function with poles of its own and of its samples, for tests of what surrounds the ops.

use super::cases::{NUMBER, PLAIN, Random};
use super::{Batch, Function, Mode, Outcome, run};
use zeroproof::batch::{Kind, NodeId, Request, Total};
use zeroproof::{ModeState, Op, Region};

/// How many samples the engine hands out at a time.
pub const TASK: usize = 8192;

/// The arguments of [`mixture`]: w, shared; x; and a, two numbers a sample.
const ARGUMENTS: [(&[usize], bool); 3] = [(&[3], false), (NUMBER, true), (&[2], true)];
/// The node of x.
pub const X: NodeId = 3;

/// `(w₀ + x(w₁ + x·w₂)) ÷ (a₀ + x) + ln(a₁²)·tanh x`, with poles of its own and of its samples.
pub fn mixture() -> (Function, NodeId) {
    let mut f = Function::new(&ARGUMENTS);
    let inner = f.op(Op::Mul, &[X, 2]);
    let inner = f.op(Op::Add, &[1, inner]);
    let outer = f.op(Op::Mul, &[X, inner]);
    let above = f.op(Op::Add, &[0, outer]);
    let below = f.op(Op::Add, &[4, X]);
    let quotient = f.op(Op::Div, &[above, below]);
    let square = f.push(Kind::Power(2), &[5]);
    let logarithm = f.op(Op::Log, &[square]);
    let tanh = f.op(Op::Tanh, &[X]);
    let product = f.op(Op::Mul, &[logarithm, tanh]);
    let root = f.op(Op::Add, &[quotient, product]);
    (f, root)
}

/// Numbers for the arguments of [`mixture`], of which so many are special.
pub fn numbers(samples: usize, specials: f64) -> Vec<Vec<f64>> {
    let mut random = Random(samples as u64);
    let mut column = |count: usize| (0..count).map(|_| random.number(specials)).collect();
    let (x, a) = (column(samples), column(2 * samples));
    vec![vec![0.5, -1.25, 3.0], x, a]
}

pub fn hybrid_on_x() -> Mode {
    let mut state = ModeState::hybrid(Some(0.01)).unwrap();
    state.set_regions(&[Region::new(-0.5, 0.5).unwrap()]);
    state.into()
}

pub fn on_x(total: Option<Total>) -> Request {
    Request::Gradient { sources: vec![0, 1, 2], coordinate: Some(1), total }
}

/// One thread runs, undisturbed.
pub fn run_plain(batch: &Batch, request: &Request, mode: &Mode) -> Outcome {
    run(batch, request, mode, PLAIN, &mut || false).expect("nobody interrupts")
}
