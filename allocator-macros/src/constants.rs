//! The numbers of the expansion: literals where the macro knows them, and where
//! it does not, constants that do not compile unless they are legal.
//!
//! A check that fails stops nothing else from compiling: a mistake is one error,
//! at the user's expression.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};

use syn::Expr;

use crate::number::{Amount, Unit};
use crate::options::{BATCH, CLASS_STEP, LIMIT, MALLOC_ALIGN, SIGNED_MIN};
use crate::spec::{Bounded, Extend, Spec, page_of};
use crate::type_doc::amount;
use crate::words::ExportWord;
use crate::written::Written;

/// The numbers that the configuration is made of.
pub(crate) struct Constants {
    /// Items that check what the macro does not know, and those that the others name.
    pub checks: TokenStream,
    /// The classes as an expression of type `[u32; _]`.
    pub class_bytes: TokenStream,
    /// `cache` as an expression of type `u32`.
    pub cache: TokenStream,
    /// `direct_max` as an expression of type `u32`.
    pub direct_max: TokenStream,
    /// The bytes of `batch(…)` as an expression of type `u32`, if that is the policy.
    pub batch: Option<TokenStream>,
    /// `limit` as an expression of type `usize`, if there is one.
    pub limit: Option<TokenStream>,
}

/// Something that must hold, and what to say when it does not.
struct Check {
    holds: TokenStream,
    message: String,
}

