//! Declared types that are the process's `malloc`: under programs that know nothing of it, by
//! `LD_PRELOAD`, and in a program that brings its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use allocator_tests::elf::SharedObject;
use allocator_tests::program::Program;

const SYSTEM: &str = env!("CARGO_BIN_EXE_system");
const EXPORTED: &str = env!("CARGO_BIN_EXE_exported");

/// Where the shared objects of `examples/preload` are, built as users build them.
static OBJECTS: LazyLock<PathBuf> = LazyLock::new(|| {
    // Built once, found the next time.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preload");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--offline",
        "--quiet",
        "--release",
        "-p",
        "preload",
    ]);
    cargo.args(["--lib", "--examples"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.env("CARGO_TARGET_DIR", &target).output();
    let output = output.expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    target.join("release")
});

fn default_object() -> PathBuf {
    OBJECTS.join("libpreload.so")
}

/// The object of every declaration.
fn every_object() -> Vec<PathBuf> {
    let presets = ["seed", "stock", "compact", "throughput"];
    let of_preset = |preset| OBJECTS.join(format!("examples/lib{preset}.so"));
    let mut objects = vec![default_object()];
    objects.extend(presets.map(of_preset));
    objects
}

/// Runs a scenario where the type comes from outside, and where the program has it.
#[track_caller]
fn both(arguments: &[&str]) {
    Program::new(SYSTEM, arguments)
        .preloading(&default_object())
        .succeeds();
    Program::new(EXPORTED, arguments).succeeds();
}

#[test]
fn c_gets_what_the_standards_say() {
    for object in every_object() {
        for scenario in ["c_corners", "c_alignments", "c_growth", "c_random"] {
            let program = Program::new(SYSTEM, std::slice::from_ref(&scenario)).preloading(&object);
            let _ = program.succeeds();
        }
    }
    for scenario in ["c_corners", "c_alignments", "c_growth", "c_random"] {
        let _ = Program::new(EXPORTED, &[scenario]).succeeds();
    }
}

#[test]
fn nothing_stays_of_huge_blocks() {
    both(&["c_huge"]);
}

#[test]
fn what_others_allocated_is_left_alone() {
    both(&["c_foreign"]);
}

#[test]
fn any_function_may_be_the_first_act_of_a_thread() {
    both(&["c_first_acts"]);
}

#[test]
fn signals_disturb_nothing() {
    both(&["c_signals"]);
}

#[test]
fn threads_come_and_go() {
    both(&["churn", "16000"]);
    both(&["key_destructors", "400"]);
    // Of a program that has an allocator of its own as well, the claim is another: whose key is later.
    Program::new(EXPORTED, &["late_first_use", "800"]).succeeds();
}

#[test]
fn a_thousand_live_threads_take_little() {
    both(&["live_threads", "1000", "1024", "512"]);
}

#[test]
fn processes_fork_and_end_at_any_time() {
    both(&["forks", "60"]);
    both(&["forks_together", "200"]);
    for _ in 0..20 {
        both(&["exit_with_threads"]);
        both(&["atexit_allocates"]);
    }
}

#[test]
fn memory_goes_back() {
    both(&["producers", "1024", "256"]);
    both(&["freed", "owner", "4096", "1"]);
    both(&["freed", "another", "4096", "2"]);
    both(&["freed", "both", "512", "3"]);
    both(&["freed", "ended", "32768", "4"]);
    both(&["freed_by_another"]);
}

#[test]
fn a_limit_of_addresses_leaves_a_program_to_start_and_go_on() {
    let limits = [(libc::RLIMIT_AS, 64 << 20)];
    for (arguments, limits) in [
        (&["serves_under_a_limit", "8"][..], &limits[..]),
        (&["c_random"], &[(libc::RLIMIT_AS, 256 << 20)]),
        (&["threads_under_a_limit"], &[(libc::RLIMIT_DATA, 64 << 20)]),
    ] {
        let object = default_object();
        let program = Program::new(SYSTEM, arguments).under(limits);
        program.preloading(&object).succeeds();
    }
}

