//! The record of what a process asked of one type: a tally for each thread, and what was live at the peak.
//!
//! ```text
//! book: head │ peak, peak │ common tally │ tally │ tally │ …
//! ```
//!
//! It lies in memory of its own, from the OS. Where the environment names a folder, that memory is a file's:
//! it holds what was counted at any moment, however the process ends, and nothing has to run at its end.
//!
//! 1. Of the two peaks one is whole and is not written, once there has been one: the one that `peak` says.
//! 2. A tally that is taken belongs to one heap for good; the common one is anybody's.
//! 3. A process forked off lets go of its parent's book, and begins one of its own when it allocates.
//!    Blocks that it inherited and frees count as freed all the same: a place can come to have more
//!    frees than allocations.

use core::ffi::CStr;
use core::mem::offset_of;
use core::ptr::{self, NonNull};

use super::places::{PLACES, STRETCH, STRETCHES};
use super::tally::Tally;
use super::tape::{self, Tape};
use crate::base::counter::Counter;
use crate::base::lock::Lock;
use crate::base::sync::{AtomicBool, AtomicPtr, Ordering};
use crate::base::text::Text;
use crate::os::file::{self, File, Mode, Variable};
use crate::os::{self, OS_PAGE_BYTES};

/// The variable that names the folder.
pub(crate) const FOLDER: &CStr = c"ALLOCATOR_PROFILE";

/// How the names of files end.
pub(crate) const SUFFIX: &str = ".counts";

/// Threads with a tally of their own, at the same time. More than these share the common one.
const TALLIES: usize = 255;

/// What a file begins with.
const MAGIC: u64 = u64::from_ne_bytes(*b"alloc-rc");

/// Changes with whatever is in a book.
const VERSION: u64 = 2;

/// A peak is noted when what is live falls by this part of it, and if it is higher than the one before by
/// as much.
const FALL: u64 = 64;

/// And by so many bytes, that is, if it was not double: so that who has little does not note all the time.
const LEAST_RISE: u64 = 4 << 10;

/// A moment at which much was live.
pub(crate) struct Peak {
    bytes: Counter,
    /// Live blocks by place.
    live: [Counter; PLACES],
}

/// See the module's text. All zero is an empty book.
#[repr(C, align(4096))]
pub(crate) struct Book {
    magic: Counter,
    version: Counter,
    /// Tallies that are taken, the common one aside.
    taken: Counter,
    /// Bytes live, as far as was told; negative in a process that frees what it inherited.
    live_bytes: Counter,
    /// Most bytes live since they last fell from a height.
    top_bytes: Counter,
    /// Allocations, as far as was told.
    clock: Counter,
    /// Inv. 1: 0 for none, or the peak's index + 1.
    peak: Counter,
    peaks: [Peak; 2],
    common: Apart,
    tallies: [Apart; TALLIES],
}

/// On OS pages of its own.
#[repr(C, align(4096))]
struct Apart(Tally);

