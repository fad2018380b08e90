//! The gate of a heap: its owner passes by two plain stores and a load, a
//! visitor by a knock and a barrier on every running thread.
//!
//! 1. `visitor` is `INSIDE` only while one visitor is inside and the owner is not.
//! 2. The owner goes in only after it has seen `visitor` to be `AWAY`; a visitor who only
//!    knocked is turned away, so nobody ever waits for a visitor's OS call. An owner with another way to go
//!    leaves again instead.
//!
//! The owner writes `inside` and then reads `visitor`; the visitor writes `visitor` and then
//! reads `inside`. One of them must see the other, which takes a full barrier on both sides: the
//! visitor's comes from the OS and acts on the owner's thread too, so the owner's own is free.

use crate::base::sync::{AtomicU32, Ordering};
use crate::base::wait::wait_a_little;

const AWAY: u32 = 0;
const KNOCKING: u32 = 1;
const INSIDE: u32 = 2;

pub(crate) struct Gate {
    /// 1 while the owner is inside. Owner only.
    inside: AtomicU32,
    /// `AWAY`, `KNOCKING` or `INSIDE`.
    visitor: AtomicU32,
}

/// The owner's stay; ends when dropped.
pub(crate) struct Stay<'a>(&'a Gate);

/// Keeps the compiler from moving the owner's load before its store; the processor is kept from
/// it by the visitor's barrier.
#[inline(always)]
fn owners_barrier() {
    #[cfg(not(loom))]
    crate::base::sync::compiler_fence(Ordering::SeqCst);
    // loom knows no barrier that acts on another thread: stand-in on both sides.
    #[cfg(loom)]
    crate::base::sync::fence(Ordering::SeqCst);
}

impl Gate {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self {
            inside: AtomicU32::new(0),
            visitor: AtomicU32::new(AWAY),
        }
    }

    /// The owner goes in.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Stay<'_> {
        let stay = self.step_in();
        // Acquire: pairs with the Release in leave_visit().
        if self.visitor.load(Ordering::Acquire) != AWAY {
            self.meet_visitor();
        }
        stay
    }

    /// The owner goes in, unless somebody knocked or is inside.
    #[inline(always)]
    pub(crate) fn enter_unmet(&self) -> Option<Stay<'_>> {
        let stay = self.step_in();
        // Acquire: pairs with the Release in leave_visit().
        (self.visitor.load(Ordering::Acquire) == AWAY).then_some(stay)
    }

    /// The owner is inside, if there is no visitor.
    #[inline(always)]
    fn step_in(&self) -> Stay<'_> {
        // Relaxed: ordered against the load that follows by the barriers (see the module's text).
        self.inside.store(1, Ordering::Relaxed);
        owners_barrier();
        Stay(self)
    }

    /// Turns a knocking visitor away, or waits for one inside.
    #[cold]
    #[inline(never)]
    fn meet_visitor(&self) {
        let mut rounds = 0;
        loop {
            // Acquire: pairs with the Release in leave_visit().
            match self.visitor.compare_exchange(
                KNOCKING,
                AWAY,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) | Err(AWAY) => return,
                Err(_) => wait_a_little(&mut rounds),
            }
        }
    }

    /// A visitor knocks. Then comes the barrier on every thread, then [`Gate::visit`].
    pub(crate) fn knock(&self) -> bool {
        // Relaxed: the barrier that follows orders it.
        self.visitor
            .compare_exchange(AWAY, KNOCKING, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// After the barrier: goes in if the owner is not inside and has not turned the visitor away.
    pub(crate) fn visit(&self) -> bool {
        // Acquire: pairs with the Release in Stay::drop(): the owner's writes are seen.
        if self.inside.load(Ordering::Acquire) != 0 {
            self.walk_away();
            return false;
        }
        // Acquire: as above; an owner who went in and out since turned the knock away.
        self.visitor
            .compare_exchange(KNOCKING, INSIDE, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Whether there is a visitor inside; for the one who does all visits.
    pub(crate) fn is_visited(&self) -> bool {
        // Relaxed: only that one makes it so.
        self.visitor.load(Ordering::Relaxed) == INSIDE
    }

    /// The visitor gives up a knock, if it still stands.
    pub(crate) fn walk_away(&self) {
        // Relaxed: nothing was done.
        let _ = self
            .visitor
            .compare_exchange(KNOCKING, AWAY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The visitor leaves.
    pub(crate) fn leave_visit(&self) {
        // Release: pairs with the Acquire in enter() and meet_visitor().
        self.visitor.store(AWAY, Ordering::Release);
    }
}

impl Drop for Stay<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: pairs with the Acquire in visit().
        self.0.inside.store(0, Ordering::Release);
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::rc::Rc;

    use super::*;
    use crate::base::modelled::{Cell, model, together};

    struct Heap {
        gate: Gate,
        /// Loom reports two threads that use it at once.
        pages: Cell<u32>,
    }

    impl Heap {
        fn use_pages(&self) {
            self.pages.set(self.pages.get() + 1);
        }
    }

    #[test]
    fn owner_and_visitor_are_never_inside_together() {
        model(|| {
            let heap = Rc::new(Heap {
                gate: Gate::new(),
                pages: Cell::new(0),
            });
            let (owner, visitor) = (heap.clone(), heap.clone());
            let counts = [(); 2].map(|()| Rc::new(core::cell::Cell::new(0)));
            let [entered, visited] = counts.clone();
            together([
                Box::new(move || {
                    if let Some(_stay) = owner.gate.enter_unmet() {
                        owner.use_pages();
                        entered.set(1);
                    }
                    let _stay = owner.gate.enter();
                    owner.use_pages();
                }),
                Box::new(move || {
                    if visitor.gate.knock() {
                        // Stands for the OS's barrier on every thread.
                        crate::base::sync::fence(Ordering::SeqCst);
                        if visitor.gate.visit() {
                            visitor.use_pages();
                            visited.set(1);
                            visitor.gate.leave_visit();
                        }
                    }
                }),
            ]);
            let seldom: u32 = counts.iter().map(|count| count.get()).sum();
            assert_eq!(heap.pages.get(), 1 + seldom);
        });
    }

    #[test]
    fn a_knock_that_was_turned_away_lets_nobody_in() {
        model(|| {
            let gate = Gate::new();
            assert!(gate.knock());
            assert!(!gate.knock(), "one visitor at a time");
            drop(gate.enter());
            assert!(!gate.visit(), "the owner turned the knock away");
            assert!(gate.knock());
            gate.walk_away();
            assert!(!gate.visit());
        });
    }
}
