//! The item under the attribute: a unit struct, or what stands in its place.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Fields, GenericParam, Generics, Ident, Item, ItemStruct};

use crate::errors::Errors;

/// The item as far as it can be used.
pub(crate) enum Target {
    /// A unit struct without generics, as it must be; those that it had were reported.
    Unit(ItemStruct),
    /// Another type; a mistake was reported.
    OtherType(Ident, Generics, TokenStream),
    /// No type at all; a mistake was reported.
    NoType(TokenStream),
}

/// Reads the item and reports what is wrong with it.
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Target {
    match syn::parse2(tokens.clone()) {
        Ok(Item::Struct(item)) => unit_struct(item, errors),
        Ok(Item::Enum(item)) => {
            let keyword = item.enum_token;
            errors.at(quote!(#keyword), not_a_struct("an enum", &item.ident));
            Target::OtherType(item.ident, item.generics, tokens)
        }
        Ok(Item::Union(item)) => {
            let keyword = item.union_token;
            errors.at(quote!(#keyword), not_a_struct("a union", &item.ident));
            Target::OtherType(item.ident, item.generics, tokens)
        }
        Ok(item) => {
            let message = "`derive_allocator` stands on a unit struct; write `struct MyAlloc;`";
            errors.at(item.to_token_stream(), message);
            Target::NoType(tokens)
        }
        Err(error) => {
            errors.push(error);
            Target::NoType(tokens)
        }
    }
}

/// Takes a second declaration off the item, where it would say everything twice, and reports it.
fn take_further_declarations(item: &mut ItemStruct, errors: &mut Errors) {
    item.attrs.retain(|attr| {
        let last = attr.path().segments.last();
        let is_ours = last.is_some_and(|segment| segment.ident == "derive_allocator");
        if is_ours {
            let message = "a type is declared once; write all options into one `derive_allocator`";
            errors.at(attr.path(), message);
        }
        !is_ours
    });
}

/// Reports what a unit struct does not have.
fn unit_struct(mut item: ItemStruct, errors: &mut Errors) -> Target {
    take_further_declarations(&mut item, errors);
    let name = &item.ident;
    let fields = match &item.fields {
        Fields::Unit => true,
        fields => {
            let message = format!(
                "an allocator has no fields: its state is per thread, not per value; write \
                 `struct {name};`"
            );
            errors.at(fields, message);
            false
        }
    };
    let (parameters, clause) = (&item.generics, &item.generics.where_clause);
    let generics = parameters.params.is_empty() && clause.is_none();
    if !generics {
        let message = format!(
            "an allocator has no generics: its statics belong to one type; write `struct {name};`"
        );
        match parameters.params.is_empty() {
            true => errors.at(clause, message),
            false => errors.at(parameters, message),
        }
    }
    let is_constant = |parameter| matches!(parameter, &GenericParam::Const(_));
    match fields && !parameters.params.iter().any(is_constant) {
        // Without fields, Rust has no use for other parameters: they would be a second error.
        true => Target::Unit(ItemStruct {
            generics: Generics::default(),
            ..item
        }),
        false => Target::OtherType(
            item.ident.clone(),
            item.generics.clone(),
            item.into_token_stream(),
        ),
    }
}

/// What to say of another kind of type.
fn not_a_struct(kind: &str, name: &Ident) -> String {
    format!("an allocator is a unit struct, not {kind}; write `struct {name};`")
}
