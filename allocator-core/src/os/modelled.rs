//! The OS of a model: plain memory, no time of its own, threads that are loom's.
//!
//! Mappings come one after another from a region of the calling thread of the test program; each
//! execution of a model begins with the whole region unused and zero. Nothing fails here: faults
//! are injected above.

use core::cell::Cell;
use core::ffi::{CStr, c_void};
use core::ptr::{self, NonNull};
use std::cell::RefCell;
use std::collections::HashMap;

use super::Range;
use crate::base::{modelled, sync};

/// Bytes in a page of the hardware.
pub(crate) const OS_PAGE_BYTES: usize = 4096;

/// Mappings start at multiples of this, as chunks want it.
const PLACE_BYTES: usize = 32 << 20;
const PLACES: usize = 8;
/// When a model begins.
const START_MS: u64 = 1000;

std::thread_local! {
    /// First place of the region; null before it is needed.
    static REGION: Cell<*mut u8> = const { Cell::new(ptr::null_mut()) };
    /// Places taken, and in which execution of a model.
    static TAKEN: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
    /// What each thread of the model has for its end, and in which execution.
    static ENDS: RefCell<(u64, HashMap<loom::thread::ThreadId, *mut c_void>)> = RefCell::default();
}

fn region() -> *mut u8 {
    if REGION.get().is_null() {
        // SAFETY: an anonymous mapping without MAP_FIXED touches no memory that exists.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                (PLACES + 1) * PLACE_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        assert_ne!(start, libc::MAP_FAILED, "no addresses for a model");
        REGION.set(
            start
                .cast::<u8>()
                .map_addr(|address| address.next_multiple_of(PLACE_BYTES)),
        );
    }
    REGION.get()
}

pub(super) fn map(bytes: usize, _hint: usize) -> Option<NonNull<u8>> {
    let region = region();
    let (execution, taken) = TAKEN.get();
    let taken = if execution == modelled::execution() {
        taken
    } else {
        // SAFETY: what an earlier execution left there nobody uses any more.
        unsafe { libc::madvise(region.cast(), taken * PLACE_BYTES, libc::MADV_DONTNEED) };
        0
    };
    let places = bytes.div_ceil(PLACE_BYTES);
    assert!(taken + places <= PLACES, "more memory than a model has");
    TAKEN.set((modelled::execution(), taken + places));
    NonNull::new(region.wrapping_add(taken * PLACE_BYTES))
}

/// A model has no addresses that nothing is behind.
pub(super) fn map_readable(_bytes: usize) -> Option<NonNull<u8>> {
    None
}

/// Addresses are not given out again.
pub(super) unsafe fn unmap(start: NonNull<u8>, bytes: usize) -> bool {
    modelled::writes_all(start.addr().get(), bytes);
    true
}

pub(super) unsafe fn purge(start: NonNull<u8>, bytes: usize) -> bool {
    modelled::writes_all(start.addr().get(), bytes);
    // SAFETY: the caller owns the range and its content is dead.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_DONTNEED) == 0 }
}

/// As where there is no call for several ranges.
pub(super) unsafe fn purge_ranges(_: &[Range]) -> usize {
    0
}

/// Nothing is said, so that all is.
pub(super) unsafe fn residence(_: NonNull<u8>, _: usize, _: &mut [bool; super::ASKED_AT_A_TIME]) {}

pub(super) unsafe fn advise_huge(_: NonNull<u8>, _: usize, _: bool) -> bool {
    true
}

/// No model has guards.
pub(super) unsafe fn mark_guard(_: NonNull<u8>, _: usize) -> bool {
    false
}

pub(super) unsafe fn unmark_guard(_: NonNull<u8>, _: usize) -> bool {
    false
}

pub(super) unsafe fn protect(_: NonNull<u8>, _: usize, _: bool) -> bool {
    false
}

pub(super) unsafe fn map_anew(_: NonNull<u8>, _: usize) -> bool {
    false
}

pub(super) unsafe fn remap(_: NonNull<u8>, _: usize, _: usize, _: bool) -> Option<NonNull<u8>> {
    None
}

pub(super) unsafe fn is_one_mapping(_: NonNull<u8>, _: usize) -> bool {
    true
}

pub(super) unsafe fn remap_to(_: NonNull<u8>, _: usize, _: NonNull<u8>, _: usize) -> bool {
    false
}

/// Time stands still.
pub(crate) fn now_ms() -> u64 {
    START_MS
}

/// Loom knows no barrier that acts on another thread; an owner at its gate has the other half.
pub(super) fn barrier_everywhere() -> bool {
    sync::fence(sync::Ordering::SeqCst);
    true
}

pub(crate) fn register_thread_end(_: unsafe extern "C" fn(*mut c_void)) -> bool {
    true
}

const ENDED: *mut c_void = ptr::without_provenance_mut(1);

pub(crate) fn set_thread_ended() {
    set_thread_end_value(ENDED);
}

pub(crate) fn is_end_of_thread(value: *mut c_void) -> bool {
    value == ENDED
}

pub(crate) fn has_thread_ended() -> bool {
    is_end_of_thread(thread_end_value())
}

/// The values of this execution.
fn with_ends<T>(act: impl FnOnce(&mut HashMap<loom::thread::ThreadId, *mut c_void>) -> T) -> T {
    ENDS.with_borrow_mut(|(execution, ends)| {
        if *execution != modelled::execution() {
            *execution = modelled::execution();
            ends.clear();
        }
        act(ends)
    })
}

pub(crate) fn thread_end_value() -> *mut c_void {
    let me = loom::thread::current().id();
    with_ends(|ends| ends.get(&me).copied().unwrap_or(ptr::null_mut()))
}

pub(crate) fn set_thread_end_value(value: *mut c_void) -> bool {
    let me = loom::thread::current().id();
    with_ends(|ends| ends.insert(me, value));
    true
}

/// In a model nobody forks.
pub(crate) fn register_fork_handlers(
    _: unsafe extern "C" fn(),
    _: unsafe extern "C" fn(),
    _: unsafe extern "C" fn(),
) {
}

pub(crate) fn errno() -> libc::c_int {
    0
}

pub(crate) fn set_errno(_: libc::c_int) {}

pub(crate) fn find_symbol(_: &CStr) -> *mut c_void {
    ptr::null_mut()
}

pub(crate) fn find_next_symbol(_: &CStr, _: &CStr) -> *mut c_void {
    ptr::null_mut()
}

pub(crate) fn say(message: &[&str]) {
    eprint!("{}", message.concat());
}

pub(crate) fn trap() -> ! {
    panic!("trapped");
}

/// The same in every execution.
pub(crate) fn random_words() -> [usize; 2] {
    [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9]
}

pub(crate) fn abort(message: &[&str]) -> ! {
    panic!("{}", message.concat());
}
