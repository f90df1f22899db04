//! The scalar engine: record, backward, and both, per recorded op.
//!
//! Programs: a polynomial of degree 8 (Horner), a rational function 3/3, and a long chain. Input
//! classes: all REAL, near a pole (|Q| about 1e-6) and at a pole (Q = 0). The baseline in each group
//! is the same arithmetic on bare doubles, with derivatives written by hand. Throughput counts
//! recorded ops, so `Gelem/s` upside down is nanoseconds per op.
//!
//! `cargo bench` runs all; `cargo bench -- backward/rational` one part.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::{Duration, Instant};
use zeroproof::{ModeState, Statistics, Tape, Var};

/// So many evaluations make one graph, which stays in the L2 cache.
const POINTS: usize = 32;
const CHAIN: usize = 2000;
const COEFFICIENTS: [f64; 9] = [0.5, -1.25, 0.75, 2.0, -0.5, 0.25, 1.5, -0.75, 1.0];

#[derive(Clone, Copy)]
enum Program {
    Polynomial,
    Rational,
    Chain,
}

#[derive(Clone, Copy)]
enum Class {
    AllReal,
    NearPole,
    AtPole,
}

/// A program with its inputs.
#[derive(Clone, Copy)]
struct Case {
    program: Program,
    class: Class,
}

const CASES: [Case; 5] = [
    Case { program: Program::Polynomial, class: Class::AllReal },
    Case { program: Program::Rational, class: Class::AllReal },
    Case { program: Program::Rational, class: Class::NearPole },
    Case { program: Program::Rational, class: Class::AtPole },
    Case { program: Program::Chain, class: Class::AllReal },
];

impl Case {
    fn name(self) -> String {
        let program = match self.program {
            Program::Polynomial => "polynomial",
            Program::Rational => "rational",
            Program::Chain => "chain",
        };
        let class = match self.class {
            Class::AllReal => "all-real",
            Class::NearPole => "near-pole",
            Class::AtPole => "at-pole",
        };
        format!("{program}/{class}")
    }

    /// Points of evaluation; `Q(x) = (x − 1)(x² + 1)` has its pole at 1.
    fn points(self) -> [f64; POINTS] {
        std::array::from_fn(|k| match self.class {
            Class::AllReal => -0.9 + 0.05 * k as f64,
            Class::NearPole => 1.0 + 1e-6 / (1.0 + k as f64),
            Class::AtPole => 1.0,
        })
    }

    /// How many ops a graph has.
    fn ops(self) -> u64 {
        let ops = match self.program {
            Program::Polynomial => POINTS * (2 * 8 + 1),
            Program::Rational => POINTS * (2 * 3 + 2 * 3 + 1 + 1),
            Program::Chain => CHAIN,
        };
        ops as u64
    }
}

/// The leaves of a case, on a tape.
struct Leaves<'t> {
    coefficients: Vec<Var<'t>>,
    points: Vec<Var<'t>>,
    zero: Var<'t>,
}

impl<'t> Leaves<'t> {
    fn new(tape: &'t Tape, case: Case) -> Self {
        Self {
            coefficients: bare::coefficients(case).into_iter().map(|c| tape.parameter(c)).collect(),
            points: case.points().iter().map(|&x| tape.constant(x)).collect(),
            zero: tape.constant(0.0),
        }
    }

    fn record(&self, case: Case) -> Var<'t> {
        match case.program {
            Program::Polynomial => self.total(|x| horner(&self.coefficients, x)),
            Program::Rational => {
                let (p, q) = self.coefficients.split_at(4);
                self.total(|x| horner(p, x) / horner(q, x))
            }
            Program::Chain => {
                let (x, c) = (&self.coefficients[0], &self.points[0]);
                (0..CHAIN / 2).fold(x.clone(), |y, _| &y * c + x)
            }
        }
    }

    fn total(&self, f: impl Fn(&Var<'t>) -> Var<'t>) -> Var<'t> {
        self.points.iter().fold(self.zero.clone(), |sum, x| sum + f(x))
    }
}

fn horner<'t>(coefficients: &[Var<'t>], x: &Var<'t>) -> Var<'t> {
    let (first, others) = coefficients.split_last().expect("a polynomial");
    others.iter().rev().fold(first.clone(), |y, c| y * x + c)
}

/// The same functions on bare doubles; the gradient with respect to the coefficients by hand.
mod bare {
    use super::{CHAIN, COEFFICIENTS, Case, Program};

    /// `(x − 1)(x² + 1)`.
    const DENOMINATOR: [f64; 4] = [-1.0, 1.0, -1.0, 1.0];

    fn horner(coefficients: &[f64], x: f64) -> f64 {
        coefficients.iter().rev().skip(1).fold(coefficients[coefficients.len() - 1], |y, c| y * x + c)
    }

