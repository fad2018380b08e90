//! What the tests share: declared types behind one trait, blocks that notice being written to,
//! a shadow model, and figures of the process.

pub mod block;
pub mod checked_load;
pub mod child;
pub mod configurations;
pub mod crew;
pub mod elf;
pub mod ends;
pub mod face;
pub mod forked;
pub mod fuzzed;
pub mod injected;
pub mod matrix;
pub mod mistaken;
pub mod misuse;
pub mod misused_block;
pub mod model;
pub mod pairs;
pub mod probe;
pub mod process;
pub mod program;
pub mod random;
pub mod real_programs;
#[cfg(target_arch = "x86_64")]
pub mod refused;
pub mod scenario;
pub mod subject;
pub mod work;
