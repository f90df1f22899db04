//! The elementary functions at special points, to the bit: zeros with their signs, ±1, infinities, NaN, the
//! ends of the range, exact results, and constants computed with mpmath. Neighbours of these and the
//! forms that compute them are tested in `elementary.rs`.

use crate::checks::{Function, INF, LEAST, check, check2};
use zeroproof::elementary::{
    acos, asin, atan, atan2, cos, exp, expm1, hypot, ln, ln_1p, norm, pow, sigmoid, sin, sin_cos_pi, sinc,
    sinc_slope, softplus, tan, tanh,
};

/// The double nearest to a multiple of π/2: 6381956970095103·2⁷⁹⁷.
const NEAREST_TO_MULTIPLE: f64 = 5.319372648326541e255;

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

#[test]
fn tan_of_special_values() {
    check(
        "tan",
        tan,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (1e-300, 1e-300),
            (0.5, 0.5463024898437905),
            (std::f64::consts::FRAC_PI_4, 1.0f64.next_down()),
            (std::f64::consts::FRAC_PI_2, 1.633123935319537e16),
            (std::f64::consts::PI, -1.2246467991473532e-16),
            (1e22, -1.6287782256068988),
            (NEAREST_TO_MULTIPLE, -2.133485385753704e18),
            (f64::MAX, -0.004962015874444895),
            (INF, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}

/// 2⁵⁰ and a quarter: the fast forms no longer hold, and the fraction still counts.
const FAR: f64 = (1u64 << 50) as f64 + 0.25;

#[test]
fn sin_cos_pi_of_special_values() {
    let sin: Function = |x| sin_cos_pi(x)[0];
    let cos: Function = |x| sin_cos_pi(x)[1];
    check(
        "sin pi",
        sin,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, 3.0 * LEAST),
            (-1e-310, -3.1415926535898e-310),
            (1e-300, 3.1415926535897936e-300),
            (1e-5, 3.141592653073022e-05),
            (0.3, 0.8090169943749475),
            (FAR, std::f64::consts::FRAC_1_SQRT_2),
        ],
    );
    check("cos pi", cos, &[(0.0, 1.0), (-0.0, 1.0), (LEAST, 1.0), (0.3, 0.5877852522924731), (1e-9, 1.0)]);
    // Exact at all multiples of ½, and zeros have the sign of x and +.
    for whole in [0.0, 1.0, 2.0, 3.0, 1e6, 1e6 + 1.0, FAR.floor(), FAR.floor() + 1.0] {
        let sign = if whole % 2.0 == 0.0 { 1.0 } else { -1.0 };
        check("sin pi", sin, &[(whole, 0.0), (-whole, -0.0), (whole + 0.5, sign), (-whole - 0.5, -sign)]);
        check("cos pi", cos, &[(whole, sign), (-whole, sign), (whole + 0.5, 0.0), (-whole - 0.5, 0.0)]);
    }
    check("sin pi", sin, &[(1e300, 0.0), (-f64::MAX, -0.0)]);
    check("cos pi", cos, &[(1e300, 1.0), (-f64::MAX, 1.0)]);
    for x in [INF, -INF, f64::NAN] {
        assert!(sin(x).is_nan() && cos(x).is_nan());
    }
}

