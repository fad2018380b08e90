//! Nothing: what a process takes that has started and read no input.

use super::{Kind, Workload};

pub(super) const WORKLOAD: Workload = Workload {
    name: "empty",
    about: "nothing at all: the memory of a program that has started",
    reads_corpus: false,
    kind: Kind::Empty,
    work: |_, _| 0,
};
