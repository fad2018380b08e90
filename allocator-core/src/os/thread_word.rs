//! One word of the calling thread, for the type that is the process's `malloc`.
//!
//! A `thread_local!` of a shared object is reached by a call, which costs more than what `malloc`
//! does with it, and which may itself allocate. Here the word's place relative to the thread is
//! a constant of the process that the dynamic linker writes down once (the *initial-exec* model), so
//! that reading it takes two loads. The price: the object must be there when the program starts, or
//! find a word to spare in the static TLS that glibc keeps for such.
//!
//! A process has one `malloc`, so there is one word. [`thread_word!`] makes it; whoever does not
//! export has none.

use core::ffi::c_void;

/// Makes the word, once in what is linked.
#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_word {
    () => {
        // A module, because assembly is an item of one and of nothing else.
        mod __thread_word {
            ::core::arch::global_asm!(
                ".pushsection .tbss.__allocator_core_malloc_word, \"awT\", @nobits",
                ".globl __allocator_core_malloc_word",
                ".hidden __allocator_core_malloc_word",
                ".type __allocator_core_malloc_word, @object",
                ".size __allocator_core_malloc_word, 8",
                ".p2align 3",
                "__allocator_core_malloc_word:",
                ".zero 8",
                ".popsection",
            );
        }
    };
}

/// The word; null in a thread that has not set it.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn get() -> *const c_void {
    let word;
    // SAFETY: reads the word of `thread_word!`, which is the calling thread's alone. `readonly`
    // and not `nomem`, because set() writes it.
    unsafe {
        core::arch::asm!(
            "mov {word}, qword ptr [rip + __allocator_core_malloc_word@GOTTPOFF]",
            "mov {word}, qword ptr fs:[{word}]",
            word = out(reg) word,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    word
}

/// Sets the word.
#[cfg(target_arch = "x86_64")]
pub(crate) fn set(word: *const c_void) {
    // SAFETY: writes the word of `thread_word!`, which is the calling thread's alone.
    unsafe {
        core::arch::asm!(
            "mov {place}, qword ptr [rip + __allocator_core_malloc_word@GOTTPOFF]",
            "mov qword ptr fs:[{place}], {word}",
            place = out(reg) _,
            word = in(reg) word,
            options(nostack, preserves_flags),
        );
    }
}

/// Elsewhere the word is an ordinary one.
#[cfg(not(target_arch = "x86_64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __thread_word {
    () => {};
}

#[cfg(not(target_arch = "x86_64"))]
std::thread_local! {
    static WORD: core::cell::Cell<*const c_void> = const { core::cell::Cell::new(core::ptr::null()) };
}

/// The word; null in a thread that has not set it.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
pub(crate) fn get() -> *const c_void {
    WORD.get()
}

/// Sets the word.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn set(word: *const c_void) {
    WORD.set(word);
}