#[test]
fn sinc_and_its_slope_of_special_values() {
    check(
        "sinc",
        sinc,
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (LEAST, 1.0),
            (1e-5, 0.9999999998355066),
            (0.5, std::f64::consts::FRAC_2_PI),
            (1.0, 0.0),
            (-1.0, 0.0),
            (1.5, -0.2122065907891938),
            (2.0, 0.0),
            (-2.5, 0.12732395447351627),
            (FAR, 1.9991038072866415e-16),
            (1e300, 0.0),
            (-f64::MAX, 0.0),
            (INF, 0.0),
            (-INF, 0.0),
            (f64::NAN, f64::NAN),
        ],
    );
    check(
        "sinc_slope",
        sinc_slope,
        &[
            (0.0, 0.0),
            (-0.0, 0.0),
            (1e-310, -3.28986813369646e-310),
            (-1e-300, 3.289868133696453e-300),
            (1e-5, -3.289868133371756e-05),
            (0.3, -0.9020281301388888),
            (0.5, -1.2732395447351628),
            (1.0, -1.0),
            (1.5, 0.14147106052612918),
            (-2.0, -0.5),
            (FAR, 6.280369834735097e-16),
            // Next to stationary points.
            (1.4302966531242027, -5.3972132071961494e-17),
            (-2.459024, -4.175641705124038e-08),
            (2.4590240325, 5.787195604565978e-10),
            (1e300, 1e-300),
            (INF, 0.0),
            (-INF, 0.0),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn asin_and_acos_of_special_values() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_3, FRAC_PI_6, PI};
    check(
        "asin",
        asin,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (1e-300, 1e-300),
            (0.1, 0.1001674211615598),
            (-0.5, -FRAC_PI_6),
            (0.75, 0.848062078981481),
            (1.0f64.next_down(), 1.5707963118937354),
            (1.0, FRAC_PI_2),
            (-1.0, -FRAC_PI_2),
        ],
    );
    check(
        "acos",
        acos,
        &[
            (0.0, FRAC_PI_2),
            (-0.0, FRAC_PI_2),
            (LEAST, FRAC_PI_2),
            (0.1, 1.4706289056333368),
            (0.5, FRAC_PI_3),
            (-0.75, 2.4188584057763776),
            (1.0f64.next_down(), 1.4901161193847656e-08),
            (1.0, 0.0),
            (-1.0, PI),
        ],
    );
    for outside in [1.0f64.next_up(), (-1.0f64).next_down(), f64::MAX, INF, -INF, f64::NAN] {
        assert!(asin(outside).is_nan() && acos(outside).is_nan(), "{outside:e}");
    }
}

#[test]
fn atan_of_special_values() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};
    check(
        "atan",
        atan,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-1e-310, -1e-310),
            (1e-5, 9.999999999666668e-06),
            (0.1, 0.09966865249116204),
            (-1.0, -FRAC_PI_4),
            (10.0, 1.4711276743037347),
            (5e15, FRAC_PI_2.next_down()),
            (1e16, FRAC_PI_2),
            (f64::MAX, FRAC_PI_2),
            (INF, FRAC_PI_2),
            (-INF, -FRAC_PI_2),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn atan2_of_special_values() {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    const OBTUSE: f64 = 3.0 * FRAC_PI_4;
    for (sign, zero) in [(1.0, 0.0), (-1.0, -0.0)] {
        // The upper half of the plane, and the lower one.
        check2(
            "atan2",
            atan2,
            &[
                (zero, 0.0, zero),
                (zero, 1.0, zero),
                (zero, INF, zero),
                (zero, -0.0, sign * PI),
                (zero, -LEAST, sign * PI),
                (zero, -INF, sign * PI),
                (sign * LEAST, 0.0, sign * FRAC_PI_2),
                (sign * 2.0, -0.0, sign * FRAC_PI_2),
                (sign * INF, -5.0, sign * FRAC_PI_2),
                (sign * f64::MAX, INF, zero),
                (sign * f64::MAX, -INF, sign * PI),
                (sign * INF, INF, sign * FRAC_PI_4),
                (sign * INF, -INF, sign * OBTUSE),
                (sign, 1.0, sign * FRAC_PI_4),
                (sign * LEAST, -LEAST, sign * OBTUSE),
                (sign * f64::MAX, f64::MAX, sign * FRAC_PI_4),
                (sign, 2.0, sign * 0.4636476090008061),
                (sign, -2.0, sign * 2.677945044588987),
                (sign * 3.0, 1.0, sign * 1.2490457723982544),
                (sign * 1e308, 1.5e308, sign * 0.5880026035475675),
                (sign * 5e-324, 3e-323, sign * 0.16514867741462683),
                (sign * 1e-200, 1e100, sign * 1e-300),
                (sign * 1e-310, 2.0, sign * 5e-311),
                (sign * 1e-310, 3.0, sign * 3.333333333333e-311),
                (sign * 1e-310, -2.0, sign * PI),
                (sign * 1e-300, 1e300, zero),
                (sign, f64::NAN, f64::NAN),
            ],
        );
    }
    check2(
        "atan2",
        atan2,
        &[(f64::NAN, 0.0, f64::NAN), (f64::NAN, INF, f64::NAN), (INF, f64::NAN, f64::NAN)],
    );
}
