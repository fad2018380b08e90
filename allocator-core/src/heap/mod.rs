//! Heaps: the pages that one thread of one declared type allocates from, and
//! what happens between heaps.
//!
//! A thread's side has two parts. The [`cache`] is thread-local: one bin per
//! class, touched by nobody else, all that the fast path needs. The [`heap`]
//! is a record that outlives the thread: queues of pages, a mailbox, counters.
//! The owner passes its heap's [`gate`] when it leaves the fast path; a visitor
//! may do so while the owner is away, to give back what others freed.

#[cfg(not(loom))]
pub(crate) mod account;
#[cfg(not(loom))]
pub(crate) mod bin;
#[cfg(not(loom))]
pub(crate) mod cache;
#[cfg(not(loom))]
pub(crate) mod counters;
#[cfg(not(loom))]
pub(crate) mod declared;
#[cfg(not(loom))]
pub(crate) mod foreign;
#[cfg(not(loom))]
pub(crate) mod free;
pub(crate) mod gate;
#[cfg(not(loom))]
#[expect(
    clippy::module_inception,
    reason = "the heap is the noun of this layer"
)]
pub(crate) mod heap;
#[cfg(not(loom))]
pub(crate) mod huge;
#[cfg(not(loom))]
pub(crate) mod huge_headed;
#[cfg(not(loom))]
mod huge_owners;
#[cfg(not(loom))]
pub(crate) mod large;
#[cfg(not(loom))]
pub(crate) mod pages;
#[cfg(not(loom))]
pub(crate) mod refill;
#[cfg(not(loom))]
pub(crate) mod registry;
#[cfg(not(loom))]
pub(crate) mod route;
#[cfg(not(loom))]
pub(crate) mod shared;
#[cfg(not(loom))]
pub(crate) mod spares;
#[cfg(not(loom))]
pub(crate) mod upkeep;
