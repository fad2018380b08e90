//! Blocks that a test misuses, in a process that this is to end, and what that process said.

use std::hint::black_box;
use std::process::Output;
use std::ptr::NonNull;

use crate::child;
use crate::subject::{Subject, layout};

/// A block of a type, freed twice or otherwise misused, by its address.
pub type Block = NonNull<u8>;

/// Tells the test which address the message has to name.
pub fn is_about(block: Block) {
    println!("is about {:#x}", block.addr());
}

/// A block of `size` bytes.
///
/// # Panics
/// Without memory.
#[must_use]
pub fn allocate<A: Subject>(size: usize) -> Block {
    A::allocate(layout(size, 8)).expect("memory")
}

/// Bytes of the class of blocks of this size, of a type without canaries.
#[must_use]
pub fn class_bytes<A: Subject>(size: usize) -> usize {
    A::usable_size(layout(size, 8))
}

/// Frees what is not to be freed: that is what the type is to find.
pub fn free<A: Subject>(block: Block, size: usize) {
    // SAFETY: none: the process ends if this is misuse.
    unsafe { A::deallocate(black_box(block), layout(size, 8)) };
}

/// The same by a thread that did not allocate.
///
/// # Panics
/// When that thread does.
pub fn free_remote<A: Subject>(block: Block, size: usize) {
    let address = block.as_ptr().expose_provenance();
    let freed = std::thread::spawn(move || {
        let block = std::ptr::with_exposed_provenance_mut(address);
        free::<A>(NonNull::new(block).expect("a block"), size);
    });
    freed.join().expect("the thread ends, or the process");
}

/// Writes into a block that is free, or past the end of one that is not.
pub fn write(block: Block, at: usize, value: u64) {
    // SAFETY: none: the bytes are mapped, and the type is to find what this breaks.
    unsafe {
        block
            .as_ptr()
            .add(at)
            .cast::<u64>()
            .write_volatile(black_box(value));
    }
}

/// What is at an offset of a block, be it free.
#[must_use]
pub fn read(block: Block, at: usize) -> u64 {
    // SAFETY: as in write().
    unsafe { block.as_ptr().add(at).cast::<u64>().read_volatile() }
}

/// Writes to a block that was freed last, which is the next to be handed out.
pub fn write_to_what_is_free<A: Subject>(size: usize, at: usize) {
    let block = allocate::<A>(size);
    free::<A>(block, size);
    is_about(block);
    write(block, at, 0x4141_4141_4141_4141);
    black_box(allocate::<A>(size));
}

/// What a test runs as a process of its own, and what that process ends with.
pub struct Ended {
    /// What it put out.
    pub output: Output,
    /// What it said on standard error.
    pub said: String,
    /// The address that the fault is about.
    pub address: String,
}

/// Runs the test `name`, in which this is called, in a process of its own.
#[must_use]
pub fn run(name: &str) -> Ended {
    let output = child::run_again(name);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let address = told.split("is about ").nth(1);
    let address = address
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default();
    Ended {
        said,
        address: address.to_owned(),
        output,
    }
}

/// `test: what happens; the type, the fault, the end of the line`.
#[macro_export]
macro_rules! found {
    ($($name:ident: $mistake:expr; $type:literal $fault:literal $class:literal;)*) => { $(
        #[test]
        fn $name() {
            use std::os::unix::process::ExitStatusExt;
            let name = stringify!($name);
            if $crate::child::is_child_of(name) {
                $mistake;
                println!("nothing was found");
                return;
            }
            let $crate::misused_block::Ended { output, said, address } = $crate::misused_block::run(name);
            let line = format!("allocator `{}`: {} of {address}{}\n", $type, $fault, $class);
            assert_eq!(said, line);
            assert_eq!(output.status.signal(), Some(::libc::SIGABRT), "{said}");
        }
    )* };
}
