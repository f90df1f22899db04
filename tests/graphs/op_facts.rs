//! What ops say about themselves in [`Facts`] and [`PoleFacts`] is what they do: compilers, printers and
//! samplers rely on it.

use std::collections::HashSet;
use zeroproof::Op;
use zeroproof::op::{Arity, Facts, PoleAt, Read};

/// Zeros, infinities, Φ, ends of domains, and numbers whose powers or products leave the range.
const SPECIALS: [f64; 28] = [
    f64::NEG_INFINITY,
    -1.7e308,
    -1e155,
    -745.0,
    -40.0,
    -2.5,
    -2.0,
    -1.0,
    -0.75,
    -1e-155,
    -1e-310,
    -5e-324,
    -0.0,
    0.0,
    5e-324,
    1e-310,
    1e-155,
    0.25,
    0.5,
    1.0,
    1.5,
    3.0,
    8.0,
    40.0,
    711.0,
    1e155,
    f64::INFINITY,
    f64::NAN,
];
const EXPONENTS: [f64; 9] = [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 10.0];
const ADJOINTS: [f64; 7] = [1.0, -3.0, 0.0, -0.0, 1e300, -1e-300, 1.7e308];

/// The bits of a number; every NaN is Φ.
fn bits(x: f64) -> u64 {
    if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
}

fn ops_of(arities: &[Arity]) -> impl Iterator<Item = Op> {
    Op::ALL.iter().copied().filter(move |op| arities.contains(&op.arity()))
}

fn elementwise() -> impl Iterator<Item = Op> {
    ops_of(&[Arity::Unary, Arity::Binary, Arity::Power])
}

fn facts(op: Op) -> &'static Facts {
    op.facts().expect("all but leaves have facts")
}

/// The second operands to try of an elementwise op.
fn seconds(op: Op) -> &'static [f64] {
    match op.arity() {
        Arity::Binary => &SPECIALS,
        Arity::Power => &EXPONENTS,
        _ => &[0.0],
    }
}

fn special_operands(op: Op) -> impl Iterator<Item = (f64, f64)> {
    SPECIALS.iter().flat_map(move |&a| seconds(op).iter().map(move |&b| (a, b)))
}

/// The numbers that a reverse step over an op may read: the exponent of a power is none of them.
fn readable(op: Op) -> &'static [Read] {
    match op.arity() {
        Arity::Binary => &[Read::A, Read::B, Read::Z],
        _ => &[Read::A, Read::Z],
    }
}

/// A number that is given to the rules in the place of another one.
#[derive(Clone, Copy)]
struct Instead(Read, f64);

fn seen(instead: Option<Instead>, what: Read, number: f64) -> f64 {
    match instead {
        Some(Instead(read, other)) if read == what => other,
        _ => number,
    }
}

/// The bits of all contributions to the operands, classical and bounded.
fn contributions(op: Op, g: f64, a: f64, b: f64, instead: Option<Instead>) -> Vec<u64> {
    let is_singular = op.pole(a, b).is_some();
    let z = seen(instead, Read::Z, op.value(a, b));
    let (a, b) = (seen(instead, Read::A, a), seen(instead, Read::B, b));
    let mut rules = vec![op.classical(g, a, b, z)];
    if is_singular {
        rules.extend([1.0, 0.25].map(|bound| op.bounded(g, a, b, z, bound)));
    }
    rules.iter().flat_map(|rule| &rule[..op.arity().operands()]).copied().map(bits).collect()
}

/// The same for the shares of a variadic op.
fn shares(op: Op, g: f64, inputs: &[f64], instead: Option<Instead>) -> Vec<u64> {
    let z = seen(instead, Read::Z, op.fold(inputs.iter().copied()));
    let inputs = inputs.iter().map(|&x| seen(instead, Read::A, x));
    let shared = op.shared(inputs.clone(), z);
    inputs.map(|x| bits(op.share(g, x, shared))).collect()
}

/// Calls back with `(g, operands)` for all cases of an op whose value is not Φ.
fn with_cases(op: Op, mut case: impl FnMut(f64, &[f64])) {
    for g in ADJOINTS {
        if op.arity() != Arity::Variadic {
            let passes = special_operands(op).filter(|&(a, b)| !op.value(a, b).is_nan());
            passes.for_each(|(a, b)| case(g, &[a, b]));
            continue;
        }
        for (a, b) in SPECIALS.iter().flat_map(|&a| SPECIALS.map(|b| (a, b))) {
            for inputs in [&[a][..], &[a, b], &[a, b, 1.5]] {
                if !op.fold(inputs.iter().copied()).is_nan() {
                    case(g, inputs);
                }
            }
        }
    }
}

