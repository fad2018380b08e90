//! The earliest of the times that several threads set.

use super::sync::{AtomicU64, Ordering, fence};

/// A time in ms, or none. All zero is none: the word holds the complement, so that the earliest
/// time is the largest word.
pub(crate) struct Deadline(AtomicU64);

// SeqCst throughout: who sets a time has just made work visible, who takes it looks for work
// next; one of the two must see the other, or the work waits for the next time somebody sets.

impl Deadline {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The time is `at_ms` at the latest from now on.
    pub(crate) fn by(&self, at_ms: u64) {
        // Every free into another heap comes here, and mostly an earlier time stands: then the line
        // can stay in every cache. The fence before the look pairs with that of take(): it sees the
        // time that still stands, or the other the work.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        if self.0.load(Ordering::Relaxed) < !at_ms {
            self.0.fetch_max(!at_ms, Ordering::SeqCst);
        }
    }

    /// The time, if there is one.
    #[inline]
    pub(crate) fn get(&self) -> Option<u64> {
        // Relaxed: a hint; take() synchronises.
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            word => Some(!word),
        }
    }

    /// Takes the time off; to be done before the work is looked for.
    pub(crate) fn take(&self) -> Option<u64> {
        let word = self.0.swap(0, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        match word {
            0 => None,
            word => Some(!word),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_time_stands_until_it_is_taken() {
        let deadline = Deadline::new();
        assert_eq!(deadline.get(), None);
        deadline.by(500);
        deadline.by(100);
        deadline.by(900);
        assert_eq!(deadline.get(), Some(100));
        assert_eq!(deadline.take(), Some(100));
        assert_eq!(deadline.take(), None);
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::rc::Rc;

    use super::*;
    use crate::base::modelled::{model, together};
    use crate::base::sync::AtomicBool;

    #[test]
    fn work_is_seen_by_who_takes_the_time_or_a_time_stands() {
        model(|| {
            let state = Rc::new((Deadline::new(), AtomicBool::new(false)));
            // Somebody's earlier time stands.
            state.0.by(100);
            let (setter, taker) = (state.clone(), state.clone());
            let seen = Rc::new(core::cell::Cell::new(false));
            let saw = seen.clone();
            together([
                Box::new(move || {
                    setter.1.store(true, Ordering::Relaxed);
                    setter.0.by(200);
                }),
                Box::new(move || {
                    taker.0.take();
                    saw.set(taker.1.load(Ordering::Relaxed));
                }),
            ]);
            assert!(
                seen.get() || state.0.get().is_some(),
                "nobody looks at the work"
            );
        });
    }
}
