//! Renders the documentation of the sources, which is Markdown, to HTML.

use crate::corpus::{self, Corpus};
use crate::workloads::{Size, mix};
use pulldown_cmark::{Options, Parser, html};

/// Times that all of it is rendered.
const TIMES: u64 = 12;

pub(super) fn work(corpus: &Corpus, size: Size) -> u64 {
    let pages: Vec<String> = corpus.files().map(page).collect();
    let mut checksum = 0;
    for _ in 0..size.repeat(TIMES) {
        let rendered: Vec<String> = pages.iter().map(|page| render(page)).collect();
        checksum = rendered.iter().fold(checksum, |checksum, html| {
            mix(checksum, corpus::digest(html.as_bytes()))
        });
    }
    checksum
}

/// A file as a page: its documentation as text, its code in blocks between.
fn page((path, text): (&str, &str)) -> String {
    let mut page = format!("# {path}\n\n");
    let mut in_code = false;
    for line in text.lines() {
        let line = line.trim_start();
        let documentation = line.strip_prefix("///").or(line.strip_prefix("//!"));
        if documentation.is_none() != in_code {
            page.push_str("\n~~~~~\n\n");
            in_code = !in_code;
        }
        let line = documentation.map_or(line, |line| line.strip_prefix(' ').unwrap_or(line));
        page.push_str(line);
        page.push('\n');
    }
    page
}

fn render(page: &str) -> String {
    let mut rendered = String::new();
    html::push_html(&mut rendered, Parser::new_ext(page, Options::all()));
    rendered
}
