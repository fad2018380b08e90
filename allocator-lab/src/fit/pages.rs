//! What blocks of a class take of the memory behind their pages.

use allocator_core::Config;
use allocator_core::config::Extend;

/// Bytes of a page of the OS, which is backed as a whole.
const OS_PAGE_BYTES: usize = 4096;

/// The pages that blocks come from.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// A configuration with these pages; its classes do not matter.
    config: Config,
}

impl Pages {
    /// The pages of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { config: *config }
    }

    /// Blocks of one page. Its header lies elsewhere and takes none of it.
    #[must_use]
    pub fn blocks(&self, block_bytes: usize) -> usize {
        self.config.page_bytes_for(block_bytes) / block_bytes
    }

    /// Bytes that one block of a full page takes: its tail is shared out among the blocks, as far as
    /// memory is behind it.
    #[must_use]
    pub fn bytes_taken(&self, block_bytes: usize) -> f64 {
        let blocks = self.blocks(block_bytes);
        backed(blocks * block_bytes) as f64 / blocks as f64
    }

    /// Bytes of memory behind this many blocks of one class that one thread has got since it started:
    /// full pages, and one that was extended just far enough.
    #[must_use]
    pub fn resident_bytes(&self, block_bytes: usize, blocks: usize) -> usize {
        let page = self.blocks(block_bytes);
        let (full, rest) = (blocks / page, blocks % page);
        let extended = match self.config.small_extend {
            Extend::Batch(bytes) if self.config.is_small(block_bytes) => {
                rest.next_multiple_of((bytes as usize / block_bytes).max(1))
            }
            Extend::All if rest > 0 => page,
            _ => rest,
        };
        // A profile may say any number of blocks.
        full.saturating_mul(backed(page * block_bytes))
            .saturating_add(backed(extended.min(page) * block_bytes))
    }
}

fn backed(bytes: usize) -> usize {
    bytes.next_multiple_of(OS_PAGE_BYTES)
}
