//! Rows of what the machine, threads and other programs do: what must hold at every level, by both faces.

use super::check::{Check, End, Kind, Programs};
use super::{LEVELS, Level, Row};
use crate::real_programs::REAL_PROGRAMS;

/// A program that knows nothing of its `malloc`.
const SYSTEM: Kind = Kind::Preloaded("system");
/// Programs whose Rust allocates by each face.
const BY_BOTH: &[Kind] = &[Kind::Global, SYSTEM];
/// Programs whose C does: one that brings its own `malloc`, and one that does not.
const BY_C: &[Kind] = &[Kind::Own, SYSTEM];

/// A limit of the OS, and how much of it.
type Limit = (libc::__rlimit_resource_t, u64);

/// Makes a row.
fn row(id: &'static str, fault: &'static str, fill: impl FnOnce(&mut Row)) -> Row {
    let mut row = Row::new(id, fault);
    fill(&mut row);
    row
}

impl Row {
    /// A scenario that must hold at a level; the check is returned, to be changed.
    fn holds(&mut self, level: Level, kind: Kind, mark: &'static str, words: &str) -> &mut Check {
        self.checks.push(Check {
            level,
            kind,
            arguments: words.split_whitespace().map(str::to_owned).collect(),
            limits: Vec::new(),
            runs: 1,
            end: End::Holds(mark),
            tags: Vec::new(),
        });
        self.checks.last_mut().expect("just pushed")
    }

    /// At every level, in each of these programs, `change`d.
    fn hold_changed(
        &mut self,
        kinds: &[Kind],
        mark: &'static str,
        words: &str,
        change: impl Fn(&mut Check),
    ) {
        for level in LEVELS {
            for kind in kinds {
                change(self.holds(level, *kind, mark, words));
            }
        }
    }

    /// At every level, in each of these programs.
    fn hold(&mut self, kinds: &[Kind], mark: &'static str, words: &str) {
        self.hold_changed(kinds, mark, words, |_| {});
    }

    /// At every level, by each face of a program with the types in it.
    fn hold_by_faces(&mut self, mark: &'static str, words: &str) {
        for face in ["rust", "c"] {
            self.hold(&[Kind::Own], mark, &format!("{face} {words}"));
        }
    }

    /// Under a limit.
    fn hold_under(&mut self, (resource, mib): Limit, words: &str) {
        let limits = vec![(resource, mib << 20)];
        self.hold_changed(BY_BOTH, "starts; N", words, |check| {
            check.limits.clone_from(&limits);
        });
    }

    /// As often as a race is tried.
    fn hold_many_times(&mut self, kinds: &[Kind], words: &str) {
        self.hold_changed(kinds, "ok", words, |check| check.runs = 60);
    }

