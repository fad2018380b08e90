//! What a table of classes does to a run's blocks: how much of them is waste, and the memory behind
//! their pages. A model of the core's pages; a test holds it against the core.

use super::histogram::{Histogram, Place};
use super::pages::Pages;
use serde::Serialize;
use std::collections::BTreeMap;

/// Bytes that a block of no class is a multiple of.
const SLICE_BYTES: usize = 64 << 10;

/// The class that serves what is at a place, out of classes that ascend; `None` where there is none.
#[must_use]
pub fn class_for(classes: &[usize], place: Place) -> Option<usize> {
    let from = classes.partition_point(|class| *class < place.size);
    let mut fit = classes[from..].iter().copied();
    fit.find(|class| class.is_multiple_of(place.align))
}

/// The blocks live at a run's peak, of sizes up to the largest class, in some classes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Held {
    /// What was asked for.
    pub requested_bytes: f64,
    /// What the blocks have.
    pub block_bytes: f64,
    /// Memory behind the pages that hold them.
    pub resident_bytes: f64,
    /// Classes that have a block.
    pub classes_used: usize,
}

impl Held {
    /// What the run's blocks take in classes that ascend.
    #[must_use]
    pub fn by(run: &Histogram, classes: &[usize], pages: &Pages) -> Self {
        let mut held = Self::default();
        let mut blocks_of: BTreeMap<usize, f64> = BTreeMap::new();
        let most_bytes = classes.last().copied().unwrap_or(0);
        for (place, bucket) in run.buckets(most_bytes) {
            let blocks = bucket.blocks.peak;
            held.requested_bytes += bucket.bytes.peak;
            if let Some(class) = class_for(classes, place) {
                held.block_bytes += blocks * class as f64;
                *blocks_of.entry(class).or_default() += blocks;
            } else {
                let bytes = blocks * place.size.max(1).next_multiple_of(SLICE_BYTES) as f64;
                held.block_bytes += bytes;
                held.resident_bytes += bytes;
            }
        }
        for (class, blocks) in blocks_of {
            let blocks = blocks.round() as usize;
            held.resident_bytes += pages.resident_bytes(class, blocks) as f64;
            held.classes_used += usize::from(blocks > 0);
        }
        held
    }

    /// The part of the blocks that nobody asked for, 0 to 1.
    #[must_use]
    pub fn waste(&self) -> f64 {
        if self.block_bytes == 0.0 {
            return 0.0;
        }
        1.0 - self.requested_bytes / self.block_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Counts, Profile, Request};
    use allocator_core::derive_allocator;

    #[derive_allocator(size_classes = [16, 24, 32, 64], small_extend = batch(16KiB), page = 64KiB)]
    struct Few;

    fn held(rows: &[(u64, u64, u64)]) -> Held {
        let rows = rows.iter().map(|&(size, align, live)| {
            let counts = Counts {
                allocations: live,
                live_at_peak: live,
                live_mean_thousandths: 0,
            };
            (Request { size, align }, counts)
        });
        let run = Histogram::of(&Profile::of_run(1, rows).unwrap(), 8);
        let classes = Few::CONFIG.class_bytes.iter().map(|it| *it as usize);
        Held::by(&run, &classes.collect::<Vec<_>>(), &Pages::of(&Few::CONFIG))
    }

    #[test]
    fn waste_is_what_nobody_asked_for() {
        let held = held(&[(17, 1, 2), (24, 8, 1), (65, 1, 100)]);
        assert_eq!((held.requested_bytes, held.block_bytes), (58.0, 72.0));
        assert!((held.waste() - 14.0 / 72.0).abs() < 1e-12);
        assert_eq!(super::Held::default().waste(), 0.0);
    }

    #[test]
    fn an_aligned_block_is_of_a_class_that_is_a_multiple() {
        assert_eq!(held(&[(20, 16, 1)]).block_bytes, 32.0);
        assert_eq!(held(&[(20, 128, 1)]).block_bytes, 65536.0);
    }

    #[test]
    fn a_page_is_backed_as_far_as_it_was_extended() {
        let resident = |size, live| held(&[(size, 1, live)]).resident_bytes;
        assert_eq!(resident(16, 1), 16384.0);
        assert_eq!(resident(16, 1025), 32768.0);
        assert_eq!(resident(16, 4096), 65536.0);
        assert_eq!(resident(16, 4097), 65536.0 + 16384.0);
        // 682 blocks of 24 bytes are a batch: 16368 bytes.
        assert_eq!(resident(24, 683), 32768.0);
        assert_eq!(held(&[(16, 1, 1), (24, 1, 1)]).classes_used, 2);
    }
}
