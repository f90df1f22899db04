//! Whether native code runs, and why not.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Vectors that native code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Four doubles.
    Avx2,
    /// Eight doubles.
    Avx512,
}

/// Whether a run may use native code; no result depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Native {
    /// Where it pays: when a plan has been asked for 32,768 samples in all.
    #[default]
    WhenItPays,
    /// The interpreter runs.
    Never,
    /// From the first sample on, if the processor has the vectors.
    Always(Simd),
}

static IS_OFF: AtomicBool = AtomicBool::new(false);
static REFUSES: AtomicBool = AtomicBool::new(false);
static REFUSAL: Mutex<Option<String>> = Mutex::new(None);

/// Turns native code on or off for the whole process. Runs that have begun are not affected.
pub fn set_native(on: bool) {
    IS_OFF.store(!on, Ordering::Relaxed);
}

/// Whether the variable `ZEROPROOF_NATIVE` turns native code off. It is read once.
fn is_off_by_environment() -> bool {
    static IS_OFF_BY_ENVIRONMENT: OnceLock<bool> = OnceLock::new();
    *IS_OFF_BY_ENVIRONMENT
        .get_or_init(|| std::env::var_os("ZEROPROOF_NATIVE").is_some_and(|value| value == "0"))
}

/// Notes that the system refused executable memory.
#[cfg(all(feature = "native", target_arch = "x86_64"))]
pub(super) fn note_refusal(reason: &str) {
    *REFUSAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
}

/// Whether the system is taken to refuse executable memory.
#[cfg(all(feature = "native", target_arch = "x86_64"))]
pub(super) fn refuses() -> bool {
    REFUSES.load(Ordering::Relaxed)
}

/// For tests: has every later request for executable memory refused, or no longer.
#[doc(hidden)]
pub fn simulate_refusal(refuses: bool) {
    REFUSES.store(refuses, Ordering::Relaxed);
    if !refuses {
        *REFUSAL.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// For tests: how many blocks native code has replayed in this process.
#[doc(hidden)]
pub fn native_blocks() -> u64 {
    BLOCKS.load(Ordering::Relaxed)
}

/// Counts blocks that native code has replayed.
#[cfg(all(feature = "native", target_arch = "x86_64"))]
pub(super) fn count_blocks(blocks: u64) {
    BLOCKS.fetch_add(blocks, Ordering::Relaxed);
}

/// The widest vectors of the processor.
fn widest() -> Option<Simd> {
    #[cfg(all(feature = "native", target_arch = "x86_64"))]
    {
        use super::vectors::Vectors;
        if Vectors::Avx512.are_available() {
            return Some(Simd::Avx512);
        }
        if Vectors::Avx2.are_available() {
            return Some(Simd::Avx2);
        }
    }
    None
}

/// The vectors that native code uses in this process.
///
/// # Errors
/// Why the interpreter runs instead.
pub fn native_code() -> Result<Simd, String> {
    if IS_OFF.load(Ordering::Relaxed) {
        return Err("it is turned off by set_native".to_owned());
    }
    if is_off_by_environment() {
        return Err("it is turned off by ZEROPROOF_NATIVE=0".to_owned());
    }
    if let Some(reason) = &*REFUSAL.lock().unwrap_or_else(PoisonError::into_inner) {
        return Err(reason.clone());
    }
    widest().ok_or_else(|| {
        if cfg!(not(feature = "native")) {
            "it was built without the feature native".to_owned()
        } else if cfg!(target_arch = "x86_64") {
            "the processor has no AVX2".to_owned()
        } else {
            format!("there is no native code for {}", std::env::consts::ARCH)
        }
    })
}

/// The vectors for a run, if native code is to run.
#[cfg(all(feature = "native", target_arch = "x86_64"))]
pub(super) fn vectors(native: Native, pays: bool) -> Option<super::vectors::Vectors> {
    use super::vectors::Vectors;
    let known = native_code().ok()?;
    let vectors = |simd| if simd == Simd::Avx2 { Vectors::Avx2 } else { Vectors::Avx512 };
    match native {
        Native::Never => None,
        Native::WhenItPays => pays.then(|| vectors(known)),
        Native::Always(simd) => Some(vectors(simd)).filter(|vectors| vectors.are_available()),
    }
}
