//! A binary tree built and dropped: nodes of one size, freed in about the
//! order in which they were allocated. A large one stays while small ones come and go.

use super::{Kind, Size, Workload, mix};
use crate::corpus::Corpus;
use std::hint::black_box;

pub(super) const WORKLOAD: Workload = Workload {
    name: "tree",
    about: "build and drop binary trees of Boxes: one of 2^19 nodes, thousands of small ones",
    reads_corpus: false,
    kind: Kind::Shape,
    work,
};

/// Levels of the tree that stays.
const LARGE_LEVELS: u32 = 19;

/// Levels of the trees that come and go.
const SMALL_LEVELS: std::ops::RangeInclusive<u32> = 4..=14;

/// Nodes of the small trees of one height, in all.
const NODES: u64 = 1 << 18;

struct Node {
    value: u64,
    children: Option<[Box<Node>; 2]>,
}

fn work(_: &Corpus, size: Size) -> u64 {
    let large = black_box(build(size.repeat(1 << LARGE_LEVELS).ilog2(), 1));
    let mut checksum = 0;
    for levels in SMALL_LEVELS {
        for turn in 0..size.repeat(NODES >> levels) {
            let small = black_box(build(levels, turn));
            checksum = mix(checksum, sum(&small));
        }
    }
    mix(checksum, sum(&large))
}

fn build(levels: u32, value: u64) -> Box<Node> {
    let child = |side| build(levels - 1, value.wrapping_mul(2).wrapping_add(side));
    let children = (levels > 1).then(|| [child(0), child(1)]);
    Box::new(Node { value, children })
}

fn sum(node: &Node) -> u64 {
    let children = node.children.iter().flatten();
    children.fold(node.value, |total, child| total.wrapping_add(sum(child)))
}
