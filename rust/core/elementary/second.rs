//! What second derivatives need that values and slopes do not: numerators in which terms cancel, with the
//! digits that are left.
//!
//! Where two doubles have too few of them, next to roots, integers with 126 bits after the point take over.

use super::exact::{fast_two_sum, power_of_two, product_in_two, quotient, two_product, two_sum};
use super::half_turns::{EVEN, reduce as reduce_half_turns, times_pi};
use super::near_one::ln_1p_in_two;
use super::normal_distribution::rise_near_centre;
use super::payne_hanek::{self, Reduced};
use super::power::ln_in_two;
use super::relative::{ARTANH, artanh_rest};
use super::trigonometric::{LIMIT, close_kernels, cos_less_ratio, reduce, turned};
use super::{exp, fixed_point, log_ndtr_slope, logarithm};

/// `(artanh s − s)/s³` for `s = a/(2 + a)`, a positive number, for a > −1.
pub(crate) fn artanh_excess(a: f64) -> f64 {
    let (d, d_low) = two_sum(2.0, a);
    if (ARTANH.0..=ARTANH.1).contains(&a) {
        let s = a / d;
        return artanh_rest(s * s);
    }
    // From here on a is so large that s is 1 and ln(1 + a) is ln a.
    const LARGE: f64 = power_of_two(1000);
    let (s, s_low) = if a > LARGE { (1.0, 0.0) } else { quotient(a, 0.0, d, d_low) };
    let (ln, ln_low) = ln_1p_in_two(a);
    let (sum, error) = two_sum(0.5 * ln, -s);
    let whole = s + s_low;
    (sum + (error + (0.5 * ln_low - s_low))) / (whole * whole * whole)
}

/// The number of coefficients of a series for |a| up to [`SERIES`].
const TERMS: usize = 30;
const SERIES: f64 = 4.0;

/// `Σ aᵏ/(k!·(k + 3))`.
const EXPREL_RIGHT: [f64; TERMS] = {
    let (mut coefficients, mut k, mut factorial) = ([0.0; TERMS], 0, 1.0);
    while k < TERMS {
        factorial *= if k == 0 { 1.0 } else { k as f64 };
        coefficients[k] = 1.0 / (factorial * (k + 3) as f64);
        k += 1;
    }
    coefficients
};

/// `Σ 2aᵏ/(k + 3)!`.
const EXPREL_LEFT: [f64; TERMS] = {
    let (mut coefficients, mut k, mut factorial) = ([0.0; TERMS], 0, 2.0);
    while k < TERMS {
        factorial *= (k + 3) as f64;
        coefficients[k] = 2.0 / factorial;
        k += 1;
    }
    coefficients
};

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The second derivative of `(eᵃ − 1)/a`, which holds for a from −10¹⁰⁰ to 700.
pub(crate) fn exprel_bend(a: f64) -> (f64, bool) {
    let holds = (-1e100..=700.0).contains(&a);
    if a.abs() <= SERIES {
        // To the left `e^a·∫(1 − t)²e^(−at) dt`, whose series has positive terms too.
        let value = if a >= 0.0 { horner(&EXPREL_RIGHT, a) } else { exp(a) * horner(&EXPREL_LEFT, -a) };
        return (value, holds);
    }
    let polynomial = (a - 2.0) * a + 2.0;
    ((exp(a) * polynomial - 2.0) / a / a / a, holds)
}

/// `Σ (−1)ᵏ·x²ᵏ/((2k + 3)·(2k)!)`: what `sin x/x` bends by at 0, less by less.
const SINC_BEND: [f64; 12] = {
    let (mut coefficients, mut k, mut factorial) = ([0.0; 12], 0, 1.0);
    while k < 12 {
        if k > 0 {
            factorial *= -((2 * k * (2 * k - 1)) as f64);
        }
        coefficients[k] = 1.0 / (factorial * (2 * k + 3) as f64);
        k += 1;
    }
    coefficients
};

const PI: f64 = std::f64::consts::PI;

