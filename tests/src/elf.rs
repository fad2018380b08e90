//! What a shared object asks of the dynamic linker and offers to others: as much of the ELF format
//! (64 bits, little endian) as that takes.

use std::collections::BTreeSet;
use std::path::Path;

/// A shared object.
#[derive(Debug)]
pub struct SharedObject {
    /// Symbols that others find in it.
    pub defined: BTreeSet<String>,
    /// Symbols that it looks for in others.
    pub undefined: BTreeSet<String>,
    /// Bytes of a thread's memory that it needs.
    pub tls_bytes: u64,
    /// Kinds of the relocations, as the processor's supplement numbers them.
    pub relocations: BTreeSet<u32>,
}

const SECTION_RELOCATIONS: u32 = 4;
const SECTION_DYNAMIC_SYMBOLS: u32 = 11;
const SEGMENT_TLS: u32 = 7;
/// Bytes of an entry of each table.
const SEGMENT_BYTES: usize = 56;
const SECTION_BYTES: usize = 64;
const SYMBOL_BYTES: usize = 24;
const RELOCATION_BYTES: usize = 24;

/// The bytes of a file or a part of one.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn number(self, at: usize, bytes: usize) -> u64 {
        let mut number = [0; 8];
        number[..bytes].copy_from_slice(&self.0[at..at + bytes]);
        u64::from_le_bytes(number)
    }

    fn word(self, at: usize) -> u32 {
        self.number(at, 4) as u32
    }

    fn part(self, at: u64, bytes: u64) -> Bytes<'a> {
        Bytes(&self.0[at as usize..(at + bytes) as usize])
    }

    /// The entries of a table.
    fn entries(self, bytes: usize) -> impl Iterator<Item = Bytes<'a>> {
        self.0.chunks_exact(bytes).map(Bytes)
    }

    /// The text that ends with a zero.
    fn text(self, at: u32) -> String {
        let rest = &self.0[at as usize..];
        let end = rest.iter().position(|byte| *byte == 0);
        String::from_utf8_lossy(&rest[..end.expect("a text ends")]).into_owned()
    }
}

impl SharedObject {
    /// Reads the file at `path`.
    ///
    /// # Panics
    /// When it is no such file.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let file = Bytes(&file);
        assert!(file.0.starts_with(b"\x7fELF\x02\x01"), "{path:?}");
        let table = |at, count, bytes: usize| {
            file.part(file.number(at, 8), file.number(count, 2) * bytes as u64)
                .entries(bytes)
        };
        let content = |section: Bytes<'_>| file.part(section.number(24, 8), section.number(32, 8));
        let sections: Vec<_> = table(40, 60, SECTION_BYTES).collect();
        let of_kind = |kind| {
            sections
                .iter()
                .filter(move |section| section.word(4) == kind)
        };

        let mut object = Self {
            defined: BTreeSet::new(),
            undefined: BTreeSet::new(),
            tls_bytes: table(32, 56, SEGMENT_BYTES)
                .filter(|segment| segment.word(0) == SEGMENT_TLS)
                .map(|segment| segment.number(40, 8))
                .sum(),
            relocations: BTreeSet::new(),
        };
        for section in of_kind(SECTION_DYNAMIC_SYMBOLS) {
            let names = content(sections[section.word(40) as usize]);
            for symbol in content(*section).entries(SYMBOL_BYTES).skip(1) {
                let name = names.text(symbol.word(0));
                match symbol.number(6, 2) {
                    0 => object.undefined.insert(name),
                    _ => object.defined.insert(name),
                };
            }
        }
        for section in of_kind(SECTION_RELOCATIONS) {
            let kinds = content(*section).entries(RELOCATION_BYTES);
            object.relocations.extend(kinds.map(|entry| entry.word(8)));
        }
        object
    }
}
