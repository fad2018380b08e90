//! See `allocator_tests::mistaken::mistake`. Its children run the sequences, and what they have seen of the
//! code is brought home by memory that is shared with them.

#![no_main]

use std::sync::OnceLock;
use std::{ptr, slice};

use allocator_tests::mistaken;

// By the assembler: the compiler makes symbols of these names itself, and does not expect others to.
core::arch::global_asm!(
    ".pushsection .data.rel.ro.fuzz_counters, \"aw\"",
    ".balign 8",
    "fuzz_counters: .quad __start___sancov_cntrs, __stop___sancov_cntrs",
    ".popsection",
);

unsafe extern "C" {
    /// Where the compiler's counters begin and end, a byte for each edge.
    #[link_name = "fuzz_counters"]
    static BOUNDS: [*mut u8; 2];
}

/// The counters of this process.
fn counters() -> *mut [u8] {
    // SAFETY: written by the linker.
    let [first, end] = unsafe { BOUNDS };
    ptr::slice_from_raw_parts_mut(first, end.addr() - first.addr())
}

/// A copy of them that children write.
fn shared() -> *mut u8 {
    static SHARED: OnceLock<usize> = OnceLock::new();
    let address = SHARED.get_or_init(|| {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        // SAFETY: a mapping of its own.
        let start = unsafe { libc::mmap(ptr::null_mut(), counters().len(), access, flags, -1, 0) };
        assert!(start != libc::MAP_FAILED);
        start.expose_provenance()
    });
    ptr::with_exposed_provenance_mut(*address)
}

/// The child's last act.
fn send_home() {
    let counters = counters();
    // SAFETY: as long as the counters, and the child is the only one at work.
    unsafe { shared().copy_from_nonoverlapping(counters.cast(), counters.len()) };
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    shared();
    mistaken::at_each_end(send_home);
    mistaken::mistake(bytes);
    let counters = counters();
    // SAFETY: as long as the counters; the child has ended.
    let (ours, seen) = unsafe {
        let seen: &[u8] = slice::from_raw_parts(shared(), counters.len());
        (&mut *counters, seen)
    };
    for (ours, seen) in ours.iter_mut().zip(seen) {
        *ours = (*ours).max(*seen);
    }
});
