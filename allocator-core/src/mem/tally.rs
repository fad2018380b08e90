//! What one thread asked for and gave back, counted by place.
//!
//! Time is counted in allocations of the process. A block that is allocated takes the time off its
//! place's `age`, one that is freed adds it: with the time now for each that is live, `age` is the time that
//! all blocks of the place have lived together, and over all time that is how many were live on average.
//!
//! 1. A tally has one writer, who also knows the time: that of the process as it last looked, and its
//!    own allocations since.
//! 2. Nothing was allocated at a place whose stretch was not touched, the near ones aside.

use core::alloc::Layout;

use super::places::{NEAR_STRETCHES, PLACES, STRETCH, STRETCHES, place};
use crate::base::counter::Counter;

/// Bytes of live blocks that a thread may keep to itself, at least and at most.
const UNTOLD_BYTES: [u64; 2] = [16 << 10, 1 << 20];

/// What an allocation takes of the room besides its bytes, so that who allocates and frees by turns looks at
/// the time, too.
const TICK_BYTES: u64 = 16;

/// What is counted of a request.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// Where.
    pub(crate) place: usize,
    /// Bytes that are live for it.
    pub(crate) bytes: usize,
}

impl Request {
    #[inline(always)]
    pub(crate) fn new(bytes: usize, align: usize) -> Self {
        let place = place(bytes, align);
        Self { place, bytes }
    }

    #[inline(always)]
    pub(crate) fn of(layout: Layout) -> Self {
        Self::new(layout.size(), layout.align())
    }
}

/// What is counted at a place.
pub(crate) struct Row {
    pub(crate) allocations: Counter,
    pub(crate) frees: Counter,
    pub(crate) age: Counter,
}

/// One thread's counts. All zero is one that has to settle with the ledger at once.
#[repr(C)]
pub(crate) struct Tally {
    /// Bytes that may be allocated before the thread has to settle. An allocation takes its own of it and a
    /// tick's, a free gives its own back.
    room: Counter,
    /// How much room makes a free settle, because what is live has fallen far.
    room_max: Counter,
    /// The time as the thread knows it (Inv. 1).
    clock: Counter,
    /// The time of the process when it last looked.
    looked: Counter,
    /// The room then.
    given: Counter,
    /// Which tally it is; 0 is the common one.
    number: Counter,
    /// Inv. 2: not 0 for each stretch of places where something was allocated. Who adds up what is live passes
    /// over the others: most, and memory that nobody touched.
    touched: [Counter; STRETCHES],
    rows: [Row; PLACES],
}

/// What an allocation takes of the room.
const fn taken(bytes: usize) -> u64 {
    bytes as u64 + TICK_BYTES
}

/// What an allocation leaves of the room; `None` when it is time to settle.
#[inline(always)]
fn left(room: u64, bytes: usize) -> Option<u64> {
    (room > taken(bytes)).then(|| room - taken(bytes))
}

/// What a thread tells.
pub(crate) struct Told {
    /// Its allocations since it last did.
    pub(crate) ticks: u64,
    /// Bytes allocated less bytes freed; may be negative.
    pub(crate) bytes: u64,
}

impl Tally {
    /// What is counted at a place.
    #[inline(always)]
    pub(crate) fn row(&self, place: usize) -> &Row {
        debug_assert!(place < PLACES);
        // SAFETY: `place` is one.
        unsafe { self.rows.get_unchecked(place) }
    }

    /// Whether something may have been allocated in a stretch of places.
    pub(crate) fn is_touched(&self, stretch: usize) -> bool {
        let touched = self.touched.get(stretch);
        stretch < NEAR_STRETCHES || touched.is_some_and(|touched| touched.get() != 0)
    }

    /// Notes that there is something in the stretch of a place, before it is. Folds away on the fast path.
    #[inline(always)]
    fn touch(&self, place: usize) {
        let stretch = place / STRETCH;
        if stretch >= NEAR_STRETCHES
            && let Some(touched) = self.touched.get(stretch)
        {
            touched.set(1);
        }
    }

    /// The room that an allocation leaves; `None` when it is time to settle.
    #[inline(always)]
    pub(crate) fn room_after_allocation(&self, bytes: usize) -> Option<u64> {
        left(self.room.get(), bytes)
    }

    /// The room that a free leaves; `None` when it is time to settle.
    #[inline(always)]
    pub(crate) fn room_after_free(&self, bytes: usize) -> Option<u64> {
        let room = self.room.get().wrapping_add(bytes as u64);
        (room < self.room_max.get()).then_some(room)
    }

