//! Real programs that are made of crates which nothing else here needs: only
//! the executables of the race and the tests build them. Their names are
//! always known.

#[cfg(any(test, feature = "entrants"))]
mod cache;
#[cfg(any(test, feature = "entrants"))]
mod markdown;
#[cfg(any(test, feature = "entrants"))]
mod regexes;
#[cfg(any(test, feature = "entrants"))]
mod tokio_server;

#[cfg(not(any(test, feature = "entrants")))]
use {not_built as cache, not_built as markdown, not_built as regexes, not_built as tokio_server};

use super::{Kind, Workload};

pub(super) const REGEXES: Workload = Workload {
    name: "regexes",
    about: "compile 16 regular expressions, find their matches and captures in these files",
    reads_corpus: true,
    kind: Kind::Program,
    work: regexes::work,
};

pub(super) const MARKDOWN: Workload = Workload {
    name: "markdown",
    about: "render the documentation in these files, and the code as code blocks, to HTML",
    reads_corpus: true,
    kind: Kind::Program,
    work: markdown::work,
};

pub(super) const CACHE: Workload = Workload {
    name: "lru-cache",
    about: "an LRU cache of 20 thousand texts of 20 to 1000 bytes, two of three asked for there",
    reads_corpus: false,
    kind: Kind::Program,
    work: cache::work,
};

pub(super) const TOKIO: Workload = Workload {
    name: "tokio",
    about: "a tokio server and 32 clients on 127.0.0.1: parse a request, answer with a document",
    reads_corpus: false,
    kind: Kind::Program,
    work: tokio_server::work,
};

/// Stands in where they are not built. Never run: only executables that have
/// them are asked to.
#[cfg(not(any(test, feature = "entrants")))]
mod not_built {
    use crate::corpus::Corpus;
    use crate::workloads::Size;

    pub(super) fn work(_: &Corpus, _: Size) -> u64 {
        unreachable!("only the executables of the race run this")
    }
}
