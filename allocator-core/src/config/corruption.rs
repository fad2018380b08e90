//! What was found to be wrong: the kinds of misuse, and one case of it.

use core::fmt::{self, Display, Formatter};

/// A kind of misuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A block was freed that is free.
    DoubleFree,
    /// A pointer into a block, or into what is no block, was freed.
    NotABlock,
    /// A pointer was freed that is of no declared type, as far as can be told: another allocator's, or a huge block of
    /// C's that is free already.
    NotOurs,
    /// A block was freed through a type that it is not of.
    OtherType,
    /// A block was freed with a layout of another size class.
    OtherClass,
    /// A free block was written to: after its free, or past the end of the block before it.
    FreeBlockWritten,
    /// The bytes behind a block were written to.
    Overflow,
}

impl Fault {
    /// What happened, before `of 0x…`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Fault::DoubleFree => "double free",
            Fault::NotABlock => "free of what is no block's start",
            Fault::NotOurs => "free of what is not of this allocator",
            Fault::OtherType => "free of a block of another allocator type",
            Fault::OtherClass => "free with a layout of another class",
            Fault::FreeBlockWritten => "write to a free block",
            Fault::Overflow => "overflow",
        }
    }
}

/// A case of misuse, as `on_corruption = hook(…)` is told of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Corruption {
    /// Name of the allocator type that found it.
    pub allocator: &'static str,
    /// What kind it is.
    pub fault: Fault,
    /// The address in question, that of a block where there is one.
    pub address: usize,
    /// Bytes per block of the size class in question, if one is.
    pub class_bytes: Option<usize>,
}

/// As the line on standard error has it.
impl Display for Corruption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (allocator, fault) = (self.allocator, self.fault.text());
        write!(f, "allocator `{allocator}`: {fault} of {:#x}", self.address)?;
        match self.class_bytes {
            Some(bytes) => write!(f, ", class {bytes}"),
            None => Ok(()),
        }
    }
}
