//! The batched engine against the scalar path: every file of this folder.

#[path = "../batch_reference/mod.rs"]
mod batch_reference;
mod cases;
mod events;
mod runs;
mod totals;
