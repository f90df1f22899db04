//! The vectors of x86-64 that there is code for.

/// Vectors of an x86 processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vectors {
    /// Four doubles; masks are vectors.
    Avx2,
    /// Eight doubles; masks have registers of their own.
    Avx512,
}

impl Vectors {
    /// Whether there is an instruction that tells classes of numbers.
    pub fn classify(self) -> bool {
        self == Self::Avx512
    }

    /// The bytes of one.
    pub fn bytes(self) -> usize {
        match self {
            Self::Avx2 => 32,
            Self::Avx512 => 64,
        }
    }

    /// Whether this processor has them.
    pub fn are_available(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2");
        let avx512 = || {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
        };
        avx2 && (self == Self::Avx2 || avx512())
    }
}
