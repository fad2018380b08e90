//! The end of a process in which misuse was found: one line on standard error, written by one call
//! of the OS and without allocating, then what `on_corruption` says.
//!
//! ```text
//! allocator `RequestAlloc`: double free of 0x7f3c4ac00030, class 48
//! ```

use crate::config::choices::{Choices, Derived};
use crate::config::{Corruption, Fault, OnCorruption};
use crate::os;

/// Digits of an address or a size in any base from ten on.
const DIGITS: usize = 20;

/// Ends the process over misuse of type `C`: `fault` of what is at `address`, a block of
/// `class_bytes` if it is of a class.
#[cold]
#[inline(never)]
pub(crate) fn report<C: Choices>(fault: Fault, address: usize, class_bytes: Option<usize>) -> ! {
    let (mut hex, mut decimal) = ([0; DIGITS], [0; DIGITS]);
    let (class, bytes) = match class_bytes {
        Some(bytes) => (", class ", digits::<10>(bytes, &mut decimal)),
        None => ("", ""),
    };
    os::say(&[
        "allocator `",
        C::CONFIG.name,
        "`: ",
        fault.text(),
        " of 0x",
        digits::<16>(address, &mut hex),
        class,
        bytes,
        "\n",
    ]);
    match C::ON_CORRUPTION {
        OnCorruption::Abort => {}
        OnCorruption::Trap => os::trap(),
        OnCorruption::Hook(hook) => (hook.call)(&Corruption {
            allocator: C::CONFIG.name,
            fault,
            address,
            class_bytes,
        }),
    }
    os::abort(&[])
}

/// A number as text. Nothing in it may panic, for all that the compiler knows: whatever is `extern "C"`
/// and leads here would be guarded against that. So the base is a constant, and the text is not checked.
fn digits<const BASE: usize>(mut number: usize, buffer: &mut [u8; DIGITS]) -> &str {
    let mut first = DIGITS;
    for (index, digit) in buffer.iter_mut().enumerate().rev() {
        *digit = match (number % BASE) as u8 {
            value @ 0..10 => b'0' + value,
            value => b'a' + (value - 10),
        };
        first = index;
        number /= BASE;
        if number == 0 {
            break;
        }
    }
    let digits = buffer.get(first..).unwrap_or_default();
    // Not `from_utf8`: it is not known not to panic, and brings all that panicking needs.
    // SAFETY: digits and letters of ASCII, each written above.
    unsafe { str::from_utf8_unchecked(digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_rust_writes_them() {
        for number in [0, 7, 48, 0x7f3c_4ac0_0030, usize::MAX] {
            let (mut hex, mut decimal) = ([0; DIGITS], [0; DIGITS]);
            assert_eq!(digits::<10>(number, &mut decimal), number.to_string());
            assert_eq!(digits::<16>(number, &mut hex), format!("{number:x}"));
        }
    }
}
