//! The shape of a server: eight threads, each with its blocks, replace them at
//! random; then each hands its blocks to a young thread and ends. Most blocks
//! are freed by another thread than the one that allocated them, which may be gone.

use super::block::{Block, mixed_bytes};
use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::thread;

pub(super) const WORKLOAD: Workload = Workload {
    name: "server",
    about: "8 threads replace blocks, hand them on to young threads and end, 30 generations",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Threads at the same time.
const LINES: usize = 8;

/// Threads that follow one another.
const GENERATIONS: u64 = 30;

/// Blocks that each thread has.
const BLOCKS: usize = 1000;

/// Blocks that a thread replaces in its life.
const REPLACEMENTS: u64 = 12_000;

fn work(_: &Corpus, size: Size) -> u64 {
    let mut lines: Vec<(Vec<Block>, u64)> = (0..LINES as u64)
        .map(|line| {
            let mut rng = fastrand::Rng::with_seed(line);
            let block = |tag| Block::new(mixed_bytes(&mut rng), tag as u32);
            ((0..BLOCKS).map(block).collect(), line)
        })
        .collect();
    for generation in 0..GENERATIONS {
        lines = thread::scope(|scope| {
            let threads: Vec<_> = lines
                .into_iter()
                .map(|line| scope.spawn(move || live(line, generation, size.repeat(REPLACEMENTS))))
                .collect();
            let ended = threads.into_iter().map(|thread| thread.join());
            ended.map(|line| line.expect("no block changed")).collect()
        });
        // The next thread gets the blocks of another line.
        lines.rotate_left(1);
    }
    let blocks = lines.iter().flat_map(|(blocks, _)| blocks);
    let checksum = blocks.fold(0, |checksum, block| mix(checksum, block.check()));
    lines.iter().fold(checksum, |all, line| mix(all, line.1))
}

/// One thread's life: its blocks and its checksum, handed in and out.
fn live(
    (mut blocks, mut checksum): (Vec<Block>, u64),
    generation: u64,
    times: u64,
) -> (Vec<Block>, u64) {
    let mut rng = fastrand::Rng::with_seed(checksum ^ generation);
    for tag in 0..times {
        let place = &mut blocks[rng.usize(..BLOCKS)];
        checksum = mix(checksum, place.check());
        *place = Block::new(mixed_bytes(&mut rng), tag as u32);
    }
    (blocks, checksum)
}
