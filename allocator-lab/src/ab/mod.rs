//! A against B, on a program of the user's.
//!
//! Modules in layers; each imports only from those that stand before it:
//!
//! ```text
//! protocol        when to look, and what may be said then
//! declared  side  what is run, and under which allocator
//! session         the rounds
//! instructions    what valgrind counts
//! report  text    what they say
//! ```

pub mod declared;
pub mod instructions;
pub mod protocol;
pub mod report;
pub mod session;
pub mod side;
pub mod text;
