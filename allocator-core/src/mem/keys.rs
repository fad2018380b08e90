//! The keys that links of free blocks are hidden and signed with, and the ends of blocks in use: random, one set per process,
//! which a child of a fork inherits.
//!
//! 1. A key is 0 until it is drawn, and never written again after. A hardened type has them drawn
//!    before its first page is handed out, so whoever has a block of such a type reads the last.
//! 2. They are drawn under `DRAWING`, so that not even an exchange that fails meets a plain read.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::base::lock::Lock;
use crate::os;

/// The keys, on a cache line that is only read.
#[repr(align(64))]
struct Keys {
    link: Key,
    end: Key,
}

/// One key (Inv. 1).
struct Key(UnsafeCell<usize>);

// SAFETY: written once, atomically, before it is read otherwise (Inv. 1).
unsafe impl Sync for Key {}

static KEYS: Keys = Keys {
    link: Key::new(),
    end: Key::new(),
};

/// Held by who draws them, and across a fork (Inv. 2).
static DRAWING: Lock = Lock::new();

impl Key {
    const fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    #[inline(always)]
    fn get(&self) -> usize {
        // SAFETY: valid, and not written any more (Inv. 1).
        unsafe { self.0.get().read() }
    }

    fn as_atomic(&self) -> &AtomicUsize {
        // SAFETY: valid as long as the process, and until it is drawn used atomically only.
        unsafe { AtomicUsize::from_ptr(self.0.get()) }
    }

    /// Under `DRAWING`, once.
    fn draw(&self, value: usize) {
        // Release: the last one's pairs with the Acquire in draw(), so that who finds it drawn may
        // read them all plainly.
        self.as_atomic().store(value, Ordering::Release);
    }

    fn is_drawn(&self) -> bool {
        // Acquire: as in draw().
        self.as_atomic().load(Ordering::Acquire) != 0
    }
}

/// Hides links and signs free blocks; odd.
#[inline(always)]
pub(crate) fn link() -> usize {
    KEYS.link.get()
}

/// Signs the ends of blocks in use.
#[inline(always)]
pub(crate) fn end() -> usize {
    KEYS.end.get()
}

/// Sees that the keys are drawn.
pub(crate) fn draw() {
    // That one is drawn last.
    if !KEYS.link.is_drawn() {
        draw_now();
    }
}

#[cold]
#[inline(never)]
fn draw_now() {
    let [link, end] = os::random_words();
    DRAWING.acquire();
    if !KEYS.link.is_drawn() {
        // Odd, hence not 0.
        KEYS.end.draw(end | 1);
        KEYS.link.draw(link | 1);
    }
    DRAWING.release();
}

/// Before a fork: no other thread is at drawing them.
pub(crate) fn hold() {
    DRAWING.acquire();
}

/// After a fork, on both sides.
pub(crate) fn resume() {
    DRAWING.release();
}
