//! The batched engine against the scalar path: every file of this folder.

mod cases;
mod events;
mod runs;
mod totals;
