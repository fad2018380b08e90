//! Compiles regular expressions, as each start of a program does, and searches
//! the sources with them, as the program does then.

use crate::corpus::{self, Corpus};
use crate::workloads::{Size, mix};
use regex::Regex;

/// What is searched for: from a word to what makes large automata.
const PATTERNS: [&str; 16] = [
    r"unsafe",
    r"\bfn\s+(\w+)",
    r"(?i)todo|fixme|xxx",
    r"(?m)^\s*//!?\s*(.+)$",
    r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})",
    r#""([^"\\]|\\.)*""#,
    r"(?:pub(?:\([a-z ]+\))?\s+)?(struct|enum|trait|union)\s+(\w+)",
    r"0x[0-9a-fA-F_]{2,16}",
    r"#\[(?:cfg|derive|inline|must_use)[^\]]*\]",
    r"https?://[\w.-]+(?:/[\w./%?#=-]*)?",
    r"(?:self|Self|super|crate)(?:::\w+)+",
    r"'(?:[a-z]|static)\b",
    r"\p{Lu}\p{Ll}+\p{Lu}\w*",
    r"(?x) impl (?:<[^>]*>)? \s+ (?P<what>[\w:]+) (?:<[^>]*>)? \s+ for \s+ (?P<whom>[\w:]+)",
    r"[^\x00-\x7f]+",
    r"\b(?:u|i)(?:8|16|32|64|128|size)\b",
];

/// Times that all of it is done.
const TIMES: u64 = 4;

/// Bytes of a file that are searched, at most: so that compiling counts.
const BYTES_MAX: usize = 2_000;

pub(super) fn work(corpus: &Corpus, size: Size) -> u64 {
    let patterns = PATTERNS.iter().cycle();
    let all = patterns.take(PATTERNS.len() * size.repeat(TIMES) as usize);
    all.fold(0, |checksum, pattern| {
        let regex = Regex::new(pattern).expect("the pattern is valid");
        let files = corpus.files();
        files.fold(
            mix(checksum, regex.as_str().len() as u64),
            |sum, (_, text)| {
                mix(
                    sum,
                    search(&regex, &text[..text.floor_char_boundary(BYTES_MAX)]),
                )
            },
        )
    })
}

fn search(regex: &Regex, text: &str) -> u64 {
    let mut checksum = 0;
    for captures in regex.captures_iter(text) {
        for found in captures.iter().flatten() {
            let copy = found.as_str().to_owned();
            assert_eq!(copy, text[found.range()], "a copied match changed");
            checksum = mix(checksum, corpus::digest(copy.as_bytes()));
        }
    }
    checksum
}
