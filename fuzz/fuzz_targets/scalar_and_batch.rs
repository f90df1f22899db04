//! The scalar path against the batch, in the interpreter and in native code, bit for bit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zeroproof_tests::batch_reference::bytes::Cases;

thread_local!(static CASES: Cases = Cases::default());

fuzz_target!(|bytes: &[u8]| {
    if let Some(case) = CASES.with(|cases| cases.of(bytes)) {
        case.check().unwrap_or_else(|wrong| panic!("{case:?}\n{wrong}"));
    }
});
