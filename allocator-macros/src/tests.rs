//! The pipeline from the attribute's text to the specification or the mistakes.
//! What a user sees of them is in `tests/ui`.

use std::path::Path;

use quote::{format_ident, quote};

use crate::errors::Errors;
use crate::number::Amount;
use crate::spec::{Extend, Sizes, Spec};
use crate::words::{InlineWord, StatsWord, ThpWord, TlsWord, Words};
use crate::written::Purge;
use crate::{args, expand, item, read, type_doc, validate};

/// The specification of an attribute, or its mistakes.
fn spec(attribute: &str) -> Result<Spec, Vec<String>> {
    spec_in(Path::new("/nonexistent"), attribute)
}

/// As [`spec`], in a crate with this root.
fn spec_in(root: &Path, attribute: &str) -> Result<Spec, Vec<String>> {
    let mut errors = Errors::default();
    let args = args::read(attribute.parse().unwrap(), &mut errors);
    let options = read::options(&args, &mut errors);
    let spec = validate::spec(options, root, &mut errors);
    match errors.is_empty() {
        true => Ok(spec.expect("no mistake, so a specification")),
        false => Err(errors.messages()),
    }
}

/// The specification of an attribute without mistakes.
fn good(attribute: &str) -> Spec {
    spec(attribute).unwrap_or_else(|mistakes| panic!("{attribute}: {mistakes:#?}"))
}

/// The mistakes of an attribute.
fn mistakes(attribute: &str) -> Vec<String> {
    spec(attribute).err().unwrap_or_default()
}

/// The only mistake of an attribute.
#[track_caller]
fn mistake(attribute: &str) -> String {
    let mut mistakes = mistakes(attribute);
    assert_eq!(mistakes.len(), 1, "{attribute}: {mistakes:#?}");
    mistakes.remove(0)
}

/// The classes that the macro knows.
fn classes(spec: &Spec) -> Vec<u64> {
    let known = |class: &crate::written::Written<Amount>| match class.value {
        Amount::Known(bytes) => Some(bytes),
        Amount::Constant(_) => None,
    };
    spec.classes.iter().filter_map(known).collect()
}

#[test]
fn nothing_written_is_the_balanced_preset() {
    for attribute in ["", "preset = balanced", "preset = balanced,", "limit = off"] {
        let spec = good(attribute);
        assert_eq!(classes(&spec).first(), Some(&8));
        assert_eq!(classes(&spec).last(), Some(&(32 << 10)));
        assert!(matches!(spec.small_extend, Extend::Batch(_)));
        assert_eq!((spec.retire_small, spec.retire_large), (48, 16));
        assert!(spec.local_first && spec.skip_collect);
        assert_eq!((spec.cache.value, spec.direct_max.value), (64, 8 << 10));
        assert_eq!((spec.page, spec.purge), (64 << 10, Purge::After(10)));
        assert!(spec.limit.is_none());
    }
}

#[test]
fn every_option_reaches_the_specification() {
    let spec = good(
        "preset = stock, size_classes = geometric(quantum = 8, per_doubling = 2, max = 1KiB), \
         small_extend = all, retire_cycles(small = 3, large = 4), fast_path(local_first, \
         skip_collect, cache = 7, direct_max = 512, inline = never), page = 128KiB, purge = now, \
         thp = always, hardening = off, stats = histogram, limit = 2MiB, tls = pointer, \
         crate = ::somewhere::core",
    );
    assert_eq!(
        classes(&spec),
        [
            8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024
        ]
    );
    assert!(matches!(
        spec.sizes,
        Sizes::Geometric {
            quantum: 8,
            per_doubling: 2,
            max: 1024
        }
    ));
    assert!(matches!(spec.small_extend, Extend::All));
    assert_eq!((spec.retire_small, spec.retire_large), (3, 4));
    assert!(spec.local_first && spec.skip_collect);
    assert_eq!((spec.cache.value, spec.direct_max.value), (7, 512));
    assert_eq!(spec.inline, InlineWord::Never);
    assert_eq!((spec.page, spec.purge), (128 << 10, Purge::Now));
    assert_eq!(
        (spec.thp, spec.stats, spec.tls),
        (ThpWord::Always, StatsWord::Histogram, TlsWord::Pointer)
    );
    assert!(matches!(
        spec.limit.unwrap().value,
        Amount::Known(0x20_0000)
    ));
    assert_eq!(
        quote::ToTokens::to_token_stream(&spec.core).to_string(),
        ":: somewhere :: core"
    );
}

#[test]
fn the_forms_of_retire_cycles_agree() {
    let cycles = |attribute| {
        let spec = good(attribute);
        (spec.retire_small, spec.retire_large)
    };
    assert_eq!(cycles("retire_cycles = 5"), (5, 5));
    assert_eq!(cycles("retire_cycles = 0"), (0, 0));
    assert_eq!(cycles("retire_cycles(small = 5, large = 6)"), (5, 6));
    assert_eq!(cycles("retire_cycles = (small = 5, large = 6)"), (5, 6));
    assert_eq!(cycles("retire_cycles = (small = 5)"), (5, 16));
    assert_eq!(cycles("preset = compact, retire_cycles(large = 9)"), (4, 9));
}

