//! Calls of the kernel that fail in a process that knows nothing of it, as none does that gets its
//! `malloc` by `LD_PRELOAD`: a filter of the kernel's (seccomp) hands every call about memory to a handler of
//! this process, which refuses it or makes it.
//!
//! For a process with one thread: glibc starts and ends threads with all signals blocked, and a call that is
//! handed over then ends the process.

use std::ffi::{c_int, c_long, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// The calls that can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusable {
    /// `mmap` of memory without a file.
    Map,
    /// `munmap`.
    Unmap,
    /// `mremap`.
    Remap,
    /// `mprotect`.
    Protect,
    /// `madvise`.
    Advise,
    /// `process_madvise`.
    AdviseSeveral,
    /// `membarrier`.
    Barrier,
}

/// All of them, each with its number and the error that it fails with.
pub const REFUSABLE: [(Refusable, c_long, c_int); 7] = [
    (Refusable::Map, libc::SYS_mmap, libc::ENOMEM),
    (Refusable::Unmap, libc::SYS_munmap, libc::ENOMEM),
    (Refusable::Remap, libc::SYS_mremap, libc::ENOMEM),
    (Refusable::Protect, libc::SYS_mprotect, libc::ENOMEM),
    (Refusable::Advise, libc::SYS_madvise, libc::ENOSYS),
    (
        Refusable::AdviseSeveral,
        libc::SYS_process_madvise,
        libc::ENOSYS,
    ),
    (Refusable::Barrier, libc::SYS_membarrier, libc::ENOSYS),
];

/// What the handler's own calls have in their last argument, which of these calls `mmap` alone looks at, and
/// not without a file; whole OS pages all the same.
const PASS: u32 = 0x5afe_5000;

struct Plan {
    /// Calls so far.
    made: AtomicU64,
    /// The first call that is refused.
    from: AtomicU64,
    /// The first one after those that is not.
    until: AtomicU64,
}

static PLANS: [Plan; REFUSABLE.len()] = [const {
    Plan {
        made: AtomicU64::new(0),
        from: AtomicU64::new(0),
        until: AtomicU64::new(0),
    }
}; REFUSABLE.len()];

// Relaxed throughout: one thread, and its own signal handler.

/// Refuses the `n`-th call from now on (counted from 0), and `count` in all.
pub fn refuse(call: Refusable, n: u64, count: u64) {
    let plan = &PLANS[call as usize];
    let from = plan.made.load(Ordering::Relaxed).saturating_add(n);
    plan.from.store(from, Ordering::Relaxed);
    plan.until
        .store(from.saturating_add(count), Ordering::Relaxed);
}

/// Refuses nothing any more.
pub fn stop_refusing() {
    for plan in &PLANS {
        plan.until.store(0, Ordering::Relaxed);
    }
}

/// Calls so far, refused ones included.
#[must_use]
pub fn made(call: Refusable) -> u64 {
    PLANS[call as usize].made.load(Ordering::Relaxed)
}

/// From now on all calls go through the handler, to the end of the process.
///
/// # Panics
/// When the kernel does not allow that.
pub fn install() {
    // SAFETY: zero is a valid action, which is completed here.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_call as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
        let failed = libc::sigaction(libc::SIGSYS, &raw const action, ptr::null_mut());
        assert_eq!(failed, 0);
    }
    let filter = filter();
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the filter lives until the kernel has copied it.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        let failed = libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program);
        assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    }
}

/// The place of an argument's lower half in `struct seccomp_data`.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// Hands over the calls of [`REFUSABLE`] that are not the handler's own; of `mmap` those without a file.
fn filter() -> Vec<libc::sock_filter> {
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const IF_ANY_BIT: u32 = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let line = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let others = REFUSABLE.len() as u8 - 1;
    // The call's number is loaded; behind the comparisons: allow, `mmap`'s flags (2), the last argument.
    let mut filter = vec![line(LOAD, 0, 0, 0)];
    for (index, (_, number, _)) in (0..).zip(REFUSABLE) {
        let to_allow = others - index;
        let to = to_allow + if index == 0 { 1 } else { 3 };
        filter.push(line(IF_EQUAL, to, 0, number as u32));
    }
    filter.extend([
        line(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        line(LOAD, 0, 0, argument(3)),
        line(IF_ANY_BIT, 0, 2, libc::MAP_ANONYMOUS as u32),
        line(LOAD, 0, 0, argument(5)),
        line(IF_EQUAL, 0, 1, PASS),
        line(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
        line(RETURN, 0, 0, libc::SECCOMP_RET_TRAP),
    ]);
    filter
}

/// Refuses the call that was handed over, or makes it.
extern "C" fn on_call(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's, for the time of the signal; nobody else touches it.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let number = registers[libc::REG_RAX as usize];
    let known = REFUSABLE.iter().find(|(_, known, _)| *known == number);
    let Some((call, _, error)) = known else {
        // SAFETY: nothing that could be done here is known.
        unsafe { libc::abort() };
    };
    let plan = &PLANS[*call as usize];
    let index = plan.made.fetch_add(1, Ordering::Relaxed);
    let refused = plan.from.load(Ordering::Relaxed)..plan.until.load(Ordering::Relaxed);
    registers[libc::REG_RAX as usize] = if refused.contains(&index) {
        -i64::from(*error)
    } else {
        let argument = |register: c_int| registers[register as usize];
        // SAFETY: as the process asked for; the last argument means nothing to these calls.
        unsafe {
            let errno = libc::__errno_location();
            let before = *errno;
            let result = libc::syscall(
                number,
                argument(libc::REG_RDI),
                argument(libc::REG_RSI),
                argument(libc::REG_RDX),
                argument(libc::REG_R10),
                argument(libc::REG_R8),
                i64::from(PASS),
            );
            let result = if result == -1 {
                -i64::from(*errno)
            } else {
                result
            };
            *errno = before;
            result
        }
    };
}
