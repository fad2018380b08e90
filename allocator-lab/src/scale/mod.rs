//! How cost grows: with live blocks, threads and declared types on this
//! machine; and for more cores than it has, what threads share.
//!
//! The entrants are those of the [race](crate::race), each in an executable of
//! its own, and so are the rounds.
//!
//! ```text
//! points  rounds         what is counted up and how far; the rounds
//! counts                 the atomics and shared lines of a run that is counted
//! report  table  chart   what it says
//! ```

pub mod chart;
pub mod counts;
pub mod points;
pub mod report;
pub mod rounds;
pub mod table;
