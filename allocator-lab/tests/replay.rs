//! The model of the core's pages against the core itself. One test: what is resident is the process's.

use allocator_core::{Config, derive_allocator};
use allocator_lab::fit::histogram::Histogram;
use allocator_lab::fit::pages::Pages;
use allocator_lab::fit::replay::Held;
use allocator_lab::profile::{Counts, Profile, Request};
use std::alloc::{GlobalAlloc, Layout};
use std::fs;

// Huge pages round up to 2 MiB what is used all over, whatever its classes.
#[derive_allocator(thp = never)]
struct Default;

/// Classes that nothing like the default's has.
#[derive_allocator(
    size_classes = [
        24, 40, 64, 104, 120, 208, 328, 520, 1032, 1544, 2056, 3080, 4112, 6160, 8208, 10256,
        12304, 14352, 18448, 20496, 24592, 28688, 32768,
    ],
    thp = never,
)]
struct Odd;

/// As extended page by page, not 16 KiB at a time.
#[derive_allocator(size_classes = geometric(per_doubling = 2), small_extend = all, thp = never)]
struct Whole;

/// How far the model may be off. It takes blocks to be written to the end: where a large class is far
/// larger than what was asked for, a page of the OS at its end may never be touched.
const MOST_ERROR: f64 = 0.02;

/// Live blocks like a program's: many small ones, and about as many bytes in each doubling.
fn live_set(random: &mut fastrand::Rng) -> Vec<usize> {
    let mut sizes = Vec::new();
    for doubling in 3..15 {
        let low = 1_usize << doubling;
        let bytes = 1 << 21;
        sizes.extend((0..bytes / low).map(|_| random.usize(low..=2 * low)));
    }
    random.shuffle(&mut sizes);
    sizes
}

fn histogram(sizes: &[usize]) -> Histogram {
    let mut profile = Profile::default();
    for &size in sizes {
        let request = Request {
            size: size as u64,
            align: 1,
        };
        let one = Counts {
            allocations: 1,
            live_at_peak: 1,
            live_mean_thousandths: 1000,
        };
        let counts = profile.requests.entry(request).or_default();
        *counts = counts.plus(one);
    }
    profile.runs = 1;
    Histogram::of(&profile, 8)
}

/// Bytes that the process has resident.
fn resident_bytes() -> usize {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find(|line| line.starts_with("Rss:")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}

/// Bytes that become resident when all these blocks are live and written to.
///
/// All types share what they take from the OS, so it is given back at the end.
fn measured(allocator: &impl GlobalAlloc, purge: impl Fn(), sizes: &[usize]) -> usize {
    // Resident before, not after.
    let mut blocks = vec![
        (
            std::ptr::without_provenance_mut::<u8>(1),
            Layout::new::<u8>()
        );
        sizes.len()
    ];
    resident_bytes();
    let before = resident_bytes();
    for (block, &size) in blocks.iter_mut().zip(sizes) {
        let layout = Layout::from_size_align(size, 1).unwrap();
        // SAFETY: the size is not 0.
        *block = (unsafe { allocator.alloc(layout) }, layout);
        assert!(!block.0.is_null());
        // SAFETY: a block of this size.
        unsafe { block.0.write_bytes(1, size) };
    }
    let after = resident_bytes();
    for (block, layout) in blocks {
        // SAFETY: allocated with this layout above.
        unsafe { allocator.dealloc(block, layout) };
    }
    purge();
    after - before
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn the_model_of_pages_agrees_with_what_the_core_makes_resident() {
    let seed = 7;
    println!("seed {seed}");
    let sizes = live_set(&mut fastrand::Rng::with_seed(seed));
    let run = histogram(&sizes);
    let compare = |config: &Config, measured: usize| {
        let classes: Vec<usize> = config.class_bytes.iter().map(|it| *it as usize).collect();
        let held = Held::by(&run, &classes, &Pages::of(config));
        let ratio = measured as f64 / held.resident_bytes;
        println!(
            "{}: {measured} / {} = {ratio:.4}",
            config.name, held.resident_bytes
        );
        ratio
    };
    let ratios = [
        compare(&Default::CONFIG, measured(&Default, Default::purge, &sizes)),
        compare(&Odd::CONFIG, measured(&Odd, Odd::purge, &sizes)),
        compare(&Whole::CONFIG, measured(&Whole, Whole::purge, &sizes)),
    ];
    for ratio in ratios {
        assert!((ratio - 1.0).abs() < MOST_ERROR, "{ratios:?}");
    }
}
