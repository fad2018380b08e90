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
    /// It is there, and no file: a device, or a pipe.
    Stream,
    /// Only to be read.
    Read,
}

impl File {
    /// Opens a file.
    pub(crate) fn open(path: &CStr, mode: Mode) -> Result<Self, c_int> {
        let flags = match mode {
            Mode::New => libc::O_RDWR | libc::O_CREAT | libc::O_EXCL,
            Mode::Stream => libc::O_WRONLY,
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

    /// Makes it this long; what is new reads as zero and takes no room yet. False as well where a limit on the length of files
    /// (`RLIMIT_FSIZE`) is less: the OS would end the process by a signal.
    pub(crate) fn set_bytes(&self, bytes: usize) -> bool {
        let mut limit = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `limit` is valid for writes.
        let is_known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) } == 0;
        // SAFETY: the file is open.
        is_known
            && bytes as u64 <= limit.rlim_cur
            && unsafe { libc::ftruncate(self.0, bytes as libc::off_t) == 0 }
    }

    /// Reads its first `bytes` to `start`. False when it is shorter, or cannot be read.
    ///
    /// # Safety
    /// - so many bytes from `start` on are valid for writes.
    pub(crate) unsafe fn read(&self, start: NonNull<u8>, bytes: usize) -> bool {
        let mut at = 0;
        while at < bytes {
            // SAFETY: the caller's promise; the call, unlike `pread`, is no cancellation point.
            let read = unsafe {
                libc::syscall(
                    libc::SYS_pread64,
                    self.0,
                    start.as_ptr().wrapping_add(at),
                    bytes - at,
                    at as libc::off_t,
                )
            };
            match usize::try_from(read) {
                Ok(0) => return false,
                Ok(read) => at += read,
                Err(_) if errno() == libc::EINTR => {}
                Err(_) => return false,
            }
        }
        true
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
    pub(crate) fn map(&self, bytes: usize) -> Option<NonNull<u8>> {
        let rights = libc::PROT_READ | libc::PROT_WRITE;
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

/// Whether something is there, through links, that is no file: it is written to, and nothing takes its place.
pub(crate) fn is_stream(path: &CStr) -> bool {
    // SAFETY: plain numbers, for which zero is a value.
    let mut status: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: a C string, and `status` is valid for writes.
    let is_there = unsafe { libc::stat(path.as_ptr(), &raw mut status) } == 0;
    is_there && status.st_mode & libc::S_IFMT != libc::S_IFREG
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
    /// Nothing, or no text, or it is not to be trusted: the program has rights that its user has not.
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
    if value.is_null() {
        return Variable::Unset;
    }
    // SAFETY: `getenv` points to a C string, which stays as long as the variable does.
    match unsafe { CStr::from_ptr(value) } {
        empty if empty.is_empty() => Variable::Unset,
        text => Variable::Set(text),
    }
}
