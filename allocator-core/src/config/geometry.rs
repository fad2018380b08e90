//! Numbers that follow from the choices, each a `const fn` of [`Config`].

use super::Config;

/// A page of large blocks is this many times a small-block page.
pub(crate) const LARGE_PAGE_FACTOR: usize = 4;

/// Blocks up to this part of a small-block page come from small-block pages.
const SMALL_BLOCKS_PER_PAGE_MIN: usize = 8;

/// Most bytes that one class keeps in a thread's cache.
const CACHE_BYTES_MAX: usize = 64 * 1024;

/// Least bytes that `half_remaining` makes available at a time (mimalloc's `MI_MAX_EXTEND_SIZE`).
pub(crate) const HALF_REMAINING_LEAST_BYTES: u32 = 4096;

/// Bytes at the end of a page that are a guard, where a type has guards: one OS page.
pub(crate) const GUARD_BYTES: usize = 4096;

impl Config {
    /// Bytes of the largest size class.
    ///
    /// # Panics
    /// When there are no classes; a declared type has some.
    #[must_use]
    pub const fn max_class_bytes(&self) -> usize {
        self.class_bytes[self.class_bytes.len() - 1] as usize
    }

    /// The alignment that every block has whatever its class: 8 or 16 bytes.
    #[must_use]
    pub const fn quantum(&self) -> usize {
        let mut i = 0;
        while i < self.class_bytes.len() {
            if !self.class_bytes[i].is_multiple_of(16) {
                return 8;
            }
            i += 1;
        }
        16
    }

    /// Whether blocks of this size come from small-block pages.
    #[must_use]
    pub const fn is_small(&self, block_bytes: usize) -> bool {
        block_bytes * SMALL_BLOCKS_PER_PAGE_MIN <= self.page_bytes as usize
    }

    /// Bytes of the pages that blocks of this size come from.
    #[must_use]
    pub const fn page_bytes_for(&self, block_bytes: usize) -> usize {
        if self.is_small(block_bytes) {
            self.page_bytes as usize
        } else {
            self.page_bytes as usize * LARGE_PAGE_FACTOR
        }
    }

    /// Bytes behind a huge block that are a guard.
    #[must_use]
    pub const fn huge_guard_bytes(&self) -> usize {
        if self.hardening.guards || self.hardening.headers {
            GUARD_BYTES
        } else {
            0
        }
    }

    /// Bytes at the end of every page that are a guard.
    #[must_use]
    pub const fn guard_bytes(&self) -> usize {
        if self.hardening.guards {
            GUARD_BYTES
        } else {
            0
        }
    }

    /// Blocks of this size in a page. One that ends with a guard for `ends` alone has only those that fit before it.
    ///
    /// # Panics
    /// When `block_bytes` is 0.
    #[must_use]
    pub const fn blocks_per_page(&self, block_bytes: usize) -> usize {
        (self.page_bytes_for(block_bytes) - self.guard_bytes()) / block_bytes
    }

    /// Blocks of a class that a thread may keep in its cache: the option, or as many as fit half of the
    /// quarantine, which come at once, if those are more; but no more than fit 64 KiB.
    ///
    /// # Panics
    /// When `block_bytes` is 0.
    #[must_use]
    pub const fn cache_blocks_for(&self, block_bytes: usize) -> u32 {
        if self.fast_path.cache == 0 {
            return 0;
        }
        let by_bytes = (CACHE_BYTES_MAX / block_bytes) as u32;
        let at_once = self.hardening.quarantine_bytes / 2 / block_bytes as u32;
        let most = if self.fast_path.cache < at_once {
            at_once
        } else {
            self.fast_path.cache
        };
        if most < by_bytes { most } else { by_bytes }
    }

    /// Slow-path cycles that an all-free last page of blocks of this size is kept.
    #[must_use]
    pub const fn retire_cycles_for(&self, block_bytes: usize) -> u32 {
        if self.is_small(block_bytes) {
            self.retire_cycles.small
        } else {
            self.retire_cycles.large
        }
    }
}