    /// With a bound that depends on the level, which is the last argument.
    fn hold_within(&mut self, words: &str, bounds: [(u32, &'static str); 3]) {
        for level in LEVELS {
            let (bound, mark) = bounds[level as usize];
            for kind in BY_BOTH {
                self.holds(level, *kind, mark, &format!("{words} {bound}"));
            }
        }
    }
}

/// The rows.
pub(super) fn rows(programs: &Programs) -> Vec<Row> {
    let mut rows = of_the_os();
    rows.extend(of_threads());
    rows.extend(of_others(programs));
    rows.extend(of_memory());
    rows
}

fn of_the_os() -> Vec<Row> {
    vec![
        row("R1", "the k-th `mmap` fails, k = 1 to 200", |row| {
            row.hold_by_faces("N", "each_map_fails");
            row.hold(BY_C, "N", "c_maps_fail");
        }),
        row(
            "R2",
            "`madvise`, `mprotect`, `munmap`, `mremap` fail",
            |row| {
                row.hold_by_faces("ok", "calls_fail");
                row.hold(BY_C, "ok", "c_other_calls_fail");
            },
        ),
        row("R3", "mappings used up (65,530)", |row| {
            row.hold(BY_BOTH, "N, then ok", "mappings_used_up");
        }),
        row("R4", "`RLIMIT_AS` from 32 MiB, `RLIMIT_DATA`", |row| {
            for (limit, least) in [
                ((libc::RLIMIT_AS, 32), "4"),
                ((libc::RLIMIT_AS, 64), "20"),
                ((libc::RLIMIT_AS, 200), "120"),
                ((libc::RLIMIT_DATA, 64), "24"),
            ] {
                row.hold_under(limit, &format!("serves_under_a_limit {least}"));
            }
            row.hold_under((libc::RLIMIT_DATA, 64), "threads_under_a_limit");
        }),
        row("R5", "out of memory in `realloc`, zeroed, aligned", |row| {
            row.hold_by_faces("the old block intact", "out_of_memory");
        }),
        row("R6", "sizes and alignments at their ends", |row| {
            row.hold_by_faces("ok", "extremes");
            for scenario in ["c_corners", "c_alignments", "c_extremes"] {
                row.hold(BY_C, "ok", scenario);
            }
        }),
    ]
}

fn of_threads() -> Vec<Row> {
    vec![
        row("T1", "fork while a peer is parked in each OS call", |row| {
            for call in ["Map", "Unmap", "Remap", "Purge", "Barrier", "ThreadEnd"] {
                row.hold_by_faces("ok", &format!("forks_while_parked {call}"));
            }
        }),
        row(
            "T2",
            "four threads fork at once; `malloc` in atfork handlers",
            |row| {
                row.hold(BY_BOTH, "ok", "forks_together 200");
            },
        ),
        row("T3", "TLS destructors allocate, to the last pass", |row| {
            row.hold(BY_BOTH, "< 1 MiB left", "key_destructors 400");
        }),
        row("T4", "a thread whose only acts are frees", |row| {
            row.hold_by_faces("ok", "only_frees");
        }),
        row("T5", "16,000 short threads, survivors handed on", |row| {
            row.hold(BY_BOTH, "< 8 MiB left", "churn 16000");
        }),
        row("T6", "1000 live threads", |row| {
            row.hold_within(
                "live_threads 1000 1024 512",
                [
                    (64, "≤ 64 KiB each"),
                    (64, "≤ 64 KiB each"),
                    (128, "≤ 128 KiB each"),
                ],
            );
        }),
        row(
            "T7",
            "exit with threads running, or without the first",
            |row| {
                row.hold_many_times(BY_BOTH, "exit_with_threads");
                row.hold_many_times(BY_BOTH, "atexit_allocates");
                row.hold_many_times(&[Kind::Preloaded("ends_by_pthread_exit")], "");
            },
        ),
        row("T8", "a thread's first act is each function", |row| {
            row.hold_by_faces("ok", "first_acts");
            row.hold(&[Kind::Own], "ok", "c_first_acts");
            row.hold(&[SYSTEM], "ok", "c_first_acts named");
        }),
        row("T9", "a storm of signals (EINTR)", |row| {
            row.hold(&[Kind::Own], "ok", "rust signals");
            row.hold(BY_C, "ok", "c_signals");
        }),
    ]
}

/// Programs and objects that know nothing.
fn of_others(programs: &Programs) -> Vec<Row> {
    let real = row(
        "E2",
        "real programs under `LD_PRELOAD`: same output",
        |row| {
            for program in REAL_PROGRAMS.iter().filter(|program| program.quick) {
                row.hold_changed(&[Kind::OfTheMachine], "ok", "", |check| {
                    check.arguments = vec![program.name.to_owned()];
                });
            }
        },
    );
    let loaded = row(
        "E3",
        "`dlopen`, `DEEPBIND`, copies beside each other",
        |row| {
            for level in LEVELS {
                let late = programs.late[level as usize].iter();
                let late: Option<Vec<_>> = late.map(|path| path.to_str()).collect();
                let late = late.expect("paths of text").join(" ");
                // A free of another's block is left alone at `off`, and a mistake that is found elsewhere (M4).
                let how = if level == Level::Off {
                    "across"
                } else {
                    "apart"
                };
                for kind in BY_C {
                    row.holds(level, *kind, "ok", &format!("c_loaded {how} {late}"));
                }
            }
        },
    );
    vec![real, loaded]
}

fn of_memory() -> Vec<Row> {
    vec![
        row(
            "P1",
            "8 producers, a consumer that never allocates",
            |row| {
                row.hold_within(
                    "producers 1024 256",
                    [(140, "≤ 1.4"), (140, "≤ 1.4"), (180, "≤ 1.8")],
                );
            },
        ),
        row("P2", "200 MB freed, idle for the purge delay", |row| {
            for words in [
                "freed owner 4096 1",
                "freed another 4096 2",
                "freed both 512 3",
                "freed ended 32768 4",
                "freed_by_another",
            ] {
                row.hold_within(
                    words,
                    [
                        (8, "≤ 8 MiB kept"),
                        (8, "≤ 8 MiB kept"),
                        (8, "≤ 8 MiB kept"),
                    ],
                );
            }
        }),
        row("P3", "purge storm", |row| {
            row.hold(&[Kind::Global], "≤ 200/s", "purge_storm");
        }),
    ]
}
