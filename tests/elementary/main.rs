//! The elementary functions: every file of this folder.

mod checks;
mod hyperbolic;
mod identities;
mod roots_and_remainders;
mod special;
mod values;
