//! The profile of a declared type: what was recorded, as numbers, and its file.

use core::ffi::CStr;
use core::ptr::NonNull;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::base::text::Text;
use crate::config::choices::Derived;
use crate::heap::declared::Declared;
use crate::mem::book::{self, Book};
use crate::mem::places::{PLACES, request};
use crate::mem::tape::{self, TracedStep};
use crate::os::file::{self, File, Mode};
use crate::os::{self, OS_PAGE_BYTES};

/// What was recorded of requests of one size and alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileRow {
    /// The alignment; 8 stands for all up to 8, 4096 for all from there on.
    pub align: u64,
    /// Bytes: the largest of the sizes that are counted together. They go in steps of 8 up to 32 KiB (at
    /// alignments over 16: up to 1 KiB), above with eight steps to a doubling.
    pub size: u64,
    /// Blocks allocated.
    pub allocations: u64,
    /// Blocks live when the profile was taken.
    pub live: u64,
    /// Blocks live when most bytes were.
    pub live_at_peak: u64,
    /// Blocks live on average over time, in thousandths. Time is counted in allocations.
    pub live_mean_thousandths: u64,
}

/// What was recorded of a type up to a moment (`stats = histogram`). Numbers only: no addresses, no names.
///
/// Its memory is from the OS. Taking one and writing it allocates nothing and waits for no lock, so both may
/// be done in a handler of a signal.
#[derive(Debug)]
pub struct Profile {
    /// Room for a row per place; `None` when nothing is recorded, or without memory.
    rows: Option<NonNull<ProfileRow>>,
    /// Rows that there are.
    len: usize,
    threads: u64,
    is_recorded: bool,
}

// SAFETY: the memory is the profile's own, and is only read.
unsafe impl Send for Profile {}
// SAFETY: as above.
unsafe impl Sync for Profile {}

/// Bytes of the memory of rows, whole OS pages.
const ROWS_BYTES: usize = (PLACES * size_of::<ProfileRow>()).next_multiple_of(OS_PAGE_BYTES);

/// The variable of the environment that names a folder for files of [`profile_of_file`].
pub const PROFILE_FOLDER: &CStr = book::FOLDER;

/// The variable of the environment that names a folder for files of [`traced_steps`].
pub const TRACE_FOLDER: &CStr = tape::FOLDER;

const HEAD: &[u8] = b"{\"format\":\"allocator-profile\",\"version\":1,\"runs\":1,\"threads\":";
const COLUMNS: &[u8] = b",\"columns\":[\"align\",\"size\",\"allocations\",\"live_at_peak\",\
    \"live_mean_thousandths\"],\"rows\":[";

/// Bytes of the longest row.
const ROW_BYTES: usize = 128;

impl Profile {
    /// What a book says; that of a process with nothing in it when there is none.
    fn of(book: Option<&Book>) -> Self {
        let rows = os::reserve(ROWS_BYTES, OS_PAGE_BYTES, 0).map(NonNull::cast);
        let mut profile = Self {
            rows,
            len: 0,
            threads: 0,
            is_recorded: true,
        };
        if let Some(book) = book {
            profile.fill(book);
        }
        profile
    }

    fn fill(&mut self, book: &Book) {
        let allocations = |place| {
            let rows = book.tallies().map(move |tally| tally.row(place));
            rows.map(|row| row.allocations.get())
        };
        let time: u64 = book
            .places()
            .flat_map(allocations)
            .fold(0, u64::wrapping_add);
        let peak = book.peak();
        for place in book.places() {
            let allocations = allocations(place).fold(0, u64::wrapping_add);
            if allocations == 0 {
                continue;
            }
            let live = book.live(place);
            let ages = book.tallies().map(|tally| tally.row(place).age.get());
            let age = ages.fold(live.wrapping_mul(time), u64::wrapping_add);
            let age = age.cast_signed().max(0).unsigned_abs();
            let mean = u128::from(age) * 1000 / u128::from(time.max(1));
            let (align, size) = request(place);
            let at_peak = peak.map_or(live, |peak| peak.live(place));
            self.push(ProfileRow {
                align: align as u64,
                size: size as u64,
                allocations,
                live,
                // Threads that look at one another's counts may see them a little apart.
                live_at_peak: at_peak.min(allocations),
                live_mean_thousandths: (mean as u64).min(allocations.saturating_mul(1000)),
            });
        }
        let common = book.tallies().next();
        let is_common_used = common.is_some_and(|tally| tally.is_used());
        self.threads = book.taken().max(u64::from(is_common_used));
    }

