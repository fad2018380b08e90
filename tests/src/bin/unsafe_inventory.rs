//! How much of the source is `unsafe`: blocks, functions and implementations by file.
//!
//! `cargo run -p allocator-tests --bin unsafe_inventory`. What each of them rests on is written beside it, which
//! a lint looks after; this says where to look, and how much there is of it.

use std::fs;
use std::path::{Path, PathBuf};

/// The packages that users build.
const PACKAGES: [&str; 2] = ["allocator-core", "allocator-macros"];

/// What was found in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Found {
    blocks: usize,
    functions: usize,
    implementations: usize,
    lines: usize,
}

impl Found {
    fn in_text(text: &str) -> Self {
        let code = without_comments_and_strings(text);
        let mut found = Self {
            lines: text.lines().count(),
            ..Self::default()
        };
        let mut words = code
            .split_inclusive(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .flat_map(|word| {
                let end = word
                    .trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter != '_');
                [end, word[end.len()..].trim()]
            })
            .filter(|word| !word.is_empty())
            .peekable();
        while let Some(word) = words.next() {
            if word != "unsafe" {
                continue;
            }
            match words.peek() {
                Some(&"{") => found.blocks += 1,
                Some(&("fn" | "extern")) => found.functions += 1,
                Some(&("impl" | "trait")) => found.implementations += 1,
                // An attribute, `unsafe(…)`.
                _ => {}
            }
        }
        found
    }

    fn all(&self) -> usize {
        self.blocks + self.functions + self.implementations
    }

    fn add(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.functions += other.functions;
        self.implementations += other.implementations;
        self.lines += other.lines;
    }

    fn print(&self, name: &str) {
        println!(
            "{:>7} {:>10} {:>16} {:>6}  {name}",
            self.blocks, self.functions, self.implementations, self.lines
        );
    }
}

/// Only the code. A quote of a character that is a quote or a slash is not told from a text's; the sources have none.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut in_string = false;
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' if in_string => {
                    letters.next();
                }
                '"' => in_string = !in_string,
                '/' if !in_string && letters.peek() == Some(&'/') => break,
                _ if !in_string => code.push(letter),
                _ => {}
            }
        }
        code.push('\n');
    }
    code
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    println!(" blocks  functions  implementations  lines");
    for package in PACKAGES {
        let source = root.join(package).join("src");
        let mut files = Vec::new();
        rust_files(&source, &mut files);
        files.sort();
        let mut sum = Found::default();
        for path in files {
            let found = Found::in_text(&fs::read_to_string(&path).expect("a text"));
            sum.add(found);
            if found.all() > 0 {
                let name = path.strip_prefix(&root).expect("below the root");
                found.print(&name.display().to_string());
            }
        }
        sum.print(&format!("{package}, all of it"));
        println!();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_and_comments_and_texts_are_not() {
        let text = "// unsafe { }\nunsafe impl A for B {}\nunsafe fn f() {\n    let a = \"unsafe {\"; // unsafe fn\n    \
                    unsafe{ g() };\n    x(unsafe { 1 });\n}\n#[unsafe(no_mangle)]\nfn not_unsafe() {}\nunsafe extern \"C\" {}\n";
        let found = Found::in_text(text);
        let expected = Found {
            blocks: 2,
            functions: 2,
            implementations: 1,
            lines: 10,
        };
        assert_eq!(found, expected);
    }
}
