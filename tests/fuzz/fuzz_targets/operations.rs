//! See `allocator_tests::fuzzed::operations`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| allocator_tests::fuzzed::operations(bytes));
