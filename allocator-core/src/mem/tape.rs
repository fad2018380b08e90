//! What a process does with blocks of one type, step by step, in a file: for a replay.
//!
//! ```text
//! head │ step, 16 bytes: address, 48 bits · thread, 16 │ size, 48 · alignment as a power of two, 8 · act, 8
//! ```
//!
//! A step takes its number before it is written, so the steps of threads are in an order: a block is allocated
//! after its address was freed, unless its memory passed from thread to thread in a resize just then.
//!
//! 1. Steps below `limit` are backed, or are backed by who takes the first step of the window before theirs.

use core::ffi::CStr;
use core::mem::offset_of;
use core::ptr::NonNull;

use crate::base::counter::Counter;
use crate::os::file;

/// The variable of the environment that names the folder.
pub(crate) const FOLDER: &CStr = c"ALLOCATOR_TRACE";

/// How the names of files end.
pub(crate) const SUFFIX: &str = ".trace";

/// Most steps: a file of 1 GiB.
const STEPS: usize = 1 << 26;

/// Steps that are backed together: 1 MiB.
const WINDOW: u64 = 1 << 16;

/// What a file begins with.
const MAGIC: u64 = u64::from_ne_bytes(*b"alloc-tp");

/// Changes with whatever is in a tape.
const VERSION: u64 = 1;

/// What is done with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TracedAct {
    /// It is allocated.
    Allocate,
    /// It is freed.
    Free,
    /// It is resized, from this address; the next step says what to.
    ResizeFrom,
    /// It is resized, to this address and size; the step before said what from.
    ResizeTo,
}

/// A step of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracedStep {
    /// What is done.
    pub act: TracedAct,
    /// The block's address.
    pub address: u64,
    /// Bytes that are asked for.
    pub size: u64,
    /// The alignment that is asked for, as a power of two.
    pub align_log: u8,
    /// Which thread does it; 0 for one without a number.
    pub thread: u16,
}

/// One step; all zero is one that was not written.
struct Step {
    place: Counter,
    request: Counter,
}

/// See the module's text. All zero but for its head.
#[repr(C, align(4096))]
pub(crate) struct Tape {
    magic: Counter,
    version: Counter,
    /// Steps taken.
    next: Counter,
    /// Steps that there is room for (Inv. 1).
    limit: Counter,
    steps: Steps,
}

/// From an OS page on.
#[repr(C, align(4096))]
struct Steps([Step; STEPS]);

impl Tape {
    /// Bytes that are backed before there is a tape.
    pub(crate) const FIRST_BYTES: usize =
        offset_of!(Self, steps) + 2 * WINDOW as usize * size_of::<Step>();

    pub(crate) fn begin(&self) {
        self.limit.set(STEPS as u64);
        self.version.set(VERSION);
        self.magic.set(MAGIC);
    }

    /// Whether what is in a file is a tape, as this program writes it.
    pub(crate) fn is_sound(&self) -> bool {
        self.magic.get() == MAGIC && self.version.get() == VERSION
    }

    /// Writes steps, one behind the other.
    #[inline(never)]
    pub(crate) fn add<const N: usize>(&self, steps: [TracedStep; N]) {
        let first = self.next.add_shared(N as u64);
        let end = first + N as u64;
        if end / WINDOW > first / WINDOW {
            self.back(end / WINDOW + 1);
        }
        if end > self.limit.get() {
            return;
        }
        let room = self.steps.0.iter().skip(first as usize);
        for (room, step) in room.zip(steps) {
            room.place.set(step.address << 16 | u64::from(step.thread));
            let request = step.size << 16 | u64::from(step.align_log) << 8 | step.act.number();
            room.request.set(request);
        }
    }

    /// Backs a window; where that cannot be, the tape ends before it.
    #[cold]
    fn back(&self, window: u64) {
        let first = window * WINDOW;
        let Some(steps) = self.steps.0.get(first as usize..(first + WINDOW) as usize) else {
            return;
        };
        let start = NonNull::from(steps).cast();
        // SAFETY: part of the tape's mapping.
        if !unsafe { file::back(start, size_of_val(steps)) } {
            self.limit.set(first.min(self.limit.get()));
        }
    }

    /// The steps that were written, in order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = TracedStep> {
        let taken = self.next.get().min(self.limit.get()) as usize;
        self.steps.0.iter().take(taken).filter_map(|step| {
            let (place, request) = (step.place.get(), step.request.get());
            Some(TracedStep {
                act: TracedAct::of(request & 0xff)?,
                address: place >> 16,
                size: request >> 16,
                align_log: (request >> 8) as u8,
                thread: place as u16,
            })
        })
    }

    /// Steps that there was no room for.
    pub(crate) fn lost(&self) -> u64 {
        self.next.get().saturating_sub(self.limit.get())
    }
}

impl TracedAct {
    const fn number(self) -> u64 {
        match self {
            Self::Allocate => 1,
            Self::Free => 2,
            Self::ResizeFrom => 3,
            Self::ResizeTo => 4,
        }
    }

    const fn of(number: u64) -> Option<Self> {
        match number {
            1 => Some(Self::Allocate),
            2 => Some(Self::Free),
            3 => Some(Self::ResizeFrom),
            4 => Some(Self::ResizeTo),
            _ => None,
        }
    }
}
