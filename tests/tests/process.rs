//! Ways in which a process ends: with threads at work, with functions that allocate at its exit, and
//! without its first thread.

use allocator_tests::program::Program;

const AS_IT_COMES: &str = env!("CARGO_BIN_EXE_global_as_it_comes");
const POINTER: &str = env!("CARGO_BIN_EXE_global_pointer");

/// Each way is a race, so it is taken often.
const RUNS: usize = 60;

#[test]
fn a_process_ends_while_its_threads_allocate() {
    for run in 0..RUNS {
        Program::new([AS_IT_COMES, POINTER][run % 2], &["exit_with_threads"]).succeeds();
    }
}

#[test]
fn functions_called_at_exit_allocate_while_threads_do() {
    for run in 0..RUNS {
        let program = Program::new([AS_IT_COMES, POINTER][run % 2], &["atexit_allocates"]);
        assert_eq!(program.succeeds().output, "allocated at exit\n");
    }
}

#[test]
fn a_process_goes_on_without_its_first_thread() {
    for _ in 0..RUNS {
        let program = Program::new(env!("CARGO_BIN_EXE_ends_by_pthread_exit"), &[]);
        assert_eq!(program.succeeds().output, "allocated at exit\n");
    }
}
