//! Misuse of types with `hardening = checked`: see `allocator_tests::misuse`.

allocator_tests::misuse_program!(hardening = checked);
