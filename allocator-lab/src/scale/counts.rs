//! The atomics and shared lines of the default, on every row of the race and
//! for every number of threads.
//!
//! Each is run once, as an executable whose atomics count: how often threads
//! meet is a matter of the work, not of the machine's speed. Once more, not
//! counted, for the time that it takes.

use super::points::Series;
use crate::corpus::Corpus;
use crate::race::build::Executables;
use crate::race::entrants::{self, COUNTED, Entrant};
use crate::race::racer::{Errand, Racer};
use crate::race::rounds::{Course, Runs};
use crate::race::rows::{ROWS, Row};
use crate::rounds::Step;
use crate::traffic::Traffic;
use crate::workloads::Size;
use serde::Serialize;

/// Nanoseconds that a line takes from one core's cache to another's: about 50 within a die, 200
/// between sockets.
pub const TRANSFER_NS: f64 = 100.0;

/// Cores of the machine that is spoken of.
pub const CORES: f64 = 64.0;

/// Who takes part: the default, and the same with atomics that count.
pub const ENTRANTS: [&Entrant; 2] = [&entrants::ENTRANTS[0], &COUNTED];

/// What was counted of one run.
#[derive(Debug, Clone, Serialize)]
pub struct Counted {
    /// The row or the point.
    pub name: String,
    /// Why there are no counts, if it failed.
    pub failure: Option<String>,
    /// The counts, unless it failed.
    #[serde(flatten)]
    pub rates: Option<Rates>,
}

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rates {
    /// Allocations, frees and reallocations.
    pub operations: u64,
    /// CPU time of the whole program for each of them, in ns, on this machine and not counted.
    pub cpu_ns: f64,
    /// Atomic read-modify-writes for each thousand operations.
    pub atomics_per_1000: f64,
    /// Transfers of shared lines for each thousand operations.
    pub shared_line_transfers_per_1000: f64,
    /// Those of the line that moved most often.
    pub busiest_line_transfers_per_1000: f64,
    /// Calls of the OS about memory for each thousand operations, barriers included.
    pub os_calls_per_1000: f64,
    /// Barriers on every running thread for each thousand operations.
    pub barriers_per_1000: f64,
    /// What transfers take of an operation if each lasts [`TRANSFER_NS`], in ns.
    pub transfer_ns: f64,
    /// Share of the time that transfers then take on a machine where each is one. At most: some of
    /// `cpu_ns` is for transfers between the cores that there are here.
    pub transfer_share: f64,
    /// Share of the time for which the busiest line is on its way if [`CORES`] cores do this work
    /// on the same line. From 1 on they wait for it.
    pub busiest_line_share: f64,
}

/// Runs every row that takes time, and every number of threads. The other series are of one thread.
///
/// # Errors
/// A sentence, if the corpus cannot be stored.
pub fn run(
    executables: &Executables,
    size: Size,
    corpus: &Corpus,
    mut watch: impl FnMut(Step),
) -> Result<Vec<Counted>, String> {
    let racer = Racer::new(executables, size, corpus)?;
    let threads = Series::Threads.points();
    let rows: Vec<&Row> = ROWS.iter().filter(|row| row.is_timed).collect();
    let all = rows.len() + threads.len();
    let mut counted: Vec<Counted> = Vec::new();
    let mut show = |name: &str, done: usize| {
        watch(Step {
            round: 1,
            workload: name,
            entrant: COUNTED.name,
            done: done as f64 / all as f64,
        });
    };
    for row in rows {
        show(&row.name(), counted.len());
        counted.push(Counted::of(&racer, row, |figures| figures.cpu_us));
    }
    for point in threads {
        show(&point.name(), counted.len());
        counted.push(Counted::of(&racer, point, |cost| cost.cpu_us));
    }
    Ok(counted)
}

/// The same course, counted instead of measured.
struct Counting<'a, C>(&'a C);

impl<C: Course> Course for Counting<'_, C> {
    type Figures = Traffic;

    fn name(&self) -> String {
        self.0.name()
    }
}

impl<C: Errand> Errand for Counting<'_, C> {
    fn arguments(&self) -> Vec<String> {
        let mut arguments = self.0.arguments();
        arguments.push("--count".to_owned());
        arguments
    }

    fn reads_corpus(&self) -> bool {
        self.0.reads_corpus()
    }
}

impl Counted {
    fn of<C: Errand>(racer: &Racer, course: &C, cpu_us: fn(&C::Figures) -> u64) -> Self {
        let rates = racer.run(course, ENTRANTS[0]).and_then(|measured| {
            let counted = racer.run(&Counting(course), &COUNTED)?;
            if counted.checksum == measured.checksum {
                Ok(Rates::of(&counted.figures, cpu_us(&measured.figures)))
            } else {
                Err("did other work: its checksum differs".to_owned())
            }
        });
        Self {
            name: course.name(),
            failure: rates.as_ref().err().cloned(),
            rates: rates.ok(),
        }
    }
}

impl Rates {
    fn of(traffic: &Traffic, cpu_us: u64) -> Self {
        let transfers = traffic.per_1000(traffic.line_transfers);
        let busiest = traffic.per_1000(traffic.busiest_line_transfers);
        let cpu_ns = cpu_us.max(1) as f64 * 1e3 / traffic.operations.max(1) as f64;
        let transfer_ns = transfers / 1e3 * TRANSFER_NS;
        Self {
            operations: traffic.operations,
            cpu_ns,
            atomics_per_1000: traffic.per_1000(traffic.read_modify_writes),
            shared_line_transfers_per_1000: transfers,
            busiest_line_transfers_per_1000: busiest,
            os_calls_per_1000: traffic.per_1000(traffic.os_calls),
            barriers_per_1000: traffic.per_1000(traffic.barriers),
            transfer_ns,
            transfer_share: transfer_ns / (cpu_ns + transfer_ns),
            busiest_line_share: busiest / 1e3 * TRANSFER_NS * CORES / cpu_ns,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Counts of a run of a thousand operations that took 20 ns each.
    pub fn rates() -> Rates {
        let traffic = Traffic {
            operations: 1000,
            read_modify_writes: 50,
            line_transfers: 40,
            busiest_line_transfers: 4,
            os_calls: 2,
            barriers: 1,
        };
        Rates::of(&traffic, 20)
    }

    #[test]
    fn shares_are_of_the_time_that_an_operation_takes() {
        let rates = rates();
        assert_eq!((rates.cpu_ns, rates.transfer_ns), (20.0, 4.0));
        assert!((rates.transfer_share - 4.0 / 24.0).abs() < 1e-9);
        // 64 cores need the line for 0.4 ns in each 20.
        assert!((rates.busiest_line_share - 64.0 * 0.4 / 20.0).abs() < 1e-9);
    }
}
