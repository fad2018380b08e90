//! The fit of size classes to what programs ask for. No input, no output.
//!
//! Modules in layers; each imports only from those that stand before it:
//!
//! ```text
//! ladder  pages          the cheapest classes out of rungs; the memory behind blocks
//! histogram  demand      what runs asked for; what is fitted to
//! rules  replay          the rungs that are allowed; what classes do to a run
//! choice                 the best classes, or the default's
//! knobs                  the other options: what is tried and kept
//! paste  text            what a person is told
//! ```

pub mod choice;
pub mod demand;
pub mod histogram;
pub mod knobs;
pub mod ladder;
pub mod pages;
pub mod paste;
pub mod replay;
pub mod rules;
pub mod text;
