//! The functions of C, as a program calls them, whoever's they are.

use std::ffi::{CString, c_int, c_void};
use std::hint::black_box;
use std::ptr;
use std::sync::Mutex;
use std::thread;

use crate::random::Random;

unsafe extern "C" {
    fn valloc(size: usize) -> *mut c_void;
    fn pvalloc(size: usize) -> *mut c_void;
}

/// More than any object may have.
const TOO_MUCH: usize = isize::MAX as usize + 1;

fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn set_errno(error: c_int) {
    // SAFETY: the thread's own variable.
    unsafe { *libc::__errno_location() = error };
}

/// Asserts that `act` returns null with this error, which null alone does not say.
#[track_caller]
fn fails(error: c_int, act: impl FnOnce() -> *mut c_void) {
    set_errno(0);
    // The compiler knows `malloc`, and would leave out a call that nobody sees the result of.
    assert!(black_box(act()).is_null());
    assert_eq!(errno(), error);
}

/// Asserts that `act` returns a block of at least `size` bytes and leaves the error alone; frees it.
#[track_caller]
fn serves(size: usize, align: usize, act: impl FnOnce() -> *mut c_void) {
    set_errno(libc::ENOTTY);
    let block = black_box(act());
    assert!(!block.is_null() && block.addr().is_multiple_of(align.max(16)));
    // SAFETY: a block of at least this size, the caller's own.
    unsafe {
        assert!(libc::malloc_usable_size(block) >= size);
        block.write_bytes(0xa5, size);
        libc::free(block);
    }
    assert_eq!(errno(), libc::ENOTTY, "an error that is not one");
}

/// Whether all bytes of a block are `byte`: each is as the next, which one call compares in any build.
///
/// # Safety
/// - `block` is valid for reads of `size` bytes.
pub(super) unsafe fn is_filled(block: *const u8, size: usize, byte: u8) -> bool {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(block, size) };
    bytes.is_empty() || (bytes[0] == byte && bytes[1..] == bytes[..size - 1])
}

/// A function of a loaded object, if it has it.
pub(super) fn find<F: Copy>(object: *mut c_void, name: &str) -> Option<F> {
    let name = CString::new(name).expect("a name");
    // SAFETY: the object is there, the name a C string.
    let symbol = unsafe { libc::dlsym(object, name.as_ptr()) };
    assert_eq!(size_of::<F>(), size_of_val(&symbol));
    // SAFETY: a pointer to a function is one word, and the caller knows the function's type.
    (!symbol.is_null()).then(|| unsafe { std::mem::transmute_copy(&symbol) })
}

