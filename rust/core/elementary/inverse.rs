//! `asin x`, `acos x`, `atan x` and the angle of a point.

use super::exact::{fast_two_sum, power_of_two, quotient, two_product, two_sum};
use super::trigonometric::SIGN;

const PI_2: f64 = std::f64::consts::FRAC_PI_2;
/// π/2 without its first 53 bits.
const PI_2_LOW: f64 = 6.123233995736766e-17;
/// The last three bits of this double are 0, so its products with integers up to 8 are exact.
const PI_4: f64 = std::f64::consts::FRAC_PI_4;
const PI_4_LOW: f64 = 0.5 * PI_2_LOW;

/// `(asin x/x − 1)/z` for `z = x²`, `|x| ≤ ½`.
///
/// Remez, relative error of the arc sine made of it below 2⁻⁵⁹.
#[inline(always)]
fn asin_rest(z: f64) -> f64 {
    const C: [f64; 13] = [
        0.1666666666666676,
        0.07499999999970798,
        0.04464285717461352,
        0.030381942707722466,
        0.022372214988985204,
        0.01735161199504646,
        0.013980820720149285,
        0.01139891110332593,
        0.010780258024443516,
        0.0037063913703655185,
        0.02170748574842764,
        -0.020999114033326244,
        0.0326286547224428,
    ];
    let z2 = z * z;
    let z4 = z2 * z2;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let middle = (C[4] + z * C[5]) + z2 * (C[6] + z * C[7]);
    let high = (C[8] + z * C[9]) + z2 * (C[10] + z * C[11]);
    low + z4 * (middle + z4 * (high + z4 * C[12]))
}

/// `asin s` in two doubles, for an s ≤ ½ that is |x| or, for |x| > ½, `√((1 − |x|)/2)`.
///
/// Then `asin |x|` is the former, or π/2 less twice the latter.
#[inline(always)]
fn asin_in_two(magnitude: f64) -> (bool, f64, f64) {
    let far = magnitude > 0.5;
    // Exact where it is used.
    let half_rest = 0.5 - 0.5 * magnitude;
    let root = half_rest.sqrt();
    let (square, error) = two_product(root, root);
    let root_low = if root > 0.0 { 0.5 * ((half_rest - square) - error) / root } else { 0.0 };

    let (s, s_low, z) =
        if far { (root, root_low, half_rest) } else { (magnitude, 0.0, magnitude * magnitude) };
    (far, s, s_low + s * z * asin_rest(z))
}

/// `asin x`, which holds for |x| ≤ 1.
#[inline(always)]
pub(super) fn asin_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let (far, s, rest) = asin_in_two(magnitude);
    let (sum, error) = fast_two_sum(PI_2, -2.0 * s);
    let value = if far { sum + (error + (PI_2_LOW - 2.0 * rest)) } else { s + rest };
    (f64::from_bits(value.to_bits() | (x.to_bits() & SIGN)), magnitude <= 1.0)
}

/// `acos x`, which holds for |x| ≤ 1.
#[inline(always)]
pub(super) fn acos_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let (far, s, rest) = asin_in_two(magnitude);
    // π/2 − asin x, or twice the arc sine of the root, or π less that.
    let positive = x > 0.0;
    let sign = if positive == far { 1.0 } else { -1.0 };
    let (whole, whole_low) = if far & positive { (0.0, 0.0) } else { (PI_2, PI_2_LOW) };
    let (sum, error) = fast_two_sum(whole, sign * s);
    let value = sum + (error + (whole_low + sign * rest));
    (if far { 2.0 * value } else { value }, magnitude <= 1.0)
}

/// `(atan t/t − 1)/z` for `z = t²`, `|t| ≤ tan(π/8)`.
///
/// Remez, relative error of the arc tangent made of it below 2⁻⁵⁷.
#[inline(always)]
fn atan_rest(z: f64) -> f64 {
    const C: [f64; 11] = [
        -0.333333333333332,
        0.1999999999995368,
        -0.14285714280200842,
        0.11111110784583018,
        -0.09090897845975453,
        0.07692063192491662,
        -0.06663157428370883,
        0.058484379439929006,
        -0.05042549646143284,
        0.038167257813369285,
        -0.018041923900501515,
    ];
    let z2 = z * z;
    let z4 = z2 * z2;
    let low = (C[0] + z * C[1]) + z2 * (C[2] + z * C[3]);
    let middle = (C[4] + z * C[5]) + z2 * (C[6] + z * C[7]);
    let high = (C[8] + z * C[9]) + z2 * C[10];
    low + z4 * (middle + z4 * high)
}

