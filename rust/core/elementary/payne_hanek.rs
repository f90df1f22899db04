//! The remainder of a large double modulo π/2 (Payne and Hanek).
//!
//! Of the product `x·2/π` only the last two bits of the integer and the fraction matter. Bits of 2/π
//! that only contribute multiples of 4 are skipped, and 192 bits of the rest give more than 130 bits of
//! the fraction. The double next to a multiple of π/2 has 61 zeros there, which leaves 67 bits.

use super::exact::{fast_two_sum, two_product};

/// The bits of 2/π after the point, behind 64 zeros.
const TWO_OVER_PI: [u64; 20] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
];
const PI_2: f64 = std::f64::consts::FRAC_PI_2;
/// π/2 without its first 53 bits.
const PI_2_LOW: f64 = 6.123233995736766e-17;

/// `|x| = k·π/2 + r + r_low`.
pub(super) struct Reduced {
    /// `k` in its low bits.
    pub(super) k: u64,
    pub(super) r: f64,
    pub(super) r_low: f64,
}

/// `x = k·π/2 + r` for finite x ≥ 2.
pub(super) fn reduce(x: f64) -> Reduced {
    let (k, fraction) = quarters(x);
    let leading = fraction as f64;
    let trailing = (fraction - leading as i128) as f64;
    let unit = 0.5 / (1u128 << 127) as f64;
    let (leading, trailing) = (leading * unit, trailing * unit);

    let (r, error) = two_product(leading, PI_2);
    let (r, r_low) = fast_two_sum(r, error + (leading * PI_2_LOW + trailing * PI_2));
    Reduced { k, r, r_low }
}

/// `x = (k + fraction·2⁻¹²⁸)·π/2` for finite x ≥ 2, k in the low bits.
pub(super) fn quarters(x: f64) -> (u64, i128) {
    let exponent = (x.to_bits() >> 52) as usize;
    let mantissa = (x.to_bits() & (u64::MAX >> 12)) | (1 << 52);
    // x = mantissa·2^(exponent − 1075), and a bit of 2/π with weight 2⁻ʲ gives a multiple of 4 if
    // j ≤ exponent − 1077. The zeros in front make the count of skipped bits positive.
    let skipped = 64 + exponent - 1077;
    let [high, middle, low] = std::array::from_fn(|i| window(skipped + 64 * i));

    // The product modulo 2¹⁹², in units of 4·2⁻¹⁹².
    let low = u128::from(mantissa) * u128::from(low);
    let middle = u128::from(mantissa) * u128::from(middle) + (low >> 64);
    let high = mantissa.wrapping_mul(high).wrapping_add((middle >> 64) as u64);
    let fraction = (u128::from(high) << 66) | (u128::from(middle as u64) << 2) | u128::from(low as u64 >> 62);

    // As a signed number the fraction is the distance to the nearest integer, in units of 2⁻¹²⁸.
    let k = (high >> 62) + (fraction >> 127) as u64;
    (k, fraction as i128)
}

/// 64 bits of the table from bit `start` on.
fn window(start: usize) -> u64 {
    let (word, shift) = (start / 64, start % 64);
    let pair = (u128::from(TWO_OVER_PI[word]) << 64) | u128::from(TWO_OVER_PI[word + 1]);
    (pair << shift >> 64) as u64
}
