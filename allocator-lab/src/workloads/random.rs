//! Random replacement: so many live blocks of mixed sizes, one of which is
//! freed at random and replaced by another size, again and again. With more
//! live blocks, less of what is touched is in any cache, and pages fragment.

use super::population::Population;
use super::{Kind, Workload, mix};

pub(super) const THOUSAND: Workload = Workload {
    name: "random-1k",
    about: "replace one of 1 thousand live blocks of 16 to 512 bytes at random",
    reads_corpus: false,
    kind: Kind::Shape,
    work: |_, size| replace(1_000, size.repeat(6_000_000)),
};

pub(super) const HUNDRED_THOUSAND: Workload = Workload {
    name: "random-100k",
    about: "replace one of 100 thousand live blocks of 16 to 512 bytes at random",
    reads_corpus: false,
    kind: Kind::Shape,
    work: |_, size| replace(size.repeat(100_000), size.repeat(1_500_000)),
};

pub(super) const MILLION: Workload = Workload {
    name: "random-1m",
    about: "replace one of 1 million live blocks of 16 to 512 bytes at random",
    reads_corpus: false,
    kind: Kind::Shape,
    work: |_, size| replace(size.repeat(1_000_000), size.repeat(1_000_000)),
};

fn replace(live: u64, times: u64) -> u64 {
    let mut population: Population = Population::new(live, live);
    let checksum = population.replace(times);
    mix(checksum, population.check())
}
