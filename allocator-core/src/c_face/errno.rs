//! The error number, which the OS calls underneath may change.

use core::ptr;

use crate::os;

/// What `act` returns; the error number is as it was before.
pub(super) fn kept<T>(act: impl FnOnce() -> T) -> T {
    let before = os::errno();
    let result = act();
    os::set_errno(before);
    result
}

/// The block that `allocate` returns; the error number is as it was before, or `ENOMEM` when it is null.
pub(super) fn or_enomem(allocate: impl FnOnce() -> *mut u8) -> *mut u8 {
    let block = kept(allocate);
    if block.is_null() {
        return fail(libc::ENOMEM);
    }
    block
}

/// No block, for this reason.
#[cold]
pub(super) fn fail(error: libc::c_int) -> *mut u8 {
    os::set_errno(error);
    ptr::null_mut()
}
