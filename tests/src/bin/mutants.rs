//! Seeded faults that the models have to find: each is a change of a line or two of the core, as
//! somebody could make it by mistake, built in a copy and checked by loom. One that survives is
//! a claim that no model looks at.
//!
//! `cargo run --profile test-release -p allocator-tests --bin mutants` takes a few minutes; a word as
//! argument has it run only those mutants whose names have it.
//!
//! `mutants -- --races` (and a word): those that ThreadSanitizer has to find, in the threads of `tests/raced`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::time::Instant;

/// A seeded fault.
struct Mutant {
    /// What is wrong.
    name: &'static str,
    /// Below `allocator-core/src`.
    file: &'static str,
    /// What occurs once in the file …
    text: &'static str,
    /// … and what it becomes.
    becomes: &'static str,
    /// The models that are run; one of them has to fail.
    models: &'static [&'static str],
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a remote free publishes nothing",
        file: "mem/thread_free.rs",
        text: ".compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed)",
        becomes: ".compare_exchange_weak(old, new, Ordering::Acquire, Ordering::Relaxed)",
        models: &["two_senders", "blocks_freed"],
    },
    Mutant {
        name: "a remote free does not see the last reading of the mail",
        file: "mem/thread_free.rs",
        text: ".compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed)",
        becomes: ".compare_exchange_weak(old, new, Ordering::Release, Ordering::Relaxed)",
        models: &["two_senders", "two_threads_free"],
    },
    Mutant {
        name: "an owner takes blocks whose links it may not see",
        file: "mem/thread_free.rs",
        text: "self.word.fetch_and(NOTIFIED, Ordering::Acquire)",
        becomes: "self.word.fetch_and(NOTIFIED, Ordering::Relaxed)",
        models: &["two_senders"],
    },
    Mutant {
        name: "a reader of mail takes blocks whose links it may not see",
        file: "mem/thread_free.rs",
        text: "self.word.swap(0, Ordering::AcqRel)",
        becomes: "self.word.swap(0, Ordering::Relaxed)",
        models: &["two_senders", "blocks_freed"],
    },
    Mutant {
        name: "every remote free sends a letter",
        file: "mem/thread_free.rs",
        text: "Ok(_) if old & NOTIFIED == 0 => return Pushed::First,",
        becomes: "Ok(_) if old & NOTIFIED <= 1 => return Pushed::First,",
        models: &["two_senders", "two_threads_free"],
    },
    Mutant {
        name: "taking without having been told clears the mark",
        file: "mem/thread_free.rs",
        text: "self.word.fetch_and(NOTIFIED, Ordering::Acquire)",
        becomes: "self.word.swap(0, Ordering::Acquire)",
        models: &["two_senders"],
    },
    Mutant {
        name: "a letter is sent before its link is published",
        file: "mem/mailbox.rs",
        text: "                Ordering::Release,\n                Ordering::Relaxed,",
        becomes: "                Ordering::Relaxed,\n                Ordering::Relaxed,",
        models: &["two_senders", "two_threads_free"],
    },
    Mutant {
        name: "mail is read without waiting for its senders",
        file: "mem/mailbox.rs",
        text: "self.first.swap(ptr::null_mut(), Ordering::Acquire)",
        becomes: "self.first.swap(ptr::null_mut(), Ordering::Relaxed)",
        models: &["two_senders", "two_threads_free"],
    },
    Mutant {
        name: "a lock lets go without publishing",
        file: "base/lock.rs",
        text: "self.held.store(false, Ordering::Release);",
        becomes: "self.held.store(false, Ordering::Relaxed);",
        models: &["one_at_a_time"],
    },
    Mutant {
        name: "a lock is taken without seeing what the last holder wrote",
        file: "base/lock.rs",
        text: ".compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)",
        becomes: ".compare_exchange(false, true, Ordering::Relaxed, Ordering::Relaxed)",
        models: &["one_at_a_time"],
    },
    Mutant {
        name: "an owner passes its gate without a barrier",
        file: "heap/gate.rs",
        text: "        owners_barrier();\n",
        becomes: "",
        models: &["owner_and_visitor"],
    },
    Mutant {
        name: "an owner leaves its gate without publishing",
        file: "heap/gate.rs",
        text: "self.0.inside.store(0, Ordering::Release);",
        becomes: "self.0.inside.store(0, Ordering::Relaxed);",
        models: &["owner_and_visitor"],
    },
    Mutant {
        name: "a visitor leaves without publishing",
        file: "heap/gate.rs",
        text: "self.visitor.store(AWAY, Ordering::Release);",
        becomes: "self.visitor.store(AWAY, Ordering::Relaxed);",
        models: &["owner_and_visitor"],
    },
    Mutant {
        name: "a visitor goes in while the owner is inside",
        file: "heap/gate.rs",
        text: "if self.inside.load(Ordering::Acquire) != 0 {",
        becomes: "if self.inside.load(Ordering::Acquire) > 1 {",
        models: &["owner_and_visitor", "a_visitor"],
    },
    Mutant {
        name: "an owner takes the short way while a visitor is inside",
        file: "heap/gate.rs",
        text: "(self.visitor.load(Ordering::Acquire) == AWAY).then_some(stay)",
        becomes: "(self.visitor.load(Ordering::Acquire) != KNOCKING).then_some(stay)",
        models: &["a_visitor_sends"],
    },
    Mutant {
        name: "what is added to another's blocks by the short way is lost",
        file: "heap/foreign.rs",
        text: "            unsafe { run.push::<C>(block) };\n        }\n        is_before_last",
        becomes: "        }\n        is_before_last",
        models: &["a_visitor_sends"],
    },
    Mutant {
        name: "nobody comes for what a thread begins to hold of another's",
        file: "heap/foreign.rs",
        text: "if self.is_empty() {",
        becomes: "if self.held() == 1 {",
        models: &["what_a_thread_holds"],
    },
    Mutant {
        name: "an owner does not wait for who is inside",
        file: "heap/gate.rs",
        text: "Err(_) => wait_a_little(&mut rounds),",
        becomes: "Err(_) => { wait_a_little(&mut rounds); return }",
        models: &["owner_and_visitor"],
    },
    Mutant {
        name: "a slice is claimed without seeing its last use",
        file: "base/bitmap.rs",
        text: "                bits | mask,\n                Ordering::Acquire,",
        becomes: "                bits | mask,\n                Ordering::Relaxed,",
        models: &["overlapping", "a_slice_is_claimed"],
    },
    Mutant {
        name: "a slice is released without publishing its last use",
        file: "base/bitmap.rs",
        text: "word.fetch_and(!mask, Ordering::Release);",
        becomes: "word.fetch_and(!mask, Ordering::Relaxed);",
        models: &["overlapping", "a_slice_is_claimed"],
    },
    Mutant {
        name: "a run that cannot be claimed leaves its first part claimed",
        file: "base/bitmap.rs",
        text: "                if done > 0 {",
        becomes: "                if done > WORD_BITS {",
        models: &["overlapping"],
    },
    Mutant {
        name: "a time that stands is seen without a fence",
        file: "base/deadline.rs",
        text: "        fence(Ordering::SeqCst);\n        // Relaxed: ordered by the fence.",
        becomes: "        // Relaxed: ordered by the fence.",
        models: &["work_is_seen"],
    },
    Mutant {
        name: "the time is taken without a fence before the look",
        file: "base/deadline.rs",
        text: "        fence(Ordering::SeqCst);\n        match word {",
        becomes: "        match word {",
        models: &["work_is_seen"],
    },
    Mutant {
        name: "what expires is announced before it is free",
        file: "mem/chunk.rs",
        text: "        self.end_use(slice, slices);\n        // Last, so that who takes the deadline finds the slices free.\n        if let Some(deadline_ms) = deadline_ms {\n            self.deadline.by(deadline_ms);\n        }",
        becomes: "        if let Some(deadline_ms) = deadline_ms {\n            self.deadline.by(deadline_ms);\n        }\n        self.end_use(slice, slices);",
        models: &["what_becomes_free"],
    },
    Mutant {
        name: "what is free is purged without being claimed",
        file: "mem/chunk.rs",
        text: "if slices >= least && self.claimed.try_claim(slice, slices) {",
        becomes: "if slices >= least {",
        models: &["a_slice_is_claimed"],
    },
    Mutant {
        name: "a slice is released before it is purged",
        file: "mem/chunk.rs",
        text: "        // SAFETY: the caller's promise.\n        let purged = unsafe { os::purge(start, slices * SLICE_BYTES) };",
        becomes: "        self.claimed.release(slice, slices);\n        // SAFETY: the caller's promise.\n        let purged = unsafe { os::purge(start, slices * SLICE_BYTES) };\n        self.claimed.set(slice, slices);",
        models: &["slices_are_claimed"],
    },
    Mutant {
        name: "two records in one place",
        file: "mem/arena.rs",
        text: "                    Ordering::Release,\n                    Ordering::Relaxed,\n                )\n                .is_ok()",
        becomes: "                    Ordering::Release,\n                    Ordering::Relaxed,\n                )\n                .map_or_else(|now| now == start.wrapping_add(bytes), |_| true)",
        models: &["records"],
    },
    Mutant {
        name: "a page goes back to the arena while a sender knows it",
        file: "heap/heap.rs",
        text: "        if !page.is_unknown_to_senders() {\n            self.queue(page.class()).push_last(page);\n            return None;\n        }\n",
        becomes: "",
        models: &["blocks_freed", "two_threads_free", "a_thread_ends"],
    },
    Mutant {
        name: "mail about a page that has moved on is read all the same",
        file: "heap/heap.rs",
        text: "            if !page.is_owned_by(&self.owner) {",
        becomes: "            if false {",
        models: &["a_page_is_abandoned", "an_abandoned", "a_thread_ends"],
    },
    Mutant {
        name: "mail about a page that has moved on is dropped",
        file: "heap/shared.rs",
        text: "            for page in heap.owner.mail.take() {\n                page.owner().mail.send(page);\n            }",
        becomes: "            for _ in heap.owner.mail.take() {}",
        models: &["a_page_is_abandoned", "an_abandoned", "a_thread_ends"],
    },
    Mutant {
        name: "a visitor takes a page that is in its owner's hand",
        file: "heap/heap.rs",
        text: "            } else if page.state() == State::Attached {\n                // The bin that it is attached to is its owner's alone: leave it to the owner.",
        becomes: "            } else if false {\n                // The bin that it is attached to is its owner's alone: leave it to the owner.",
        models: &["a_visitor", "purge_gives_back"],
    },
    Mutant {
        name: "a page is adopted without the lock",
        file: "heap/shared.rs",
        text: "1.15 since.\n        self.lock.acquire();",
        becomes: "1.15 since.\n        self.lock.try_acquire();",
        models: &["one_of_two_threads"],
    },
    Mutant {
        name: "a heap is handed on before its owner has left its gate",
        file: "heap/shared.rs",
        text: "        drop(stay);\n        heap.next_free.set(self.free_heaps.get());\n        self.free_heaps.set(heap);\n        self.lock.release();",
        becomes: "        heap.next_free.set(self.free_heaps.get());\n        self.free_heaps.set(heap);\n        self.lock.release();\n        drop(stay);",
        models: &["two_threads_start", "a_page_is_abandoned"],
    },
    Mutant {
        name: "who is late works on the abandoned pages without the lock",
        file: "heap/shared.rs",
        text: "            let released = PageChain::new();\n            self.lock.acquire();",
        becomes: "            let released = PageChain::new();\n            self.lock.try_acquire();",
        models: &["what_is_called_after"],
    },
    Mutant {
        name: "the first block of a remote run is never announced",
        file: "mem/page.rs",
        text: "        if pushed == Pushed::First {\n            self.owner().mail.send(self);",
        becomes: "        if pushed == Pushed::Known {\n            self.owner().mail.send(self);",
        models: &["purge_gives_back", "an_abandoned"],
    },
    Mutant {
        name: "two types' lists are made at once",
        file: "heap/registry.rs",
        text: "    ADDING.acquire();\n    if !node.is_added() {",
        becomes: "    if !node.is_added() {",
        models: &["a_type_is_added"],
    },
];

