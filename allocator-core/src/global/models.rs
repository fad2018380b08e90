//! What loom runs of the whole allocator: the verbs themselves, on threads that meet.
//!
//! What is checked in each: no two threads use memory at once that is not meant for both (loom is told
//! of each use of a block, of a header and of a heap), nothing panics, and when all is freed and all
//! threads have ended, all memory is back.

use core::alloc::Layout;
use core::cell::RefCell;
use core::ptr::NonNull;
use std::collections::HashMap;

use super::thread::end_thread;
use super::verbs::{allocate, check_invariants, deallocate, purge};
use crate::base::modelled::{execution, model, model_with, together, writes, writes_all};
use crate::config::choices::Choices;
use crate::config::size_class::{direct_len, direct_table, start_table};
use crate::config::{
    Config, Export, Extend, FastPath, Hardening, Inline, OnCorruption, Purge, RetireCycles,
    SizeClasses, StatsLevel, Thp, Tls,
};
use crate::heap::declared::{Declared, InlineSlot};
use crate::heap::free::free_without_heap;
use crate::heap::shared::Shared;
use crate::heap::upkeep;
use crate::mem::chunk::{Grain, SLICE_BYTES};
use crate::mem::tenant::COMMON;
use crate::mem::{arena, due};
use crate::os;

/// Few blocks in a page, so that a model gets to its end soon; but so many that three of another's page are held.
const BLOCK_BYTES: usize = 4096;
const BLOCKS: usize = SLICE_BYTES / BLOCK_BYTES;
const LAYOUT: Layout = Layout::new::<[u64; BLOCK_BYTES / 8]>();

/// A declared type, as the macro would write it, whose statics are new in each execution.
struct Tiny;

// SAFETY: one class, and its table up to `direct_max`.
unsafe impl Choices for Tiny {
    const CONFIG: Config = Config {
        name: "Tiny",
        size_classes: SizeClasses::List,
        class_bytes: &[BLOCK_BYTES as u32],
        small_extend: Extend::All,
        retire_cycles: RetireCycles { small: 0, large: 0 },
        fast_path: FastPath {
            // Blocks come home by mail and by a look at the page.
            local_first: false,
            skip_collect: true,
            cache: 0,
            direct_max: BLOCK_BYTES as u32,
            inline: Inline::Never,
        },
        page_bytes: SLICE_BYTES as u32,
        purge: Purge::Now,
        thp: Thp::Never,
        hardening: Hardening::OFF,
        on_corruption: OnCorruption::Abort,
        stats: StatsLevel::Off,
        // So that an account is kept.
        limit_bytes: Some(1 << 30),
        tls: Tls::Inline,
        export: Export::Off,
    };
    type PerClass<T> = [T; 1];
    type PerWaitingClass<T> = [T; 0];

    fn direct_table() -> &'static [u16] {
        static TABLE: [u16; direct_len(BLOCK_BYTES)] = direct_table(&[BLOCK_BYTES as u32]);
        &TABLE
    }

    fn start_table() -> &'static [u64] {
        static TABLE: [u64; 1] = start_table(&[BLOCK_BYTES as u32]);
        &TABLE
    }
}

/// The variables of an execution.
#[derive(Default)]
struct Variables {
    execution: u64,
    shared: Option<Box<Shared<Tiny>>>,
    slots: HashMap<loom::thread::ThreadId, Box<InlineSlot<Tiny>>>,
}

std::thread_local! {
    static VARIABLES: RefCell<Variables> = RefCell::default();
}

fn with_variables<T>(act: impl FnOnce(&mut Variables) -> T) -> T {
    VARIABLES.with_borrow_mut(|variables| {
        if variables.execution != execution() {
            *variables = Variables {
                execution: execution(),
                ..Variables::default()
            };
        }
        act(variables)
    })
}

// SAFETY: boxed, and kept until the next execution begins.
unsafe impl Declared for Tiny {
    type Slot = InlineSlot<Tiny>;

