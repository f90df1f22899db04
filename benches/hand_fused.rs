//! What one would write without the library: value and derivatives of the benchmarks' functions on
//! plain doubles, fused by hand in one loop.
//!
//! A module of `batched.rs`. `batched.py` compiles the file by itself, for the baseline of the target
//! and for the processor at hand, and calls the functions of [`c`].

/// Accumulators of a sum that do not wait for each other: they make up vectors.
const LANES: usize = 8;

/// Numerator and denominator of the rational function.
pub struct Rational {
    /// Of the numerator, ascending from `x⁰`.
    pub theta: [f64; 4],
    /// Of the denominator, ascending from `x`; its constant is 1.
    pub phi: [f64; 3],
}

impl Rational {
    /// The loss of one sample, and its derivative by `x`.
    #[inline(always)]
    fn value_and_derivative(&self, x: f64, t: f64) -> (f64, f64) {
        let ([_, a1, a2, a3], [b1, b2, b3]) = (self.theta, self.phi);
        let (r, d, q) = self.quotient(x, t);
        let p_slope = a1 + x * (2.0 * a2 + x * (3.0 * a3));
        let q_slope = b1 + x * (2.0 * b2 + x * (3.0 * b3));
        (d * d, 2.0 * d / q * (p_slope - r * q_slope))
    }

    /// The loss of one sample, and its derivatives by `theta` and `phi`.
    #[inline(always)]
    fn value_and_gradients(&self, x: f64, t: f64) -> [f64; 8] {
        let (r, d, q) = self.quotient(x, t);
        let to_p = 2.0 * d / q;
        let to_q = -to_p * r;
        let (square, cube) = (x * x, x * x * x);
        [d * d, to_p, to_p * x, to_p * square, to_p * cube, to_q * x, to_q * square, to_q * cube]
    }

    /// The quotient, its distance from `t`, and the denominator.
    #[inline(always)]
    fn quotient(&self, x: f64, t: f64) -> (f64, f64, f64) {
        let ([a0, a1, a2, a3], [b1, b2, b3]) = (self.theta, self.phi);
        let p = a0 + x * (a1 + x * (a2 + x * a3));
        let q = 1.0 + x * (b1 + x * (b2 + x * b3));
        let r = p / q;
        (r, r - t, q)
    }

    /// Loss and derivative by `x` of each sample.
    pub fn per_sample(&self, x: &[f64], t: &[f64], value: &mut [f64], derivative: &mut [f64]) {
        for (((x, t), value), derivative) in x.iter().zip(t).zip(value).zip(derivative) {
            (*value, *derivative) = self.value_and_derivative(*x, *t);
        }
    }

    /// The sums of the losses, and of their derivatives by `theta` and `phi`.
    pub fn sums(&self, x: &[f64], t: &[f64]) -> [f64; 8] {
        let mut sums = [[0.0; LANES]; 8];
        let ((x, x_rest), (t, t_rest)) = (x.as_chunks::<LANES>(), t.as_chunks::<LANES>());
        for (x, t) in x.iter().zip(t) {
            for lane in 0..LANES {
                let terms = self.value_and_gradients(x[lane], t[lane]);
                for (sum, term) in sums.iter_mut().zip(terms) {
                    sum[lane] += term;
                }
            }
        }
        for (x, t) in x_rest.iter().zip(t_rest) {
            let terms = self.value_and_gradients(*x, *t);
            for (sum, term) in sums.iter_mut().zip(terms) {
                sum[0] += term;
            }
        }
        sums.map(|lanes| lanes.iter().sum())
    }
}

/// The forearm's length; that of the upper arm is 1.
pub const FOREARM: f64 = 0.8;