/// Those that ThreadSanitizer has to find: one of each kind of hand-over.
const RACES: &[&str] = &[
    "a remote free publishes nothing",
    "an owner takes blocks whose links it may not see",
    "a reader of mail takes blocks whose links it may not see",
    "a letter is sent before its link is published",
    "mail is read without waiting for its senders",
    "a lock lets go without publishing",
    "a lock is taken without seeing what the last holder wrote",
    "an owner leaves its gate without publishing",
    "a visitor leaves without publishing",
    "a visitor goes in while the owner is inside",
    "an owner does not wait for who is inside",
    "a slice is claimed without seeing its last use",
    "a slice is released without publishing its last use",
    "a page is adopted without the lock",
    "a visitor takes a page that is in its owner's hand",
];

/// How long threads run without a fault: `.ci/sanitize` has them run longer.
const CLEAN_SECONDS: &str = "5";
/// How long they run until a fault has to be found: most are at once, some need a visit.
const RACE_SECONDS: &str = "40";

fn main() -> ExitCode {
    let (flags, words): (Vec<_>, Vec<_>) = std::env::args()
        .skip(1)
        .partition(|argument| argument == "--races");
    let (races, wanted) = (!flags.is_empty(), words.concat());
    let copy = Copy::new();
    println!("no fault seeded:");
    let begin = Instant::now();
    let clean = if races {
        copy.race(CLEAN_SECONDS)
    } else {
        copy.check(&["models::"])
    };
    if !clean.status.success() {
        print!("{}", String::from_utf8_lossy(&clean.stdout));
        println!("{}", String::from_utf8_lossy(&clean.stderr));
        return ExitCode::FAILURE;
    }
    println!("nothing is found ({} s)", begin.elapsed().as_secs());
    let is_wanted = |mutant: &&Mutant| {
        mutant.name.contains(&wanted) && (!races || RACES.contains(&mutant.name))
    };
    let (mut seeded, mut survivors) = (0, 0);
    for mutant in MUTANTS.iter().filter(is_wanted) {
        let begin = Instant::now();
        let verdict = copy.with(mutant, |copy| match races {
            true => verdict_of_race(&copy.race(RACE_SECONDS)),
            false => verdict(&copy.check(mutant.models)),
        });
        let seconds = begin.elapsed().as_secs();
        let (word, detail) = match &verdict {
            Verdict::Killed(by) => ("killed", by.as_str()),
            Verdict::Survived => ("SURVIVED", ""),
            Verdict::NotBuilt(error) => ("NOT BUILT", error.as_str()),
        };
        seeded += 1;
        survivors += usize::from(!matches!(verdict, Verdict::Killed(_)));
        println!("{word:<9} {seconds:>3} s  {}  {detail}", mutant.name);
    }
    println!("{survivors} of {seeded} survive");
    assert!(seeded > 0, "no mutant has `{wanted}` in its name");
    ExitCode::from(u8::from(survivors > 0))
}

