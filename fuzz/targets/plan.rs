//! Fuzzes what `src/plan.rs` promises.
#![forbid(unsafe_code)]
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::plan::holds(data));
