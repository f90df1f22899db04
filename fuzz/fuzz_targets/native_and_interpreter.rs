//! Native code of both widths against the interpreter of batches, bit for bit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zeroproof_tests::batch_reference::bytes::Cases;

thread_local!(static CASES: Cases = Cases::default());

fuzz_target!(|bytes: &[u8]| {
    if let Some(case) = CASES.with(|cases| cases.of(bytes)) {
        case.check_native().unwrap_or_else(|wrong| panic!("{case:?}\n{wrong}"));
    }
});
