//! A file that is either wholly the new one or wholly what was there before.

use serde::Serialize;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A place that a file can be written to.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    place: Place,
}

/// What is at a path.
#[derive(Debug)]
enum Place {
    /// A file, or nothing yet, in this folder.
    File(PathBuf),
    /// What is no file: a device, a pipe, what `/dev/fd` and `/proc` name.
    Stream,
    /// This process's own standard output.
    Stdout,
}

/// Links that are followed at most.
const LINKS_MAX: usize = 40;

/// Where a path leads through links, whether or not there is something.
fn followed(path: &Path) -> PathBuf {
    if let Ok(path) = fs::canonicalize(path) {
        return path;
    }
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        // Relative to the link; an absolute one replaces all.
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}

impl OutputFile {
    /// Checks that a file can be written there, without touching what is there.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn at(path: &Path) -> io::Result<Self> {
        let is_stdout = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
            .map(Path::new)
            .contains(&path);
        let is_named = path.starts_with("/dev/fd") || path.starts_with("/proc");
        let is_special = fs::metadata(path).is_ok_and(|at| !at.is_file() && !at.is_dir());
        if is_stdout || is_named || is_special {
            return Ok(Self {
                path: path.to_path_buf(),
                place: if is_stdout {
                    Place::Stdout
                } else {
                    Place::Stream
                },
            });
        }
        // Through links: renaming onto a link would replace it.
        let path = followed(path);
        if path.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "it is a folder",
            ));
        }
        if path.file_name().is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it names no file",
            ));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        fs::metadata(&folder)?;
        beside(&folder)?;
        let place = Place::File(folder);
        Ok(Self { path, place })
    }

    /// Puts the value there, as JSON.
    ///
    /// # Errors
    /// What went wrong; the old file is then still there, unchanged.
    pub fn write_json(&self, value: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.write(&text)
    }

    /// Puts this there: a file is written beside it first, then moved into its place.
    ///
    /// # Errors
    /// What went wrong; the old file is then still there, unchanged.
    pub fn write(&self, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let contents = contents.as_ref();
        match &self.place {
            Place::File(folder) => {
                let mut beside = beside(folder)?;
                beside.write_all(contents)?;
                beside.as_file().sync_all()?;
                beside.persist(&self.path).map_err(|error| error.error)?;
                Ok(())
            }
            Place::Stream => OpenOptions::new()
                .append(true)
                .open(&self.path)?
                .write_all(contents),
            Place::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(contents)?;
                stdout.flush()
            }
        }
    }
}

/// A new file in a folder, so that it can be renamed into place;
/// removed when dropped. With the permissions of any new file.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".allocator-lab-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        // Not by the name of that file, which nobody asked for.
        .map_err(|error| match error.raw_os_error() {
            Some(number) => io::Error::from_raw_os_error(number),
            None => error.kind().into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serializer;

    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("broken"))
        }
    }

    #[test]
    fn a_new_value_replaces_the_old_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        fs::write(&path, "old").unwrap();
        OutputFile::at(&path).unwrap().write_json(&[1, 2]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        fs::write(&path, "old").unwrap();
        OutputFile::at(&path)
            .unwrap()
            .write_json(&Broken)
            .unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link_and_its_target_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        OutputFile::at(&link).unwrap().write_json(&7).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "7\n");
    }

    #[test]
    fn a_link_to_nothing_stays_a_link_and_its_target_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::os::unix::fs::symlink("target", &link).unwrap();
        OutputFile::at(&link).unwrap().write_json(&7).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "7\n");
    }

    #[test]
    fn what_is_no_file_is_written_to_and_stays() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let full = folder.path().join("full");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        OutputFile::at(&full).unwrap().write_json(&7).unwrap_err();
        assert!(full.is_symlink());
        OutputFile::at(Path::new("/dev/null"))
            .unwrap()
            .write_json(&7)
            .unwrap();
        let null = fs::metadata("/dev/null").unwrap();
        assert!(null.file_type().is_char_device());
    }

    #[test]
    fn folders_and_missing_folders_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        OutputFile::at(folder.path()).unwrap_err();
        let message = OutputFile::at(&folder.path().join("no/out.json"))
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("No such file or directory"),
            "{message}"
        );
    }
}
