//! Cube roots, logarithms to the bases 2 and 10, and division with remainder: special points to the bit, and
//! all that must be exact.

use crate::checks::{INF, LEAST, check, check2, same};
use proptest::prelude::*;
use zeroproof::elementary::{cbrt, floor_quotient, log2, log10, remainder};

const NAN: f64 = f64::NAN;
/// 2⁵³.
const ALL_INTEGERS: f64 = (1u64 << 53) as f64;

#[test]
fn cbrt_of_special_values() {
    check(
        "cbrt",
        cbrt,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (2.0, 1.2599210498948732),
            (-10.0, -2.154434690031884),
            (1e-5, 0.02154434690031884),
            (1e300, 1e100),
            (LEAST, 1.7031839360032603e-108),
            (-8.0 * LEAST, -3.4063678720065206e-108),
            (f64::MIN_POSITIVE, 2.812644285236262e-103),
            (f64::MAX, 5.643803094122362e102),
            (INF, INF),
            (-INF, -INF),
            (NAN, NAN),
        ],
    );
}

#[test]
fn log2_of_special_values() {
    check(
        "log2",
        log2,
        &[
            (1.0, 0.0),
            (3.0, 1.584962500721156),
            (10.0, std::f64::consts::LOG2_10),
            (0.1, -std::f64::consts::LOG2_10),
            (1.0f64.next_up(), 3.203426503814917e-16),
            (1.0f64.next_down(), -1.6017132519074588e-16),
            (f64::MAX, 1024.0),
            (3.0 * LEAST, -1072.415037499279),
            (0.0, -INF),
            (-0.0, -INF),
            (INF, INF),
            (-LEAST, NAN),
            (-1.0, NAN),
            (-INF, NAN),
            (NAN, NAN),
        ],
    );
    for n in -1074..=1023i32 {
        let power = if n < -1022 { LEAST * 2f64.powi(n + 1074) } else { 2f64.powi(n) };
        assert_eq!(log2(power), f64::from(n));
    }
}

#[test]
fn log10_of_special_values() {
    check(
        "log10",
        log10,
        &[
            (1.0, 0.0),
            (2.0, std::f64::consts::LOG10_2),
            (3.0, 0.47712125471966244),
            (1.0f64.next_up(), 9.64327466553287e-17),
            (1.0f64.next_down(), -4.821637332766436e-17),
            (f64::MAX, 308.25471555991675),
            (LEAST, -323.3062153431158),
            (f64::MIN_POSITIVE, -307.6526555685888),
            (0.0, -INF),
            (-0.0, -INF),
            (INF, INF),
            (-LEAST, NAN),
            (-1.0, NAN),
            (-INF, NAN),
            (NAN, NAN),
        ],
    );
    // Below, subnormals are further from powers of ten than their logarithms are from integers.
    for n in -307..=308 {
        let power: f64 = format!("1e{n}").parse().unwrap();
        assert_eq!(log10(power), f64::from(n));
    }
}

#[test]
fn remainders_of_special_values() {
    check2(
        "remainder",
        remainder,
        &[
            (7.0, 3.0, 1.0),
            (-7.0, 3.0, 2.0),
            (7.0, -3.0, -2.0),
            (-7.0, -3.0, -1.0),
            (6.0, 3.0, 0.0),
            (-6.0, 3.0, 0.0),
            (6.0, -3.0, -0.0),
            (0.0, -3.0, -0.0),
            (-0.0, 3.0, 0.0),
            (1.0, 0.1, 0.09999999999999995),
            (-1.0, 0.1, 5.551115123125783e-17),
            (-1e-20, 1.0, 1.0),
            (1e-20, -1.0, -1.0),
            (-LEAST, f64::MAX, f64::MAX),
            (1e308, LEAST, 0.0),
            (1e308, 3.0 * LEAST, 2.0 * LEAST),
            (1e308, -3.0, -1.0),
            (f64::MAX, f64::MAX, 0.0),
            (f64::MAX, 0.6 * f64::MAX, 7.190772539449264e307),
            (5.0, INF, 5.0),
            (-5.0, INF, INF),
            (5.0, -INF, -INF),
            (-5.0, -INF, -5.0),
            (0.0, -INF, -0.0),
            (-0.0, INF, 0.0),
        ],
    );
    check2(
        "floor_quotient",
        floor_quotient,
        &[
            (7.0, 3.0, 2.0),
            (-7.0, 3.0, -3.0),
            (7.0, -3.0, -3.0),
            (-7.0, -3.0, 2.0),
            (6.0, -3.0, -2.0),
            (0.5, 1.0, 0.0),
            (-0.5, -1.0, 0.0),
            (0.0, -3.0, -0.0),
            (-0.0, 3.0, -0.0),
            (-0.0, -3.0, 0.0),
            (1.0, 0.1, 9.0),
            (-1e-20, 1.0, -1.0),
            (-LEAST, f64::MAX, -1.0),
            (-f64::MAX, 0.6 * f64::MAX, -2.0),
            (1e308, LEAST, INF),
            (-1e308, LEAST, -INF),
            (1e308, 1e300, 99999999.0),
            (148002757620834.8, -0.059811106652610135, -2474502912652195.0),
            (ALL_INTEGERS, 1.0, ALL_INTEGERS),
            (ALL_INTEGERS - 1.0, -1.0, 1.0 - ALL_INTEGERS),
            (5.0, INF, 0.0),
            (-5.0, INF, -1.0),
            (5.0, -INF, -1.0),
            (-5.0, -INF, 0.0),
            (0.0, -INF, -0.0),
            (-0.0, -INF, 0.0),
        ],
    );
    for (x, y) in
        [(1.0, 0.0), (0.0, -0.0), (INF, 1.0), (-INF, INF), (INF, 0.0), (NAN, 1.0), (1.0, NAN), (NAN, 0.0)]
    {
        check2("remainder", remainder, &[(x, y, NAN)]);
        check2("floor_quotient", floor_quotient, &[(x, y, NAN)]);
    }
}

