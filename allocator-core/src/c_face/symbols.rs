//! The names under which C, C++ and glibc know the functions.

/// Exports `$type` as the process's `malloc`: the symbols, each a call of the core.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_malloc {
    ($type:ident) => {
        // C, POSIX and glibc.
        $crate::__symbols! { $type:
            malloc = malloc(size: usize) -> *mut u8;
            calloc = calloc(count: usize, bytes: usize) -> *mut u8;
            realloc = realloc(block: *mut u8, size: usize) -> *mut u8;
            reallocarray = reallocarray(block: *mut u8, count: usize, bytes: usize) -> *mut u8;
            free = free(block: *mut u8);
            free_sized = free_sized(block: *mut u8, size: usize);
            free_aligned_sized = free_aligned_sized(block: *mut u8, align: usize, size: usize);
            aligned_alloc = aligned_alloc(align: usize, size: usize) -> *mut u8;
            posix_memalign = posix_memalign(block: *mut *mut u8, align: usize, size: usize)
                -> ::core::ffi::c_int;
            memalign = memalign(align: usize, size: usize) -> *mut u8;
            valloc = valloc(size: usize) -> *mut u8;
            pvalloc = pvalloc(size: usize) -> *mut u8;
            malloc_usable_size = usable_size(block: *mut u8) -> usize;
            malloc_trim = malloc_trim(keep: usize) -> ::core::ffi::c_int;
            mallinfo2 = mallinfo2() -> $crate::__private::c_face::Mallinfo2;
        }
        // What glibc calls them to itself, and some programs call.
        $crate::__symbols! { $type:
            __libc_malloc = malloc(size: usize) -> *mut u8;
            __libc_calloc = calloc(count: usize, bytes: usize) -> *mut u8;
            __libc_realloc = realloc(block: *mut u8, size: usize) -> *mut u8;
            __libc_free = free(block: *mut u8);
            __libc_memalign = memalign(align: usize, size: usize) -> *mut u8;
            __libc_valloc = valloc(size: usize) -> *mut u8;
            __libc_pvalloc = pvalloc(size: usize) -> *mut u8;
            __posix_memalign = posix_memalign(block: *mut *mut u8, align: usize, size: usize)
                -> ::core::ffi::c_int;
        }
        // `operator new` and `operator new[]`: plain, aligned; then those that do not throw.
        $crate::__symbols! { $type:
            _Znwm = new(size: usize) -> *mut u8;
            _Znam = new(size: usize) -> *mut u8;
            _ZnwmSt11align_val_t = new_aligned(size: usize, align: usize) -> *mut u8;
            _ZnamSt11align_val_t = new_aligned(size: usize, align: usize) -> *mut u8;
            _ZnwmRKSt9nothrow_t = new_nothrow(size: usize, nothrow: usize) -> *mut u8;
            _ZnamRKSt9nothrow_t = new_nothrow(size: usize, nothrow: usize) -> *mut u8;
            _ZnwmSt11align_val_tRKSt9nothrow_t =
                new_aligned_nothrow(size: usize, align: usize, nothrow: usize) -> *mut u8;
            _ZnamSt11align_val_tRKSt9nothrow_t =
                new_aligned_nothrow(size: usize, align: usize, nothrow: usize) -> *mut u8;
        }
        // `operator delete` and `operator delete[]`: plain, sized, aligned, both; then those that
        // answer a `new` that does not throw.
        $crate::__symbols! { $type:
            _ZdlPv = free(block: *mut u8);
            _ZdaPv = free(block: *mut u8);
            _ZdlPvm = free_sized(block: *mut u8, size: usize);
            _ZdaPvm = free_sized(block: *mut u8, size: usize);
            _ZdlPvSt11align_val_t = free_sized(block: *mut u8, align: usize);
            _ZdaPvSt11align_val_t = free_sized(block: *mut u8, align: usize);
            _ZdlPvmSt11align_val_t =
                free_aligned_sized(block: *mut u8, size: usize, align: usize);
            _ZdaPvmSt11align_val_t =
                free_aligned_sized(block: *mut u8, size: usize, align: usize);
            _ZdlPvRKSt9nothrow_t = free_sized(block: *mut u8, nothrow: usize);
            _ZdaPvRKSt9nothrow_t = free_sized(block: *mut u8, nothrow: usize);
            _ZdlPvSt11align_val_tRKSt9nothrow_t =
                free_aligned_sized(block: *mut u8, align: usize, nothrow: usize);
            _ZdaPvSt11align_val_tRKSt9nothrow_t =
                free_aligned_sized(block: *mut u8, align: usize, nothrow: usize);
        }
    };
}

/// Symbols, each with the function of the core that it is. Nothing unwinds but the exception of
/// `operator new`: there is no panic in what these lead to, which a test of `libpreload.so` looks after.
/// `extern "C"` would guard against one all the same, and have each symbol call what it can jump to.
#[doc(hidden)]
#[macro_export]
macro_rules! __symbols {
    ($type:ident: $(
        $symbol:ident = $verb:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?;
    )*) => {$(
        // SAFETY: the linker finds one of that name, and it does what its callers expect.
        #[unsafe(no_mangle)]
        #[allow(unused_unsafe, reason = "needed where the function is unsafe, and some are safe")]
        unsafe extern "C-unwind" fn $symbol($($argument: $kind),*) $(-> $result)? {
            // SAFETY: what C and C++ demand of the caller is the callee's demand.
            unsafe { $crate::__private::c_face::$verb::<$type>($($argument),*) }
        }
    )*};
}