/// Squared distance of the arm's tip from a target over the sine of the elbow angle, and the derivatives
/// by both angles and both coordinates of the target.
#[inline(always)]
fn arm_value_and_gradients([a, b, tx, ty]: [f64; 4]) -> [f64; 5] {
    let ((sin_a, cos_a), (sin_b, cos_b), (sin_ab, cos_ab)) = (a.sin_cos(), b.sin_cos(), (a + b).sin_cos());
    let (x, y) = (cos_a + FOREARM * cos_ab, sin_a + FOREARM * sin_ab);
    let (dx, dy) = (x - tx, y - ty);
    let value = (dx * dx + dy * dy) / sin_b;
    let (to_x, to_y) = (2.0 * dx / sin_b, 2.0 * dy / sin_b);
    let by_sum = to_y * (FOREARM * cos_ab) - to_x * (FOREARM * sin_ab);
    [value, by_sum + to_y * cos_a - to_x * sin_a, by_sum - value * cos_b / sin_b, -to_x, -to_y]
}

/// Value and gradients of each sample of the arm.
pub fn arm(inputs: [&[f64]; 4], outputs: [&mut [f64]; 5]) {
    let ([a, b, tx, ty], [value, to_a, to_b, to_tx, to_ty]) = (inputs, outputs);
    let inputs = a.iter().zip(b).zip(tx).zip(ty);
    let outputs = value.iter_mut().zip(to_a).zip(to_b).zip(to_tx).zip(to_ty);
    for ((((a, b), tx), ty), ((((value, to_a), to_b), to_tx), to_ty)) in inputs.zip(outputs) {
        [*value, *to_a, *to_b, *to_tx, *to_ty] = arm_value_and_gradients([*a, *b, *tx, *ty]);
    }
}

/// The loops as C functions, on so many threads.
///
/// # Safety
/// Of all of them: `x`, `t`, `value` and `derivative` lead to `samples` numbers each, `theta` to 4,
/// `phi` to 3 and `sums` to 8, and nobody else uses what is written.
pub mod c {
    use super::Rational;
    use std::slice;

    unsafe fn rational(theta: *const f64, phi: *const f64) -> Rational {
        // SAFETY: as the module says.
        unsafe { Rational { theta: *theta.cast(), phi: *phi.cast() } }
    }

    /// # Safety
    /// See the module.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn rational_per_sample(
        threads: usize,
        samples: usize,
        theta: *const f64,
        phi: *const f64,
        x: *const f64,
        t: *const f64,
        value: *mut f64,
        derivative: *mut f64,
    ) {
        // SAFETY: as the module says.
        let (function, x, t, value, derivative) = unsafe {
            (
                rational(theta, phi),
                slice::from_raw_parts(x, samples),
                slice::from_raw_parts(t, samples),
                slice::from_raw_parts_mut(value, samples),
                slice::from_raw_parts_mut(derivative, samples),
            )
        };
        let share = samples.div_ceil(threads).max(1);
        let inputs = x.chunks(share).zip(t.chunks(share));
        let mut parts = inputs.zip(value.chunks_mut(share).zip(derivative.chunks_mut(share)));
        let Some(first) = parts.next() else { return };
        let work = |((x, t), (value, derivative))| function.per_sample(x, t, value, derivative);
        std::thread::scope(|scope| {
            for part in parts {
                scope.spawn(|| work(part));
            }
            work(first);
        });
    }

    /// # Safety
    /// See the module.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn rational_sums(
        threads: usize,
        samples: usize,
        theta: *const f64,
        phi: *const f64,
        x: *const f64,
        t: *const f64,
        sums: *mut f64,
    ) {
        // SAFETY: as the module says.
        let (function, x, t, sums) = unsafe {
            (
                rational(theta, phi),
                slice::from_raw_parts(x, samples),
                slice::from_raw_parts(t, samples),
                slice::from_raw_parts_mut(sums, 8),
            )
        };
        let share = samples.div_ceil(threads).max(1);
        let mut parts = x.chunks(share).zip(t.chunks(share));
        let first = parts.next().unwrap_or_default();
        let work = |(x, t)| function.sums(x, t);
        std::thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
            sums.copy_from_slice(&work(first));
            for other in others {
                let part = other.join().expect("plain arithmetic does not panic");
                sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
        });
    }
}
