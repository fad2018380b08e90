//! Bits that any thread may claim and release, singly or in runs.
//!
//! A set bit is claimed. A run that crosses words is claimed word by word from
//! the left and given back when a later word is taken, so two overlapping
//! claims may both fail, but never both succeed.

use super::sync::{AtomicU64, Ordering};

const WORD_BITS: usize = 64;

/// `WORDS` × 64 bits, all clear at first.
pub(crate) struct Bitmap<const WORDS: usize> {
    words: [AtomicU64; WORDS],
}

impl<const WORDS: usize> Bitmap<WORDS> {
    /// Bits that the map has.
    pub(crate) const BITS: usize = WORDS * WORD_BITS;

    pub(crate) const fn new() -> Self {
        Self {
            words: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// The words that a run covers, from the left: (index, word, mask of the run's bits). What lies past
    /// the end is no part of a run.
    fn covered(&self, start: usize, len: usize) -> impl Iterator<Item = (usize, &AtomicU64, u64)> {
        debug_assert!(start + len <= Self::BITS);
        let end = start + len;
        (start / WORD_BITS..end.div_ceil(WORD_BITS)).filter_map(move |index| {
            let first = start.max(index * WORD_BITS) % WORD_BITS;
            let count = end.min((index + 1) * WORD_BITS) - start.max(index * WORD_BITS);
            let mask = (u64::MAX >> (WORD_BITS - count)) << first;
            Some((index, self.words.get(index)?, mask))
        })
    }

    /// Claims `len` bits from `start` on if all are free.
    pub(crate) fn try_claim(&self, start: usize, len: usize) -> bool {
        debug_assert!(len > 0 && start + len <= Self::BITS);
        for (index, word, mask) in self.covered(start, len) {
            if !Self::try_claim_in_word(word, mask) {
                let done = (index * WORD_BITS).saturating_sub(start);
                if done > 0 {
                    self.release(start, done);
                }
                return false;
            }
        }
        true
    }

    fn try_claim_in_word(word: &AtomicU64, mask: u64) -> bool {
        // Relaxed: a guess that the exchange below checks.
        let mut bits = word.load(Ordering::Relaxed);
        while bits & mask == 0 {
            // Acquire: pairs with the Release in release(): what the last holder wrote to the
            // memory behind the bits came before. Relaxed on failure: only another guess.
            match word.compare_exchange_weak(
                bits,
                bits | mask,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => bits = now,
            }
        }
        false
    }

    /// Gives `len` claimed bits back.
    pub(crate) fn release(&self, start: usize, len: usize) {
        for (_, word, mask) in self.covered(start, len) {
            // Release: pairs with the Acquire in try_claim_in_word().
            let before = word.fetch_and(!mask, Ordering::Release);
            debug_assert!(before & mask == mask, "released bits were claimed");
        }
    }

    /// Claims the lowest free run of `len` bits that starts at a multiple of `align`.
    pub(crate) fn claim_run(&self, len: usize, align: usize) -> Option<usize> {
        debug_assert!(align.is_power_of_two());
        let mut start = 0;
        while start + len <= Self::BITS {
            match self.last_set(start, len) {
                Some(taken) => start = (taken + align) & !(align - 1),
                None if self.try_claim(start, len) => return Some(start),
                // Somebody was faster: look at the same place again.
                None => {}
            }
        }
        None
    }

    /// Claims the lowest single bit that is free and set in `preferred`.
    pub(crate) fn claim_one_of(&self, preferred: &Self) -> Option<usize> {
        for (index, (word, preferred)) in self.words.iter().zip(&preferred.words).enumerate() {
            loop {
                // Relaxed: a guess that try_claim_in_word() checks.
                let candidates = !word.load(Ordering::Relaxed) & preferred.load(Ordering::Relaxed);
                if candidates == 0 {
                    break;
                }
                let bit = candidates.trailing_zeros() as usize;
                if Self::try_claim_in_word(word, 1 << bit) {
                    return Some(index * WORD_BITS + bit);
                }
            }
        }
        None
    }

    /// The highest set bit of the `len` from `start` on.
    pub(crate) fn last_set(&self, start: usize, len: usize) -> Option<usize> {
        let mut last = None;
        for (index, word, mask) in self.covered(start, len) {
            // Relaxed: advisory; claims synchronise.
            let bits = word.load(Ordering::Relaxed) & mask;
            if bits != 0 {
                last = Some(index * WORD_BITS + WORD_BITS - 1 - bits.leading_zeros() as usize);
            }
        }
        last
    }

    /// Sets `len` bits, whoever set them before; how many this call did.
    pub(crate) fn set(&self, start: usize, len: usize) -> usize {
        self.covered(start, len)
            // Relaxed: used for marks about memory that is claimed in another map.
            .map(|(_, word, mask)| mask & !word.fetch_or(mask, Ordering::Relaxed))
            .map(|bits| bits.count_ones() as usize)
            .sum()
    }

    /// Clears `len` bits, whoever set them; how many this call did.
    pub(crate) fn clear(&self, start: usize, len: usize) -> usize {
        self.covered(start, len)
            // Relaxed: as in set().
            .map(|(_, word, mask)| mask & word.fetch_and(!mask, Ordering::Relaxed))
            .map(|bits| bits.count_ones() as usize)
            .sum()
    }

    /// The lowest run of bits at or after `from`, within one word, that are set here and
    /// clear in `excluded`: (start, len).
    pub(crate) fn next_run(&self, excluded: &Self, from: usize) -> Option<(usize, usize)> {
        let words = self.words.iter().zip(&excluded.words).enumerate();
        for (index, (word, excluded)) in words.skip(from / WORD_BITS) {
            // Relaxed: advisory; the caller claims before it acts.
            let mut bits = word.load(Ordering::Relaxed) & !excluded.load(Ordering::Relaxed);
            if index == from / WORD_BITS {
                bits &= u64::MAX << (from % WORD_BITS);
            }
            if bits != 0 {
                let first = bits.trailing_zeros() as usize;
                let len = (bits >> first).trailing_ones() as usize;
                return Some((index * WORD_BITS + first, len));
            }
        }
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_run_across_words_is_claimed_whole_or_not_at_all() {
        let map = Bitmap::<4>::new();
        assert!(map.try_claim(60, 80));
        assert!(!map.try_claim(0, 61));
        assert_eq!(
            map.last_set(0, 60),
            None,
            "the failed claim left nothing behind"
        );
        assert!(map.try_claim(0, 60));
        map.release(60, 80);
        assert_eq!(map.last_set(60, 196), None);
    }

    #[test]
    fn the_lowest_aligned_run_is_found() {
        let map = Bitmap::<8>::new();
        assert!(map.try_claim(0, 3));
        assert_eq!(map.claim_run(8, 8), Some(8));
        assert_eq!(map.claim_run(1, 1), Some(3));
        assert_eq!(map.claim_run(100, 1), Some(16));
        assert_eq!(map.claim_run(512, 1), None);
        assert_eq!(map.claim_run(256, 64), Some(128));
    }

    #[test]
    fn a_preferred_bit_is_taken_first_and_only_when_free() {
        let (map, preferred) = (Bitmap::<2>::new(), Bitmap::<2>::new());
        preferred.set(70, 2);
        assert!(map.try_claim(70, 1));
        assert_eq!(map.claim_one_of(&preferred), Some(71));
        assert_eq!(map.claim_one_of(&preferred), None);
    }

    #[test]
    fn runs_leave_out_what_is_excluded() {
        let (map, excluded) = (Bitmap::<2>::new(), Bitmap::<2>::new());
        map.set(10, 20);
        excluded.set(14, 1);
        assert_eq!(map.next_run(&excluded, 0), Some((10, 4)));
        assert_eq!(map.next_run(&excluded, 14), Some((15, 15)));
        assert_eq!(map.next_run(&excluded, 30), None);
    }
}

#[cfg(all(test, loom))]
mod models {
    use std::rc::Rc;

    use super::*;
    use crate::base::modelled::{Cell, model, together};

    /// A map, and behind bit 64 memory that only its claimer may use.
    struct Slices {
        map: Bitmap<2>,
        memory: Cell<u32>,
    }

    fn claim_use_release(slices: &Slices, start: usize, len: usize) {
        if slices.map.try_claim(start, len) {
            slices.memory.set(slices.memory.get() + 1);
            slices.map.release(start, len);
        }
    }

    #[test]
    fn overlapping_runs_are_never_claimed_together() {
        model(|| {
            let slices = Rc::new(Slices {
                map: Bitmap::new(),
                memory: Cell::new(0),
            });
            let other = slices.clone();
            together([
                Box::new(move || claim_use_release(&other, 64, 2)),
                Box::new({
                    let slices = slices.clone();
                    move || claim_use_release(&slices, 62, 4)
                }),
            ]);
            assert_eq!(slices.map.last_set(0, 128), None, "nothing stays claimed");
        });
    }

    #[test]
    fn one_of_two_gets_the_last_bit_that_is_preferred() {
        model(|| {
            let slices = Rc::new(Slices {
                map: Bitmap::new(),
                memory: Cell::new(0),
            });
            let preferred = Rc::new(Bitmap::<2>::new());
            preferred.set(64, 1);
            let claim = |slices: Rc<Slices>, preferred: Rc<Bitmap<2>>| {
                if slices.map.claim_one_of(&preferred) == Some(64) {
                    slices.memory.set(slices.memory.get() + 1);
                }
            };
            let (others, others_preferred) = (slices.clone(), preferred.clone());
            let (own, own_preferred) = (slices.clone(), preferred.clone());
            together([
                Box::new(move || claim(others, others_preferred)),
                Box::new(move || claim(own, own_preferred)),
            ]);
            assert_eq!(slices.memory.get(), 1);
        });
    }
}
