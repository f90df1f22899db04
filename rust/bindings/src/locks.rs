//! Mutexes of data that stays valid when a thread panics.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The data of a mutex; nothing may call into Python while it is locked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
