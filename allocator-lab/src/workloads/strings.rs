//! Strings as everyday code handles them: split, changed, joined, formatted.

use super::{Kind, Size, Workload, mix};
use crate::corpus::{self, Corpus};

pub(super) const WORKLOAD: Workload = Workload {
    name: "strings",
    about: "split these files into lines and words, change, join and format them",
    reads_corpus: true,
    kind: Kind::Program,
    work,
};

/// Times that each file is gone through.
const TIMES: u64 = 3;

fn work(corpus: &Corpus, size: Size) -> u64 {
    let mut checksum = 0;
    for _ in 0..size.repeat(TIMES) {
        for (path, text) in corpus.files() {
            let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
            assert_eq!(lines.join("\n"), text, "the lines of a file changed");
            let report: Vec<String> = (1..)
                .zip(&lines)
                .filter(|(_, line)| !line.trim().is_empty())
                .map(|(number, line)| format!("{path}:{number}: {}", change(line)))
                .collect();
            checksum = mix(checksum, corpus::digest(report.concat().as_bytes()));
        }
    }
    checksum
}

/// A line with its words in another order and another case.
fn change(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().rev().map(capitalised).collect();
    words.join(" ").replace("::", ".")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
        None => String::new(),
    }
}
