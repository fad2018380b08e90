#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

/// Documented by its user.
///
/// With more than one line.
#[derive_allocator(stats = off)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[must_use]
pub(crate) struct Derived;

#[derive(Debug, Clone)]
#[derive_allocator]
#[allow(non_camel_case_types)]
struct r#type;

fn main() {
    load::check(&Derived);
    load::check(&r#type);
    assert_eq!(format!("{:?} {:?}", Derived, r#type), "Derived type");
    assert_eq!(Derived, Derived::default().clone());
    assert_eq!(r#type::CONFIG.name, "type");
}
