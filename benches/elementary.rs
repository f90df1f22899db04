//! The elementary functions: one call at a time, and in loops over arrays, per element.
//!
//! Input classes: `usual`, where the fast form holds, and `fallback`, where it does not (subnormal results or
//! operands, huge angles). Baseline in each group is the `libm` crate, one call at a time. The loops are
//! compiled three times, for the baseline of the target and, on x86-64, for AVX2 and AVX-512; all must
//! give the same bits, which is asserted before the clock starts.
//!
//! `cargo bench --bench elementary` runs all; `-- exp/usual` one part. Throughput counts elements, so
//! `Gelem/s` upside down is nanoseconds per element.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::f64::consts::{PI, SQRT_2};
use std::hint::black_box;
use zeroproof::elementary::{self, fast};

/// So many elements: operands and results stay in the L1 cache.
const ELEMENTS: usize = 1024;

/// One function with what is measured of it.
struct Case {
    name: &'static str,
    ours: fn(f64) -> f64,
    libm: fn(f64) -> f64,
    loops: Vec<(&'static str, Loop)>,
    usual: (f64, f64),
    fallback: (f64, f64),
}

/// Writes the fast form of each operand; true if all of them hold.
type Loop = fn(&[f64], &mut [f64]) -> bool;

/// The second operands of functions of two.
const EXPONENT: f64 = 0.7;
const OTHER_SIDE: f64 = 3.1;

macro_rules! fast_loops {
    ($($name:ident $(with $second:expr)?),*) => { $(
        mod $name {
            use super::*;

            #[inline(always)]
            fn portable(x: &[f64], z: &mut [f64]) -> bool {
                let mut all_hold = true;
                for (z, &x) in z.iter_mut().zip(x) {
                    let (value, holds) = fast::$name(x $(, $second)?);
                    *z = value;
                    all_hold &= holds;
                }
                all_hold
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2(x: &[f64], z: &mut [f64]) -> bool {
                portable(x, z)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
            fn avx512(x: &[f64], z: &mut [f64]) -> bool {
                portable(x, z)
            }

            pub fn loops() -> Vec<(&'static str, Loop)> {
                #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "nothing to add"))]
                let mut loops: Vec<(&'static str, Loop)> = vec![("loop baseline", portable)];
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx2") {
                        // SAFETY: the processor has the features.
                        loops.push(("loop AVX2", |x, z| unsafe { avx2(x, z) }));
                    }
                    if is_x86_feature_detected!("avx512f")
                        && is_x86_feature_detected!("avx512dq")
                        && is_x86_feature_detected!("avx512vl")
                    {
                        // SAFETY: the processor has the features.
                        loops.push(("loop AVX-512", |x, z| unsafe { avx512(x, z) }));
                    }
                }
                loops
            }
        }
    )* };
}
fast_loops!(exp, ln, sin, cos, tanh, expm1, ln_1p, sigmoid, softplus, tan, sinc, sinc_slope, asin, acos, pow with EXPONENT,
    hypot with OTHER_SIDE, atan2 with OTHER_SIDE,
    atan, sinh, cosh, asinh, acosh, atanh, cbrt, log2, log10, remainder with OTHER_SIDE, floor_quotient with OTHER_SIDE);
fast_loops!(
    erf,
    erfc,
    erf_slope,
    log_ndtr,
    log_ndtr_slope,
    exprel,
    exprel_slope,
    log1prel,
    log1prel_slope,
    cosc,
    cosc_slope
);

fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "exp",
            ours: elementary::exp,
            libm: libm::exp,
            loops: exp::loops(),
            usual: (-700.0, 700.0),
            fallback: (-745.0, -709.0),
        },
        Case {
            name: "ln",
            ours: elementary::ln,
            libm: libm::log,
            loops: ln::loops(),
            usual: (0.01, 1e6),
            fallback: (1e-320, 1e-308),
        },
        Case {
            name: "sin",
            ours: elementary::sin,
            libm: libm::sin,
            loops: sin::loops(),
            usual: (-1000.0, 1000.0),
            fallback: (1e20, 1e300),
        },
        Case {
            name: "cos",
            ours: elementary::cos,
            libm: libm::cos,
            loops: cos::loops(),
            usual: (-1000.0, 1000.0),
            fallback: (1e20, 1e300),
        },
        Case {
            name: "tanh",
            ours: elementary::tanh,
            libm: libm::tanh,
            loops: tanh::loops(),
            usual: (-5.0, 5.0),
            // Its fast form covers all numbers; saturated ones stand in for the rest.
            fallback: (20.0, 1e300),
        },
        Case {
            name: "expm1",
            ours: elementary::expm1,
            libm: libm::expm1,
            loops: expm1::loops(),
            usual: (-5.0, 5.0),
            fallback: (708.5, 709.7),
        },
        Case {
            name: "ln_1p",
            ours: elementary::ln_1p,
            libm: libm::log1p,
            loops: ln_1p::loops(),
            usual: (-0.9, 5.0),
            // Its fast form covers all that has a logarithm; huge ones stand in for the rest.
            fallback: (1e20, 1e300),
        },
        Case {
            name: "sigmoid",
            ours: elementary::sigmoid,
            libm: |x| 1.0 / (1.0 + libm::exp(-x)),
            loops: sigmoid::loops(),
            usual: (-20.0, 20.0),
            fallback: (-745.0, -709.0),
        },
        Case {
            name: "softplus",
            ours: elementary::softplus,
            libm: |x| libm::log1p(libm::exp(x)),
            loops: softplus::loops(),
            usual: (-20.0, 20.0),
            fallback: (-745.0, -601.0),
        },
        Case {
            name: "tan",
            ours: elementary::tan,
            libm: libm::tan,
            loops: tan::loops(),
            usual: (-1000.0, 1000.0),
            fallback: (1e20, 1e300),
        },
        Case {
            name: "sinc",
            ours: elementary::sinc,
            libm: |x| libm::sin(PI * x) / (PI * x),
            loops: sinc::loops(),
            usual: (-10.0, 10.0),
            fallback: (1.2e15, 9e15),
        },
        Case {
            name: "sinc_slope",
            ours: elementary::sinc_slope,
            libm: |x| (libm::cos(PI * x) - libm::sin(PI * x) / (PI * x)) / x,
            loops: sinc_slope::loops(),
            usual: (-10.0, 10.0),
            fallback: (1.2e15, 9e15),
        },
        Case {
            name: "asin",
            ours: elementary::asin,
            libm: libm::asin,
            loops: asin::loops(),
            usual: (-1.0, 1.0),
            // Nothing but NaN.
            fallback: (1.5, 2.0),
        },
        Case {
            name: "acos",
            ours: elementary::acos,
            libm: libm::acos,
            loops: acos::loops(),
            usual: (-1.0, 1.0),
            // Nothing but NaN.
            fallback: (1.5, 2.0),
        },
        Case {
            name: "pow",
            ours: |x| elementary::pow(x, EXPONENT),
            libm: |x| libm::pow(x, EXPONENT),
            loops: pow::loops(),
            usual: (0.01, 100.0),
            fallback: (1e-320, 1e-308),
        },
        Case {
            name: "hypot",
            ours: |x| elementary::hypot(x, OTHER_SIDE),
            libm: |x| libm::hypot(x, OTHER_SIDE),
            loops: hypot::loops(),
            usual: (-100.0, 100.0),
            fallback: (1e200, 1e300),
        },
        Case {
            name: "atan2",
            ours: |x| elementary::atan2(x, OTHER_SIDE),
            libm: |x| libm::atan2(x, OTHER_SIDE),
            loops: atan2::loops(),
            usual: (-100.0, 100.0),
            fallback: (1e200, 1e300),
        },
        Case {
            name: "atan",
            ours: elementary::atan,
            libm: libm::atan,
            loops: atan::loops(),
            usual: (-10.0, 10.0),
            // Its fast form covers all numbers; huge ones stand in for the rest.
            fallback: (1e20, 1e300),
        },
        Case {
            name: "sinh",
            ours: elementary::sinh,
            libm: libm::sinh,
            loops: sinh::loops(),
            usual: (-5.0, 5.0),
            fallback: (708.5, 710.4),
        },
        Case {
            name: "cosh",
            ours: elementary::cosh,
            libm: libm::cosh,
            loops: cosh::loops(),
            usual: (-5.0, 5.0),
            fallback: (708.5, 710.4),
        },
        Case {
            name: "asinh",
            ours: elementary::asinh,
            libm: libm::asinh,
            loops: asinh::loops(),
            usual: (-5.0, 5.0),
            fallback: (1e200, 1e300),
        },
        Case {
            name: "acosh",
            ours: elementary::acosh,
            libm: libm::acosh,
            loops: acosh::loops(),
            usual: (1.0, 10.0),
            fallback: (1e200, 1e300),
        },
        Case {
            name: "atanh",
            ours: elementary::atanh,
            libm: libm::atanh,
            loops: atanh::loops(),
            usual: (-1.0, 1.0),
            // Nothing but NaN.
            fallback: (1.5, 2.0),
        },
        Case {
            name: "cbrt",
            ours: elementary::cbrt,
            libm: libm::cbrt,
            loops: cbrt::loops(),
            usual: (-100.0, 100.0),
            fallback: (1e-320, 1e-308),
        },
        Case {
            name: "log2",
            ours: elementary::log2,
            libm: libm::log2,
            loops: log2::loops(),
            usual: (0.01, 1000000.0),
            fallback: (1e-320, 1e-308),
        },
        Case {
            name: "log10",
            ours: elementary::log10,
            libm: libm::log10,
            loops: log10::loops(),
            usual: (0.01, 1000000.0),
            fallback: (1e-320, 1e-308),
        },
        Case {
            name: "remainder",
            ours: |x| elementary::remainder(x, OTHER_SIDE),
            libm: |x| libm::fmod(x, OTHER_SIDE),
            loops: remainder::loops(),
            usual: (-100.0, 100.0),
            fallback: (1e20, 1e300),
        },
        Case {
            name: "floor_quotient",
            ours: |x| elementary::floor_quotient(x, OTHER_SIDE),
            libm: |x| libm::floor(x / OTHER_SIDE),
            loops: floor_quotient::loops(),
            usual: (-100.0, 100.0),
            fallback: (1e16, 1e17),
        },
        Case {
            name: "erf",
            ours: elementary::erf,
            libm: libm::erf,
            loops: erf::loops(),
            usual: (-4.0, 4.0),
            fallback: (1e-300, 1e-290),
        },
        Case {
            name: "erfc",
            ours: elementary::erfc,
            libm: libm::erfc,
            loops: erfc::loops(),
            usual: (-4.0, 20.0),
            fallback: (26.1, 27.2),
        },
        Case {
            name: "erf_slope",
            ours: elementary::erf_slope,
            libm: |x| std::f64::consts::FRAC_2_SQRT_PI * libm::exp(-x * x),
            loops: erf_slope::loops(),
            usual: (-5.0, 5.0),
            fallback: (26.55, 27.2),
        },
        Case {
            name: "log_ndtr",
            ours: elementary::log_ndtr,
            libm: |x| libm::log(0.5 * libm::erfc(-x / SQRT_2)),
            loops: log_ndtr::loops(),
            usual: (-10.0, 10.0),
            fallback: (37.1, 38.4),
        },
        Case {
            name: "log_ndtr_slope",
            ours: elementary::log_ndtr_slope,
            libm: |x| libm::exp(-0.5 * x * x) / libm::erfc(-x / SQRT_2),
            loops: log_ndtr_slope::loops(),
            usual: (-10.0, 10.0),
            fallback: (37.1, 38.4),
        },
        Case {
            name: "exprel",
            ours: elementary::exprel,
            libm: |x| libm::expm1(x) / x,
            loops: exprel::loops(),
            usual: (-5.0, 5.0),
            fallback: (709.0, 716.0),
        },
        Case {
            name: "exprel_slope",
            ours: elementary::exprel_slope,
            libm: |x| (libm::exp(x) * (x - 1.0) + 1.0) / (x * x),
            loops: exprel_slope::loops(),
            usual: (-5.0, 5.0),
            fallback: (701.0, 716.0),
        },
        Case {
            name: "log1prel",
            ours: elementary::log1prel,
            libm: |x| libm::log1p(x) / x,
            loops: log1prel::loops(),
            usual: (-0.9, 5.0),
            fallback: (1e280, 1e300),
        },
        Case {
            name: "log1prel_slope",
            ours: elementary::log1prel_slope,
            libm: |x| (x / (1.0 + x) - libm::log1p(x)) / (x * x),
            loops: log1prel_slope::loops(),
            usual: (-0.9, 5.0),
            fallback: (1e152, 1e160),
        },
        Case {
            name: "cosc",
            ours: elementary::cosc,
            libm: |x| (1.0 - libm::cos(x)) / (x * x),
            loops: cosc::loops(),
            usual: (-20.0, 20.0),
            fallback: (1e20, 1e150),
        },
        Case {
            name: "cosc_slope",
            ours: elementary::cosc_slope,
            libm: |x| (x * libm::sin(x) + 2.0 * libm::cos(x) - 2.0) / (x * x * x),
            loops: cosc_slope::loops(),
            usual: (-20.0, 20.0),
            fallback: (1e20, 1e150),
        },
    ]
}

