//! What C++ says of `operator new`: it does not return null, but has the program's handler find
//! memory, and when there is no handler, throws.

use core::ffi::{CStr, c_void};
use core::ptr;

use super::give::{aligned, malloc};
use super::standard::aligned_alloc;
use crate::heap::declared::Exported;
use crate::os;

/// `std::get_new_handler()`, of libstdc++ and of libc++.
const GET_HANDLER: &CStr = c"_ZSt15get_new_handlerv";
/// `std::__throw_bad_alloc()`, of libstdc++ and of libc++.
const THROW: [&CStr; 2] = [
    c"_ZSt17__throw_bad_allocv",
    c"_ZNSt3__117__throw_bad_allocEv",
];

/// What finds memory, or throws. An exception goes through the frames here, which have nothing to drop.
type Handler = unsafe extern "C-unwind" fn();

/// `operator new(size_t)`
#[inline(always)]
pub fn new<D: Exported>(size: usize) -> *mut u8 {
    let block = malloc::<D>(size);
    if block.is_null() {
        return insist(true, || malloc::<D>(size));
    }
    block
}

/// `operator new(size_t, std::align_val_t)`
#[inline(always)]
pub fn new_aligned<D: Exported>(size: usize, align: usize) -> *mut u8 {
    let block = aligned_alloc::<D>(align, size);
    if block.is_null() {
        return insist(true, || aligned::<D>(align, size));
    }
    block
}

/// `operator new(size_t, std::nothrow_t const&)`
#[inline(always)]
pub fn new_nothrow<D: Exported>(size: usize, _nothrow: usize) -> *mut u8 {
    let block = malloc::<D>(size);
    if block.is_null() {
        return insist(false, || malloc::<D>(size));
    }
    block
}

/// `operator new(size_t, std::align_val_t, std::nothrow_t const&)`
#[inline(always)]
pub fn new_aligned_nothrow<D: Exported>(size: usize, align: usize, _nothrow: usize) -> *mut u8 {
    let block = aligned_alloc::<D>(align, size);
    if block.is_null() {
        return insist(false, || aligned::<D>(align, size));
    }
    block
}

/// What `allocate` returns once the program's handler has found memory. Without a handler: an
/// exception, or null if it must not throw.
#[cold]
#[inline(never)]
fn insist(throws: bool, allocate: impl Fn() -> *mut u8) -> *mut u8 {
    loop {
        match handler() {
            // SAFETY: the program set it for this.
            Some(handler) => unsafe { handler() },
            None if throws => throw(),
            None => return ptr::null_mut(),
        }
        let block = allocate();
        if !block.is_null() {
            return block;
        }
    }
}

/// The program's handler, if it has one.
fn handler() -> Option<Handler> {
    let get = os::find_symbol(GET_HANDLER);
    if get.is_null() {
        return None;
    }
    // SAFETY: the symbol is that function, of no arguments, which returns a function or null.
    let get: unsafe extern "C" fn() -> Option<Handler> = unsafe { core::mem::transmute(get) };
    // SAFETY: it has no preconditions.
    unsafe { get() }
}

/// Throws `std::bad_alloc`; ends a process in which nothing can.
fn throw() -> ! {
    let found = THROW.iter().map(|name| os::find_symbol(name));
    if let Some(throw) = found.into_iter().find(|symbol| !symbol.is_null()) {
        // SAFETY: the symbol is that function, of no arguments.
        let throw: Handler = unsafe { core::mem::transmute::<*mut c_void, Handler>(throw) };
        // SAFETY: it has no preconditions.
        unsafe { throw() };
    }
    os::abort(&["operator new: out of memory, and no C++ library to throw\n"])
}
