//! Sine and cosine with 126 bits after the point, for differences in which two doubles cancel.
//!
//! Next to the points where `sin u/u` is stationary, `cos u` and `sin u/u` agree in all bits that two
//! doubles spare, and in up to sixty more in the range of all doubles. Integer arithmetic has no such end:
//! what is left of a difference is off by at most 2⁻¹²⁰. It is slow, and only for fallback forms.

const POINT: u32 = 126;
/// π/2.
const PI_2: i128 = 0x6487_ed51_10b4_611a_6263_3145_c06e_0e69;
/// 1/π.
pub(super) const FRAC_1_PI: i128 = 0x145f_306d_c9c8_82a5_3f84_eafa_3ea6_9bb8;

/// `[sin x, cos x]` of `x = (k + fraction·2⁻¹²⁸)·π/2`, k in the low bits, by Taylor's series.
pub(super) fn sin_cos(k: u64, fraction: i128) -> [i128; 2] {
    let r = product(fraction >> 2, PI_2);
    let square = product(r, r);
    let series = |first: i128, mut n: i128| {
        let (mut sum, mut term) = (first, first);
        while term != 0 {
            term = -product(term, square) / (n * (n + 1));
            sum += term;
            n += 2;
        }
        sum
    };
    let (sin, cos) = (series(r, 2), series(1 << POINT, 1));
    match k & 3 {
        0 => [sin, cos],
        1 => [cos, -sin],
        2 => [-sin, -cos],
        _ => [-cos, sin],
    }
}

/// `a·b`, which must be below 2.
pub(super) fn product(a: i128, b: i128) -> i128 {
    let halves = |x: i128| (x.unsigned_abs() >> 64, x.unsigned_abs() & u128::from(u64::MAX));
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    // Magnitudes are below 2, so the upper halves have 63 bits and the sum of the mixed products has 128.
    let middle = a_high * b_low + a_low * b_high + ((a_low * b_low) >> 64);
    let magnitude = ((a_high * b_high) << 2) + (middle >> (POINT - 64));
    if (a < 0) == (b < 0) { magnitude as i128 } else { -(magnitude as i128) }
}

/// `value/x` for finite x ≥ 1.
pub(super) fn quotient(value: i128, x: f64) -> i128 {
    let exponent = (x.to_bits() >> 52) as u32 - 1023;
    let mantissa = u128::from((x.to_bits() & (u64::MAX >> 12)) | (1 << 52));
    // Long division by a mantissa between 1 and 2, in two steps.
    let (magnitude, remainder) = (value.unsigned_abs() / mantissa, value.unsigned_abs() % mantissa);
    let magnitude = (magnitude << 52) + (remainder << 52) / mantissa;
    let magnitude = magnitude.checked_shr(exponent).unwrap_or(0) as i128;
    if value < 0 { -magnitude } else { magnitude }
}

/// `value/x` for finite x from ¼ on, if it is below 2.
pub(super) fn quotient_any(value: i128, x: f64) -> i128 {
    if x < 1.0 { quotient(value, 4.0 * x) << 2 } else { quotient(value, x) }
}

/// ln 2 with 116 bits after the point, and 60 more.
const LN_2: i128 = 0xb17217f7d1cf79abc9e3b39803f2f;
const LN_2_REST: i128 = 0x6af40f343267298;
const LN_2_POINT: i64 = 116;
/// Sums of powers and logarithms have so many bits after the point.
const SUM_POINT: i64 = 118;

/// `n·ln 2` with `LN_2_POINT + more` bits after the point, for at most 9 more.
fn times_ln_2(n: i128, more: i64) -> i128 {
    ((n * LN_2) << more) + ((n * LN_2_REST) >> (60 - more))
}

/// `ln(2ᵏ·(1 + f))` for an f that is a multiple of 2⁻⁵³ below ½: `(m, p)` such that it is m·2⁻ᵖ, m with about
/// 120 bits.
fn ln(k: f64, f: f64) -> (i128, i64) {
    // s = f/(2 + f) as a quotient of integers, by long division in two steps.
    let numerator = (f * super::exact::power_of_two(53)) as i128;
    let divisor = (1i128 << 54) + numerator;
    let lift = i64::from((numerator.unsigned_abs() << 2).leading_zeros().min(127)); // 128 for f = 0
    let lifted = numerator << lift;
    let s = ((lifted / divisor) << 52) + ((lifted % divisor) << 52) / divisor;
    let point = lift + 52;
    // 2·artanh s = 2s·(1 + s²/3 + s⁴/5 + …)
    let shift = |x: i128, bits: i64| if bits > 126 { 0 } else { x >> bits };
    let square = shift(product(s, s), 2 * (point - i64::from(POINT)));
    let (mut series, mut power, mut n) = (1i128 << POINT, 1i128 << POINT, 1i128);
    while power != 0 {
        power = product(power, square);
        n += 2;
        series += power / n;
    }
    let artanh = product(s, series);
    if k == 0.0 {
        (artanh, point - 1)
    } else {
        let k = k as i128;
        // Below 2⁹ there is room for more bits.
        let more = (i64::from(k.unsigned_abs().leading_zeros()) - 119).max(0);
        (times_ln_2(k, more) + shift(artanh, point - 1 - LN_2_POINT - more), LN_2_POINT + more)
    }
}

