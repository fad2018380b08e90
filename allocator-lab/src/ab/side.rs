//! A or B: what is run, and under which allocator.

use super::declared;
use crate::programs::entrants::{self, PRELOADED};
use crate::programs::process::{self, Call, Ended};
use crate::race::entrants::{Feature, Side as Part};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a side was said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// One of [`PRELOADED`], by its name.
    Known(&'static str),
    /// A shared object of the user's.
    Object(PathBuf),
    /// The options of a declaration.
    Declared(String),
    /// A command of its own, for a shell.
    Command(String),
}

/// How a command is told from the rest.
const COMMAND: &str = "cmd:";

/// What can be run.
pub struct Side {
    call: Call,
    /// What is loaded before all other libraries.
    object: Option<PathBuf>,
    /// A copy of the object lives here.
    _folder: Option<TempDir>,
}

impl Named {
    /// What a text means.
    ///
    /// # Errors
    /// Why it means nothing, in a line.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(command) = text.strip_prefix(COMMAND) {
            return match command.trim() {
                "" => Err(format!("no command after {COMMAND}")),
                command => Ok(Self::Command(command.to_owned())),
            };
        }
        let known = entrants::by_name(text).filter(|it| it.side != Part::Control);
        if let Some(entrant) = known {
            return Ok(Self::Known(entrant.name));
        }
        let path = Path::new(text);
        if let Ok(bytes) = fs::read(path) {
            const ELF: &[u8] = b"\x7fELF";
            if bytes.starts_with(ELF) {
                return Ok(Self::Object(path.to_owned()));
            }
            let contents = String::from_utf8_lossy(&bytes);
            let options = contents
                .contains("derive_allocator")
                .then(|| declared::options(&contents));
            return match options.flatten() {
                Some(options) => Ok(Self::Declared(options)),
                None => Err(format!(
                    "'{text}' is neither a shared object nor a declaration"
                )),
            };
        }
        declared::options(text).map(Self::Declared).ok_or_else(|| {
            let names = PRELOADED.iter().filter(|it| it.side != Part::Control);
            let names: Vec<&str> = names.map(|entrant| entrant.name).collect();
            format!(
                "'{text}' is no allocator: it is no file, has no `option = …`, and is none of {}",
                names.join(", ")
            )
        })
    }

    /// Finds it or has it built; `command` is what is run under it.
    ///
    /// # Errors
    /// What stands in the way, in a line.
    pub fn prepare(&self, command: &[OsString], timeout_seconds: u32) -> Result<Side, String> {
        let folder =
            std::env::current_dir().map_err(|error| format!("no folder to run in: {error}"))?;
        let mut side = Side {
            call: Call {
                command: command.to_vec(),
                environment: Vec::new(),
                inherits: true,
                timeout_seconds,
                folder: folder.clone(),
            },
            object: None,
            _folder: None,
        };
        match self {
            Self::Command(text) => {
                side.call.command = ["/bin/sh", "-c", text].map(OsString::from).to_vec();
            }
            Self::Object(path) => {
                let path = fs::canonicalize(path);
                side.object = Some(path.map_err(|error| format!("{}: {error}", self.label()))?);
            }
            Self::Declared(options) => side.object = Some(declared::build(options, &folder)?),
            Self::Known(name) => side.object = Some(known(name)?),
        }
        side.object
            .as_deref()
            .map_or(Ok(()), process::preloadable)?;
        Ok(side)
    }

    /// How it is called in a table.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Known(name) => (*name).to_owned(),
            Self::Object(path) => path.display().to_string(),
            Self::Declared(options) if options.is_empty() => "#[derive_allocator]".to_owned(),
            Self::Declared(options) => {
                let words: Vec<&str> = options.split_whitespace().collect();
                format!(
                    "#[derive_allocator({})]",
                    words.join(" ").trim_end_matches(',')
                )
            }
            Self::Command(text) => text.clone(),
        }
    }
}

