//! The macro of `allocator-core`: [`macro@derive_allocator`].
//!
//! A pipeline of small steps, each of which knows only what is before it:
//! tokens → `args` (syntax) → `read` (against the table in `options`) →
//! `written` (options as written) → `validate` → `spec` (only legal states) →
//! `expand`. Every step adds to one list of `errors`, and goes on.

mod args;
mod class_file;
mod classes;
mod constants;
mod errors;
mod expand;
mod inert;
mod item;
mod messages;
mod methods;
mod number;
mod options;
#[cfg(test)]
mod options_doc;
mod presets;
mod read;
mod spec;
mod spelling;
#[cfg(test)]
mod tests;
mod type_doc;
mod typing;
mod validate;
mod words;
mod written;

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::errors::Errors;
use crate::item::Target;
use crate::written::{Field, Options};

/// Makes a memory allocator of a unit struct.
///
/// ```ignore
/// use allocator_core::derive_allocator;
///
/// /// Allocator of the request path.
/// #[derive_allocator(
///     preset = balanced,
///     size_classes = geometric(quantum = 8, per_doubling = 4, max = 32KiB),
///     small_extend = half_remaining,
///     retire_cycles(small = 48, large = 16),
///     fast_path(local_first, skip_collect, cache = 64),
///     purge = after(10ms),
/// )]
/// pub struct RequestAlloc;
///
/// #[global_allocator]
/// static GLOBAL: RequestAlloc = RequestAlloc;
/// ```
///
/// Nothing has to be written: `#[derive_allocator] struct A;` is the default preset. Every
/// option is a constant, so what is off leaves no instruction. The type implements
/// `GlobalAlloc` and has `allocate`, `deallocate`, `reallocate`, `usable_size`, `purge`, `stats`
/// and `CONFIG`; its rustdoc shows its configuration and its size classes.
///
/// Every mistake is a compile error at the token that is wrong, and all are reported at once.
/// The declaring crate must not *forbid* `unsafe_code` (`deny` will do), as `GlobalAlloc` is an unsafe trait.
///
#[doc = include_str!("options.md")]
#[proc_macro_attribute]
pub fn derive_allocator(
    args: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    allocator(args.into(), item.into()).into()
}

/// The expansion, or every mistake and a stand-in.
fn allocator(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let target = item::read(item, &mut errors);
    let args = args::read(args, &mut errors);
    let options = read::options(&args, &mut errors);
    let core = options.core.or(parse_quote!(::allocator_core));
    let core = core.unwrap_or_else(|| parse_quote!(::allocator_core));
    // The class files of a crate are below its root; cargo says where that is.
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let spec = validate::spec(options, &root, &mut errors);

    // On a mistake a default allocator stands in: whoever uses the type compiles.
    let spec = spec.or_else(|| {
        let core = Field::from_read(Some(core.clone()), &core);
        let options = Options {
            core,
            ..Options::default()
        };
        validate::spec(options, &root, &mut Errors::default())
    });
    let stand_in = match (target, spec) {
        (Target::Unit(mut item), Some(spec)) => {
            let undocumented = !item.attrs.iter().any(|attr| attr.path().is_ident("doc"));
            let text = type_doc::text(&spec, undocumented);
            item.attrs.push(parse_quote!(#[doc = #text]));
            let impls = expand::allocator(&item.ident, &spec);
            quote!(#item #impls)
        }
        (Target::Unit(item), None) => quote!(#item),
        (Target::OtherType(name, generics, item), Some(spec)) => {
            let impls = match generics.params.is_empty() {
                true => expand::allocator(&name, &spec),
                false => inert::methods(&name, &generics, &spec),
            };
            quote!(#item #impls)
        }
        (Target::OtherType(_, _, item), None) | (Target::NoType(item), _) => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#errors #stand_in)
}
