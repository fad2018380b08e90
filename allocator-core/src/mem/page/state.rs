//! Where a page is, or what else is known of its slice.

/// Where a page is (page invariant 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// No page at all. All zero, as the OS gives it.
    Unused = 0,
    /// Its `free` list and its count of used blocks are in a bin.
    Attached,
    /// In its owner's queue.
    Queued,
    /// All free, kept by its owner for the next use of its class.
    Spare,
    /// No block to hand out before one is freed.
    Full,
    /// One block of whole slices.
    Large,
    /// No page: the slice was of a large block and has been cleared, see [`cleared`](crate::mem::cleared).
    Cleared,
    /// The same of its first two words.
    ClearedAtStart,
}

impl State {
    /// Whether there is a page.
    pub(crate) fn is_page(self) -> bool {
        !matches!(self, State::Unused | State::Cleared | State::ClearedAtStart)
    }
}
