//! Native code against the block interpreter, bit for bit, beyond what random programs reach: totals over
//! several tasks, tails, threads, programs larger than the registers, irregular samples.

use zeroproof::batch::{
    Directional, Execution, Kind, Native, NodeId, Predicate, Request, Simd, Total, native_blocks,
};
use zeroproof::{ModeState, Op, Reduction};
use zeroproof_tests::batch_reference::cases::{NUMBER, Random, batch, gradient, jacobian, total};
use zeroproof_tests::batch_reference::{Batch, Function, Mode, compare, run};

const WIDTHS: [Simd; 2] = [Simd::Avx2, Simd::Avx512];

fn execution(native: Native, threads: usize) -> Execution {
    Execution { threads, block: None, native }
}

/// Fails with the difference between native code of both widths and the interpreter.
fn agree(batch: &Batch, request: &Request, mode: &Mode) {
    let run = |execution| run(batch, request, mode, execution, &mut || false).expect("nobody interrupts");
    let expected = run(execution(Native::Never, 1));
    for simd in WIDTHS {
        for threads in [1, 3] {
            let found = run(execution(Native::Always(simd), threads));
            compare::outcomes(batch, &found, &expected, &mode.state)
                .unwrap_or_else(|wrong| panic!("{wrong}\n{request:?}\n{mode:?}\n{simd:?}"));
        }
    }
}

fn has_native_code() -> bool {
    cfg!(target_arch = "x86_64") && zeroproof::batch::native_code().is_ok()
}

/// A rational function of `x` with coefficients `c`, and its squared distance from `t`.
fn rational() -> Function {
    let mut f = Function::new(&[(&[7], false), (NUMBER, true), (NUMBER, true)]);
    let [x, t] = [7, 8];
    let mut horner = |coefficients: [NodeId; 3], last: NodeId| {
        coefficients.into_iter().fold(last, |sum, coefficient| {
            let product = f.op(Op::Mul, &[x, sum]);
            f.op(Op::Add, &[coefficient, product])
        })
    };
    let (p, q) = (horner([2, 1, 0], 3), horner([6, 5, 4], 4));
    let quotient = f.op(Op::Div, &[p, q]);
    let distance = f.op(Op::Sub, &[quotient, t]);
    let loss = f.push(Kind::Power(2), &[distance]);
    f.returns(&[loss])
}

/// Its numbers, a share of them on the pole at −1.
fn numbers(samples: usize, poles: f64) -> Vec<Vec<f64>> {
    let mut random = Random(5);
    let mut x = || if random.share() < poles { -1.0 } else { 2.0 * random.share() - 0.9 };
    let x = (0..samples).map(|_| x()).collect();
    let mut random = Random(6);
    let t = (0..samples).map(|_| random.share()).collect();
    vec![vec![1.0, 0.5, -0.3, 0.2, 1.0, 1.0, 1.0], x, t]
}

fn modes() -> [Mode; 4] {
    [
        ModeState::mask_real().into(),
        ModeState::saturating(0.5).unwrap().into(),
        ModeState::hybrid(None).unwrap().into(),
        ModeState::hybrid(Some(1e-2)).unwrap().into(),
    ]
}

#[test]
fn totals_and_rows_over_several_tasks() {
    let before = native_blocks();
    for (samples, poles) in [(31, 0.0), (512, 0.0), (8192, 0.01), (20_000, 0.0), (20_011, 0.01)] {
        let batch = batch(rational(), numbers(samples, poles));
        for mode in modes() {
            for request in [
                gradient(&[1, 2]),
                gradient(&[0, 1]),
                total(&[0, 1], Total::Mean),
                total(&[0], Total::Sum),
                jacobian(&[0, 2]),
                Request::Values,
            ] {
                agree(&batch, &request, &mode);
            }
        }
    }
    assert_eq!(native_blocks() > before, has_native_code(), "native code runs where it can");
}

