//! `stats = histogram`: the profile is what was asked for, by every thread, and a file keeps it however
//! the process ends.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use allocator_core::__private::{PROFILE_FOLDER, profile_of_file};
use allocator_core::{Profile, derive_allocator};
use allocator_tests::block::Block;
use allocator_tests::child::is_child_of;
use allocator_tests::crew::Worker;
use allocator_tests::forked;
use allocator_tests::program::Program;
use allocator_tests::random::{Random, seed_of};
use allocator_tests::subject::Subject;
use allocator_tests::subjects;

#[derive_allocator(stats = histogram)]
struct Exact;

#[derive_allocator(stats = histogram, fast_path(cache = off), tls = pointer)]
struct Peaked;

#[derive_allocator(stats = histogram)]
struct Threaded;

#[derive_allocator(stats = histogram)]
struct Late;

#[derive_allocator(stats = histogram)]
struct Forked;

#[derive_allocator(stats = histogram)]
struct Written;

#[derive_allocator(stats = histogram)]
struct Kept;

#[derive_allocator(stats = counters)]
struct Unrecorded;

subjects!(
    Exact, Peaked, Threaded, Late, Forked, Written, Kept, Unrecorded
);

fn block<A: Subject>(size: usize, align: usize) -> Block<A> {
    Block::new(size, align, false, size as u64).expect("memory")
}

/// A request as the profile has it: alignment and size.
type Request = (u64, u64);

/// What is expected of a request, counted beside the allocator.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Shadow {
    allocations: u64,
    live: u64,
    /// Σ over time, which is counted in allocations, of the blocks that are live.
    lived: u64,
}

#[derive(Default)]
struct Shadows {
    requests: BTreeMap<Request, Shadow>,
    time: u64,
}

impl Shadows {
    fn of(size: usize, align: usize) -> Request {
        let align = (align as u64).clamp(8, 4096);
        let size = (size as u64).next_multiple_of(8);
        // In steps of 8, or of an eighth of the power of two below.
        let exact = if align <= 16 { 32 << 10 } else { 1 << 10 };
        let step = if size <= exact {
            8
        } else {
            1 << ((size - 1).ilog2() - 3)
        };
        (align, size.next_multiple_of(step))
    }

    fn allocated(&mut self, size: usize, align: usize) {
        let shadow = self.requests.entry(Self::of(size, align)).or_default();
        shadow.allocations += 1;
        shadow.live += 1;
        // Those that are live meanwhile live one tick longer, this one included.
        self.time += 1;
        for shadow in self.requests.values_mut() {
            shadow.lived += shadow.live;
        }
    }

    fn freed(&mut self, size: usize, align: usize) {
        let shadow = self.requests.entry(Self::of(size, align)).or_default();
        shadow.live -= 1;
    }

    fn assert_equals(&self, profile: &Profile) {
        let rows = profile.rows().iter();
        let found: BTreeMap<Request, (u64, u64, u64)> = rows
            .map(|row| {
                let figures = (row.allocations, row.live, row.live_mean_thousandths);
                ((row.align, row.size), figures)
            })
            .collect();
        let requests = self.requests.iter();
        let expected: BTreeMap<_, _> = requests
            .map(|(request, it)| {
                let mean = it.lived * 1000 / self.time;
                (*request, (it.allocations, it.live, mean))
            })
            .collect();
        assert_eq!(found, expected);
    }
}

fn total(profile: &Profile) -> [u64; 3] {
    profile.rows().iter().fold([0; 3], |sum, row| {
        [
            sum[0] + row.allocations,
            sum[1] + row.live,
            sum[2] + row.live_at_peak,
        ]
    })
}

/// A peak is noted when what is live has fallen by a sixty-fourth, and each thread keeps some to itself.
fn is_near(found: u64, expected: u64) -> bool {
    found <= expected && found >= expected - expected / 16
}

#[test]
fn one_threads_requests_are_counted_exactly() {
    let mut random = Random::new(seed_of("one_threads_requests_are_counted_exactly"));
    let mut shadows = Shadows::default();
    let mut live: Vec<Block<Exact>> = Vec::new();
    for _ in 0..5000 {
        let magnitude = 1 << random.below(23);
        let size = if random.below(4) > 0 {
            random.below(600)
        } else {
            random.below(magnitude)
        };
        match random.below(5) {
            0 | 1 => {
                let strictest = if random.below(3) == 0 { 15 } else { 5 };
                let align = 1 << random.below(strictest);
                live.push(block(size, align));
                shadows.allocated(size, align);
            }
            2 if !live.is_empty() => {
                let at = random.below(live.len());
                let layout = live[at].layout();
                let size = size.max(1);
                assert!(live[at].reallocate(size));
                shadows.freed(layout.size(), layout.align());
                shadows.allocated(size, layout.align());
            }
            _ if live.len() > 200 => {
                let block = live.swap_remove(random.below(live.len()));
                shadows.freed(block.layout().size(), block.layout().align());
                block.free();
            }
            _ => {}
        }
    }
    shadows.assert_equals(&Exact::profile());
    assert_eq!(Exact::profile().threads(), 1);
    live.into_iter().for_each(Block::free);
    assert_eq!(total(&Exact::profile())[1], 0);
}

