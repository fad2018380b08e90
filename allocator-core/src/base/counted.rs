//! Atomics that count: `core`'s, and for each access a note of which threads have its cache line.
//!
//! The notes are a model of the caches of a machine on which every thread has a core of its own:
//! a write leaves the line with its thread alone, a read adds its thread to those that have it, and
//! an access for which the line must move is a *transfer*. What has no atomic in it is not seen, as
//! it lies on lines that one thread uses (`mem/page.rs`, Inv. 5); nor are the blocks, whose lines
//! move with the data that the program puts there.
//!
//! ```text
//!        line's address, without what follows from the note's place
//!        ┌──────────────────┬────────────────────────────────────┐
//!  note  │ 24 bits: tag     │ 40 bits: threads that have the line │
//!        └──────────────────┴────────────────────────────────────┘
//! ```
//! The table of notes is of fixed size and directly mapped: a line that takes another's place starts
//! anew, and threads whose numbers differ by 40 are one. Both make transfers fewer, never more.
//! Nothing here allocates.

use core::cell::Cell;
use core::sync::atomic::{self, Ordering, Ordering::Relaxed};

use super::counts::Counts;

/// Bytes of a line, as a shift.
const LINE_SHIFT: u32 = 6;

/// Notes in the table: far more than there are lines with atomics in a program of this lab.
const NOTES: usize = 1 << 17;

/// Threads that are told apart.
const THREADS: u32 = 40;

/// The part of a note that names threads.
const THREADS_MASK: u64 = (1 << THREADS) - 1;

const _: () = assert!(
    47 - LINE_SHIFT - NOTES.trailing_zeros() + THREADS <= u64::BITS,
    "an address of 47 bits is told apart from all others"
);

/// Relaxed everywhere in this file, but for what is passed on to the atomics themselves: each is a
/// figure of its own.
static HOLDERS: [atomic::AtomicU64; NOTES] = [const { atomic::AtomicU64::new(0) }; NOTES];
static TRANSFERS_OF: [atomic::AtomicU64; NOTES] = [const { atomic::AtomicU64::new(0) }; NOTES];
static READ_MODIFY_WRITES: atomic::AtomicU64 = atomic::AtomicU64::new(0);
static OS_CALLS: atomic::AtomicU64 = atomic::AtomicU64::new(0);
static BARRIERS: atomic::AtomicU64 = atomic::AtomicU64::new(0);

/// What an access leaves the line as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// What was counted since [`restart`].
pub(super) fn counts() -> Counts {
    let transfers = || TRANSFERS_OF.iter().map(|count| count.load(Relaxed));
    Counts {
        read_modify_writes: READ_MODIFY_WRITES.load(Relaxed),
        line_transfers: transfers().sum(),
        busiest_line_transfers: transfers().max().unwrap_or(0),
        os_calls: OS_CALLS.load(Relaxed),
        barriers: BARRIERS.load(Relaxed),
    }
}

/// Counts from nothing; who has which line stays known.
pub(super) fn restart() {
    let totals = [&READ_MODIFY_WRITES, &OS_CALLS, &BARRIERS];
    for count in TRANSFERS_OF.iter().chain(totals) {
        count.store(0, Relaxed);
    }
}

pub(super) fn os_call(is_barrier: bool) {
    OS_CALLS.fetch_add(1, Relaxed);
    BARRIERS.fetch_add(u64::from(is_barrier), Relaxed);
}

fn read(address: usize) {
    touch(address, Access::Read);
}

fn write(address: usize) {
    touch(address, Access::Write);
}

fn read_modify_write(address: usize) {
    READ_MODIFY_WRITES.fetch_add(1, Relaxed);
    touch(address, Access::Write);
}

fn touch(address: usize, access: Access) {
    let line = address >> LINE_SHIFT;
    let (place, tag) = (line % NOTES, (line / NOTES) as u64);
    let me = 1 << thread_bit();
    let mut note = HOLDERS[place].load(Relaxed);
    loop {
        let holders = if note >> THREADS == tag {
            note & THREADS_MASK
        } else {
            0
        };
        let (after, moves) = accessed(holders, me, access);
        let new = tag << THREADS | after;
        match HOLDERS[place].compare_exchange_weak(note, new, Relaxed, Relaxed) {
            Ok(_) => {
                TRANSFERS_OF[place].fetch_add(u64::from(moves), Relaxed);
                return;
            }
            Err(now) => note = now,
        }
    }
}