    pub fn value(case: Case, coefficients: &[f64], points: &[f64]) -> f64 {
        match case.program {
            Program::Polynomial => points.iter().map(|&x| horner(coefficients, x)).sum(),
            Program::Rational => {
                points.iter().map(|&x| horner(&coefficients[..4], x) / horner(&coefficients[4..], x)).sum()
            }
            Program::Chain => (0..CHAIN / 2).fold(coefficients[0], |y, _| y * points[0] + coefficients[0]),
        }
    }

    pub fn gradient(case: Case, coefficients: &[f64], points: &[f64], gradient: &mut [f64]) {
        gradient.fill(0.0);
        match case.program {
            Program::Polynomial => {
                for &x in points {
                    gradient.iter_mut().fold(1.0, |power, g| {
                        *g += power;
                        power * x
                    });
                }
            }
            Program::Rational => {
                for &x in points {
                    let (p, q) = (horner(&coefficients[..4], x), horner(&coefficients[4..], x));
                    let (to_p, to_q) = (1.0 / q, -p / (q * q));
                    let mut power = 1.0;
                    for k in 0..4 {
                        gradient[k] += to_p * power;
                        gradient[4 + k] += to_q * power;
                        power *= x;
                    }
                }
            }
            Program::Chain => {
                let mut adjoint = 1.0;
                for _ in 0..CHAIN / 2 {
                    gradient[0] += adjoint;
                    adjoint *= points[0];
                }
                gradient[0] += adjoint;
            }
        }
    }

    pub fn coefficients(case: Case) -> Vec<f64> {
        match case.program {
            Program::Rational => [&COEFFICIENTS[..4], &DENOMINATOR].concat(),
            _ => COEFFICIENTS.to_vec(),
        }
    }
}

fn modes() -> [(&'static str, ModeState); 3] {
    [
        ("mask-real", ModeState::mask_real()),
        ("saturating", ModeState::saturating(1.0).expect("a bound")),
        ("hybrid", ModeState::hybrid(Some(1e-3)).expect("a threshold")),
    ]
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(700));
    group
}

/// Adds one benchmark; the last part of its name is the mode or `bare`.
fn add(group: &mut BenchmarkGroup<WallTime>, case: Case, last: &str, mut run: impl FnMut()) {
    group.throughput(Throughput::Elements(case.ops()));
    group.bench_function(BenchmarkId::new(case.name(), last), |bencher| bencher.iter(&mut run));
}

/// A long loop ends its batches, as training does; so the statistics stay those of one batch.
fn differentiate(y: &Var, state: &ModeState, statistics: &mut Statistics) {
    statistics.end_batch();
    y.backward_with(1.0, state, statistics).expect("it has parameters");
}

fn record(criterion: &mut Criterion) {
    let mut group = group(criterion, "record");
    for case in CASES {
        let (coefficients, points) = (bare::coefficients(case), case.points());
        add(&mut group, case, "bare", || {
            black_box(bare::value(case, black_box(&coefficients), black_box(&points)));
        });
        let tape = Tape::new();
        let leaves = Leaves::new(&tape, case);
        group.throughput(Throughput::Elements(case.ops()));
        group.bench_function(BenchmarkId::new(case.name(), "tape"), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| time_recording(&leaves, case)).sum());
        });
    }
}

/// The time to record a graph and drop its intermediate variables; the graph is dropped untimed.
fn time_recording(leaves: &Leaves, case: Case) -> Duration {
    let start = Instant::now();
    let y = black_box(leaves).record(case);
    let time = start.elapsed();
    drop(y);
    time
}

fn backward(criterion: &mut Criterion) {
    let mut group = group(criterion, "backward");
    for case in CASES {
        let (coefficients, points) = (bare::coefficients(case), case.points());
        let mut gradient = vec![0.0; coefficients.len()];
        add(&mut group, case, "bare", || {
            bare::gradient(case, black_box(&coefficients), black_box(&points), black_box(&mut gradient));
        });
        for (mode, state) in modes() {
            let (tape, mut statistics) = (Tape::new(), Statistics::new());
            let leaves = Leaves::new(&tape, case);
            let y = leaves.record(case);
            add(&mut group, case, mode, || {
                differentiate(black_box(&y), &state, &mut statistics);
            });
        }
    }
}

fn record_and_backward(criterion: &mut Criterion) {
    let mut group = group(criterion, "record_and_backward");
    for case in CASES {
        let (coefficients, points) = (bare::coefficients(case), case.points());
        let mut gradient = vec![0.0; coefficients.len()];
        add(&mut group, case, "bare", || {
            black_box(bare::value(case, black_box(&coefficients), black_box(&points)));
            bare::gradient(case, black_box(&coefficients), black_box(&points), black_box(&mut gradient));
        });
        for (mode, state) in modes() {
            let (tape, mut statistics) = (Tape::new(), Statistics::new());
            let leaves = Leaves::new(&tape, case);
            add(&mut group, case, mode, || {
                let y = black_box(&leaves).record(case);
                differentiate(&y, &state, &mut statistics);
            });
        }
    }
}

criterion_group!(benches, record, backward, record_and_backward);
criterion_main!(benches);
