//! Text in a buffer of fixed size. Nothing in it may panic, for all that the compiler knows, and
//! nothing allocates.

/// Digits of the largest number.
const DIGITS: usize = 20;

/// Up to `N` bytes of text; what does not fit is left out, and [`Text::is_whole`] says so.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    is_whole: bool,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
            is_whole: true,
        }
    }

    /// Adds bytes; all of them or, when they do not fit, none.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        match self.bytes.get_mut(self.len..end) {
            Some(room) => {
                for (to, from) in room.iter_mut().zip(bytes) {
                    *to = *from;
                }
                self.len = end;
            }
            None => self.is_whole = false,
        }
    }

    /// Adds a number.
    pub(crate) fn push_number(&mut self, mut number: u64) {
        let mut digits = [0; DIGITS];
        let mut first = DIGITS;
        for (index, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            first = index;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.push(digits.get(first..).unwrap_or_default());
    }

    /// Whether everything fitted.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Bytes that still fit.
    pub(crate) fn room(&self) -> usize {
        N.saturating_sub(self.len)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_rust_writes_them() {
        for number in [0, 7, 10, 48, 1_000_000, u64::MAX] {
            let mut text = Text::<20>::new();
            text.push_number(number);
            assert_eq!(text.bytes(), number.to_string().as_bytes());
            assert!(text.is_whole());
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_told() {
        let mut text = Text::<4>::new();
        text.push(b"abc");
        text.push(b"de");
        assert_eq!((text.bytes(), text.room()), (&b"abc"[..], 1));
        assert!(!text.is_whole());
    }
}
