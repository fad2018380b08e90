//! The race against other allocators, and against the C library's.
//!
//! Unlike the comparison, in which one executable holds all contestants behind
//! a [dispatch](crate::dispatch), each entrant of the race is an executable of
//! its own, with its allocator as the static that its users would write.
//!
//! ```text
//! rows  entrants            what is raced on, who takes part
//! scores                    best peer, ratios, means: arithmetic
//! build  race               the executables; the rounds
//! report  table  chart      what they say
//! ```

pub mod build;
pub mod chart;
pub mod entrants;
pub mod report;
pub mod rounds;
pub mod rows;
pub mod scores;
pub mod table;