#[test]
fn the_mappings_of_a_process_may_be_used_up() {
    both(&["mappings_used_up"]);
}

#[test]
fn calls_of_the_os_may_fail() {
    Program::new(env!("CARGO_BIN_EXE_exported_faults"), &[]).succeeds();
}

#[test]
fn objects_that_are_loaded_late_have_heaps_of_their_own() {
    // Another type, and the same twice: the dynamic linker tells objects apart by their files.
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let copies = ["one.so", "two.so"].map(|name| temporary.join(name));
    for copy in &copies {
        std::fs::copy(default_object(), copy).expect("the folder is writable");
    }
    let late = [&OBJECTS.join("examples/libseed.so"), &copies[0], &copies[1]];
    let late = late.map(|path| path.to_str().expect("a path of text"));
    let arguments = ["c_loaded", late[0], late[1], late[2]];
    both(&arguments);
    Program::new(SYSTEM, &arguments).succeeds();
}

#[test]
fn what_an_object_with_another_malloc_allocates_is_left_alone() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/plugin.c");
    let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin.so");
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

/// What a shell makes of `script`, with or without an object before its own.
fn shell(script: &str, object: Option<&Path>) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).env("LC_ALL", "C");
    shell.envs(object.map(|object| ("LD_PRELOAD", object)));
    shell.output().expect("there is a shell")
}

#[test]
fn programs_say_the_same_as_without() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).display().to_string();
    let scripts = [
        "echo $((6 * 7)); for i in 1 2 3; do (echo $i) & wait; done",
        "seq 1 200000 | sort -r | head -1000 | sed s/1/x/ | awk '{n += length($0)} END {print n}'",
        "ls -lR /usr/include | wc -l; find /usr/include -name 's*.h' | xargs cat | gzip | gunzip | wc",
        "perl -e 'my %h; $h{$_ % 1000} .= \"x\" for 1 .. 200000; print length(join \"\", values %h)'",
        "python3 -c 'import json; d = [{str(i): list(range(i % 50))} for i in range(20000)]; \
         print(sum(len(x) for x in json.loads(json.dumps(d))))'",
        "python3 -c 'import multiprocessing as m, threading as t; \
         x = [t.Thread(target=lambda: [bytes(i) for i in range(3000)]) for _ in range(8)]; \
         [y.start() for y in x]; [y.join() for y in x]; print(m.Pool(4).map(abs, range(-9, 0)))'",
        "echo 'select sum(length(a.name) * b.value) from (select value, hex(value) as name from \
         generate_series(1, 2000)) a, generate_series(1, 100) b;' | sqlite3",
        &format!("cd {repository} && git log --stat -5 | cksum && git grep -c unsafe | cksum"),
        "printf 'int main(void) { return 0; }' | gcc -O2 -x c - -S -o - | cksum",
    ];
    let mut told = 0;
    for script in scripts {
        let alone = shell(script, None);
        if !alone.status.success() {
            println!("left out, as it does not run here: {script}");
            continue;
        }
        for object in every_object() {
            let with = shell(script, Some(&object));
            let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said(&with), said(&alone), "{script} under {object:?}");
            let errors = String::from_utf8_lossy(&with.stderr);
            assert_eq!(errors, String::from_utf8_lossy(&alone.stderr), "{script}");
            assert_eq!(with.status, alone.status, "{script} under {object:?}");
        }
        told += 1;
    }
    assert!(told >= 2, "the shell's own run everywhere");
}

#[test]
fn cpp_allocates_and_throws() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign/new_and_delete.cpp");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new_and_delete");
    let mut compiler = Command::new("c++");
    compiler.args(["-std=c++17", "-O1", "-pthread", "-o"]);
    let Ok(output) = compiler.args([&program, &source]).output() else {
        println!("left out: there is no C++ compiler");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let program = program.to_str().expect("a path of text");
    let alone = Program::new(program, &[]).succeeds().output;
    for object in every_object() {
        let with = Program::new(program, &[]).preloading(&object).succeeds();
        assert_eq!(with.output, alone);
    }
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
    for path in every_object() {
        let object = SharedObject::read(&path);
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
