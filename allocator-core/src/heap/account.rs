//! The memory of a declared type: what it holds of the arena and the OS, and
//! the most that it may hold; which chunks of the arena it may be served from, and what it is in the pagemap.

use core::marker::PhantomData;
use core::ptr;

use crate::base::sync::{AtomicUsize, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::mem::pagemap::{Number, Registered};
use crate::mem::tenant::Tenant;

/// The account of a type. Kept only when the type has a limit or counts.
pub(crate) struct Account<C> {
    /// Bytes of pages, large and huge blocks in use.
    held_bytes: AtomicUsize,
    /// The tenant that the type is by itself, with `isolate`.
    tenant: Tenant,
    /// What the type is in the pagemap.
    registered: Registered,
    choices: PhantomData<C>,
}

impl<C: Choices> Account<C> {
    const IS_KEPT: bool = C::CONFIG.limit_bytes.is_some() || C::COUNTS;

    pub(super) const fn new() -> Self {
        Self {
            held_bytes: AtomicUsize::new(0),
            tenant: Tenant::new(C::HEADERS),
            registered: Registered::new(),
            choices: PhantomData,
        }
    }

    /// Enters the type into the pagemap, once, if its frees are looked at.
    pub(super) fn register(&self) {
        if C::PAGES {
            self.registered.register();
        }
    }

    /// An address that identifies the type.
    pub(super) fn id(&self) -> *const () {
        ptr::from_ref(self).cast()
    }

    /// What the type is in the pagemap.
    pub(super) fn number(&self) -> Number {
        self.registered.number()
    }

    /// Whose chunks the type is served from.
    pub(super) fn tenant(&'static self) -> &'static Tenant {
        if C::ISOLATE {
            &self.tenant
        } else {
            Tenant::shared(C::HEADERS, C::NOTES)
        }
    }

    /// Charges `bytes`; false, and nothing charged, over the limit.
    #[must_use]
    pub(super) fn charge(&self, bytes: usize) -> bool {
        if !Self::IS_KEPT {
            return true;
        }
        let Some(limit) = C::CONFIG.limit_bytes else {
            // Relaxed: a sum; nothing is published by it. Here and below.
            self.held_bytes.fetch_add(bytes, Ordering::Relaxed);
            return true;
        };
        // What is refused is never seen in the sum, or it would have others refused.
        let mut held = self.held_bytes.load(Ordering::Relaxed);
        loop {
            let Some(sum) = held.checked_add(bytes).filter(|sum| *sum <= limit) else {
                return false;
            };
            let charged =
                self.held_bytes
                    .compare_exchange(held, sum, Ordering::Relaxed, Ordering::Relaxed);
            match charged {
                Ok(_) => return true,
                Err(now) => held = now,
            }
        }
    }

    /// Takes `bytes` off.
    pub(super) fn discharge(&self, bytes: usize) {
        if Self::IS_KEPT {
            // Relaxed: as in charge().
            self.held_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes in use; 0 when no account is kept.
    pub(crate) fn held_bytes(&self) -> usize {
        // Relaxed: a figure.
        self.held_bytes.load(Ordering::Relaxed)
    }
}
