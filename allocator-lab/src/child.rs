//! The child's side: one workload, measured, in a process of its own.

use crate::corpus::Corpus;
use crate::dispatch;
use crate::sample::{Figures, Sample};
use crate::traffic::Traffic;
use crate::usage::{self, Stopwatch};
use crate::workloads::{Ageing, Size, Workload};
use serde::Serialize;

/// After this many seconds a run is taken for stuck and killed. The longest
/// run takes well under one.
pub const TIMEOUT_SECONDS: u32 = 30;

/// The heap that a run begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heap {
    /// That of a process which has just started.
    Fresh,
    /// That of one which has allocated and freed a lot, and still holds some of it.
    Aged,
}

/// Runs the workload on the allocator that the environment selected and
/// returns the figures as a line of JSON.
///
/// # Errors
/// A sentence, if the corpus on standard input cannot be read.
pub fn run(workload: &Workload, size: Size) -> Result<String, String> {
    measure(dispatch::selected().name, workload, size, Heap::Fresh)
}

/// Runs the workload on this process's allocator, which is called so, and
/// returns the figures as a line of JSON.
///
/// # Errors
/// A sentence, if the corpus on standard input cannot be read.
pub fn measure(
    allocator: &str,
    workload: &Workload,
    size: Size,
    heap: Heap,
) -> Result<String, String> {
    observe(allocator, || {
        in_heap(workload, size, heap, |work| {
            let stopwatch = Stopwatch::start();
            let checksum = work();
            let elapsed = stopwatch.elapsed();
            let figures = Figures::new(elapsed, usage::peak_rss_bytes());
            Ok((checksum, figures))
        })
    })
}

/// The same, but returns what is counted of it.
///
/// # Errors
/// A sentence, if the corpus on standard input cannot be read, or if this program does not count.
pub fn count(
    allocator: &str,
    workload: &Workload,
    size: Size,
    heap: Heap,
) -> Result<String, String> {
    observe(allocator, || {
        in_heap(workload, size, heap, |work| Traffic::of(work))
    })
}

/// Does anything that is observed, and returns it as a line of JSON. Ends the
/// process if it takes [`TIMEOUT_SECONDS`].
///
/// # Errors
/// That of the work.
pub fn observe<F: Serialize>(
    allocator: &str,
    work: impl FnOnce() -> Result<(u64, F), String>,
) -> Result<String, String> {
    // SAFETY: sets a timer of this process, nothing else. Its signal is not
    // handled, so a run that is stuck, maybe inside the allocator, ends.
    unsafe { libc::alarm(TIMEOUT_SECONDS) };
    let (checksum, figures) = work()?;
    let sample = Sample {
        allocator: allocator.to_owned(),
        checksum,
        figures,
    };
    serde_json::to_string(&sample).map_err(|error| error.to_string())
}

/// Has the workload observed, with its input, in a heap as it is to be.
fn in_heap<F>(
    workload: &Workload,
    size: Size,
    heap: Heap,
    observe: impl FnOnce(&dyn Fn() -> u64) -> Result<(u64, F), String>,
) -> Result<(u64, F), String> {
    let corpus = if workload.reads_corpus {
        Corpus::from_stdin().map_err(|error| format!("cannot read the corpus: {error}"))?
    } else {
        Corpus::default()
    };
    let aged = (heap == Heap::Aged).then(|| Ageing::of(size));
    let observed = observe(&|| workload.run(&corpus, size));
    if let Some(aged) = aged {
        aged.check();
    }
    observed
}
