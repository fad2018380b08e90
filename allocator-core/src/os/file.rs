//! Files, for the recorder: memory that outlives the process, and text. Paths are C strings, errors are
//! error numbers, and nothing is a cancellation point of a thread: it may be inside of `malloc`.

use core::ffi::{CStr, c_int};
use core::ptr::{self, NonNull};

use super::errno;

/// An open file.
pub(crate) struct File(c_int);

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It must not be there yet.
    New,
    /// What is there is thrown away.
    Anew,
    /// Only to be read.
    Read,
}

impl File {
    /// Opens a file.
    pub(crate) fn open(path: &CStr, mode: Mode) -> Result<Self, c_int> {
        let flags = match mode {
            Mode::New => libc::O_RDWR | libc::O_CREAT | libc::O_EXCL,
            Mode::Anew => libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
            Mode::Read => libc::O_RDONLY,
        };
        // For everyone that the user's mask lets.
        let rights: c_int = 0o666;
        // SAFETY: the path is a C string; the call, unlike `open`, is no cancellation point.
        let file = unsafe {
            libc::syscall(
                libc::SYS_openat,
                libc::AT_FDCWD,
                path.as_ptr(),
                flags | libc::O_CLOEXEC,
                rights,
            )
        };
        match c_int::try_from(file) {
            Ok(file) if file >= 0 => Ok(Self(file)),
            _ => Err(errno()),
        }
    }

    /// Makes it this long; what is new reads as zero and takes no room yet.
    pub(crate) fn set_bytes(&self, bytes: usize) -> bool {
        // SAFETY: the file is open.
        unsafe { libc::ftruncate(self.0, bytes as libc::off_t) == 0 }
    }

    /// How long it is.
    pub(crate) fn bytes(&self) -> Option<usize> {
        // SAFETY: the file is open.
        let end = unsafe { libc::lseek(self.0, 0, libc::SEEK_END) };
        usize::try_from(end).ok()
    }

    /// Writes all of it.
    pub(crate) fn write(&self, mut bytes: &[u8]) -> Result<(), c_int> {
        while !bytes.is_empty() {
            // SAFETY: the bytes are valid for reads; the call is no cancellation point.
            let written =
                unsafe { libc::syscall(libc::SYS_write, self.0, bytes.as_ptr(), bytes.len()) };
            match usize::try_from(written) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(_) if errno() == libc::EINTR => {}
                Err(_) => return Err(errno()),
            }
        }
        Ok(())
    }

    /// Its first `bytes` as memory, which the file keeps, whatever becomes of the process.
    pub(crate) fn map(&self, bytes: usize, writable: bool) -> Option<NonNull<u8>> {
        let rights = match writable {
            true => libc::PROT_READ | libc::PROT_WRITE,
            false => libc::PROT_READ,
        };
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
        // SAFETY: without MAP_FIXED, no memory is touched that exists.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, rights, flags, self.0, 0) };
        match start == libc::MAP_FAILED {
            true => None,
            false => NonNull::new(start.cast()),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the file is open, and nobody uses it any more; the call is no cancellation point.
        unsafe { libc::syscall(libc::SYS_close, self.0) };
    }
}

/// Has the memory of a mapped file backed now: what a full disk cannot give is refused here, not by a
/// signal when it is touched. True as well where the OS does not know the call (before Linux 5.14).
///
/// # Safety
/// - `[start, start + bytes)` is part of a mapping.
pub(crate) unsafe fn back(start: NonNull<u8>, bytes: usize) -> bool {
    // SAFETY: the caller's promise; no content changes.
    let refused =
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_POPULATE_WRITE) } != 0;
    !refused || errno() == libc::EINVAL
}

/// Gives a file another name, whatever had that before.
pub(crate) fn rename(from: &CStr, to: &CStr) -> Result<(), c_int> {
    // SAFETY: C strings.
    match unsafe { libc::rename(from.as_ptr(), to.as_ptr()) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// Takes a file away. One that cannot be stays.
pub(crate) fn remove(path: &CStr) {
    // SAFETY: a C string.
    unsafe { libc::unlink(path.as_ptr()) };
}

/// The number of this process.
pub(crate) fn process() -> u64 {
    // SAFETY: it has no preconditions.
    u64::from(unsafe { libc::getpid() }.unsigned_abs())
}

/// What a variable of the environment says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Variable {
    /// The C library does not have the environment yet.
    TooEarly,
    /// Nothing, or it is not to be trusted: the program has rights that its user has not.
    Unset,
    /// This.
    Set(&'static CStr),
}

/// Looks a variable up. Its text is valid as long as the program does not change the variable.
pub(crate) fn variable(name: &CStr) -> Variable {
    unsafe extern "C" {
        static environ: *const *const libc::c_char;
    }
    // SAFETY: the C library's own variable.
    if unsafe { (&raw const environ).read() }.is_null() {
        return Variable::TooEarly;
    }
    // SAFETY: it has no preconditions.
    if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        return Variable::Unset;
    }
    // SAFETY: a C string.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    match value.is_null() {
        true => Variable::Unset,
        // SAFETY: `getenv` points to a C string, which stays as long as the variable does.
        false => Variable::Set(unsafe { CStr::from_ptr(value) }),
    }
}
