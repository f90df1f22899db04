//! The elementary functions: special values to the bit, symmetry, monotonicity, and one answer whichever
//! form computes it. Their accuracy is tested against many digits in
//! `property/test_elementary_mpmath.py`.

use proptest::prelude::*;
use zeroproof::elementary::{
    cos, exp, expm1, hot, hypot, ln, ln_1p, norm, pow, sigmoid, sin, sin_cos, softplus, tanh,
};

type Function = fn(f64) -> f64;
type Hot = fn(f64) -> (f64, bool);

const FUNCTIONS: [(&str, Function, Hot); 9] = [
    ("exp", exp, hot::exp),
    ("ln", ln, hot::ln),
    ("sin", sin, hot::sin),
    ("cos", cos, hot::cos),
    ("tanh", tanh, hot::tanh),
    ("expm1", expm1, hot::expm1),
    ("ln_1p", ln_1p, hot::ln_1p),
    ("sigmoid", sigmoid, hot::sigmoid),
    ("softplus", softplus, hot::softplus),
];

type Function2 = fn(f64, f64) -> f64;
type Hot2 = fn(f64, f64) -> (f64, bool);

const FUNCTIONS_OF_TWO: [(&str, Function2, Hot2); 2] = [("pow", pow, hot::pow), ("hypot", hypot, hot::hypot)];

const INF: f64 = f64::INFINITY;
const LEAST: f64 = 5e-324;
/// The double nearest to a multiple of π/2: 6381956970095103·2⁷⁹⁷.
const NEAREST_TO_MULTIPLE: f64 = 5.319372648326541e255;

fn any_bits() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits)
}

/// NaN of any bits is one value here.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[track_caller]
fn check(name: &str, f: Function, cases: &[(f64, f64)]) {
    for &(x, want) in cases {
        let found = f(x);
        assert!(same(found, want), "{name}({x:e}) = {found:e}, not {want:e}");
    }
}

#[track_caller]
fn check2(name: &str, f: Function2, cases: &[(f64, f64, f64)]) {
    for &(x, y, want) in cases {
        let found = f(x, y);
        assert!(same(found, want), "{name}({x:e}, {y:e}) = {found:e}, not {want:e}");
    }
}

