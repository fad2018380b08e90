//! What misuse is looked for, a flag or number per mechanism, and what happens when some is found.

use super::Corruption;

/// Mechanisms that look for misuse (`hardening = …`); each costs nothing where it is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// Links of free blocks are keyed and checked, and a free block is signed as one.
    pub links: bool,
    /// A freed pointer is checked to be the start of a block of the right type and class.
    pub pages: bool,
    /// Headers of pages and the heaps of threads lie between addresses that fault, and huge blocks before some.
    pub headers: bool,
    /// Addresses that fault lie behind pages and blocks from 1 MiB on that are not in huge pages of the hardware.
    pub ends: bool,
    /// Addresses that fault lie behind pages, large and huge blocks.
    pub guards: bool,
    /// Addresses that blocks of this type have had serve no other type.
    pub isolate: bool,
    /// Eight bytes behind each block are signed, and checked when it is freed.
    pub canaries: bool,
    /// A freed block is cleared, and checked to be so still when its memory is used again.
    pub zero: bool,
    /// Fresh blocks are handed out in random order.
    pub shuffle: bool,
    /// Bytes of freed blocks that wait per heap before they can be used again; 0 is off.
    pub quarantine_bytes: u32,
    /// One block in so many has OS pages of its own; 0 is off.
    pub sample: u32,
}

impl Hardening {
    /// `hardening = off`.
    pub const OFF: Self = Self {
        links: false,
        pages: false,
        headers: false,
        ends: false,
        guards: false,
        isolate: false,
        canaries: false,
        zero: false,
        shuffle: false,
        quarantine_bytes: 0,
        sample: 0,
    };

    /// `hardening = checked`.
    pub const CHECKED: Self = Self {
        links: true,
        pages: true,
        headers: true,
        ends: true,
        ..Self::OFF
    };

    /// `hardening = guarded`.
    pub const GUARDED: Self = Self {
        guards: true,
        isolate: true,
        canaries: true,
        zero: true,
        shuffle: true,
        quarantine_bytes: 32 << 10,
        ..Self::CHECKED
    };
}

/// How the process ends when misuse is found (`on_corruption = …`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCorruption {
    /// By an abort.
    Abort,
    /// By a trapping instruction.
    Trap,
    /// By an abort, once a function has been called.
    Hook(Hook),
}

/// A function that is told of misuse.
#[derive(Debug, Clone, Copy)]
pub struct Hook {
    /// Its path as it was written.
    pub path: &'static str,
    /// The function. It must not allocate by the type that calls it.
    pub call: fn(&Corruption),
}

/// Equal are hooks of one path: addresses of functions say nothing.
impl PartialEq for Hook {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Hook {}