/// What a compiler does not keep for the reverse sweep must not be needed, and what it keeps must be.
#[test]
fn contributions_are_computed_from_what_is_said_to_be_read_and_from_all_of_it() {
    let mut covered = HashSet::new();
    for op in Op::ALL.iter().copied().filter(|op| op.facts().is_some()) {
        let found = |g, operands: &[f64], instead| match op.arity() {
            Arity::Variadic => shares(op, g, operands, instead),
            _ => contributions(op, g, operands[0], operands[1], instead),
        };
        for &read in readable(op) {
            let is_read = facts(op).reads(read);
            // A rule need not stand Φ for what it reads; 2 fits any other operand of a power.
            let other = Some(Instead(read, if is_read { 2.0 } else { f64::NAN }));
            let mut shows = false;
            with_cases(op, |g, operands| {
                let differs = found(g, operands, None) != found(g, operands, other);
                assert!(is_read || !differs, "{op:?} of {operands:?}, adjoint {g:e}, reads {read:?}");
                shows |= differs;
                covered.insert(op);
            });
            assert_eq!(is_read, shows, "{op:?} is said to read {read:?}");
        }
        assert!(facts(op).reads.iter().all(|read| readable(op).contains(read)), "{op:?}");
    }
    assert_eq!(covered.len(), Op::ALL.iter().filter(|op| op.facts().is_some()).count());
}

#[test]
fn the_pole_is_where_it_is_said_to_be() {
    for op in elementwise() {
        for (a, b) in special_operands(op) {
            let pole = op.pole(a, b);
            let want = match op.singular().map(|pole| pole.at) {
                None => None,
                Some(PoleAt::Operand(place)) => Some([a, b][place]),
                Some(PoleAt::BaseByExponent) => match op {
                    Op::PowInt => (b < 0.0).then_some(a),
                    Op::Pow => (b < 1.0 && b != 0.0 && b.is_finite()).then_some(a),
                    _ => panic!("which exponents of {op:?} make a pole?"),
                },
                Some(PoleAt::Computed) => {
                    let distance = pole.expect("every operand has a distance");
                    let are_real = a.is_finite() && b.is_finite();
                    assert_eq!(distance.is_finite(), are_real, "{op:?} of {a:e}, {b:e}: {distance}");
                    continue;
                }
            };
            assert_eq!(pole.map(bits), want.map(bits), "{op:?} of {a:e}, {b:e}");
        }
    }
}

#[test]
fn the_value_at_a_pole_is_real_where_it_is_said_to_be() {
    let mut singular = 0;
    for (op, pole) in elementwise().filter_map(|op| Some((op, op.singular()?))) {
        singular += 1;
        let mut there = special_operands(op)
            .filter(|&(a, b)| a.is_finite() && b.is_finite() && op.pole(a, b) == Some(0.0));
        assert_eq!(there.any(|(a, b)| op.value(a, b).is_finite()), pole.is_real_there, "{op:?}");
        assert!(!pole.distance.is_empty() && !pole.bounded.is_empty());
    }
    assert!(singular >= 16, "{singular} singular ops");
}

/// Numbers on the interval of an op: its ends, what is a kink where there is one, and others between.
fn sampled(op: Op) -> Vec<f64> {
    let (low, high) = facts(op).smooth_on;
    assert!(low < high && low.is_finite() && high.is_finite(), "{op:?}");
    let grid = (0..=64).map(|k| f64::from(k - 32) / 8.0).filter(|x| (low..=high).contains(x));
    let between = (1..8).map(|k| low + (high - low) * f64::from(k) / 8.1);
    [low, high].into_iter().chain(grid).chain(between).collect()
}

/// The operands to try an op at, with the exponent of a power.
fn smooth_operands(op: Op) -> Vec<Vec<f64>> {
    let numbers = sampled(op);
    let of = |firsts: &[f64]| numbers.iter().flat_map(|&a| firsts.iter().map(move |&b| vec![a, b])).collect();
    match op.arity() {
        Arity::Power => of(&EXPONENTS),
        Arity::Binary => of(&numbers),
        Arity::Variadic => {
            let pairs: Vec<Vec<f64>> = of(&numbers);
            let thirds = [numbers[0], numbers[numbers.len() / 2]];
            pairs.iter().flat_map(|pair| thirds.map(|c| [&pair[..], &[c]].concat())).collect()
        }
        _ => of(&[0.0]),
    }
}