#[test]
fn exp_of_special_values() {
    let largest = 709.782712893384;
    check(
        "exp",
        exp,
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (LEAST, 1.0),
            (1e-17, 1.0),
            (1.0, std::f64::consts::E),
            (largest, 1.7976931348622732e308),
            (largest.next_up(), INF),
            (1e300, INF),
            (f64::MAX, INF),
            (INF, INF),
            (-745.0, LEAST),
            (-745.1332191019412, 0.0),
            (-1e300, 0.0),
            (-INF, 0.0),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn ln_of_special_values() {
    check(
        "ln",
        ln,
        &[
            (1.0, 0.0),
            (2.0, std::f64::consts::LN_2),
            (0.5, -std::f64::consts::LN_2),
            (10.0, std::f64::consts::LN_10),
            (1.0f64.next_up(), f64::EPSILON.next_down()),
            (f64::MAX, 709.782712893384),
            (f64::MIN_POSITIVE, -708.3964185322641),
            (LEAST, -744.4400719213812),
            (0.0, -INF),
            (-0.0, -INF),
            (INF, INF),
            (-LEAST, f64::NAN),
            (-1.0, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn sin_and_cos_of_special_values() {
    check(
        "sin",
        sin,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (1e-300, 1e-300),
            (std::f64::consts::PI, 1.2246467991473532e-16),
            (std::f64::consts::FRAC_PI_2, 1.0),
            (1e22, -0.8522008497671888),
            (NEAREST_TO_MULTIPLE, 1.0),
            (f64::MAX, 0.004961954789184062),
            (INF, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
    check(
        "cos",
        cos,
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (LEAST, 1.0),
            (1e-9, 1.0),
            (std::f64::consts::PI, -1.0),
            (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17),
            (1e22, 0.523214785395139),
            (NEAREST_TO_MULTIPLE, -4.687165924254628e-19),
            (f64::MAX, -0.9999876894265599),
            (INF, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn tanh_of_special_values() {
    check(
        "tanh",
        tanh,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (f64::MIN_POSITIVE, f64::MIN_POSITIVE),
            (1e-9, 1e-9),
            (18.0, 1.0 - 2.0 * f64::EPSILON),
            (19.06, 1.0 - f64::EPSILON / 2.0),
            (19.07, 1.0),
            (1e300, 1.0),
            (INF, 1.0),
            (-INF, -1.0),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn expm1_and_ln_1p_of_special_values() {
    check(
        "expm1",
        expm1,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-1e-300, -1e-300),
            (-1e-10, -9.999999999500001e-11),
            (1e-5, 1.0000050000166668e-05),
            (0.5, 0.6487212707001282),
            (-1.0, -0.6321205588285577),
            (-37.0, (-1.0f64).next_up()),
            (-38.0, -1.0),
            (-1e300, -1.0),
            (709.782712893384, 1.7976931348622732e308),
            (709.8, INF),
            (INF, INF),
            (-INF, -1.0),
            (f64::NAN, f64::NAN),
        ],
    );
    check(
        "ln_1p",
        ln_1p,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-1e-300, -1e-300),
            (-1e-10, -1.00000000005e-10),
            (1e-5, 9.999950000333332e-06),
            (1.0, std::f64::consts::LN_2),
            (-0.5, -std::f64::consts::LN_2),
            ((-1.0f64).next_up(), -36.7368005696771),
            (1e300, 690.7755278982137),
            (f64::MAX, 709.782712893384),
            (INF, INF),
            (-1.0, -INF),
            ((-1.0f64).next_down(), f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn sigmoid_and_softplus_of_special_values() {
    check(
        "sigmoid",
        sigmoid,
        &[
            (0.0, 0.5),
            (-0.0, 0.5),
            (1.0, 0.7310585786300049),
            (-1.0, 0.2689414213699951),
            (-40.0, 4.248354255291589e-18),
            (36.0, 1.0 - f64::EPSILON),
            (38.0, 1.0),
            (-740.0, 4.2e-322),
            (-746.0, 0.0),
            (f64::MAX, 1.0),
            (INF, 1.0),
            (-INF, 0.0),
            (f64::NAN, f64::NAN),
        ],
    );
    check(
        "softplus",
        softplus,
        &[
            (0.0, std::f64::consts::LN_2),
            (-0.0, std::f64::consts::LN_2),
            (1.0, 1.3132616875182228),
            (-1.0, 0.3132616875182228),
            (-40.0, 4.248354255291589e-18),
            (40.0, 40.0),
            (-740.0, 4.2e-322),
            (-746.0, 0.0),
            (f64::MAX, f64::MAX),
            (INF, INF),
            (-INF, 0.0),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn pow_of_special_values() {
    const NAN: f64 = f64::NAN;
    // Whatever the base, its power 0 is 1, and so are all powers of 1.
    for any in [0.0, -0.0, 1.0, -1.0, -2.5, LEAST, INF, -INF, NAN] {
        check2("pow", pow, &[(any, 0.0, 1.0), (any, -0.0, 1.0), (1.0, any, 1.0)]);
    }
    let odd = 9007199254740991.0;
    check2(
        "pow",
        pow,
        &[
            (0.0, 3.0, 0.0),
            (-0.0, 3.0, -0.0),
            (-0.0, 2.0, 0.0),
            (-0.0, 0.5, 0.0),
            (0.0, -3.0, INF),
            (-0.0, -3.0, -INF),
            (-0.0, -2.0, INF),
            (-0.0, -0.5, INF),
            (0.0, INF, 0.0),
            (-0.0, -INF, INF),
            (INF, 0.5, INF),
            (INF, -0.5, 0.0),
            (-INF, 3.0, -INF),
            (-INF, 2.0, INF),
            (-INF, 0.5, INF),
            (-INF, -3.0, -0.0),
            (-INF, -2.0, 0.0),
            (-1.0, INF, 1.0),
            (-1.0, -INF, 1.0),
            (0.5, INF, 0.0),
            (-0.5, INF, 0.0),
            (0.5, -INF, INF),
            (2.0, INF, INF),
            (-2.0, INF, INF),
            (2.0, -INF, 0.0),
            (INF, INF, INF),
            (-INF, -INF, 0.0),
            (-2.0, 3.0, -8.0),
            (-2.0, 2.0, 4.0),
            (-2.0, -1.0, -0.5),
            (-1.0, odd, -1.0),
            (-1.0, odd + 1.0, 1.0),
            (-1.0, 1e300, 1.0),
            (-8.0, 1.0 / 3.0, NAN),
            (-2.0, 4503599627370495.5, NAN),
            (NAN, 1.0, NAN),
            (2.0, NAN, NAN),
            (10.0, 3.0, 1000.0),
            (10.0, 22.0, 1e22),
            (10.0, 308.0, 1e308),
            (10.0, -5.0, 1e-5),
            (4.0, 0.5, 2.0),
            (2.0, 1023.0, 8.98846567431158e307),
            (2.0, 1024.0, INF),
            (2.0, -1074.0, LEAST),
            (2.0, -1076.0, 0.0),
            (LEAST, -0.5, 4.4989137945431964e161),
            (LEAST, 2.0, 0.0),
            (f64::MAX, 0.25, 1.157920892373162e77),
            (f64::MAX, -1.0, 5.562684646268003e-309),
            (-f64::MAX, 3.0, -INF),
            (1.0f64.next_up(), 1e300, INF),
            (1.0f64.next_down(), 1e300, 0.0),
            (1.0f64.next_up(), 3e18, 1.98719262165461e289),
            (std::f64::consts::E, std::f64::consts::PI, 23.140692632779263),
        ],
    );
}

#[test]
fn exact_powers_are_exact() {
    for base in 2..=20u64 {
        let mut power = 1u64;
        for n in 1..=52 {
            power *= base;
            if power > 1 << 53 {
                break;
            }
            assert_eq!(pow(base as f64, f64::from(n)), power as f64, "{base}^{n}");
            if n % 2 == 0 {
                assert_eq!(pow(power as f64, 0.5), (power as f64).sqrt(), "root of {base}^{n}");
            }
        }
    }
}

#[test]
fn hypot_of_special_values() {
    check2(
        "hypot",
        hypot,
        &[
            (3.0, -4.0, 5.0),
            (1.0, 1.0, std::f64::consts::SQRT_2),
            (1.0, 1e-300, 1.0),
            (3e300, 4e300, 5e300),
            (3.0 * LEAST, 4.0 * LEAST, 5.0 * LEAST),
            (3e-300, 4e-300, 5e-300),
            (f64::MAX, f64::MAX, INF),
            (f64::MAX, 1e292, f64::MAX),
            (LEAST, 0.0, LEAST),
            (0.0, -0.0, 0.0),
            (-0.0, -0.0, 0.0),
            (INF, 1.0, INF),
            (0.0, -INF, INF),
            (INF, f64::NAN, f64::NAN),
            (f64::NAN, -INF, f64::NAN),
            (f64::NAN, 1.0, f64::NAN),
        ],
    );
}

#[test]
fn norm_of_special_values() {
    let norm = |values: &[f64]| norm(values.iter().copied());
    assert_eq!(norm(&[]).to_bits(), 0);
    assert_eq!(norm(&[-0.0, 0.0, -0.0]).to_bits(), 0);
    assert_eq!(norm(&[2.0, -3.0, 6.0]), 7.0);
    assert_eq!(norm(&[2e-320, -3e-320, 6e-320]), 7e-320);
    assert_eq!(norm(&[0.5; 1 << 16]), 128.0);
    assert_eq!(norm(&[1.0, -INF, 2.0]), INF);
    assert!(norm(&[1.0, -INF, f64::NAN, 2.0]).is_nan());
    assert!(norm(&[f64::NAN, INF]).is_nan());
}

/// Neighbours on both sides of `x`, in order.
fn neighbours(x: f64) -> Vec<f64> {
    let mut start = x;
    (0..64).for_each(|_| start = start.next_down());
    std::iter::successors(Some(start), |x| Some(x.next_up())).take(129).collect()
}

#[track_caller]
fn check_rising(name: &str, f: Function, operands: &[f64]) {
    for pair in operands.windows(2) {
        assert!(pair[0] < pair[1], "the operands rise");
        let (low, high) = (f(pair[0]), f(pair[1]));
        assert!(low <= high, "{name}({:e}) = {low:e}, {name}({:e}) = {high:e}", pair[0], pair[1]);
    }
}

#[test]
fn no_step_back_between_the_hot_and_the_cold_form() {
    let seams: [(&str, Function, Hot, &[f64]); 6] = [
        ("exp", exp, hot::exp, &[-708.39, 708.39]),
        ("ln", ln, hot::ln, &[f64::MIN_POSITIVE]),
        ("sin", sin, hot::sin, &[1_647_099.0]), // in the rising quarter before 262144·2π
        ("expm1", expm1, hot::expm1, &[708.39]),
        ("sigmoid", sigmoid, hot::sigmoid, &[-708.39]),
        ("softplus", softplus, hot::softplus, &[-600.0]),
    ];
    for (name, f, hot, seams) in seams {
        for &seam in seams {
            let operands = neighbours(seam);
            let held = operands.iter().filter(|&&x| hot(x).1).count();
            assert!(0 < held && held < operands.len(), "{name} changes its form at {seam}");
            check_rising(name, f, &operands);
        }
    }
}

#[test]
fn what_rises_everywhere_rises() {
    // Where kernels change: between two multiples of ln 2, at the ends of the mantissa's interval.
    let half_ln_2 = 0.5 * std::f64::consts::LN_2;
    for n in [-1000.0, -3.0, -1.0, 1.0, 3.0, 1001.0] {
        check_rising("exp", exp, &neighbours(n * half_ln_2));
    }
    for x in [1.0, std::f64::consts::SQRT_2, std::f64::consts::FRAC_1_SQRT_2, 6.0, 1e300] {
        check_rising("ln", ln, &neighbours(x));
    }
    for n in [0.5, 1.5, 2.5, 10.5, 53.5, 54.5, 55.0] {
        check_rising("tanh", tanh, &neighbours(n * half_ln_2));
    }
    let spread = |low: f64, high: f64| -> Vec<f64> {
        (0..=20_000).map(|i| low + (high - low) * f64::from(i) / 20_000.0).collect()
    };
    check_rising("exp", exp, &spread(-746.0, 710.0));
    check_rising("ln", ln, &spread(1e-3, 20.0));
    check_rising("tanh", tanh, &spread(-20.0, 20.0));
    check_rising("expm1", expm1, &spread(-38.0, 38.0));
    check_rising("ln_1p", ln_1p, &spread(-1.0, 38.0));
    check_rising("sigmoid", sigmoid, &spread(-746.0, 38.0));
    check_rising("softplus", softplus, &spread(-746.0, 38.0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn where_the_hot_form_holds_it_is_the_answer(x in any_bits()) {
        for (name, f, hot) in FUNCTIONS {
            let (value, holds) = hot(x);
            prop_assert!(!holds || value.to_bits() == f(x).to_bits(), "{name}({x:e})");
        }
    }

    #[test]
    fn where_the_hot_form_of_two_holds_it_is_the_answer(x in any_bits(), y in any_bits()) {
        for (name, f, hot) in FUNCTIONS_OF_TWO {
            let (value, holds) = hot(x, y);
            prop_assert!(!holds || value.to_bits() == f(x, y).to_bits(), "{name}({x:e}, {y:e})");
        }
    }

    #[test]
    fn small_powers(x in any_bits()) {
        prop_assert!(same(pow(x, 1.0), x));
        prop_assert!(same(pow(x, 2.0), x * x));
        let (root, inverse) = (pow(x, 0.5), pow(x, -1.0));
        let close = |a: f64, b: f64| same(a, b) || a == b.next_up() || a == b.next_down();
        prop_assert!(x < 0.0 || close(root, x.sqrt()), "{x:e}");
        prop_assert!(close(inverse, 1.0 / x), "{x:e}");
    }

    #[test]
    fn a_negative_base_turns_the_sign_with_the_parity(x in 1e-3f64..1e3, n in -100i32..=100) {
        let y = f64::from(n);
        prop_assert_eq!(pow(-x, y), if n % 2 == 0 { pow(x, y) } else { -pow(x, y) });
    }

    #[test]
    fn hypot_is_a_norm(a in any_bits(), b in any_bits(), near in 0.25..4.0) {
        for b in [b, a * near] {
            let c = hypot(a, b);
            prop_assert!(same(c, norm([a, b].into_iter())));
            prop_assert!(same(c, hypot(b, a)) && same(c, hypot(-a, b)));
            prop_assert!(c >= a.abs().max(b.abs()) || a.is_nan() || b.is_nan());
        }
        prop_assert!(same(norm([a].into_iter()), a.abs()));
        prop_assert!(same(hypot(a, 0.0), a.abs()));
    }

    #[test]
    fn sin_cos_has_the_bits_of_sin_and_cos(x in prop_oneof![any_bits(), -2e6..2e6]) {
        let [s, c] = sin_cos(x);
        prop_assert_eq!((s.to_bits(), c.to_bits()), (sin(x).to_bits(), cos(x).to_bits()));
        let ([s, c], holds) = hot::sin_cos(x);
        let (alone_s, alone_c) = (hot::sin(x), hot::cos(x));
        prop_assert_eq!((holds, holds), (alone_s.1, alone_c.1));
        prop_assert!(!holds || same(s, alone_s.0) && same(c, alone_c.0));
    }

    #[test]
    fn odd_and_even(x in prop_oneof![any_bits(), -100.0..100.0]) {
        prop_assert!(same(sin(-x), -sin(x)), "sin({x:e})");
        prop_assert!(same(cos(-x), cos(x)), "cos({x:e})");
        prop_assert!(same(tanh(-x), -tanh(x)), "tanh({x:e})");
    }

    #[test]
    fn ranges(x in any_bits()) {
        prop_assert!(exp(x) >= 0.0 || x.is_nan());
        prop_assert!(sin(x).abs() <= 1.0 || !x.is_finite());
        prop_assert!(cos(x).abs() <= 1.0 || !x.is_finite());
        prop_assert!(tanh(x).abs() <= x.abs().min(1.0) || x.is_nan());
        prop_assert!(expm1(x) >= x.max(-1.0) || x.is_nan());
        prop_assert!(ln_1p(x) <= x || x < -1.0 || x.is_nan());
        prop_assert!((0.0..=1.0).contains(&sigmoid(x)) || x.is_nan());
        prop_assert!(softplus(x) >= x.max(0.0) || x.is_nan());
    }

    /// A loop over an array, whose iterations may share vector registers, and single calls.
    #[test]
    fn loops_and_calls_agree(x in prop::array::uniform16(prop_oneof![-800.0..800.0, any_bits()])) {
        for (name, f, hot) in FUNCTIONS {
            let values = x.map(hot);
            for (x, (value, holds)) in x.into_iter().zip(values) {
                prop_assert!(!holds || same(value, f(x)), "{name}({x:e})");
            }
        }
        for (name, f, hot) in FUNCTIONS_OF_TWO {
            let values: [_; 8] = std::array::from_fn(|i| hot(x[i].abs(), x[i + 8]));
            for (i, (value, holds)) in values.into_iter().enumerate() {
                let (x, y) = (x[i].abs(), x[i + 8]);
                prop_assert!(!holds || same(value, f(x, y)), "{name}({x:e}, {y:e})");
            }
        }
    }
}

#[test]
fn the_hot_forms_cover_what_is_usual() {
    let covered: [(&str, Hot, &[f64]); 9] = [
        ("exp", hot::exp, &[-708.0, -1.0, -0.0, 0.0, LEAST, 700.0]),
        ("ln", hot::ln, &[f64::MIN_POSITIVE, 0.3, 1.0, f64::MAX]),
        ("sin", hot::sin, &[-1.6e6, -0.0, 0.0, LEAST, 1.6e6]),
        ("cos", hot::cos, &[-1.6e6, -0.0, 0.0, LEAST, 1.6e6]),
        ("tanh", hot::tanh, &[-INF, f64::MIN, -0.0, 0.0, LEAST, 0.5, f64::MAX, INF]),
        ("expm1", hot::expm1, &[-INF, f64::MIN, -1.0, -0.0, 0.0, LEAST, 708.0]),
        ("ln_1p", hot::ln_1p, &[(-1.0f64).next_up(), -0.0, 0.0, LEAST, 1.0, f64::MAX]),
        ("sigmoid", hot::sigmoid, &[-708.0, -0.0, 0.0, LEAST, 1.0, f64::MAX, INF]),
        ("softplus", hot::softplus, &[-600.0, -0.0, 0.0, LEAST, 1.0, f64::MAX]),
    ];
    for (name, hot, operands) in covered {
        for &x in operands {
            assert!(hot(x).1, "{name}({x:e})");
        }
        assert!(!hot(f64::NAN).1, "{name}(NaN)");
    }
    let covered: [(&str, Hot2, &[(f64, f64)]); 2] = [
        (
            "pow",
            hot::pow,
            &[(0.5, 0.0), (1.0, 1e19), (f64::MAX, 0.9), (f64::MIN_POSITIVE, -0.99), (2.0, -1000.0)],
        ),
        ("hypot", hot::hypot, &[(0.0, 1.0), (1e100, -LEAST), (-1e120, 1e120)]),
    ];
    for (name, hot, operands) in covered {
        for &(x, y) in operands {
            assert!(hot(x, y).1, "{name}({x:e}, {y:e})");
            assert!(!hot(f64::NAN, y).1 && !hot(x, f64::NAN).1, "{name} of NaN");
        }
    }
}