impl Side {
    /// The same once more: its object at another place, the same in every byte.
    ///
    /// # Errors
    /// What stands in the way, in a line.
    pub fn copy(&self) -> Result<Self, String> {
        let mut copy = Self {
            call: self.call.clone(),
            object: self.object.clone(),
            _folder: None,
        };
        // A second C library in a process is not one that works.
        let is_libc = |path: &Path| path.file_name().is_some_and(|name| name == "libc.so.6");
        if let Some(object) = self.object.as_deref().filter(|path| !is_libc(path)) {
            let cannot =
                |error: std::io::Error| format!("cannot copy '{}': {error}", object.display());
            let folder = tempfile::tempdir().map_err(cannot)?;
            let path = folder.path().join(object.file_name().unwrap_or_default());
            fs::copy(object, &path).map_err(cannot)?;
            process::preloadable(&path)?;
            copy.object = Some(path);
            copy._folder = Some(folder);
        }
        Ok(copy)
    }

    /// The same as an argument of another program, which makes it so many times slower.
    #[must_use]
    pub fn under(&self, mut words: Vec<OsString>, slower: u32) -> Self {
        let mut call = self.call.clone();
        words.append(&mut call.command);
        call.command = words;
        call.timeout_seconds = call.timeout_seconds.saturating_mul(slower);
        Self {
            call,
            object: self.object.clone(),
            _folder: None,
        }
    }

    /// Runs it once.
    ///
    /// # Errors
    /// How it failed, in half a line.
    pub fn run(&self) -> Result<Ended, String> {
        match &self.object {
            Some(object) => self.call.start(object),
            None => self.call.start_alone(),
        }?
        .end()
    }
}

/// The shared object of one of [`PRELOADED`].
fn known(name: &str) -> Result<PathBuf, String> {
    let entrant = entrants::by_name(name).ok_or_else(|| format!("there is no {name}"))?;
    let (objects, left_out) = entrants::objects(&[entrant], |_| {})?;
    if let [one, ..] = left_out.as_slice() {
        return Err(format!("{name} is not on this machine: {}", one.reason));
    }
    objects
        .get(entrant.executable)
        .cloned()
        .ok_or_else(|| match entrant.feature {
            Feature::Installed => format!("{name} is not on this machine"),
            _ => format!("{name} was not built"),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_is_known_by_its_form() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, contents: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, contents).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let object = at("a.so", b"\x7fELF\x02");
        let fitted = at(
            "fitted",
            b"#[derive_allocator(preset = compact)]\npub struct A;\n",
        );
        assert_eq!(Named::parse("compact"), Ok(Named::Known("compact")));
        assert_eq!(Named::parse("System"), Ok(Named::Known("System")));
        assert_eq!(Named::parse(&object), Ok(Named::Object(object.into())));
        let compact = Named::Declared("preset = compact".to_owned());
        assert_eq!(Named::parse(&fitted), Ok(compact.clone()));
        assert_eq!(Named::parse("preset = compact"), Ok(compact));
        assert_eq!(
            Named::parse("cmd: ls -l"),
            Ok(Named::Command("ls -l".to_owned()))
        );
    }

    #[test]
    fn what_means_nothing_is_told_in_a_line() {
        for (text, part) in [
            ("compct", "is no allocator"),
            ("default′", "is no allocator"),
            ("cmd: ", "no command after cmd:"),
            ("/etc/hostname", "neither a shared object nor a declaration"),
        ] {
            let mistake = Named::parse(text).unwrap_err();
            assert!(
                mistake.contains(part) && !mistake.contains('\n'),
                "{mistake}"
            );
        }
    }

    #[test]
    fn a_copy_is_at_another_place_and_the_same_in_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.so");
        fs::write(&path, b"\x7fELF and more").unwrap();
        let side = Named::Object(path).prepare(&["true".into()], 9).unwrap();
        let copy = side.copy().unwrap();
        assert_ne!(side.object, copy.object);
        let bytes = |side: &Side| fs::read(side.object.as_ref().unwrap()).unwrap();
        assert_eq!(bytes(&side), bytes(&copy));
    }

    #[test]
    fn a_label_is_one_line() {
        let named = Named::Declared("size_classes = [\n    8, 16,\n],".to_owned());
        assert_eq!(
            named.label(),
            "#[derive_allocator(size_classes = [ 8, 16, ])]"
        );
    }
}
