//! Numbers with units: `32KiB`, `10ms`, `48`. Reads literals and what can be
//! computed from literals, and writes numbers the way a user would.

use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use syn::{BinOp, Expr, Lit, LitFloat, LitInt, Type, UnOp};

use crate::spelling::{quoted_or, tidy};
use crate::typing;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes; a bare integer is bytes.
    Bytes,
    /// Milliseconds; a bare integer is milliseconds.
    Millis,
    /// Things that have no unit; the word says which.
    Of(&'static str),
}

/// A number as the user gave it.
#[derive(Clone)]
pub(crate) enum Amount {
    /// Known while the macro runs.
    Known(u64),
    /// A constant expression: only the compiler knows it, after the macro ran.
    Constant(Box<Expr>),
}

/// What is wrong with a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The message says what to write instead.
    Complete(String),
    /// The message only says what it is; what is allowed is still to be said.
    Partial(String),
}

impl Mistake {
    /// The message, with the rule where it does not say itself what to write.
    pub(crate) fn or_rule(self, rule: impl FnOnce() -> String) -> String {
        match self {
            Mistake::Complete(message) => message,
            Mistake::Partial(message) => format!("{message}; {}", rule()),
        }
    }
}

/// Suffixes of sizes and their factors, smallest first.
const BYTE_SUFFIXES: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Suffixes of times and their factors, smallest first.
const MILLI_SUFFIXES: &[(&str, u64)] = &[("ms", 1), ("s", 1000)];

/// What people also write for a suffix, in lower case.
const ALIASES: &[(&str, &[&str])] = &[
    ("B", &["b", "byte", "bytes"]),
    ("KiB", &["k", "kb", "ki", "kib"]),
    ("MiB", &["m", "mb", "mi", "mib"]),
    ("GiB", &["g", "gb", "gi", "gib"]),
    ("ms", &["ms", "msec", "msecs", "millis"]),
    ("s", &["s", "sec", "secs", "second", "seconds"]),
];

impl Unit {
    /// Suffixes that a number of this unit may have.
    fn suffixes(self) -> &'static [(&'static str, u64)] {
        match self {
            Unit::Bytes => BYTE_SUFFIXES,
            Unit::Millis => MILLI_SUFFIXES,
            Unit::Of(_) => &[],
        }
    }

    /// The factor of a suffix that this unit has.
    fn factor(self, suffix: &str) -> Option<u64> {
        let known = self.suffixes().iter().find(|(name, _)| *name == suffix);
        known
            .map(|(_, factor)| *factor)
            .or(suffix.is_empty().then_some(1))
    }

    /// How a number of this unit is written.
    fn rule(self) -> String {
        let suffixes = quoted_or(self.suffixes().iter().map(|(suffix, _)| suffix));
        match self {
            Unit::Bytes => format!("a size is a number of bytes, or has the unit {suffixes}"),
            Unit::Millis => {
                format!("a time is a number of milliseconds, or has the unit {suffixes}")
            }
            Unit::Of(things) => format!("a number of {things} has no unit"),
        }
    }

    /// The number as a user would write it: `32KiB`, `10ms`, `48`.
    pub(crate) fn show(self, value: u64) -> String {
        // The largest suffix that divides the value: exact, and the shortest.
        let exact = |(_, factor): &&(&str, u64)| value != 0 && value.is_multiple_of(*factor);
        match self.suffixes().iter().rev().find(exact) {
            Some((suffix, factor)) if *suffix != "B" => format!("{}{suffix}", value / factor),
            _ => value.to_string(),
        }
    }
}

/// The number that an expression is, or what is wrong with it.
pub(crate) fn amount(expr: &Expr, unit: Unit) -> Result<Amount, Mistake> {
    match expr {
        Expr::Group(group) => amount(&group.expr, unit),
        Expr::Paren(paren) => amount(&paren.expr, unit),
        Expr::Lit(lit) => literal_of(&lit.lit, unit).map(Amount::Known),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            Err(Mistake::Partial(format!("`{}` is negative", tidy(expr))))
        }
        // Whatever they hold, these are no numbers; the compiler's words would be about casts.
        Expr::Array(_)
        | Expr::Assign(_)
        | Expr::Closure(_)
        | Expr::Range(_)
        | Expr::Reference(_)
        | Expr::Repeat(_)
        | Expr::Struct(_)
        | Expr::Tuple(_)
        | Expr::Verbatim(_) => Err(Mistake::Partial(format!(
            "`{}` is not a number",
            tidy(expr)
        ))),
        // As numbers they would be 0 and 1, and be taken for that.
        Expr::Binary(binary) if is_verdict(binary.op) => {
            Err(Mistake::Partial("a comparison is not a number".to_owned()))
        }
        Expr::Cast(cast) if is_fraction(&cast.ty) => Err(Mistake::Partial(format!(
            "`{}` is not a whole number",
            tidy(expr)
        ))),
        _ => Ok(match computed(expr, unit) {
            Some(value) => Amount::Known(value),
            None => {
                let plain = syn::parse2(without_suffixes(expr));
                let mut plain = plain.unwrap_or(expr.clone());
                typing::settle(&mut plain);
                Amount::Constant(Box::new(plain))
            }
        }),
    }
}

