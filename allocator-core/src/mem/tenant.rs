//! Whom a chunk is let to: to all types, to all types whose blocks lie behind guards, or to one type
//! alone. It stays so; a chunk's addresses never serve another tenant.

use core::ptr;

use crate::base::sync::{AtomicPtr, AtomicUsize};

/// A tenant of chunks. Its address is its name.
pub(crate) struct Tenant {
    /// Whether its chunks have guards on both sides of their headers, and OS pages only.
    pub(super) guards: bool,
    /// No chunk of its before this one has a free slice, as far as is known; by grain.
    pub(super) first_with_room: [AtomicUsize; 2],
    /// What is left of the store of records, see [`super::arena::record`].
    pub(super) records: AtomicPtr<u8>,
}

/// All types that ask for nothing else.
pub(crate) static COMMON: Tenant = Tenant::new(false);
/// All types with guards that share what they have.
pub(crate) static GUARDED: Tenant = Tenant::new(true);

impl Tenant {
    /// A tenant without chunks.
    pub(crate) const fn new(guards: bool) -> Self {
        Self {
            guards,
            first_with_room: [const { AtomicUsize::new(0) }; 2],
            records: AtomicPtr::new(ptr::null_mut()),
        }
    }
}
