//! All declared types of the process that ever had a heap, and what upkeep and
//! fork ask of each without knowing it.

use core::ptr;

use crate::base::lock::Lock;
use crate::base::sync::{AtomicBool, AtomicPtr, Ordering};

/// What can be asked of any type. `extern "C"`: nothing unwinds out of a verb, and the compiler knows.
pub(super) struct Verbs {
    /// Knocks at every heap that is worth a visit at this time in ms; whether there was one.
    pub(super) knock: extern "C" fn(u64) -> bool,
    /// Goes in where the owner is away, and sends what is held back there.
    pub(super) enter: extern "C" fn(u64),
    /// Sweeps where it went in, and leaves; at the same time.
    pub(super) visit: extern "C" fn(u64),
    /// Takes knocks back that nobody will follow up.
    pub(super) walk_away: extern "C" fn(),
    /// Releases what the visits gave up.
    pub(super) release: extern "C" fn(),
    /// Lets go, in a process forked off, of what is recorded of its parent.
    pub(super) start_over: extern "C" fn(),
    /// The type's lock.
    pub(super) lock: extern "C" fn() -> &'static Lock,
}

/// A type's entry.
pub(super) struct TypeNode {
    next: AtomicPtr<TypeNode>,
    /// The type's verbs; null until registered.
    verbs: AtomicPtr<Verbs>,
    /// Whether the node is in the list.
    added: AtomicBool,
}

/// Held while a type is added, and across a fork: the set of types whose locks a fork holds must
/// not grow meanwhile.
static ADDING: Lock = Lock::new();

static FIRST: AtomicPtr<TypeNode> = AtomicPtr::new(ptr::null_mut());
/// First of the types whose locks a fork holds.
static HELD: AtomicPtr<TypeNode> = AtomicPtr::new(ptr::null_mut());

impl TypeNode {
    pub(super) const fn new() -> Self {
        Self {
            next: AtomicPtr::new(ptr::null_mut()),
            verbs: AtomicPtr::new(ptr::null_mut()),
            added: AtomicBool::new(false),
        }
    }

    /// Whether the type is among the types.
    #[inline]
    pub(super) fn is_added(&self) -> bool {
        // Acquire: pairs with the Release in add(): the node is in the list, so a fork holds the
        // type's lock.
        self.added.load(Ordering::Acquire)
    }
}

/// Adds a type, once.
pub(super) fn add(node: &'static TypeNode, verbs: &'static Verbs) {
    ADDING.acquire();
    if !node.is_added() {
        // Relaxed: published by the list's head.
        node.verbs
            .store(ptr::from_ref(verbs).cast_mut(), Ordering::Relaxed);
        // Relaxed: written under ADDING only, and published by the list's head.
        node.next
            .store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed);
        // Release: publishes the node; pairs with the Acquire in types().
        FIRST.store(ptr::from_ref(node).cast_mut(), Ordering::Release);
        // Release: pairs with the Acquire in is_added().
        node.added.store(true, Ordering::Release);
    }
    ADDING.release();
}

/// Before a fork: no type is added by another thread until [`resume`], and every type's lock is
/// taken.
pub(super) fn hold() {
    ADDING.acquire();
    for verbs in types() {
        (verbs.lock)().acquire();
    }
    // Relaxed: written and read by the forking thread.
    HELD.store(FIRST.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// After a fork, on both sides. Lets go of what was taken: not of types that a handler of the
/// forking thread has used first of all meanwhile.
pub(super) fn resume() {
    // Relaxed: written by this thread.
    for verbs in types_from(HELD.load(Ordering::Relaxed)) {
        (verbs.lock)().release();
    }
    ADDING.release();
}

/// The verbs of every type, the youngest first.
pub(super) fn types() -> impl Iterator<Item = &'static Verbs> {
    // Acquire: pairs with the Release in add().
    types_from(FIRST.load(Ordering::Acquire))
}

fn types_from(mut next: *mut TypeNode) -> impl Iterator<Item = &'static Verbs> {
    core::iter::from_fn(move || {
        // SAFETY: null or a node in a static.
        let node = unsafe { next.as_ref() }?;
        // Relaxed: written before the node was published.
        next = node.next.load(Ordering::Relaxed);
        // SAFETY: written before the node was published, and 'static.
        Some(unsafe { &*node.verbs.load(Ordering::Relaxed) })
    })
}
