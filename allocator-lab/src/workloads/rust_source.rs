//! Parses real Rust files into syntax trees and keeps all of them to the end,
//! as a checker of a whole crate does: many small nodes of few sizes that live long.

use super::{Kind, Size, Workload, mix};
use crate::corpus::{self, Corpus};
use std::hint::black_box;
use syn::visit::{self, Visit};

pub(super) const WORKLOAD: Workload = Workload {
    name: "rust-source",
    about: "parse real Rust files with syn (full), keep the trees, drop them",
    reads_corpus: true,
    kind: Kind::Program,
    work,
};

fn work(corpus: &Corpus, _: Size) -> u64 {
    let parsed: Vec<(u64, syn::File)> = corpus
        .files()
        .map(|(path, text)| {
            let file = syn::parse_file(text)
                .unwrap_or_else(|error| panic!("{path} parsed before and does not now: {error}"));
            (digest(&file), file)
        })
        .collect();
    let parsed = black_box(parsed);
    // Walked again when all of the others have been built around it.
    parsed.iter().fold(0, |checksum, (before, file)| {
        assert_eq!(
            digest(file),
            *before,
            "a syntax tree changed while it was kept"
        );
        mix(checksum, *before)
    })
}

/// A number that depends on every identifier and literal of a file, in order.
fn digest(file: &syn::File) -> u64 {
    let mut words = Words(0);
    words.visit_file(file);
    words.0
}

struct Words(u64);

impl<'ast> Visit<'ast> for Words {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.0 = mix(self.0, 1);
        visit::visit_item(self, item);
    }

    fn visit_expr(&mut self, expression: &'ast syn::Expr) {
        self.0 = mix(self.0, 2);
        visit::visit_expr(self, expression);
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        self.0 = mix(self.0, corpus::digest(literal.value().as_bytes()));
    }

    fn visit_lifetime(&mut self, lifetime: &'ast syn::Lifetime) {
        self.0 = mix(self.0, 3);
        visit::visit_lifetime(self, lifetime);
    }
}
