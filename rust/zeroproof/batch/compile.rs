//! From a traced function to instructions.

pub(crate) mod analysis;
pub(crate) mod code;
mod conditions;
mod fingerprint;
mod forward;
mod fuse;
#[cfg(all(feature = "native", target_arch = "x86_64"))]
mod listing;
mod lower;
pub(crate) mod lowering;
mod mask;
pub(crate) mod plan;
pub(crate) mod reachable;
mod registers;
mod reverse;
mod second;
pub(crate) mod targets;
