//! `file("app.classes")`: size classes in a file of the user's crate.
//!
//! Sizes are separated by white space or commas and written as in the
//! attribute (`48`, `4KiB`); `#` starts a comment that ends with the line.

use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use syn::LitInt;

use crate::number;
use crate::options::CLASS;

/// One size of the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// Line, from 1.
    pub line: usize,
    /// The size in bytes; `None` when a mistake was reported.
    pub bytes: Option<u64>,
}

/// A class file that was read.
pub(crate) struct ClassFile {
    /// Where it is, for the compiler to watch.
    pub path: PathBuf,
    /// Its sizes.
    pub items: Vec<Item>,
    /// Its mistakes, with their lines.
    pub mistakes: Vec<(usize, String)>,
}

/// Most bytes of a file of sizes, so that one without an end does not take the compiler's memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads the file `name` below `root`.
pub(crate) fn read(root: &Path, name: &str) -> Result<ClassFile, String> {
    if name.is_empty() {
        return Err("no file is named; write a path from the crate's root".to_owned());
    }
    let path = root.join(name);
    if fs::metadata(&path).is_ok_and(|file| !file.is_file() && !file.is_dir()) {
        // A pipe would have the compiler wait, and a device may have no end.
        return Err(format!("`{name}` is no regular file"));
    }
    match text_of(&path) {
        Ok(text) if text.len() as u64 > FILE_BYTES_MAX => Err(format!(
            "`{name}` has more than 1MiB, which no list of sizes needs"
        )),
        Ok(text) => {
            let (items, mistakes) = parse(&text);
            Ok(ClassFile {
                path,
                items,
                mistakes,
            })
        }
        Err(error) => Err(match error.kind() {
            ErrorKind::NotFound => {
                format!("no file `{name}` in the crate's root, the folder of its `Cargo.toml`")
            }
            ErrorKind::InvalidData => format!("`{name}` is not a text of sizes"),
            ErrorKind::IsADirectory => format!("`{name}` is a folder, not a file of sizes"),
            _ => format!("cannot read `{name}`: {error}"),
        }),
    }
}

/// The text of a file, or a little more of it than a file of sizes may have.
fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// The sizes of a text, and what is wrong with others.
fn parse(text: &str) -> (Vec<Item>, Vec<(usize, String)>) {
    let mut items = Vec::new();
    let mut mistakes = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let sizes = content.split('#').next().unwrap_or_default();
        let separator = |character: char| character.is_whitespace() || character == ',';
        for word in sizes.split(separator).filter(|word| !word.is_empty()) {
            let bytes = size(word);
            items.push(Item {
                line,
                bytes: bytes.as_ref().ok().copied(),
            });
            mistakes.extend(bytes.err().map(|mistake| (line, mistake)));
        }
    }
    (items, mistakes)
}

/// Most characters of a word that may be a size; longer ones take the compiler long, and say nothing.
const WORD_MAX: usize = 40;

/// One size.
fn size(word: &str) -> Result<u64, String> {
    let is_none = |word: &str| format!("`{word}` is not a size; sizes look like `48` or `4KiB`");
    if let Some((end, _)) = word.char_indices().nth(WORD_MAX) {
        return Err(is_none(&format!("{}…", &word[..end])));
    }
    let literal: LitInt = syn::parse_str(word).map_err(|_| is_none(word))?;
    let rule = || format!("a class is {}", CLASS.allowed());
    number::literal(&literal, CLASS.unit).map_err(|mistake| mistake.or_rule(rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_separated_by_white_space_commas_and_lines() {
        let (items, mistakes) = parse("# fitted\n8 16,24\n\n4KiB # the record\n");
        let item = |line, bytes| Item {
            line,
            bytes: Some(bytes),
        };
        assert_eq!(items, [item(2, 8), item(2, 16), item(2, 24), item(4, 4096)]);
        assert_eq!(mistakes, []);
    }

    #[test]
    fn mistakes_know_their_lines() {
        let (items, mistakes) = parse("8\nsixteen\n24KB\n");
        assert_eq!(items.iter().filter(|item| item.bytes.is_none()).count(), 2);
        assert_eq!(mistakes[0].0, 2);
        assert_eq!(
            mistakes[0].1,
            "`sixteen` is not a size; sizes look like `48` or `4KiB`"
        );
        assert_eq!(mistakes[1].0, 3);
    }

    #[test]
    fn a_word_without_end_is_told_by_its_start() {
        let (_, mistakes) = parse(&format!("8\n{}\n", "1".repeat(1 << 20)));
        let start = "1".repeat(WORD_MAX);
        assert_eq!(
            mistakes,
            [(
                2,
                format!("`{start}…` is not a size; sizes look like `48` or `4KiB`")
            )]
        );
    }

    #[test]
    fn what_has_no_end_is_not_read() {
        let message = |name| read(Path::new("/"), name).err().expect("it is no list");
        assert_eq!(message("dev/zero"), "`dev/zero` is no regular file");
        let folder = std::env::temp_dir().join(format!("class-file-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder can be made");
        let long = "8 # the one size\n".repeat(1 << 16);
        fs::write(folder.join("long.classes"), long).expect("the file can be written");
        let message = read(&folder, "long.classes").err().expect("it is too long");
        assert_eq!(
            message,
            "`long.classes` has more than 1MiB, which no list of sizes needs"
        );
        fs::remove_dir_all(&folder).expect("the folder can be removed");
    }

    #[test]
    fn a_missing_file_says_where_it_was_looked_for() {
        let message = read(Path::new("/nonexistent"), "a.classes").err().unwrap();
        assert!(
            message.starts_with("no file `a.classes` in the crate's root"),
            "{message}"
        );
    }
}
