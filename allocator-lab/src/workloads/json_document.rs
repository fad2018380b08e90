//! Builds a large JSON document out of the sources, prints it and parses it:
//! strings of all lengths, maps, vectors that grow, and one huge string.

use super::{Kind, Size, Workload, mix};
use crate::corpus::{self, Corpus};
use serde_json::{Map, Value, json};
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "json",
    about: "build a JSON document of these files' lines and words, print it, parse it",
    reads_corpus: true,
    kind: Kind::Program,
    work,
};

/// Every second file goes into the document, which is large enough with these.
const STRIDE: usize = 2;

fn work(corpus: &Corpus, _: Size) -> u64 {
    let document = Value::Array(corpus.files().step_by(STRIDE).map(describe).collect());
    let printed = black_box(document.to_string());
    let parsed: Value = serde_json::from_str(&printed).expect("what was printed parses");
    assert_eq!(
        parsed, document,
        "the document changed while it was printed and parsed"
    );
    mix(corpus::digest(printed.as_bytes()), printed.len() as u64)
}

/// One file as a JSON object: its lines, and how often each word occurs.
fn describe((path, text): (&str, &str)) -> Value {
    let mut counts = Map::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
        if !word.is_empty() {
            let count = counts.get(word).and_then(Value::as_u64).unwrap_or(0);
            counts.insert(word.to_owned(), (count + 1).into());
        }
    }
    let lines: Vec<Value> = text.lines().enumerate().map(describe_line).collect();
    json!({ "path": path, "bytes": text.len(), "lines": lines, "words": counts })
}

fn describe_line((index, line): (usize, &str)) -> Value {
    let words = line.split_whitespace().count();
    json!({ "number": index + 1, "words": words, "text": line.trim_start() })
}
