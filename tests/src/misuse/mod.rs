//! Misuse, one kind at a time, by programs that it may end: `misuse_off`, `misuse_checked` and
//! `misuse_guarded`, which differ in the level of their types. `matrix` runs them and knows what must happen.
//!
//! A program that goes on says in its last line what became of the heap. Before the misuse it says where
//! and of which class it will be, as the message on standard error is to have it.

mod aftermath;
mod mistakes;
mod misused;
mod scene;

use crate::face::{OfC, OfRust};
use crate::program;
use crate::scenario::{SCENARIOS, of_face};
use crate::subject::Subject;
use misused::Misused;
use scene::Scene;

/// Declares a program's types, and its `main`.
#[macro_export]
macro_rules! misuse_program {
    ($($option:tt)*) => {
        /// The one that is misused by Rust.
        #[::allocator_core::derive_allocator($($option)*)]
        struct Rust;

        /// Another such.
        #[::allocator_core::derive_allocator($($option)*)]
        struct Other;

        /// The process's `malloc`, which is misused by C.
        #[::allocator_core::derive_allocator($($option)*, export = malloc)]
        struct Malloc;

        /// What the program itself uses.
        #[::allocator_core::derive_allocator($($option)*)]
        struct Global;

        #[global_allocator]
        static GLOBAL: Global = Global;

        $crate::subjects!(Rust, Other, Malloc);

        fn main() {
            $crate::misuse::main::<Rust, Other, Malloc>();
        }
    };
}

/// Does what the arguments say: `SCENARIO [ARGUMENT…]`, `(rust|c) SCENARIO [ARGUMENT…]`, or
/// `(rust|c) MISTAKE (local|remote) BYTES [ARGUMENT…]`.
///
/// # Panics
/// When they say nothing that is known.
pub fn main<A: Subject, B: Subject, M: Subject>() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments[0].as_str() {
        "rust" => of::<OfRust<A>, OfRust<B>>(&arguments[1..]),
        "c" => of::<OfC<M>, OfRust<B>>(&arguments[1..]),
        _ => program::main(SCENARIOS),
    }
}

/// A scenario of a face, or a mistake; `G` is another type.
fn of<F: Misused, G: Misused>(arguments: &[String]) {
    let (name, arguments) = arguments.split_first().expect("what to do");
    match of_face::<F>().iter().find(|(known, _)| known == name) {
        Some((_, scenario)) => scenario(arguments),
        None => mistakes::make::<F, G>(name, &Scene::new(arguments)),
    }
}
