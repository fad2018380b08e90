//! Declared types that are the process's `malloc`: under programs that know nothing of it, by
//! `LD_PRELOAD`, and in a program that brings its own.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use allocator_tests::elf::SharedObject;
use allocator_tests::program::Program;
use allocator_tests::real_programs::{REAL_PROGRAMS, RealProgram, Verdict, build_objects, copy_of};
use allocator_tests::scenario::limits::LIMITS;

const SYSTEM: &str = env!("CARGO_BIN_EXE_system");
const EXPORTED: &str = env!("CARGO_BIN_EXE_exported");
/// As that, but calls the OS wherever it can, and Rust has no face of its own.
const EAGER: &str = env!("CARGO_BIN_EXE_exported_eager");

/// What any program may do of C.
const C_SCENARIOS: [&str; 8] = [
    "c_corners",
    "c_alignments",
    "c_extremes",
    "c_growth",
    "c_last_bytes",
    "c_usable_suffices",
    "c_shrinks_without_memory",
    "c_random",
];

/// The object of every declaration, the default first.
static OBJECTS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| build_objects(temporary()));

fn temporary() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn default_object() -> &'static Path {
    &OBJECTS[0]
}

/// Runs a scenario where the type comes from outside, and where the program has it.
#[track_caller]
fn both(arguments: &[&str]) {
    Program::new(SYSTEM, arguments)
        .preloading(default_object())
        .succeeds();
    Program::new(EXPORTED, arguments).succeeds();
}

#[test]
fn c_gets_what_the_standards_say() {
    for object in OBJECTS.iter() {
        for scenario in C_SCENARIOS {
            let program = Program::new(SYSTEM, std::slice::from_ref(&scenario));
            let _ = program.preloading(object).succeeds();
        }
    }
    for scenario in C_SCENARIOS {
        let _ = Program::new(EXPORTED, &[scenario]).succeeds();
        let _ = Program::new(EAGER, &[scenario]).succeeds();
    }
}

#[test]
fn nothing_stays_of_huge_blocks() {
    both(&["c_huge"]);
    both(&["c_huge_in_parts"]);
}

#[test]
fn what_others_allocated_is_left_alone() {
    both(&["c_foreign"]);
}

#[test]
fn any_function_may_be_the_first_act_of_a_thread() {
    let all = Program::new(SYSTEM, &["c_first_acts", "named"]);
    all.preloading(default_object()).succeeds();
    Program::new(EXPORTED, &["c_first_acts"]).succeeds();
    Program::new(EAGER, &["c_first_acts"]).succeeds();
}

#[test]
fn a_thread_of_c_that_only_frees_makes_no_heap() {
    for program in [EXPORTED, EAGER] {
        Program::new(program, &["only_frees"]).succeeds();
    }
}

#[test]
fn a_child_works_while_a_peer_is_in_a_call_of_the_os() {
    for call in ["Map", "Unmap", "Remap", "Purge", "Barrier", "ThreadEnd"] {
        for program in [EXPORTED, EAGER] {
            Program::new(program, &["forks_while_parked", call]).succeeds();
        }
    }
    // Of huge blocks, which the default does not advise about.
    Program::new(EAGER, &["forks_while_parked", "Advise"]).succeeds();
}

#[test]
fn signals_disturb_nothing() {
    both(&["c_signals"]);
}

#[test]
fn threads_come_and_go() {
    // As many as are claimed where that does not take half a minute.
    let [short, late] = if cfg!(debug_assertions) {
        ["2000", "60"]
    } else {
        ["16000", "800"]
    };
    both(&["churn", short]);
    both(&["key_destructors", "400"]);
    // Of a program that has an allocator of its own as well, the claim is another: whose key is later.
    Program::new(EXPORTED, &["late_first_use", late]).succeeds();
}

#[test]
fn a_thousand_live_threads_take_little() {
    both(&["live_threads", "1000", "1024", "512", "64"]);
}

#[test]
fn processes_fork_and_end_at_any_time() {
    both(&["forks", "60"]);
    both(&["forks_together", "200"]);
}

