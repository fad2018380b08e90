//! The keys that links of free blocks are hidden and signed with, and the ends of blocks in use: random, one set per process,
//! which a child of a fork inherits.
//!
//! 1. A key is 0 until it is drawn, and never written again after. A hardened type has them drawn
//!    before its first page is handed out, so whoever has a block of such a type reads the last.

use core::cell::UnsafeCell;

use crate::os;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The keys, on a cache line that is only read.
#[repr(align(64))]
struct Keys {
    link: Key,
    note: Key,
    /// Both of them: what a note and its link have between them.
    both: Key,
    end: Key,
}

/// One key (Inv. 1).
struct Key(UnsafeCell<usize>);

// SAFETY: written once, atomically, before it is read otherwise (Inv. 1).
unsafe impl Sync for Key {}

static KEYS: Keys = Keys {
    link: Key::new(),
    note: Key::new(),
    both: Key::new(),
    end: Key::new(),
};

impl Key {
    const fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    #[inline(always)]
    fn get(&self) -> usize {
        // SAFETY: valid, and not written any more (Inv. 1).
        unsafe { self.0.get().read() }
    }

    /// Draws the key, unless somebody has; what it is.
    fn draw(&self, value: usize) -> usize {
        // SAFETY: valid as long as the process, and until it is drawn used atomically only.
        let key = unsafe { AtomicUsize::from_ptr(self.0.get()) };
        // Release and Acquire: each pairs with the other, so that who finds a key drawn may read
        // it plainly.
        match key.compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => value,
            Err(drawn) => drawn,
        }
    }
}

/// Hides links.
#[inline(always)]
pub(crate) fn link() -> usize {
    KEYS.link.get()
}

/// Signs free blocks.
#[inline(always)]
pub(crate) fn note() -> usize {
    KEYS.note.get()
}

/// `link() ^ note()`
#[inline(always)]
pub(crate) fn both() -> usize {
    KEYS.both.get()
}

/// Signs the ends of blocks in use.
#[inline(always)]
pub(crate) fn end() -> usize {
    KEYS.end.get()
}

/// Sees that the keys are drawn.
pub(crate) fn draw() {
    // SAFETY: as in Key::draw().
    let last = unsafe { AtomicUsize::from_ptr(KEYS.both.0.get()) };
    // Acquire: pairs with the Release in Key::draw(); this one is drawn last.
    if last.load(Ordering::Acquire) == 0 {
        draw_now();
    }
}

#[cold]
#[inline(never)]
fn draw_now() {
    let [link, note] = os::random_words();
    let [end, _] = os::random_words();
    KEYS.end.draw(end | 1);
    // One odd, the other even: so none is 0, nor is what they have between them.
    let link = KEYS.link.draw(link | 1);
    let note = KEYS.note.draw(note & !1 | 2);
    KEYS.both.draw(link ^ note);
}
