//! A file that is either wholly the new one or wholly what was there before.

use serde::Serialize;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A place that a file can be written to.
#[derive(Debug)]
pub struct OutputFile {
    path: PathBuf,
    folder: PathBuf,
}

impl OutputFile {
    /// Checks that a file can be written there, without touching what is there.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn at(path: &Path) -> io::Result<Self> {
        // Through links: renaming onto a link would replace it.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
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
        let file = Self { path, folder };
        file.beside().map(|_| file)
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

    /// Puts this there: written beside it first, then moved into its place.
    ///
    /// # Errors
    /// What went wrong; the old file is then still there, unchanged.
    pub fn write(&self, contents: impl AsRef<[u8]>) -> io::Result<()> {
        let mut beside = self.beside()?;
        beside.write_all(contents.as_ref())?;
        beside.as_file().sync_all()?;
        beside.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// A new file in the same folder, so that it can be renamed into place;
    /// removed when dropped. With the permissions of any new file.
    fn beside(&self) -> io::Result<NamedTempFile> {
        Builder::new()
            .prefix(".allocator-lab-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)
    }
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
