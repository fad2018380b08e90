//! A mailbox: a stack that any thread pushes onto and one thread empties whole.
//!
//! It holds pages that somebody freed into, linked through their headers
//! ([`Letter`]). A mailbox is never unmapped, so a sender may write to it at
//! any time, even when the page has moved to another owner meanwhile: whoever
//! empties it sends on what is not theirs.

use core::ptr;

use crate::base::sync::{AtomicPtr, Ordering};

/// What can lie in a mailbox.
pub(crate) trait Letter: 'static {
    /// The letter below this one.
    fn next(&self) -> *mut Self;
    /// Says which letter is below this one; for who has the letter in hand.
    fn set_next(&self, next: *mut Self);
}

/// The mailbox. All zero is empty.
pub(crate) struct Mailbox<L> {
    first: AtomicPtr<L>,
}

impl<L: Letter> Mailbox<L> {
    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Self {
            first: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Whether there is no mail.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: a hint; take() synchronises.
        self.first.load(Ordering::Relaxed).is_null()
    }

    /// Puts `letter`, which is in no mailbox, into this one.
    pub(crate) fn send(&self, letter: &'static L) {
        // Relaxed: a guess that the exchange checks.
        let mut first = self.first.load(Ordering::Relaxed);
        loop {
            letter.set_next(first);
            // Release: publishes the link; pairs with the Acquire in take().
            match self.first.compare_exchange_weak(
                first,
                ptr::from_ref(letter).cast_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    /// Empties the mailbox.
    pub(crate) fn take(&self) -> Mail<L> {
        // Acquire: pairs with the Release in send(). The whole stack is taken at once, so no
        // letter can come back under a reader's feet (no ABA).
        Mail {
            next: self.first.swap(ptr::null_mut(), Ordering::Acquire),
        }
    }
}

/// What was in a mailbox, the youngest letter first.
pub(crate) struct Mail<L> {
    next: *mut L,
}

impl<L: Letter> Iterator for Mail<L> {
    type Item = &'static L;

    fn next(&mut self) -> Option<&'static L> {
        // SAFETY: null or a letter, which is 'static.
        let letter = unsafe { self.next.as_ref()? };
        // Read before the letter is handed out: the reader may send it on.
        self.next = letter.next();
        Some(letter)
    }
}