/// `a·2ᵏ mod b`, one doubling after the other.
fn shifted_remainder(a: u64, k: u32, b: u64) -> u64 {
    (0..k).fold(u128::from(a % b), |rest, _| 2 * rest % u128::from(b)) as u64
}

/// Doubles of all magnitudes whose quotient has at most 64 digits more than a double.
fn pairs() -> impl Strategy<Value = (f64, f64)> {
    let double =
        || (1u64..1 << 53, any::<bool>()).prop_map(|(n, minus)| if minus { -(n as f64) } else { n as f64 });
    (double(), double(), -60i32..60, -900i32..900)
        .prop_map(|(x, y, apart, scale)| (x * 2f64.powi(apart + scale), y * 2f64.powi(scale)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn cubes_have_exact_roots(n in -208_063i64..=208_063, k in -330i32..=320) {
        let (scale, cube) = (2f64.powi(k), (n * n * n) as f64);
        prop_assert!(same(cbrt(cube * scale * scale * scale), n as f64 * scale));
    }

    #[test]
    fn cbrt_is_odd_and_next_to_the_root(x in any::<u64>().prop_map(f64::from_bits)) {
        let root = cbrt(x);
        prop_assert!(same(cbrt(-x), -root));
        if x.is_finite() && x.abs() > 1e-290 {
            prop_assert!((root * root * root / x - 1.0).abs() < 1e-15, "{x:e}");
        }
    }

    #[test]
    fn integers_are_divided_exactly(
        x in -(1i64 << 53)..=1 << 53,
        y in -(1i64 << 53)..=1 << 53,
        bits in 0u32..53,
    ) {
        let y = if y >> bits == 0 { 1 } else { y >> bits };
        let (floor, rest) = {
            let (quotient, rest) = (x / y, x % y);
            if rest != 0 && (rest < 0) != (y < 0) { (quotient - 1, rest + y) } else { (quotient, rest) }
        };
        prop_assert_eq!(remainder(x as f64, y as f64), rest as f64);
        prop_assert_eq!(floor_quotient(x as f64, y as f64), floor as f64);
    }

    /// Quotients of up to 1074 bits.
    #[test]
    fn the_remainder_of_a_huge_quotient_is_exact(a in 1u64..1 << 53, b in 1u64..1 << 53, k in 0u32..970) {
        let (x, y) = (a as f64 * 2f64.powi(k as i32), b as f64);
        prop_assert_eq!(remainder(x, y), shifted_remainder(a, k, b) as f64);
        let scale = 2f64.powi(-30);
        prop_assert_eq!(remainder(x * scale, y * scale), shifted_remainder(a, k, b) as f64 * scale);
    }

    #[test]
    fn quotient_and_remainder_make_the_dividend((x, y) in pairs()) {
        let (floor, rest) = (floor_quotient(x, y), remainder(x, y));
        prop_assert!(rest.is_sign_negative() == y.is_sign_negative());
        prop_assert!(rest.abs() <= y.abs());
        prop_assert!(rest.abs() < y.abs() || (x < 0.0) != (y < 0.0), "only rounding reaches y");
        prop_assert!(floor == floor.floor() && floor <= x / y);
        prop_assert!(floor >= (x / y - 1.0).next_down());
        let by_parts = (x - rest) / y;
        prop_assert!((floor - by_parts).abs() <= 4e-16 * by_parts.abs(), "{x:e} by {y:e}");
    }
}
