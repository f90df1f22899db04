//! Buckets of numbers that share an exponent and the leading bits of the mantissa.

const MANTISSA_BITS: u32 = 6;
pub(super) const BUCKETS: usize = 1 << MANTISSA_BITS;

/// How many buckets there are for all exponents.
pub(super) const ALL_BUCKETS: usize = 2048 * BUCKETS;

/// The bucket of a value among all, whatever its sign.
#[inline(always)]
pub(super) fn key(value: f64) -> usize {
    (value.to_bits() >> (52 - MANTISSA_BITS)) as usize % ALL_BUCKETS // the sign is beyond all buckets
}

/// The page and the bucket of a value.
pub(super) fn place(value: f64) -> (usize, usize) {
    let key = value.to_bits() >> (52 - MANTISSA_BITS);
    ((key >> MANTISSA_BITS) as usize, key as usize % BUCKETS)
}

/// The middle of a bucket. The first one holds zeros, which must not become something else.
pub(super) fn middle(page: usize, bucket: usize) -> f64 {
    let key = ((page << MANTISSA_BITS) | bucket) as u64;
    if key == 0 {
        return 0.0;
    }
    f64::from_bits(key << (52 - MANTISSA_BITS) | 1 << (51 - MANTISSA_BITS))
}
