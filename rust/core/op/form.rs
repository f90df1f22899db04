//! The two forms of an entry.
//!
//! The *fast* form has no branches, so that loops over it vectorise, and says itself whether it holds
//! for these operands; where it does not, the *fallback* decides. Which of the two it is depends on the
//! operands only, so every path computes the same bits.

/// A result in fast form, and whether it holds.
pub(crate) type Fast<T> = (T, bool);

/// An entry of an op for given operands.
pub trait Form<T> {
    /// The fast form, and whether it holds.
    fn fast(self) -> Fast<T>;
    /// The result.
    fn full(self) -> T;
}

struct Exact<T>(T);

impl<T> Form<T> for Exact<T> {
    #[inline(always)]
    fn fast(self) -> Fast<T> {
        (self.0, true)
    }

    #[inline(always)]
    fn full(self) -> T {
        self.0
    }
}

struct Guarded<T, F>(Fast<T>, F);

impl<T, F: FnOnce() -> T> Form<T> for Guarded<T, F> {
    #[inline(always)]
    fn fast(self) -> Fast<T> {
        self.0
    }

    #[inline(always)]
    fn full(self) -> T {
        let (result, holds) = self.0;
        if holds { result } else { (self.1)() }
    }
}

/// An entry whose one form always holds.
#[inline(always)]
pub(super) fn exact<T>(result: T) -> impl Form<T> {
    Exact(result)
}

/// An entry with a fallback.
#[inline(always)]
pub(super) fn guarded<T>(fast: Fast<T>, fallback: impl FnOnce() -> T) -> impl Form<T> {
    Guarded(fast, fallback)
}

/// `ḡ·partial`, for a partial in fast form.
#[inline(always)]
pub(super) fn scaled(g: f64, (partial, holds): Fast<f64>) -> Fast<f64> {
    (g * partial, holds)
}
