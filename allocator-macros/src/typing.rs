//! The type of a constant expression: where nothing in it has one, its literals are `usize`. They would be `i32`
//! otherwise, which 4 GiB are not, and which `1MiB << SHIFT` leaves without a word.

use syn::{BinOp, Expr, Lit, LitInt, Stmt};

/// Gives each part that literals alone decide the type of, the type `usize`.
pub(crate) fn settle(expr: &mut Expr) {
    if !has_type(expr) {
        return give_type(expr);
    }
    if let Expr::Cast(cast) = expr {
        return settle(&mut cast.expr);
    }
    // What has a type gives it to the others.
    for part in parts(expr) {
        if has_type(part) {
            settle(part);
        }
    }
}

/// Whether anything but literals decides what type an expression is of.
fn has_type(expr: &mut Expr) -> bool {
    if let Expr::Lit(lit) = expr {
        return !matches!(&lit.lit, Lit::Int(int) if int.suffix().is_empty());
    }
    let parts = parts(expr);
    parts.is_empty() || parts.into_iter().any(has_type)
}

/// Gives an expression that has none the type `usize`.
fn give_type(expr: &mut Expr) {
    if let Expr::Lit(lit) = expr
        && let Lit::Int(int) = &mut lit.lit
    {
        *int = LitInt::new(&format!("{}usize", int.base10_digits()), int.span());
    }
    parts(expr).into_iter().for_each(give_type);
}

/// The parts that are of the same type as the whole; none where that has a type of its own.
fn parts(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Group(group) => vec![&mut group.expr],
        Expr::Paren(paren) => vec![&mut paren.expr],
        Expr::Unary(unary) => vec![&mut unary.expr],
        Expr::Binary(binary) => match binary.op {
            BinOp::Shl(_) | BinOp::Shr(_) => vec![&mut binary.left],
            BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::BitXor(_) => vec![&mut binary.left, &mut binary.right],
            _ => Vec::new(),
        },
        Expr::Block(block) => tail(&mut block.block.stmts).into_iter().collect(),
        Expr::If(choice) => match &mut choice.else_branch {
            Some((_, or_else)) => {
                let then = tail(&mut choice.then_branch.stmts);
                then.into_iter().chain([&mut **or_else]).collect()
            }
            None => Vec::new(),
        },
        Expr::Match(choice) => choice.arms.iter_mut().map(|arm| &mut *arm.body).collect(),
        _ => Vec::new(),
    }
}

/// What a block is, if its last line says so.
fn tail(lines: &mut [Stmt]) -> Option<&mut Expr> {
    match lines.last_mut() {
        Some(Stmt::Expr(tail, None)) => Some(tail),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;

    #[track_caller]
    fn becomes(from: &str, to: &str) {
        let mut expr: Expr = syn::parse_str(from).unwrap();
        settle(&mut expr);
        let to: Expr = syn::parse_str(to).unwrap();
        let text = |expr: Expr| expr.into_token_stream().to_string();
        assert_eq!(text(expr), text(to), "{from}");
    }

    #[test]
    fn literals_alone_are_sizes() {
        becomes("5 << SHIFT", "5usize << SHIFT");
        becomes("{ 4 * 7 }", "{ 4usize * 7usize }");
        becomes("(4 * 7) as u64", "(4usize * 7usize) as u64");
        becomes("!3 & 12", "!3usize & 12usize");
        becomes(
            "if N > 3 { 5 } else if N > 2 { 6 } else { 7 }",
            "if N > 3 { 5usize } else if N > 2 { 6usize } else { 7usize }",
        );
        becomes(
            "match N { 64 => 8, _ => 1 + 1 }",
            "match N { 64 => 8usize, _ => 1usize + 1usize }",
        );
    }

    #[test]
    fn what_has_a_type_gives_it_to_literals() {
        for text in [
            "RECORD + 8",
            "2 * (3 + RECORD)",
            "size_of::<u64>() * 8 << 3",
            "RECORD << 3",
            "if N > 3 { RECORD } else { 7 }",
            "match N { 64 => u32::MAX, _ => 1 }",
            "[1, 2][0]",
            "5u64 + 3",
            "{ let x = 3; x }",
        ] {
            becomes(text, text);
        }
        becomes(
            "RECORD + (1 << 33) as u64",
            "RECORD + (1usize << 33) as u64",
        );
    }
}
