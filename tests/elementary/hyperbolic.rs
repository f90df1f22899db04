//! The hyperbolic functions and their inverses at special points, to the bit: zeros with their signs, the ends
//! of range and domain, infinities, NaN, and constants computed with mpmath.

use crate::checks::{INF, LEAST, check};
use zeroproof::elementary::{acosh, asinh, atanh, cosh, sinh};

/// The last double at which `sinh` and `cosh` do not overflow.
const LAST: f64 = 710.4758600739439;

#[test]
fn sinh_of_special_values() {
    check(
        "sinh",
        sinh,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-3.0 * LEAST, -3.0 * LEAST),
            (f64::MIN_POSITIVE, f64::MIN_POSITIVE),
            (1e-5, 1.0000000000166668e-05),
            (-0.1, -0.10016675001984403),
            (1.0, 1.1752011936438014),
            (3.0, 10.017874927409903),
            (20.0, 242582597.70489514),
            (700.0, 5.0711602736750225e303),
            (709.0, 4.109203730777486e307),
            (-710.0, -1.1169973830808555e308),
            (LAST, 1.7976931348621744e308),
            (LAST.next_up(), INF),
            (-LAST.next_up(), -INF),
            (f64::MIN, -INF),
            (INF, INF),
            (-INF, -INF),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn cosh_of_special_values() {
    check(
        "cosh",
        cosh,
        &[
            (0.0, 1.0),
            (-0.0, 1.0),
            (LEAST, 1.0),
            (1e-9, 1.0),
            (1e-5, 1.00000000005),
            (0.1, 1.0050041680558035),
            (-1.0, 1.5430806348152437),
            (3.0, 10.067661995777765),
            (40.0, 1.1769263341851e17),
            (709.0, 4.109203730777486e307),
            (-LAST, 1.7976931348621744e308),
            (LAST.next_up(), INF),
            (f64::MAX, INF),
            (INF, INF),
            (-INF, INF),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn asinh_of_special_values() {
    check(
        "asinh",
        asinh,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-1e-310, -1e-310),
            (1e-8, 1e-8),
            (1e-5, 9.999999999833334e-06),
            (-0.1, -0.09983407889920756),
            (1.0, 0.881373587019543),
            (10.0, 2.99822295029797),
            (1e10, 23.7189981105004),
            (-1e200, -461.2101657793691),
            (f64::MAX, 710.475860073944),
            (INF, INF),
            (-INF, -INF),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn acosh_of_special_values() {
    check(
        "acosh",
        acosh,
        &[
            (1.0, 0.0),
            (1.0f64.next_up(), 2.1073424255447014e-08),
            (1.00001, 0.004472132228242651),
            (1.5, 0.9624236501192069),
            (2.0, 1.3169578969248168),
            (10.0, 2.993222846126381),
            (1e10, 23.7189981105004),
            (1e200, 461.2101657793691),
            (f64::MAX, 710.475860073944),
            (INF, INF),
            (1.0f64.next_down(), f64::NAN),
            (0.0, f64::NAN),
            (-1.0, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}

#[test]
fn atanh_of_special_values() {
    check(
        "atanh",
        atanh,
        &[
            (0.0, 0.0),
            (-0.0, -0.0),
            (LEAST, LEAST),
            (-1e-310, -1e-310),
            (1e-5, 1.0000000000333334e-05),
            (0.1, 0.10033534773107558),
            (-0.5, -0.5493061443340549),
            (0.75, 0.9729550745276566),
            (1.0f64.next_down(), 18.714973875118524),
            (1.0, INF),
            (-1.0, -INF),
            (1.0f64.next_up(), f64::NAN),
            (-2.0, f64::NAN),
            (INF, f64::NAN),
            (-INF, f64::NAN),
            (f64::NAN, f64::NAN),
        ],
    );
}
