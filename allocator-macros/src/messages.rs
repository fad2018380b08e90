//! What is said of an option or value that does not match the table: what is
//! allowed, and what was probably meant.

use quote::ToTokens;
use syn::{Expr, ExprLit, Ident, Lit};

use crate::args::{Arg, Piece, Value};
use crate::options::{self, Row};
use crate::spelling::{nearest, quoted_and, quoted_or, tidy};
use crate::words::{Word, Words};

/// A name that no row has.
pub(crate) fn unknown_name<K: Copy>(
    arg: &Arg,
    rows: &'static [Row<K>],
    group: Option<&str>,
) -> String {
    let name = arg.key.to_string();
    let unknown = match group {
        None => format!("unknown option `{name}`"),
        Some(group) => format!("unknown part `{name}` of `{group}`"),
    };
    let names = || rows.iter().map(|row| row.name);
    if let Some(near) = nearest(&name, names()) {
        return format!("{unknown}; did you mean `{near}`?");
    }
    let value = match &arg.value {
        Value::Is(expr) => format!(" = {}", tidy(expr)),
        Value::Absent | Value::Group(_) => String::new(),
    };
    if let Some(owner) = options::group_of_part(&name) {
        return format!("`{name}` is a part of `{owner}`; write `{owner}({name}{value})`");
    }
    if group.is_some() && options::OPTIONS.iter().any(|row| row.name == name) {
        return format!("`{name}` is an option by itself; write it outside of the `(…)`");
    }
    match (options::owners_of_word(&name).as_slice(), group) {
        ([], None) => format!("{unknown}; the options are {}", quoted_and(names())),
        ([], Some(_)) => format!("{unknown}; its parts are {}", quoted_and(names())),
        (owners @ [first, ..], _) => {
            let owners = quoted_or(owners);
            format!("`{name}` is a value of {owners}; write `{first} = {name}`")
        }
    }
}

/// A name that was there before.
pub(crate) fn repeated(name: &str, group: Option<&str>) -> String {
    match group {
        None => format!("option `{name}` is repeated; write it once"),
        Some(group) => format!("part `{name}` of `{group}` is repeated; write it once"),
    }
}

/// A value in a group of named parts.
pub(crate) fn no_name<K>(rows: &[Row<K>], group: &str) -> String {
    let names = quoted_and(rows.iter().map(|row| row.name));
    format!("a value without a name; the parts of `{group}` are {names}")
}

/// `key` alone where `key = value` belongs.
pub(crate) fn no_value<K: Copy>(row: &Row<K>) -> String {
    format!("`{}` needs a value: {}", row.name, row.allowed())
}

/// `key(…)` where `key = …` belongs.
pub(crate) fn not_a_group<K: Copy>(row: &Row<K>, pieces: &[Piece]) -> String {
    let name = row.name;
    let meant = match pieces {
        [Piece::Bare(value)] => format!("{name} = {}", tidy(value)),
        [
            Piece::Named(Arg {
                key,
                value: Value::Absent,
            }),
        ] => format!("{name} = {key}"),
        _ => row.example(),
    };
    format!("`{name}` takes `=`, not `(…)`; write `{meant}`")
}

/// `key` or `key = value` where `key(…)` belongs.
pub(crate) fn not_without_group<K: Copy>(row: &Row<K>) -> String {
    format!("`{}` takes a `(…)`; write `{}`", row.name, row.example())
}

/// A value that is not one of the option's words.
pub(crate) fn unknown_word<K: Copy, T: Words>(word: &Ident, row: &Row<K>) -> String {
    let text = word.to_string();
    let is = is_one_of(row);
    if let Some(near) = nearest(&text, T::WORDS.iter().map(|word| word.name)) {
        return format!("unknown value `{text}`; did you mean `{near}`? {is}");
    }
    match misplaced(word, row.name) {
        None => format!("unknown value `{text}`; {is}"),
        Some(misplaced) => format!("{misplaced}; {is}"),
    }
}

/// A word that other options than `name` have as a value.
pub(crate) fn misplaced(word: &Ident, name: &str) -> Option<String> {
    let owners = options::owners_of_word(&word.to_string());
    (!owners.is_empty()).then(|| {
        format!(
            "`{word}` is a value of {}, not of `{name}`",
            quoted_or(owners)
        )
    })
}

/// A constant where a list of classes belongs.
pub(crate) fn name_of_a_list(expr: &Expr) -> Option<String> {
    let Expr::Path(path) = expr else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let is_constant = !name.contains(|letter: char| letter.is_ascii_lowercase());
    let list = tidy(expr);
    is_constant.then(|| {
        format!(
            "the macro cannot look into `{list}`; write the list out: its items may be constants, as \
             in `[{list}[0], {list}[1]]`"
        )
    })
}

/// A value that is no word at all.
pub(crate) fn not_a_word<K: Copy, T: Words>(row: &Row<K>, expr: &Expr) -> String {
    let literal = match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        _ => None,
    };
    let takes_number =
        |word: &&Word<T>| word.args.starts_with(|first: char| first.is_ascii_digit());
    match literal {
        Some(Lit::Str(text)) if T::WORDS.iter().any(|word| word.name == text.value()) => {
            format!("a word is written without quotes: `{}`", text.value())
        }
        Some(Lit::Int(number)) if T::WORDS.iter().any(|word| takes_number(&word)) => {
            let wrapper = T::WORDS
                .iter()
                .find(takes_number)
                .map_or("", |word| word.name);
            let meant = format!("{wrapper}({number})");
            let name = row.name;
            format!(
                "`{number}` is not a value of `{name}`; did you mean `{meant}`? {}",
                is_one_of(row)
            )
        }
        _ => format!("{}, not `{}`", is_one_of(row), tidy(expr)),
    }
}

/// A word with arguments that takes none.
pub(crate) fn no_arguments(word: &str) -> String {
    format!("`{word}` takes no arguments; write `{word}`")
}

/// A word without its arguments, or with too many.
pub(crate) fn wants_arguments(word: &str, example: &str) -> String {
    format!("`{word}` needs its `(…)`; write `{word}({example})`")
}

/// `retire_cycles(48)`, or `retire_cycles(48, large = 16)`.
pub(crate) fn retire_both(both: &Expr, alone: bool) -> String {
    let both = both.to_token_stream();
    match alone {
        true => format!("one number for both takes `=`; write `retire_cycles = {both}`"),
        false => format!(
            "`retire_cycles` has one number for all pages or named parts, not both; give `{both}` \
             the name `small` or `large`"
        ),
    }
}

/// `` `purge` is `never`, `now` or `after(10ms)` ``.
fn is_one_of<K: Copy>(row: &Row<K>) -> String {
    format!("`{}` is {}", row.name, row.allowed())
}
