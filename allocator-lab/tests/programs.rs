//! The memory of a program is its own. In a process apart: a program that is started begins with what
//! this process holds, and other tests hold much.

use allocator_lab::programs::entrants;
use allocator_lab::programs::process::{Call, TIMEOUT_SECONDS};
use std::ffi::OsString;

/// Most bytes that the largest process of a shell's script had resident.
fn peak(script: &str) -> u64 {
    let (objects, _) = entrants::objects(&[], |_| {}).unwrap();
    let call = Call {
        command: ["/bin/sh", "-c", script].map(OsString::from).to_vec(),
        environment: Vec::new(),
        inherits: false,
        timeout_seconds: TIMEOUT_SECONDS,
        folder: std::env::temp_dir(),
    };
    let ended = call.start(&objects[entrants::system().executable]).unwrap();
    ended.end().unwrap().figures.peak_rss_bytes
}

#[test]
fn the_peak_is_that_of_the_largest_process_whatever_this_one_had() {
    let bytes = 256 << 20;
    drop(std::hint::black_box(vec![1_u8; bytes]));
    let small = peak("exit 0");
    assert!((1 << 20..64 << 20).contains(&small), "{small}");
    // `dd` has a buffer of 48 MiB.
    let large = peak("dd if=/dev/zero of=/dev/null bs=48M count=4 2>/dev/null");
    assert!((48 << 20..96 << 20).contains(&large), "{large}");
}
