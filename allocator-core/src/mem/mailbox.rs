//! Whom a page belongs to, seen from outside: a name, and a mailbox for pages
//! that others freed into.
//!
//! An owner is never unmapped, so a sender may write to it at any time, even
//! when the page has moved to another owner meanwhile: whoever empties a
//! mailbox sends on what is not theirs.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use super::page::Page;

/// One owner of pages: a heap, or a type's store of abandoned pages. All zero is one without
/// mail or type.
pub(crate) struct Owner {
    /// Pages somebody freed into since the owner last looked, linked by `Page::mail_next`.
    mail: AtomicPtr<Page>,
    /// The declared type that the owner serves; its `Shared` as an address that identifies it.
    type_id: AtomicPtr<()>,
}

impl Owner {
    /// Says which type the owner serves.
    pub(crate) fn set_type(&self, type_id: *const ()) {
        // Relaxed: compared, never followed.
        self.type_id.store(type_id.cast_mut(), Ordering::Relaxed);
    }

    /// Which type the owner serves.
    pub(crate) fn type_id(&self) -> *const () {
        // Relaxed: as in set_type().
        self.type_id.load(Ordering::Relaxed)
    }

    /// Whether there is mail.
    #[inline(always)]
    pub(crate) fn has_mail(&self) -> bool {
        // Relaxed: a hint; take_mail() synchronises.
        !self.mail.load(Ordering::Relaxed).is_null()
    }

    /// Puts `page` into the mailbox. Only for the one whose push into the page's thread_free
    /// returned `First`, or who took the page out of a mailbox with its mark still set.
    pub(crate) fn send(&self, page: &'static Page) {
        // Relaxed: a guess that the exchange checks.
        let mut first = self.mail.load(Ordering::Relaxed);
        loop {
            page.set_mail_next(first);
            // Release: publishes `mail_next`; pairs with the Acquire in take_mail().
            match self.mail.compare_exchange_weak(
                first,
                ptr::from_ref(page).cast_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Empties the mailbox.
    pub(crate) fn take_mail(&self) -> Mail {
        // Acquire: pairs with the Release in send(). The whole stack is taken at once, so no
        // page can come back under a reader's feet (no ABA).
        Mail {
            next: self.mail.swap(ptr::null_mut(), Ordering::Acquire),
        }
    }
}

/// The pages of an emptied mailbox.
pub(crate) struct Mail {
    next: *mut Page,
}

impl Iterator for Mail {
    type Item = &'static Page;

    fn next(&mut self) -> Option<&'static Page> {
        // SAFETY: mail holds pages of chunks, which are never unmapped.
        let page = unsafe { self.next.as_ref()? };
        // Read before the page is handed out: the reader may send it on.
        self.next = page.mail_next();
        Some(page)
    }
}
