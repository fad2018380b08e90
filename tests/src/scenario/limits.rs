//! Programs that run into a limit of the OS on memory.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::figures::{mappings, mib, report};
use super::live::{Chain, Live};
use crate::process::OS_PAGE_BYTES;

/// Limits of the OS on memory, and what each must leave room to serve, in MiB, for
/// [`serves_under_a_limit`].
pub const LIMITS: [(libc::__rlimit_resource_t, u64, &str); 5] = [
    (libc::RLIMIT_AS, 32, "4"),
    (libc::RLIMIT_AS, 64, "24"),
    (libc::RLIMIT_AS, 200, "120"),
    (libc::RLIMIT_DATA, 64, "24"),
    (libc::RLIMIT_DATA, 20, "4"),
];

/// Allocates blocks of `size` until there is no more; at least one.
fn until_null(size: usize) -> Vec<Live> {
    // The list must not be what fails: it has its room from the start.
    let mut blocks = Vec::with_capacity((256 << 20) / size.max(4096));
    while blocks.len() < blocks.capacity() {
        match Live::new(size) {
            Some(block) => blocks.push(block),
            None => return blocks,
        }
    }
    panic!("the limit was never reached with blocks of {size} bytes");
}

/// Serves at least as many MiB as the argument says before it returns null, whatever the size, and
/// serves again once they are freed.
pub fn serves_under_a_limit(arguments: &[String]) {
    let least: usize = arguments[0].parse().expect("a number");
    for round in 0..3 {
        for size in [12 << 20, 4096, 48 << 10, 300 << 10] {
            // From here on until half is freed nothing else may be allocated.
            let mut blocks = until_null(size);
            impossible_is_null();
            let served = blocks.len() * size;
            let half = blocks.len() / 2;
            blocks.drain(half..).for_each(Live::free);
            if half > 0 {
                let again = Live::new(size).expect("what was freed serves again");
                again.free();
            }
            small_ones_work();
            blocks.into_iter().for_each(Live::free);
            report("served_mib", format!("{} in blocks of {size}", mib(served)));
            // Mappings of their own are made of addresses that the arena has not taken yet.
            let counts = size < 12 << 20 || (round == 0 && size < least << 19);
            assert!(
                !counts || served >= least << 20,
                "round {round}: {} MiB served",
                mib(served)
            );
        }
    }
}

fn impossible_is_null() {
    let layout = Layout::from_size_align(1 << 40, 8).expect("a layout");
    // Seen by nobody, the block would never be allocated in a release build.
    // SAFETY: the size is not zero.
    let block = std::hint::black_box(unsafe { alloc(layout) });
    if !block.is_null() {
        // SAFETY: just allocated.
        unsafe { dealloc(block, layout) };
    }
    assert!(block.is_null(), "2^40 bytes are beyond the limit");
}

fn small_ones_work() {
    let words: Vec<String> = (0..1000).map(|i| format!("word {i}")).collect();
    assert_eq!(words.iter().map(String::len).sum::<usize>(), 7890);
}

/// As above, with threads that all run into the limit together, again and again.
pub fn threads_under_a_limit(_: &[String]) {
    const THREADS: usize = 4;
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    // What a thread needs to start is not what must be refused: a destructor for the thread's end
    // that the C library finds no memory for ends the process, whoever's `malloc` it is.
    static STARTED: Barrier = Barrier::new(THREADS);
    let threads: Vec<_> = (0..THREADS)
        .map(|i| {
            thread::Builder::new()
                .stack_size(128 << 10)
                .spawn(move || {
                    STARTED.wait();
                    for round in 0..6 {
                        let size = [4000, 100, 60_000, 200_000][(i + round) % 4];
                        let blocks = until_null_with_chain(size);
                        SERVED.fetch_add(blocks * size, Ordering::Relaxed);
                    }
                })
                .expect("the thread starts")
        })
        .collect();
    for thread in threads {
        thread.join().expect("the thread found no fault");
    }
    small_ones_work();
    report("served_mib", mib(SERVED.load(Ordering::Relaxed)));
    assert!(SERVED.load(Ordering::Relaxed) >= 24 << 20);
}

/// Allocates blocks until there is no more, linked through their first words, and frees them; how
/// many there were. Needs no other memory.
fn until_null_with_chain(size: usize) -> usize {
    let layout = Layout::from_size_align(size, 8).expect("a layout");
    let mut last: *mut u8 = std::ptr::null_mut();
    let mut count = 0;
    loop {
        // SAFETY: the size is not zero.
        let block = unsafe { alloc(layout) };
        if block.is_null() {
            break;
        }
        // SAFETY: the block is at least a word long, aligned for one, and ours.
        unsafe {
            block.write_bytes(0x5a, size);
            block.cast::<*mut u8>().write(last);
        }
        last = block;
        count += 1;
    }
    while !last.is_null() {
        // SAFETY: written above.
        unsafe {
            let next = last.cast::<*mut u8>().read();
            assert_eq!(last.add(size - 1).read(), 0x5a, "the block is as it was");
            dealloc(last, layout);
            last = next;
        }
    }
    count
}

