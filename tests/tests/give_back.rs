//! What is free goes back to the OS, whoever freed it, in programs whose global allocator is a
//! declared type.

use allocator_tests::program::Program;

const AS_IT_COMES: &str = env!("CARGO_BIN_EXE_global_as_it_comes");
const STOCK: &str = env!("CARGO_BIN_EXE_global_stock");
const POINTER: &str = env!("CARGO_BIN_EXE_global_pointer");
const COMPACT: &str = env!("CARGO_BIN_EXE_global_compact");
const CHECKED: &str = env!("CARGO_BIN_EXE_global_checked");
const GUARDED: &str = env!("CARGO_BIN_EXE_global_guarded");

/// In any build those that differ most; all of them where that does not take minutes.
const MANY: &[&str] = if cfg!(debug_assertions) {
    &[AS_IT_COMES, CHECKED]
} else {
    &[AS_IT_COMES, STOCK, COMPACT, CHECKED]
};

#[test]
fn a_consumer_that_never_allocates_keeps_resident_memory_near_what_is_live() {
    for program in MANY {
        // Enough live blocks that the pages at work, of eight threads and every class, weigh little.
        Program::new(program, &["producers", "1024", "256", "140"]).succeeds();
    }
}

/// Who frees 200 MB: their owner, another thread, both by turns, another after the owner has ended.
fn freed_by(who: &str) {
    for (program, seed, most_mib) in [
        (AS_IT_COMES, "1", "8"),
        (STOCK, "2", "8"),
        // The record of the cache of the thread that operates may bring a huge page along.
        (POINTER, "3", "10"),
        (CHECKED, "4", "8"),
        (GUARDED, "5", "8"),
    ] {
        // Blocks of the smallest sizes are a million: unoptimised, the default's have to do.
        let skipped = usize::from(cfg!(debug_assertions) && program != AS_IT_COMES);
        for max in &["512", "4096", "32768"][skipped..] {
            Program::new(program, &["freed", who, max, seed, most_mib]).succeeds();
        }
    }
}

#[test]
fn what_its_owner_freed_goes_back_at_an_operation_of_another_thread() {
    freed_by("owner");
}

#[test]
fn what_another_thread_freed_goes_back_though_its_owner_is_blocked() {
    freed_by("another");
}

#[test]
fn what_owner_and_others_freed_by_turns_goes_back() {
    freed_by("both");
}

#[test]
fn what_was_freed_after_its_owner_ended_goes_back() {
    freed_by("ended");
}

#[test]
fn forty_megabytes_freed_by_another_thread_go_back_within_the_purge_delay() {
    for program in [AS_IT_COMES, STOCK, POINTER, CHECKED] {
        Program::new(program, &["freed_by_another", "8"]).succeeds();
    }
}

#[test]
fn the_os_is_called_once_for_64_kib_at_most_to_purge_what_is_freed_in_pieces() {
    for program in MANY {
        Program::new(program, &["purge_storm"]).succeeds();
    }
}