/// The mantissa of a finite double, with its sign, and how many of its bits stand after the point.
fn mantissa(y: f64) -> (i128, i64) {
    let exponent = (y.to_bits() >> 52 & 0x7ff) as i64;
    let bits = (y.to_bits() & (u64::MAX >> 12)) as i128;
    let magnitude = if exponent == 0 { bits } else { bits | (1 << 52) };
    (if y < 0.0 { -magnitude } else { magnitude }, 1075 - exponent.max(1))
}

/// `value·2⁻ᵖ` with as many bits after the point as sums have; what does not fit is lost at the upper end.
fn at_sum_point(value: i128, point: i64) -> i128 {
    match point - SUM_POINT {
        0.. if point - SUM_POINT > 127 => value >> 127,
        more @ 0.. => value >> more,
        less => value.checked_shl(less.unsigned_abs() as u32).unwrap_or(0),
    }
}

/// A logarithm times a double, likewise.
fn times(y: f64, (log, point): (i128, i64)) -> i128 {
    let (mantissa, bits) = mantissa(y);
    // In two halves of at most 117 bits.
    let (high, low) = (log >> 64, log & i128::from(u64::MAX));
    at_sum_point(mantissa * high, point + bits - 64).wrapping_add(at_sum_point(mantissa * low, point + bits))
}

/// `1 + y·ln x + (s·x^(y − n))²` for n = 0 or 1, where the sum is less than a quarter of its last term, which is
/// below 2⁹. x and s are given as `2ᵏ·(1 + f)`. What is left is right to about 2⁻¹¹⁶ of the largest term.
///
/// Terms may take more bits than there are; sums and differences of them that do not are right all the same.
pub(super) fn one_plus_product_and_square(y: f64, x: (f64, f64), s: (f64, f64), n: bool) -> f64 {
    let [x, s] = [x, s].map(|(k, f)| ln(k, f));
    let product = times(y, x);
    let [log_x, log_s] = [x, s].map(|(log, point)| at_sum_point(log, point));
    let log = log_s.wrapping_add(product).wrapping_sub(if n { log_x } else { 0 });
    let square = exp(2 * log.clamp(-(48 << SUM_POINT), 48 << SUM_POINT));
    let left = (1i128 << SUM_POINT).wrapping_add(product).wrapping_add(square);
    left as f64 * super::exact::power_of_two(-SUM_POINT)
}

/// `eˣ`, both with as many bits after the point as sums have, for results below 2⁹.
fn exp(x: i128) -> i128 {
    // x = n·ln 2 + r
    let n = x.div_euclid(LN_2 << (SUM_POINT - LN_2_POINT));
    let r = (x - times_ln_2(n, SUM_POINT - LN_2_POINT)) << (i64::from(POINT) - SUM_POINT);
    let (mut sum, mut term, mut k) = (1i128 << POINT, 1i128 << POINT, 1);
    while term != 0 {
        term = product(term, r) / k;
        sum += term;
        k += 1;
    }
    let less = i64::from(POINT) - SUM_POINT - n as i64;
    if less > 127 { 0 } else { sum >> less.max(0) << (-less).clamp(0, 2) }
}

/// `1 + y·ln(2ᵏ·(1 + f))` where the product is close to −1: what is left is right to 2⁻¹¹⁰ of 1.
pub(super) fn one_plus_product(y: f64, (k, f): (f64, f64)) -> f64 {
    let (ln, point) = ln(k, f);
    let exponent = (y.to_bits() >> 52 & 0x7ff) as i64 - 1075;
    let mantissa = ((y.to_bits() & (u64::MAX >> 12)) | (1 << 52)) as i128;
    let mantissa = if y < 0.0 { -mantissa } else { mantissa };
    // The product without its last 60 bits.
    let (high, low) = (ln >> 60, ln & ((1 << 60) - 1));
    let product = mantissa * high + ((mantissa * low) >> 60);
    let one = point - exponent - 60;
    debug_assert!((60..126).contains(&one), "the product is not close to −1");
    let left = product + (1i128 << one.clamp(0, 126));
    left as f64 * super::exact::power_of_two(-one)
}

/// The value in two doubles.
pub(super) fn in_two(value: i128) -> (f64, f64) {
    const UNIT: f64 = super::exact::power_of_two(-(POINT as i64));
    let leading = value as f64;
    (leading * UNIT, (value - leading as i128) as f64 * UNIT)
}