impl Book {
    /// The tallies that were ever used; the common one first.
    pub(crate) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        let taken = (self.taken.get() as usize).min(TALLIES);
        let all = core::iter::once(&self.common).chain(self.tallies.iter().take(taken));
        all.map(|apart| &apart.0)
    }

    /// Tallies of threads, at most as many as there are.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.get().min(TALLIES as u64)
    }

    /// The peak that was noted last.
    fn noted(&self) -> Option<&Peak> {
        self.peaks.get((self.peak.get() as usize).checked_sub(1)?)
    }

    fn noted_bytes(&self) -> u64 {
        self.noted().map_or(0, |peak| peak.bytes.get())
    }

    /// The peak that was noted last, unless more is live now.
    pub(crate) fn peak(&self) -> Option<&Peak> {
        let peak = self.noted()?;
        let untold = self.tallies().map(Tally::untold);
        let live = untold.fold(self.live_bytes.get(), u64::wrapping_add);
        (peak.bytes.get().cast_signed() > live.cast_signed()).then_some(peak)
    }

    /// The places where something was allocated, and some more, in order.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> {
        let is_touched = |&stretch: &usize| self.tallies().any(|tally| tally.is_touched(stretch));
        let stretches = (0..STRETCHES).filter(is_touched);
        stretches.flat_map(|stretch| (stretch * STRETCH..PLACES).take(STRETCH))
    }

    /// Blocks live at a place now: allocated less freed.
    pub(crate) fn live(&self, place: usize) -> u64 {
        let rows = self.tallies().map(|tally| tally.row(place));
        let live = rows.map(|row| row.allocations.get().wrapping_sub(row.frees.get()));
        let live = live.fold(0, u64::wrapping_add);
        // Inv. 3.
        live.cast_signed().max(0).unsigned_abs()
    }

    /// Whether what is in a file is a book, as this program writes it.
    pub(crate) fn is_sound(&self) -> bool {
        self.magic.get() == MAGIC && self.version.get() == VERSION
    }

    fn begin(&self) {
        self.version.set(VERSION);
        self.magic.set(MAGIC);
    }
}

impl Peak {
    /// Blocks live at a place.
    pub(crate) fn live(&self, place: usize) -> u64 {
        self.live.get(place).map_or(0, Counter::get)
    }
}

/// A type's book, once there is one.
pub(crate) struct Ledger {
    book: AtomicPtr<Book>,
    /// Where every step is written, if the environment asks for that.
    tape: AtomicPtr<Tape>,
    /// Whether the OS had no memory for it: it is not asked again.
    is_refused: AtomicBool,
    /// Held while the book is begun or a tally taken. OS calls are made under it, so a child
    /// finds it held, and lets go of it.
    opening: Lock,
    /// Held while a peak is noted; who finds it held goes without.
    noting: Lock,
}

impl Ledger {
    pub(crate) const fn new() -> Self {
        Self {
            book: AtomicPtr::new(ptr::null_mut()),
            tape: AtomicPtr::new(ptr::null_mut()),
            is_refused: AtomicBool::new(false),
            opening: Lock::new(),
            noting: Lock::new(),
        }
    }

