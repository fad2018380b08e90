//! What any program asks for: it is run under an object that counts it into files, one for each process,
//! which are added up to one profile.
//!
//! The files are memory that the processes share with the kernel, so they hold what was counted however a
//! process ends, and can be read at any time.

pub mod gather;
pub mod run;
pub mod session;
pub mod unrecorded;

use crate::race::entrants::{Entrant, Feature, Side};

/// The object that records.
pub static RECORDING: Entrant = Entrant {
    name: "recording",
    about: "the default, which records",
    served_by: "recording",
    side: Side::Ours,
    executable: "recording",
    feature: Feature::Preload,
    package: None,
};
