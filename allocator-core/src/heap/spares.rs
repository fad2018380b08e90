//! The spare pages of a heap: of each class one at most, all free, kept for the next use of the
//! class. The owner lets go of them after their class's retire cycles, a visitor after the delay
//! of `purge`.
//!
//! 1. `pages` has a page for the classes in `classes`, and for no other.
//! 2. `since_ms` is not later than the oldest page became a spare one; 0 if there is none. (It may
//!    stay when that page is taken, until somebody looks at them all.)

use crate::base::class_set::ClassSet;
use crate::base::sync::{AtomicU64, Cell, Ordering};
use crate::config::choices::{Choices, Derived, element};
use crate::mem::page::{Page, State};

/// The spare pages. All zero is none.
#[repr(C)]
pub(super) struct Spares<C: Choices> {
    /// Inv. 1.
    classes: ClassSet,
    /// Inv. 2. Read by who considers a visit.
    since_ms: AtomicU64,
    pages: C::PerClass<Cell<Option<&'static Page>>>,
}

impl<C: Choices> Spares<C> {
    fn of(&self, class: usize) -> &Cell<Option<&'static Page>> {
        debug_assert!(class < C::CLASSES);
        // SAFETY: the class is below CLASSES.
        unsafe { element::<C, Cell<Option<&'static Page>>>(&raw const self.pages, class) }
    }

    /// Keeps a page that is all free, in no list, and known to no sender; false when its class has
    /// one already.
    #[must_use]
    pub(super) fn keep(&self, page: &'static Page, cycle: u32, now_ms: u64) -> bool {
        if !self.classes.insert(page.class()) {
            return false;
        }
        page.set_spare(cycle, now_ms);
        self.of(page.class()).set(Some(page));
        // Relaxed: a hint.
        if self.since_ms.load(Ordering::Relaxed) == 0 {
            self.since_ms.store(now_ms, Ordering::Relaxed);
        }
        true
    }

    /// Takes the page of a class, if there is one; it counts as full until it is put somewhere.
    pub(super) fn take(&self, class: usize) -> Option<&'static Page> {
        let page = self.of(class).take()?;
        self.classes.remove(class);
        page.set_state(State::Full);
        Some(page)
    }

    /// Takes the pages that `is_old` says, one by one.
    pub(super) fn take_if(
        &self,
        is_old: impl Fn(&Page) -> bool,
        mut each: impl FnMut(&'static Page),
    ) {
        let mut oldest_ms = None;
        for class in self.classes.iter() {
            match self.of(class).get() {
                Some(page) if !is_old(page) => {
                    let since_ms = page.spare_since().1;
                    oldest_ms =
                        Some(oldest_ms.map_or(since_ms, |oldest: u64| oldest.min(since_ms)));
                }
                _ => {
                    if let Some(page) = self.take(class) {
                        each(page);
                    }
                }
            }
        }
        let since_ms = oldest_ms.unwrap_or(0);
        // Relaxed: a hint. Written only when it changes, so that it can stay in every cache.
        if self.since_ms.load(Ordering::Relaxed) != since_ms {
            self.since_ms.store(since_ms, Ordering::Relaxed);
        }
    }

    /// Since when there may have been a spare page, in ms, if there may be one.
    pub(super) fn since_ms(&self) -> Option<u64> {
        // Relaxed: a hint.
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        (since_ms > 0).then_some(since_ms)
    }

    /// Asserts the invariants.
    pub(super) fn check(&self) {
        for class in 0..C::CLASSES {
            let page = self.of(class).get();
            assert_eq!(
                page.is_some(),
                self.classes.contains(class),
                "spares invariant 1"
            );
            assert!(
                page.is_none_or(|page| page.class() == class && page.state() == State::Spare),
                "a spare page is of its class"
            );
            let since_ms = self.since_ms().unwrap_or(0);
            assert!(
                page.is_none_or(|page| since_ms > 0 && since_ms <= page.spare_since().1),
                "spares invariant 2"
            );
        }
    }
}
