//! How long the fit of size classes takes: `cargo bench -p allocator-lab --bench ladder`.

use allocator_lab::fit::ladder::{Rung, solve};
use std::hint::black_box;
use std::time::Instant;

/// Sizes that a class may have: each multiple of 8 up to 32 KiB.
const RUNGS: usize = 4096;

/// Most classes; the ladders of fewer come along.
const CLASSES: usize = 64;

const RUNS: usize = 21;

fn main() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut weight = 0.0;
    let rungs: Vec<Rung> = (0..RUNGS)
        .map(|index| {
            weight += random.f64();
            let bytes = (index + 1) * 8;
            Rung {
                bytes,
                taken: bytes as f64,
                weight,
                // Gaps of up to half of a class.
                reach: index.div_ceil(2),
            }
        })
        .collect();
    let mut times: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            let ladders = solve(black_box(&rungs), CLASSES);
            let time = start.elapsed();
            assert!(ladders[CLASSES - 1].is_some());
            time
        })
        .collect();
    times.sort_unstable();
    println!(
        "{RUNGS} sizes, 1 to {CLASSES} classes: {:.1?} (middle of {RUNS}; {:.1?} to {:.1?})",
        times[RUNS / 2],
        times[0],
        times[RUNS - 1]
    );
}
