//! The elementary functions: symmetry, monotonicity, and one answer whichever form computes it. Their
//! values are tested in `values.rs`, `hyperbolic.rs`, `special.rs` and
//! `roots_and_remainders.rs` and, against many digits, in
//! `property/test_elementary_mpmath.py`.

use crate::checks::{Function, Function2, INF, LEAST, same};
use proptest::prelude::*;
use zeroproof::elementary::{
    acos, acosh, asin, asinh, atan, atan2, atanh, cbrt, cos, cosc, cosc_slope, cosh, erf, erf_slope, erfc,
    exp, expm1, exprel, exprel_slope, fast, floor_quotient, hypot, ln, ln_1p, log_ndtr, log_ndtr_slope,
    log1prel, log1prel_slope, log2, log10, norm, pow, remainder, sigmoid, sin, sin_cos, sin_cos_pi, sinc,
    sinc_slope, sinh, sinh_cosh, softplus, tan, tanh,
};

type Fast = fn(f64) -> (f64, bool);

const FUNCTIONS: [(&str, Function, Fast); 34] = [
    ("exp", exp, fast::exp),
    ("ln", ln, fast::ln),
    ("sin", sin, fast::sin),
    ("cos", cos, fast::cos),
    ("tanh", tanh, fast::tanh),
    ("expm1", expm1, fast::expm1),
    ("ln_1p", ln_1p, fast::ln_1p),
    ("sigmoid", sigmoid, fast::sigmoid),
    ("softplus", softplus, fast::softplus),
    ("tan", tan, fast::tan),
    ("sinc", sinc, fast::sinc),
    ("sinc_slope", sinc_slope, fast::sinc_slope),
    ("asin", asin, fast::asin),
    ("acos", acos, fast::acos),
    ("atan", atan, fast::atan),
    ("sinh", sinh, fast::sinh),
    ("cosh", cosh, fast::cosh),
    ("asinh", asinh, fast::asinh),
    ("acosh", acosh, fast::acosh),
    ("atanh", atanh, fast::atanh),
    ("cbrt", cbrt, fast::cbrt),
    ("log2", log2, fast::log2),
    ("log10", log10, fast::log10),
    ("erf", erf, fast::erf),
    ("erfc", erfc, fast::erfc),
    ("erf_slope", erf_slope, fast::erf_slope),
    ("log_ndtr", log_ndtr, fast::log_ndtr),
    ("log_ndtr_slope", log_ndtr_slope, fast::log_ndtr_slope),
    ("exprel", exprel, fast::exprel),
    ("exprel_slope", exprel_slope, fast::exprel_slope),
    ("log1prel", log1prel, fast::log1prel),
    ("log1prel_slope", log1prel_slope, fast::log1prel_slope),
    ("cosc", cosc, fast::cosc),
    ("cosc_slope", cosc_slope, fast::cosc_slope),
];

type Fast2 = fn(f64, f64) -> (f64, bool);
type Pairs = &'static [(f64, f64)];

const FUNCTIONS_OF_TWO: [(&str, Function2, Fast2); 5] = [
    ("pow", pow, fast::pow),
    ("hypot", hypot, fast::hypot),
    ("atan2", atan2, fast::atan2),
    ("remainder", remainder, fast::remainder),
    ("floor_quotient", floor_quotient, fast::floor_quotient),
];
/// Below this the fast forms of some odd functions do not hold.
const TINY: f64 = f64::from_bits((1023 - 900) << 52);

