//! Random numbers that nobody outside of the process can tell: a xorshift per heap, seeded from a key.

use core::ptr;

use super::keys;
use crate::base::sync::Cell;

/// A sequence of random numbers, one thread's at a time. All zero is one that has not begun.
pub(crate) struct Random(Cell<u64>);

/// Most numbers of an [`order`](Random::order): as many as a byte can tell apart.
pub(crate) const ORDER_MAX: usize = 1 << u8::BITS;

impl Random {
    #[cfg(all(test, not(loom)))]
    fn new() -> Self {
        Self(Cell::new(0))
    }

    /// The next number.
    fn next(&self) -> u64 {
        let mut state = match self.0.get() {
            // Differs from sequence to sequence, and is not 0, from where none would come.
            0 => (keys::link() ^ ptr::from_ref(self).addr().rotate_left(32)) as u64 | 1,
            state => state,
        };
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.0.set(state);
        state
    }

    /// A number below `bound`, by its product with what is drawn: a division could fail.
    fn below(&self, bound: u32) -> u32 {
        let high = self.next() >> 32;
        ((high * u64::from(bound)) >> 32) as u32
    }

    /// The numbers below `len`, at most 256, in random order: Fisher and Yates.
    pub(crate) fn order(&self, len: u32) -> impl Iterator<Item = u8> + use<> {
        debug_assert!(len as usize <= ORDER_MAX);
        let mut order = [0; ORDER_MAX];
        for (index, place) in order.iter_mut().enumerate().take(len as usize) {
            *place = index as u8;
        }
        for last in (1..len).rev() {
            // Both below 256, which as bytes they are for the compiler, too.
            let (last, other) = (last as u8, self.below(last + 1) as u8);
            order.swap(usize::from(last), usize::from(other));
        }
        order.into_iter().take(len as usize)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_every_number_once_and_is_another_each_time() {
        keys::draw();
        let random = Random::new();
        for len in [1, 2, 3, 100, 255, 256] {
            let (one, two): (Vec<_>, Vec<_>) =
                (random.order(len).collect(), random.order(len).collect());
            let mut sorted = one.clone();
            sorted.sort_unstable();
            let all: Vec<u8> = (0..len).map(|number| number as u8).collect();
            assert_eq!(sorted, all);
            assert!(one != two || len < 8, "{len}");
        }
    }

    #[test]
    fn each_place_gets_each_number() {
        keys::draw();
        let random = Random::new();
        let mut seen = [[0; 8]; 8];
        for _ in 0..8000 {
            for (place, number) in random.order(8).enumerate() {
                seen[place][usize::from(number)] += 1;
            }
        }
        // 1000 each on average; seven times the deviation that chance has.
        let counts = seen.as_flattened();
        assert!(
            counts.iter().all(|count| (790..1210).contains(count)),
            "{seen:?}"
        );
    }
}