/// So much work that each of three threads has some, with samples left out in some tasks only.
#[test]
fn several_threads_have_the_bits_of_one() {
    const SAMPLES: usize = 200_000;
    let mut numbers = numbers(SAMPLES, 0.0);
    numbers[1][60_000..60_100].fill(-1.0);
    numbers[1][150_000..150_030].fill(-1.0 + 1e-3);
    let batch = batch(rational(), numbers);
    for mode in [&modes()[0], &modes()[3]] {
        for request in [total(&[0], Total::Mean), gradient(&[1])] {
            agree(&batch, &request, mode);
        }
    }
}

/// More values are alive at once than there are registers, and masks too.
#[test]
fn programs_larger_than_the_registers() {
    let mut f = Function::new(&[(NUMBER, true), (NUMBER, true)]);
    let mut nodes: Vec<NodeId> = vec![0, 1];
    for k in 0..90 {
        let (a, b) = (nodes[k / 2], nodes[k]);
        let op = [Op::Add, Op::Mul, Op::Sub, Op::Div, Op::Maximum][k % 5];
        nodes.push(f.op(op, &[a, b]));
    }
    let conditions: Vec<_> =
        nodes[2..40].iter().map(|&node| f.push(Kind::Condition(Predicate::Less), &[node, 0])).collect();
    let mut chosen: Vec<_> = conditions
        .iter()
        .zip(&nodes[40..])
        .map(|(&condition, &node)| f.push(Kind::Select, &[condition, node, 1]))
        .collect();
    chosen.extend(&nodes);
    let sum = f.push(Kind::Fold(Op::Sum, Reduction::Strict), &chosen);
    let mut random = Random(7);
    let mut column = || (0..3000).map(|_| 2.0 * random.share() - 1.0).collect::<Vec<_>>();
    let batch = batch(f.returns(&[sum]), vec![column(), column()]);
    for mode in modes() {
        for request in [gradient(&[0, 1]), total(&[0, 1], Total::Sum), Request::Values] {
            agree(&batch, &request, &mode);
        }
    }
}

/// Results of many columns go from registers to rows, whatever their number, with several vectors in flight or one.
#[test]
fn results_in_rows() {
    let mut random = Random(13);
    for width in (1..=20).chain([33, 49, 64]) {
        let mut f = Function::new(&[(&[width], false), (&[width], true), (NUMBER, true)]);
        let t = 2 * width as NodeId;
        let mut sum = t;
        for k in 0..width as NodeId {
            let product = f.op(Op::Mul, &[k, width as NodeId + k]);
            sum = if k % 3 == 1 { f.op(Op::Div, &[sum, product]) } else { f.op(Op::Add, &[sum, product]) };
        }
        let square = f.op(Op::Mul, &[sum, sum]);
        let root = f.op(Op::Sqrt, &[square]);
        // Some of its derivatives are 0, some are the same for every sample.
        let other = f.op(Op::Mul, &[0, 0]);
        let function = f.returns(&[square]);
        let mut numbers = |count: usize| (0..count).map(|_| 0.5 + random.share()).collect::<Vec<_>>();
        let samples = if width == 7 { 4096 + 37 } else { 512 + 37 };
        let inputs = vec![numbers(width), numbers(width * samples), numbers(samples)];
        let of_one = batch(function.clone(), inputs.clone());
        let of_three = batch(function.returns(&[square, root, other]), inputs);
        for mode in modes() {
            for request in [gradient(&[0, 1, 2]), total(&[0, 1], Total::Sum), total(&[1], Total::Mean)] {
                agree(&of_one, &request, &mode);
            }
            agree(&of_three, &jacobian(&[0]), &mode);
            agree(&of_three, &jacobian(&[2, 1]), &mode);
            if width <= 8 {
                let (what, sources) = (Directional::Hessian, vec![1, 2]);
                agree(&of_one, &Request::Directional { what, sources, coordinate: None, total: None }, &mode);
            }
        }
    }
}

