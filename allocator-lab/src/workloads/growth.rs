//! Huge growth: a block is reallocated from 64 MiB to 729 MiB by half steps.
//! Whoever can move pages instead of bytes does it in no time.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::alloc::{self, Layout};
use std::ptr::NonNull;

pub(super) const WORKLOAD: Workload = Workload {
    name: "growth",
    about: "realloc a block from 64 MiB to 729 MiB by half steps, a word per MiB written",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Bytes at first.
const BYTES_MIN: u64 = 64 << 20;

/// Times that the block grows by a half.
const STEPS: u32 = 6;

/// Words written at first; every step writes half as many as there are.
const WORDS: usize = 64;

const ALIGN: usize = align_of::<u64>();

fn work(_: &Corpus, size: Size) -> u64 {
    // A multiple of 64 words, and of 2^6 so that every half step is whole.
    let stride = (size.repeat(BYTES_MIN) as usize / WORDS).next_multiple_of(ALIGN);
    let mut bytes = stride * WORDS;
    // SAFETY: the size is not zero.
    let start = unsafe { alloc::alloc(layout(bytes)) };
    let mut start = NonNull::new(start).unwrap_or_else(|| panic!("null for {bytes} bytes"));
    let mut words = 0;
    let mut checksum = 0;
    for step in 0..=STEPS {
        if step > 0 {
            let larger = bytes + bytes / 2 / stride * stride;
            // SAFETY: allocated with this layout; the new size is not zero and far from overflow.
            let moved = unsafe { alloc::realloc(start.as_ptr(), layout(bytes), larger) };
            start = NonNull::new(moved).unwrap_or_else(|| panic!("null for {larger} bytes"));
            bytes = larger;
        }
        // SAFETY: below `bytes`, since it holds a whole number of strides, and aligned as they are.
        let word = |index: usize| unsafe { start.add(index * stride).cast::<u64>() };
        for index in words..bytes / stride {
            // SAFETY: within the block, which is ours alone.
            unsafe { word(index).write(tag(index)) };
        }
        words = bytes / stride;
        for index in 0..words {
            // SAFETY: within the block, and written in this step or one before.
            let found = unsafe { word(index).read() };
            assert_eq!(
                found,
                tag(index),
                "a block that grew to {bytes} bytes changed"
            );
            checksum = mix(checksum, found);
        }
    }
    // SAFETY: allocated with this layout, and not used any more.
    unsafe { alloc::dealloc(start.as_ptr(), layout(bytes)) };
    checksum
}

fn tag(index: usize) -> u64 {
    mix(1, index as u64)
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, ALIGN).expect("far from overflow")
}