#[test]
fn processes_end_in_any_way() {
    // Each way is a race, so it is taken often: 60 times for each face, where a process takes little.
    for _ in 0..if cfg!(debug_assertions) { 20 } else { 60 } {
        both(&["exit_with_threads"]);
        let object = default_object();
        let at_exit = ["atexit_allocates"];
        for program in [
            Program::new(SYSTEM, &at_exit).preloading(object),
            Program::new(EXPORTED, &at_exit),
            Program::new(env!("CARGO_BIN_EXE_ends_by_pthread_exit"), &[]).preloading(object),
            Program::new(env!("CARGO_BIN_EXE_exported_ends_by_pthread_exit"), &[]),
        ] {
            assert_eq!(program.succeeds().output, "allocated at exit\n");
        }
    }
}

#[test]
fn memory_goes_back() {
    for arguments in [
        &["producers", "1024", "256", "140"][..],
        &["freed", "owner", "4096", "1", "8"],
        &["freed", "another", "4096", "2", "8"],
        &["freed", "both", "512", "3", "8"],
        &["freed", "ended", "32768", "4", "8"],
        &["freed_by_another", "8"],
    ] {
        let program = Program::new(SYSTEM, arguments);
        program.preloading(default_object()).succeeds();
        // The object is optimised in any build; the program's own type takes ten times as long without.
        if !cfg!(debug_assertions) || arguments[0] == "freed_by_another" {
            Program::new(EXPORTED, arguments).succeeds();
        }
    }
}

#[test]
fn the_os_is_called_once_for_64_kib_at_most_to_purge_what_is_freed_in_pieces() {
    Program::new(EXPORTED, &["purge_storm"]).succeeds();
}

#[test]
fn a_limit_on_memory_leaves_a_program_to_start_and_go_on() {
    for (resource, mib, least) in LIMITS {
        let limits = [(resource, mib << 20)];
        let arguments = ["serves_under_a_limit", least];
        for program in [
            Program::new(SYSTEM, &arguments).preloading(default_object()),
            Program::new(EXPORTED, &arguments),
            Program::new(EAGER, &arguments),
        ] {
            program.under(&limits).succeeds();
        }
    }
    for resource in [libc::RLIMIT_AS, libc::RLIMIT_DATA] {
        let limits = [(resource, 64 << 20)];
        for program in [
            Program::new(SYSTEM, &["threads_under_a_limit"]).preloading(default_object()),
            Program::new(EXPORTED, &["threads_under_a_limit"]),
        ] {
            program.under(&limits).succeeds();
        }
    }
    // Which needs 100 to 250 MiB, as its threads interleave.
    let limits = [(libc::RLIMIT_AS, 512 << 20)];
    let program = Program::new(SYSTEM, &["c_random"]).preloading(default_object());
    program.under(&limits).succeeds();
}

#[test]
fn the_mappings_of_a_process_may_be_used_up() {
    both(&["mappings_used_up"]);
}

#[test]
fn calls_of_the_os_may_fail() {
    Program::new(EXPORTED, &["each_map_fails"]).succeeds();
    for program in [EXPORTED, EAGER] {
        Program::new(program, &["calls_fail"]).succeeds();
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_kernel_may_refuse_calls() {
    both(&["c_maps_fail"]);
    both(&["c_other_calls_fail"]);
    Program::new(EAGER, &["c_other_calls_fail"]).succeeds();
}

#[test]
fn objects_that_are_loaded_late_have_heaps_of_their_own() {
    // Another type, and the same twice.
    let copies = ["one.so", "two.so"].map(|name| copy_of(default_object(), temporary(), name));
    let late = [&OBJECTS[1], &copies[0], &copies[1]];
    let late = late.map(|path| path.to_str().expect("a path of text"));
    let arguments = ["c_loaded", "across", late[0], late[1], late[2]];
    both(&arguments);
    Program::new(SYSTEM, &arguments).succeeds();
}

#[test]
fn what_another_object_allocates_is_found_where_misuse_is_looked_for() {
    for level in ["checked", "guarded"] {
        let name = format!("lib{level}.so");
        let object = OBJECTS.iter().find(|object| object.ends_with(&name));
        let object = object.expect("there is one of each level");
        let copy = copy_of(object, temporary(), &format!("another_{level}.so"));
        let copy = copy.to_str().expect("a path of text");
        let run = |arguments: &[&str]| Program::new(SYSTEM, arguments).preloading(object).run();
        let apart = run(&["c_loaded", "apart", copy]);
        let is_well = apart.status.is_some_and(|status| status.success());
        assert!(is_well, "{}", apart.errors);
        let outcome = run(&["c_loaded", "across", copy]);
        let expected = "allocator `Preload`: free of what is not of this allocator of 0x";
        assert!(outcome.errors.starts_with(expected), "{}", outcome.errors);
        let signal = outcome.status.and_then(|status| status.signal());
        assert_eq!(signal, Some(libc::SIGABRT));
    }
}

#[test]
fn what_an_object_with_another_malloc_allocates_is_left_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/plugin.c");
    let object = temporary().join("plugin.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-fno-builtin", "-o"]);
    // What links Rust compiles C.
    let output = compiler
        .args([&object, &source])
        .output()
        .expect("there is a C compiler");
    assert!(output.status.success(), "{output:?}");
    both(&["c_plugin", object.to_str().expect("a path of text")]);
}