/// Whether an operator compares, or joins what was compared.
fn is_verdict(op: BinOp) -> bool {
    matches!(
        op,
        BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::Lt(_)
            | BinOp::Le(_)
            | BinOp::Gt(_)
            | BinOp::Ge(_)
            | BinOp::And(_)
            | BinOp::Or(_)
    )
}

/// Whether a type is one of fractions.
fn is_fraction(of: &Type) -> bool {
    matches!(of, Type::Path(of) if of.path.is_ident("f32") || of.path.is_ident("f64"))
}

/// The value of a literal of any kind.
fn literal_of(lit: &Lit, unit: Unit) -> Result<u64, Mistake> {
    match lit {
        Lit::Int(int) => literal(int, unit),
        Lit::Float(float) => Err(fraction(float, unit)),
        Lit::Str(text) => Err(match syn::parse_str::<LitInt>(&text.value()) {
            Ok(int) => Mistake::Complete(format!("a number is written without quotes: `{int}`")),
            Err(_) => Mistake::Partial(format!("`{}` is not a number", tidy(text))),
        }),
        other => Err(Mistake::Partial(format!(
            "`{}` is not a number",
            tidy(other)
        ))),
    }
}

/// What to say of `1.5KiB`.
fn fraction(float: &LitFloat, unit: Unit) -> Mistake {
    let not_whole = format!("`{float}` is not a whole number");
    let value: Option<f64> = float.base10_digits().parse().ok();
    match value.zip(unit.factor(float.suffix())) {
        Some((value, factor)) if (value * factor as f64).fract() == 0.0 => {
            let whole = unit.show((value * factor as f64) as u64);
            Mistake::Complete(format!("{not_whole}; write `{whole}`"))
        }
        _ => Mistake::Partial(not_whole),
    }
}

/// The value of a literal with its unit, or what is wrong with it.
pub(crate) fn literal(lit: &LitInt, unit: Unit) -> Result<u64, Mistake> {
    let Some(factor) = unit.factor(lit.suffix()) else {
        return Err(Mistake::Complete(wrong_suffix(lit, unit)));
    };
    let digits: Option<u64> = lit.base10_digits().parse().ok();
    digits
        .and_then(|digits| digits.checked_mul(factor))
        .ok_or_else(|| Mistake::Partial(format!("`{lit}` is over what 64 bits hold")))
}

/// What is wrong with a suffix that `unit` does not have.
fn wrong_suffix(lit: &LitInt, unit: Unit) -> String {
    let (digits, suffix) = (lit.base10_digits(), lit.suffix());
    if matches!(unit, Unit::Of(_)) {
        return format!("wrong unit `{suffix}`; {}: write `{digits}`", unit.rule());
    }
    if suffix.starts_with(['u', 'i']) && suffix.ends_with(|last: char| "8246e".contains(last)) {
        return format!("no type suffix `{suffix}` here; write `{digits}`");
    }
    let lower = suffix.to_ascii_lowercase();
    let meant = ALIASES
        .iter()
        .find(|(name, aliases)| unit.factor(name).is_some() && aliases.contains(&lower.as_str()));
    match meant {
        Some((name, _)) => {
            format!(
                "wrong unit `{suffix}`; did you mean `{digits}{name}`? {}",
                unit.rule()
            )
        }
        None => format!("wrong unit `{suffix}`; {}", unit.rule()),
    }
}