enum Verdict {
    /// By which model.
    Killed(String),
    Survived,
    NotBuilt(String),
}

fn verdict(run: &Output) -> Verdict {
    let (text, errors) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    if !text.contains("\nrunning ") || text.contains("running 0 tests") {
        return Verdict::NotBuilt(errors.into_owned());
    }
    let failed = |line: &&str| line.starts_with("test ") && line.ends_with("FAILED");
    match text.lines().find(failed) {
        Some(line) => {
            let name = line
                .trim_start_matches("test ")
                .trim_end_matches(" ... FAILED");
            let name = name.rsplit("::").next().unwrap_or(name);
            Verdict::Killed(format!("by {name}"))
        }
        // A model may also end by a signal.
        None if !run.status.success() => Verdict::Killed("by a signal".to_owned()),
        None => Verdict::Survived,
    }
}

/// What ThreadSanitizer made of threads: it says where the race is, or the mutant has survived, however it ended.
fn verdict_of_race(run: &Output) -> Verdict {
    let (text, errors) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    if !text.contains("ALLOCATOR_TESTS_SEED") {
        return Verdict::NotBuilt(errors.into_owned());
    }
    let is_race = |line: &&str| line.starts_with("SUMMARY: ThreadSanitizer: data race");
    match errors.lines().find(is_race) {
        Some(line) => Verdict::Killed(line.rsplit(" in ").next().unwrap_or(line).to_owned()),
        None => Verdict::Survived,
    }
}

