//! `J·v` is how the gradient that the mode computes changes: random graphs against differences of exact
//! gradients, in all modes.

use zeroproof::tape::Along;
use zeroproof::{ModeState, Reduction, Statistics, Status, Tape, Var};

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.next() as f64 / (1u64 << 31) as f64
    }
}

const INPUTS: usize = 3;

/// A random function of moderate size and slopes.
fn function<'t>(tape: &'t Tape, random: &mut Random, leaves: &[Var<'t>]) -> Var<'t> {
    let mut nodes: Vec<Var> = leaves.to_vec();
    for _ in 0..14 {
        let a = nodes[random.below(nodes.len())].clone();
        let b = nodes[random.below(nodes.len())].clone();
        let node = match random.below(27) {
            0 => &a + &b,
            1 => &a - &b,
            2 => &a * &b,
            3 | 4 => &a / &b,
            5 => (&a * &a + 0.3).log(),
            6 => (&a * &a + 0.2).sqrt(),
            7 => a.tanh().exp(),
            8 => a.sin(),
            9 => b.cos(),
            10 => a.atan2(&b),
            11 => a.hypot(&b),
            12 => a.tanh(),
            13 => (a.tanh() + 1.5).pow_int(-2),
            14 => (a.sin() + 1.7).pow(&b.tanh()),
            15 => a.sigmoid() * b.softplus(),
            16 => (a.tanh() * 0.9).asin() + (b.sin() * 0.8).atanh(),
            17 => a.sinc() + b.cosc(),
            18 => a.tanh().exprel() + (b.sin() * 0.5).log1prel(),
            19 => a.erf() + b.log_ndtr(),
            20 => (&a * &a + 0.1).xlogy(&(&b * &b + 0.3)),
            21 => tape.norm(&[a.clone(), b.clone(), leaves[0].clone()], Reduction::Strict),
            22 => tape.logsumexp(&[a.sin(), b.clone(), leaves[1].clone()], Reduction::Strict),
            23 => tape.prod(&[a.sin(), b.cos(), leaves[2].clone()], Reduction::Strict),
            24 => tape.mean(&[a.clone(), b.maximum(&a)], Reduction::Strict),
            25 => (a.tanh() * 1.2).tan() + b.cbrt(),
            _ => a.asinh() + (b.cosh().tanh() + 1.5).acosh().square(),
        };
        nodes.push(node.tanh() * 2.0 + node * 0.1);
    }
    nodes.iter().skip(INPUTS).fold(tape.constant(0.0), |sum, node| sum + node)
}

/// The gradient at `x + step·v`, how many ops saturated, and the products at `x` itself.
fn gradient(seed: u64, x: [f64; INPUTS], state: &ModeState) -> ([f64; INPUTS], [Status; INPUTS], u64) {
    let tape = Tape::new();
    let leaves = x.map(|x| tape.input(x));
    let root = function(&tape, &mut Random(seed), &leaves);
    let mut statistics = Statistics::new();
    let found = root.backward_with(1.0, state, &mut statistics);
    found.unwrap();
    let numbers = leaves.each_ref().map(|leaf| leaf.gradient().map_or(0.0, |g| g.to_ieee()));
    (numbers, leaves.each_ref().map(|leaf| leaf.status()), statistics.summary(state).saturating_activations)
}

#[test]
fn products_are_differences_of_gradients_in_every_mode() {
    let states =
        [ModeState::mask_real(), ModeState::saturating(0.7).unwrap(), ModeState::hybrid(Some(0.6)).unwrap()];
    let (mut checked, mut bounded) = ([0; 3], 0);
    for seed in 0..400u64 {
        let mut random = Random(seed ^ 0x5eed);
        let x: [f64; INPUTS] = std::array::from_fn(|_| random.uniform(-2.0, 2.0));
        let v: [f64; INPUTS] = std::array::from_fn(|_| random.uniform(-1.0, 1.0));
        for (mode, state) in states.iter().enumerate() {
            let moved = |h: f64| gradient(seed, std::array::from_fn(|i| x[i] + h * v[i]), state);
            let h = 1e-4;
            let steps = [h, -h, h / 2.0, -h / 2.0].map(moved);
            let here = moved(0.0);
            // Where a decision or a status changes there is no derivative to compare with.
            if steps.iter().any(|step| (step.1, step.2) != (here.1, here.2)) {
                continue;
            }
            let tape = Tape::new();
            let leaves = x.map(|x| tape.input(x));
            let root = function(&tape, &mut Random(seed), &leaves);
            let sources = leaves.each_ref();
            let along = Along::new(&sources, &v).in_mode(state.clone());
            let found = tape.hvp(&root, &along).unwrap();
            let scale = here.0.iter().fold(1.0f64, |most, g| most.max(g.abs()));
            for (i, found) in found.into_iter().enumerate() {
                let Some((number, status)) = found else { continue };
                let difference = |k: usize, h: f64| (steps[k].0[i] - steps[k + 1].0[i]) / (2.0 * h);
                let (coarse, fine) = (difference(0, h), difference(2, h / 2.0));
                // A fourth of what halving the step changed is left, and the gradients' own errors.
                let truncated = (coarse - fine).abs();
                let tolerance = truncated + 1e4 * f64::EPSILON * scale / h;
                let error = (number.to_ieee() - fine).abs();
                assert!(
                    error <= tolerance,
                    "seed {seed}, {:?}, {i}: {number} {status:?} but {fine} ± {tolerance:e}",
                    state.mode
                );
                checked[mode] += usize::from(truncated < 1e-4 * (1.0 + fine.abs()));
                bounded += usize::from(status.contains(Status::SATURATED));
            }
        }
    }
    assert!(checked.iter().all(|&count| count > 500) && bounded > 500, "{checked:?} {bounded}");
}

#[test]
fn the_transposed_product_is_that_of_the_transposed_matrix() {
    let states =
        [ModeState::mask_real(), ModeState::saturating(0.7).unwrap(), ModeState::hybrid(Some(0.6)).unwrap()];
    let mut differ = 0;
    for seed in 0..300u64 {
        for state in &states {
            let mut random = Random(seed ^ 0xbeef);
            let tape = Tape::new();
            let leaves: [Var; INPUTS] = std::array::from_fn(|_| tape.input(random.uniform(-2.0, 2.0)));
            let [u, v]: [[f64; INPUTS]; 2] =
                std::array::from_fn(|_| std::array::from_fn(|_| random.uniform(-1.0, 1.0)));
            let root = function(&tape, &mut Random(seed), &leaves);
            let sources = leaves.each_ref();
            let numbers = |along: &Along| {
                let found = tape.hvp(&root, along).unwrap();
                found.into_iter().map(|f| f.map_or(0.0, |(x, _)| x.to_ieee())).collect::<Vec<_>>()
            };
            let along = |direction| Along::new(&sources, direction).in_mode(state.clone());
            let (right, left) = (numbers(&along(&v)), numbers(&along(&u).transposed()));
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let size = right.iter().chain(&left).fold(1.0f64, |most, x| most.max(x.abs()));
            // How much the sums on the way may be larger than the result.
            let tolerance = 1e4 * f64::EPSILON * size;
            assert!((dot(&u, &right) - dot(&v, &left)).abs() <= tolerance, "seed {seed}, {:?}", state.mode);
            let same = numbers(&along(&v).transposed());
            differ += usize::from(same.iter().zip(&right).any(|(a, b)| (a - b).abs() > 1e-6 * size));
        }
    }
    assert!(differ > 100, "the matrices of {differ} cases are not symmetric");
}
