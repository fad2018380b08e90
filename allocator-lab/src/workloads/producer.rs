//! One thread allocates, another checks and frees: every free is a remote one.

use super::block::{Block, mixed_bytes};
use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::sync::mpsc;
use std::thread;

pub(super) const WORKLOAD: Workload = Workload {
    name: "producer",
    about: "one thread allocates blocks of 16 to 512 bytes, another one frees them",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Blocks in all.
const BLOCKS: u64 = 1_500_000;

/// Blocks that go into one message.
const BATCH: u64 = 100;

/// Messages that may wait: bounds how far the consumer falls behind.
const WAITING: usize = 32;

fn work(_: &Corpus, size: Size) -> u64 {
    let (sender, receiver) = mpsc::sync_channel::<Vec<Block>>(WAITING);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut rng = fastrand::Rng::with_seed(1);
            for batch in 0..size.repeat(BLOCKS) / BATCH {
                let block = |index| Block::new(mixed_bytes(&mut rng), (batch ^ index) as u32);
                let sent = sender.send((0..BATCH).map(block).collect());
                sent.expect("the consumer takes all");
            }
        });
        let blocks = receiver.iter().flatten();
        blocks.fold(0, |checksum, block| mix(checksum, block.check()))
    })
}