/// The core's sources where they can be changed.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = tests.parent().expect("the tests are in the workspace");
        let root = target(workspace).join("mutants");
        // What was built stays.
        for part in ["allocator-core", "allocator-macros", "tests/raced"] {
            let _ = fs::remove_dir_all(root.join(part));
            copy_folder(&workspace.join(part), &root.join(part));
        }
        let manifest = read(&workspace.join("Cargo.toml"));
        let lines: Vec<_> = manifest
            .lines()
            .map(|line| match line.split_once(" = ") {
                Some(("members", _)) => {
                    r#"members = ["allocator-core", "allocator-macros", "tests/raced"]"#
                }
                Some(("default-members", _)) => "",
                _ => line,
            })
            .collect();
        write(&root.join("Cargo.toml"), &lines.join("\n"));
        let lock = read(&workspace.join("Cargo.lock"));
        write(&root.join("Cargo.lock"), &lock);
        Self { root }
    }

    /// Does something while a fault is seeded.
    fn with<T>(&self, mutant: &Mutant, act: impl FnOnce(&Self) -> T) -> T {
        let path = self.root.join("allocator-core/src").join(mutant.file);
        let sound = read(&path);
        assert_eq!(
            sound.matches(mutant.text).count(),
            1,
            "`{}`: the text to change is to occur once in {}",
            mutant.name,
            mutant.file
        );
        write(&path, &sound.replace(mutant.text, mutant.becomes));
        let result = act(self);
        write(&path, &sound);
        result
    }

    /// Cargo in the copy.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env("RUST_BACKTRACE", "0")
            .current_dir(&self.root);
        cargo
    }

    /// Runs models.
    fn check(&self, models: &[&str]) -> Output {
        self.cargo()
            .args([
                "test",
                "--profile",
                "models",
                "-p",
                "allocator-core",
                "--lib",
                "--",
            ])
            .args(models)
            .env("RUSTFLAGS", "--cfg loom")
            .env("CARGO_INCREMENTAL", "1")
            .output()
            .expect("cargo runs")
    }

    /// Runs threads under ThreadSanitizer, so long or until it finds something.
    fn race(&self, seconds: &str) -> Output {
        self.cargo()
            .args(["run", "--profile", "test-release", "-p", "allocator-raced"])
            // Not for what the build runs: `--target` tells the two apart.
            .arg("--target")
            .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
            .args(["--", seconds])
            // The stable compiler knows the sanitizer, and this is how it is asked. Rust's library is not built for it,
            // which it wants to be told.
            .env("RUSTC_BOOTSTRAP", "1")
            .env(
                "RUSTFLAGS",
                "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
            )
            .env("TSAN_OPTIONS", "halt_on_error=1")
            .output()
            .expect("cargo runs")
    }
}

/// Where the workspace is built.
fn target(workspace: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), PathBuf::from)
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let to = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_folder(&path, &to);
        } else {
            fs::copy(&path, &to).expect("the file can be copied");
        }
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
}
