//! The size classes of other allocators up to 32 KiB, from their published rules.

/// Largest class that is looked at.
const MOST_BYTES: usize = 32 << 10;

/// Another allocator's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Who has it.
    pub name: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// Bytes of the classes, ascending.
    pub classes: Vec<usize>,
}

/// All of them.
#[must_use]
pub fn all() -> Vec<Peer> {
    vec![
        Peer {
            name: "jemalloc, mimalloc",
            source: "8, then multiples of 16 to 128, then 4 for each doubling \
                     (jemalloc's manual, SIZE CLASSES; mimalloc's bins at its 16-byte alignment \
                     are the same)",
            classes: four_per_doubling(),
        },
        Peer {
            name: "tcmalloc",
            source: "gperftools: steps of an eighth, spans of 8 KiB pages that waste at most an \
                     eighth, neighbours with as many blocks in a span are one (src/common.cc)",
            classes: gperftools(),
        },
        Peer {
            name: "Go",
            source: "the table of Go 1.22 (runtime/sizeclasses.go)",
            classes: GO.to_vec(),
        },
        Peer {
            name: "rpmalloc",
            source: "1.4: multiples of 16 to 1 KiB, then of 512, neighbours with as many blocks in \
                     a span of 64 KiB are one (rpmalloc.c)",
            classes: rpmalloc(),
        },
    ]
}

fn four_per_doubling() -> Vec<usize> {
    let mut classes = vec![8];
    let mut bytes = 16;
    while bytes <= MOST_BYTES {
        classes.push(bytes);
        bytes += part_of_doubling(bytes, 4).max(16);
    }
    classes
}

/// A step such that there are `steps` of them between the power of two at or below `bytes` and the next.
fn part_of_doubling(bytes: usize, steps: usize) -> usize {
    (1 << bytes.ilog2()) / steps
}

fn gperftools() -> Vec<usize> {
    const PAGE_BYTES: usize = 8 << 10;
    let step = |bytes: usize| match bytes {
        128.. => part_of_doubling(bytes, 8),
        16.. => 16,
        _ => 8,
    };
    let span = |bytes: usize| {
        // A quarter of what a thread moves at once: 64 KiB, 2 to 32 blocks.
        let least_blocks = ((64 << 10) / bytes).clamp(2, 32) / 4;
        let mut span = PAGE_BYTES;
        while span % bytes > span / 8 || span / bytes < least_blocks {
            span += PAGE_BYTES;
        }
        span
    };
    let mut sizes = vec![8];
    while let Some(&last) = sizes.last()
        && last < MOST_BYTES
    {
        sizes.push(last + step(last));
    }
    merged(&sizes, |bytes| (span(bytes), span(bytes) / bytes))
}

fn rpmalloc() -> Vec<usize> {
    const SPAN_BYTES: usize = (64 << 10) - 128;
    let medium = (1..=61).map(|step| 1024 + step * 512);
    let sizes: Vec<usize> = (1..=64).map(|step| step * 16).chain(medium).collect();
    merged(&sizes, |bytes| SPAN_BYTES / bytes)
}

/// Of neighbours that are the same in something, the largest.
fn merged<T: PartialEq>(sizes: &[usize], what: impl Fn(usize) -> T) -> Vec<usize> {
    let (kept, last) = (sizes.windows(2), sizes.last());
    let kept = kept.filter(|pair| what(pair[0]) != what(pair[1]));
    kept.map(|pair| pair[0]).chain(last.copied()).collect()
}

/// A table that no rule gives: the classes were chosen by a search.
const GO: [usize; 67] = [
    8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352,
    384, 416, 448, 480, 512, 576, 640, 704, 768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048,
    2304, 2688, 3072, 3200, 3456, 4096, 4864, 5376, 6144, 6528, 6784, 6912, 8192, 9472, 9728,
    10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672,
    32768,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_the_classes_that_are_published() {
        let counts: Vec<_> = all().iter().map(|it| (it.name, it.classes.len())).collect();
        assert_eq!(
            counts,
            [
                ("jemalloc, mimalloc", 41),
                ("tcmalloc", 57),
                ("Go", 67),
                ("rpmalloc", 82)
            ]
        );
        let has = |classes: &[usize], some: &[usize]| some.iter().all(|it| classes.contains(it));
        let peers = all();
        assert!(has(
            &peers[0].classes,
            &[8, 16, 112, 128, 160, 192, 256, 320, 28672, 32768]
        ));
        assert!(has(
            &peers[1].classes,
            &[8, 48, 288, 704, 896, 4608, 13312, 32768]
        ));
        assert!(!has(&peers[1].classes, &[832]));
        assert!(has(&peers[3].classes, &[16, 1024, 1536, 10752, 32256]));
    }

    #[test]
    fn classes_ascend() {
        for peer in all() {
            assert!(
                peer.classes.windows(2).all(|pair| pair[0] < pair[1]),
                "{peer:?}"
            );
            assert!(*peer.classes.last().unwrap() > MOST_BYTES - 1024);
        }
    }
}