#[test]
fn c_s_requests_are_counted_exactly_whatever_is_written_into_blocks() {
    const NAMES: [&str; 2] = [
        env!("CARGO_BIN_EXE_exported_recorded"),
        env!("CARGO_BIN_EXE_exported_recorded_guarded"),
    ];
    for name in NAMES {
        let _ = Program::new(name, &[]).succeeds();
    }
}

#[test]
fn the_peak_is_what_was_live_when_most_was() {
    const BLOCKS: usize = 4000;
    let live: Vec<_> = (0..BLOCKS).map(|_| block::<Peaked>(1000, 8)).collect();
    let large = block::<Peaked>(3 << 20, 8);
    // As large a part as there is, in one free.
    large.free();
    live.into_iter().for_each(Block::free);
    // Less than before.
    let after: Vec<_> = (0..BLOCKS).map(|_| block::<Peaked>(500, 8)).collect();
    let profile = Peaked::profile();
    let at_peak = |size| {
        let row = profile.rows().iter().find(|row| row.size == size);
        row.map(|row| row.live_at_peak)
    };
    assert_eq!(at_peak(1000), Some(BLOCKS as u64));
    assert_eq!(at_peak(3 << 20), Some(1));
    assert_eq!(at_peak(504), Some(0));
    after.into_iter().for_each(Block::free);
}

