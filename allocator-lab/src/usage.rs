//! What this process has used so far: time and memory.

use std::io::Read;
use std::time::{Duration, Instant};

/// A moment from which time is measured.
pub struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

/// Time that passed since a stopwatch was started.
#[derive(Debug, Clone, Copy)]
pub struct Elapsed {
    /// CPU time of all threads, in user code and in the kernel.
    pub cpu: Duration,
    /// Time by the clock.
    pub wall: Duration,
}

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: cpu_time(),
        }
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Elapsed {
        let cpu = cpu_time().saturating_sub(self.cpu);
        Elapsed {
            cpu,
            wall: self.wall.elapsed(),
        }
    }
}

/// CPU time of this process so far, user and system.
fn cpu_time() -> Duration {
    let usage = resource_usage();
    let duration = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec.unsigned_abs())
            + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    duration(usage.ru_utime) + duration(usage.ru_stime)
}

/// Most bytes of memory that this process ever had resident at one time.
///
/// On Linux from `/proc/self/status`: `ru_maxrss` survives `exec`, so a child
/// would inherit the peak of the parent that started it.
#[must_use]
pub fn peak_rss_bytes() -> u64 {
    high_water_mark_bytes().unwrap_or_else(|| {
        let unit = if cfg!(target_vendor = "apple") {
            1
        } else {
            1024
        };
        resource_usage().ru_maxrss.unsigned_abs() * unit
    })
}

/// The `VmHWM` line. Reads into the stack: asking must not raise the answer.
fn high_water_mark_bytes() -> Option<u64> {
    const LINE: &[u8] = b"VmHWM:";
    let mut buffer = [0; 4096];
    let mut file = std::fs::File::open("/proc/self/status").ok()?;
    // A user's groups, which may be many, stand before the line.
    let mut kept = 0;
    loop {
        let length = match file.read(&mut buffer[kept..]).ok()? {
            0 => return None,
            read => kept + read,
        };
        let text = &buffer[..length];
        let start = text.windows(LINE.len()).position(|at| at == LINE);
        let rest = start.map(|start| &text[start + LINE.len()..]);
        let line = rest.and_then(|rest| {
            let line = rest.split_inclusive(|&byte| byte == b'\n').next()?;
            line.strip_suffix(b"\n")
        });
        if let Some(line) = line {
            let kilobytes = std::str::from_utf8(line).ok()?;
            let kilobytes = kilobytes.trim().strip_suffix("kB")?;
            return Some(kilobytes.trim().parse::<u64>().ok()? * 1024);
        }
        // Where the line may have begun.
        kept = length.min(64);
        buffer.copy_within(length - kept..length, 0);
    }
}

fn resource_usage() -> libc::rusage {
    // SAFETY: `rusage` is plain integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is valid for writes of one `rusage`.
    let failed = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    assert_eq!(failed, 0, "getrusage knows RUSAGE_SELF");
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_cpu_time_and_sleep_does_not() {
        let stopwatch = Stopwatch::start();
        while stopwatch.elapsed().cpu < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        std::thread::sleep(Duration::from_millis(5));
        let elapsed = stopwatch.elapsed();
        assert!(elapsed.cpu >= Duration::from_millis(2));
        assert!(elapsed.wall >= Duration::from_millis(5));
    }

    #[test]
    fn the_peak_counts_memory_that_was_given_back() {
        let bytes = 32 << 20;
        drop(std::hint::black_box(vec![1_u8; bytes]));
        assert!(peak_rss_bytes() >= bytes as u64);
    }
}