    fn push(&mut self, row: ProfileRow) {
        if let Some(rows) = self.rows {
            // SAFETY: there is room for a row of each place, and each is pushed once.
            unsafe { rows.add(self.len).write(row) };
            self.len += 1;
        }
    }

    /// The rows, by alignment and size.
    #[must_use]
    pub fn rows(&self) -> &[ProfileRow] {
        match self.rows {
            // SAFETY: written by push(), and the profile's own.
            Some(rows) => unsafe { core::slice::from_raw_parts(rows.as_ptr(), self.len) },
            None => &[],
        }
    }

    /// Most threads that allocated at the same time.
    #[must_use]
    pub fn threads(&self) -> u64 {
        self.threads
    }

    /// Writes the profile into a file, which `allocator-lab fit` reads. What was in the file stays there
    /// until all of it is written, and if it cannot be. What is no file, as a device, is written to.
    ///
    /// # Errors
    /// That of the OS; `Unsupported` when the type's requests are not recorded.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        if !self.is_recorded {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if self.rows.is_none() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let path = path.as_ref().as_os_str().as_bytes();
        let (mut target, mut draft) = (Text::<PATH_BYTES>::new(), Text::<PATH_BYTES>::new());
        target.push(path);
        draft.push(path);
        draft.push(b".");
        draft.push_number(file::process());
        draft.push(b".tmp");
        let (target, draft) = (c_string(&mut target)?, c_string(&mut draft)?);
        if file::is_stream(target) {
            let written = File::open(target, Mode::Stream).and_then(|file| self.write_into(&file));
            return written.map_err(io::Error::from_raw_os_error);
        }
        // One that a process of this number left.
        file::remove(draft);
        let written = File::open(draft, Mode::New).and_then(|file| self.write_into(&file));
        let renamed = written.and_then(|()| file::rename(draft, target));
        renamed.map_err(|error| {
            file::remove(draft);
            io::Error::from_raw_os_error(error)
        })
    }

    fn write_into(&self, file: &File) -> Result<(), i32> {
        let mut text = Text::<8192>::new();
        text.push(HEAD);
        text.push_number(self.threads);
        text.push(COLUMNS);
        for (index, row) in self.rows().iter().enumerate() {
            text.push(if index == 0 { b"\n[" } else { b",\n[" });
            let numbers = [
                row.align,
                row.size,
                row.allocations,
                row.live_at_peak,
                row.live_mean_thousandths,
            ];
            for (index, number) in numbers.into_iter().enumerate() {
                if index > 0 {
                    text.push(b",");
                }
                text.push_number(number);
            }
            text.push(b"]");
            if text.room() < ROW_BYTES {
                file.write(text.bytes())?;
                text.clear();
            }
        }
        text.push(b"]}\n");
        file.write(text.bytes())
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        if let Some(rows) = self.rows {
            // SAFETY: mapped by of(), and nobody uses it any more.
            unsafe { os::release(rows.cast(), ROWS_BYTES) };
        }
    }
}

/// Bytes of the longest path, as the OS has it.
const PATH_BYTES: usize = 4096;

/// The text as a C string.
fn c_string(text: &mut Text<PATH_BYTES>) -> io::Result<&CStr> {
    text.push(b"\0");
    match CStr::from_bytes_with_nul(text.bytes()) {
        Ok(path) if text.is_whole() => Ok(path),
        _ => Err(io::ErrorKind::InvalidFilename.into()),
    }
}

/// What was recorded of `D` so far, by all its threads.
#[must_use]
pub fn profile<D: Declared>() -> Profile {
    if D::RECORDS {
        return Profile::of(D::shared().ledger().book());
    }
    Profile {
        rows: None,
        len: 0,
        threads: 0,
        is_recorded: false,
    }
}

/// What is in a file that a process keeps its record in (`ALLOCATOR_PROFILE`), whether it has ended or not.
/// `None` when it is no such file.
#[must_use]
pub fn profile_of_file(path: &Path) -> Option<Profile> {
    let mut text = Text::<PATH_BYTES>::new();
    text.push(path.as_os_str().as_bytes());
    let path = c_string(&mut text).ok()?;
    book::read(path, |book| Profile::of(Some(book)))
}

/// Tells of each step in a file that a process writes them to (`ALLOCATOR_TRACE`), in order; how many found no
/// room. `None` when it is no such file.
pub fn traced_steps(path: &Path, tell: impl FnMut(TracedStep)) -> Option<u64> {
    let mut text = Text::<PATH_BYTES>::new();
    text.push(path.as_os_str().as_bytes());
    let path = c_string(&mut text).ok()?;
    book::read_tape(path, |tape| {
        tape.steps().for_each(tell);
        tape.lost()
    })
}
