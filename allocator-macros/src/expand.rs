//! From a [`Spec`] to Rust. Cannot fail: what only the compiler can check is
//! written as constants whose evaluation fails at the user's expression.
//!
//! The items inside the block start with two underscores: the user's constant
//! expressions are in there too and must not meet them.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::constants::{self, Constants};
use crate::methods;
use crate::presets::Hardening;
use crate::spec::{Extend, Sizes, Spec};
use crate::spelling::tidy;
use crate::words::{ExportWord, InlineWord, StatsWord, ThpWord, TlsWord};
use crate::written::{OnCorruption, Purge};

/// Everything that belongs to the type `name`.
pub(crate) fn allocator(name: &Ident, spec: &Spec) -> TokenStream {
    let core = &spec.core;
    let Constants {
        checks,
        class_bytes,
        cache,
        direct_max,
        batch,
        limit,
    } = constants::of(spec);
    let count = Literal::usize_unsuffixed(spec.classes.len());
    let waiting = match spec.hardening.quarantine {
        0 => Literal::usize_unsuffixed(0),
        _ => count.clone(),
    };
    let config = config(name, spec, &cache, batch, limit);
    let (slot, slot_static, slot_address) = slot(name, spec);
    let (extra, export) = export(name, spec);
    let watched = match &spec.sizes {
        Sizes::List { file: Some(path) } => {
            let path = path.to_string_lossy();
            quote!(
                const _: &[u8] = ::core::include_bytes!(#path);
            )
        }
        _ => TokenStream::new(),
    };
    let methods = methods::of(name, spec.inline);

    quote! {
        #[allow(
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction,
            dead_code,
            trivial_numeric_casts,
            unreachable_pub,
            unsafe_code,
            unused_parens,
            unused_qualifications
        )]
        const _: () = {
            use #core::__private as __core;

            #watched
            #checks
            const __CLASS_BYTES: [u32; #count] = #class_bytes;
            const __DIRECT_MAX: u32 = #direct_max;
            static __DIRECT: [u16; __core::direct_len(__DIRECT_MAX as usize)] =
                __core::direct_table(&__CLASS_BYTES);
            static __STARTS: [u64; #count] = __core::start_table(&__CLASS_BYTES);
            #slot_static
            static __SHARED: __core::Shared<#name> = __core::Shared::new();

            const __CONFIG: __core::Config = #config;

            // SAFETY: the slot, the tables and the shared state are statics of this block:
            // nobody else reaches them, and they are the same at every call. The classes
            // obey the rules of a list, or the constants above do not compile.
            #[doc(hidden)]
            unsafe impl __core::Choices for #name {
                const CONFIG: __core::Config = __CONFIG;
                type PerClass<__T> = [__T; #count #extra];
                type PerWaitingClass<__T> = [__T; #waiting];
                #[inline(always)]
                fn direct_table() -> &'static [u16] {
                    &__DIRECT
                }
                #[inline(always)]
                fn start_table() -> &'static [u64] {
                    &__STARTS
                }
            }

            // SAFETY: as above.
            #[doc(hidden)]
            unsafe impl __core::Declared for #name {
                type Slot = #slot;
                #[inline(always)]
                fn slot() -> *const Self::Slot {
                    #slot_address
                }
                #[inline(always)]
                fn shared() -> &'static __core::Shared<#name> {
                    &__SHARED
                }
            }

            #export
            #methods
        };
    }
}