/// Writes every number of the specification.
pub(crate) fn of(spec: &Spec) -> Constants {
    let (mut checks, class_bytes) = classes(spec);
    let page = Literal::u64_unsuffixed(spec.page);
    let last = Literal::usize_unsuffixed(spec.classes.len() - 1);
    let cache = bounded(
        "__CACHE",
        &spec.cache,
        spec.classes.first(),
        quote!((#page / __CLASS_BYTES[0])),
        "the cache is too large for its bytes: that many blocks of the smallest class do not fit \
         a page",
        &mut checks,
    );
    let direct_max = bounded(
        "__DIRECT_MAX",
        &spec.direct_max,
        spec.classes.last(),
        quote!(__CLASS_BYTES[#last]),
        "`direct_max` must not be above the largest class",
        &mut checks,
    );
    let batch = match &spec.small_extend {
        Extend::Batch(batch) => {
            let (min, page_shown) = (BATCH.min, Unit::Bytes.show(spec.page));
            let message = format!("`batch` must be from {min} to the page of {page_shown}");
            Some(ranged(
                "__BATCH",
                batch,
                BATCH.min,
                spec.page,
                message,
                &mut checks,
            ))
        }
        Extend::HalfRemaining | Extend::All => None,
    };
    // As in `validate`: one page of the largest class has room, where that is known.
    let largest = match spec.classes.last().map(|class| &class.value) {
        Some(Amount::Known(bytes)) => page_of(*bytes, spec.page),
        _ => 0,
    };
    let least = LIMIT.min.max(largest);
    let limit = spec.limit.as_ref().map(|limit| {
        let message = format!("`limit` must be at least {}", Unit::Bytes.show(least));
        ranged("__LIMIT", limit, least, LIMIT.max, message, &mut checks)
    });
    Constants {
        checks,
        class_bytes,
        cache,
        direct_max,
        batch,
        limit,
    }
}

/// The checks of the classes that the macro does not know, and all classes.
fn classes(spec: &Spec) -> (TokenStream, TokenStream) {
    let page = Literal::u64_unsuffixed(spec.page);
    let count = Literal::usize_unsuffixed(spec.classes.len());
    let mut items = TokenStream::new();
    let mut all_hold = Vec::new();
    let mut before: Option<(&Written<Amount>, TokenStream)> = None;
    let mut bytes = Vec::new();
    for (index, class) in spec.classes.iter().enumerate() {
        let name = format_ident!("__CLASS_{index}");
        let this = match &class.value {
            Amount::Known(_) => number(class),
            Amount::Constant(expr) => {
                items.extend(given(&name, expr, &class.tokens));
                quote!(#name)
            }
        };
        let mut checks = Vec::new();
        if is_constant(class) {
            checks.push(alone(class, &this, &page, spec));
            if spec.export == ExportWord::Malloc && index + 1 == spec.classes.len() {
                checks.push(for_malloc(class, &this));
            }
        }
        if let Some((previous, bytes)) = &before
            && (is_constant(class) || is_constant(previous))
        {
            checks.extend(after(class, &this, previous, bytes, &page));
        }
        items.extend(checked(&name, class, &checks));
        all_hold.extend(checks.into_iter().map(|check| check.holds));
        bytes.push(quote!(#this as u32));
        before = Some((class, this));
    }
    if all_hold.is_empty() {
        let bytes = spec.classes.iter().map(number);
        return (items, quote!([#(#bytes),*]));
    }
    items.extend(quote!(const __CLASSES_ARE_LEGAL: bool = #((#all_hold))&&*;));
    // The stand-in serves every size, so that no table fails over it.
    (
        items,
        quote!(if __CLASSES_ARE_LEGAL { [#(#bytes),*] } else { [#page; #count] }),
    )
}

/// What must hold for a class by itself.
fn alone(class: &Written<Amount>, this: &TokenStream, page: &Literal, spec: &Spec) -> Check {
    let (shown, page_shown) = (amount(class), Unit::Bytes.show(spec.page));
    let least = match spec.hardening.links {
        true => SIGNED_MIN,
        false => CLASS_STEP,
    };
    let legal = legal_alone(this, page);
    let at_least = Literal::u64_unsuffixed(least);
    Check {
        holds: quote!(#legal && #this >= #at_least),
        message: format!(
            "class `{shown}` must be a multiple of {CLASS_STEP} from {least} to the page of \
             {page_shown}"
        ),
    }
}

/// What must hold for the last class of a type that C uses.
fn for_malloc(class: &Written<Amount>, this: &TokenStream) -> Check {
    let (shown, align) = (amount(class), Literal::u64_unsuffixed(MALLOC_ALIGN));
    Check {
        holds: quote!(#this % #align == 0),
        message: format!(
            "`export = malloc` needs a largest class that is a multiple of {MALLOC_ALIGN}, as C \
             aligns every block: `{shown}` is none"
        ),
    }
}

/// What must hold for a class after another, unless that one is wrong by itself.
fn after(
    class: &Written<Amount>,
    this: &TokenStream,
    before: &Written<Amount>,
    previous: &TokenStream,
    page: &Literal,
) -> [Check; 2] {
    let (shown, before) = (amount(class), amount(before));
    let judged = {
        let (this, previous) = (legal_alone(this, page), legal_alone(previous, page));
        quote!(!(#this && #previous))
    };
    [
        Check {
            holds: quote!(#judged || #this > #previous),
            message: format!("class `{shown}` must be above the class before it, `{before}`"),
        },
        Check {
            holds: quote!(#judged || #this <= 2 * #previous),
            message: format!(
                "class `{shown}` is over twice the class before it, `{before}`: a request just \
                 over that one would waste over half of its block; add a class between"
            ),
        },
    ]
}

/// Whether a number may be a class.
fn legal_alone(this: &TokenStream, page: &Literal) -> TokenStream {
    let step = Literal::u64_unsuffixed(CLASS_STEP);
    quote!((#this % #step == 0 && #this >= #step && #this <= #page))
}

/// A number whose bound follows from a class: compared by the macro already, or by the compiler.
fn bounded(
    name: &str,
    number: &Bounded,
    class: Option<&Written<Amount>>,
    bound: TokenStream,
    message: &str,
    checks: &mut TokenStream,
) -> TokenStream {
    let value = Literal::u64_unsuffixed(number.value);
    if !class.is_some_and(is_constant) {
        return value.into_token_stream();
    }
    if let Some(tokens) = &number.tokens {
        let (check, panic) = (format_ident!("{name}_IS_LEGAL"), panic_at(tokens, message));
        checks.extend(quote! {
            const #check: () = if __CLASSES_ARE_LEGAL && #value > #bound { #panic };
        });
    }
    quote!(if #value <= #bound { #value } else { #bound })
}

/// A number between two others.
fn ranged(
    name: &str,
    written: &Written<Amount>,
    min: u64,
    max: u64,
    message: String,
    checks: &mut TokenStream,
) -> TokenStream {
    let Amount::Constant(expr) = &written.value else {
        return number(written);
    };
    let name = format_ident!("{name}");
    let (min, max) = (Literal::u64_unsuffixed(min), Literal::u64_unsuffixed(max));
    let check = Check {
        holds: quote!(#name >= #min && #name <= #max),
        message,
    };
    checks.extend(given(&name, expr, &written.tokens));
    checks.extend(checked(&name, written, &[check]));
    quote!(#name as _)
}

/// A constant that does not compile, at the user's expression, unless all checks hold.
fn checked(name: &Ident, written: &Written<Amount>, checks: &[Check]) -> TokenStream {
    if checks.is_empty() {
        return TokenStream::new();
    }
    let check = format_ident!("{name}_IS_LEGAL");
    let panics = checks.iter().map(|Check { holds, message }| {
        let panic = panic_at(&written.tokens, message);
        quote!(if !(#holds) { #panic })
    });
    quote!(const #check: () = { #(#panics)* };)
}

/// The user's number as a constant. What is no number fails where the user wrote it.
fn given(name: &Ident, expr: &Expr, tokens: &TokenStream) -> TokenStream {
    let [first, last] = ends(tokens);
    let expr = quote_spanned!(first=> (#expr));
    let cast = quote_spanned!(last=> as u128);
    quote!(const #name: u128 = #expr #cast;)
}

/// A panic that stands where the user's tokens stand, from the first to the last.
fn panic_at(tokens: &TokenStream, message: &str) -> TokenStream {
    let [first, last] = ends(tokens);
    let mut arguments = Group::new(
        Delimiter::Parenthesis,
        quote_spanned!(last=> "{}", #message),
    );
    arguments.set_span(last);
    let arguments = TokenTree::Group(arguments);
    quote_spanned!(first=> ::core::panic! #arguments)
}

/// Where the first and the last token stand.
fn ends(tokens: &TokenStream) -> [Span; 2] {
    let mut spans = tokens.clone().into_iter().map(|tree| tree.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    [first, spans.last().unwrap_or(first)]
}

/// A number as tokens: a literal, or the constant expression.
fn number(written: &Written<Amount>) -> TokenStream {
    match &written.value {
        Amount::Known(bytes) => Literal::u64_unsuffixed(*bytes).into_token_stream(),
        Amount::Constant(expr) => quote!((#expr)),
    }
}

/// Whether only the compiler knows the number.
fn is_constant(written: &Written<Amount>) -> bool {
    matches!(written.value, Amount::Constant(_))
}
