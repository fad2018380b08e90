//! A set of size classes, of one thread at a time.

use super::sync::Cell;

/// Most classes that a type can have.
pub(crate) const CLASSES_MAX: usize = 256;

/// A set of numbers below [`CLASSES_MAX`]. All zero is empty.
pub(crate) struct ClassSet {
    words: [Cell<u64>; CLASSES_MAX / 64],
}

impl ClassSet {
    pub(crate) const fn new() -> Self {
        Self {
            words: [const { Cell::new(0) }; CLASSES_MAX / 64],
        }
    }

    fn word(&self, class: usize) -> &Cell<u64> {
        debug_assert!(class < CLASSES_MAX);
        // The remainder changes nothing, and leaves no check that could fail.
        &self.words[class / 64 % (CLASSES_MAX / 64)]
    }

    pub(crate) fn contains(&self, class: usize) -> bool {
        self.word(class).get() & (1 << (class % 64)) != 0
    }

    /// Whether the class was not in the set before.
    pub(crate) fn insert(&self, class: usize) -> bool {
        let word = self.word(class);
        let before = word.replace(word.get() | 1 << (class % 64));
        before != word.get()
    }

    /// Whether the class was in the set before.
    pub(crate) fn remove(&self, class: usize) -> bool {
        let word = self.word(class);
        let before = word.replace(word.get() & !(1 << (class % 64)));
        before != word.get()
    }

    pub(crate) fn clear(&self) {
        for word in &self.words {
            word.set(0);
        }
    }

    /// The classes in the set, the smallest first; the one at hand may be removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        let mut word = 0;
        let mut bits = self.words[0].get();
        core::iter::from_fn(move || {
            while bits == 0 {
                word += 1;
                bits = self.words.get(word)?.get();
            }
            let class = word * 64 + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            Some(class)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_and_not_removed_is_in_the_set() {
        let set = ClassSet::new();
        for class in [255, 0, 63, 64, 200] {
            assert!(set.insert(class));
        }
        assert!(!set.insert(64));
        assert!(set.remove(63) && !set.remove(63));
        assert!(set.contains(255) && !set.contains(63));
        assert!(set.iter().eq([0, 64, 200, 255]));
        set.clear();
        assert_eq!(set.iter().next(), None);
    }
}