/// Elementary functions are carried out between pieces of machine code, and rows are read by element.
#[test]
fn elementary_functions_and_rows() {
    let mut f = Function::new(&[(&[3], true), (&[2], false), (NUMBER, true)]);
    let [x, y, z, w] = [0, 1, 2, 5];
    let product = f.op(Op::Mul, &[x, 3]);
    let angle = f.op(Op::Add, &[product, y]);
    let sine = f.op(Op::Sin, &[angle]);
    let power = f.op(Op::Exp, &[sine]);
    let quotient = f.op(Op::Div, &[power, z]);
    let root = f.op(Op::Sqrt, &[w]);
    let shifted = f.op(Op::Add, &[quotient, root]);
    let log = f.op(Op::Log, &[shifted]);
    let scaled = f.op(Op::Mul, &[log, 4]);
    let mut random = Random(8);
    let mut column = |len: usize| (0..len).map(|_| 0.1 + random.share()).collect::<Vec<_>>();
    let inputs = vec![column(3 * 2500), vec![0.3, -1.5], column(2500)];
    let batch = batch(f.returns(&[scaled, quotient]), inputs);
    for mode in modes() {
        agree(&batch, &jacobian(&[0, 1, 2]), &mode);
        agree(&batch, &Request::Values, &mode);
    }
}

/// A sample that is not regular is left out of a total if its value is not REAL, and belongs to it otherwise.
#[test]
fn irregular_samples_in_totals() {
    // c₀/(1/x + 1) + c₁·y/(x − 3): at x = 0 masked, at x = 3 not REAL.
    let mut f = Function::new(&[(&[2], false), (NUMBER, true), (NUMBER, true)]);
    let [one, three] = [1.0, 3.0].map(|number| f.push(Kind::Constant(number), &[]));
    let (x, y) = (2, 3);
    let pole = f.op(Op::Div, &[one, x]);
    let below = f.op(Op::Add, &[pole, one]);
    let masked = f.op(Op::Div, &[0, below]);
    let distance = f.op(Op::Sub, &[x, three]);
    let product = f.op(Op::Mul, &[1, y]);
    let lost = f.op(Op::Div, &[product, distance]);
    let sum = f.op(Op::Add, &[masked, lost]);
    let function = f.returns(&[sum]);
    let shares = [(0.0, 0.01), (0.01, 0.0), (0.01, 0.01), (0.0, 1.0), (1.0, 0.0), (0.0, 1e-4), (1e-4, 1e-3)];
    for (kept, left_out) in shares {
        let mut random = Random(13);
        let mut x = || match random.share() {
            share if share < kept => 0.0,
            share if share < kept + left_out => 3.0,
            share => 0.25 + share,
        };
        let x: Vec<_> = (0..20_011).map(|_| x()).collect();
        let y = x.iter().map(|x| 0.5 * x - 1.0).collect();
        let batch = batch(function.clone(), vec![vec![1.5, -0.5], x, y]);
        for mode in modes() {
            for request in [total(&[0, 1], Total::Mean), total(&[0], Total::Sum), gradient(&[0, 1, 2])] {
                agree(&batch, &request, &mode);
            }
        }
    }
}

/// Exploration regions: as many as code is made for, and more.
#[test]
fn exploration_regions() {
    let batch = batch(rational(), numbers(9000, 1e-3));
    for (count, delta) in [(1, None), (2, Some(1e-2)), (3, None), (16, Some(0.0)), (17, Some(1e-2))] {
        let mut state = ModeState::hybrid(delta).unwrap();
        let region = |number: usize| {
            let low = -0.9 + 0.1 * number as f64;
            zeroproof::Region::new(low, low + 0.02).unwrap()
        };
        state.set_regions(&(0..count).map(region).collect::<Vec<_>>());
        for coordinate in [None, Some(1)] {
            for total in [None, Some(Total::Mean)] {
                let sources = vec![0, 1];
                let request = Request::Gradient { sources, coordinate, total };
                agree(&batch, &request, &state.clone().into());
            }
        }
    }
}

