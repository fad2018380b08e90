//! Misuse of types with `hardening = off`: see `allocator_tests::misuse`.

allocator_tests::misuse_program!(hardening = off);
