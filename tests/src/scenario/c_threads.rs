//! What threads of C do of the allocator first of all. They are not threads of Rust's library, which
//! would allocate first.

use std::ffi::c_void;
use std::hint::black_box;
use std::ptr;

use super::c_calls::find;

unsafe extern "C" {
    fn valloc(size: usize) -> *mut c_void;
    fn pvalloc(size: usize) -> *mut c_void;
}

/// What a thread does: with a function that was found by its name, or null, and a block that it is
/// handed and must free.
type Act = unsafe fn(*mut c_void, *mut c_void);

/// Does `act` on a thread of its own, and waits for its end.
fn on_a_thread(act: Act, function: *mut c_void, block: *mut c_void) {
    struct Task(Act, *mut c_void, *mut c_void);
    extern "C" fn start(task: *mut c_void) -> *mut c_void {
        // SAFETY: made below, for this thread.
        let Task(act, function, block) = unsafe { task.cast::<Task>().read() };
        // SAFETY: the function is the act's, and the block is handed over.
        unsafe { act(function, block) };
        ptr::null_mut()
    }
    let mut task = Task(act, function, block);
    let mut thread = 0;
    // SAFETY: what is passed lives until the thread has ended.
    unsafe {
        let task = (&raw mut task).cast();
        let failed = libc::pthread_create(&raw mut thread, ptr::null(), start, task);
        assert_eq!(failed, 0);
        libc::pthread_join(thread, ptr::null_mut());
    }
}

/// A block of `size` bytes, seen by somebody.
fn some_block(size: usize) -> *mut c_void {
    // SAFETY: always allowed.
    let block = unsafe { black_box(libc::malloc(size)) };
    assert!(!block.is_null());
    block
}

/// Uses a block that the thread made, and frees it and the one that it was handed.
///
/// # Safety
/// - both are blocks that nobody else uses.
unsafe fn free_both(made: *mut c_void, handed: *mut c_void) {
    assert!(!black_box(made).is_null());
    // SAFETY: the caller's promise.
    unsafe {
        made.cast::<u8>().write(1);
        libc::free(made);
        libc::free(handed);
    }
}

/// Acts that call functions of this argument's count, each of these signature.
macro_rules! calls {
    (new $($argument:expr),*) => {
        |function, block| {
            type New = unsafe extern "C-unwind" fn($(calls!(@size $argument)),*) -> *mut c_void;
            // SAFETY: it is one of these.
            let new: New = unsafe { std::mem::transmute(function) };
            // SAFETY: the sizes are above zero, and the alignments powers of two.
            unsafe { free_both(new($($argument),*), block) };
        }
    };
    (free $($argument:expr),*) => {
        |function, block| {
            type Free = unsafe extern "C-unwind" fn(*mut c_void $(, calls!(@size $argument))*);
            // SAFETY: it is one of these.
            let free: Free = unsafe { std::mem::transmute(function) };
            // SAFETY: the block is the thread's to free.
            unsafe { free(block $(, $argument)*) };
        }
    };
    (@size $argument:expr) => { usize };
}

/// Functions by name, each with what calls it. What a `new` takes for the address of `nothrow` it does not
/// look at.
const NAMED: [(&[&str], Act); 6] = [
    (
        &[
            "_Znwm",
            "_Znam",
            "__libc_malloc",
            "__libc_valloc",
            "__libc_pvalloc",
        ],
        calls!(new 40),
    ),
    (
        &[
            "_ZnwmRKSt9nothrow_t",
            "_ZnamRKSt9nothrow_t",
            "_ZnwmSt11align_val_t",
            "_ZnamSt11align_val_t",
            "__libc_calloc",
            "__libc_memalign",
        ],
        calls!(new 64, 64),
    ),
    (
        &[
            "_ZnwmSt11align_val_tRKSt9nothrow_t",
            "_ZnamSt11align_val_tRKSt9nothrow_t",
        ],
        calls!(new 64, 64, 64),
    ),
    (&["_ZdlPv", "_ZdaPv", "__libc_free"], calls!(free)),
    (
        &[
            "free_sized",
            "_ZdlPvm",
            "_ZdaPvm",
            "_ZdlPvRKSt9nothrow_t",
            "_ZdaPvRKSt9nothrow_t",
            "_ZdlPvSt11align_val_t",
            "_ZdaPvSt11align_val_t",
        ],
        calls!(free 40),
    ),
    (
        &[
            "free_aligned_sized",
            "_ZdlPvmSt11align_val_t",
            "_ZdaPvmSt11align_val_t",
            "_ZdlPvSt11align_val_tRKSt9nothrow_t",
            "_ZdaPvSt11align_val_tRKSt9nothrow_t",
        ],
        calls!(free 16, 40),
    ),
];

/// Acts of the functions that every C library has; the block that is handed over is freed last.
macro_rules! acts {
    ($(|$block:ident| $act:expr;)*) => {
        [$({
            let act: Act = |_, $block| {
                // SAFETY: each block is used within its size, and freed once.
                unsafe { $act };
            };
            act
        }),*]
    };
}

/// The first thing that a thread does of the allocator is each of its functions. With the argument `named` all of
/// those must be there that are found by name: a program's own are not in its table of symbols.
pub fn first_acts(arguments: &[String]) {
    let all = arguments.iter().any(|argument| argument == "named");
    let acts = acts! {
        |block| free_both(libc::malloc(40), block);
        |block| free_both(libc::malloc(100_000), block);
        |block| free_both(libc::malloc(17 << 20), block);
        |block| free_both(libc::calloc(4, 10), block);
        |block| free_both(libc::realloc(ptr::null_mut(), 40), block);
        |block| free_both(libc::reallocarray(ptr::null_mut(), 4, 10), block);
        |block| free_both(libc::aligned_alloc(64, 40), block);
        |block| free_both(libc::memalign(64, 40), block);
        |block| free_both(valloc(40), block);
        |block| free_both(pvalloc(40), block);
        |block| {
            let mut made = ptr::null_mut();
            assert_eq!(libc::posix_memalign(&raw mut made, 64, 40), 0);
            free_both(made, block);
        };
        |block| libc::free(block);
        |block| libc::free(libc::realloc(block, 1000));
        |block| libc::free(libc::realloc(block, 30_000_000));
        |block| libc::free(libc::realloc(block, 1));
        |block| assert!(libc::realloc(block, 0).is_null());
        |block| libc::free(libc::reallocarray(block, 100, 10));
        |block| {
            assert!(libc::malloc_usable_size(block) >= 40);
            libc::free(block);
        };
        |block| {
            libc::malloc_trim(0);
            libc::free(block);
        };
        |block| {
            black_box(libc::mallinfo2().uordblks);
            libc::free(block);
        };
        |block| {
            libc::free(ptr::null_mut());
            libc::free(block);
        };
        |block| {
            assert!(black_box(libc::malloc(usize::MAX)).is_null());
            libc::free(block);
        };
    };
    let functions: Vec<_> = NAMED
        .iter()
        .flat_map(|(names, act)| names.iter().map(move |name| (name, *act)))
        .filter_map(|(name, act)| {
            let function: Option<*mut c_void> = find(libc::RTLD_DEFAULT, name);
            assert!(function.is_some() || !all, "{name} is there");
            Some((function?, act))
        })
        .collect();
    for _ in 0..5 {
        for size in [40, 5000, 100_000, 20 << 20] {
            for act in acts {
                on_a_thread(act, ptr::null_mut(), some_block(size));
            }
            for (function, act) in &functions {
                on_a_thread(*act, *function, some_block(size));
            }
        }
    }
}