/// What a singular op passes on is itself a result, and must be the bounded one near the pole.
#[test]
fn contributions_of_singular_ops_as_results() {
    for (op, operands) in [(Op::Div, &[0, 1][..]), (Op::Log, &[1]), (Op::Sqrt, &[1]), (Op::Cbrt, &[1])] {
        let mut f = Function::new(&[(NUMBER, true), (NUMBER, true)]);
        let root = f.op(op, operands);
        let mut random = Random(10);
        let mut near = || random.share() * if random.share() < 0.1 { 1e-2 } else { 1.0 };
        let columns = [(); 2].map(|()| (0..3000).map(|_| near()).collect::<Vec<_>>());
        let batch = batch(f.returns(&[root]), columns.to_vec());
        for mode in modes() {
            for sources in [&[1][..], &[0, 1], &[0]] {
                agree(&batch, &gradient(sources), &mode);
                agree(&batch, &jacobian(sources), &mode);
            }
        }
    }
}

/// Quotients and numerators of every magnitude, so that fast forms do not hold for many samples.
#[test]
fn factors_that_leave_the_range() {
    let mut f = Function::new(&[(NUMBER, true), (NUMBER, true), (NUMBER, true)]);
    let quotient = f.op(Op::Div, &[0, 1]);
    let product = f.op(Op::Mul, &[quotient, 2]);
    let cube = f.push(Kind::Power(-3), &[1]);
    let square = f.op(Op::Square, &[0]);
    let all = f.push(Kind::Fold(Op::Sum, Reduction::Strict), &[product, cube, square]);
    let function = f.returns(&[all]);
    for share in [1e-3, 0.2] {
        let mut random = Random(9);
        let mut column = || {
            let number = |random: &mut Random| match random.share() < share {
                true => {
                    10f64.powi((random.bits() % 640) as i32 - 320)
                        * if random.share() < 0.5 { -1.0 } else { 1.0 }
                }
                false => 0.5 + random.share(),
            };
            (0..9000).map(|_| number(&mut random)).collect::<Vec<_>>()
        };
        let batch = batch(function.clone(), vec![column(), column(), column()]);
        for mode in modes() {
            agree(&batch, &gradient(&[0, 1, 2]), &mode);
            agree(&batch, &total(&[2], Total::Mean), &mode);
        }
    }
}

/// A first power passes on what it reads. Parts of such programs overwrite slots that they read themselves, with
/// values older than the last step that reads them.
#[test]
fn values_that_are_passed_on() {
    let mut random = Random(12);
    for _ in 0..200 {
        let mut f = Function::new(&[(NUMBER, true), (NUMBER, true)]);
        let mut nodes: Vec<NodeId> = vec![0, 1];
        for _ in 0..30 {
            let mut operand =
                || nodes[nodes.len() - 1 - (random.bits() % nodes.len().min(8) as u64) as usize];
            let (a, b) = (operand(), operand());
            nodes.push(match random.bits() % 6 {
                0 | 1 => f.push(Kind::Power(1), &[a]),
                2 => f.op(Op::Hypot, &[a, b]),
                3 => f.op(Op::Mul, &[a, b]),
                4 => f.op(Op::ClipMin, &[a, b]),
                _ => f.op(Op::Add, &[a, b]),
            });
        }
        let last = nodes[nodes.len() - 1];
        let mut column = || (0..64).map(|_| 2.0 * random.share() - 1.0).collect::<Vec<_>>();
        let batch = batch(f.returns(&[last]), vec![column(), column()]);
        agree(&batch, &gradient(&[0, 1]), &ModeState::mask_real().into());
    }
}
