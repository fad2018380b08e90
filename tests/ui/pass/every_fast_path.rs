#[path = "../load.rs"]
mod load;

use allocator_core::derive_allocator;

#[derive_allocator(preset = stock, fast_path(local_first))]
struct LocalFirst;
#[derive_allocator(preset = stock, fast_path(skip_collect))]
struct SkipCollect;
#[derive_allocator(fast_path(local_first = off, skip_collect = off, cache = off))]
struct AllOff;
#[derive_allocator(fast_path(local_first = on, cache = 1024, direct_max = 32KiB))]
struct Large;
#[derive_allocator(fast_path(cache = 1, direct_max = 8, inline = never))]
struct Small;
#[derive_allocator(fast_path())]
struct AsThePreset;

fn main() {
    load::check(&LocalFirst);
    load::check(&SkipCollect);
    load::check(&AllOff);
    load::check(&Large);
    load::check(&Small);
    load::check(&AsThePreset);
    let flags = |config: allocator_core::Config| {
        (config.fast_path.local_first, config.fast_path.skip_collect)
    };
    assert_eq!(flags(LocalFirst::CONFIG), (true, false));
    assert_eq!(flags(SkipCollect::CONFIG), (false, true));
    assert_eq!(flags(AllOff::CONFIG), (false, false));
    assert_eq!(flags(AsThePreset::CONFIG), (true, true));
}
