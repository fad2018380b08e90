//! The printed form of a configuration: the attribute that declares it again,
//! its fingerprint, and its size-class table.

use core::fmt::{self, Display, Formatter, Write};

use super::{
    Config, Export, Extend, FastPath, Hardening, Inline, OnCorruption, Purge, RetireCycles,
    SizeClasses, StatsLevel, Thp, Tls,
};

/// One row of the size-class table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeClass {
    /// Bytes of a block.
    pub block_bytes: usize,
    /// Bytes of the smallest request that this class serves, at alignment 1; with what is signed behind it where there
    /// are canaries.
    pub smallest_request_bytes: usize,
    /// Bytes of the pages that the blocks come from.
    pub page_bytes: usize,
    /// Blocks of one page.
    pub blocks_per_page: usize,
}

impl SizeClass {
    /// The part of a block that its smallest request leaves unused, 0 to 1.
    #[must_use]
    pub fn worst_waste(&self) -> f64 {
        1.0 - self.smallest_request_bytes as f64 / self.block_bytes as f64
    }

    /// The part of a page that no block covers, 0 to 1; never touched, so never backed.
    #[must_use]
    pub fn tail_waste(&self) -> f64 {
        1.0 - (self.blocks_per_page * self.block_bytes) as f64 / self.page_bytes as f64
    }
}

impl Config {
    /// The size-class table, smallest class first.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = SizeClass> + use<> {
        let config = *self;
        (0..config.class_bytes.len()).map(move |class| {
            let block_bytes = config.class_bytes[class] as usize;
            let page_bytes = config.page_bytes_for(block_bytes);
            SizeClass {
                block_bytes,
                smallest_request_bytes: match class {
                    0 => 1,
                    _ => config.class_bytes[class - 1] as usize + 1,
                },
                page_bytes,
                blocks_per_page: config.blocks_per_page(block_bytes),
            }
        })
    }

    /// A number that is equal for equal choices, whatever the type's name: FNV-1a, 64 bits, of
    /// the printed attribute.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        struct Fnv(u64);
        impl Write for Fnv {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                for byte in text.bytes() {
                    self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
                Ok(())
            }
        }
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        // Fnv never fails, and neither does Display below.
        let _ = write!(hash, "{self}");
        hash.0
    }
}

/// Bytes as a literal of the attribute.
struct Bytes(usize);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        for (bytes, unit) in UNITS {
            if self.0 >= bytes && self.0.is_multiple_of(bytes) {
                return write!(f, "{}{unit}", self.0 / bytes);
            }
        }
        write!(f, "{}", self.0)
    }
}

impl Display for SizeClasses {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            SizeClasses::Geometric {
                quantum,
                per_doubling,
                max,
            } => write!(
                f,
                "geometric(quantum = {quantum}, per_doubling = {per_doubling}, max = {})",
                Bytes(max as usize)
            ),
            SizeClasses::Standard => f.write_str("standard"),
            SizeClasses::List => f.write_str("a list"),
        }
    }
}

impl Display for Extend {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Extend::Batch(bytes) => write!(f, "batch({})", Bytes(bytes as usize)),
            Extend::HalfRemaining => f.write_str("half_remaining"),
            Extend::All => f.write_str("all"),
        }
    }
}

impl Display for Purge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Purge::Never => f.write_str("never"),
            Purge::Now => f.write_str("now"),
            Purge::After(ms) if ms.is_multiple_of(1000) => write!(f, "after({}s)", ms / 1000),
            Purge::After(ms) => write!(f, "after({ms}ms)"),
        }
    }
}

/// As the attribute has it after the option's name.
impl Display for Hardening {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Hardening::OFF => return f.write_str(" = off"),
            Hardening::CHECKED => return f.write_str(" = checked"),
            Hardening::GUARDED => return f.write_str(" = guarded"),
            _ => {}
        }
        let flags = [
            ("links", self.links),
            ("pages", self.pages),
            ("headers", self.headers),
            ("ends", self.ends),
            ("guards", self.guards),
            ("isolate", self.isolate),
            ("canaries", self.canaries),
            ("zero", self.zero),
            ("shuffle", self.shuffle),
        ];
        f.write_str("(")?;
        for (name, on) in flags {
            write!(f, "{name}{}, ", switch(on))?;
        }
        match self.quarantine_bytes {
            0 => f.write_str("quarantine = off")?,
            bytes => write!(f, "quarantine = {}", Bytes(bytes as usize))?,
        }
        match self.sample {
            0 => f.write_str(", sample = off)"),
            blocks => write!(f, ", sample = {blocks})"),
        }
    }
}

impl Display for OnCorruption {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            OnCorruption::Abort => f.write_str("abort"),
            OnCorruption::Trap => f.write_str("trap"),
            OnCorruption::Hook(hook) => write!(f, "hook({})", hook.path),
        }
    }
}

/// The words of choices that have one each.
macro_rules! words {
    ($($choices:ident { $($choice:ident = $word:literal),* })*) => { $(
        impl Display for $choices {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($choices::$choice => $word,)*
                })
            }
        }
    )* };
}

words! {
    Inline { Hot = "hot", Never = "never" }
    Thp { Default = "default", Never = "never", Always = "always" }
    StatsLevel { Off = "off", Counters = "counters", Histogram = "histogram" }
    Tls { Inline = "inline", Pointer = "pointer", InitialExec = "initial_exec" }
    Export { Off = "off", Malloc = "malloc" }
}

/// What stands behind the name of a part that is on or off.
fn switch(on: bool) -> &'static str {
    if on { "" } else { " = off" }
}

/// As the attribute has it after the option's name.
impl Display for RetireCycles {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "(small = {}, large = {})", self.small, self.large)
    }
}

/// As the attribute has it after the option's name.
impl Display for FastPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "(local_first{}, ", switch(self.local_first))?;
        write!(f, "skip_collect{}, ", switch(self.skip_collect))?;
        match self.cache {
            0 => f.write_str("cache = off, ")?,
            blocks => write!(f, "cache = {blocks}, ")?,
        }
        let direct_max = Bytes(self.direct_max as usize);
        write!(f, "direct_max = {direct_max}, inline = {})", self.inline)
    }
}

/// Size classes as the attribute has them: by name, or one by one.
struct Classes<'a>(&'a Config);

impl Display for Classes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.size_classes != SizeClasses::List {
            return write!(f, "{}", self.0.size_classes);
        }
        f.write_str("[")?;
        for (index, bytes) in self.0.class_bytes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{bytes}")?;
        }
        f.write_str("]")
    }
}

/// Prints `#[derive_allocator(...)]` with every option written out.
impl Display for Config {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "#[derive_allocator(")?;
        writeln!(f, "    size_classes = {},", Classes(self))?;
        writeln!(f, "    small_extend = {},", self.small_extend)?;
        writeln!(f, "    retire_cycles{},", self.retire_cycles)?;
        writeln!(f, "    fast_path{},", self.fast_path)?;
        writeln!(f, "    page = {},", Bytes(self.page_bytes as usize))?;
        writeln!(f, "    purge = {},", self.purge)?;
        writeln!(f, "    thp = {},", self.thp)?;
        writeln!(f, "    hardening{},", self.hardening)?;
        writeln!(f, "    on_corruption = {},", self.on_corruption)?;
        writeln!(f, "    stats = {},", self.stats)?;
        if let Some(limit_bytes) = self.limit_bytes {
            writeln!(f, "    limit = {},", Bytes(limit_bytes))?;
        }
        writeln!(f, "    tls = {},", self.tls)?;
        writeln!(f, "    export = {},", self.export)?;
        f.write_str(")]")
    }
}
