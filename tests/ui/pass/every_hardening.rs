#[path = "../load.rs"]
mod load;

use allocator_core::config::{Hardening, OnCorruption};
use allocator_core::{Corruption, derive_allocator};

fn report(corruption: &Corruption) {
    eprintln!("{corruption}");
}

mod inner {
    pub fn never(_: &allocator_core::Corruption) -> ! {
        std::process::exit(3)
    }
}

#[derive_allocator(hardening = off, on_corruption = abort)]
struct Off;
#[derive_allocator(hardening(level = off, links = off, sample = off), on_corruption = trap)]
struct OffInParts;
#[derive_allocator(hardening(), on_corruption = hook(report))]
struct AsThePreset;
#[derive_allocator(hardening = (quarantine = off), on_corruption = hook(crate::inner::never))]
struct InAnotherShape;
#[derive_allocator(hardening(guards, isolate, sample = 8))]
struct Walled;

#[derive_allocator(hardening(headers))]
struct Headers;
#[derive_allocator(hardening(ends))]
struct Ends;
#[derive_allocator(hardening(zero))]
struct Zero;
#[derive_allocator(hardening(shuffle))]
struct Shuffle;

#[derive_allocator(hardening(canaries))]
struct Canaries;
#[derive_allocator(hardening(quarantine = 1KiB))]
struct Quarantine;
#[derive_allocator(hardening = guarded)]
struct Guarded;
#[derive_allocator(hardening(level = guarded, quarantine = off, isolate = off))]
struct MostOfALevel;

#[derive_allocator(hardening = checked)]
struct Checked;
#[derive_allocator(hardening(level = checked, pages = off, headers = off, ends = off))]
struct LinksOfALevel;
#[derive_allocator(hardening(links))]
struct Links;
#[derive_allocator(size_classes = [8, 16, 24], fast_path(direct_max = 8), hardening(pages, links = off))]
struct Pages;

fn main() {
    load::check(&Headers);
    assert_eq!(Headers::CONFIG.hardening, Hardening { headers: true, ..Hardening::OFF });
    load::check(&Ends);
    assert_eq!(Ends::CONFIG.hardening, Hardening { ends: true, ..Hardening::OFF });
    load::check(&Zero);
    load::check(&Shuffle);
    assert_eq!(Zero::CONFIG.hardening, Hardening { zero: true, ..Hardening::OFF });
    assert_eq!(Shuffle::CONFIG.hardening, Hardening { shuffle: true, ..Hardening::OFF });
    load::check(&Canaries);
    load::check(&Quarantine);
    load::check(&Guarded);
    load::check(&MostOfALevel);
    assert_eq!(Canaries::CONFIG.hardening, Hardening { canaries: true, ..Hardening::OFF });
    assert_eq!(Quarantine::CONFIG.hardening, Hardening { quarantine_bytes: 1024, ..Hardening::OFF });
    assert_eq!(Guarded::CONFIG.hardening, Hardening::GUARDED);
    let most = Hardening { quarantine_bytes: 0, isolate: false, ..Hardening::GUARDED };
    assert_eq!(MostOfALevel::CONFIG.hardening, most);
    load::check(&Checked);
    load::check(&LinksOfALevel);
    load::check(&Links);
    load::check(&Pages);
    assert_eq!(Checked::CONFIG.hardening, Hardening::CHECKED);
    assert_eq!(LinksOfALevel::CONFIG.hardening, Links::CONFIG.hardening);
    assert!(Links::CONFIG.hardening.links && !Links::CONFIG.hardening.pages);
    assert!(Pages::CONFIG.hardening.pages && !Pages::CONFIG.hardening.links);
    load::check(&Off);
    load::check(&OffInParts);
    load::check(&AsThePreset);
    load::check(&InAnotherShape);
    load::check(&Walled);
    let hardening = Walled::CONFIG.hardening;
    assert!(hardening.guards && hardening.isolate && !hardening.links && !hardening.pages);
    assert_eq!(hardening.sample, 8);
    for config in [
        Off::CONFIG,
        OffInParts::CONFIG,
        AsThePreset::CONFIG,
        InAnotherShape::CONFIG,
    ] {
        assert_eq!(config.hardening, Hardening::OFF);
    }
    assert_eq!(Off::CONFIG.on_corruption, OnCorruption::Abort);
    assert_eq!(OffInParts::CONFIG.on_corruption, OnCorruption::Trap);
    let OnCorruption::Hook(hook) = InAnotherShape::CONFIG.on_corruption else {
        panic!("a hook was written");
    };
    assert_eq!(hook.path, "crate::inner::never");
}
