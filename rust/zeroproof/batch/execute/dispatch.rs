//! The widest vectors that the processor has, chosen at run time. The one module of the core with
//! unsafe code.
//!
//! Each loop, a [`Work`], is compiled for several widths of vectors, each time as a function of its own.
//! None of them fuses a multiplication with an addition, and all round alike, so the results are the same
//! bits. A value of a type that is [`Vectors`] proves that the processor has them.

#![allow(unsafe_code, reason = "calling a function that needs processor features is unsafe")]

/// A loop to be compiled for each width of vectors. `run` and what it calls must be inlined for that.
pub(crate) trait Work {
    type Output;
    fn run(self) -> Self::Output;
}

/// Work that has parts compiled by themselves for the same vectors.
pub(crate) trait WorkWith {
    type Output;
    fn run<V: Vectors>(self, vectors: V) -> Self::Output;
}

/// Work that knows its vectors.
struct With<W, V>(W, V);

impl<W: WorkWith, V: Vectors> Work for With<W, V> {
    type Output = W::Output;

    #[inline(always)]
    fn run(self) -> W::Output {
        self.0.run(self.1)
    }
}

/// Work without parts.
struct Alone<W>(W);

impl<W: Work> WorkWith for Alone<W> {
    type Output = W::Output;

    #[inline(always)]
    fn run<V: Vectors>(self, _vectors: V) -> W::Output {
        self.0.run()
    }
}

/// Vectors of one width.
pub(crate) trait Vectors: Copy {
    fn run<W: Work>(self, work: W) -> W::Output;
}

/// Vectors that every processor of the target has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Baseline;

impl Vectors for Baseline {
    #[inline(never)]
    fn run<W: Work>(self, work: W) -> W::Output {
        work.run()
    }
}

/// Vectors of four doubles.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl Vectors for Avx2 {
    #[inline(always)]
    fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: only `Width::widest` makes this type, on a processor with the feature.
        unsafe { with_avx2(work) }
    }
}

/// Vectors of eight doubles.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl Vectors for Avx512 {
    #[inline(always)]
    fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: only `Width::widest` makes this type, on a processor with the features.
        unsafe { with_avx512(work) }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline(never)]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
#[inline(never)]
fn with_avx512<W: Work>(work: W) -> W::Output {
    work.run()
}

/// A width of vectors that the processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Width {
    Baseline(Baseline),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Width {
    /// The widest one.
    pub fn widest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw")
            {
                return Self::Avx512(Avx512(()));
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Avx2(Avx2(()));
            }
        }
        Self::Baseline(Baseline)
    }

    /// Runs a loop.
    pub fn run<W: Work>(self, work: W) -> W::Output {
        self.run_with(Alone(work))
    }

    /// Runs work that has parts.
    #[inline(always)]
    pub fn run_with<W: WorkWith>(self, work: W) -> W::Output {
        match self {
            Self::Baseline(vectors) => vectors.run(With(work, vectors)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(vectors) => vectors.run(With(work, vectors)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(vectors) => vectors.run(With(work, vectors)),
        }
    }
}

/// Has these numbers brought to the second-level cache, while the work goes on.
#[inline(always)]
pub(crate) fn prefetch(numbers: &[f64]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(8) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint that reads nothing, on every processor of this kind.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// The numbers of a line of the caches.
#[cfg(target_arch = "x86_64")]
pub(crate) const CACHE_LINE: usize = 8;

/// Copies numbers past the caches, which saves reading what is overwritten. Other threads may see them later than what
/// is written afterwards, until [`settle`].
#[cfg(target_arch = "x86_64")]
pub(crate) fn stream(to: &mut [f64], from: &[f64]) {
    let head = to.as_ptr().align_offset(CACHE_LINE * size_of::<f64>()).min(to.len());
    let (head_to, to) = to.split_at_mut(head);
    let (head_from, from) = from.split_at(head);
    head_to.copy_from_slice(head_from);
    let (halves_from, rest_from) = from.as_chunks();
    let (halves_to, rest_to) = to.as_chunks_mut();
    rest_to.copy_from_slice(rest_from);
    match Width::widest() {
        Width::Baseline(_) => halves_to.copy_from_slice(halves_from),
        // SAFETY: the processor has these vectors, and those written are aligned.
        Width::Avx2(_) | Width::Avx512(_) => unsafe { stream_with_avx(halves_to, halves_from) },
    }
}

/// The vectors written must be aligned.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
unsafe fn stream_with_avx(to: &mut [[f64; CACHE_LINE / 2]], from: &[[f64; CACHE_LINE / 2]]) {
    use std::arch::x86_64::{_mm256_loadu_pd, _mm256_stream_pd};
    for (to, from) in to.iter_mut().zip(from) {
        // SAFETY: both are as long as the vector, and the caller says that the one written is aligned.
        unsafe { _mm256_stream_pd(to.as_mut_ptr(), _mm256_loadu_pd(from.as_ptr())) };
    }
}

/// Has what was [streamed](stream) seen by other threads before anything that is written from here on.
#[cfg(target_arch = "x86_64")]
pub(crate) fn settle() {
    // SAFETY: every processor of this kind has the instruction, which touches no memory.
    unsafe { std::arch::x86_64::_mm_sfence() };
}