#[test]
fn threads_count_together() {
    const THREADS: usize = 4;
    const EACH: usize = 5000;
    let workers: Vec<_> = (0..THREADS).map(|_| Worker::start()).collect();
    let mut given: Vec<_> = workers
        .iter()
        .map(|worker| {
            worker.run(|| {
                (0..EACH)
                    .map(|at| block::<Threaded>(at % 700, 8))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    assert_eq!(total(&Threaded::profile()), [(THREADS * EACH) as u64; 3]);
    assert_eq!(Threaded::profile().threads(), THREADS as u64);
    // Freed by another thread, and by one that has no heap; those that allocated have ended.
    drop(workers);
    let rest = given.split_off(2);
    given.into_iter().flatten().for_each(Block::free);
    Worker::start().run(|| rest.into_iter().flatten().for_each(Block::free));
    let profile = Threaded::profile();
    let all = (THREADS * EACH) as u64;
    let [allocations, live, at_peak] = total(&profile);
    assert_eq!([allocations, live], [all, 0]);
    assert!(is_near(at_peak, all), "{at_peak} of {all}");
}

#[test]
fn a_thread_that_comes_late_knows_what_time_it_is() {
    const BEFORE: usize = 10_000;
    for _ in 0..BEFORE {
        block::<Late>(40, 8).free();
    }
    // The first that it asks for lives for one allocation of so many.
    Worker::start().run(|| block::<Late>(48, 8).free());
    let profile = Late::profile();
    let mean = |size| {
        let row = profile.rows().iter().find(|row| row.size == size);
        row.map(|row| (row.allocations, row.live_mean_thousandths))
    };
    assert_eq!(mean(40), Some((BEFORE as u64, 999)));
    assert_eq!(mean(48), Some((1, 0)));
}

#[test]
fn a_child_counts_for_itself() {
    let live: Vec<_> = (0..100).map(|_| block::<Forked>(48, 8)).collect();
    let child = forked::fork(|| {
        assert_eq!(total(&Forked::profile())[0], 0);
        let own: Vec<_> = (0..30).map(|_| block::<Forked>(80, 8)).collect();
        assert_eq!(total(&Forked::profile()), [30, 30, 30]);
        own.into_iter().for_each(Block::free);
    });
    child.succeeds();
    assert_eq!(total(&Forked::profile())[0], 100);
    live.into_iter().for_each(Block::free);
}

#[test]
fn a_profile_is_written_whole_or_not_at_all() {
    let blocks = [block::<Written>(100, 1), block::<Written>(40_000, 64)];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile_written");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder of the test's own");
    let path = folder.join("app.json");
    fs::write(&path, "old").expect("writable");
    Written::profile().write(&path).expect("written");
    let text = fs::read_to_string(&path).expect("readable");
    assert_eq!(
        text,
        "{\"format\":\"allocator-profile\",\"version\":1,\"runs\":1,\"threads\":1,\
         \"columns\":[\"align\",\"size\",\"allocations\",\"live_at_peak\",\
         \"live_mean_thousandths\"],\"rows\":[\n[8,104,1,1,1000],\n[64,40960,1,1,500]]}\n"
    );
    assert_eq!(fs::read_dir(&folder).expect("readable").count(), 1);

    let write = |path: &Path| Written::profile().write(path).map_err(|error| error.kind());
    assert_eq!(write(&folder.join("no/app.json")), Err(ErrorKind::NotFound));
    // A folder stands where the file would: the draft is taken away again.
    fs::create_dir(folder.join("taken")).expect("writable");
    assert!(write(&folder.join("taken")).is_err());
    assert_eq!(fs::read_dir(&folder).expect("readable").count(), 2);
    let nul = Path::new(OsStr::from_bytes(b"a\0b"));
    assert_eq!(write(nul), Err(ErrorKind::InvalidFilename));
    let long = PathBuf::from("x".repeat(5000));
    assert_eq!(write(&long), Err(ErrorKind::InvalidFilename));
    blocks.into_iter().for_each(Block::free);
}

#[test]
fn nothing_is_written_of_what_is_not_recorded() {
    block::<Unrecorded>(8, 8).free();
    let profile = Unrecorded::profile();
    assert!(profile.rows().is_empty());
    let written = profile.write("/dev/null/nothing");
    assert_eq!(
        written.map_err(|error| error.kind()),
        Err(ErrorKind::Unsupported)
    );
}

/// How the process ends that the test starts of itself.
const END: &str = "ALLOCATOR_TESTS_END";

/// 1000 blocks of 2400 bytes, half of them freed, and 1000 of 4000 in a child.
fn keep_and_end(end: &str) {
    let mut blocks: Vec<_> = (0..1000).map(|_| block::<Kept>(2400, 8)).collect();
    let rest = blocks.split_off(500);
    blocks.into_iter().for_each(Block::free);
    forked::fork(|| {
        let blocks: Vec<_> = (0..1000).map(|_| block::<Kept>(4000, 8)).collect();
        blocks.into_iter().for_each(Block::free);
    })
    .succeeds();
    match end {
        "exit" => std::process::exit(0),
        // SAFETY: the process ends without anything being run.
        "_exit" => unsafe { libc::_exit(0) },
        // SAFETY: as above.
        "kill" => unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
        },
        other => panic!("no end of this name: {other}"),
    }
    rest.into_iter().for_each(Block::free);
}

#[test]
fn a_file_keeps_what_was_counted_however_the_process_ends() {
    const NAME: &str = "a_file_keeps_what_was_counted_however_the_process_ends";
    if is_child_of(NAME) {
        keep_and_end(&std::env::var(END).expect("set for the child"));
        return;
    }
    for end in ["exit", "_exit", "kill"] {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("profile_kept{end}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).expect("a folder of the test's own");
        let variable = PROFILE_FOLDER.to_str().expect("a text");
        let output = Command::new(std::env::current_exe().expect("a test binary"))
            .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
            .env("ALLOCATOR_TESTS_CHILD", NAME)
            .env(END, end)
            .env(variable, &folder)
            .output()
            .expect("the test binary starts");
        assert_eq!(output.status.success(), end != "kill", "{output:?}");
        let files = fs::read_dir(&folder).expect("readable");
        let profiles: Vec<_> = files
            .map(|file| profile_of_file(&file.expect("readable").path()).expect("a record"))
            .collect();
        let mut rows: Vec<_> = profiles
            .iter()
            .flat_map(Profile::rows)
            .map(|row| {
                assert!(is_near(row.live_at_peak, row.allocations), "{row:?}");
                (row.size, row.allocations, row.live)
            })
            .collect();
        rows.sort_unstable();
        assert_eq!(rows, [(2400, 1000, 500), (4000, 1000, 0)], "{end}");
        assert_eq!(profiles.len(), 2, "one for each process");
    }
}

/// No file may be longer than 10 KiB, and the record is: the program goes on without.
#[test]
fn where_no_file_may_be_long_a_program_goes_on_and_leaves_no_record() {
    const NAME: &str = "where_no_file_may_be_long_a_program_goes_on_and_leaves_no_record";
    if is_child_of(NAME) {
        keep_and_end("exit");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile_of_limited");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder of the test's own");
    let variable = PROFILE_FOLDER.to_str().expect("a text");
    let mut command = Command::new(std::env::current_exe().expect("a test binary"));
    command
        .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
        .env("ALLOCATOR_TESTS_CHILD", NAME)
        .env(variable, &folder);
    // SAFETY: the call is async-signal-safe, and changes the new process alone.
    unsafe {
        command.pre_exec(|| {
            let limit = libc::rlimit {
                rlim_cur: 10 << 10,
                rlim_max: 10 << 10,
            };
            libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
            Ok(())
        });
    }
    let output = command.output().expect("the test binary starts");
    assert!(output.status.success(), "{output:?}");
    let files = fs::read_dir(&folder).expect("readable");
    let records = files.filter_map(|file| profile_of_file(&file.expect("readable").path()));
    assert_eq!(records.count(), 0);
}

#[test]
fn a_profile_is_written_to_what_is_no_file() {
    let profile = Written::profile();
    profile.write("/dev/null").expect("written");
    assert!(profile.write("/dev/full").is_err());
    for device in ["/dev/null", "/dev/full"] {
        let kind = fs::metadata(device).expect("it is there").file_type();
        assert!(kind.is_char_device(), "{device}");
    }
}

#[test]
fn what_is_no_record_is_not_read() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_record.counts");
    fs::write(&path, "short").expect("writable");
    assert!(profile_of_file(&path).is_none());
    assert!(profile_of_file(Path::new("/nowhere")).is_none());
}