/// Magnitudes between these, and zeros beside them, need no scaling.
const SMALL: f64 = power_of_two(-450);
const LARGE: f64 = power_of_two(450);
const TAN_PI_8: f64 = std::f64::consts::SQRT_2 - 1.0;

/// `atan2(y, x)`, which holds if the larger magnitude lies between [`SMALL`] and [`LARGE`], and the smaller
/// one does or is 0.
#[inline(always)]
pub(super) fn atan2_fast(y: f64, x: f64) -> (f64, bool) {
    let (y_size, x_size) = (y.abs(), x.abs());
    let steep = y_size > x_size;
    let (small, large) = if steep { (x_size, y_size) } else { (y_size, x_size) };

    // atan(small/large), less π/4 if that makes it smaller; small/large ≤ 1.
    let turned = small > TAN_PI_8 * large;
    let (difference, difference_low) = two_sum(small, -large);
    let (sum, sum_low) = two_sum(large, small);
    let (above, above_low) = if turned { (difference, difference_low) } else { (small, 0.0) };
    let (below, below_low) = if turned { (sum, sum_low) } else { (large, 0.0) };
    let (t, rest) = quotient(above, above_low, below, below_low);
    let (t, t_low) = fast_two_sum(t, rest);
    let z = t * t;
    let rest = t_low + t * z * atan_rest(z);

    // The angle is eighths·π/4 ± (t + rest).
    let (eighths, sign) = (if turned { 1.0 } else { 0.0 }, 1.0);
    let (eighths, sign) = if steep { (2.0 - eighths, -sign) } else { (eighths, sign) };
    let left = x.to_bits() >> 63 == 1;
    let (eighths, sign) = if left { (4.0 - eighths, -sign) } else { (eighths, sign) };
    let (sum, error) = fast_two_sum(eighths * PI_4, sign * t);
    let value = sum + (error + (eighths * PI_4_LOW + sign * rest));

    let usual = SMALL..=LARGE;
    let holds = usual.contains(&large) & (usual.contains(&small) | (small == 0.0));
    (f64::from_bits((value.to_bits() & !SIGN) | (y.to_bits() & SIGN)), holds)
}

/// `atan x`, which holds for all numbers.
///
/// That is the angle of (1, x), for which small magnitudes need no scaling, and all from [`LARGE`] on are
/// alike.
#[inline(always)]
pub(super) fn atan_fast(x: f64) -> (f64, bool) {
    let magnitude = x.abs();
    let bounded = if magnitude < LARGE { magnitude } else { LARGE };
    let (value, _) = atan2_fast(bounded, 1.0);
    (f64::from_bits(value.to_bits() | (x.to_bits() & SIGN)), !x.is_nan())
}

/// `atan2(y, x)` for all other operands, with the special cases of C99.
#[cold]
#[inline(never)]
pub(super) fn atan2_fallback(y: f64, x: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (y_size, x_size) = (y.abs(), x.abs());
    // A point in the same direction, the larger magnitude between 1 and 2.
    let [y_size, x_size] = if y_size.is_infinite() || x_size.is_infinite() {
        [y_size, x_size].map(|size| if size.is_infinite() { 1.0 } else { 0.0 })
    } else if y_size == 0.0 && x_size == 0.0 {
        [0.0, 1.0]
    } else {
        scaled(y_size, x_size)
    };
    if y != 0.0 && y_size < SMALL && x.is_sign_positive() {
        return y / x; // the tangent is as good as the angle
    }
    // What is left below SMALL does not count beside the other.
    let [y_size, x_size] = [y_size, x_size].map(|size| if size < SMALL { 0.0 } else { size });
    atan2_fast(y_size.copysign(y), x_size.copysign(x)).0
}

/// Two magnitudes times the power of two that brings the larger one between 1 and 2.
fn scaled(y: f64, x: f64) -> [f64; 2] {
    let rough = match y.max(x) {
        size if size > LARGE => power_of_two(-600),
        size if size < SMALL => power_of_two(600),
        _ => 1.0,
    };
    let exponent = ((rough * y.max(x)).to_bits() >> 52) as i64 - 1023;
    [y, x].map(|size| size * rough * power_of_two(-exponent))
}
