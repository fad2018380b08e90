//! Runs every example and looks at what it prints.

use std::process::Command;

/// What the example at `path` prints, a line each.
fn lines(path: &str) -> Vec<String> {
    let output = Command::new(path).output().expect("the example can be run");
    assert!(output.status.success(), "{path}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("examples print text");
    text.lines().map(str::to_owned).collect()
}

/// The number in front of `unit` in the only line that has one.
fn number(lines: &[String], unit: &str) -> u64 {
    let in_front = |line: &String| line.strip_suffix(unit)?.trim_end().parse().ok();
    let mut numbers = lines.iter().filter_map(in_front);
    let number = numbers.next();
    number.unwrap_or_else(|| panic!("no line `… {unit}` in {lines:#?}"))
}

#[test]
fn minimal_allocates_and_frees_by_value() {
    assert_eq!(lines(env!("CARGO_BIN_EXE_minimal")), ["sum 20"]);
}

#[test]
fn global_serves_all_threads() {
    assert_eq!(
        lines(env!("CARGO_BIN_EXE_global")),
        ["merrily: 4", "row: 3"]
    );
}

#[test]
fn sharing_serves_one_type_from_what_another_gave_back() {
    let [line] = &lines(env!("CARGO_BIN_EXE_sharing"))[..] else {
        panic!("one line");
    };
    let numbers: Vec<u64> = line
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [served_kib, reused_percent, held_kib] = numbers[..] else {
        panic!("{line}: three numbers");
    };
    // 100,000 nodes of 128 bytes.
    assert!((12_500..13_500).contains(&served_kib), "{line}");
    // The first keeps its last page for some cycles, and the rest of a huge page is as good.
    assert!((80..=100).contains(&reused_percent), "{line}");
    assert!((12_500..13_500).contains(&held_kib), "{line}");
}

#[test]
fn record_classes_leave_no_byte_over() {
    let printed = lines(env!("CARGO_BIN_EXE_record_classes"));
    assert_eq!(
        printed,
        [
            "an order has 208 bytes: blocks of 224 by default, of 208 with its own class",
            "a million orders take 15625 KiB less",
        ]
    );
}

#[test]
fn budget_refuses_what_is_over_it_and_serves_on() {
    let printed = lines(env!("CARGO_BIN_EXE_budget"));
    let [served, more, refused, again] = &printed[..] else {
        panic!("{printed:#?}: four lines");
    };
    assert_eq!(
        (served.as_str(), more.as_str()),
        ("1 MiB: served, 1 MiB", "32 MiB: served, 32 MiB")
    );
    assert!(refused.starts_with("128 MiB: refused, "), "{refused}");
    assert_eq!(again, "32 MiB again: served");
}

#[test]
fn stats_prints_the_attribute_the_table_and_the_figures() {
    let printed = lines(env!("CARGO_BIN_EXE_stats"));
    assert_eq!(printed[0], "#[derive_allocator(");
    let series = "    size_classes = geometric(quantum = 16, per_doubling = 2, max = 4KiB),";
    assert!(printed.iter().any(|line| line == series), "{printed:#?}");
    let last_class = printed
        .iter()
        .find(|line| line.trim_start().starts_with("4096 "));
    let last_class: Vec<&str> = last_class
        .expect("a class of 4096")
        .split_whitespace()
        .collect();
    // 3073 bytes in a block of 4096; sixteen of them in a page of 64 KiB.
    assert_eq!(last_class, ["4096", "3073", "25.0", "%", "16"]);
    assert!(number(&printed, "allocations") > 100_000);
    assert!(number(&printed, "frees") > 100_000);
    // The first round makes the pages, the other 99 find them.
    assert!(
        (1..50).contains(&number(&printed, "pages made")),
        "{printed:#?}"
    );
    assert!(number(&printed, "KiB held") > 0);
}
