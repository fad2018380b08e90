//! Declared types in which every two choices of different options meet, the mechanisms of `hardening` included:
//! mistakes in how options work together show in pairs. `every_two_choices_meet` in `tests/model.rs` holds them
//! to it.

mod first;
mod second;

use allocator_core::Config;

pub use first::*;
pub use second::*;

/// The choices of all of them.
pub const ALL: [Config; 25] = [
    Pair1::CONFIG,
    Pair2::CONFIG,
    Pair3::CONFIG,
    Pair4::CONFIG,
    Pair5::CONFIG,
    Pair6::CONFIG,
    Pair7::CONFIG,
    Pair8::CONFIG,
    Pair9::CONFIG,
    Pair10::CONFIG,
    Pair11::CONFIG,
    Pair12::CONFIG,
    Pair13::CONFIG,
    Pair14::CONFIG,
    Pair15::CONFIG,
    Pair16::CONFIG,
    Pair17::CONFIG,
    Pair18::CONFIG,
    Pair19::CONFIG,
    Pair20::CONFIG,
    Pair21::CONFIG,
    Pair22::CONFIG,
    Pair23::CONFIG,
    Pair24::CONFIG,
    Pair25::CONFIG,
];

/// Makes one test for each of them: `every_pair!(check)` calls `check::<Type>()`.
#[macro_export]
macro_rules! every_pair {
    ($check:ident) => {
        $crate::every_pair!($check:
            pair_1 Pair1, pair_2 Pair2, pair_3 Pair3, pair_4 Pair4, pair_5 Pair5, pair_6 Pair6,
            pair_7 Pair7, pair_8 Pair8, pair_9 Pair9, pair_10 Pair10, pair_11 Pair11,
            pair_12 Pair12, pair_13 Pair13, pair_14 Pair14, pair_15 Pair15, pair_16 Pair16,
            pair_17 Pair17, pair_18 Pair18, pair_19 Pair19, pair_20 Pair20, pair_21 Pair21,
            pair_22 Pair22, pair_23 Pair23, pair_24 Pair24, pair_25 Pair25);
    };
    ($check:ident: $($name:ident $type:ident),+) => {
        $(
            #[test]
            fn $name() {
                $check::<$crate::pairs::$type>();
            }
        )+
    };
}
