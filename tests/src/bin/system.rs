//! A program that is as it is without a declared type: its global allocator is the process's
//! `malloc`, whoever that is. Runs the scenario that its first argument names.

fn main() {
    allocator_tests::program::main(allocator_tests::scenario::SCENARIOS);
}