fn any_bits() -> impl Strategy<Value = f64> {
    any::<u64>().prop_map(f64::from_bits)
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
    let far = 2f64.powi(500);
    let seams: [(&str, Function, Fast, &[f64]); 24] = [
        ("exp", exp, fast::exp, &[-708.39, 708.39]),
        ("ln", ln, fast::ln, &[f64::MIN_POSITIVE]),
        ("sin", sin, fast::sin, &[1_647_099.0]), // in the rising quarter before 262144·2π
        ("expm1", expm1, fast::expm1, &[708.39]),
        ("sigmoid", sigmoid, fast::sigmoid, &[-708.39]),
        ("softplus", softplus, fast::softplus, &[-600.0]),
        ("sinh", sinh, fast::sinh, &[-708.39, 708.39]),
        ("cosh", cosh, fast::cosh, &[708.39]),
        ("asinh", asinh, fast::asinh, &[-far, far]),
        ("acosh", acosh, fast::acosh, &[far]),
        ("cbrt", cbrt, fast::cbrt, &[-f64::MIN_POSITIVE, f64::MIN_POSITIVE]),
        ("log2", log2, fast::log2, &[f64::MIN_POSITIVE]),
        ("log10", log10, fast::log10, &[f64::MIN_POSITIVE]),
        // Where a function falls, it is turned round.
        ("erf", erf, fast::erf, &[TINY]),
        ("erfc", |x| erfc(-x), |x| fast::erfc(-x), &[-26.0]),
        ("erf_slope", erf_slope, fast::erf_slope, &[-26.5]),
        ("log_ndtr", log_ndtr, fast::log_ndtr, &[-1e150, 37.0]),
        ("log_ndtr_slope", |x| log_ndtr_slope(-x), |x| fast::log_ndtr_slope(-x), &[-37.0]),
        ("exprel", exprel, fast::exprel, &[-1.0 / TINY, 708.39]),
        ("exprel_slope", exprel_slope, fast::exprel_slope, &[-1e150, 700.0]),
        ("log1prel", |x| -log1prel(x), fast::log1prel, &[1.0 / TINY]),
        ("log1prel_slope", log1prel_slope, fast::log1prel_slope, &[1e150]),
        ("cosc", |x| -cosc(x), fast::cosc, &[3_294_198.0]),
        ("cosc_slope", cosc_slope, fast::cosc_slope, &[3_294_198.0]),
    ];
    for (name, f, fast, seams) in seams {
        for &seam in seams {
            let operands = neighbours(seam);
            let held = operands.iter().filter(|&&x| fast(x).1).count();
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
    for x in [-0.5, 0.5] {
        check_rising("asin", asin, &neighbours(x));
        check_rising("acos", |x| -acos(x), &neighbours(x));
    }
    for x in [0.41421356237309503, 1.0, 2.414213562373095] {
        check_rising("atan2", |x| atan2(x, 1.0), &neighbours(x));
    }
    for x in [0.125, 0.375].map(|eighth| eighth * std::f64::consts::PI) {
        check_rising("tan", tan, &neighbours(x));
    }
    for n in [0.5, 1.5, 2.5, 10.5, 53.5, 54.5, 55.0] {
        check_rising("tanh", tanh, &neighbours(n * half_ln_2));
    }
    for n in [1.0, 3.0, 5.0, 53.0, 101.0] {
        check_rising("sinh", sinh, &neighbours(n * half_ln_2));
        check_rising("cosh", cosh, &neighbours(n * half_ln_2));
    }
    for x in [1.0, std::f64::consts::SQRT_2, std::f64::consts::FRAC_1_SQRT_2, 10.0, 1e300] {
        check_rising("log2", log2, &neighbours(x));
        check_rising("log10", log10, &neighbours(x));
    }
    for x in [0.41421356237309503, 1.0, 2.414213562373095] {
        check_rising("atan", atan, &neighbours(x));
    }
    // Where |x| + √(x² ± 1) is √2, and where √(1 + x²) − 1 becomes a square.
    check_rising("acosh", acosh, &neighbours(1.0606601717798212));
    for x in [0.3535533905932738, 2f64.powi(-20)] {
        check_rising("asinh", asinh, &neighbours(x));
    }
    // Where the logarithms of 1 ± x, as their bits tell them, are n + ½ apart.
    for x in [0.2, 0.1715728752538099, 0.5, 0.6] {
        check_rising("atanh", atanh, &neighbours(x));
    }
    for x in [1.0, 2.0, 4.0, 8.0, 1e300] {
        check_rising("cbrt", cbrt, &neighbours(x));
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
    check_rising("tan", tan, &spread(-1.57, 1.57));
    check_rising("asin", asin, &spread(-1.0, 1.0));
    check_rising("acos", |x| -acos(x), &spread(-1.0, 1.0));
    check_rising("atan2", |x| atan2(x, 1.0), &spread(-20.0, 20.0));
    check_rising("atan", atan, &spread(-20.0, 20.0));
    check_rising("sinh", sinh, &spread(-711.0, 711.0));
    check_rising("sinh", sinh, &spread(-4.0, 4.0));
    check_rising("cosh", cosh, &spread(0.0, 4.0));
    check_rising("asinh", asinh, &spread(-4.0, 4.0));
    check_rising("acosh", acosh, &spread(1.0, 4.0));
    check_rising("atanh", atanh, &spread(-1.0, 1.0));
    check_rising("cbrt", cbrt, &spread(-9.0, 9.0));
    check_rising("log2", log2, &spread(1e-3, 20.0));
    check_rising("log10", log10, &spread(1e-3, 20.0));
    check_rising("erf", erf, &spread(-7.0, 7.0));
    check_rising("erfc", |x| erfc(-x), &spread(-28.0, 7.0));
    check_rising("log_ndtr", log_ndtr, &spread(-50.0, 39.0));
    check_rising("log_ndtr_slope", |x| log_ndtr_slope(-x), &spread(-39.0, 50.0));
    check_rising("exprel", exprel, &spread(-50.0, 717.0));
    check_rising("exprel_slope", exprel_slope, &spread(-50.0, 717.0));
    check_rising("log1prel", |x| -log1prel(x), &spread(-1.0, 50.0));
    check_rising("log1prel_slope", log1prel_slope, &spread(-1.0, 50.0));
}

/// Where a form takes over, both may be off by an ulp, but by no more.
#[test]
fn no_gap_between_a_series_and_what_follows() {
    let seams: [(&str, Function, &[f64]); 11] = [
        ("erf", erf, &[0.46875, 6.5]),
        ("erfc", erfc, &[-0.46875, 0.46875, -26.0]),
        ("erf_slope", erf_slope, &[0.5887]),
        ("log_ndtr", log_ndtr, &[-0.6629126073623883, 0.6629126073623883]),
        ("log_ndtr_slope", log_ndtr_slope, &[-0.6629126073623883, 0.6629126073623883, -37.0]),
        ("exprel", exprel, &[-45.0, TINY, -TINY]),
        ("exprel_slope", exprel_slope, &[-0.5, 0.5, -700.0]),
        ("log1prel", log1prel, &[-0.2929, 0.4142, TINY, -TINY]),
        ("log1prel_slope", log1prel_slope, &[-0.4, 0.6666666666666666]),
        ("cosc", cosc, &[f64::EPSILON, 3_294_198.0]),
        ("cosc_slope", cosc_slope, &[0.015625, 3_294_198.0]),
    ];
    for (name, f, seams) in seams {
        for &seam in seams {
            for pair in neighbours(seam).windows(2) {
                let (a, b) = (f(pair[0]), f(pair[1]));
                let ulp = a.abs().max(b.abs()).next_up() - a.abs().max(b.abs());
                // The functions themselves change by less than two ulp, or by a few thousandths where
                // angles are huge.
                let steps = if seam > 1e6 { 1e-2 * a.abs() / ulp } else { 5.0 };
                assert!(
                    (a - b).abs() <= steps * ulp,
                    "{name}({:e}) = {a:e}, {name}({:e}) = {b:e}",
                    pair[0],
                    pair[1]
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) })]

    #[test]
    fn where_the_hot_form_holds_it_is_the_answer(x in any_bits()) {
        for (name, f, fast) in FUNCTIONS {
            let (value, holds) = fast(x);
            prop_assert!(!holds || value.to_bits() == f(x).to_bits(), "{name}({x:e})");
        }
    }

    #[test]
    fn where_the_hot_form_of_two_holds_it_is_the_answer(x in any_bits(), y in any_bits()) {
        for (name, f, fast) in FUNCTIONS_OF_TWO {
            let (value, holds) = fast(x, y);
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
        let ([s, c], holds) = fast::sin_cos(x);
        let (alone_s, alone_c) = (fast::sin(x), fast::cos(x));
        prop_assert_eq!((holds, holds), (alone_s.1, alone_c.1));
        prop_assert!(!holds || same(s, alone_s.0) && same(c, alone_c.0));
    }

    #[test]
    fn sinh_cosh_has_the_bits_of_sinh_and_cosh(x in prop_oneof![any_bits(), -711.0..711.0]) {
        let [s, c] = sinh_cosh(x);
        prop_assert!(same(s, sinh(x)) && same(c, cosh(x)), "{x:e}");
        let ([s, c], holds) = fast::sinh_cosh(x);
        let (alone_s, alone_c) = (fast::sinh(x), fast::cosh(x));
        prop_assert_eq!((holds, holds), (alone_s.1, alone_c.1));
        prop_assert!(!holds || same(s, alone_s.0) && same(c, alone_c.0));
    }

    #[test]
    fn atan_is_the_angle_beside_1(x in prop_oneof![any_bits(), -100.0..100.0]) {
        prop_assert!(same(atan(x), atan2(x, 1.0)), "{x:e}");
    }

    /// Turning by halves, where the sum is exact; and the fast form where it holds.
    #[test]
    fn sin_cos_pi_turns(n in -4_000_000..4_000_000i32, x in any_bits()) {
        let x_near = f64::from(n) / 1024.0;
        let ([s, c], [turned_s, turned_c]) = (sin_cos_pi(x_near), sin_cos_pi(x_near + 0.5));
        prop_assert_eq!((turned_s, turned_c), (c, -s));
        for x in [x, x_near] {
            let ([s, c], holds) = fast::sin_cos_pi(x);
            let want = sin_cos_pi(x);
            prop_assert!(!holds || same(s, want[0]) && same(c, want[1]), "{x:e}");
        }
    }

    #[test]
    fn the_angle_mirrors(x in any_bits(), y in any_bits(), near in 0.25..4.0) {
        for y in [y, x * near] {
            prop_assert!(same(atan2(-y, x), -atan2(y, x)));
            prop_assert!(atan2(y, x).abs() <= std::f64::consts::PI || x.is_nan() || y.is_nan());
            let (right, left) = (atan2(y.abs(), x.abs()), atan2(y.abs(), -x.abs()));
            prop_assert!((right + left - std::f64::consts::PI).abs() < 1e-15 || x.is_nan() || y.is_nan());
        }
    }

    #[test]
    fn odd_and_even(x in prop_oneof![any_bits(), -100.0..100.0]) {
        prop_assert!(same(sin(-x), -sin(x)), "sin({x:e})");
        prop_assert!(same(cos(-x), cos(x)), "cos({x:e})");
        prop_assert!(same(tanh(-x), -tanh(x)), "tanh({x:e})");
        prop_assert!(same(asin(-x), -asin(x)), "asin({x:e})");
        prop_assert!(same(tan(-x), -tan(x)), "tan({x:e})");
        prop_assert!(same(atan(-x), -atan(x)), "atan({x:e})");
        prop_assert!(same(sinh(-x), -sinh(x)), "sinh({x:e})");
        prop_assert!(same(cosh(-x), cosh(x)), "cosh({x:e})");
        prop_assert!(same(asinh(-x), -asinh(x)), "asinh({x:e})");
        prop_assert!(same(atanh(-x), -atanh(x)), "atanh({x:e})");
        prop_assert!(same(cbrt(-x), -cbrt(x)), "cbrt({x:e})");
        let ([s, c], [minus_s, minus_c]) = (sin_cos_pi(x), sin_cos_pi(-x));
        prop_assert!(same(minus_s, -s) && same(minus_c, c), "sin_cos_pi({x:e})");
        prop_assert!(same(sinc(-x), sinc(x)), "sinc({x:e})");
        prop_assert!(sinc_slope(-x) == -sinc_slope(x) || x.is_nan(), "sinc_slope({x:e})");
        prop_assert!(same(erf(-x), -erf(x)), "erf({x:e})");
        prop_assert!(same(erf_slope(-x), erf_slope(x)), "erf_slope({x:e})");
        prop_assert!(same(cosc(-x), cosc(x)), "cosc({x:e})");
        prop_assert!(cosc_slope(-x) == -cosc_slope(x) || x.is_nan(), "cosc_slope({x:e})");
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
        prop_assert!(atan(x).abs() <= x.abs().min(std::f64::consts::FRAC_PI_2) || x.is_nan());
        prop_assert!(sinh(x).abs() >= x.abs() || x.is_nan());
        prop_assert!(cosh(x) >= sinh(x).abs().max(1.0) || x.is_nan());
        prop_assert!(asinh(x).abs() <= x.abs() || x.is_nan());
        prop_assert!(acosh(x) >= 0.0 || x < 1.0 || x.is_nan());
        prop_assert!(atanh(x).abs() >= x.abs() || x.abs() > 1.0 || x.is_nan());
        prop_assert!((-1.0..=1.0).contains(&erf(x)) || x.is_nan());
        prop_assert!((0.0..=2.0).contains(&erfc(x)) || x.is_nan());
        prop_assert!((0.0..=std::f64::consts::FRAC_2_SQRT_PI).contains(&erf_slope(x)) || x.is_nan());
        prop_assert!(log_ndtr(x) <= 0.0 || x.is_nan());
        prop_assert!(log_ndtr_slope(x) >= (-x).max(0.0) || x.is_nan());
        prop_assert!(exprel(x) >= 0.0 || x.is_nan());
        prop_assert!(exprel_slope(x) >= 0.0 || x.is_nan());
        prop_assert!(log1prel(x) >= 0.0 || x < -1.0 || x.is_nan());
        prop_assert!(log1prel_slope(x) <= 0.0 || x < -1.0 || x.is_nan());
        prop_assert!((0.0..=0.5).contains(&cosc(x)) || x.is_nan());
        prop_assert!(cosc_slope(x).abs() <= 1.0 / 6.0 || x.is_nan());
    }

    /// Identities that hold wherever both sides are normal, to a few ulp of the larger term.
    #[test]
    fn what_the_error_functions_have_in_common(x in -26.0..26.0f64) {
        let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= 4.0 * f64::EPSILON * scale.abs();
        prop_assert!(close(erf(x) + erfc(x), 1.0, 1.0));
        prop_assert!(close(erfc(x) + erfc(-x), 2.0, 2.0));
        let z = x * std::f64::consts::SQRT_2;
        // ln Φ(−z) moves by its slope times what rounding took from z.
        let scale = log_ndtr(-z).abs() + log_ndtr_slope(-z) * z.abs();
        prop_assert!(close(log_ndtr(-z), ln(0.5 * erfc(x)), scale + 1.0));
    }

    #[test]
    fn what_exprel_and_log1prel_have_in_common(x in -700.0..700.0f64) {
        let close = |a: f64, b: f64| (a - b).abs() <= 4.0 * f64::EPSILON * b;
        prop_assert!(close(exprel(-x) * exp(x), exprel(x)));
        // Below 0 what is rounded of eˣ − 1 counts more the closer it is to −1.
        prop_assert!(x < -1.0 || close(log1prel(expm1(x)) * exprel(x), 1.0));
    }

    /// A loop over an array, whose iterations may share vector registers, and single calls.
    #[test]
    fn loops_and_calls_agree(x in prop::array::uniform16(prop_oneof![-800.0..800.0, any_bits()])) {
        for (name, f, fast) in FUNCTIONS {
            let values = x.map(fast);
            for (x, (value, holds)) in x.into_iter().zip(values) {
                prop_assert!(!holds || same(value, f(x)), "{name}({x:e})");
            }
        }
        for (name, f, fast) in FUNCTIONS_OF_TWO {
            let values: [_; 8] = std::array::from_fn(|i| fast(x[i].abs(), x[i + 8]));
            for (i, (value, holds)) in values.into_iter().enumerate() {
                let (x, y) = (x[i].abs(), x[i + 8]);
                prop_assert!(!holds || same(value, f(x, y)), "{name}({x:e}, {y:e})");
            }
        }
    }
}

#[test]
fn the_hot_forms_cover_what_is_usual() {
    let covered: [(&str, Fast, &[f64]); 34] = [
        ("exp", fast::exp, &[-708.0, -1.0, -0.0, 0.0, LEAST, 700.0]),
        ("ln", fast::ln, &[f64::MIN_POSITIVE, 0.3, 1.0, f64::MAX]),
        ("sin", fast::sin, &[-1.6e6, -0.0, 0.0, LEAST, 1.6e6]),
        ("cos", fast::cos, &[-1.6e6, -0.0, 0.0, LEAST, 1.6e6]),
        ("tanh", fast::tanh, &[-INF, f64::MIN, -0.0, 0.0, LEAST, 0.5, f64::MAX, INF]),
        ("expm1", fast::expm1, &[-INF, f64::MIN, -1.0, -0.0, 0.0, LEAST, 708.0]),
        ("ln_1p", fast::ln_1p, &[(-1.0f64).next_up(), -0.0, 0.0, LEAST, 1.0, f64::MAX]),
        ("sigmoid", fast::sigmoid, &[-708.0, -0.0, 0.0, LEAST, 1.0, f64::MAX, INF]),
        ("tan", fast::tan, &[-1.6e6, -0.0, 0.0, LEAST, 1.6e6]),
        ("asin", fast::asin, &[-1.0, -0.0, 0.0, LEAST, 0.5, 1.0]),
        ("acos", fast::acos, &[-1.0, -0.0, 0.0, LEAST, 0.5, 1.0]),
        ("sinc", fast::sinc, &[-1e15, -1.0, -0.0, 0.0, LEAST, 1e15]),
        ("sinc_slope", fast::sinc_slope, &[-1e15, -1.0, -0.0, 0.0, 1e-270, 1e15]),
        ("softplus", fast::softplus, &[-600.0, -0.0, 0.0, LEAST, 1.0, f64::MAX]),
        ("atan", fast::atan, &[-INF, f64::MIN, -0.0, 0.0, LEAST, 0.5, f64::MAX, INF]),
        ("sinh", fast::sinh, &[-708.0, -0.0, 0.0, LEAST, 0.5, 708.0]),
        ("cosh", fast::cosh, &[-708.0, -0.0, 0.0, LEAST, 0.5, 708.0]),
        ("asinh", fast::asinh, &[-1e150, -0.0, 0.0, LEAST, 0.5, 1e150]),
        ("acosh", fast::acosh, &[1.0, 1.0f64.next_up(), 2.0, 1e150]),
        ("atanh", fast::atanh, &[(-1.0f64).next_up(), -0.0, 0.0, LEAST, 0.5, 1.0f64.next_down()]),
        ("cbrt", fast::cbrt, &[f64::MIN, -1.0, f64::MIN_POSITIVE, 0.5, f64::MAX]),
        ("log2", fast::log2, &[f64::MIN_POSITIVE, 0.3, 1.0, f64::MAX]),
        ("log10", fast::log10, &[f64::MIN_POSITIVE, 0.3, 1.0, f64::MAX]),
        ("erf", fast::erf, &[-INF, f64::MIN, -0.0, 0.0, 1e-270, 0.5, f64::MAX, INF]),
        ("erfc", fast::erfc, &[-INF, f64::MIN, -0.0, 0.0, LEAST, 0.5, 26.0]),
        ("erf_slope", fast::erf_slope, &[-26.5, -0.0, 0.0, LEAST, 0.5, 26.5]),
        ("log_ndtr", fast::log_ndtr, &[-1e150, -40.0, -0.0, 0.0, LEAST, 37.0]),
        ("log_ndtr_slope", fast::log_ndtr_slope, &[f64::MIN, -40.0, -0.0, 0.0, LEAST, 37.0]),
        ("exprel", fast::exprel, &[-1e270, -1.0, -0.0, 0.0, LEAST, 708.0]),
        ("exprel_slope", fast::exprel_slope, &[-1e150, -1.0, -0.0, 0.0, LEAST, 700.0]),
        ("log1prel", fast::log1prel, &[(-1.0f64).next_up(), -0.0, 0.0, LEAST, 1e270]),
        ("log1prel_slope", fast::log1prel_slope, &[(-1.0f64).next_up(), -0.0, 0.0, LEAST, 1e150]),
        ("cosc", fast::cosc, &[-3.2e6, -0.0, 0.0, LEAST, 8.98, 3.2e6]),
        ("cosc_slope", fast::cosc_slope, &[-3.2e6, -0.0, 0.0, 1e-270, 8.98, 3.2e6]),
    ];
    for (name, fast, operands) in covered {
        for &x in operands {
            assert!(fast(x).1, "{name}({x:e})");
        }
        assert!(!fast(f64::NAN).1, "{name}(NaN)");
    }
    let far_apart: Pairs = &[(0.0, 1.0), (-1e15, 1.0), (LEAST, -1e308), (4e307, 1e300), (1e-300, -1e-300)];
    let covered: [(&str, Fast2, Pairs); 5] = [
        (
            "pow",
            fast::pow,
            &[(0.5, 0.0), (1.0, 1e19), (f64::MAX, 0.9), (f64::MIN_POSITIVE, -0.99), (2.0, -1000.0)],
        ),
        ("atan2", fast::atan2, &[(0.0, 1.0), (-1.0, -0.0), (1e130, -1e-130), (1.0, 1.0)]),
        ("hypot", fast::hypot, &[(0.0, 1.0), (1e100, -LEAST), (-1e120, 1e120)]),
        ("remainder", fast::remainder, far_apart),
        ("floor_quotient", fast::floor_quotient, far_apart),
    ];
    for (name, fast, operands) in covered {
        for &(x, y) in operands {
            assert!(fast(x, y).1, "{name}({x:e}, {y:e})");
            assert!(!fast(f64::NAN, y).1 && !fast(x, f64::NAN).1, "{name} of NaN");
        }
    }
}
