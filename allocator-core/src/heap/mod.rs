//! Heaps: the pages that one thread of one declared type allocates from, and
//! what happens between heaps.
//!
//! A thread's side has two parts. The [`cache`] is thread-local: one bin per
//! class, touched by nobody else, all that the fast path needs. The [`heap`]
//! is a record that outlives the thread: queues of pages, a mailbox, counters.
//! The owner passes its heap's [`gate`] when it leaves the fast path; a visitor
//! may do so while the owner is away, to give back what others freed.

pub(crate) mod account;
pub(crate) mod bin;
pub(crate) mod cache;
pub(crate) mod canary;
mod claim;
pub(crate) mod counters;
pub(crate) mod declared;
pub(crate) mod foreign;
pub(crate) mod free;
pub(crate) mod gate;
#[expect(
    clippy::module_inception,
    reason = "the heap is the noun of this layer"
)]
pub(crate) mod heap;
pub(crate) mod huge;
pub(crate) mod huge_headed;
mod huge_table;
pub(crate) mod large;
pub(crate) mod misuse;
pub(crate) mod pages;
mod quarantine;
pub(crate) mod refill;
pub(crate) mod registry;
pub(crate) mod route;
pub(crate) mod sample;
pub(crate) mod shared;
pub(crate) mod spares;
pub(crate) mod upkeep;