/// Who has the line after `me` accessed it, and whether it moved. One that nobody has comes from
/// memory.
const fn accessed(holders: u64, me: u64, access: Access) -> (u64, bool) {
    match access {
        Access::Read => (holders | me, holders != 0 && holders & me == 0),
        Access::Write => (me, holders & !me != 0),
    }
}

/// The calling thread's bit: threads are numbered as they come.
fn thread_bit() -> u32 {
    static THREADS_SEEN: atomic::AtomicU32 = atomic::AtomicU32::new(0);
    thread_local! {
        /// The thread's number + 1; 0 until it has one. Has no destructor, so it can be used
        /// until the thread is gone.
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    let number = NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(THREADS_SEEN.fetch_add(1, Relaxed) + 1);
        }
        number.get()
    });
    number % THREADS
}

/// An atomic type of `core` that counts, with those of its methods that the allocator calls.
macro_rules! counted {
    ($name:ident$(<$parameter:ident>)?, $value:ty: $($change:ident)*) => {
        #[repr(transparent)]
        pub(crate) struct $name$(<$parameter>)?(atomic::$name$(<$parameter>)?);

        #[allow(dead_code, reason = "each type has what most of them are asked for")]
        impl$(<$parameter>)? $name$(<$parameter>)? {
            pub(crate) const fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            fn address(&self) -> usize {
                core::ptr::from_ref(self).addr()
            }

            pub(crate) fn load(&self, order: Ordering) -> $value {
                read(self.address());
                self.0.load(order)
            }

            pub(crate) fn store(&self, value: $value, order: Ordering) {
                write(self.address());
                self.0.store(value, order);
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                read_modify_write(self.address());
                self.0.compare_exchange(current, new, success, failure)
            }

            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                read_modify_write(self.address());
                self.0.compare_exchange_weak(current, new, success, failure)
            }

            $(pub(crate) fn $change(&self, value: $value, order: Ordering) -> $value {
                read_modify_write(self.address());
                self.0.$change(value, order)
            })*
        }
    };
}

counted!(AtomicBool, bool: swap);
counted!(AtomicU8, u8: );
counted!(AtomicU32, u32: fetch_add fetch_sub);
counted!(AtomicU64, u64: swap fetch_add fetch_and fetch_or fetch_max);
counted!(AtomicUsize, usize: swap fetch_add fetch_sub fetch_min);
counted!(AtomicIsize, isize: swap fetch_add fetch_sub fetch_max);
counted!(AtomicPtr<T>, *mut T: swap);

#[cfg(test)]
mod tests {
    use super::*;

    /// What was counted of the line that an atomic is on. Nobody else uses that line.
    fn transfers_of(address: usize) -> u64 {
        TRANSFERS_OF[(address >> LINE_SHIFT) % NOTES].load(Relaxed)
    }

    #[test]
    fn a_line_moves_when_another_thread_writes_and_when_one_reads_what_was_written() {
        const ME: u64 = 1;
        const YOU: u64 = 2;
        for (holders, access, after, moves) in [
            (0, Access::Read, ME, false),
            (0, Access::Write, ME, false),
            (ME, Access::Read, ME, false),
            (ME, Access::Write, ME, false),
            (YOU, Access::Read, ME | YOU, true),
            (YOU, Access::Write, ME, true),
            (ME | YOU, Access::Read, ME | YOU, false),
            (ME | YOU, Access::Write, ME, true),
        ] {
            let case = format!("{holders:b} {access:?}");
            assert_eq!(accessed(holders, ME, access), (after, moves), "{case}");
        }
    }

    #[test]
    fn a_line_that_two_threads_write_by_turns_moves_each_time_and_a_thread_s_own_never() {
        #[repr(align(64))]
        struct Line(AtomicU64);
        let (shared, own) = (Line(AtomicU64::new(0)), Line(AtomicU64::new(0)));
        for _ in 0..10 {
            shared.0.fetch_add(1, Relaxed);
            own.0.fetch_add(1, Relaxed);
            std::thread::scope(|scope| {
                scope.spawn(|| shared.0.fetch_add(1, Relaxed));
            });
        }
        assert_eq!(shared.0.load(Relaxed), 20);
        // Ten threads came and went; the first write was of a line that nobody had. A thread
        // whose number is equal by 40 may be taken for this one.
        assert!((17..=20).contains(&transfers_of(shared.0.address())));
        assert_eq!(transfers_of(own.0.address()), 0);
    }

    #[test]
    fn an_exchange_that_fails_is_counted_too() {
        let before = counts().read_modify_writes;
        let word = AtomicU32::new(1);
        assert_eq!(word.compare_exchange(0, 2, Relaxed, Relaxed), Err(1));
        assert!(counts().read_modify_writes > before);
    }
}
