//! The methods of a generated type: `GlobalAlloc` and the inherent ones, each a
//! call into the core.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::words::InlineWord;

/// The impls, for the inside of the expansion's block.
pub(crate) fn of(name: &Ident, inline: InlineWord) -> TokenStream {
    let inline = match inline {
        InlineWord::Hot => quote!(#[inline]),
        InlineWord::Never => quote!(#[inline(never)]),
    };
    let global_alloc = global_alloc(name, &inline);
    let inherent = inherent(name, &inline);
    quote!(#global_alloc #inherent)
}

/// `GlobalAlloc`, all four methods.
fn global_alloc(name: &Ident, inline: &TokenStream) -> TokenStream {
    quote! {
        // SAFETY: the core's verbs keep the contract of `GlobalAlloc`: a block is of the
        // layout that was asked for, nobody else's until it is freed, and they do not unwind.
        unsafe impl ::core::alloc::GlobalAlloc for #name {
            #inline
            unsafe fn alloc(&self, layout: ::core::alloc::Layout) -> *mut u8 {
                __core::allocate::<#name>(layout)
            }
            #inline
            unsafe fn alloc_zeroed(&self, layout: ::core::alloc::Layout) -> *mut u8 {
                __core::allocate_zeroed::<#name>(layout)
            }
            #inline
            unsafe fn dealloc(&self, ptr: *mut u8, layout: ::core::alloc::Layout) {
                // SAFETY: the caller's promise is the callee's demand: a live block of this
                // allocator, of this layout.
                unsafe { __core::deallocate::<#name>(ptr, layout) }
            }
            #inline
            unsafe fn realloc(
                &self,
                ptr: *mut u8,
                layout: ::core::alloc::Layout,
                new_size: usize,
            ) -> *mut u8 {
                // SAFETY: as in `dealloc`; the new size is not zero and does not overflow.
                unsafe { __core::reallocate::<#name>(ptr, layout, new_size) }
            }
        }
    }
}

/// The inherent methods: the same verbs with types that say what may happen.
fn inherent(name: &Ident, inline: &TokenStream) -> TokenStream {
    quote! {
        impl #name {
            /// The choices that this type is made of. Its `Display` form is the attribute
            /// that declares the same allocator again; `classes()` is the size-class table.
            pub const CONFIG: __core::Config = __CONFIG;

            /// Allocates a block of at least the layout's size and alignment; `None` when
            /// there is no memory, the `limit` is reached or the layout is impossible.
            ///
            /// A size of zero is served like a size of one.
            #inline
            #[must_use = "the block leaks unless it is given back to `deallocate`"]
            pub fn allocate(
                &self,
                layout: ::core::alloc::Layout,
            ) -> ::core::option::Option<::core::ptr::NonNull<u8>> {
                ::core::ptr::NonNull::new(__core::allocate::<#name>(layout))
            }

            /// Gives a block back.
            ///
            /// # Safety
            /// - `ptr` is a block of this type that was not given back yet, from any thread;
            /// - `layout` is the one that it was allocated with, or last reallocated to.
            #inline
            pub unsafe fn deallocate(
                &self,
                ptr: ::core::ptr::NonNull<u8>,
                layout: ::core::alloc::Layout,
            ) {
                // SAFETY: the caller's promise is the callee's demand.
                unsafe { __core::deallocate::<#name>(ptr.as_ptr(), layout) }
            }

            /// Makes a block larger or smaller, in place where it can, keeping its bytes up
            /// to the smaller of both sizes; `None` when it cannot, and then the old block
            /// is as it was.
            ///
            /// # Safety
            /// - `ptr` and `layout` are as for [`deallocate`](Self::deallocate);
            /// - `new_size`, rounded up to the alignment, is at most `isize::MAX`.
            #inline
            #[must_use = "the block may have moved"]
            pub unsafe fn reallocate(
                &self,
                ptr: ::core::ptr::NonNull<u8>,
                layout: ::core::alloc::Layout,
                new_size: usize,
            ) -> ::core::option::Option<::core::ptr::NonNull<u8>> {
                // SAFETY: the caller's promise is the callee's demand.
                let block = unsafe { __core::reallocate::<#name>(ptr.as_ptr(), layout, new_size) };
                ::core::ptr::NonNull::new(block)
            }

            /// Bytes of the block that a request of this layout gets; the caller may use
            /// all of them. 0 when no block can have that layout. With `hardening(canaries)` it is what
            /// was asked for, but of huge blocks.
            #[must_use]
            pub fn usable_size(&self, layout: ::core::alloc::Layout) -> usize {
                __core::usable_size::<#name>(layout)
            }

            /// Gives memory that is free back to the OS now, whatever `purge` says: free pages of the
            /// whole process, what this thread has in hand of this type and, without
            /// `hardening(links)`, what no live block is on within pages of this thread that are at
            /// most half used. What other threads have in hand stays theirs. May wait for a thread
            /// that does the same.
            pub fn purge() {
                __core::purge::<#name>()
            }

            /// What was counted so far, of all threads; zero where `stats` is off.
            #[must_use]
            pub fn stats() -> __core::Stats {
                __core::stats::<#name>()
            }

            /// What was asked for so far, by size and alignment, of all threads; nothing unless
            /// `stats = histogram`. Its `write` makes the file that `allocator-lab fit` reads.
            #[must_use]
            pub fn profile() -> __core::Profile {
                __core::profile::<#name>()
            }
        }
    }
}