    fn slot() -> *const Self::Slot {
        let me = loom::thread::current().id();
        with_variables(|variables| {
            let slot = variables.slots.entry(me);
            &raw const **slot.or_insert_with(|| Box::new(InlineSlot::new()))
        })
    }

    fn shared() -> &'static Shared<Tiny> {
        let shared = with_variables(|variables| {
            let shared = &mut variables.shared;
            &raw const **shared.get_or_insert_with(|| Box::new(Shared::new()))
        });
        // SAFETY: boxed, and kept until the next execution begins.
        unsafe { &*shared }
    }
}

/// A block that somebody uses.
struct Block(*mut u8);

impl Block {
    fn take() -> Self {
        let block = Self(allocate::<Tiny>(LAYOUT));
        assert!(!block.0.is_null(), "out of memory");
        block.touch();
        block
    }

    fn touch(&self) {
        writes(self.0.addr());
    }

    fn give(self) {
        self.touch();
        // SAFETY: allocated by take(), and not used any more.
        unsafe { deallocate::<Tiny>(self.0, LAYOUT) };
    }

    /// Frees the block as a thread does that has no heap: into its owner's mailbox.
    fn give_without_heap(self) {
        self.touch();
        let block = NonNull::new(self.0).expect("a block");
        // SAFETY: as above; there is one class.
        unsafe { free_without_heap::<Tiny>(0, block) };
    }
}

/// All blocks of a new page.
fn page_of_blocks() -> Vec<Block> {
    (0..BLOCKS).map(|_| Block::take()).collect()
}

/// What a thread does that has a heap meanwhile, and ends.
fn with_a_heap(act: impl FnOnce()) {
    let mine = Block::take();
    act();
    mine.give();
    end_of_thread();
}

/// What the OS does when a thread ends.
fn end_of_thread() {
    check_invariants::<Tiny>();
    // SAFETY: the calling thread's value, as the OS passes it.
    unsafe { end_thread(os::thread_end_value()) };
}

/// All blocks are freed and all threads but this one have ended: nothing must be missing.
fn nothing_is_lost() {
    end_of_thread();
    upkeep::run_now();
    check_invariants::<Tiny>();
    assert_eq!(Tiny::shared().account().held_bytes(), 0, "memory is lost");
}

#[test]
fn blocks_freed_by_another_thread_come_home_while_their_owner_allocates() {
    model(|| {
        let mut blocks = page_of_blocks();
        let (a, b) = (blocks.pop().unwrap(), blocks.pop().unwrap());
        together([
            Box::new(|| {
                a.give();
                b.give();
            }),
            Box::new(|| {
                // From a second page, or from what came home.
                let more = [Block::take(), Block::take()];
                more.into_iter().for_each(Block::give);
                blocks.into_iter().for_each(Block::give);
            }),
        ]);
        nothing_is_lost();
    });
}

#[test]
fn two_threads_free_into_one_page_and_none_of_it_is_lost() {
    model(|| {
        let mut blocks = page_of_blocks();
        let (a, b) = (blocks.pop().unwrap(), blocks.pop().unwrap());
        together([
            Box::new(|| a.give()),
            Box::new(|| b.give()),
            Box::new(|| blocks.into_iter().for_each(Block::give)),
        ]);
        nothing_is_lost();
    });
}

#[test]
fn a_thread_ends_while_others_free_what_it_left_behind() {
    model_with(1, || {
        let mut blocks = page_of_blocks();
        let (a, b) = (blocks.pop().unwrap(), blocks.pop().unwrap());
        together([
            Box::new(|| a.give()),
            Box::new(|| b.give()),
            Box::new(|| {
                blocks.into_iter().for_each(Block::give);
                end_of_thread();
            }),
        ]);
        nothing_is_lost();
    });
}

