//! What stands in for a type with generics: methods that lead to a default
//! allocator, so that the users of the type do not fail to compile as well.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Generics, Ident};

use crate::expand;
use crate::spec::Spec;

/// The impls that a user of the type may name.
pub(crate) fn methods(name: &Ident, generics: &Generics, spec: &Spec) -> TokenStream {
    let (parameters, arguments, clause) = generics.split_for_impl();
    let core = &spec.core;
    let stand_in = format_ident!("__StandIn");
    let allocator = expand::allocator(&stand_in, spec);
    let layout = quote!(::core::alloc::Layout);
    let block = quote!(::core::ptr::NonNull<u8>);
    quote! {
        #[allow(dead_code, unsafe_code, clippy::all, clippy::restriction)]
        const _: () = {
            use #core::__private as __core;

            struct #stand_in;
            #allocator

            // SAFETY: the methods of another allocator.
            unsafe impl #parameters ::core::alloc::GlobalAlloc for #name #arguments #clause {
                unsafe fn alloc(&self, layout: #layout) -> *mut u8 {
                    unsafe { ::core::alloc::GlobalAlloc::alloc(&#stand_in, layout) }
                }
                unsafe fn dealloc(&self, ptr: *mut u8, layout: #layout) {
                    unsafe { ::core::alloc::GlobalAlloc::dealloc(&#stand_in, ptr, layout) }
                }
            }
            impl #parameters #name #arguments #clause {
                pub const CONFIG: __core::Config = #stand_in::CONFIG;
                pub fn allocate(&self, layout: #layout) -> ::core::option::Option<#block> {
                    #stand_in.allocate(layout)
                }
                pub unsafe fn deallocate(&self, ptr: #block, layout: #layout) {
                    unsafe { #stand_in.deallocate(ptr, layout) }
                }
                pub unsafe fn reallocate(
                    &self,
                    ptr: #block,
                    layout: #layout,
                    new_size: usize,
                ) -> ::core::option::Option<#block> {
                    unsafe { #stand_in.reallocate(ptr, layout, new_size) }
                }
                pub fn usable_size(&self, layout: #layout) -> usize {
                    #stand_in.usable_size(layout)
                }
                pub fn purge() {
                    #stand_in::purge()
                }
                pub fn stats() -> __core::Stats {
                    #stand_in::stats()
                }
                pub fn profile() -> __core::Profile {
                    #stand_in::profile()
                }
            }
        };
    }
}
