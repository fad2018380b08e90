//! What is raced on: a row for each workload, and one more for each real
//! program, in an aged heap.

use super::racer::Errand;
use super::report::Raced;
use super::rounds::Course;
use crate::child::Heap;
use crate::sample::Figures;
use crate::workloads::{Kind, RACE};

/// Ends the name of a row in an aged heap.
const AGED: &str = "-aged";

/// One kind of run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Name of the workload.
    pub workload: &'static str,
    /// What that does, in a line.
    pub about: &'static str,
    /// Whether it reads the corpus.
    pub reads_corpus: bool,
    /// Whether its time says anything; its memory always does.
    pub is_timed: bool,
    /// The heap that it is run in.
    pub heap: Heap,
}

/// Every row, in the order of [`RACE`].
pub static ROWS: [Row; count()] = rows();

impl Row {
    /// How it is called on the command line and in the tables.
    #[must_use]
    pub fn name(&self) -> String {
        let end = match self.heap {
            Heap::Fresh => "",
            Heap::Aged => AGED,
        };
        format!("{}{end}", self.workload)
    }

    /// The row of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.name() == name)
    }

    const fn new(workload: usize, heap: Heap) -> Self {
        let workload = &RACE[workload];
        Self {
            workload: workload.name,
            about: workload.about,
            reads_corpus: workload.reads_corpus,
            is_timed: !matches!(workload.kind, Kind::Empty),
            heap,
        }
    }
}

impl Course for Row {
    type Figures = Figures;

    fn name(&self) -> String {
        self.name()
    }
}

impl Errand for Row {
    fn arguments(&self) -> Vec<String> {
        vec!["--row".to_owned(), self.name()]
    }

    fn reads_corpus(&self) -> bool {
        self.reads_corpus
    }
}

impl Raced for Row {
    fn about(&self) -> &'static str {
        self.about
    }

    fn is_aged(&self) -> bool {
        self.heap == Heap::Aged
    }

    fn is_timed(&self) -> bool {
        self.is_timed
    }
}

/// Number of the rows of a workload.
const fn rows_of(workload: usize) -> usize {
    match RACE[workload].kind {
        Kind::Program => 2,
        Kind::Shape | Kind::Empty => 1,
    }
}

const fn count() -> usize {
    let (mut count, mut workload) = (0, 0);
    while workload < RACE.len() {
        count += rows_of(workload);
        workload += 1;
    }
    count
}

const fn rows() -> [Row; count()] {
    let mut rows = [Row::new(0, Heap::Fresh); count()];
    let (mut count, mut workload) = (0, 0);
    while workload < RACE.len() {
        rows[count] = Row::new(workload, Heap::Fresh);
        if rows_of(workload) == 2 {
            rows[count + 1] = Row::new(workload, Heap::Aged);
        }
        count += rows_of(workload);
        workload += 1;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_has_a_row_and_every_program_an_aged_one() {
        for workload in &RACE {
            let fresh = Row::by_name(workload.name).unwrap();
            assert_eq!(fresh.heap, Heap::Fresh);
            let aged = Row::by_name(&format!("{}{AGED}", workload.name));
            assert_eq!(aged.is_some(), workload.kind == Kind::Program);
            assert!(aged.is_none_or(|aged| aged.heap == Heap::Aged));
        }
    }

    #[test]
    fn no_name_is_used_twice() {
        for row in &ROWS {
            assert!(std::ptr::eq(Row::by_name(&row.name()).unwrap(), row));
        }
    }
}
