//! Compares declared allocators on real input, and says how sure it is.
//!
//! One process per allocator, workload and round: the program starts itself
//! again as a child, which picks its global allocator before its first
//! allocation ([`dispatch`]), runs one of the [`workloads`] and prints a
//! [`sample`]. The parent runs [`rounds`] of such children in random order,
//! with a second copy of the baseline among them, and turns the samples into
//! ratios with intervals and verdicts ([`statistics`], [`report`]).
//!
//! Modules in layers; each imports only from those that stand before it:
//!
//! ```text
//! contestants  statistics  sources  usage        what is compared, how it is judged
//! dispatch  corpus                               one static for all; the input
//! workloads                                      what is run, content checked
//! sample  traffic  child  runner                 one run, in a process of its own
//! rounds  report  table  svg  progress  output   many runs; what they say
//! race  scale  entrant                           the same for other allocators, each in an
//!                                                executable; how cost grows
//! programs                                       the race, under programs of the machine
//! profile  fit                                   what programs ask for; size classes for it
//! trace                                          every step of a program
//! explain                                        what becomes of a request
//! ab  tune                                       two under a program of the user's; options
//!                                                tried on a trace
//! webpage                                        what was measured, for a browser
//! args                                           the command line
//! record                                         what any program asks for
//! ```

pub mod ab;
pub mod args;
pub mod child;
pub mod contestants;
pub mod corpus;
pub mod dispatch;
pub mod entrant;
pub mod explain;
pub mod fit;
pub mod heading;
pub mod output;
pub mod output_file;
pub mod profile;
pub mod programs;
pub mod progress;
pub mod race;
pub mod record;
pub mod report;
pub mod rounds;
pub mod runner;
pub mod sample;
pub mod scale;
pub mod sources;
pub mod statistics;
mod svg;
pub mod table;
pub mod trace;
pub mod traffic;
pub mod tune;
pub mod usage;
pub mod webpage;
pub mod workloads;