/// What the standards say of sizes and arguments at their ends.
pub fn corners(_: &[String]) {
    // SAFETY: every block is freed once, by its address; what fails leaves its block as it was.
    unsafe {
        for size in [
            0,
            1,
            16,
            17,
            8192,
            8193,
            32768,
            32769,
            65536,
            16 << 20,
            (16 << 20) + 1,
        ] {
            serves(size, 16, || libc::malloc(size));
            serves(size, 16, || libc::realloc(ptr::null_mut(), size));
            serves(size, 16, || libc::reallocarray(ptr::null_mut(), 1, size));
            serves(size, 4096, || valloc(size));
            serves(size.next_multiple_of(4096), 4096, || pvalloc(size));
            let zeroed = libc::calloc(size, 1).cast::<u8>();
            assert!(is_filled(zeroed, size, 0));
            libc::free(zeroed.cast());
        }
        for size in [
            TOO_MUCH - 1,
            TOO_MUCH,
            TOO_MUCH + 1,
            usize::MAX - 4096,
            usize::MAX,
        ] {
            fails(libc::ENOMEM, || libc::malloc(size));
            fails(libc::ENOMEM, || libc::calloc(1, size));
            fails(libc::ENOMEM, || libc::calloc(size, 2));
            fails(libc::ENOMEM, || libc::memalign(64, size));
            fails(libc::ENOMEM, || libc::aligned_alloc(64, size));
            fails(libc::ENOMEM, || valloc(size));
            fails(libc::ENOMEM, || pvalloc(size));
        }
        fails(libc::ENOMEM, || libc::calloc(1 << 33, 1 << 33));
        fails(libc::EINVAL, || libc::aligned_alloc(0, 16));
        fails(libc::EINVAL, || libc::aligned_alloc(48, 16));
        fails(libc::EINVAL, || libc::memalign(TOO_MUCH + 1, 16));
        serves(100, 64, || libc::memalign(48, 100));
        serves(100, 16, || libc::memalign(0, 100));

        // The block is left alone, and so are its bytes.
        for size in [10, 10_000, 100_000, 10_000_000] {
            let block = libc::malloc(size).cast::<u8>();
            block.write_bytes(7, size);
            fails(libc::ENOMEM, || libc::realloc(block.cast(), usize::MAX));
            fails(libc::ENOMEM, || {
                libc::reallocarray(block.cast(), 1 << 33, 1 << 33)
            });
            assert!(is_filled(block, size, 7));
            assert!(libc::realloc(block.cast(), 0).is_null(), "freed");
        }

        // An error is returned, and nothing else touched.
        let mut block = ptr::without_provenance_mut::<c_void>(1);
        set_errno(libc::ENOTTY);
        for align in [0, 1, 4, 24, 4095, TOO_MUCH + 8] {
            assert_eq!(libc::posix_memalign(&raw mut block, align, 8), libc::EINVAL);
        }
        assert_eq!(
            libc::posix_memalign(&raw mut block, 8, TOO_MUCH),
            libc::ENOMEM
        );
        assert_eq!((block.addr(), errno()), (1, libc::ENOTTY));

        libc::free(ptr::null_mut());
        assert_eq!(libc::malloc_usable_size(ptr::null_mut()), 0);
        assert_eq!(errno(), libc::ENOTTY);

        type Free = unsafe extern "C" fn(*mut c_void, usize);
        if let Some(free_sized) = find::<Free>(libc::RTLD_DEFAULT, "free_sized") {
            free_sized(libc::malloc(100), 100);
            free_sized(ptr::null_mut(), 100);
        }
        let info = libc::mallinfo2();
        assert!(info.arena > 0 && info.uordblks <= info.arena);
        libc::malloc_trim(0);
    }
}

/// Every alignment with sizes around it, freed by the address alone.
pub fn alignments(_: &[String]) {
    for shift in 0..=34 {
        let align = 1_usize << shift;
        for size in [0, 1, align / 2, align - 1, align, align + 1] {
            // What is not touched costs addresses only; but not all of a machine's.
            if size > 64 << 20 {
                continue;
            }
            let mut block = ptr::null_mut();
            // SAFETY: valid for writes; freed once, or grown.
            unsafe {
                let error = libc::posix_memalign(&raw mut block, align.max(8), size);
                assert_eq!(error, 0, "{size} at {align}");
                assert!(block.addr().is_multiple_of(align.max(16)));
                assert!(libc::malloc_usable_size(block) >= size);
                block.write_bytes(1, size.min(4096));
                if size % 2 == 0 {
                    block = libc::realloc(block, size + 5000);
                    let kept = (0..size.min(4096)).all(|at| block.cast::<u8>().add(at).read() == 1);
                    assert!(kept, "{size} at {align}");
                }
                libc::free(block);
            }
        }
    }
}

