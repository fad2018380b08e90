//! Each mechanism of `hardening` fires where C frees, too; programs without misuse run as ever.

use std::os::unix::process::ExitStatusExt;

use allocator_tests::program::{Outcome, Program};

const EXPORTED: &str = env!("CARGO_BIN_EXE_exported_checked");

/// Runs misuse of the process's `malloc`; what it is said to be, with the address.
#[track_caller]
fn exported(arguments: &[&str], fault: &str, class: &str) {
    misused(EXPORTED, arguments, fault, class);
}

/// The same of this program.
#[track_caller]
fn misused(program: &str, arguments: &[&str], fault: &str, class: &str) {
    let outcome = Program::new(program, arguments).run();
    let Outcome {
        status,
        output,
        errors,
    } = outcome;
    let address = output.split("is about ").nth(1);
    let address = address
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    assert_eq!(
        errors,
        format!("allocator `Malloc`: {fault} of {address}{class}\n")
    );
    assert_eq!(
        status.and_then(|status| status.signal()),
        Some(libc::SIGABRT)
    );
}

#[test]
fn what_c_frees_twice_is_found() {
    exported(&["free_twice", "48"], "double free", ", class 48");
    exported(&["free_twice", "20000"], "double free", ", class 20096");
    exported(&["free_twice", "1000000"], "double free", "");
}

#[test]
fn what_c_frees_that_is_no_block_is_found() {
    let inside = "free of what is no block's start";
    exported(&["free_inside", "48"], inside, ", class 48");
    exported(&["free_inside", "20000"], inside, ", class 20096");
    exported(&["free_inside", "1000000"], inside, "");
    let foreign = "free of what is not of this allocator";
    exported(&["free_of_the_stack"], foreign, "");
    exported(&["grow_the_stack"], foreign, "");
    exported(&["free_of_no_address"], foreign, "");
}

#[test]
fn what_c_does_with_what_is_free_is_found() {
    for act in [
        "grow_what_is_free",
        "keep_what_is_free",
        "measure_what_is_free",
    ] {
        exported(&[act, "48"], "double free", ", class 48");
        exported(&[act, "1000000"], "double free", "");
    }
    exported(
        &["write_to_what_is_free", "48"],
        "write to a free block",
        ", class 48",
    );
}

/// There the word that says what was asked for lies before the canary.
#[test]
fn an_overflow_by_a_byte_is_found_where_requests_are_recorded() {
    const RECORDED: &str = env!("CARGO_BIN_EXE_exported_recorded_guarded");
    for act in ["overflow_and_free", "overflow_and_grow"] {
        for (size, class) in [
            ("24", ", class 48"),
            ("20000", ", class 20096"),
            ("1000000", ""),
        ] {
            misused(RECORDED, &[act, size], "overflow", class);
        }
    }
}

#[test]
fn a_header_is_no_block_of_c() {
    let outcome = Program::new(EXPORTED, &["free_of_a_header", "48"]).run();
    assert!(
        outcome
            .errors
            .starts_with("allocator `Malloc`: free of what is not of this allocator of 0x")
    );
    assert_eq!(
        outcome.status.and_then(|status| status.signal()),
        Some(libc::SIGABRT)
    );
}

#[test]
fn c_gets_what_the_standards_say_from_a_checked_type() {
    for scenario in [
        "c_corners",
        "c_alignments",
        "c_growth",
        "c_random",
        "c_huge",
        "c_first_acts",
    ] {
        let _ = Program::new(EXPORTED, &[scenario]).succeeds();
    }
    Program::new(EXPORTED, &["churn", "500"]).succeeds();
    Program::new(EXPORTED, &["forks", "30"]).succeeds();
    Program::new(EXPORTED, &["key_destructors", "100"]).succeeds();
    Program::new(EXPORTED, &["producers", "256", "64", "140"]).succeeds();
}