/// The second derivative of `sin πa/(πa)`: `−π·(sin πa + 2(cos πa − sinc a)/(πa))/a`.
pub(crate) fn sinc_bend(a: f64) -> f64 {
    const NEAR: f64 = 0.375;
    let magnitude = a.abs();
    if magnitude <= NEAR {
        let square = (PI * a) * (PI * a);
        return -(PI * PI) * horner(&SINC_BEND, square);
    }
    if magnitude >= EVEN {
        return -2.0 / a / a;
    }
    let reduced = reduce_half_turns(magnitude % 2.0);
    let Reduced { k, r, r_low } = reduced;
    let u = times_pi(magnitude);
    let [(sin, sin_low), _] = turned(k, close_kernels(r, r_low));
    let [(difference, difference_low), _] = cos_less_ratio(reduced, u);
    let (part, part_low) = quotient(difference, difference_low, u.0, u.1);
    let (sum, error) = two_sum(sin, 2.0 * part);
    let mut numerator = sum + (error + (sin_low + 2.0 * part_low));
    if numerator.abs() < FEW * (sin.abs() + 2.0 * part.abs()) {
        numerator = exact_sinc_bend(magnitude);
    }
    -PI * numerator / magnitude
}

/// Less than this share of the terms is left too few digits by two doubles.
const FEW: f64 = 0.0625;

/// `sin u + 2(cos u − sin u/u)/u` for `u = πa`, next to its roots.
#[cold]
fn exact_sinc_bend(a: f64) -> f64 {
    // The rest of the half turns, doubled, counts quarters of 2π: it is exact in 128 bits.
    let doubled = (a % 2.0) * 2.0;
    let nearest = doubled.round_ties_even();
    let quarter = ((doubled - nearest) * power_of_two(128)) as i128;
    let [sin, cos] = fixed_point::sin_cos(nearest as u64, quarter);
    let over_u = |x: i128| fixed_point::quotient_any(fixed_point::product(x, fixed_point::FRAC_1_PI), a);
    let (leading, trailing) = fixed_point::in_two(sin + 2 * over_u(cos - over_u(sin)));
    leading + trailing
}

/// `Σ (−1)ᵏ⁺¹·2(k + 1)(2k + 1)·x²ᵏ/(2k + 4)!`, the bend of `(1 − cos x)/x²`.
const COSC_BEND: [f64; 12] = {
    let (mut coefficients, mut k, mut factorial) = ([0.0; 12], 0, -24.0);
    while k < 12 {
        if k > 0 {
            factorial *= -(((2 * k + 4) * (2 * k + 3)) as f64);
        }
        coefficients[k] = (2 * (k + 1) * (2 * k + 1)) as f64 / factorial;
        k += 1;
    }
    coefficients
};

/// `(n, d)` such that the second derivative of `(1 − cos a)/a²` is `n/d²`, for finite a.
///
/// With `u = a/2`, `s = sin u`, and `e = cos u − s/u`, n is `e² − s² − 2se/u` and d is a.
pub(crate) fn cosc_bend(a: f64) -> (f64, f64) {
    const NEAR: f64 = 1.5;
    let magnitude = a.abs();
    if magnitude <= NEAR {
        return (horner(&COSC_BEND, a * a), 1.0);
    }
    let u = 0.5 * magnitude;
    let reduced = if u <= LIMIT { reduce(u) } else { payne_hanek::reduce(u) };
    let [sin, _] = turned(reduced.k, close_kernels(reduced.r, reduced.r_low));
    let sin = fast_two_sum(sin.0, sin.1);
    let [difference, ratio] = cos_less_ratio(reduced, (u, 0.0));
    let difference = fast_two_sum(difference.0, difference.1);
    let ratio = fast_two_sum(ratio.0, ratio.1);
    let squares = [product_in_two(difference, difference), product_in_two(sin, sin)];
    let mixed = product_in_two(difference, ratio);
    let (sum, first) = two_sum(squares[0].0, -squares[1].0);
    let (sum, second) = two_sum(sum, -2.0 * mixed.0);
    let low = (squares[0].1 - squares[1].1) - 2.0 * mixed.1;
    let numerator = sum + ((first + second) + low);
    let terms = squares[0].0 + squares[1].0 + 2.0 * mixed.0.abs();
    (if numerator.abs() < FEW * terms { exact_cosc_bend(u) } else { numerator }, magnitude)
}

