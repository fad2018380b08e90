//! The race under programs of the machine, which know nothing of us: each is
//! started with an allocator before its own, by `LD_PRELOAD`.
//!
//! ```text
//! entrants         who takes part, and where their shared objects are
//! process  redis   one run: a program and what comes of it, or a server under load
//! rows             what is run, with an input made by this program
//! stage            the rows set up, for the rounds of the race
//! ```

pub mod entrants;
pub mod group;
pub mod process;
pub mod redis;
pub mod rows;
pub mod stage;
