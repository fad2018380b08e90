//! Linux and POSIX, by `libc` alone: nearly always one call and its error.

use core::ffi::{CStr, c_void};
use core::ptr::{self, NonNull};

use super::{ASKED_AT_A_TIME, Call, Range, permitted};
use crate::base::sync::{AtomicU32, Ordering};

/// Bytes in a page of the hardware.
pub(crate) const OS_PAGE_BYTES: usize = 4096;

pub(super) fn map(bytes: usize, hint: usize) -> Option<NonNull<u8>> {
    map_with(bytes, hint, libc::PROT_READ | libc::PROT_WRITE)
}

/// Addresses that read as zero and cannot be written to, so that no memory is promised for them.
pub(super) fn map_readable(bytes: usize) -> Option<NonNull<u8>> {
    map_with(bytes, 0, libc::PROT_READ)
}

fn map_with(bytes: usize, hint: usize, rights: libc::c_int) -> Option<NonNull<u8>> {
    // SAFETY: an anonymous mapping without MAP_FIXED touches no memory that exists.
    let start = unsafe {
        libc::mmap(
            ptr::without_provenance_mut(hint),
            bytes,
            rights,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        None
    } else {
        NonNull::new(start.cast())
    }
}

pub(super) unsafe fn unmap(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range.
    unsafe { libc::munmap(start.as_ptr().cast(), bytes) == 0 }
}

pub(super) unsafe fn purge(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range and its content is dead.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_DONTNEED) == 0 }
}

/// Of the ranges in order, how many bytes were given back. None before Linux 6.14, or where a sandbox
/// does not know the call: the kernel takes this advice of a process for itself only.
pub(super) unsafe fn purge_ranges(ranges: &[Range]) -> usize {
    /// `PIDFD_SELF_THREAD_GROUP`, from linux/pidfd.h: this process, without a file descriptor.
    const SELF: libc::c_int = -10_001;
    // SAFETY: a `Range` is an `iovec`; the caller owns the ranges and their content is dead.
    let purged = unsafe {
        libc::syscall(
            libc::SYS_process_madvise,
            SELF,
            ranges.as_ptr(),
            ranges.len(),
            libc::MADV_DONTNEED,
            0,
        )
    };
    usize::try_from(purged).unwrap_or(0)
}

/// Says of so many OS pages from `start` on, as many as there is room to say it of, whether each is backed by memory.
/// Nothing is said when the OS refuses.
pub(super) unsafe fn residence(
    start: NonNull<u8>,
    os_pages: usize,
    said: &mut [bool; ASKED_AT_A_TIME],
) {
    let mut bits = [0_u8; ASKED_AT_A_TIME];
    let bytes = os_pages * OS_PAGE_BYTES;
    // SAFETY: the range is mapped, and there is a byte for each of its OS pages.
    if unsafe { libc::mincore(start.as_ptr().cast(), bytes, bits.as_mut_ptr()) } == 0 {
        for (said, bits) in said.iter_mut().zip(bits) {
            *said = bits & 1 == 1;
        }
    }
}

pub(super) unsafe fn advise_huge(start: NonNull<u8>, bytes: usize, wanted: bool) -> bool {
    let advice = if wanted {
        libc::MADV_HUGEPAGE
    } else {
        libc::MADV_NOHUGEPAGE
    };
    // SAFETY: the range is mapped; the advice changes no content.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice) == 0 }
}

pub(super) unsafe fn remap(
    start: NonNull<u8>,
    old_bytes: usize,
    new_bytes: usize,
    may_move: bool,
) -> Option<NonNull<u8>> {
    let flags = if may_move { libc::MREMAP_MAYMOVE } else { 0 };
    // SAFETY: the caller owns the mapping.
    let moved = unsafe { libc::mremap(start.as_ptr().cast(), old_bytes, new_bytes, flags) };
    if moved == libc::MAP_FAILED {
        None
    } else {
        NonNull::new(moved.cast())
    }
}

/// Whether a range lies in one mapping. The OS says so when it is asked to let the range grow in place: of several it
/// says `EFAULT`, of one that there is no room, or it does so, which is undone.
pub(super) unsafe fn is_one_mapping(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range.
    match unsafe { remap(start, bytes, bytes + OS_PAGE_BYTES, false) } {
        Some(_) => {
            // SAFETY: that OS page was just mapped, and nobody knows of it.
            unsafe { unmap(start.add(bytes), OS_PAGE_BYTES) };
            true
        }
        None => errno() != libc::EFAULT,
    }
}

pub(super) unsafe fn remap_to(
    start: NonNull<u8>,
    old_bytes: usize,
    to: NonNull<u8>,
    new_bytes: usize,
) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    let (start, to) = (start.as_ptr().cast(), to.as_ptr().cast::<c_void>());
    // SAFETY: the caller owns both mappings, and nothing is in use at `to`.
    unsafe { libc::mremap(start, old_bytes, new_bytes, flags, to) != libc::MAP_FAILED }
}

