//! A program that brings its own `malloc`, which looks for misuse. Runs the scenario that its first
//! argument names, or the misuse, and says on standard output which address that is of.

use std::ffi::c_void;
use std::hint::black_box;

use allocator_core::derive_allocator;
use allocator_tests::program::Scenario;

/// Of both faces.
#[derive_allocator(export = malloc, hardening = checked)]
struct Malloc;

#[global_allocator]
static GLOBAL: Malloc = Malloc;

/// Says which address the fault is about.
fn is_about(block: *mut c_void) -> *mut c_void {
    println!("is about {block:p}");
    black_box(block)
}

fn free_twice(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends at the second.
    unsafe {
        libc::free(block);
        libc::free(is_about(block));
    }
}

fn free_inside(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends.
    unsafe { libc::free(is_about(block.byte_add(16))) };
}

fn free_of_the_stack(_: &[String]) {
    let mut memory = [0_u64; 8];
    // SAFETY: none: the process ends.
    unsafe { libc::free(is_about(memory.as_mut_ptr().cast())) };
}

fn grow_the_stack(_: &[String]) {
    let mut memory = [0_u64; 8];
    // SAFETY: none: the process ends.
    unsafe { black_box(libc::realloc(is_about(memory.as_mut_ptr().cast()), 4000)) };
}

fn free_of_no_address(_: &[String]) {
    let address = std::ptr::without_provenance_mut(0xdead_beef_dead_beef);
    // SAFETY: none: the process ends.
    unsafe { libc::free(is_about(address)) };
}

fn free_of_a_header(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends.
    unsafe {
        libc::free(is_about(
            block.map_addr(|address| address & !((32 << 20) - 1) | 0x40),
        ))
    };
}

fn grow_what_is_free(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends.
    unsafe {
        libc::free(block);
        black_box(libc::realloc(is_about(block), 4000));
    }
}

fn keep_what_is_free(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends.
    unsafe {
        let size = libc::malloc_usable_size(block);
        libc::free(block);
        black_box(libc::realloc(is_about(block), size));
    }
}

fn measure_what_is_free(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends.
    unsafe {
        libc::free(block);
        black_box(libc::malloc_usable_size(is_about(block)));
    }
}

fn write_to_what_is_free(arguments: &[String]) {
    let block = allocated(arguments);
    // SAFETY: none: the process ends at the next block.
    unsafe {
        libc::free(is_about(block));
        block.cast::<u64>().write_volatile(7);
    }
    black_box(allocated(arguments));
}

/// A block of as many bytes as the argument says.
fn allocated(arguments: &[String]) -> *mut c_void {
    // The first line allocates what it is put together in.
    println!("of {} bytes", arguments[0]);
    let size = arguments[0].parse().expect("a size");
    // SAFETY: it has no preconditions.
    black_box(unsafe { libc::malloc(size) })
}

const MISUSE: &[Scenario] = &[
    ("free_twice", free_twice),
    ("free_inside", free_inside),
    ("free_of_the_stack", free_of_the_stack),
    ("grow_the_stack", grow_the_stack),
    ("free_of_no_address", free_of_no_address),
    ("free_of_a_header", free_of_a_header),
    ("grow_what_is_free", grow_what_is_free),
    ("keep_what_is_free", keep_what_is_free),
    ("measure_what_is_free", measure_what_is_free),
    ("write_to_what_is_free", write_to_what_is_free),
];

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let is_misuse = MISUSE.iter().any(|(known, _)| *known == name);
    allocator_tests::program::main(match is_misuse {
        true => MISUSE,
        false => allocator_tests::scenario::SCENARIOS,
    });
}
