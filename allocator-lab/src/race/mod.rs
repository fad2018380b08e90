//! The race against other allocators, and against the C library's.
//!
//! Unlike the comparison, in which one executable holds all contestants behind
//! a [dispatch](crate::dispatch), each entrant of the race is an executable of
//! its own, with its allocator as the static that its users would write.
//!
//! ```text
//! entrants  build  racer    who takes part; their executables, and a run of one
//! rows  rounds              what is raced on, and the rounds
//! scores                    best peer, ratios, means: arithmetic
//! report  table  chart      what they say
//! ```

pub mod build;
pub mod chart;
pub mod entrants;
pub mod racer;
pub mod report;
pub mod rounds;
pub mod rows;
pub mod scores;
pub mod table;