/// Alignments and sizes of every length, together: what is served is as long and as aligned as was asked, and
/// what is not says why.
pub fn extremes(_: &[String]) {
    let mut random = Random::new(8);
    let any_length = |random: &mut Random| random.next() as usize >> random.below(64);
    let mut served = 0;
    for _ in 0..30_000 {
        let (size, count) = (any_length(&mut random), any_length(&mut random));
        let align = 1 << random.below(64);
        let total = size.checked_mul(count);
        // Of what is longer than this machine's addresses nobody is asked for more than an answer.
        let function = random.below(6);
        set_errno(0);
        // SAFETY: null, or touched within its length and freed once.
        unsafe {
            let (block, size, align) = match function {
                0 => (libc::malloc(size), Some(size), 1),
                1 => (libc::calloc(size, count), total, 1),
                2 => (libc::reallocarray(ptr::null_mut(), size, count), total, 1),
                3 => (libc::aligned_alloc(align, size), Some(size), align),
                4 => (libc::memalign(align, size), Some(size), align),
                _ => {
                    let mut block = ptr::null_mut();
                    let error = libc::posix_memalign(&raw mut block, align, size);
                    assert_eq!(error == libc::EINVAL, align < 8);
                    assert_eq!(error == 0, !block.is_null());
                    assert_eq!(errno(), 0);
                    // What the others say by the error number.
                    set_errno(if error == libc::EINVAL {
                        libc::ENOMEM
                    } else {
                        error
                    });
                    (block, Some(size), align)
                }
            };
            let block = black_box(block).cast::<u8>();
            if block.is_null() {
                assert_eq!(errno(), libc::ENOMEM, "{function} {size:?} {align}");
                let is_small = size.is_some_and(|size| size < 1 << 30) && align < 1 << 30;
                assert!(
                    !is_small || (function == 5 && align < 8),
                    "{size:?} {align}"
                );
                continue;
            }
            let size = size.expect("a product that is a size");
            assert!(size < TOO_MUCH && block.addr().is_multiple_of(align.max(16)));
            assert!(libc::malloc_usable_size(block.cast()) >= size);
            if size > 0 {
                assert!(function != 1 || block.read() | block.add(size - 1).read() == 0);
                block.write(1);
                block.add(size - 1).write(2);
            }
            libc::free(block.cast());
            served += 1;
        }
    }
    assert!(served > 10_000, "{served} were served");
}

/// A block grows from nothing to 100 MB and shrinks again, with what it holds.
pub fn growth(_: &[String]) {
    let mut size = 1_usize;
    let mut sizes = Vec::new();
    while size < 100 << 20 {
        sizes.push(size);
        size += size / 2 + 1;
    }
    let shrinking: Vec<_> = sizes.iter().rev().copied().collect();
    let mut block = ptr::null_mut::<u8>();
    let mut before = 0;
    for size in sizes.into_iter().chain(shrinking) {
        // SAFETY: the block is this function's, and marked every 1000 bytes.
        unsafe {
            block = libc::realloc(block.cast(), size).cast();
            assert!(!block.is_null());
            for at in (0..size.min(before)).step_by(1000) {
                assert_eq!(
                    block.add(at).read(),
                    (at / 1000) as u8,
                    "byte {at} of {size}"
                );
            }
            for at in (0..size).step_by(1000) {
                block.add(at).write((at / 1000) as u8);
            }
        }
        before = size;
    }
    // SAFETY: as above.
    unsafe { libc::free(block.cast()) };
}

/// A huge block's mapping starts at a multiple of this, and so does the search for its head.
const REGION_BYTES: usize = 32 << 20;

/// An address that is no block is neither freed nor known, and cannot be resized.
#[track_caller]
fn is_left_alone(address: *mut c_void) {
    let address = black_box(address);
    // SAFETY: nobody's block, which is the point.
    unsafe {
        libc::free(address);
        assert_eq!(libc::malloc_usable_size(address), 0);
        fails(libc::EINVAL, || libc::realloc(address, 10));
    }
}