/// The type of what a thread keeps, the item that is it, and the expression of its address.
fn slot(name: &Ident, spec: &Spec) -> (TokenStream, TokenStream, TokenStream) {
    let slot = match spec.tls {
        TlsWord::Inline => quote!(__core::InlineSlot<#name>),
        TlsWord::Pointer => quote!(__core::PointerSlot<#name>),
        TlsWord::InitialExec => {
            let core = &spec.core;
            return (
                quote!(__core::InitialExecSlot<#name>),
                quote!(#core::__thread_word!();),
                quote!(const { &<__core::InitialExecSlot<#name>>::new() }),
            );
        }
    };
    let item = quote! {
        ::std::thread_local! {
            static __SLOT: #slot = const { <#slot>::new() };
        }
    };
    (slot, item, quote!(__SLOT.with(::core::ptr::from_ref)))
}

/// What is in an array per class beside the classes, and the items that export the type.
fn export(name: &Ident, spec: &Spec) -> (TokenStream, TokenStream) {
    let core = &spec.core;
    match spec.export {
        ExportWord::Off => Default::default(),
        ExportWord::Malloc => {
            let items = quote! {
                static __MALLOC: [u16; __core::malloc_len(__DIRECT_MAX as usize)] =
                    __core::malloc_table(&__CLASS_BYTES);

                // SAFETY: the type is exported, and the table is that of its classes.
                unsafe impl __core::Exported for #name {
                    #[inline(always)]
                    fn malloc_table() -> &'static [u16] {
                        &__MALLOC
                    }
                }

                #core::__export_malloc!(#name);
            };
            (quote!(+ 1), items)
        }
    }
}

/// The `Hardening` of the type.
fn hardening(spec: &Spec) -> TokenStream {
    let Hardening {
        links,
        pages,
        headers,
        ends,
        guards,
        isolate,
        canaries,
        zero,
        shuffle,
        quarantine,
        sample,
    } = spec.hardening;
    let quarantine = Literal::u64_unsuffixed(quarantine);
    let sample = Literal::u64_unsuffixed(sample);
    quote! {
        __core::Hardening {
            links: #links,
            pages: #pages,
            headers: #headers,
            ends: #ends,
            guards: #guards,
            isolate: #isolate,
            canaries: #canaries,
            zero: #zero,
            shuffle: #shuffle,
            quarantine_bytes: #quarantine,
            sample: #sample,
        }
    }
}

/// The `Config` of the type.
fn config(
    name: &Ident,
    spec: &Spec,
    cache: &TokenStream,
    batch: Option<TokenStream>,
    limit: Option<TokenStream>,
) -> TokenStream {
    let literal = |value| Literal::u64_unsuffixed(value);
    let name = name.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    let sizes = match &spec.sizes {
        Sizes::Standard => quote!(Standard),
        Sizes::Geometric {
            quantum,
            per_doubling,
            max,
        } => {
            let (quantum, per_doubling) = (literal(*quantum), literal(*per_doubling));
            let max = literal(*max);
            quote!(Geometric { quantum: #quantum, per_doubling: #per_doubling, max: #max })
        }
        Sizes::List { .. } => quote!(List),
    };
    let extend = match (&spec.small_extend, batch) {
        (Extend::Batch(_), batch) => quote!(Batch(#batch)),
        (Extend::HalfRemaining, _) => quote!(HalfRemaining),
        (Extend::All, _) => quote!(All),
    };
    let (small, large) = (literal(spec.retire_small), literal(spec.retire_large));
    let (local_first, skip_collect) = (spec.local_first, spec.skip_collect);
    let inline = match spec.inline {
        InlineWord::Hot => quote!(Hot),
        InlineWord::Never => quote!(Never),
    };
    let page = literal(spec.page);
    let purge = match spec.purge {
        Purge::Never => quote!(Never),
        Purge::Now => quote!(Now),
        Purge::After(millis) => {
            let millis = literal(millis);
            quote!(After(#millis))
        }
    };
    let thp = match spec.thp {
        ThpWord::Default => quote!(Default),
        ThpWord::Never => quote!(Never),
        ThpWord::Always => quote!(Always),
    };
    let hardening = hardening(spec);
    let on_corruption = match &spec.on_corruption {
        OnCorruption::Abort => quote!(Abort),
        OnCorruption::Trap => quote!(Trap),
        OnCorruption::Hook(path) => {
            let text = tidy(path);
            // So that a function of another type is underlined where it is named.
            let call = quote_spanned!(path.span()=> |__corruption| { #path(__corruption); });
            quote!(Hook(__core::Hook { path: #text, call: #call }))
        }
    };
    let stats = match spec.stats {
        StatsWord::Off => quote!(Off),
        StatsWord::Counters => quote!(Counters),
        StatsWord::Histogram => quote!(Histogram),
    };
    let limit = match limit {
        Some(bytes) => quote!(::core::option::Option::Some(#bytes)),
        None => quote!(::core::option::Option::None),
    };
    let tls = match spec.tls {
        TlsWord::Inline => quote!(Inline),
        TlsWord::Pointer => quote!(Pointer),
        TlsWord::InitialExec => quote!(InitialExec),
    };
    let export = match spec.export {
        ExportWord::Off => quote!(Off),
        ExportWord::Malloc => quote!(Malloc),
    };
    quote! {
        __core::Config {
            name: #name,
            size_classes: __core::SizeClasses::#sizes,
            class_bytes: &__CLASS_BYTES,
            small_extend: __core::Extend::#extend,
            retire_cycles: __core::RetireCycles { small: #small, large: #large },
            fast_path: __core::FastPath {
                local_first: #local_first,
                skip_collect: #skip_collect,
                cache: #cache,
                direct_max: __DIRECT_MAX,
                inline: __core::Inline::#inline,
            },
            page_bytes: #page,
            purge: __core::Purge::#purge,
            thp: __core::Thp::#thp,
            hardening: #hardening,
            on_corruption: __core::OnCorruption::#on_corruption,
            stats: __core::StatsLevel::#stats,
            limit_bytes: #limit,
            tls: __core::Tls::#tls,
            export: __core::Export::#export,
        }
    }
}
