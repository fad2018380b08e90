//! What became of a heap: whether it still hands out blocks that are there once each and keep what is
//! written to them.

use super::scene::{Scene, many};
use crate::face::Face;
use crate::random::Random;

/// Memory that is in use, or never was the heap's.
pub(super) struct Held {
    pub(super) address: usize,
    pub(super) bytes: usize,
    /// What it means when it is handed out all the same.
    pub(super) if_handed_out: &'static str,
}

/// The heap does what it should.
pub(super) const UNHARMED: &str = "unharmed";
/// A block that is in use is handed out.
pub(super) const TWICE: &str = "a block is handed out twice";
/// Blocks overlap that do not start at one address.
pub(super) const OVERLAP: &str = "blocks overlap";
/// What somebody wrote is something else now.
pub(super) const CHANGED: &str = "a block changes";

/// What can be said of the heap, from blocks of this size: of the thread that made the mistake, and of the owner's.
pub(super) fn look<F: Face>(scene: &Scene, size: usize, held: &[Held]) -> &'static str {
    let count = many(size);
    let allocate = move || (0..count).map(|_| F::allocate(size)).collect::<Vec<_>>();
    // Nothing is written before it is known whose it is.
    let mine = allocate();
    let theirs = scene.by_owner(allocate);
    let block = |address: &usize| Held {
        address: *address,
        bytes: size,
        if_handed_out: TWICE,
    };
    let all = mine.iter().chain(&theirs).map(block);
    let mut all: Vec<_> = all
        .chain(held.iter().map(|held| Held { ..*held }))
        .collect();
    all.sort_by_key(|held| held.address);
    for pair in all.windows(2) {
        let [first, second] = pair else { continue };
        if first.address == second.address {
            // The same, or what is not a block of the heap's.
            let special = [first, second].map(|held| held.if_handed_out);
            let special = special.into_iter().find(|what| *what != TWICE);
            return special.unwrap_or(TWICE);
        }
        if first.address + first.bytes > second.address {
            return OVERLAP;
        }
    }
    let free_all = move |blocks: Vec<usize>| {
        for block in blocks {
            // SAFETY: allocated above, once each.
            unsafe { F::free(block, size) };
        }
    };
    let kept = mine.iter().chain(&theirs).all(|block| fills(*block, size));
    free_all(mine);
    scene.by_owner(move || free_all(theirs));
    if kept && is_sound::<F>(1) && scene.by_owner(|| is_sound::<F>(2)) {
        UNHARMED
    } else {
        CHANGED
    }
}

/// Whether a block keeps what is written to its ends.
fn fills(block: usize, size: usize) -> bool {
    let mark = mark_of(block, size);
    write(block, size, mark);
    is_written(block, size, mark)
}

fn mark_of(block: usize, size: usize) -> u8 {
    ((block >> 4) ^ size) as u8
}

/// Bytes at both ends that are looked at.
fn ends(block: usize, size: usize) -> [(usize, usize); 2] {
    let bytes = size.min(64);
    [(block, bytes), (block + size - bytes, bytes)]
}

fn write(block: usize, size: usize, mark: u8) {
    for (start, bytes) in ends(block, size) {
        let start: *mut u8 = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: in a block of the heap's, as far as is known.
        unsafe { start.write_bytes(mark, bytes) };
    }
}

fn is_written(block: usize, size: usize, mark: u8) -> bool {
    ends(block, size).into_iter().all(|(start, bytes)| {
        let start: *const u8 = std::ptr::with_exposed_provenance(start);
        // SAFETY: as in write(), which came before.
        (0..bytes).all(|at| unsafe { start.add(at).read_volatile() } == mark)
    })
}

/// Whether blocks of all kinds keep what is written to them, through a mixed load.
fn is_sound<F: Face>(seed: u64) -> bool {
    let mut random = Random::new(seed);
    let mut blocks: Vec<(usize, usize)> = Vec::new();
    let mut sound = true;
    let mut free = |(block, size): (usize, usize)| {
        sound &= is_written(block, size, mark_of(block, size));
        // SAFETY: allocated below, and freed once.
        unsafe { F::free(block, size) };
    };
    for _ in 0..20_000 {
        if random.below(2) == 0 || blocks.is_empty() {
            let size = match random.below(200) {
                0 => 1 + random.below(20 << 20),
                1..10 => 1 + random.below(400_000),
                10..50 => 1 + random.below(30_000),
                _ => 1 + random.below(300),
            };
            let block = F::allocate(size);
            write(block, size, mark_of(block, size));
            blocks.push((block, size));
        } else {
            free(blocks.swap_remove(random.below(blocks.len())));
        }
    }
    blocks.into_iter().for_each(free);
    sound
}
