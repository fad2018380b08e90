//! What is misused: a face, and what is known of the type behind it.

use std::hint::black_box;

use crate::face::{Face, OfC, OfRust};
use crate::subject::{Subject, layout};

/// A face whose type is known.
pub(super) trait Misused: Face {
    /// Bytes per block of the class that blocks of `size` bytes are of; `None` if they are of none.
    fn class_bytes(size: usize) -> Option<usize>;

    /// Bytes that stand behind each block.
    fn canary_bytes() -> usize;

    /// Whether blocks that are freed wait before they are handed out again.
    fn has_quarantine() -> bool;
}

impl<A: Subject> Misused for OfRust<A> {
    fn class_bytes(size: usize) -> Option<usize> {
        class_of::<A>(A::usable_size(layout(size, 8)), 1)
    }

    fn canary_bytes() -> usize {
        canary_bytes::<A>()
    }

    fn has_quarantine() -> bool {
        A::CHOICES.hardening.quarantine_bytes > 0
    }
}

impl<A: Subject> Misused for OfC<A> {
    fn class_bytes(size: usize) -> Option<usize> {
        // SAFETY: a block of this function's.
        unsafe {
            let block = black_box(libc::malloc(size));
            let usable = libc::malloc_usable_size(block);
            libc::free(block);
            class_of::<A>(usable, 16)
        }
    }

    fn canary_bytes() -> usize {
        canary_bytes::<A>()
    }

    fn has_quarantine() -> bool {
        A::CHOICES.hardening.quarantine_bytes > 0
    }
}

/// The least class that has so many bytes for its user, and is such a multiple.
fn class_of<A: Subject>(bytes: usize, multiple: usize) -> Option<usize> {
    let bytes = bytes + canary_bytes::<A>();
    let classes = A::CHOICES.class_bytes.iter();
    let mut classes = classes.map(|class| *class as usize);
    classes.find(|class| *class >= bytes && class.is_multiple_of(multiple))
}

fn canary_bytes<A: Subject>() -> usize {
    if A::CHOICES.hardening.canaries { 8 } else { 0 }
}