#[test]
fn a_part_that_is_not_named_is_as_in_the_preset() {
    let spec = good("fast_path(cache = 8)");
    assert!(spec.local_first && spec.skip_collect);
    let spec = good("fast_path(local_first = off)");
    assert!(!spec.local_first && spec.skip_collect);
    let spec = good("preset = stock, fast_path(local_first)");
    assert!(spec.local_first && !spec.skip_collect);
    let spec = good("size_classes = standard");
    assert!(matches!(spec.sizes, Sizes::Standard));
    let spec = good("preset = compact, size_classes = geometric(max = 1KiB)");
    assert!(matches!(
        spec.sizes,
        Sizes::Geometric {
            quantum: 8,
            per_doubling: 8,
            max: 1024
        }
    ));
}

#[test]
fn what_the_preset_says_gives_way_to_small_and_large_classes() {
    assert_eq!(good("size_classes = [64]").direct_max.value, 64);
    assert_eq!(good("size_classes = [4KiB]").cache.value, 16);
    assert_eq!(good("size_classes = [8, 16]").cache.value, 64);
}

#[test]
fn constant_expressions_are_left_to_the_compiler() {
    let spec =
        good("size_classes = [8, RECORD, 64], limit = BUDGET, small_extend = batch(2 * PAGE)");
    assert_eq!(classes(&spec), [8, 64]);
    assert!(matches!(spec.limit.unwrap().value, Amount::Constant(_)));
    assert!(mistake("page = PAGE").contains("literal"));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found =
        mistakes("pgae = 64KiB, purge = half_remaining, size_classes = [8, 20, 0], cache = 3");
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let found = mistakes(
        "purge = after 10ms, thp = sometimes, = 3, page: 64KiB, fast_path(1 1, cahce = 3)",
    );
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn a_mistake_does_not_make_others() {
    // The batch, the classes and the limit depend on the page, which is wrong.
    mistake("page = 100KiB, size_classes = geometric(max = 128KiB), small_extend = batch(128KiB)");
    mistake("preset = balancd, fast_path(cache = 1024)");
    mistake("size_classes = [8, sixteen(), 24KB], fast_path(direct_max = 64)");
    mistake("size_classes = geometric(max = 33KiB), fast_path(direct_max = 64KiB)");
}

#[test]
fn a_name_says_where_it_belongs() {
    assert_eq!(
        mistake("cache = 64"),
        "`cache` is a part of `fast_path`; write `fast_path(cache = 64)`"
    );
    assert_eq!(
        mistake("fast_path(page = 64KiB)"),
        "`page` is an option by itself; write it outside of the `(…)`"
    );
    assert_eq!(
        mistake("half_remaining"),
        "`half_remaining` is a value of `small_extend`; write `small_extend = half_remaining`"
    );
    assert_eq!(
        mistake("purge = half_remaining"),
        "`half_remaining` is a value of `small_extend`, not of `purge`; `purge` is `never`, \
         `now` or `after(10ms)`"
    );
}

#[test]
fn contradictions_are_found() {
    assert!(mistake("retire_cycles(48, small = 3)").contains("not both"));
    assert!(mistake("retire_cycles = 48, retire_cycles(small = 3)").contains("repeated"));
    assert!(mistake("size_classes = [16, 32], fast_path(direct_max = 64)").contains("at most 32"));
    assert!(mistake("size_classes = [208], fast_path(cache = 1024)").contains("at most 315"));
    assert!(mistake("small_extend = batch(128KiB)").contains("over the page"));
    assert!(mistake("page = 512KiB, size_classes = [512KiB], limit = 1MiB").contains("2MiB"));
    assert!(mistake("size_classes = geometric(max = 128KiB)").contains("page = 128KiB"));
}

#[test]
fn the_word_of_malloc_is_for_malloc() {
    assert_eq!(good("").tls, TlsWord::Inline);
    assert_eq!(good("export = malloc").tls, TlsWord::InitialExec);
    for word in [TlsWord::Inline, TlsWord::Pointer, TlsWord::InitialExec] {
        let name = TlsWord::WORDS.iter().find(|known| known.value == word);
        let attribute = format!("export = malloc, tls = {}", name.unwrap().name);
        assert_eq!(good(&attribute).tls, word);
    }
    assert!(mistake("tls = initial_exec").contains("needs `export = malloc`"));
    assert!(mistake("tls = initial_exec, export = off").contains("write `pointer`"));
}

#[test]
fn malloc_needs_an_aligned_last_class() {
    good("size_classes = [8, 16, 24, 48], export = malloc");
    let mistake = mistake("size_classes = [8, 16, 24], export = malloc");
    assert!(mistake.contains("write 16 or 32"), "{mistake}");
}

#[test]
fn the_printed_attribute_declares_the_same_allocator() {
    for attribute in [
        "",
        "preset = stock",
        "preset = seed",
        "preset = throughput, page = 256KiB, limit = 3MiB",
        "preset = compact, purge = never, tls = pointer",
        "preset = seed, export = malloc",
        "export = malloc, tls = pointer",
        "size_classes = [4KiB, 8KiB], purge = now, fast_path(skip_collect = off, inline = never)",
    ] {
        let text = |spec: &Spec| type_doc::text(spec, false);
        let printed = text(&good(attribute));
        let start = printed.find("derive_allocator(").unwrap() + "derive_allocator(".len();
        let end = printed.find(")]").unwrap();
        assert_eq!(text(&good(&printed[start..end])), printed, "{attribute}");
    }
}

/// The same numbers as `CONFIG.classes()` gives: `tests/tests/options_config.rs`.
#[test]
fn the_table_of_classes_has_the_pages_of_the_core() {
    for (attribute, rows) in [
        (
            "",
            [
                "| 8192 | 20 % | 8 | 64KiB |",
                "| 32768 | 11 % | 8 | 256KiB |",
            ],
        ),
        (
            "hardening = guarded",
            [
                "| 8192 | 20 % | 7 | 64KiB |",
                "| 32768 | 11 % | 7 | 256KiB |",
            ],
        ),
        (
            "page = 128KiB",
            [
                "| 8192 | 20 % | 16 | 128KiB |",
                "| 32768 | 11 % | 16 | 512KiB |",
            ],
        ),
    ] {
        let text = type_doc::text(&good(attribute), false);
        for row in rows {
            assert!(text.contains(row), "{attribute}: {row}\n{text}");
        }
    }
}

#[test]
fn the_table_of_classes_tells_of_the_canary() {
    let tells = |attribute| type_doc::text(&good(attribute), false).contains("eight bytes more");
    assert!(tells("hardening = guarded") && tells("hardening(canaries)"));
    assert!(!tells("") && !tells("hardening = checked"));
}

#[test]
fn items_that_are_not_unit_structs_are_refused() {
    let wrong = |text: &str| {
        let mut errors = Errors::default();
        item::read(text.parse().unwrap(), &mut errors);
        errors.messages().len()
    };
    assert_eq!(wrong("pub struct A;"), 0);
    assert_eq!(wrong("#[derive(Debug)] struct A;"), 0);
    assert_eq!(wrong("struct A {}"), 1);
    assert_eq!(wrong("struct A(u8);"), 1);
    assert_eq!(wrong("struct A<T>(T);"), 2);
    assert_eq!(wrong("enum A {}"), 1);
    assert_eq!(wrong("union A { a: u8 }"), 1);
    assert_eq!(wrong("fn a() {}"), 1);
}

#[test]
fn the_expansion_is_rust_and_uses_the_crate_that_was_named() {
    for attribute in [
        "crate = ::elsewhere::core",
        "crate = ::elsewhere::core, size_classes = [8, RECORD, 24], limit = BUDGET",
        "crate = ::elsewhere::core, size_classes = [RECORD], fast_path(cache = 3, inline = never)",
        "crate = ::elsewhere::core, small_extend = batch(PAGE), tls = pointer, purge = never",
        "crate = ::elsewhere::core, export = malloc",
        "crate = ::elsewhere::core, export = malloc, tls = inline",
    ] {
        let tokens = expand::allocator(&format_ident!("Declared"), &good(attribute));
        let text = tokens.to_string();
        assert!(
            syn::parse2::<syn::File>(tokens).is_ok(),
            "{attribute}: {text}"
        );
        assert!(
            text.contains("use :: elsewhere :: core :: __private as __core"),
            "{text}"
        );
        assert!(!text.contains("allocator_core"), "{text}");
    }
}

#[test]
fn a_class_file_is_watched_for_changes() {
    let root = std::env::temp_dir().join(format!("allocator-macros-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("app.classes"), "8 16\n24\n").unwrap();
    let spec = spec_in(&root, "size_classes = file(\"app.classes\")").unwrap();
    std::fs::remove_dir_all(&root).unwrap();
    assert_eq!(classes(&spec), [8, 16, 24]);
    let text = expand::allocator(&format_ident!("Declared"), &spec).to_string();
    let path = root.join("app.classes").display().to_string();
    let path = quote!(#path).to_string();
    assert!(
        text.contains(&format!("include_bytes ! ({path})")),
        "{text}"
    );
}

#[test]
fn a_mistake_still_gives_the_item_and_its_methods() {
    for item in [
        "struct A;",
        "struct A(u8);",
        "enum A { B }",
        "struct A<const N: usize>;",
    ] {
        let tokens = crate::allocator("pgae = 64KiB".parse().unwrap(), item.parse().unwrap());
        let text = tokens.to_string();
        assert!(syn::parse2::<syn::File>(tokens).is_ok(), "{text}");
        for part in ["compile_error", "GlobalAlloc", "fn allocate", "fn stats"] {
            assert!(text.contains(part), "{item} without {part}: {text}");
        }
    }
}
