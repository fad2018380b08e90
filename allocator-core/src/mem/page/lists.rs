//! Lists of pages, threaded through their headers: a queue of those of one
//! class that have room, and all pages of an owner.

use super::{Page, State};
use crate::base::sync::Cell;

/// A list of pages by their queue links: pages of one class that have room.
pub(crate) struct Queue {
    first: Cell<Option<&'static Page>>,
    last: Cell<Option<&'static Page>>,
}

impl Queue {
    pub(crate) fn first(&self) -> Option<&'static Page> {
        self.first.get()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }

    pub(crate) fn push_first(&self, page: &'static Page) {
        page.queue_prev.set(None);
        page.queue_next.set(self.first.get());
        match self.first.get() {
            Some(first) => first.queue_prev.set(Some(page)),
            None => self.last.set(Some(page)),
        }
        self.first.set(Some(page));
        page.set_state(State::Queued);
    }

    pub(crate) fn push_last(&self, page: &'static Page) {
        page.queue_next.set(None);
        page.queue_prev.set(self.last.get());
        match self.last.get() {
            Some(last) => last.queue_next.set(Some(page)),
            None => self.first.set(Some(page)),
        }
        self.last.set(Some(page));
        page.set_state(State::Queued);
    }

    /// Takes a page out; it counts as full until it is put somewhere.
    pub(crate) fn remove(&self, page: &'static Page) {
        debug_assert_eq!(page.state(), State::Queued);
        match page.queue_prev.get() {
            Some(prev) => prev.queue_next.set(page.queue_next.get()),
            None => self.first.set(page.queue_next.get()),
        }
        match page.queue_next.get() {
            Some(next) => next.queue_prev.set(page.queue_prev.get()),
            None => self.last.set(page.queue_prev.get()),
        }
        page.set_state(State::Full);
    }
}

/// All pages of one owner, by their owned links.
pub(crate) struct Owned {
    first: Cell<Option<&'static Page>>,
    count: Cell<u32>,
}

impl Owned {
    pub(crate) fn count(&self) -> u32 {
        self.count.get()
    }

    pub(crate) fn push(&self, page: &'static Page) {
        page.owned_prev.set(None);
        page.owned_next.set(self.first.get());
        if let Some(first) = self.first.get() {
            first.owned_prev.set(Some(page));
        }
        self.first.set(Some(page));
        self.count.set(self.count.get() + 1);
    }

    pub(crate) fn remove(&self, page: &'static Page) {
        match page.owned_prev.get() {
            Some(prev) => prev.owned_next.set(page.owned_next.get()),
            None => self.first.set(page.owned_next.get()),
        }
        if let Some(next) = page.owned_next.get() {
            next.owned_prev.set(page.owned_prev.get());
        }
        self.count.set(self.count.get() - 1);
    }

    /// The pages; the one at hand may be removed while going on.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static Page> {
        let mut next = self.first.get();
        core::iter::from_fn(move || {
            let page = next?;
            next = page.owned_next.get();
            Some(page)
        })
    }
}
