//! What tests of batches have in common.

#![allow(missing_docs, reason = "read with the tests that use it")]

pub mod batch_reference;
