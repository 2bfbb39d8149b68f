//! Fuzzes what `src/record.rs` promises.
#![forbid(unsafe_code)]
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::record::holds(data));
