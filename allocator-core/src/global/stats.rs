//! The figures of a declared type.

use core::alloc::Layout;

use super::record::laid_out_for_c;
use crate::base::class_set::CLASSES_MAX;
use crate::config::choices::Derived;
use crate::heap::canary;
use crate::heap::counters::Counters;
use crate::heap::declared::Declared;
use crate::heap::route::{Route, route};
use crate::mem::places::{PLACES, request};
use crate::mem::tally::Row;
use crate::os::guard;

/// What a declared type has done so far, over all its threads. All zero when `stats = off`.
///
/// Taken while other threads work, the figures may be some operations apart from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Blocks handed out, large ones included.
    pub allocations: u64,
    /// Blocks given back, large ones included.
    pub frees: u64,
    /// Blocks freed into a page of another thread.
    pub remote_frees: u64,
    /// Times an allocation found its bin empty.
    pub refills: u64,
    /// Times a full cache gave blocks back to their pages.
    pub flushes: u64,
    /// Times more blocks of a page were made available.
    pub extensions: u64,
    /// Times a page's lists were brought home.
    pub collects: u64,
    /// Times that was left out because the page still had a free list (`skip_collect`).
    pub collects_skipped: u64,
    /// Atomic loads of `thread_free` on collect. With `local_first` only those of pages that an ending thread leaves
    /// behind: otherwise mail says what others freed.
    pub thread_free_loads: u64,
    /// Pages made.
    pub pages_made: u64,
    /// All-free pages given back to the arena.
    pub pages_retired: u64,
    /// Pages taken over from ended threads.
    pub pages_adopted: u64,
    /// Pages that ended threads left behind.
    pub pages_abandoned: u64,
    /// Bytes of pages, large and huge blocks that the type holds now.
    pub held_bytes: usize,
    /// Blocks handed out that have OS pages of their own (`sample`).
    pub sampled: u64,
    /// Guards that were wanted and that the OS refused, over all types of the process.
    pub guards_skipped: u64,
    by_class: [ClassStats; CLASSES_MAX],
}

/// What was counted of one size class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClassStats {
    /// Blocks of the class handed out.
    pub allocations: u64,
    /// Blocks of the class given back.
    pub frees: u64,
}

impl Default for Stats {
    /// All zero.
    fn default() -> Self {
        // SAFETY: integers only.
        unsafe { core::mem::zeroed() }
    }
}

impl Stats {
    /// What was counted of a size class, by its index in `CONFIG.classes()`; zero unless
    /// `stats = histogram`, and for an index that is no class. Requests that are recorded together
    /// ([`ProfileRow::size`](crate::ProfileRow::size)) count as the largest of them.
    #[must_use]
    pub fn class(&self, index: usize) -> ClassStats {
        self.by_class.get(index).copied().unwrap_or_default()
    }

    /// Adds what was recorded of requests at one place, which go to `class` if to any.
    fn add_row(&mut self, class: Option<usize>, row: &Row) {
        let (allocations, frees) = (row.allocations.get(), row.frees.get());
        self.allocations += allocations;
        self.frees += frees;
        if let Some(of_class) = class.and_then(|class| self.by_class.get_mut(class)) {
            of_class.allocations += allocations;
            of_class.frees += frees;
        }
    }

    fn add(&mut self, counters: &Counters) {
        self.allocations += counters.allocations.get();
        self.frees += counters.frees.get();
        self.remote_frees += counters.remote_frees.get();
        self.refills += counters.refills.get();
        self.flushes += counters.flushes.get();
        self.extensions += counters.extensions.get();
        self.collects += counters.collects.get();
        self.collects_skipped += counters.collects_skipped.get();
        self.thread_free_loads += counters.thread_free_loads.get();
        self.pages_made += counters.pages_made.get();
        self.pages_retired += counters.pages_retired.get();
        self.pages_adopted += counters.pages_adopted.get();
        self.pages_abandoned += counters.pages_abandoned.get();
        self.sampled += counters.sampled.get();
    }
}

/// The figures of `D` over all its threads, ended ones included.
#[must_use]
pub fn stats<D: Declared>() -> Stats {
    let mut stats = Stats::default();
    if D::COUNTS {
        stats.add(D::shared().counters());
        for heap in D::shared().records() {
            stats.add(&heap.counters);
        }
        if let Some(book) = D::shared().ledger().book().filter(|_| D::RECORDS) {
            // Where there are only frees, too: of what a process inherited.
            for place in 0..PLACES {
                let class = class_of_place::<D>(place);
                for tally in book.tallies() {
                    stats.add_row(class, tally.row(place));
                }
            }
        }
        stats.held_bytes = D::shared().account().held_bytes();
        stats.guards_skipped = guard::skipped();
    }
    stats
}

/// The class of the largest request at a place; `None` when that is of none.
fn class_of_place<D: Declared>(place: usize) -> Option<usize> {
    let (align, size) = request(place);
    let layout = Layout::from_size_align(size, align).ok()?;
    let layout = if D::EXPORTS {
        laid_out_for_c::<D>(layout)?
    } else {
        layout
    };
    match route::<D>(canary::served::<D>(layout)) {
        Route::Class(class) => Some(class),
        _ => None,
    }
}
