//! See `allocator_tests::fuzzed::faults`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| allocator_tests::fuzzed::faults(bytes));
