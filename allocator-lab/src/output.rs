//! Where a result goes, with what is said when it cannot go there.

use crate::output_file::OutputFile;
use std::io;
use std::path::{Path, PathBuf};

/// A file that the result goes to, if one was asked for.
pub struct Output(Option<(PathBuf, OutputFile)>);

impl Output {
    /// Before the long run, so that a wrong path does not waste it.
    ///
    /// # Errors
    /// Why it cannot be written, in a line.
    pub fn at(path: Option<PathBuf>) -> Result<Self, String> {
        let file = path.map(|path| match OutputFile::at(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(cannot_write(&path, &error)),
        });
        Ok(Self(file.transpose()?))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.0.as_ref().map(|(path, _)| path.as_path())
    }

    /// Has the file written, if there is to be one.
    ///
    /// # Errors
    /// Why it cannot be, in a line.
    pub fn write(&self, write: impl FnOnce(&OutputFile) -> io::Result<()>) -> Result<(), String> {
        let Some((path, file)) = &self.0 else {
            return Ok(());
        };
        write(file).map_err(|error| cannot_write(path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write '{}': {error}", path.display())
}
