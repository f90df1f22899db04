//! Batches: values and derivatives per sample, means with gradients, the arm, and the block's size.
//!
//! Functions: a loss with a rational function 3/3, and that of a two-link arm (five sines and cosines,
//! a division). Input classes: all far from the pole, one sample in a hundred within δ of it, and one
//! in a hundred exactly on it, whose value is not REAL. The baseline in each group is the same
//! arithmetic and its derivatives, fused by hand in one loop; the engine chooses its vectors at run
//! time, the baseline gets the same ones with `RUSTFLAGS="-C target-cpu=native"`. All on one thread.
//! Throughput counts samples, so `Gelem/s` upside down is nanoseconds per sample.
//!
//! `cargo bench --bench batched` runs all; `-- "rational mean"` one part.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use zeroproof::batch::{Execution, Input, Native, Outputs, Plan, Program, Request, Total, Totals};
use zeroproof::{ModeState, Statistics};
use zeroproof_benches::batched_functions::{arm, rational};
use zeroproof_benches::hand_fused::{self, Rational};

const SAMPLES: usize = 100_000;
const DELTA: f64 = 1e-2;
/// `1 + x + x²/4 + x³/4 = (1 + x)(1 + x²/4)` has its pole exactly at −1.
const FUNCTION: Rational = Rational { theta: [1.0, 0.5, -0.3, 0.2], phi: [1.0, 0.25, 0.25] };

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Far,
    /// One sample in a hundred is within δ of the pole.
    Near,
    /// One in a hundred is on it.
    AtPole,
}

struct Setting {
    name: &'static str,
    state: ModeState,
    class: Class,
}

fn settings() -> [Setting; 5] {
    let mask_real = ModeState::mask_real();
    let hybrid = ModeState::hybrid(Some(DELTA)).expect("a threshold");
    let saturating = ModeState::saturating(1.0).expect("a bound");
    [
        Setting { name: "Mask-REAL", state: mask_real.clone(), class: Class::Far },
        Setting { name: "Hybrid, far", state: hybrid.clone(), class: Class::Far },
        Setting { name: "Hybrid, 1 % near", state: hybrid, class: Class::Near },
        Setting { name: "Saturating", state: saturating, class: Class::Far },
        Setting { name: "Mask-REAL, 1 % not REAL", state: mask_real, class: Class::AtPole },
    ]
}

/// Random numbers from 0 to 1 (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> Vec<f64> {
        (0..SAMPLES).map(|_| low + (high - low) * self.next()).collect()
    }

    /// Like `between`, with samples of the class: near or at `pole`.
    fn in_class(&mut self, class: Class, pole: f64, (low, high): (f64, f64)) -> Vec<f64> {
        let mut numbers = self.between(low, high);
        for number in &mut numbers {
            let is_chosen = class != Class::Far && self.next() < 0.01;
            if is_chosen {
                let distance = if class == Class::Near { 0.1 + 0.9 * self.next() } else { 0.0 };
                *number = pole + 0.7 * DELTA * distance;
            }
        }
        numbers
    }
}

/// A plan with its inputs and room for its outputs.
struct Job {
    plan: Plan,
    shared: Vec<Vec<f64>>,
    per_sample: Vec<Vec<f64>>,
    values: Vec<Vec<f64>>,
    gradients: Vec<Vec<f64>>,
    statistics: Statistics,
}

impl Job {
    fn rational(class: Class, sources: &[usize], total: Option<Total>) -> Self {
        let mut random = Random(1);
        let x = random.in_class(class, -1.0, (-0.9, 1.0));
        let shared = vec![FUNCTION.theta.to_vec(), FUNCTION.phi.to_vec()];
        Self::new(&rational(), shared, vec![x, random.between(0.0, 1.0)], sources, total)
    }

    fn arm(class: Class) -> Self {
        let mut random = Random(2);
        let b = random.in_class(class, 0.0, (0.2, 2.2));
        let [a, tx, ty] = [-1.0, 0.0, 0.0].map(|low| random.between(low, 1.0));
        Self::new(&arm(), vec![], vec![a, b, tx, ty], &[0, 1, 2, 3], None)
    }

    fn new(
        program: &Program,
        shared: Vec<Vec<f64>>,
        per_sample: Vec<Vec<f64>>,
        sources: &[usize],
        total: Option<Total>,
    ) -> Self {
        let request = Request::Gradient { sources: sources.to_vec(), coordinate: None, total };
        let len = if total.is_some() { 0 } else { SAMPLES };
        Self {
            plan: Plan::new(program, request),
            shared,
            per_sample,
            values: if total.is_some() { vec![] } else { vec![vec![0.0; len]] },
            gradients: vec![vec![0.0; len]; sources.len()],
            statistics: Statistics::new(),
        }
    }