/// What others allocated is left alone, and the heap is as it was.
pub fn foreign(_: &[String]) {
    static STATIC: [u8; 64] = [1; 64];
    let local = [1_u8; 64];
    // SAFETY: a mapping of its own; the addresses are nobody's blocks, which is the point.
    unsafe {
        let mapped = libc::mmap(
            ptr::null_mut(),
            1 << 16,
            libc::PROT_READ,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        let huge = libc::malloc(18 << 20);
        for address in [
            STATIC.as_ptr().cast_mut().cast(),
            local.as_ptr().cast_mut().cast(),
            mapped,
            mapped.byte_add(4096),
            huge.byte_add(4096),
        ] {
            is_left_alone(address);
        }
        // The mapping of a huge block is not looked at for what is behind it: another thread may free it.
        let start = huge.map_addr(|address| (address - 1) & !(REGION_BYTES - 1));
        assert_eq!(libc::mprotect(start, 4096, libc::PROT_NONE), 0);
        is_left_alone(start.byte_add(REGION_BYTES - 4096));
        let both = libc::PROT_READ | libc::PROT_WRITE;
        assert_eq!(libc::mprotect(start, 4096, both), 0);
        libc::free(huge);
    }
    assert!(black_box(local) == STATIC);
    random(&["1".to_owned()]);
}

/// A block and what it is filled with.
struct Held {
    block: *mut u8,
    size: usize,
    mark: u8,
}

// SAFETY: whoever has the block is the only one to touch it.
unsafe impl Send for Held {}

impl Held {
    fn new(random: &mut Random) -> Self {
        let size = some_size(random);
        let mark = random.below(256) as u8;
        // SAFETY: filled within the size.
        unsafe {
            let block = match random.below(4) {
                0 => libc::calloc(size, 1),
                1 => libc::memalign(1 << random.below(14), size),
                _ => libc::malloc(size),
            };
            assert!(!block.is_null());
            block.write_bytes(mark, size);
            let block = block.cast();
            Self { block, size, mark }
        }
    }

    fn check(&self) {
        // SAFETY: filled when it was made.
        let is_as_it_was = unsafe { is_filled(self.block, self.size, self.mark) };
        assert!(is_as_it_was, "{} bytes", self.size);
    }

    fn resize(&mut self, random: &mut Random) {
        let size = some_size(random).max(1);
        // SAFETY: the block is this one's; what was in it is looked at below.
        self.block = unsafe { libc::realloc(self.block.cast(), size).cast() };
        assert!(!self.block.is_null());
        self.size = self.size.min(size);
        self.check();
        self.size = size;
        // SAFETY: the block has this size now.
        unsafe { self.block.write_bytes(self.mark, size) };
    }

    fn free(self) {
        self.check();
        // SAFETY: freed once, by who has it.
        unsafe { libc::free(self.block.cast()) };
    }
}

/// Mostly small, now and then large or huge.
fn some_size(random: &mut Random) -> usize {
    match random.below(1000) {
        0 => random.below(20 << 20),
        1..10 => random.below(1 << 20),
        10..100 => random.below(40_000),
        _ => random.below(600),
    }
}

/// Four threads allocate, resize, free, and hand blocks on; every byte is looked at.
pub fn random(arguments: &[String]) {
    let rounds: usize = arguments
        .first()
        .map_or(1, |first| first.parse().expect("a number"));
    let handed_on = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for seed in 0..4 {
            let handed_on = &handed_on;
            scope.spawn(move || {
                let mut random = Random::new(seed);
                let mut held: Vec<Held> = Vec::new();
                for _ in 0..rounds * 20_000 {
                    let at = random.below(held.len().max(1));
                    match random.below(8) {
                        0..3 => held.push(Held::new(&mut random)),
                        3 if !held.is_empty() => held[at].resize(&mut random),
                        4 if !held.is_empty() => {
                            let block = held.swap_remove(at);
                            handed_on.lock().expect("no panic").push(block);
                        }
                        5 => held.extend(handed_on.lock().expect("no panic").pop()),
                        _ if !held.is_empty() => held.swap_remove(at).free(),
                        _ => {}
                    }
                }
                held.into_iter().for_each(Held::free);
            });
        }
    });
    let left = handed_on.into_inner().expect("no panic");
    left.into_iter().for_each(Held::free);
}

/// The same in a storm of signals.
pub fn signals(_: &[String]) {
    storm();
    random(&["2".to_owned()]);
}

