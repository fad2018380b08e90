//! The quarantine: with `hardening(quarantine = N)` blocks of classes that the owner of a heap freed, be they
//! of its pages or of others', wait here before anybody can have them again. While they wait they are free
//! blocks like any other, so one that is freed again or written to is found as the rest of `hardening` has it.
//!
//! They wait in two generations, of a list for each class: adding a block is as cheap as a push, and a list, signed
//! as any is, goes on as a whole. When the young generation has no room for a block, the old one goes and the young
//! one becomes old. The owner's inside the gate, and a visitor's that it let in: one sends home what waits once the
//! owner has begun no generation for the delay of `purge`, because a block that waits keeps a page of a thread that may
//! be idle for long.
//!
//! 1. The young generation takes `most - room` bytes, the old one `old_bytes`. Its blocks count as used in their pages.
//! 2. `most` is half of N, or the bytes of the one block for which that is too little, and no more than N leaves
//!    beside the old generation. So no more than N ever waits, and a block does until half of N was freed after it, or
//!    as much as fits N beside it.
//! 3. A class is in `classes` when blocks of it wait.
//! 4. `begun_ms` is 0 when nothing waits; then there is no room, either.

use core::cell::UnsafeCell;
use core::ptr;

use crate::base::class_set::ClassSet;
use crate::base::sync::{AtomicU64, Cell, Ordering};
use crate::config::choices::{Choices, Derived};
use crate::mem::block::{Block, BlockList};
use crate::mem::due;
use crate::os;

/// Blocks that wait. All zero is none.
pub(super) struct Quarantine<C: Choices> {
    /// Bytes for which there is room in the young generation.
    room: Cell<usize>,
    /// Bytes for which there was (Inv. 2).
    most: Cell<usize>,
    /// Bytes of the old generation.
    old_bytes: Cell<usize>,
    /// When the young generation was begun, in ms (Inv. 4). Read by who considers a visit.
    begun_ms: AtomicU64,
    /// Inv. 3.
    classes: ClassSet,
    lines: UnsafeCell<C::PerWaitingClass<Line>>,
}

/// The blocks of one class that wait.
struct Line {
    /// The youngest, in front of the young ones; null for none.
    young: Cell<*mut Block>,
    /// The first of the young ones that came, if there are some.
    young_tail: Cell<*mut Block>,
    young_count: Cell<u32>,
    old: Cell<BlockList>,
}

impl Line {
    fn young_list(&self) -> BlockList {
        BlockList {
            head: self.young.get(),
            tail: self.young_tail.get(),
            count: self.young_count.get(),
        }
    }

    /// Has the young ones be the old ones. Returns what those were.
    fn turn(&self) -> BlockList {
        let old = self.old.replace(self.young_list());
        self.young.set(ptr::null_mut());
        self.young_count.set(0);
        old
    }
}

impl<C: Choices> Quarantine<C> {
    /// Whether something waits; a hint outside the gate.
    #[inline]
    pub(super) fn is_in_use(&self) -> bool {
        // Relaxed: written inside the gate only, and a hint outside.
        C::QUARANTINE > 0 && self.begun_ms.load(Ordering::Relaxed) != 0
    }

    /// Whether something waits, and no generation has been begun since `until_ms`; a hint outside the gate.
    pub(super) fn is_left_alone(&self, until_ms: u64) -> bool {
        // Relaxed: as above.
        self.is_in_use() && self.begun_ms.load(Ordering::Relaxed) <= until_ms
    }

    #[inline(always)]
    fn line(&self, class: usize) -> &Line {
        debug_assert!(C::QUARANTINE > 0 && class < C::CLASSES);
        // SAFETY: with a quarantine, `PerWaitingClass<T>` is an array of CLASSES elements (contract of `Choices`).
        unsafe { &*self.lines.get().cast::<Line>().add(class) }
    }

    /// Whether there is room for a block of `class` in the young generation.
    #[inline(always)]
    pub(super) fn has_room(&self, class: usize) -> bool {
        C::block_bytes(class) <= self.room.get()
    }

