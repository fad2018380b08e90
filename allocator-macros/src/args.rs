//! The attribute's arguments as syntax: names, values and where they stand.
//! Nothing is judged here beyond being readable.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprAssign, Ident, Lifetime, LitStr, Token, parse_quote, token};

use crate::errors::Errors;

/// One `key`, `key = value` or `key(…)`.
#[derive(Clone)]
pub(crate) struct Arg {
    /// The name in front.
    pub key: Ident,
    /// What follows it.
    pub value: Value,
}

/// What follows a key.
#[derive(Clone)]
pub(crate) enum Value {
    /// Nothing.
    Absent,
    /// `= value`.
    Is(Expr),
    /// `(…)`.
    Group(Vec<Piece>),
}

/// One item of a `(…)`.
#[derive(Clone)]
pub(crate) enum Piece {
    /// With a name in front.
    Named(Arg),
    /// A value alone.
    Bare(Expr),
}

/// Reads all arguments; what cannot be read is reported and skipped.
pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Vec<Arg> {
    let inside = |input: ParseStream| Ok(items(input, errors, arg));
    match inside.parse2(tokens) {
        Ok(args) => args,
        Err(error) => {
            errors.push(error);
            Vec::new()
        }
    }
}

/// The items of `(…)` if the expression is one: `(small = 48, large = 16)`.
pub(crate) fn group(expr: &Expr) -> Option<Vec<Piece>> {
    match expr {
        Expr::Group(group) => self::group(&group.expr),
        Expr::Paren(paren) => Some(vec![piece((*paren.expr).clone())]),
        Expr::Tuple(tuple) => Some(tuple.elems.iter().cloned().map(piece).collect()),
        _ => None,
    }
}

/// The word and, if it has them, the arguments: `never`, `after(10ms)`.
pub(crate) fn word(expr: &Expr) -> Option<(&Ident, Option<Vec<Piece>>)> {
    match expr {
        Expr::Group(group) => word(&group.expr),
        Expr::Path(path) => Some((path.path.get_ident()?, None)),
        Expr::Call(call) => {
            let (name, None) = word(&call.func)? else {
                return None;
            };
            Some((name, Some(call.args.iter().cloned().map(piece).collect())))
        }
        _ => None,
    }
}

/// The expression out of the invisible brackets that `macro_rules!` puts around it.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => bare(&group.expr),
        _ => expr,
    }
}

/// Reads one argument.
fn arg(input: ParseStream, errors: &mut Errors) -> syn::Result<Arg> {
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let message = format!("a name is written without quotes: `{}`", text.value());
        return Err(syn::Error::new_spanned(text, message));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected the name of an option, as in `page = 64KiB`"));
    }
    let key = input.call(Ident::parse_any)?;
    if let Some(name) = hyphenated(input, &key) {
        let message = format!("names have `_` where others have `-`; write `{name}`");
        return Err(syn::Error::new_spanned(key, message));
    }
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        Value::Is(value_of(&key, input)?)
    } else if input.peek(token::Paren) {
        let group: proc_macro2::Group = input.parse()?;
        let inside = |input: ParseStream| Ok(items(input, errors, expr));
        let exprs = inside.parse2(group.stream())?;
        Value::Group(exprs.into_iter().map(piece).collect())
    } else if at_end(input) {
        Value::Absent
    } else {
        return Err(input.error(format!("expected `=`, `(` or `,` after `{key}`")));
    };
    Ok(Arg { key, value })
}

/// `size_classes` for `size-classes`.
fn hyphenated(input: ParseStream, key: &Ident) -> Option<String> {
    let ahead = input.fork();
    let mut name = key.to_string();
    while ahead.parse::<Token![-]>().is_ok() {
        name = format!("{name}_{}", ahead.call(Ident::parse_any).ok()?);
    }
    (*key != name).then_some(name)
}

/// Reads one value inside a `(…)`, or a name and its value as an assignment.
fn expr(input: ParseStream, _: &mut Errors) -> syn::Result<Expr> {
    if !input.peek(Ident) || !input.peek2(Token![=]) || input.peek2(Token![==]) {
        return value(input);
    }
    let key: Ident = input.parse()?;
    Ok(Expr::Assign(ExprAssign {
        attrs: Vec::new(),
        eq_token: input.parse()?,
        right: Box::new(value_of(&key, input)?),
        left: Box::new(parse_quote!(#key)),
    }))
}

/// Reads what is behind `key =`.
fn value_of(key: &Ident, input: ParseStream) -> syn::Result<Expr> {
    if at_end(input) {
        let message = format!("`{key}` has no value after `=`");
        return Err(syn::Error::new_spanned(key, message));
    }
    value(input)
}

/// Reads a value. What begins with a keyword or breaks off is left as it is, for who knows what is allowed: of that, syn
/// only says what might follow.
fn value(input: ParseStream) -> syn::Result<Expr> {
    let ahead = input.fork();
    match ahead.parse() {
        Ok(expr) => {
            input.advance_to(&ahead);
            Ok(expr)
        }
        Err(error) => {
            let is_keyword = input.peek(Ident::peek_any) && !input.peek(Ident);
            let breaks_off = error.to_string().starts_with("unexpected end of input");
            if !(is_keyword || breaks_off || input.peek(Lifetime)) || input.is_empty() {
                return Err(error);
            }
            let mut rest = TokenStream::new();
            while !at_end(input) {
                rest.extend([input.parse::<TokenTree>()?]);
            }
            Ok(Expr::Verbatim(rest))
        }
    }
}

/// Whether the item ends here.
fn at_end(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// `name`, `name = value` and `name(…)` are named, all else is a value alone.
fn piece(expr: Expr) -> Piece {
    match expr {
        Expr::Assign(assign) => match word(&assign.left) {
            Some((key, None)) => Piece::Named(Arg {
                key: key.clone(),
                value: Value::Is(*assign.right),
            }),
            _ => Piece::Bare(Expr::Assign(assign)),
        },
        other => match word(&other) {
            Some((key, None)) => Piece::Named(Arg {
                key: key.clone(),
                value: Value::Absent,
            }),
            _ => Piece::Bare(other),
        },
    }
}

/// Reads items between commas. One that cannot be read is reported and skipped:
/// a mistake in it does not hide those in the next.
fn items<T>(
    input: ParseStream,
    errors: &mut Errors,
    item: fn(ParseStream, &mut Errors) -> syn::Result<T>,
) -> Vec<T> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        let result = item(&ahead, errors).and_then(|item| match at_end(&ahead) {
            true => Ok(item),
            false => Err(ahead.error("expected `,`")),
        });
        match result {
            Ok(item) => {
                items.push(item);
                input.advance_to(&ahead);
            }
            Err(error) => {
                errors.push(error);
                while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
            }
        }
        let _ = input.parse::<Option<Token![,]>>();
    }
    items
}
