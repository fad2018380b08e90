//! Who takes part: our presets, one of them twice, and their peers.

/// On which side an entrant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A preset of ours.
    Ours,
    /// A second copy of the default: shows how far two runs of the same differ.
    Control,
    /// One to be compared with.
    Peer,
}

/// One that takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrant {
    /// How it is called on the command line and in the tables.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// On which side it is.
    pub side: Side,
    /// What its executable says it is, if it can be asked.
    pub served_by: &'static str,
    /// Its executable, or its shared object.
    pub executable: &'static str,
    /// The feature of this package that it is built with.
    pub feature: Feature,
    /// The crate that it is from, if it is not in this workspace or in std.
    pub package: Option<&'static str>,
}

/// A feature of this package that executables need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// Needs nothing but Rust.
    Entrants,
    /// Needs a C compiler.
    Peers,
    /// As `Peers`, with another version of one of them.
    MimallocV2,
    /// As `Entrants`, with atomics that count.
    Counting,
    /// Of another package: a shared object of `examples/preload`.
    Preload,
    /// Nothing is built: the machine has it.
    Installed,
}

impl Feature {
    /// Its name in the manifest, if it is there.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Entrants | Self::Counting => Some("entrants"),
            Self::Peers => Some("peers"),
            Self::MimallocV2 => Some("mimalloc-v2"),
            Self::Preload | Self::Installed => None,
        }
    }

    /// Whether this program was built for a race with such entrants.
    #[must_use]
    pub const fn is_on(self) -> bool {
        !matches!(self, Self::Peers | Self::MimallocV2) || cfg!(feature = "peers")
    }
}

/// Name of the default.
pub const DEFAULT: &str = "default";

/// Name of the peer that every ratio is also given to.
pub const MIMALLOC: &str = "mimalloc3";

/// Name of the peer that is in every system, and that nobody chooses.
pub const SYSTEM: &str = "System";

/// The default again.
pub const CONTROL: Entrant = Entrant {
    side: Side::Control,
    served_by: DEFAULT,
    ..ours(
        "default′",
        "entrant-default",
        "a second copy of default: noise",
    )
};

/// Time before memory.
pub const THROUGHPUT: Entrant = ours("throughput", "entrant-throughput", "preset throughput");

/// Memory before time.
pub const COMPACT: Entrant = ours("compact", "entrant-compact", "preset compact");

/// The four options of the seed.
pub const SEED: Entrant = ours("seed", "entrant-seed", "preset seed");

/// None of them.
pub const STOCK: Entrant = ours(
    "stock",
    "entrant-stock",
    "preset stock: mimalloc's published constants",
);

/// The default, looking for misuse.
pub const CHECKED: Entrant = ours("checked", "entrant-checked", "hardening = checked");

/// The default, looking for all of it.
pub const GUARDED: Entrant = ours("guarded", "entrant-guarded", "hardening = guarded");

/// Everyone.
pub static ENTRANTS: &[Entrant] = &[
    ours(
        DEFAULT,
        "entrant-default",
        "#[derive_allocator], preset balanced",
    ),
    CONTROL,
    THROUGHPUT,
    COMPACT,
    SEED,
    STOCK,
    CHECKED,
    GUARDED,
    Entrant {
        name: SYSTEM,
        about: "the allocator of the C library",
        served_by: SYSTEM,
        side: Side::Peer,
        executable: "entrant-system",
        feature: Feature::Entrants,
        package: None,
    },
    peer(MIMALLOC, "entrant-mimalloc3", "mimalloc", "mimalloc 3"),
    Entrant {
        feature: Feature::MimallocV2,
        ..peer("mimalloc2", "entrant-mimalloc2", "mimalloc", "mimalloc 2")
    },
    peer(
        "jemalloc",
        "entrant-jemalloc",
        "tikv-jemallocator",
        "jemalloc 5",
    ),
    peer("snmalloc", "entrant-snmalloc", "snmalloc-rs", "snmalloc"),
    peer("rpmalloc", "entrant-rpmalloc", "rpmalloc", "rpmalloc"),
    peer(
        "rusty_alloc",
        "entrant-rusty-alloc",
        "rusty_alloc-api",
        "mimalloc 2 remade in Rust",
    ),
];

/// The default, in a program that declares it many times: takes part in no race.
pub static TYPES: Entrant = ours(DEFAULT, "entrant-types", "32 types, each preset balanced");

/// The default, with atomics that count: takes part in no race.
pub static COUNTED: Entrant = Entrant {
    feature: Feature::Counting,
    ..ours(DEFAULT, "entrant-counted", "preset balanced, counted")
};

const fn ours(name: &'static str, executable: &'static str, about: &'static str) -> Entrant {
    Entrant {
        name,
        about,
        served_by: name,
        side: Side::Ours,
        executable,
        feature: Feature::Entrants,
        package: None,
    }
}

const fn peer(
    name: &'static str,
    executable: &'static str,
    package: &'static str,
    about: &'static str,
) -> Entrant {
    Entrant {
        name,
        about,
        served_by: name,
        side: Side::Peer,
        executable,
        feature: Feature::Peers,
        package: Some(package),
    }
}

impl Entrant {
    /// The entrant of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        ENTRANTS.iter().find(|entrant| entrant.name == name)
    }
}