    /// Adds a block. Inside the gate.
    ///
    /// # Safety
    /// - `block` is a block of `class` that its user gave back, and there is room.
    #[inline(always)]
    pub(super) unsafe fn add(&self, class: usize, block: *mut Block) {
        let line = self.line(class);
        let before = line.young.get();
        if before.is_null() {
            self.classes.insert(class);
            line.young_tail.set(block);
        }
        // SAFETY: given back by its user.
        unsafe { Block::set_next::<C>(block, before) };
        line.young.set(block);
        line.young_count.set(line.young_count.get() + 1);
        self.room.set(self.room.get() - C::block_bytes(class));
    }

    /// Begins a generation with room for a block of `class`; whether it could: a block of more bytes than may
    /// wait does not. `release` gets lists of what has waited, with their class. Inside the gate.
    #[must_use]
    pub(super) fn make_room(
        &self,
        class: usize,
        mut release: impl FnMut(usize, BlockList),
    ) -> bool {
        let bytes = C::block_bytes(class);
        if bytes > C::QUARANTINE {
            return false;
        }
        // Twice at most: then both generations are empty.
        while !self.has_room(class) {
            self.turn(&mut release);
            let most = bytes.max(C::QUARANTINE / 2);
            let most = most.min(C::QUARANTINE - self.old_bytes.get());
            self.most.set(most);
            self.room.set(most);
        }
        let now_ms = os::now_ms();
        // Relaxed: as in is_in_use().
        self.begun_ms.store(now_ms, Ordering::Relaxed);
        // The thread may sleep from now on; then a visitor sends what waits.
        due::after(now_ms, C::CONFIG.purge);
        true
    }

    /// Has the old generation go, and the young one become old.
    fn turn(&self, release: &mut impl FnMut(usize, BlockList)) {
        self.old_bytes.set(self.most.get() - self.room.get());
        for class in self.classes.iter() {
            let line = self.line(class);
            let old = line.turn();
            if line.old.get().count == 0 {
                self.classes.remove(class);
            }
            if old.count > 0 {
                release(class, old);
            }
        }
    }

    /// `release` gets lists of all that waits, with their class. Inside the gate.
    pub(super) fn release_all(&self, mut release: impl FnMut(usize, BlockList)) {
        self.turn(&mut release);
        self.turn(&mut release);
        self.most.set(0);
        self.room.set(0);
        self.old_bytes.set(0);
        // Relaxed: as in is_in_use().
        self.begun_ms.store(0, Ordering::Relaxed);
    }

    /// Asserts the invariants.
    pub(super) fn check(&self) {
        if C::QUARANTINE == 0 {
            return;
        }
        let (mut young, mut old) = (0, 0);
        for class in 0..C::CLASSES {
            let line = self.line(class);
            let bytes = C::block_bytes(class);
            let lengths = [line.young_list(), line.old.get()].map(|list| length::<C>(list, bytes));
            young += lengths[0] * bytes;
            old += lengths[1] * bytes;
            let waits = lengths != [0, 0];
            assert_eq!(
                waits,
                self.classes.contains(class),
                "quarantine invariant 3"
            );
        }
        assert_eq!(
            young,
            self.most.get() - self.room.get(),
            "quarantine invariant 1"
        );
        assert_eq!(old, self.old_bytes.get(), "quarantine invariant 1");
        assert!(
            self.most.get() + old <= C::QUARANTINE,
            "quarantine invariant 2"
        );
        assert_eq!(young + old > 0, self.is_in_use(), "quarantine invariant 4");
    }
}

/// Blocks of a list of blocks of so many bytes.
fn length<C: Choices>(list: BlockList, block_bytes: usize) -> usize {
    let (mut length, mut block) = (0, list.head);
    while !block.is_null() {
        length += 1;
        // SAFETY: it waits, and the quarantine is the caller's.
        block = unsafe { Block::next::<C>(block, block_bytes) };
    }
    assert_eq!(length, list.count as usize, "quarantine: a list's length");
    length
}
