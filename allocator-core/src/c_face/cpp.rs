//! What C++ says of `operator new`: it does not return null, but has the program's handler find
//! memory, and when there is no handler, throws. The handler may throw, too. Of the forms that return
//! null instead, it is caught, which Rust cannot do: so where there is a handler, they call the C++
//! library's own, which are made of the forms that throw, and catch.

use core::ffi::{CStr, c_void};
use core::mem::transmute;
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

/// `operator new(size_t, std::nothrow_t const&)`, and the aligned one.
const NEW_NOTHROW: &CStr = c"_ZnwmRKSt9nothrow_t";
const NEW_ALIGNED_NOTHROW: &CStr = c"_ZnwmSt11align_val_tRKSt9nothrow_t";

/// What finds memory, or throws. An exception goes through the frames here, which have nothing to drop.
type Handler = unsafe extern "C-unwind" fn();

/// `operator new(size_t)`
#[inline(always)]
pub fn new<D: Exported>(size: usize) -> *mut u8 {
    let block = malloc::<D>(size);
    if block.is_null() {
        return insist(|| malloc::<D>(size));
    }
    block
}

/// `operator new(size_t, std::align_val_t)`
#[inline(always)]
pub fn new_aligned<D: Exported>(size: usize, align: usize) -> *mut u8 {
    let block = aligned_alloc::<D>(align, size);
    if block.is_null() {
        return insist(|| aligned::<D>(align, size));
    }
    block
}

/// `operator new(size_t, std::nothrow_t const&)`
#[inline(always)]
pub fn new_nothrow<D: Exported>(size: usize, nothrow: usize) -> *mut u8 {
    let block = malloc::<D>(size);
    if block.is_null() {
        return insist_quietly(NEW_NOTHROW, |new| {
            // SAFETY: the symbol is that function.
            let new: unsafe extern "C" fn(usize, usize) -> *mut u8 = unsafe { transmute(new) };
            // SAFETY: any size will do; the caller's own `nothrow`.
            unsafe { new(size, nothrow) }
        });
    }
    block
}

/// `operator new(size_t, std::align_val_t, std::nothrow_t const&)`
#[inline(always)]
pub fn new_aligned_nothrow<D: Exported>(size: usize, align: usize, nothrow: usize) -> *mut u8 {
    let block = aligned_alloc::<D>(align, size);
    if block.is_null() {
        return insist_quietly(NEW_ALIGNED_NOTHROW, |new| {
            // SAFETY: the symbol is that function.
            let new: unsafe extern "C" fn(usize, usize, usize) -> *mut u8 =
                unsafe { transmute(new) };
            // SAFETY: as above; what is no alignment is refused.
            unsafe { new(size, align, nothrow) }
        });
    }
    block
}

/// What `allocate` returns once the program's handler has found memory. Without a handler: an
/// exception.
#[cold]
#[inline(never)]
fn insist(allocate: impl Fn() -> *mut u8) -> *mut u8 {
    loop {
        match handler() {
            // SAFETY: the program set it for this.
            Some(handler) => unsafe { handler() },
            None => throw(),
        }
        let block = allocate();
        if !block.is_null() {
            return block;
        }
    }
}

/// What `call` returns of the C++ library's own function of this name: null when the program's handler
/// finds no memory, or throws. Null at once without a handler, or where that function is not to be
/// had, as in a program that the library is linked into.
#[cold]
#[inline(never)]
fn insist_quietly(name: &CStr, call: impl FnOnce(*mut c_void) -> *mut u8) -> *mut u8 {
    if handler().is_none() {
        return ptr::null_mut();
    }
    let function = os::find_next_symbol(name, GET_HANDLER);
    if function.is_null() {
        return ptr::null_mut();
    }
    call(function)
}

/// The program's handler, if it has one.
fn handler() -> Option<Handler> {
    let get = os::find_symbol(GET_HANDLER);
    if get.is_null() {
        return None;
    }
    // SAFETY: the symbol is that function, of no arguments, which returns a function or null.
    let get: unsafe extern "C" fn() -> Option<Handler> = unsafe { transmute(get) };
    // SAFETY: it has no preconditions.
    unsafe { get() }
}

/// Throws `std::bad_alloc`; ends a process in which nothing can.
fn throw() -> ! {
    let found = THROW.iter().map(|name| os::find_symbol(name));
    if let Some(throw) = found.into_iter().find(|symbol| !symbol.is_null()) {
        // SAFETY: the symbol is that function, of no arguments.
        let throw: Handler = unsafe { transmute::<*mut c_void, Handler>(throw) };
        // SAFETY: it has no preconditions.
        unsafe { throw() };
    }
    os::abort(&["operator new: out of memory, and no C++ library to throw\n"])
}