#[test]
fn an_abandoned_page_is_adopted_while_others_free_into_it() {
    model(|| {
        let mut blocks = page_of_blocks();
        let a = blocks.pop().unwrap();
        blocks.pop().unwrap().give();
        end_of_thread();
        together([
            Box::new(|| a.give()),
            Box::new(|| {
                let more = [Block::take(), Block::take()];
                more.into_iter().for_each(Block::give);
                end_of_thread();
            }),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn a_page_is_abandoned_adopted_and_freed_into_at_once() {
    model_with(1, || {
        let mut blocks = page_of_blocks();
        let a = blocks.pop().unwrap();
        blocks.pop().unwrap().give();
        together([
            Box::new(|| a.give()),
            Box::new(|| {
                Block::take().give();
                end_of_thread();
            }),
            Box::new(end_of_thread),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn one_of_two_threads_adopts_a_page() {
    model_with(3, || {
        let mut blocks = page_of_blocks();
        blocks.pop().unwrap().give();
        end_of_thread();
        let take_and_end = || {
            Block::take().give();
            end_of_thread();
        };
        together([Box::new(take_and_end), Box::new(take_and_end)]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn a_type_is_added_once() {
    model(|| {
        let enrol = upkeep::enrol::<Tiny>;
        together([Box::new(enrol), Box::new(enrol)]);
        // Looks at all types, and would never end if one came twice.
        nothing_is_lost();
    });
}

#[test]
fn two_threads_start_at_once() {
    model_with(1, || {
        // The type is known, and the arena has a chunk.
        Block::take().give();
        end_of_thread();
        let take_and_end = || {
            Block::take().give();
            end_of_thread();
        };
        together([Box::new(take_and_end), Box::new(take_and_end)]);
        nothing_is_lost();
    });
}

#[test]
fn what_is_called_after_a_thread_s_end_shares_the_abandoned_pages() {
    model(|| {
        let mut blocks = page_of_blocks();
        blocks.pop().unwrap().give();
        let a = blocks.pop().unwrap();
        end_of_thread();
        together([
            Box::new(|| {
                os::set_thread_ended();
                Block::take().give();
            }),
            Box::new(|| a.give()),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn a_visitor_brings_home_what_others_freed_while_the_owner_goes_on() {
    model(|| {
        let mut blocks = page_of_blocks();
        let a = blocks.pop().unwrap();
        a.give_without_heap();
        together([
            Box::new(upkeep::reclaim),
            // Its bin is empty: it looks for more inside its gate.
            Box::new(|| Block::take().give()),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn a_visitor_sends_what_a_thread_holds_of_another_s_while_it_holds_more() {
    // Three interruptions, so that the visitor is found inside.
    model_with(3, || {
        let mut blocks = page_of_blocks();
        let theirs = blocks.split_off(blocks.len() - 3);
        together([
            // The first is held, the second added to it at once.
            Box::new(|| with_a_heap(|| theirs.into_iter().for_each(Block::give))),
            Box::new(upkeep::reclaim),
            // So that either of those two may be the first: one who waits needs no interruption.
            Box::new(|| ()),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

#[test]
fn what_a_thread_holds_of_another_s_makes_a_visit_due() {
    model(|| {
        let mut blocks = page_of_blocks();
        let theirs = blocks.pop().unwrap();
        together([
            Box::new(|| {
                with_a_heap(|| {
                    assert!(!due::is_due(), "by something else");
                    theirs.give();
                    assert!(due::is_due(), "the thread may sleep from now on");
                });
            }),
            // The owner of the page waits.
            Box::new(|| ()),
        ]);
        blocks.into_iter().for_each(Block::give);
        nothing_is_lost();
    });
}

/// Slices of the arena that somebody uses.
fn claim_use_release(slices: usize, when: Purge) {
    let claimed = arena::claim(slices, 1, Grain::Sparse, &COMMON).expect("memory");
    let start = claimed.start;
    writes(start.addr().get());
    // SAFETY: claimed by this thread.
    unsafe {
        start.cast::<u64>().write(1);
        arena::release(start, slices, when);
    }
}

/// Has the first slice of the arena released and waiting to be purged; where it is.
fn expiring_slice() -> NonNull<u8> {
    let claimed = arena::claim(1, 1, Grain::Sparse, &COMMON).expect("memory");
    writes(claimed.start.addr().get());
    // SAFETY: claimed by this thread.
    unsafe { arena::release(claimed.start, 1, Purge::After(0)) };
    claimed.start
}

/// What upkeep does with the arena, when all that is free has expired.
fn do_what_is_due() {
    due::clear();
    arena::purge_expired(u64::MAX / 4);
}

#[test]
fn a_slice_is_claimed_used_and_released_while_what_has_expired_is_purged() {
    model(|| {
        expiring_slice();
        together([
            Box::new(|| arena::purge_expired(u64::MAX / 4)),
            Box::new(|| claim_use_release(1, Purge::After(0))),
        ]);
        arena::purge_all();
        assert_eq!(arena::figures().used_bytes, 0);
        assert_eq!(arena::figures().backed_bytes, 0);
    });
}

#[test]
fn slices_are_claimed_and_released_at_once() {
    model_with(1, || {
        let start = expiring_slice();
        together([
            Box::new(|| claim_use_release(2, Purge::Never)),
            Box::new(|| claim_use_release(1, Purge::Now)),
        ]);
        writes_all(start.addr().get(), SLICE_BYTES);
        arena::purge_all();
        assert_eq!(arena::figures().used_bytes, 0);
        assert_eq!(arena::figures().backed_bytes, 0);
    });
}

#[test]
fn two_threads_find_the_arena_without_memory() {
    model(|| {
        let claim = || claim_use_release(1, Purge::Never);
        together([Box::new(claim), Box::new(claim)]);
        assert_eq!(arena::figures().used_bytes, 0);
    });
}

#[test]
fn a_block_grows_in_place_or_its_neighbour_is_somebody_else_s() {
    model(|| {
        let first = arena::claim(1, 1, Grain::Sparse, &COMMON)
            .expect("memory")
            .start;
        together([
            Box::new(|| claim_use_release(1, Purge::Never)),
            Box::new(move || {
                // SAFETY: the slice is claimed by this thread.
                let grown = unsafe { arena::claim_behind(first, 1, 1) };
                if grown {
                    // SAFETY: the slice behind is in the same chunk.
                    writes(unsafe { first.add(SLICE_BYTES) }.addr().get());
                }
                // SAFETY: claimed by this thread.
                unsafe { arena::release(first, 1 + usize::from(grown), Purge::Never) };
            }),
        ]);
        assert_eq!(arena::figures().used_bytes, 0);
    });
}

#[test]
fn records_of_two_threads_lie_apart() {
    model(|| {
        let record = || {
            let record = arena::record(128, 128, &COMMON).expect("memory");
            writes(record.addr().get());
        };
        // The store that both take from.
        record();
        together([Box::new(record), Box::new(record)]);
    });
}

#[test]
fn what_becomes_free_is_purged_now_or_due_later() {
    model(|| {
        let claimed = arena::claim(1, 1, Grain::Sparse, &COMMON).expect("memory");
        let start = claimed.start;
        together([
            Box::new(do_what_is_due),
            // SAFETY: claimed by this execution's first thread, which does not use it.
            Box::new(move || unsafe { arena::release(start, 1, Purge::After(0)) }),
        ]);
        if due::is_due() {
            do_what_is_due();
        }
        assert_eq!(arena::figures().backed_bytes, 0, "nobody purged it");
    });
}

#[test]
fn purge_gives_back_what_another_thread_just_freed() {
    model(|| {
        let mut blocks = page_of_blocks();
        let a = blocks.pop().unwrap();
        blocks.into_iter().for_each(Block::give);
        together([Box::new(|| a.give()), Box::new(purge::<Tiny>)]);
        nothing_is_lost();
    });
}
