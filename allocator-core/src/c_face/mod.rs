//! The face of a declared type that is the process's `malloc`, for C and C++.
//!
//! Rust tells an allocator the layout of what it frees; C tells it an address. So where a type is
//! exported, and only there, what a free needs is written down: in the header of each slice of a page
//! where the bin of its class is ([`Page::note_bin`](crate::mem::page::Page::note_bin)), and before
//! each huge block a head (`heap/huge_headed.rs`). Whether an address is the arena's at all, a table of
//! a byte per 32 MiB tells (`mem/regions.rs`), so that what others allocated is left alone.
//!
//! `give` hands blocks out, `find` says what an address is, `take` takes blocks back and resizes
//! them; `standard` and `cpp` add what C, POSIX and C++ say of the rest; `symbols` is the list of
//! names. Where requests are recorded, each block has a `word`
//! that says what was asked for. Every block is aligned to 16 bytes at least. `errno` says `ENOMEM` or `EINVAL` when
//! a call fails and is as it was when it does not. `told` tells AddressSanitizer of free blocks, in a build for it.

pub(crate) mod cpp;
mod errno;
mod find;
pub(crate) mod give;
mod lookup;
pub(crate) mod standard;
mod symbols;
pub(crate) mod take;
mod told;
mod word;
