//! The input of the workloads that work on real text: Rust files, in one string.
//!
//! The parent chooses the files once and hands them to every child through an
//! unnamed file on its standard input, so that all children read the same
//! bytes, in the same way, whatever happens to the sources meanwhile.

use crate::sources;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;

/// Ends a path and ends a text; files that contain it are left out.
const END: char = '\0';

/// How much text is taken.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes in all.
    pub total_bytes: usize,
    /// Most bytes of any one package, so that every one of them has a say;
    /// does not matter where the workspace is all there is.
    pub package_bytes: usize,
}

/// Rust files, each a path and its text, all of which `syn` can parse.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// `path END text END` for each file.
    text: String,
}

/// What a corpus consists of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Contents {
    /// Number of files.
    pub files: usize,
    /// Number of packages that they are from.
    pub packages: usize,
    /// Bytes of text.
    pub bytes: usize,
    /// Changes when any byte of any file does: only runs with equal digests compare.
    pub digest: String,
    /// Whether the sources of the dependencies were found.
    pub with_dependencies: bool,
}

impl Corpus {
    /// Collects the sources of the workspace and its dependencies, packages by
    /// name, files by path, up to the limits.
    ///
    /// # Errors
    /// A sentence, if no source is found at all.
    pub fn collect(limits: Limits) -> Result<(Self, Contents), String> {
        let found = sources::find().ok_or("no Cargo.lock found; run from within the workspace")?;
        let share = if found.with_dependencies {
            limits.package_bytes
        } else {
            limits.total_bytes
        };
        let mut text = String::new();
        let (mut files, mut packages, mut bytes) = (0, 0, 0);
        for package in &found.all {
            let limit = (bytes + share).min(limits.total_bytes);
            let before = files;
            for path in sources::rust_files(&package.folder) {
                let Some(source) = readable(&path, limit - bytes) else {
                    continue;
                };
                let relative = path.strip_prefix(&package.folder).unwrap_or(&path);
                text.extend([&package.name, "/", &relative.to_string_lossy()]);
                text.push(END);
                text.push_str(&source);
                text.push(END);
                files += 1;
                bytes += source.len();
            }
            packages += usize::from(files > before);
        }
        if files == 0 {
            return Err("no Rust sources found; run from within the workspace".to_owned());
        }
        let digest = format!("{:016x}", digest(text.as_bytes()));
        let with_dependencies = found.with_dependencies;
        Ok((
            Self { text },
            Contents {
                files,
                packages,
                bytes,
                digest,
                with_dependencies,
            },
        ))
    }

    /// Each file's path and text.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut pieces = self.text.split_terminator(END);
        std::iter::from_fn(move || Some((pieces.next()?, pieces.next()?)))
    }

    /// Writes the corpus to an unnamed temporary file.
    ///
    /// # Errors
    /// The operating system's, if there is no room for it.
    pub fn to_file(&self) -> io::Result<File> {
        let mut file = tempfile::tempfile()?;
        file.write_all(self.text.as_bytes())?;
        Ok(file)
    }

    /// A handle on that file for a child to read from the start. One at a time:
    /// all handles share one position.
    ///
    /// # Errors
    /// The operating system's, if no more files can be opened.
    pub fn rewound(mut file: &File) -> io::Result<File> {
        file.rewind()?;
        file.try_clone()
    }

    /// Reads the corpus that the parent put on standard input.
    ///
    /// # Errors
    /// The operating system's, and those of text that is not UTF-8.
    pub fn from_stdin() -> io::Result<Self> {
        // Not through `Stdin`: a `File` knows its length, so the text is one allocation.
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Self { text })
    }
}

/// The text of a file that fits, can be stored and can be parsed.
fn readable(path: &std::path::Path, most_bytes: usize) -> Option<String> {
    if fs::metadata(path).ok()?.len() > most_bytes as u64 {
        return None;
    }
    let source = fs::read_to_string(path).ok()?;
    let usable = source.len() <= most_bytes && !source.contains(END);
    (usable && syn::parse_file(&source).is_ok()).then_some(source)
}

/// FNV-1a, 64 bits.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        total_bytes: 60_000,
        package_bytes: 40_000,
    };

    #[test]
    fn what_is_collected_is_within_limits_and_the_same_every_time() {
        let (corpus, contents) = Corpus::collect(LIMITS).unwrap();
        assert!(contents.bytes <= LIMITS.total_bytes);
        assert_eq!(corpus.files().count(), contents.files);
        assert_eq!(
            corpus.files().map(|(_, text)| text.len()).sum::<usize>(),
            contents.bytes
        );
        assert_eq!(Corpus::collect(LIMITS).unwrap(), (corpus, contents));
    }

    #[test]
    fn a_handle_reads_from_the_start_each_time() {
        let corpus = Corpus {
            text: "a.rs\0fn a() {}\0".to_owned(),
        };
        let file = corpus.to_file().unwrap();
        for _ in 0..2 {
            let text = io::read_to_string(Corpus::rewound(&file).unwrap()).unwrap();
            assert_eq!(Corpus { text }, corpus);
        }
        assert_eq!(corpus.files().collect::<Vec<_>>(), [("a.rs", "fn a() {}")]);
    }
}