/// Mappings of nobody's, as many as the OS lets a process have.
struct Stripes {
    start: *mut libc::c_void,
    bytes: usize,
    /// Each one OS page; at the end of their list for the next, from the top down.
    singles: [*mut libc::c_void; 16],
}

impl Stripes {
    /// Uses all mappings up; nothing is allocated.
    fn new() -> Self {
        /// Linux gives a process 65,530 unless it is told otherwise.
        const MOST: usize = 1 << 17;
        let bytes = MOST * OS_PAGE_BYTES;
        let start = map(bytes, libc::PROT_NONE);
        assert!(start != libc::MAP_FAILED, "there are addresses");
        let mut stripes = Self {
            start,
            bytes,
            singles: [libc::MAP_FAILED; 16],
        };
        for index in (0..MOST).step_by(2) {
            // SAFETY: within the mapping, which nobody uses.
            let failed = unsafe {
                let stripe = start.byte_add(index * OS_PAGE_BYTES);
                libc::mprotect(stripe, OS_PAGE_BYTES, libc::PROT_READ)
            };
            if failed != 0 {
                break;
            }
        }
        // A stripe is two mappings at once. What is left goes one by one; next to each other they differ.
        for (index, single) in stripes.singles.iter_mut().enumerate() {
            let access = [libc::PROT_READ, libc::PROT_NONE][index % 2];
            *single = map(OS_PAGE_BYTES, access | libc::PROT_EXEC);
            if *single == libc::MAP_FAILED {
                return stripes;
            }
        }
        panic!("the OS has no limit on mappings below {MOST}");
    }
}

impl Drop for Stripes {
    fn drop(&mut self) {
        for single in self.singles {
            if single != libc::MAP_FAILED {
                // SAFETY: this value's own.
                unsafe { libc::munmap(single, OS_PAGE_BYTES) };
            }
        }
        // SAFETY: as above.
        unsafe { libc::munmap(self.start, self.bytes) };
    }
}

fn map(bytes: usize, access: libc::c_int) -> *mut libc::c_void {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a mapping of its own.
    unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) }
}

/// Without a mapping to be had, what is there serves until it is null; what is freed then serves
/// again; and when there are mappings, everything is served.
pub fn mappings_used_up(_: &[String]) {
    let before = mappings();
    let kept: Vec<Live> = [100, 5000, 60_000, 3 << 20, 20 << 20, 20 << 20, 20 << 20]
        .into_iter()
        .map(|size| Live::new(size).expect("there is memory"))
        .collect();
    for round in 0..3 {
        let stripes = Stripes::new();
        let taken = mappings();
        for size in [12 << 20, 1 << 20, 60_000, 3000, 40] {
            // Linked through themselves: nothing else is allocated.
            let mut chain = Chain::default();
            while chain.push(size) {
                assert!(chain.bytes() < 256 << 20, "the mappings are used up");
            }
            let served = chain.bytes();
            chain.free();
            let mut again = Chain::default();
            while again.bytes() < served {
                assert!(again.push(size), "what was freed serves again");
            }
            again.free();
        }
        // SAFETY: null, or freed at once.
        unsafe {
            *libc::__errno_location() = 0;
            let block = std::hint::black_box(libc::malloc(64 << 20));
            assert!(block.is_null(), "the mappings are used up");
            assert_eq!(*libc::__errno_location(), libc::ENOMEM);
        }
        drop(stripes);
        report(
            "mappings",
            format!("{before}, then {taken}, then {}", mappings()),
        );
        assert!(taken > 60_000, "{taken} mappings were there");
        for size in [40, 60_000, 1 << 20, 12 << 20, 64 << 20] {
            Live::new(size).expect("there is memory again").free();
        }
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(small_ones_work)).collect();
        for thread in threads {
            thread.join().expect("the thread found no fault");
        }
        assert!(
            mappings() < before + 60,
            "round {round}: they are given back"
        );
    }
    // Freed while nothing can be split: a block between two others, then those.
    let stripes = Stripes::new();
    let mut kept = kept;
    let last = kept.pop();
    kept.pop().expect("a block").free();
    last.expect("a block").free();
    kept.into_iter().for_each(Live::free);
    drop(stripes);
    Live::new(64 << 20).expect("there is memory again").free();
}
