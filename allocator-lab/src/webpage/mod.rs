//! What was measured as a page for a browser: one file that needs no other, and no network.
//!
//! Modules in layers; each imports only from those that stand before it:
//!
//! ```text
//! input                         what the files hold
//! history  traced               a run's blocks come and go on the allocator itself
//! peers                         the classes of other allocators
//! markup  style                 tags, tables, axes; how they look
//! ladder  curve  bands  map  forest         the pictures
//! page                          all of it
//! ```

pub mod bands;
pub mod curve;
pub mod forest;
pub mod history;
pub mod input;
pub mod ladder;
pub mod map;
pub mod markup;
pub mod page;
pub mod peers;
pub mod style;
pub mod traced;