    /// Counts an allocation, unless it is time to settle; whether it did.
    #[inline(always)]
    #[must_use]
    pub(crate) fn allocated(&self, request: Request) -> bool {
        let room = self.room_after_allocation(request.bytes);
        room.map(|room| self.count_allocation(request.place, room))
            .is_some()
    }

    /// Counts a free, unless it is time to settle; whether it did.
    #[inline(always)]
    #[must_use]
    pub(crate) fn freed(&self, request: Request) -> bool {
        let room = self.room_after_free(request.bytes);
        room.map(|room| self.count_free(request.place, room))
            .is_some()
    }

    /// Counts a free and an allocation, unless it is time to settle; whether it did.
    #[inline(always)]
    #[must_use]
    pub(crate) fn resized(&self, before: Request, after: Request) -> bool {
        let freed = self.room_after_free(before.bytes);
        let room = freed.and_then(|room| left(room, after.bytes));
        room.map(|room| {
            self.count_free(before.place, room);
            self.count_allocation(after.place, room);
        })
        .is_some()
    }

    /// Counts an allocation, after which there has to be settled.
    pub(crate) fn allocated_at_last(&self, request: Request) {
        let room = self.room.get().wrapping_sub(taken(request.bytes));
        self.count_allocation(request.place, room);
    }

    /// Counts a free, before which there was settled.
    pub(crate) fn freed_at_first(&self, request: Request) {
        let room = self.room.get().wrapping_add(request.bytes as u64);
        self.count_free(request.place, room);
    }

    /// Counts an allocation that leaves this room.
    #[inline(always)]
    pub(crate) fn count_allocation(&self, place: usize, room: u64) {
        self.touch(place);
        self.room.set(room);
        let clock = self.clock.get();
        let row = self.row(place);
        row.allocations.add(1);
        row.age.add(clock.wrapping_neg());
        self.clock.set(clock + 1);
    }

    /// Counts a free that leaves this room.
    #[inline(always)]
    pub(crate) fn count_free(&self, place: usize, room: u64) {
        self.room.set(room);
        let row = self.row(place);
        row.frees.add(1);
        row.age.add(self.clock.get());
    }

    /// What there is to tell.
    pub(crate) fn told(&self) -> Told {
        Told {
            ticks: self.clock.get().wrapping_sub(self.looked.get()),
            bytes: self.untold(),
        }
    }

    /// Notes the time of the process, and the most bytes that were live in it. Everything counts as told.
    pub(crate) fn look(&self, clock: u64, top_bytes: u64) {
        let [least, most] = UNTOLD_BYTES;
        let room = (top_bytes / 256).max(least).min(most);
        self.look_with(clock, room, 2 * room);
    }

    /// The same, of who settles at the next step.
    pub(crate) fn look_once(&self, clock: u64) {
        self.look_with(clock, 0, 0);
    }

    fn look_with(&self, clock: u64, room: u64, room_max: u64) {
        self.clock.set(clock);
        self.looked.set(clock);
        self.given.set(room);
        self.room.set(room);
        self.room_max.set(room_max);
    }

    /// What was not told yet: bytes allocated less bytes freed; may be negative.
    pub(crate) fn untold(&self) -> u64 {
        let ticks = self.clock.get().wrapping_sub(self.looked.get());
        let taken = self.given.get().wrapping_sub(self.room.get());
        taken.wrapping_sub(ticks.wrapping_mul(TICK_BYTES))
    }

    pub(crate) fn set_number(&self, number: u64) {
        self.number.set(number);
    }

    pub(crate) fn number(&self) -> u64 {
        self.number.get()
    }

    /// Whether anything was allocated.
    pub(crate) fn is_used(&self) -> bool {
        self.rows.iter().any(|row| row.allocations.get() > 0)
    }

    /// Counts an allocation where several threads write; they know no time but `clock`.
    pub(crate) fn allocated_shared(&self, place: usize, clock: u64) {
        self.touch(place);
        let row = self.row(place);
        row.allocations.add_shared(1);
        row.age.add_shared(clock.wrapping_neg());
    }

    /// Counts a free where several threads write.
    pub(crate) fn freed_shared(&self, place: usize, clock: u64) {
        let row = self.row(place);
        row.frees.add_shared(1);
        row.age.add_shared(clock);
    }
}