    /// The book, if it was begun.
    pub(crate) fn book(&self) -> Option<&'static Book> {
        // Acquire: pairs with the Release in open().
        // SAFETY: null or a book, which stays for good.
        unsafe { self.book.load(Ordering::Acquire).as_ref() }
    }

    /// The tape, if there is one.
    #[inline(always)]
    pub(crate) fn tape(&self) -> Option<&'static Tape> {
        // Acquire: pairs with the Release in open_tape().
        // SAFETY: null or a tape, which stays for good.
        unsafe { self.tape.load(Ordering::Acquire).as_ref() }
    }

    /// The common tally. `None` without memory, or before the process has its environment.
    #[cold]
    pub(crate) fn common(&self) -> Option<(&'static Tally, u64)> {
        let book = self.book().or_else(|| {
            self.opening.acquire();
            let book = self.open();
            self.opening.release();
            book
        })?;
        Some((&book.common.0, book.clock.get()))
    }

    /// A tally for a heap that has none; `None` when there is none left.
    #[cold]
    pub(crate) fn take(&self) -> Option<&'static Tally> {
        self.opening.acquire();
        let tally = self.open().and_then(|book| {
            let taken = book.taken.get();
            let apart: &'static Apart = book.tallies.get(taken as usize)?;
            // SAFETY: part of the book's mapping.
            let is_backed = unsafe { file::back(NonNull::from(apart).cast(), size_of::<Apart>()) };
            is_backed.then(|| {
                book.taken.set(taken + 1);
                apart.0.set_number(taken + 1);
                // What it counts first is counted at the time of the process, too.
                apart.0.look_once(book.clock.get());
                &apart.0
            })
        });
        self.opening.release();
        tally
    }

    /// The book; begun if need be. Under `opening`.
    fn open(&self) -> Option<&'static Book> {
        if let Some(book) = self.book() {
            return Some(book);
        }
        // Relaxed: under `opening`.
        if self.is_refused.load(Ordering::Relaxed) {
            return None;
        }
        let start = match file::variable(FOLDER) {
            Variable::TooEarly => return None,
            Variable::Set(folder) => {
                map_file(folder, SUFFIX, size_of::<Book>(), offset_of!(Book, tallies))
            }
            Variable::Unset => None,
        };
        let start = start.or_else(|| os::reserve(size_of::<Book>(), OS_PAGE_BYTES, 0));
        let Some(start) = start else {
            self.is_refused.store(true, Ordering::Relaxed);
            return None;
        };
        // SAFETY: zeroed, aligned, large enough, and nobody else's.
        let book: &'static Book = unsafe { start.cast().as_ref() };
        book.begin();
        self.open_tape();
        // Release: publishes the book; pairs with the Acquire in book().
        self.book
            .store(ptr::from_ref(book).cast_mut(), Ordering::Release);
        Some(book)
    }

    /// Begins a tape, where the environment names a folder for it. Under `opening`.
    fn open_tape(&self) {
        let Variable::Set(folder) = file::variable(tape::FOLDER) else {
            return;
        };
        let bytes = size_of::<Tape>();
        if let Some(start) = map_file(folder, tape::SUFFIX, bytes, Tape::FIRST_BYTES) {
            // SAFETY: zeroed, aligned, large enough, and nobody else's.
            let tape: &'static Tape = unsafe { start.cast().as_ref() };
            tape.begin();
            // Release: publishes the tape; pairs with the Acquire in tape().
            self.tape
                .store(ptr::from_ref(tape).cast_mut(), Ordering::Release);
        }
    }

    /// What a thread does when it has more to tell than it may keep to itself, or has not looked at the
    /// time for long; before a free of `falls_by` bytes. Where every step is written down, at each.
    #[cold]
    #[inline(never)]
    pub(crate) fn settle(&self, tally: &Tally, falls_by: usize) {
        let Some(book) = self.book() else {
            return;
        };
        let told = tally.told();
        let live = book.live_bytes.add_shared(told.bytes);
        let live = live.wrapping_add(told.bytes).cast_signed().max(0);
        self.note(book, live.unsigned_abs(), falls_by as u64);
        let clock = book.clock.add_shared(told.ticks).wrapping_add(told.ticks);
        match self.tape() {
            Some(_) => tally.look_once(clock),
            None => tally.look(clock, book.top_bytes.get().max(book.noted_bytes())),
        }
    }

    /// Counts bytes of a thread without a tally.
    #[cold]
    pub(crate) fn tell_shared(&self, ticks: u64, bytes: u64) {
        if let Some(book) = self.book() {
            let live = book.live_bytes.add_shared(bytes);
            let live = live.wrapping_add(bytes).cast_signed().max(0);
            self.note(book, live.unsigned_abs(), 0);
            book.clock.add_shared(ticks);
        }
    }

    /// Notes a peak, if this is one: it is about to fall, and from a height at which none was noted.
    fn note(&self, book: &Book, live: u64, falls_by: u64) {
        let top = book.top_bytes.get().max(live);
        let falls = live.saturating_sub(falls_by) < top - top / FALL;
        book.top_bytes.set(if falls { live } else { top });
        let noted = book.noted_bytes();
        let rise = (noted / FALL).max(LEAST_RISE).min(noted);
        if !falls || live <= noted + rise || !self.noting.try_acquire() {
            return;
        }
        // Inv. 1.
        let next = match book.peak.get() {
            1 => 1,
            _ => 0,
        };
        if let Some(peak) = book.peaks.get(next) {
            // Elsewhere it is as it began.
            for place in book.places() {
                if let Some(count) = peak.live.get(place) {
                    count.set(book.live(place));
                }
            }
            peak.bytes.set(live);
            book.peak.set(next as u64 + 1);
        }
        self.noting.release();
    }

    /// In a process forked off: no book (Inv. 3). Nobody holds on to a tally of the parent's any more.
    pub(crate) fn start_over(&self) {
        self.opening.release();
        self.noting.release();
        // Relaxed: there is one thread.
        self.is_refused.store(false, Ordering::Relaxed);
        let book = NonNull::new(self.book.swap(ptr::null_mut(), Ordering::Relaxed));
        if let Some(book) = book {
            // SAFETY: a mapping of its own; see above.
            unsafe { os::release(book.cast(), size_of::<Book>()) };
        }
        let tape = NonNull::new(self.tape.swap(ptr::null_mut(), Ordering::Relaxed));
        if let Some(tape) = tape {
            // SAFETY: as above.
            unsafe { os::release(tape.cast(), size_of::<Tape>()) };
        }
    }
}

