//! Native code reads and writes nothing beyond the caller's arrays: each ends, or begins, at a page that may
//! not be touched.

#![cfg(unix)]

use std::ops::Range;
use zeroproof::batch::{
    Argument, Execution, Input, Kind, Native, Outputs, Plan, Program, Request, Simd, native_blocks,
    native_code,
};
use zeroproof::{ModeState, Op, Statistics};

/// Numbers between two pages that may not be touched.
struct Guarded {
    start: *mut libc::c_void,
    bytes: usize,
    numbers: Range<usize>,
}

impl Guarded {
    /// So many numbers that end at such a page, or begin at one.
    fn new(count: usize, at_end: bool) -> Self {
        // SAFETY: asks for a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
        let inner = (count * size_of::<f64>()).next_multiple_of(page);
        let bytes = inner + 2 * page;
        let (flags, none) = (libc::MAP_PRIVATE | libc::MAP_ANON, libc::PROT_NONE);
        // SAFETY: new memory, of which the middle is then made accessible.
        let start = unsafe {
            let start = libc::mmap(std::ptr::null_mut(), bytes, none, flags, -1, 0);
            assert_ne!(start, libc::MAP_FAILED);
            let access = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(start.byte_add(page), inner, access), 0);
            start
        };
        let first = if at_end { page + inner - count * size_of::<f64>() } else { page };
        Self { start, bytes, numbers: first..first + count * size_of::<f64>() }
    }

    fn slice(&mut self) -> &mut [f64] {
        let count = self.numbers.len() / size_of::<f64>();
        // SAFETY: so many zeros lie there, aligned, and nobody else has them.
        unsafe { std::slice::from_raw_parts_mut(self.start.byte_add(self.numbers.start).cast(), count) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the memory that was asked for, which nobody borrows.
        unsafe { libc::munmap(self.start, self.bytes) };
    }
}

/// `sin(x·y)/(x + s)`, for which there are pieces of code and an interpreted part.
fn program() -> Program {
    let argument = |name: &str, shape: &[usize], per_sample| Argument {
        name: name.to_owned(),
        shape: shape.to_vec(),
        per_sample,
    };
    let arguments = vec![argument("x", &[], true), argument("y", &[2], true), argument("s", &[], false)];
    let mut program = Program::new(arguments);
    let mut op = |op, operands: &[u32]| program.push(Kind::Elementwise(op), operands);
    let product = op(Op::Mul, &[0, 2]);
    let sine = op(Op::Sin, &[product]);
    let sum = op(Op::Add, &[0, 3]);
    let root = op(Op::Div, &[sine, sum]);
    program.set_outputs(vec![root]);
    program
}

#[test]
fn nothing_beyond_the_arrays_is_touched() {
    let plan =
        Plan::new(&program(), Request::Gradient { sources: vec![0, 1], coordinate: None, total: None });
    for samples in [1, 31, 32, 511, 512, 513, 8192, 10_000] {
        for at_end in [true, false] {
            for native in [Native::Never, Native::Always(Simd::Avx2), Native::Always(Simd::Avx512)] {
                let mut inputs = [samples, 2 * samples].map(|count| Guarded::new(count, at_end));
                for (k, number) in inputs.iter_mut().flat_map(|input| input.slice()).enumerate() {
                    *number = (k as f64 + 1.0).sin();
                }
                let [x, y] = &mut inputs;
                let inputs =
                    [Input::PerSample(x.slice()), Input::PerSample(y.slice()), Input::Shared(&[1.5])];
                let mut outputs = [samples, samples, 2 * samples].map(|count| Guarded::new(count, at_end));
                let [value, by_x, by_y] = &mut outputs;
                let outputs = Outputs {
                    values: vec![value.slice()],
                    gradients: vec![by_x.slice(), by_y.slice()],
                    statuses: vec![],
                };
                let (state, mut statistics) = (ModeState::hybrid(Some(1e-3)).unwrap(), Statistics::new());
                let execution = Execution { threads: 2, block: None, native };
                plan.run(samples, &inputs, outputs, &state, &mut statistics, execution, &mut || false)
                    .expect("nobody interrupts");
                assert!(value.slice().iter().all(|value| value.is_finite() && *value != 0.0));
            }
        }
    }
    assert_eq!(native_blocks() > 0, native_code().is_ok());
}

/// As many outputs, of which each depends on five numbers of a sample.
fn program_of_rows(outputs: u32) -> Program {
    let argument = |name: &str, shape: &[usize]| Argument {
        name: name.to_owned(),
        shape: shape.to_vec(),
        per_sample: true,
    };
    let mut program = Program::new(vec![argument("x", &[4]), argument("y", &[])]);
    let mut roots = vec![];
    for output in 0..outputs {
        let mut op = |op, operands: &[u32]| program.push(Kind::Elementwise(op), operands);
        let product = op(Op::Mul, &[output % 4, 4]);
        let sum = op(Op::Add, &[product, (output + 1) % 4]);
        let product = op(Op::Mul, &[sum, (output + 2) % 4]);
        let sum = op(Op::Sub, &[product, (output + 3) % 4]);
        roots.push(op(Op::Mul, &[sum, sum]));
    }
    program.set_outputs(roots);
    program
}

/// Rows of all lengths up to 65 derivatives, and of up to 13 values.
#[test]
fn rows_end_where_the_arrays_do() {
    for outputs in 1..=13 {
        let plan = Plan::new(
            &program_of_rows(outputs as u32),
            Request::Jacobian { sources: vec![0, 1], coordinate: None },
        );
        let mut tried = vec![(512, true), (512, false), (1060, true), (8192, true), (2048, false)];
        if outputs == 10 {
            // The derivatives are larger than caches.
            tried.extend([(63_003, true), (63_003, false)]);
        }
        for (samples, at_end) in tried {
            let mut results = vec![];
            for native in [Native::Never, Native::Always(Simd::Avx2), Native::Always(Simd::Avx512)] {
                let mut inputs = [4 * samples, samples].map(|count| Guarded::new(count, at_end));
                for (k, number) in inputs.iter_mut().flat_map(|input| input.slice()).enumerate() {
                    *number = (k as f64 + 1.0).sin();
                }
                let [x, y] = &mut inputs;
                let inputs = [Input::PerSample(x.slice()), Input::PerSample(y.slice())];
                let mut written =
                    [outputs * samples, 5 * outputs * samples].map(|count| Guarded::new(count, at_end));
                let [values, gradients] = &mut written;
                let outputs = Outputs {
                    values: vec![values.slice()],
                    gradients: vec![gradients.slice()],
                    statuses: vec![],
                };
                let (state, mut statistics) = (ModeState::mask_real(), Statistics::new());
                let execution = Execution { threads: 2, block: None, native };
                plan.run(samples, &inputs, outputs, &state, &mut statistics, execution, &mut || false)
                    .expect("nobody interrupts");
                let bits =
                    |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
                results.push((bits(values.slice()), bits(gradients.slice())));
            }
            assert!(
                results.iter().all(|result| *result == results[0]),
                "{outputs} outputs, {samples} samples"
            );
            assert!(results[0].0.iter().all(|&bits| bits != 0), "every value is written");
        }
    }
}
