//! Huge blocks of C's.

use super::figures::{mapped_bytes, mappings};

/// Many huge blocks, of which nothing stays.
pub fn come_and_go(_: &[String]) {
    let mut before = 0;
    for round in 0..20 {
        let blocks: Vec<_> = (0..50)
            .map(|index| {
                // SAFETY: written to at both ends, which are there.
                unsafe {
                    let size = (17 << 20) + index * 1_000_000;
                    let block = libc::malloc(size).cast::<u8>();
                    assert!(!block.is_null());
                    block.write(1);
                    block.add(size - 1).write(2);
                    block
                }
            })
            .collect();
        // SAFETY: each freed once.
        blocks
            .into_iter()
            .for_each(|block| unsafe { libc::free(block.cast()) });
        match round {
            0 => before = mappings(),
            _ => assert!(mappings() <= before + 2, "mappings stay"),
        }
    }
}

/// A block that is several mappings, because its user advised or protected a part, is resized as any other, and nothing
/// stays of it.
pub fn in_parts(_: &[String]) {
    const BYTES: usize = 20 << 20;
    let round = |longer: usize| {
        // SAFETY: the block is this function's own, used within its size, and freed once; what is protected is
        // not written to before it is usable again.
        unsafe {
            let block = libc::memalign(4096, BYTES).cast::<u8>();
            assert!(!block.is_null());
            block.write(1);
            block.add(BYTES - 1).write(2);
            let half = block.add(BYTES / 2).cast();
            assert_eq!(libc::madvise(half, BYTES / 4, libc::MADV_DONTDUMP), 0);
            assert_eq!(libc::mprotect(half, 4096, libc::PROT_READ), 0);
            let long = libc::realloc(block.cast(), longer).cast::<u8>();
            assert!(!long.is_null());
            assert_eq!((long.read(), long.add(BYTES - 1).read()), (1, 2));
            long.add(longer - 1).write(3);
            libc::free(long.cast());
        }
    };
    round(10 * BYTES);
    let before = mapped_bytes();
    (2..12).for_each(|times| round(times * BYTES));
    let after = mapped_bytes();
    assert!(after < before + BYTES, "{before} bytes, then {after}");
}