/// The value of arithmetic on literals, if it is nothing else.
fn computed(expr: &Expr, unit: Unit) -> Option<u64> {
    match expr {
        Expr::Group(group) => computed(&group.expr, unit),
        Expr::Paren(paren) => computed(&paren.expr, unit),
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => literal(int, unit).ok(),
            _ => None,
        },
        Expr::Binary(binary) => {
            let left = computed(&binary.left, unit)?;
            let right = computed(&binary.right, unit)?;
            match binary.op {
                BinOp::Add(_) => left.checked_add(right),
                BinOp::Sub(_) => left.checked_sub(right),
                BinOp::Mul(_) => left.checked_mul(right),
                BinOp::Div(_) => left.checked_div(right),
                BinOp::Shl(_) => 1u64.checked_shl(right.try_into().ok()?)?.checked_mul(left),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The tokens with `4KiB` written as `4096`: `RECORD + 4KiB` is then Rust.
///
/// What `macro_rules!` puts together invisibly is put into brackets, because the compiler does not see it in the
/// output of a macro: `$bytes * 2` of `A + B` would be `A + B * 2`.
fn without_suffixes(tokens: impl quote::ToTokens) -> TokenStream {
    let plain = |tree: TokenTree| match tree {
        TokenTree::Group(group) => {
            let stream = without_suffixes(group.stream());
            let delimiter = match group.delimiter() {
                Delimiter::None if is_operation(stream.clone()) => Delimiter::Parenthesis,
                delimiter => delimiter,
            };
            let mut inner = Group::new(delimiter, stream);
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        TokenTree::Literal(literal) => {
            let value = match syn::parse2::<LitInt>(TokenTree::from(literal.clone()).into()) {
                Ok(int) if !int.suffix().is_empty() => self::literal(&int, Unit::Bytes).ok(),
                _ => None,
            };
            let mut plain = value.map_or(literal.clone(), Literal::u64_unsuffixed);
            plain.set_span(literal.span());
            TokenTree::Literal(plain)
        }
        other => other,
    };
    tokens.into_token_stream().into_iter().map(plain).collect()
}

/// Whether tokens are operands and what is done with them, which no type, path or name is.
fn is_operation(tokens: TokenStream) -> bool {
    matches!(
        syn::parse2(tokens),
        Ok(Expr::Binary(_) | Expr::Cast(_) | Expr::Unary(_))
    )
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn bytes(text: &str) -> Result<u64, String> {
        known(text, Unit::Bytes)
    }

    fn known(text: &str, unit: Unit) -> Result<u64, String> {
        let amount = amount(&syn::parse_str(text).unwrap(), unit);
        match amount.map_err(|mistake| mistake.or_rule(|| "rule".to_owned()))? {
            Amount::Known(value) => Ok(value),
            Amount::Constant(expr) => Err(format!("constant {}", expr.to_token_stream())),
        }
    }

    #[test]
    fn sizes_and_times_have_suffixes() {
        assert_eq!(bytes("32KiB"), Ok(32768));
        assert_eq!(bytes("0x20"), Ok(32));
        assert_eq!(bytes("1_000"), Ok(1000));
        assert_eq!(bytes("64B"), Ok(64));
        assert_eq!(known("10ms", Unit::Millis), Ok(10));
        assert_eq!(known("2s", Unit::Millis), Ok(2000));
        assert_eq!(known("48", Unit::Of("blocks")), Ok(48));
    }

    #[test]
    fn arithmetic_on_literals_is_computed() {
        assert_eq!(bytes("4 * 1024"), Ok(4096));
        assert_eq!(bytes("(1 << 12) + 2KiB"), Ok(6144));
        assert_eq!(bytes("2 * 32KiB / 4 - 1"), Ok(16383));
    }

    #[test]
    fn other_expressions_are_constants_with_plain_literals() {
        assert_eq!(
            bytes("RECORD + (4KiB)"),
            Err("constant RECORD + (4096)".to_owned())
        );
        assert_eq!(bytes("1 - 2"), Err("constant 1usize - 2usize".to_owned()));
    }

    #[test]
    fn wrong_suffixes_name_what_was_meant() {
        let message = bytes("4KB").unwrap_err();
        assert!(
            message.starts_with("wrong unit `KB`; did you mean `4KiB`?"),
            "{message}"
        );
        let message = bytes("4ms").unwrap_err();
        assert!(
            message.starts_with("wrong unit `ms`; a size is a number"),
            "{message}"
        );
        let message = known("4KiB", Unit::Of("blocks")).unwrap_err();
        assert_eq!(
            message,
            "wrong unit `KiB`; a number of blocks has no unit: write `4`"
        );
        assert_eq!(
            bytes("4usize"),
            Err("no type suffix `usize` here; write `4`".to_owned())
        );
    }

    #[test]
    fn other_literals_say_what_they_are() {
        let message = |text| bytes(text).unwrap_err();
        assert_eq!(
            message("1.5KiB"),
            "`1.5KiB` is not a whole number; write `1536`"
        );
        assert_eq!(message("0.3KiB"), "`0.3KiB` is not a whole number; rule");
        assert_eq!(message("-8"), "`-8` is negative; rule");
        assert_eq!(message("\"8\""), "a number is written without quotes: `8`");
        assert_eq!(message("true"), "`true` is not a number; rule");
    }

    #[test]
    fn numbers_over_64_bits_are_refused() {
        assert!(bytes("99999999999999999999").is_err());
        assert!(bytes("99999999999GiB").is_err());
    }

    #[test]
    fn numbers_are_shown_as_a_user_writes_them() {
        assert_eq!(Unit::Bytes.show(32768), "32KiB");
        assert_eq!(Unit::Bytes.show(1 << 20), "1MiB");
        assert_eq!(Unit::Bytes.show(1000), "1000");
        assert_eq!(Unit::Bytes.show(0), "0");
        assert_eq!(Unit::Millis.show(10), "10ms");
        assert_eq!(Unit::Millis.show(1000), "1s");
        assert_eq!(Unit::Of("blocks").show(1024), "1024");
    }
}
