//! The remote-free word of a page: what other threads freed into it, their
//! count, and whether the owner has been told, in one atomic word.
//!
//! ```text
//! 63            32 31          1  0
//! ┌───────────────┬─────────────┬───┐
//! │ first block:  │ blocks in   │ N │  N: the page is in its owner's mailbox,
//! │ offset/8 + 1  │ the list    │   │     or its sender is about to put it there
//! └───────────────┴─────────────┴───┘
//! ```
//! 1. An offset of 0 is an empty list, and then the count is 0.
//! 2. Only the one who takes the page out of a mailbox clears N; so the page is in at most one
//!    mailbox, and a page whose N is clear is known to no sender.
//! 3. With the count at hand the owner takes the list without walking it.

use crate::base::sync::{AtomicU64, Ordering};

const NOTIFIED: u64 = 1;
const COUNT_SHIFT: u32 = 1;
const COUNT_MASK: u64 = (1 << 31) - 1;
const HEAD_SHIFT: u32 = 32;

/// The remote-free word.
pub(crate) struct ThreadFree {
    word: AtomicU64,
}

/// What [`ThreadFree::push`] leaves to do.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// The owner already knows.
    Known,
    /// First push since the owner last looked: put the page into its owner's mailbox.
    First,
}

/// A list taken from the word: offset of its first block divided by 8, plus 1 (0: empty), and
/// its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) head: u32,
    pub(crate) count: u32,
}

impl Taken {
    fn of(word: u64) -> Self {
        Self {
            head: (word >> HEAD_SHIFT) as u32,
            count: (word >> COUNT_SHIFT & COUNT_MASK) as u32,
        }
    }
}

impl ThreadFree {
    #[cfg(test)]
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
        }
    }

    /// Puts a list of `count` blocks that starts at `head` in front. `link` is called, perhaps
    /// several times, with the head that the list's last block has to point to.
    pub(crate) fn push(&self, head: u32, count: u32, mut link: impl FnMut(u32)) -> Pushed {
        // Relaxed: a guess that the exchange checks. The old list's blocks are not read here.
        let mut old = self.word.load(Ordering::Relaxed);
        loop {
            let Taken {
                head: next,
                count: before,
            } = Taken::of(old);
            link(next);
            let new =
                u64::from(head) << HEAD_SHIFT | u64::from(before + count) << COUNT_SHIFT | NOTIFIED;
            // Release: publishes the links (and all that was done to the blocks before they were
            // freed); pairs with the Acquire in take() and take_notified().
            // Acquire: pairs with the Release in take_notified(): who gets `First` writes the
            // page's link in the next mailbox, after the last reader of the one before.
            match self
                .word
                .compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) if old & NOTIFIED == 0 => return Pushed::First,
                Ok(_) => return Pushed::Known,
                Err(now) => old = now,
            }
        }
    }

    /// Whether somebody freed into the page since the last take.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: a hint; taking synchronises.
        Taken::of(self.word.load(Ordering::Relaxed)).count == 0
    }

    /// Takes the list and leaves the mark: for an owner that looks without having been told.
    pub(crate) fn take(&self) -> Taken {
        // Acquire: pairs with the Release in push().
        Taken::of(self.word.fetch_and(NOTIFIED, Ordering::Acquire))
    }

    /// Takes the list and clears the mark: for the one who took the page out of a mailbox.
    pub(crate) fn take_notified(&self) -> Taken {
        // Acquire and Release: each pairs with the other in push().
        Taken::of(self.word.swap(0, Ordering::AcqRel))
    }

    /// Whether the page is in a mailbox or about to be.
    pub(crate) fn is_notified(&self) -> bool {
        // Relaxed: asked by the owner once all blocks are home; then nobody pushes any more, and
        // the answer can only be an old "yes", which delays a release and harms nothing.
        self.word.load(Ordering::Relaxed) & NOTIFIED != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_push_links_to_the_old_head_and_adds_the_counts() {
        let word = ThreadFree::new();
        assert!(word.is_empty());
        assert_eq!(word.push(7, 3, |next| assert_eq!(next, 0)), Pushed::First);
        assert_eq!(word.push(9, 2, |next| assert_eq!(next, 7)), Pushed::Known);
        assert_eq!(word.take(), Taken { head: 9, count: 5 });
        assert!(word.is_empty() && word.is_notified());
        assert_eq!(
            word.push(u32::MAX, 1, |_| {}),
            Pushed::Known,
            "the mark outlives take()"
        );
        assert_eq!(
            word.take_notified(),
            Taken {
                head: u32::MAX,
                count: 1
            }
        );
        assert!(!word.is_notified());
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::rc::Rc;

    use super::super::mailbox::{Letter, Mailbox};
    use super::*;
    use crate::base::modelled::{Cell, model, together};

    struct Page {
        thread_free: ThreadFree,
        next: Cell<*mut Page>,
        /// What a freeing thread wrote into a block before it freed it.
        content: [Cell<u32>; 2],
    }

    impl Letter for Page {
        fn next(&self) -> *mut Page {
            self.next.get()
        }

        fn set_next(&self, next: *mut Page) {
            self.next.set(next);
        }
    }

    struct Owner {
        mail: Mailbox<Page>,
    }

    fn free(owner: &Owner, page: &'static Page, block: u32) {
        page.content[block as usize].set(block + 1);
        if page.thread_free.push(block + 1, 1, |_| {}) == Pushed::First {
            owner.mail.send(page);
        }
    }

    fn count(page: &Page, taken: Taken) -> u32 {
        if taken.count > 0 {
            let content = page.content[taken.head as usize - 1].get();
            assert_eq!(content, taken.head, "the sender's writes are seen");
        }
        taken.count
    }

    fn read_mail(owner: &Owner) -> u32 {
        let pages = owner.mail.take();
        pages
            .map(|page| count(page, page.thread_free.take_notified()))
            .sum()
    }

    #[test]
    fn two_senders_and_an_owner_lose_no_block_and_no_notice() {
        model(|| {
            let owner: &'static Owner = Box::leak(Box::new(Owner {
                mail: Mailbox::new(),
            }));
            let page: &'static Page = Box::leak(Box::new(Page {
                thread_free: ThreadFree::new(),
                next: Cell::new(std::ptr::null_mut()),
                content: [Cell::new(0), Cell::new(0)],
            }));
            let home = Rc::new(core::cell::Cell::new(0));
            let looked = home.clone();
            together([
                Box::new(move || free(owner, page, 0)),
                Box::new(move || free(owner, page, 1)),
                Box::new(move || {
                    // The owner looks without having been told, then reads its mail.
                    looked.set(count(page, page.thread_free.take()) + read_mail(owner));
                }),
            ]);
            assert_eq!(home.get() + read_mail(owner), 2);
            assert!(page.thread_free.is_empty() && !page.thread_free.is_notified());
        });
    }
}
