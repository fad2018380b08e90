//! Misuse of types with `hardening = guarded`: see `allocator_tests::misuse`.

allocator_tests::misuse_program!(hardening = guarded);