/// A new file of `bytes` in `folder`, as memory; its first `backed_bytes` are backed.
fn map_file(folder: &CStr, suffix: &str, bytes: usize, backed_bytes: usize) -> Option<NonNull<u8>> {
    let open = |number: u64| {
        let mut path = Text::<4096>::new();
        path.push(folder.to_bytes());
        path.push(b"/");
        path.push_number(file::process());
        path.push(b".");
        path.push_number(number);
        path.push(suffix.as_bytes());
        path.push(b"\0");
        // What does not fit is longer than any path.
        let whole = path.is_whole().then(|| path.bytes())?;
        let path = CStr::from_bytes_with_nul(whole).ok()?;
        Some(File::open(path, Mode::New))
    };
    let mut number = 0;
    let file = loop {
        match open(number)? {
            Ok(file) => break file,
            // Of another type of the process, or of what it was before it was this program.
            Err(libc::EEXIST) if number < 1000 => number += 1,
            Err(_) => return None,
        }
    };
    if !file.set_bytes(bytes) {
        return None;
    }
    let start = file.map(bytes)?;
    // The rest is backed as it is taken.
    // SAFETY: part of the mapping.
    let is_backed = unsafe { file::back(start, backed_bytes) };
    if !is_backed {
        // SAFETY: just mapped, and nobody knows of it.
        unsafe { os::release(start, bytes) };
    }
    is_backed.then_some(start)
}

/// The book in a file, as long as `use_it` takes. `None` when there is none in it.
pub(crate) fn read<T>(path: &CStr, use_it: impl FnOnce(&Book) -> T) -> Option<T> {
    // SAFETY: numbers only.
    unsafe { read_file(path, |book: &Book| book.is_sound().then(|| use_it(book))) }
}

/// The tape in a file, as long as `use_it` takes. `None` when there is none in it.
pub(crate) fn read_tape<T>(path: &CStr, use_it: impl FnOnce(&Tape) -> T) -> Option<T> {
    // SAFETY: numbers only.
    unsafe { read_file(path, |tape: &Tape| tape.is_sound().then(|| use_it(tape))) }
}

/// # Safety
/// - a `T` is any numbers, aligned to an OS page at most.
unsafe fn read_file<T, R>(path: &CStr, use_it: impl FnOnce(&T) -> Option<R>) -> Option<R> {
    let file = File::open(path, Mode::Read).ok()?;
    if file.bytes() != Some(size_of::<T>()) {
        return None;
    }
    // Not the file mapped: what takes no room in a full one would end the process when it is read.
    let bytes = size_of::<T>().next_multiple_of(os::OS_PAGE_BYTES);
    let start = os::reserve(bytes, os::OS_PAGE_BYTES, 0)?;
    // SAFETY: just mapped, as long and as aligned as a `T`.
    let result = match unsafe { file.read(start, size_of::<T>()) } {
        // SAFETY: read whole; the caller's promise.
        true => use_it(unsafe { start.cast().as_ref() }),
        false => None,
    };
    // SAFETY: mapped above, and not used any more.
    unsafe { os::release(start, bytes) };
    result
}
