//! Figures of the process, had without allocating: what is measured is not disturbed.

use std::ffi::CStr;

use crate::process::OS_PAGE_BYTES;

/// Calls `each` with the content of a file, in pieces.
fn read(path: &CStr, mut each: impl FnMut(&[u8])) {
    let mut buffer = [0_u8; 4096];
    // SAFETY: the path is a string of C.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY) };
    assert!(file >= 0, "{path:?} can be opened");
    loop {
        // SAFETY: the buffer is valid for writes of its length.
        let count = unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) };
        let count = usize::try_from(count).expect("the file can be read");
        if count == 0 {
            break;
        }
        each(&buffer[..count]);
    }
    // SAFETY: opened above.
    unsafe { libc::close(file) };
}

/// Resident bytes of the process.
#[must_use]
pub fn resident_bytes() -> usize {
    in_statm(1)
}

/// Bytes of addresses that the process has mapped.
#[must_use]
pub fn mapped_bytes() -> usize {
    in_statm(0)
}

/// Bytes of so many pages as `/proc/self/statm` says at an index.
fn in_statm(index: usize) -> usize {
    let mut pages = 0;
    read(c"/proc/self/statm", |text| {
        let text = std::str::from_utf8(text).expect("digits");
        let figure = text.split_whitespace().nth(index).expect("the figure");
        pages = figure.parse().expect("a number");
    });
    pages * OS_PAGE_BYTES
}

/// Mappings of the process.
#[must_use]
pub fn mappings() -> usize {
    let mut lines = 0;
    read(c"/proc/self/maps", |text| {
        lines += text.iter().filter(|&&byte| byte == b'\n').count();
    });
    lines
}

/// Bytes as MiB, for printing.
#[must_use]
pub fn mib(bytes: usize) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// Prints a figure for the test's report.
pub fn report(name: &str, value: impl std::fmt::Display) {
    println!("{name} = {value}");
}
