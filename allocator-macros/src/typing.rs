//! The type of a constant expression: where nothing in it has one, its literals are `usize`. They would be `i32`
//! otherwise, which 4 GiB are not, and which `1MiB << SHIFT` leaves without a word.

use syn::{BinOp, Expr, ExprBlock, Lit, LitInt, Stmt};

/// Gives each part that literals alone decide the type of, the type `usize`.
pub(crate) fn settle(expr: &mut Expr) {
    if !has_type(expr) {
        return give_type(expr);
    }
    match expr {
        Expr::Cast(cast) => settle(&mut cast.expr),
        Expr::Group(group) => settle(&mut group.expr),
        Expr::Paren(paren) => settle(&mut paren.expr),
        Expr::Unary(unary) => settle(&mut unary.expr),
        Expr::Binary(binary) if is_shift(&binary.op) => settle(&mut binary.left),
        Expr::Binary(binary) => {
            // What has one gives it to the other; inside of both there may be casts.
            for side in [&mut binary.left, &mut binary.right] {
                if has_type(side) {
                    settle(side);
                }
            }
        }
        _ => {}
    }
}

/// Whether anything but literals decides what type an expression is of.
fn has_type(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(lit) => !matches!(&lit.lit, Lit::Int(int) if int.suffix().is_empty()),
        Expr::Group(group) => has_type(&group.expr),
        Expr::Paren(paren) => has_type(&paren.expr),
        Expr::Unary(unary) => has_type(&unary.expr),
        Expr::Binary(binary) if is_shift(&binary.op) => has_type(&binary.left),
        Expr::Binary(binary) if is_arithmetic(&binary.op) => {
            has_type(&binary.left) || has_type(&binary.right)
        }
        Expr::Block(block) => tail(block).is_none_or(has_type),
        Expr::If(choice) => {
            let then = choice.then_branch.stmts.last();
            let or_else = choice.else_branch.as_ref();
            !matches!(then, Some(Stmt::Expr(then, None)) if !has_type(then))
                || or_else.is_none_or(|(_, or_else)| has_type(or_else))
        }
        Expr::Match(choice) => choice.arms.iter().any(|arm| has_type(&arm.body)),
        _ => true,
    }
}

/// Gives an expression that has none the type `usize`.
fn give_type(expr: &mut Expr) {
    match expr {
        Expr::Lit(lit) => {
            if let Lit::Int(int) = &mut lit.lit {
                *int = LitInt::new(&format!("{}usize", int.base10_digits()), int.span());
            }
        }
        Expr::Group(group) => give_type(&mut group.expr),
        Expr::Paren(paren) => give_type(&mut paren.expr),
        Expr::Unary(unary) => give_type(&mut unary.expr),
        Expr::Binary(binary) => {
            give_type(&mut binary.left);
            if !is_shift(&binary.op) {
                give_type(&mut binary.right);
            }
        }
        Expr::Block(block) => {
            if let Some(Stmt::Expr(tail, None)) = block.block.stmts.last_mut() {
                give_type(tail);
            }
        }
        Expr::If(choice) => {
            if let Some(Stmt::Expr(then, None)) = choice.then_branch.stmts.last_mut() {
                give_type(then);
            }
            if let Some((_, or_else)) = &mut choice.else_branch {
                give_type(or_else);
            }
        }
        Expr::Match(choice) => {
            for arm in &mut choice.arms {
                give_type(&mut arm.body);
            }
        }
        _ => {}
    }
}

/// What a block is, if its last line says so.
fn tail(block: &ExprBlock) -> Option<&Expr> {
    match block.block.stmts.last() {
        Some(Stmt::Expr(tail, None)) => Some(tail),
        _ => None,
    }
}

fn is_shift(op: &BinOp) -> bool {
    matches!(op, BinOp::Shl(_) | BinOp::Shr(_))
}

fn is_arithmetic(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::BitXor(_)
    )
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