/// Evenly spread over the interval, in an order that no branch predictor learns.
fn operands((low, high): (f64, f64)) -> Vec<f64> {
    (0..ELEMENTS)
        .map(|i| low + (high - low) * ((i * 619 % ELEMENTS) as f64 + 0.5) / ELEMENTS as f64)
        .collect()
}

fn one_by_one(
    group: &mut BenchmarkGroup<'_, WallTime>,
    class: &str,
    name: &str,
    f: fn(f64) -> f64,
    x: &[f64],
) {
    let mut z = vec![0.0; ELEMENTS];
    group.bench_function(BenchmarkId::new(class, name), |bencher| {
        bencher.iter(|| {
            for (z, &x) in z.iter_mut().zip(black_box(x)) {
                *z = f(x);
            }
            black_box(&mut z);
        });
    });
}

fn functions(criterion: &mut Criterion) {
    for case in cases() {
        let mut group = criterion.benchmark_group(case.name);
        group.throughput(Throughput::Elements(ELEMENTS as u64));
        for (class, interval) in [("usual", case.usual), ("fallback", case.fallback)] {
            let x = operands(interval);
            one_by_one(&mut group, class, "libm", case.libm, &x);
            one_by_one(&mut group, class, "ours", case.ours, &x);
        }

        let x = operands(case.usual);
        let expected: Vec<u64> = x.iter().map(|&x| (case.ours)(x).to_bits()).collect();
        let mut z = vec![0.0; ELEMENTS];
        for (name, fast_loop) in case.loops {
            assert!(fast_loop(&x, &mut z), "the fast form holds for the usual operands");
            assert!(z.iter().zip(&expected).all(|(z, bits)| z.to_bits() == *bits), "same bits on every path");
            group.bench_function(BenchmarkId::new("usual", name), |bencher| {
                bencher.iter(|| black_box(fast_loop(black_box(&x), black_box(&mut z))));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, functions);
criterion_main!(benches);