/// `e² − s² − 2se/u` next to its roots.
#[cold]
fn exact_cosc_bend(u: f64) -> f64 {
    let (k, fraction) = payne_hanek::quarters(u);
    let [sin, cos] = fixed_point::sin_cos(k, fraction);
    let ratio = fixed_point::quotient_any(sin, u);
    let difference = cos - ratio;
    let square = |x: i128| fixed_point::product(x, x);
    let sum = square(difference) - square(sin) - 2 * fixed_point::product(ratio, difference);
    let (leading, trailing) = fixed_point::in_two(sum);
    leading + trailing
}

/// `φ(a)/Φ(a) + a`, which does not cancel to the left: there it is less and less above 0.
pub(crate) fn log_ndtr_rise(a: f64) -> f64 {
    const CENTRE: f64 = -0.6;
    const FAR: f64 = -2.5;
    if a > CENTRE {
        log_ndtr_slope(a) + a
    } else if a > FAR {
        rise_near_centre(-a)
    } else if a > -1e9 {
        // Laplace's continued fraction of the inverse Mills ratio.
        let x = -a;
        let terms = match x {
            ..3.0 => 100,
            ..5.0 => 80,
            _ => 30,
        };
        let below = (2..=terms).rev().fold(x, |below, k| x + f64::from(k) / below);
        1.0 / below
    } else {
        -1.0 / a
    }
}

/// More than this share of 1 must be left for two doubles.
const LEFT: f64 = power_of_two(-10);

/// `1 + y·ln x`, which holds for normal x > 0 unless little of it is left.
pub(crate) fn one_plus_product_fast(y: f64, x: f64) -> (f64, bool) {
    let (ln, ln_low) = ln_in_two(x, 0);
    let (product, product_low) = two_product(y, ln);
    let (sum, error) = two_sum(product, 1.0);
    let value = sum + (error + (product_low + y * ln_low));
    let is_normal = (f64::MIN_POSITIVE..=f64::MAX).contains(&x);
    (value, is_normal & (value.abs() > LEFT) & (y.abs() < power_of_two(400)))
}

/// `1 + y·ln x` for finite x > 0 and y.
#[cold]
pub(crate) fn one_plus_product(y: f64, x: f64) -> f64 {
    let (x, lift) =
        if x < f64::MIN_POSITIVE { (x * (1u64 << logarithm::LIFT) as f64, logarithm::LIFT) } else { (x, 0) };
    let (ln, ln_low) = ln_in_two(x, lift);
    if y.abs() >= power_of_two(400) {
        return 1.0 + y * ln;
    }
    let (product, product_low) = two_product(y, ln);
    let (sum, error) = two_sum(product, 1.0);
    let value = sum + (error + (product_low + y * ln_low));
    if value.abs() > LEFT { value } else { fixed_point::one_plus_product(y, logarithm::split(x, lift)) }
}

/// `1 + y·ln x + (s·x^(y − n))²` for finite x, s > 0 and n = 0 or 1, where the sum is less than a quarter of its
/// last term.
#[cold]
pub(crate) fn one_plus_product_and_square(y: f64, x: f64, s: f64, n: bool) -> f64 {
    let parts = |x: f64| {
        if x < f64::MIN_POSITIVE {
            logarithm::split(x * (1u64 << logarithm::LIFT) as f64, logarithm::LIFT)
        } else {
            logarithm::split(x, 0)
        }
    };
    fixed_point::one_plus_product_and_square(y, parts(x), parts(s), n)
}

/// `Σ ±x²` for numbers of at most 1, with the digits that are left.
pub(crate) fn signed_squares(numbers: [f64; 3], signs: [f64; 3]) -> f64 {
    let mut terms = [0.0; 6];
    for i in 0..3 {
        let (square, low) = two_product(numbers[i], numbers[i]);
        (terms[2 * i], terms[2 * i + 1]) = (signs[i] * square, signs[i] * low);
    }
    // Each round leaves what the sum so far has lost in the terms before it.
    for _ in 0..4 {
        for i in 1..6 {
            let (sum, error) = two_sum(terms[i], terms[i - 1]);
            (terms[i], terms[i - 1]) = (sum, error);
        }
    }
    terms.iter().sum()
}