/// From now on there are 10,000 signals a second.
pub(super) fn storm() {
    extern "C" fn nothing(_: c_int) {}
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: 100,
    };
    let timer = libc::itimerval {
        it_interval: interval,
        it_value: interval,
    };
    // SAFETY: the handler does nothing, and system calls are not restarted for it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        assert_eq!(
            libc::sigaction(libc::SIGALRM, &raw const action, ptr::null_mut()),
            0
        );
        assert_eq!(
            libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()),
            0
        );
    }
}

/// Loads an object; where it looks for symbols first, `flags` say.
fn load(path: &str, flags: c_int) -> *mut c_void {
    let path = CString::new(path).expect("a path");
    // SAFETY: an object whose initialisers do nothing.
    let object = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | flags) };
    assert!(!object.is_null(), "{path:?} can be loaded");
    object
}

/// `malloc`s that are loaded by `dlopen`, beside each other and the process's own, in several threads. Each block
/// is freed by its own; `across`, not `apart`, all the others are asked to free it before, and leave it alone.
pub fn loaded(arguments: &[String]) {
    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    type Free = unsafe extern "C" fn(*mut c_void);
    let (how, objects) = arguments.split_first().expect("across or apart");
    let is_across = how == "across";
    assert!(is_across || how == "apart", "{how}?");
    let others: Vec<(Malloc, Free)> = objects
        .iter()
        .zip([libc::RTLD_DEEPBIND, 0].into_iter().cycle())
        .map(|(path, flags)| {
            let object = load(path, flags);
            let functions = (
                find(object, "malloc").expect("it is one"),
                find(object, "free").expect("it is one"),
            );
            // It stays all the same: it has threads' ends to see to.
            // SAFETY: loaded above.
            assert_eq!(unsafe { libc::dlclose(object) }, 0);
            functions
        })
        .collect();
    let mut addresses: Vec<_> = others.iter().map(|(malloc, _)| *malloc as usize).collect();
    addresses.sort_unstable();
    addresses.dedup();
    assert_eq!(addresses.len(), others.len(), "each is there once");
    let work = || {
        for size in 0..20_000 {
            // SAFETY: each block is freed through its own, after those that leave it alone.
            unsafe {
                for (index, (malloc, free)) in others.iter().enumerate() {
                    let block = malloc(size).cast::<u8>();
                    block.write_bytes(1, size);
                    for (other, (_, free)) in others.iter().enumerate() {
                        if is_across && other != index {
                            free(block.cast());
                        }
                    }
                    assert!(size == 0 || block.add(size - 1).read() == 1);
                    free(block.cast());
                }
                let mine = libc::malloc(size);
                if is_across {
                    others.iter().for_each(|(_, free)| free(mine));
                }
                // The compiler may leave out a pair that it sees whole.
                libc::free(black_box(mine));
            }
        }
    };
    for _ in 0..3 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(work);
            }
        });
    }
}

/// An object of C that is loaded with `RTLD_DEEPBIND`, and so has the C library's `malloc` whatever
/// the process has: what it allocates is not ours, and may be freed by us all the same.
pub fn plugin(arguments: &[String]) {
    type Make = unsafe extern "C" fn(usize) -> *mut c_void;
    type Unmake = unsafe extern "C" fn(*mut c_void);
    let object = load(&arguments[0], libc::RTLD_DEEPBIND);
    let make: Make = find(object, "make").expect("the object has it");
    let unmake: Unmake = find(object, "unmake").expect("the object has it");
    for size in (0..5000).chain([100_000, 1 << 20, 40 << 20]) {
        // SAFETY: the block is the plugin's until it takes it back; each of ours is freed by us.
        unsafe {
            let theirs = make(size);
            assert!(!theirs.is_null());
            theirs.write_bytes(7, size);
            // The compiler knows `free`, too: what is in a block then is nobody's any more.
            libc::free(black_box(theirs));
            fails(libc::EINVAL, || libc::realloc(black_box(theirs), size + 1));
            libc::free(black_box(libc::malloc(size)));
            assert!(is_filled(theirs.cast(), size, 7));
            unmake(theirs);
        }
    }
}