fn value(op: Op, operands: &[f64]) -> f64 {
    match op.arity() {
        Arity::Variadic => op.fold(operands.iter().copied()),
        _ => op.value(operands[0], operands[1]),
    }
}

/// The classical partials.
fn partials(op: Op, operands: &[f64]) -> Vec<f64> {
    let z = value(op, operands);
    match op.arity() {
        Arity::Variadic => {
            let shared = op.shared(operands.iter().copied(), z);
            operands.iter().map(|&x| op.share(1.0, x, shared)).collect()
        }
        arity => op.classical(1.0, operands[0], operands[1], z)[..arity.operands()].to_vec(),
    }
}

#[test]
fn values_are_real_on_the_interval_for_samples() {
    for op in Op::ALL.iter().copied().filter(|op| op.facts().is_some()) {
        for operands in smooth_operands(op) {
            let value = value(op, &operands);
            assert!(value.is_finite(), "{op:?} of {operands:?} is {value}");
        }
    }
}

/// Away from kinks the one-sided difference quotients agree, with each other and with the partial.
#[test]
fn ops_are_smooth_where_no_kink_is_told() {
    /// This times a second derivative is below the tolerance.
    const STEP: f64 = 1.0 / (1u64 << 20) as f64;
    for op in Op::ALL.iter().copied().filter(|op| op.facts().is_some()) {
        let (low, high) = facts(op).smooth_on;
        let is_inside = |x: f64| low + STEP <= x && x <= high - STEP;
        let (mut smooth, mut all) = (0, 0);
        for operands in smooth_operands(op) {
            all += 1;
            if facts(op).kink.is_some_and(|kink| kink(&operands[..])) {
                continue;
            }
            smooth += 1;
            for (place, partial) in partials(op, &operands).into_iter().enumerate() {
                if !is_inside(operands[place]) {
                    continue;
                }
                let beside = |step: f64| {
                    let mut moved = operands.clone();
                    moved[place] += step;
                    value(op, &moved)
                };
                let z = value(op, &operands);
                let (left, right) = ((z - beside(-STEP)) / STEP, (beside(STEP) - z) / STEP);
                let tolerance = 1e-3 * (1.0 + partial.abs());
                let agree = (left - partial).abs() <= tolerance && (right - partial).abs() <= tolerance;
                assert!(
                    agree,
                    "{op:?} of {operands:?} by operand {place}: {left} on the left, {right} on the right, {partial}"
                );
            }
        }
        assert!(2 * smooth > all, "{op:?}: {smooth} of {all} places are smooth");
    }
}

/// The second partials of both rules, where the op has them.
fn second_partials(op: Op, a: f64, b: f64, z: f64) -> Vec<u64> {
    let bounded = op.pole(a, b).map(|_| op.second_partials(1e100, a, b, z, Some(0.5)));
    let classical = op.second_partials(1e100, a, b, z, None);
    [Some(classical), bounded].into_iter().flatten().flatten().map(bits).collect()
}

#[test]
fn second_partials_are_computed_from_what_they_read() {
    let mut replaced = 0;
    for op in elementwise() {
        for a in SPECIALS.into_iter().filter(|a| a.is_finite()) {
            for &b in seconds(op).iter().filter(|b| b.is_finite()) {
                let z = op.value(a, b);
                if !z.is_finite() {
                    continue;
                }
                let expected = second_partials(op, a, b, z);
                let unread = |what| !op.second_reads().contains(&what);
                // The exponent of a power is part of the op.
                let b_counts = op.arity() == Arity::Binary && unread(Read::B);
                let (a, b, z) = (
                    if unread(Read::A) && op.singular().is_none() { f64::NAN } else { a },
                    if b_counts { f64::NAN } else { b },
                    if unread(Read::Z) { f64::NAN } else { z },
                );
                assert_eq!(second_partials(op, a, b, z), expected, "{} {a} {b} {z}", op.name());
                replaced += usize::from(a.is_nan() || b.is_nan() || z.is_nan());
            }
        }
    }
    assert!(replaced > 1000, "{replaced} cases");
}

#[test]
fn every_op_says_what_its_second_partials_are() {
    for &op in Op::ALL {
        let formula = op.second_formula();
        assert_eq!(formula.is_some(), op.facts().is_some(), "{}", op.name());
        let commas =
            formula.map_or(0, |formula| formula.split(';').next().unwrap_or("").matches(", ").count());
        if op.arity() == Arity::Binary {
            assert_eq!(commas, 2, "{}: aa, ab and bb", op.name());
        }
    }
}
