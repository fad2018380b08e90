//! Where a mistake is made: by which thread, with blocks of what size and whose.

use std::hint::black_box;
use std::io::Write;

use super::aftermath::{self, Held, UNHARMED};
use super::misused::Misused;
use crate::crew::Worker;
use crate::face::Face;

/// What a mistake is made with.
pub(super) struct Scene {
    /// Bytes of the blocks.
    pub(super) size: usize,
    /// Further arguments.
    pub(super) arguments: Vec<usize>,
    /// Whose the blocks are; the thread that makes the mistake, if there is none.
    owner: Option<Worker>,
}

impl Scene {
    /// `(local|remote) BYTES [ARGUMENT…]`
    pub(super) fn new(arguments: &[String]) -> Self {
        let owner = match arguments[0].as_str() {
            "local" => None,
            "remote" => Some(Worker::start()),
            other => panic!("no place is called {other}"),
        };
        let mut numbers = arguments[1..]
            .iter()
            .map(|argument| argument.parse().expect("a number"));
        Self {
            size: numbers.next().expect("a size"),
            arguments: numbers.collect(),
            owner,
        }
    }

    /// Does `act` on the thread whose the blocks are.
    pub(super) fn by_owner<T: Send + 'static>(
        &self,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match &self.owner {
            Some(owner) => owner.run(act),
            None => act(),
        }
    }

    /// Has both threads have a page of each small class of the program's and the process's allocators, but for the class
    /// of the blocks: what they ask for in between, which depends on who waits for whom, then takes no memory that is
    /// freed by mistake.
    pub(super) fn settle<F: Misused>(&self) {
        let size = self.size;
        let settle = move || {
            for other in (16..=4096).step_by(16) {
                black_box(Box::leak(vec![0_u8; other].into_boxed_slice()));
                if !F::IS_C || F::class_bytes(other) != F::class_bytes(size) {
                    // SAFETY: no preconditions.
                    black_box(unsafe { libc::malloc(other) });
                }
            }
        };
        settle();
        self.by_owner(settle);
    }

    /// So many blocks of the owner's.
    pub(super) fn blocks<F: Face>(&self, count: usize) -> Vec<usize> {
        let size = self.size;
        self.by_owner(move || (0..count).map(|_| F::allocate(size)).collect())
    }

    /// More than a page of the blocks, fewer of those that take much.
    pub(super) fn many(&self) -> usize {
        many(self.size)
    }

    /// The last that is said before the misuse: at which address the message will have it, and of which class.
    pub(super) fn says(&self, address: usize, class_bytes: Option<usize>) {
        match class_bytes {
            Some(bytes) => say(&format!("of {address:#x}, class {bytes}")),
            None => say(&format!("of {address:#x}")),
        }
    }

    /// As [`Scene::says`], of a block of this size.
    pub(super) fn says_block<F: Misused>(&self, block: usize) {
        self.says(block, F::class_bytes(self.size));
    }

    /// The end of a program unless its heap is unharmed, as blocks of this size show; `held` is what is not free.
    pub(super) fn looks<F: Face>(&self, size: usize, held: &[Held]) {
        let what = aftermath::look::<F>(self, size, held);
        if what != UNHARMED {
            self.ends_saying(what);
        }
    }

    /// The end of a program, and what became of its heap.
    pub(super) fn ends<F: Face>(&self, held: &[Held]) {
        self.looks::<F>(self.size, held);
        self.ends_saying(UNHARMED);
    }

    /// The end of a program that has seen for itself what became of the heap. What is spoilt need not be asked for
    /// anything any more.
    pub(super) fn ends_saying(&self, what: &str) {
        say(what);
        // SAFETY: always allowed.
        unsafe { libc::_exit(0) };
    }
}

/// More than a page of such blocks, fewer of those that take much.
pub(super) fn many(size: usize) -> usize {
    match size {
        ..1000 => 4000,
        1000..40_000 => 100,
        40_000..16_000_000 => 20,
        _ => 5,
    }
}

/// Prints a line, at once.
fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("somebody listens");
}
