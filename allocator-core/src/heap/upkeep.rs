//! What is done now and then for the whole process, by whichever thread leaves
//! the fast path when it is due: memory that anybody freed goes back to the
//! OS, also where the owner of its pages is idle.
//!
//! One thread at a time. It knocks at the gates of the heaps that have mail,
//! has the OS put a barrier on every thread, goes in where the owner is away,
//! sweeps, and leaves; then it purges what has expired.

use super::declared::{Declared, current};
use super::free;
use super::heap::Heap;
use super::registry::{self, Verbs};
use crate::base::lock::{Lock, forking};
use crate::config::Purge;
use crate::config::choices::{Choices, Derived};
use crate::mem::{arena, due, keys};
use crate::os;

/// Held by the thread that does the upkeep.
static UPKEEP: Lock = Lock::new();
/// Held while a visitor is inside any gate; no OS call is made under it, so a fork waits for it.
static VISITING: Lock = Lock::new();

/// Makes a type known to upkeep and to fork; nothing when it is.
#[inline]
pub(crate) fn enrol<D: Declared>() {
    if !D::shared().node().is_added() {
        registry::add(D::shared().prepare(), const { &verbs::<D>() });
    }
}

/// Does what is due, if it is.
#[inline]
pub(crate) fn run_if_due() {
    if due::is_due() {
        run();
    }
}

#[cold]
#[inline(never)]
fn run() {
    if forking::is_by_this_thread() || !UPKEEP.try_acquire() {
        return;
    }
    due::clear();
    visit_all(os::now_ms());
    // The time again: what the visits released expires as of now.
    arena::purge_expired(os::now_ms());
    UPKEEP.release();
}

/// Brings home what others freed, in every heap whose owner is away, so that pages that are all
/// free serve whoever asks next.
#[cold]
#[inline(never)]
pub(crate) fn reclaim() {
    if forking::is_by_this_thread() {
        return;
    }
    UPKEEP.acquire();
    visit_all(ALL);
    UPKEEP.release();
}

/// Gives back all that is free in the process, now.
pub(crate) fn run_now() {
    if forking::is_by_this_thread() {
        return;
    }
    UPKEEP.acquire();
    visit_all(ALL);
    arena::purge_all();
    UPKEEP.release();
}

/// A time by which every delay has passed.
const ALL: u64 = u64::MAX;

/// Reads the mail of heaps whose owners are away, and takes the spare pages whose delay has passed.
fn visit_all(now_ms: u64) {
    let mut knocked = false;
    for verbs in registry::types() {
        knocked |= (verbs.knock)(now_ms);
    }
    if knocked && !os::barrier_everywhere() {
        // Without it nobody may go in: the owners will read their mail themselves.
        for verbs in registry::types() {
            (verbs.walk_away)();
        }
        knocked = false;
    }
    if knocked {
        VISITING.acquire();
        for verbs in registry::types() {
            (verbs.enter)(now_ms);
        }
        for verbs in registry::types() {
            (verbs.visit)(now_ms);
        }
        VISITING.release();
    }
    for verbs in registry::types() {
        (verbs.release)();
    }
}

/// Before a fork: waits until no visitor is inside a gate, no type's lock is held, and nobody is at
/// drawing the keys.
pub(crate) fn hold_for_fork() {
    VISITING.acquire();
    registry::hold();
    keys::hold();
    forking::begin();
}

/// After a fork, in the parent and in the child.
pub(crate) fn resume_after_fork() {
    forking::end();
    keys::resume();
    registry::resume();
    VISITING.release();
}

/// After a fork, in the child only: upkeep that another thread was at ended with that thread.
pub(crate) fn start_over() {
    UPKEEP.release();
    for verbs in registry::types() {
        (verbs.walk_away)();
        (verbs.start_over)();
    }
    due::by(os::now_ms());
}

/// The verbs of `D`.
pub(super) const fn verbs<D: Declared>() -> Verbs {
    Verbs {
        knock: knock::<D>,
        enter: enter::<D>,
        visit: visit::<D>,
        walk_away: walk_away::<D>,
        release: release::<D>,
        start_over: start_over_record::<D>,
        lock: lock::<D>,
    }
}

extern "C" fn knock<D: Declared>(now_ms: u64) -> bool {
    let until_ms = now_ms.saturating_sub(delay_ms(D::CONFIG.purge));
    // What is sent for one heap becomes the mail of another.
    let mut heaps = D::shared().records();
    let all = heaps.any(|heap| !heap.foreign.is_empty() || waits_too_long(heap, until_ms));
    let mut knocked = false;
    for heap in D::shared().records() {
        knocked |= (all || heap.is_worth_a_visit(until_ms)) && heap.gate.knock();
    }
    knocked
}

extern "C" fn enter<D: Declared>(now_ms: u64) {
    let until_ms = now_ms.saturating_sub(delay_ms(D::CONFIG.purge));
    for heap in D::shared().records() {
        if heap.gate.visit() {
            heap.foreign.send::<D>();
            if waits_too_long(heap, until_ms) {
                free::send_waiting(heap);
            }
        } else if !heap.owner.mail.is_empty() || !heap.foreign.is_empty() {
            // The owner was at home, and may sleep from now on without having seen to it.
            due::after(os::now_ms(), D::CONFIG.purge);
        }
    }
}

/// Whether blocks of a heap wait whose owner is idle, as far as can be told: then a visitor sends them home.
fn waits_too_long<C: Choices>(heap: &'static Heap<C>, until_ms: u64) -> bool {
    heap.quarantine.is_left_alone(until_ms)
}

extern "C" fn visit<D: Declared>(now_ms: u64) {
    let until_ms = now_ms.saturating_sub(delay_ms(D::CONFIG.purge));
    for heap in D::shared().records() {
        if heap.gate.is_visited() {
            D::shared().visit(heap, until_ms);
            heap.gate.leave_visit();
        }
    }
}

extern "C" fn walk_away<D: Declared>() {
    for heap in D::shared().records() {
        heap.gate.walk_away();
    }
}

extern "C" fn release<D: Declared>() {
    D::shared().sweep_orphans();
    // Those that are too young, or whose owner was at home.
    let mut heaps = D::shared().records();
    if heaps.any(|heap| heap.spares.since_ms().is_some() || heap.quarantine.is_in_use()) {
        due::after(os::now_ms(), D::CONFIG.purge);
    }
    D::shared().release_visited(at_once(D::CONFIG.purge));
}

extern "C" fn start_over_record<D: Declared>() {
    if D::RECORDS {
        for heap in D::shared().records() {
            heap.set_tally(None);
        }
        if let Some((cache, _)) = current::<D>() {
            cache.set_tally(None);
        }
        D::shared().ledger().start_over();
    }
}

extern "C" fn lock<D: Declared>() -> &'static Lock {
    D::shared().lock()
}

/// How long a spare page is left alone.
const fn delay_ms(purge: Purge) -> u64 {
    match purge {
        // Longer than any process lives, and less than `ALL`.
        Purge::Never => u64::MAX / 2,
        Purge::Now => 0,
        Purge::After(delay_ms) => delay_ms as u64,
    }
}

/// A purge that takes place in the same upkeep, for memory that has waited already.
fn at_once(purge: Purge) -> Purge {
    match purge {
        Purge::Never => Purge::Never,
        Purge::Now | Purge::After(_) => Purge::After(0),
    }
}
