//! What a touch of an address does: tried out in a child of fork, which it may end.

use std::ptr::NonNull;

/// The signal that ends a process that does `act`; 0 when none does.
///
/// # Panics
/// When the OS has no process left, or the child ended otherwise.
#[must_use]
pub fn signal_of(act: impl FnOnce()) -> i32 {
    // SAFETY: the child does `act` and ends without returning.
    let id = unsafe { libc::fork() };
    assert!(id >= 0, "fork: {}", std::io::Error::last_os_error());
    if id == 0 {
        act();
        // SAFETY: nothing of the parent's that would run at exit may run here.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is valid for writes, and the child has not been waited for.
    let ended = unsafe { libc::waitpid(id, &raw mut status, 0) };
    assert_eq!(ended, id, "waitpid: {}", std::io::Error::last_os_error());
    if libc::WIFSIGNALED(status) {
        return libc::WTERMSIG(status);
    }
    assert_eq!(libc::WEXITSTATUS(status), 0, "the child ended by itself");
    0
}

/// Whether a write to `address` faults, there and not elsewhere.
///
/// # Panics
/// When something else ended the process, or the fault was at another address.
#[must_use]
pub fn write_faults(address: NonNull<u8>) -> bool {
    faults(address, || {
        // SAFETY: a byte of the process's own that nobody uses; if it is not writable the child ends.
        unsafe { address.write_volatile(0x5a) };
    })
}

/// Whether a read of `address` faults, there and not elsewhere.
///
/// # Panics
/// As [`write_faults`].
#[must_use]
pub fn read_faults(address: NonNull<u8>) -> bool {
    faults(address, || {
        // SAFETY: as in write_faults().
        let _ = unsafe { address.read_volatile() };
    })
}

/// Ends the process by the signal if the fault is at the address that is expected, and otherwise
/// by another.
extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the OS passes what is valid for a fault; the calls are those that a handler may make.
    unsafe {
        let expected = EXPECTED.load(std::sync::atomic::Ordering::Relaxed);
        let there = (*info).si_addr().addr() == expected;
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(if there { signal } else { libc::SIGABRT });
    }
}

static EXPECTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

fn faults(address: NonNull<u8>, touch: impl FnOnce()) -> bool {
    let signal = signal_of(|| {
        EXPECTED.store(address.addr().get(), std::sync::atomic::Ordering::Relaxed);
        // SAFETY: all zero is a valid `sigaction`; the handler calls only what a handler may.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_fault as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
            libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut());
        }
        touch();
    });
    assert!(
        signal == 0 || signal == libc::SIGSEGV,
        "{address:p}: signal {signal}"
    );
    signal == libc::SIGSEGV
}