    fn run(&mut self, state: &ModeState, block: Option<usize>) -> Totals {
        let shared = self.shared.iter().map(|numbers| Input::Shared(numbers));
        let inputs: Vec<_> =
            shared.chain(self.per_sample.iter().map(|numbers| Input::PerSample(numbers))).collect();
        let outputs = Outputs {
            values: self.values.iter_mut().map(|numbers| &mut numbers[..]).collect(),
            gradients: self.gradients.iter_mut().map(|numbers| &mut numbers[..]).collect(),
            statuses: vec![],
        };
        // A long loop ends its batches, as training does; so the statistics stay those of one batch.
        self.statistics.end_batch();
        let execution = Execution { threads: 1, block, native: Native::default() };
        let never = &mut || false;
        self.plan
            .run(SAMPLES, black_box(&inputs), outputs, state, &mut self.statistics, execution, never)
            .expect("nobody interrupts")
    }
}

fn assert_close(ours: &[f64], by_hand: &[f64]) {
    assert!(!ours.is_empty() && ours.len() == by_hand.len());
    let scale = by_hand.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (ours, by_hand) in ours.iter().zip(by_hand) {
        assert!((ours - by_hand).abs() <= 1e-12 * scale, "the same function: {ours} and {by_hand}");
    }
}

fn group<'c>(criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_millis(200));
    group.measurement_time(Duration::from_millis(700));
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group
}

/// One benchmark for each setting.
fn add_settings(group: &mut BenchmarkGroup<WallTime>, job: impl Fn(Class) -> Job) {
    for Setting { name, state, class } in settings() {
        let mut job = job(class);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                black_box(job.run(&state, None));
                black_box((&mut job.values, &mut job.gradients));
            });
        });
    }
}

fn per_sample(criterion: &mut Criterion) {
    let job = |class| Job::rational(class, &[2], None);
    let mut group = group(criterion, "rational value and derivative");
    let mut ours = job(Class::Far);
    ours.run(&ModeState::mask_real(), None);
    let (x, t) = (&ours.per_sample[0], &ours.per_sample[1]);
    let (mut value, mut derivative) = (vec![0.0; SAMPLES], vec![0.0; SAMPLES]);
    let mut by_hand = || {
        FUNCTION.per_sample(black_box(x), black_box(t), &mut value, &mut derivative);
        black_box((&mut value, &mut derivative));
    };
    group.bench_function("hand-fused", |bencher| bencher.iter(&mut by_hand));
    by_hand();
    assert_close(&ours.values[0], &value);
    assert_close(&ours.gradients[0], &derivative);
    add_settings(&mut group, job);
}

fn mean(criterion: &mut Criterion) {
    let job = |class| Job::rational(class, &[0, 1], Some(Total::Mean));
    let mut group = group(criterion, "rational mean and 7 gradients");
    let mut ours = job(Class::Far);
    let totals = ours.run(&ModeState::mask_real(), None);
    let (x, t) = (&ours.per_sample[0], &ours.per_sample[1]);
    let by_hand = || FUNCTION.sums(black_box(x), black_box(t)).map(|sum| sum / SAMPLES as f64);
    group.bench_function("hand-fused", |bencher| bencher.iter(by_hand));
    assert_close(&[&[totals.value], &totals.gradients.concat()[..]].concat(), &by_hand());
    add_settings(&mut group, job);
}

fn arms(criterion: &mut Criterion) {
    let mut group = group(criterion, "arm value and 4 gradients");
    let mut ours = Job::arm(Class::Far);
    ours.run(&ModeState::mask_real(), None);
    let inputs = [0, 1, 2, 3].map(|place| &ours.per_sample[place][..]);
    let mut outputs = [(); 5].map(|()| vec![0.0; SAMPLES]);
    let mut by_hand = || {
        hand_fused::arm(black_box(inputs), outputs.each_mut().map(|all| &mut all[..]));
        black_box(&mut outputs);
    };
    group.bench_function("hand-fused", |bencher| bencher.iter(&mut by_hand));
    by_hand();
    for (ours, by_hand) in ours.values.iter().chain(&ours.gradients).zip(&outputs) {
        assert_close(ours, by_hand);
    }
    add_settings(&mut group, Job::arm);
}

fn block_sizes(criterion: &mut Criterion) {
    let mut group = group(criterion, "block size");
    let jobs = [
        ("value and derivative", Job::rational(Class::Far, &[2], None)),
        ("mean and 7 gradients", Job::rational(Class::Far, &[0, 1], Some(Total::Mean))),
    ];
    for (name, mut job) in jobs {
        let sizes = [32, 64, 128, 256, 512, 1024, 4096].map(Some);
        for block in sizes.into_iter().chain([None]) {
            let size = block.map_or("chosen".to_owned(), |block| block.to_string());
            group.bench_function(BenchmarkId::new(name, size), |bencher| {
                bencher.iter(|| {
                    black_box(job.run(&ModeState::mask_real(), block));
                    black_box((&mut job.values, &mut job.gradients));
                });
            });
        }
    }
}

criterion_group!(benches, per_sample, mean, arms, block_sizes);
criterion_main!(benches);
