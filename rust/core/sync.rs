//! Where locks come from: the model test of [`arenas`](crate::arenas) takes others.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