/// All of them, and under every object: `cargo run --release -p allocator-tests --bin real_programs`.
#[test]
fn programs_say_the_same_as_without() {
    let mut same = 0;
    for program in REAL_PROGRAMS.iter().filter(|program| program.quick) {
        match program.compare(&OBJECTS[..1], temporary()) {
            Verdict::Same => same += 1,
            Verdict::LeftOut(why) => println!("{}: left out: {why}", program.name),
            Verdict::Different(how) => panic!("{}: {how}", program.name),
        }
    }
    assert!(same >= 2, "the shell's own run everywhere");
}

#[test]
fn a_program_that_says_something_else_or_is_not_there_is_noticed() {
    let run = |commands, script| {
        let program = RealProgram {
            name: "made up",
            commands,
            packages: &[],
            quick: true,
            script,
        };
        program.compare(&OBJECTS[..1], &temporary().join("made_up"))
    };
    for script in [
        "echo $LD_PRELOAD",
        "echo $LD_PRELOAD >&2",
        "test -z \"$LD_PRELOAD\"",
        "test -z \"$LD_PRELOAD\" || kill -ABRT $$",
    ] {
        assert!(
            matches!(run(&[], script), Verdict::Different(_)),
            "{script}"
        );
    }
    assert!(matches!(run(&[], "echo $PWD"), Verdict::Same));
    assert!(matches!(run(&[], "false"), Verdict::LeftOut(_)));
    assert!(matches!(
        run(&["no-such-command"], "echo"),
        Verdict::LeftOut(_)
    ));
}

/// What the object is for, and nothing else.
const SYMBOLS: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "free_sized",
    "free_aligned_sized",
    "aligned_alloc",
    "posix_memalign",
    "memalign",
    "valloc",
    "pvalloc",
    "malloc_usable_size",
    "malloc_trim",
    "mallinfo2",
    "__libc_malloc",
    "__libc_calloc",
    "__libc_realloc",
    "__libc_free",
    "__libc_memalign",
    "__libc_valloc",
    "__libc_pvalloc",
    "__posix_memalign",
    "_Znwm",
    "_Znam",
    "_ZnwmRKSt9nothrow_t",
    "_ZnamRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnamSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdaPv",
    "_ZdlPvm",
    "_ZdaPvm",
    "_ZdlPvSt11align_val_t",
    "_ZdaPvSt11align_val_t",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvmSt11align_val_t",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
];

/// Relocations of x86-64 for thread-local variables that are reached by a call (`DTPMOD64`,
/// `DTPOFF64`, `TLSDESC`), and for those that are not (`TPOFF64`).
const BY_CALL: [u32; 3] = [16, 17, 36];
const WITHOUT_CALL: u32 = 18;

#[test]
#[cfg(target_arch = "x86_64")]
fn the_object_offers_malloc_and_needs_the_c_library_alone() {
    let symbols: BTreeSet<_> = SYMBOLS.iter().map(|name| (*name).to_owned()).collect();
    for path in OBJECTS.iter() {
        let object = SharedObject::read(path);
        assert_eq!(object.defined, symbols, "{path:?}");
        assert_eq!(object.tls_bytes, 8, "{path:?}: a pointer per thread");
        assert!(object.relocations.contains(&WITHOUT_CALL), "{path:?}");
        for kind in BY_CALL {
            assert!(!object.relocations.contains(&kind), "{path:?}: {kind}");
        }
        let foreign = |name: &&String| name.contains("tls_get_addr") || name.contains("Unwind");
        let foreign: Vec<_> = object.undefined.iter().filter(foreign).collect();
        assert!(
            foreign.is_empty(),
            "{path:?}: Rust's library is there: {foreign:?}"
        );
    }
}
