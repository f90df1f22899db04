//! Sums and products of doubles without rounding, and rounding to integers: what the kernels share.
//!
//! Everything is plain IEEE arithmetic and operations on bits. There is no fused multiply-add, which
//! would make results depend on the machine, and no conversion between floats and integers, which
//! few vector units have.

/// Added to a double of magnitude below 2⁵¹ it rounds it to an integer, half to even, and leaves that
/// integer in the low bits.
pub(super) const SHIFT: f64 = 1.5 * (1u64 << 52) as f64;

/// `2ⁿ` for n from −1022 to 1023.
pub(super) const fn power_of_two(n: i64) -> f64 {
    f64::from_bits(((1023 + n) as u64) << 52)
}

/// An integer below 2⁵² as a double.
#[inline(always)]
pub(super) fn from_integer(integer: u64) -> f64 {
    const TWO_52: f64 = (1u64 << 52) as f64;
    f64::from_bits(TWO_52.to_bits() | integer) - TWO_52
}

/// The first 26 significant bits of `x`: the rest has 27, so products of a head with either are exact.
#[inline(always)]
pub(super) fn head(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & (u64::MAX << 27))
}

/// `a + b` as a rounded sum and its rounding error (Dekker). Needs `|a| ≥ |b|` or `a = 0`.
#[inline(always)]
pub(super) fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// `a + b` as a rounded sum and its rounding error (Knuth), whichever is larger.
#[inline(always)]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// `a·b` as a rounded product and its rounding error (Dekker, Veltkamp), for magnitudes around 1.
///
/// Tails have 27 bits, so what is added up here may take one bit too many: the error of the sum of both
/// is below 2⁻⁷⁶ of it.
#[inline(always)]
pub(super) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let (product, a_head, b_head) = (a * b, head(a), head(b));
    let (a_tail, b_tail) = (a - a_head, b - b_head);
    let error = ((a_head * b_head - product) + a_head * b_tail + a_tail * b_head) + a_tail * b_tail;
    (product, error)
}

/// The product of two sums of a large and a small term, for magnitudes around 1.
#[inline(always)]
pub(super) fn product_in_two(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let (product, error) = two_product(a.0, b.0);
    (product, error + (a.0 * b.1 + a.1 * b.0))
}

/// `x²/2` in two parts, the first of them exact.
#[inline(always)]
pub(super) fn half_square(x: f64) -> (f64, f64) {
    let head = head(x);
    (0.5 * head * head, 0.5 * (x - head) * (x + head))
}

/// `(a + a_low)/(b + b_low)`, the low parts at most a hundredth of the others: a quotient of 26 bits, whose
/// remainder has no error that counts, and the rest of it. Their sum is off by at most 2⁻⁷⁵ of it, and
/// by the rounding of what the low parts add.
#[inline(always)]
pub(super) fn quotient(a: f64, a_low: f64, b: f64, b_low: f64) -> (f64, f64) {
    let reciprocal = 1.0 / (b + b_low);
    let quotient = head((a + a_low) * reciprocal);
    let b_head = head(b);
    let remainder = (a - quotient * b_head) - quotient * (b - b_head);
    (quotient, (remainder + (a_low - quotient * b_low)) * reciprocal)
}
