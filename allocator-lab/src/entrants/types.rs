//! A program with many declared types, each as the preset that is called
//! `default`: they share the arena, and nothing else.

use allocator_core::derive_allocator;
use allocator_lab::entrant;
use allocator_lab::workloads::Source;
use allocator_lab::workloads::scaled::{self, NewTurn};
use std::alloc::GlobalAlloc;
use std::process::ExitCode;

/// What serves everything but the blocks of the types.
#[derive_allocator]
struct Rest;

#[global_allocator]
static GLOBAL: Rest = Rest;

/// Declares types, and a list of what makes live blocks of each.
macro_rules! declare {
    ($list:ident: $($name:ident)*) => {
        $(
            #[derive_allocator]
            struct $name;

            impl Source for $name {
                fn allocator() -> &'static impl GlobalAlloc {
                    &$name
                }
            }
        )*

        const $list: &[NewTurn] = &[$(scaled::of_type::<$name>),*];
    };
}

declare! {
    TYPES:
    T00 T01 T02 T03 T04 T05 T06 T07 T08 T09 T10 T11 T12 T13 T14 T15
    T16 T17 T18 T19 T20 T21 T22 T23 T24 T25 T26 T27 T28 T29 T30 T31
}

fn main() -> ExitCode {
    entrant::main_with_types("default", Some(&Rest::CONFIG), TYPES)
}
