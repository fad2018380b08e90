//! Whom a chunk is let to: to all types that want the same of it, or to one type alone. It stays so; a chunk's
//! addresses never serve another tenant, with one exception: what has guards around its headers serves who would do
//! without, too.

use core::ptr;

use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

/// A tenant of chunks. Its address is its name.
pub(crate) struct Tenant {
    /// Whether the headers of its chunks have guards on both sides, and its records, too.
    pub(super) headers: bool,
    /// Who is served from its chunks, too.
    lends_to: Option<&'static Tenant>,
    /// No chunk that serves it before this one has a free slice, as far as is known; by [`Grain`](super::chunk::Grain).
    first_with_room: [AtomicUsize; 2],
    /// What is left of the store of records, see [`super::arena::record`].
    pub(super) records: AtomicPtr<u8>,
}

/// All types that ask for nothing else.
pub(crate) static COMMON: Tenant = Tenant::new(false);
/// All types that share what they have, with guards around headers,
static HEADERS: Tenant = Tenant::lending(&COMMON);
/// with notes in the headers of slices: of guards at their ends, and of what has been cleared,
static NOTES: Tenant = Tenant::new(false);
/// and both.
static BOTH: Tenant = Tenant::lending(&NOTES);

impl Tenant {
    /// A tenant without chunks. `headers`: whether theirs will have guards.
    pub(crate) const fn new(headers: bool) -> Self {
        Self {
            headers,
            lends_to: None,
            first_with_room: [const { AtomicUsize::new(0) }; 2],
            records: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// One with guards around headers, whose chunks serve `to`, which does without, as well.
    const fn lending(to: &'static Tenant) -> Self {
        let mut tenant = Self::new(true);
        tenant.lends_to = Some(to);
        tenant
    }

    /// What all types are together that share what they have and want the same: `headers`, and `notes` in headers of
    /// slices, which all that use them keep.
    pub(crate) const fn shared(headers: bool, notes: bool) -> &'static Tenant {
        match (headers, notes) {
            (false, false) => &COMMON,
            (true, false) => &HEADERS,
            (false, true) => &NOTES,
            (true, true) => &BOTH,
        }
    }

    /// Whether its chunks serve `other`.
    pub(super) fn serves(&'static self, other: &'static Tenant) -> bool {
        let is_lent = |to: &Tenant| ptr::eq(to, other);
        ptr::eq(self, other) || self.lends_to.is_some_and(is_lent)
    }

    /// The first chunk of this grain to look at.
    pub(super) fn first_with_room(&self, grain: usize) -> usize {
        // Relaxed: a hint.
        self.first_with_room[grain].load(Relaxed)
    }

    /// Notes that chunks of this grain that serve it have nothing before `index`, where `before` was known.
    pub(super) fn note_full(&self, grain: usize, before: usize, index: usize) {
        // Relaxed: a hint; a release that raced with us and was lost is found again when its
        // chunk next gets something back.
        let hint = &self.first_with_room[grain];
        let _ = hint.compare_exchange(before, index, Relaxed, Relaxed);
    }

    /// Notes that a chunk of this grain, let to it, has room.
    pub(super) fn note_room(&self, grain: usize, index: usize) {
        if index < self.first_with_room(grain) {
            // Relaxed: a hint.
            self.first_with_room[grain].fetch_min(index, Relaxed);
        }
        if let Some(other) = self.lends_to {
            other.note_room(grain, index);
        }
    }
}