/// From linux/mman.h, since Linux 6.13.
const MADV_GUARD_INSTALL: libc::c_int = 102;
const MADV_GUARD_REMOVE: libc::c_int = 103;

pub(super) unsafe fn mark_guard(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range and its content is dead.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, MADV_GUARD_INSTALL) == 0 }
}

pub(super) unsafe fn unmark_guard(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range; what is no guard stays as it is.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, MADV_GUARD_REMOVE) == 0 }
}

/// Makes a range usable, or not.
pub(super) unsafe fn protect(start: NonNull<u8>, bytes: usize, usable: bool) -> bool {
    let rights = if usable {
        libc::PROT_READ | libc::PROT_WRITE
    } else {
        libc::PROT_NONE
    };
    // SAFETY: the caller owns the range and nobody uses it.
    unsafe { libc::mprotect(start.as_ptr().cast(), bytes, rights) == 0 }
}

/// Puts fresh memory in the place of a range.
pub(super) unsafe fn map_anew(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller owns the range and nobody uses it.
    let mapped = unsafe {
        libc::mmap(
            start.as_ptr().cast(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    mapped != libc::MAP_FAILED
}

/// Milliseconds of a clock that never goes back; a few nanoseconds a call, a tick of 1 to 4 ms.
pub(crate) fn now_ms() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is valid for writes.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

pub(super) fn barrier_everywhere() -> bool {
    /// From linux/membarrier.h.
    const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
    let call = |command: libc::c_int| {
        // SAFETY: membarrier takes three integers and touches no memory.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    };
    // The kernel refuses until the process has registered once.
    call(PRIVATE_EXPEDITED) || (call(REGISTER_PRIVATE_EXPEDITED) && call(PRIVATE_EXPEDITED))
}

/// The least key that is asked for. The OS calls a thread's destructors in the order of their keys,
/// in as many rounds as they set their keys again, four at most. In a program with fewer keys than
/// this ours comes last in each round: even if another's destructor is the first to allocate, in
/// the last round, the thread's end is told after that. glibc has the values of 32 keys in a
/// thread's record; a later key would cost each thread an allocation.
const LATE_KEY: libc::pthread_key_t = 31;

/// The process-wide key + 1 whose destructor ends threads; 0 until it is made.
static THREAD_END_KEY: AtomicU32 = AtomicU32::new(0);

/// Makes the key whose destructor `end` is called with a thread's value when the thread
/// ends. False when the OS has no key left.
pub(crate) fn register_thread_end(end: unsafe extern "C" fn(*mut c_void)) -> bool {
    // Relaxed: the key is a plain number.
    if THREAD_END_KEY.load(Ordering::Relaxed) != 0 {
        return true;
    }
    if !permitted(Call::ThreadEnd) {
        return false;
    }
    let Some(key) = make_late_key(end) else {
        return false;
    };
    // Relaxed: as above. Of two threads that came here together, one gives its key back.
    let raced = THREAD_END_KEY.compare_exchange(0, key + 1, Ordering::Relaxed, Ordering::Relaxed);
    if raced.is_err() {
        // SAFETY: this thread made the key and nobody else knows it.
        unsafe { libc::pthread_key_delete(key) };
    }
    true
}

/// Makes a key, from [`LATE_KEY`] on if there is one to be had. `None` when there is none at all.
fn make_late_key(end: unsafe extern "C" fn(*mut c_void)) -> Option<libc::pthread_key_t> {
    let mut earlier = [0; LATE_KEY as usize];
    let mut count = 0;
    let late = loop {
        let mut key = 0;
        // SAFETY: `key` is valid for writes.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(end)) } != 0 {
            break None;
        }
        match earlier.get_mut(count) {
            Some(place) if key < LATE_KEY => *place = key,
            _ => break Some(key),
        }
        count += 1;
    };
    let key = late.or_else(|| {
        count = count.checked_sub(1)?;
        earlier.get(count).copied()
    });
    for &key in earlier.iter().take(count) {
        // SAFETY: this thread made the key and nobody else knows it.
        unsafe { libc::pthread_key_delete(key) };
    }
    key
}

/// The key's value in a thread whose end has been told. It makes the OS call the destructor in
/// every round that is left, each of which notes it again.
const ENDED: *mut c_void = ptr::without_provenance_mut(1);

/// Notes that the calling thread's end has been told; for the key's destructor.
pub(crate) fn set_thread_ended() {
    // Relaxed: the key is a plain number.
    if let Some(key) = THREAD_END_KEY.load(Ordering::Relaxed).checked_sub(1) {
        // A thread that had a value has room for one.
        // SAFETY: the key was made and is never deleted.
        unsafe { libc::pthread_setspecific(key, ENDED) };
    }
}

/// Whether `value` is the key's in a thread whose end has been told.
pub(crate) fn is_end_of_thread(value: *mut c_void) -> bool {
    value == ENDED
}

/// Whether the calling thread's end has been told.
pub(crate) fn has_thread_ended() -> bool {
    is_end_of_thread(thread_end_value())
}

/// The calling thread's value of the key; null before there is a key.
pub(crate) fn thread_end_value() -> *mut c_void {
    // Relaxed: the key is a plain number.
    match THREAD_END_KEY.load(Ordering::Relaxed) {
        0 => ptr::null_mut(),
        // SAFETY: the key was made and is never deleted.
        key => unsafe { libc::pthread_getspecific(key - 1) },
    }
}

/// Sets the calling thread's value of the key; false when the OS cannot.
pub(crate) fn set_thread_end_value(value: *mut c_void) -> bool {
    // Relaxed: the key is a plain number.
    match THREAD_END_KEY.load(Ordering::Relaxed) {
        0 => false,
        _ if !permitted(Call::ThreadEnd) => false,
        // SAFETY: the key was made and is never deleted.
        key => unsafe { libc::pthread_setspecific(key - 1, value) == 0 },
    }
}

/// Has `prepare` run before every fork, `parent` and `child` after it.
pub(crate) fn register_fork_handlers(
    prepare: unsafe extern "C" fn(),
    parent: unsafe extern "C" fn(),
    child: unsafe extern "C" fn(),
) {
    // A refusal leaves fork as it is without handlers: nothing to be done about it.
    // SAFETY: the handlers are plain functions that live as long as the process.
    let _ = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
}

/// The calling thread's error number.
pub(crate) fn errno() -> libc::c_int {
    // SAFETY: the thread's own variable, which is always there.
    unsafe { *libc::__errno_location() }
}

/// Sets the calling thread's error number.
pub(crate) fn set_errno(error: libc::c_int) {
    // SAFETY: as in errno().
    unsafe { *libc::__errno_location() = error };
}

/// What the program or one of its libraries calls `name`; null when none does.
pub(crate) fn find_symbol(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// What the library that has `beside` calls `name`, if that is the first to do so after the object that this
/// is part of; null otherwise.
pub(crate) fn find_next_symbol(name: &CStr, beside: &CStr) -> *mut c_void {
    // SAFETY: the name is a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    if object_of(found) == object_of(find_symbol(beside)) {
        found
    } else {
        ptr::null_mut()
    }
}

/// Where the program or library that has `symbol` lies; null when none has.
fn object_of(symbol: *mut c_void) -> *mut c_void {
    let mut object = libc::Dl_info {
        dli_fname: ptr::null(),
        dli_fbase: ptr::null_mut(),
        dli_sname: ptr::null(),
        dli_saddr: ptr::null_mut(),
    };
    // SAFETY: any address may be asked about; `object` is valid for writes.
    unsafe { libc::dladdr(symbol, &raw mut object) };
    object.dli_fbase
}

/// Most parts that a message is written of.
const MESSAGE_PARTS: usize = 12;

/// Writes the parts of a message, one behind the other, on standard error: by one call, so that
/// messages of several threads do not mix. Allocates nothing.
pub(crate) fn say(message: &[&str]) {
    let mut parts = [libc::iovec {
        iov_base: ptr::null_mut(),
        iov_len: 0,
    }; MESSAGE_PARTS];
    for (part, text) in parts.iter_mut().zip(message) {
        part.iov_base = text.as_ptr().cast_mut().cast();
        part.iov_len = text.len();
    }
    // SAFETY: the parts are valid for their lengths; those that are not used are empty. A failed write
    // has nobody to be told.
    unsafe { libc::writev(2, parts.as_ptr(), MESSAGE_PARTS as libc::c_int) };
}

/// Two words that nobody can guess; where the OS has none to give, such as can be guessed with effort.
pub(crate) fn random_words() -> [usize; 2] {
    let mut words = [0_usize; 2];
    // SAFETY: valid for writes of that many bytes.
    let filled = unsafe {
        libc::getrandom(
            words.as_mut_ptr().cast(),
            size_of_val(&words),
            libc::GRND_NONBLOCK,
        )
    };
    if filled == size_of_val(&words).cast_signed() {
        return words;
    }
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: valid for writes.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    // The addresses of the stack and of the program are random, too.
    let seed = (time.tv_nsec as usize).rotate_left(32) ^ time.tv_sec as usize;
    let seed = seed ^ (&raw const words).addr().rotate_left(17) ^ libc::abort as *const () as usize;
    [
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        seed.wrapping_mul(0xbf58_476d_1ce4_e5b9),
    ]
}

/// Ends the process by an instruction that traps.
pub(crate) fn trap() -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the process ends here.
    unsafe {
        core::arch::asm!("ud2", options(noreturn, nomem, nostack))
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("brk #1", options(noreturn, nomem, nostack))
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    // SAFETY: abort has no preconditions.
    unsafe {
        libc::abort()
    }
}

/// Ends the process with `message` on standard error; allocates nothing.
pub(crate) fn abort(message: &[&str]) -> ! {
    if !message.is_empty() {
        say(message);
    }
    // SAFETY: abort has no preconditions.
    unsafe { libc::abort() }
}
