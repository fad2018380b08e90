//! A profile from a file of either form.

use super::{Profile, csv, json};
use std::fs;
use std::path::Path;

/// Reads the profile in a file.
///
/// # Errors
/// What is wrong, in a line with the file's name.
pub fn load(path: &Path) -> Result<Profile, String> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| format!("cannot read '{name}': {error}"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("'{name}' is not a text"))?;
    let profile = if csv::is_one(text) {
        csv::read(text)
    } else {
        json::read(text)
    };
    profile.map_err(|mistake| format!("'{name}': {mistake}"))
}
