#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

mod inner {
    pub const RECORD: usize = 48;

    #[allocator_core::derive_allocator(size_classes = [16, 32, self::RECORD, 2 * RECORD])]
    pub struct InModule;
}

macro_rules! declare {
    ($name:ident, $first:literal, $second:expr, $purge:ident) => {
        #[derive_allocator(size_classes = [$first, $second, 40], limit = $second * 100MiB, purge = $purge)]
        struct $name;
    };
}
declare!(FromMacro, 16, 24, never);

fn main() {
    const RECORD: usize = 24;
    #[derive_allocator(size_classes = [16, RECORD])]
    struct InFunction;

    load::check(&inner::InModule);
    load::check(&InFunction);
    load::check(&FromMacro);
    assert_eq!(inner::InModule::CONFIG.class_bytes, [16, 32, 48, 96]);
    assert_eq!(InFunction::CONFIG.class_bytes, [16, 24]);
    assert_eq!(FromMacro::CONFIG.limit_bytes, Some(2400 << 20));
}
