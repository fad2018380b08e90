//! Why nothing was recorded of a program.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Set for a program that runs with its owner's or group's rights.
const SET_ID: u32 = 0o6000;

/// What the dynamic linker is asked for by: `PT_INTERP`.
const INTERPRETER: u32 = 3;

/// Why nothing was recorded of `program`, which ended so, in a line.
#[must_use]
pub fn why(program: &OsStr, status: ExitStatus) -> String {
    let why = reason(program);
    match status.success() {
        true => why,
        false => format!("{why}; it ended with {status}"),
    }
}

fn reason(program: &OsStr) -> String {
    let name = program.display();
    let Some(path) = find(program) else {
        return format!("nothing was recorded of '{name}'");
    };
    let metadata = fs::metadata(&path);
    if metadata.is_ok_and(|it| it.permissions().mode() & SET_ID != 0) {
        return format!("'{name}' was not recorded: it runs with rights that its user has not");
    }
    if is_static(&path) {
        return format!(
            "'{name}' was not recorded: it is linked statically, so no object goes before its `malloc`"
        );
    }
    format!(
        "nothing was recorded of '{name}': it asked for nothing, has a `malloc` of its own, or may not \
         write as much as a record takes"
    )
}

/// Where a program is that a shell would start by this name.
fn find(program: &OsStr) -> Option<PathBuf> {
    if Path::new(program).components().count() > 1 {
        return Some(PathBuf::from(program));
    }
    let paths = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&paths).map(|folder| folder.join(program));
    places.into_iter().find(|path| path.is_file())
}

/// Whether a file is an executable of ELF, 64 bits, that asks for no dynamic linker.
fn is_static(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    if read.is_err() || !head.starts_with(b"\x7fELF\x02") {
        return false;
    }
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let mut word = [0; 8];
        word[..bytes].copy_from_slice(head.get(at..at + bytes)?);
        Some(u64::from_le_bytes(word))
    };
    let asks = || -> Option<bool> {
        let (start, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        let kind = |index| number(start.checked_add(index * size)? as usize, 4);
        Some((0..count).any(|index| kind(index) == Some(u64::from(INTERPRETER))))
    };
    asks() == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn why(program: &OsStr) -> String {
        super::why(program, ExitStatus::from_raw(0))
    }

    #[test]
    fn a_program_of_this_machine_is_dynamic_and_is_found_by_its_name() {
        let shell = find(OsStr::new("sh")).unwrap();
        assert!(!is_static(&shell));
        assert!(!is_static(Path::new("/etc/hostname")));
        let line = why(OsStr::new("sh"));
        assert!(line.contains("asked for nothing") && !line.contains('\n'));
        let failed = super::why(OsStr::new("sh"), ExitStatus::from_raw(3 << 8));
        assert_eq!(failed, format!("{line}; it ended with exit status: 3"));
    }

    #[test]
    fn what_asks_for_no_linker_is_static_and_rights_are_told_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        // A header that says where one segment is, which is not an interpreter.
        let mut bytes = vec![0; 120];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        (bytes[32], bytes[54], bytes[56], bytes[64]) = (64, 56, 1, 1);
        fs::write(&path, &bytes).unwrap();
        assert!(why(path.as_os_str()).contains("linked statically"));
        bytes[64] = INTERPRETER as u8;
        fs::write(&path, &bytes).unwrap();
        assert!(!why(path.as_os_str()).contains("statically"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
        assert!(why(path.as_os_str()).contains("rights"));
    }
}
