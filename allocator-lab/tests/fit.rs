//! `allocator-lab fit` from outside: what it prints and writes, its exit codes and messages.

use allocator_core::derive_allocator;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

/// Declared with the file that the fit wrote for the profile below.
#[derive_allocator(size_classes = file("tests/fitted.classes"))]
struct Fitted;

/// A program with records that no series of classes has, as a table.
const RECORDS: &str = "size,allocs,live_at_peak,avg_live
24,90000,30000,20000.5
72,8000,300,250.25
264,50000,20000,15000.125
1100,9000,2000,900
4368,5000,900,500
";

fn fit(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).arg("fit").args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder with `records.csv`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("records.csv"), RECORDS).unwrap();
    folder
}

#[test]
fn the_class_file_is_one_that_a_declaration_reads() {
    let folder = folder();
    let arguments = [
        "records.csv",
        "--holdout",
        "records.csv",
        "--classes",
        "app.classes",
    ];
    let output = fit(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let written = fs::read_to_string(folder.path().join("app.classes")).unwrap();
    let declared = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fitted.classes");
    if std::env::var_os("UPDATE_FITTED").is_some() {
        fs::write(&declared, &written).unwrap();
    }
    assert_eq!(
        written,
        fs::read_to_string(&declared).unwrap(),
        "UPDATE_FITTED=1 writes it"
    );

    // The attribute to paste has the same classes.
    let printed = text(&output.stdout);
    let list = printed
        .split(['[', ']'])
        .find(|part| part.contains("4368"))
        .unwrap();
    let numbers = list
        .split([' ', ',', '\n'])
        .filter_map(|word| word.parse().ok());
    let numbers: Vec<u32> = numbers.collect();
    assert_eq!(numbers, Fitted::CONFIG.class_bytes);
    for size in [24, 72, 264, 1104, 4368] {
        assert!(numbers.contains(&size), "{size}");
    }
    assert!(printed.contains("declare these classes:") && printed.contains("= hold-out, mean"));
}

#[test]
fn the_json_has_the_choice_and_the_curve() {
    let folder = folder();
    let output = fit(
        folder.path(),
        &["records.csv", "--json", "out.json", "--max-classes", "30"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = fs::read_to_string(folder.path().join("out.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["advice"], "declare");
    let classes = json["classes"].as_array().unwrap();
    assert!(classes.len() <= 30 && classes.iter().any(|class| class == 264));
    let curve = json["curve"].as_array().unwrap();
    assert_eq!(curve.last().unwrap()["classes"], 30);
    assert!(curve[0]["holdout_waste"].is_null());
    assert_eq!(json["outcomes"][0]["run"], "records.csv");
}

#[test]
fn a_multiple_of_16_is_a_multiple_of_16() {
    let folder = folder();
    let output = fit(
        folder.path(),
        &["records.csv", "--quantum", "16", "--classes", "c"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let written = fs::read_to_string(folder.path().join("c")).unwrap();
    let words = written.lines().filter(|line| !line.starts_with('#'));
    let classes: Vec<usize> = words
        .flat_map(|line| line.split([' ', ',']).filter_map(|word| word.parse().ok()))
        .collect();
    assert!(
        classes.len() > 10 && classes.iter().all(|class| class % 16 == 0),
        "{classes:?}"
    );
}

#[test]
fn who_keeps_the_default_gets_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let table = "size,allocs,live_at_peak,avg_live\n32,90000,30000,20000\n4096,5000,900,500\n";
    fs::write(folder.path().join("even.csv"), table).unwrap();
    let output = fit(folder.path(), &["even.csv", "--classes", "app.classes"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("keep the default:") && !printed.contains("derive_allocator"));
    assert!(!folder.path().join("app.classes").exists());
    assert_eq!(
        text(&output.stderr),
        "allocator-lab: 'app.classes' is not written: there are no classes to declare\n"
    );
}

#[test]
fn a_profile_that_says_anything_is_fitted_to() {
    let folder = tempfile::tempdir().unwrap();
    let most = u64::MAX;
    let rows: Vec<String> = [8, 40, 264, 4368, 1_u64 << 48]
        .map(|size| format!("[8, {size}, {most}, {most}, {most}]"))
        .to_vec();
    let profile = format!(
        "{{\"format\": \"allocator-profile\", \"version\": 1, \"runs\": 1, \"threads\": {most}, \"columns\": \
         [\"align\", \"size\", \"allocations\", \"live_at_peak\", \"live_mean_thousandths\"], \"rows\": [{}]}}",
        rows.join(", ")
    );
    fs::write(folder.path().join("absurd.json"), profile).unwrap();
    for objective in ["memory", "balanced", "speed"] {
        let output = fit(folder.path(), &["absurd.json", "--objective", objective]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn what_cannot_be_fitted_to_exits_1_with_one_line() {
    let folder = folder();
    let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    write("cut.csv", &RECORDS.as_bytes()[..RECORDS.len() - 2]);
    write(
        "cut.json",
        br#"{"format": "allocator-profile", "version": 1, "ru"#,
    );
    write(
        "future.json",
        br#"{"format": "allocator-profile", "version": 2}"#,
    );
    write("other.json", b"[1, 2]");
    write("bytes", b"\xff\xfe");
    write("few.csv", b"size,allocs,live_at_peak,avg_live\n8,9,9,9\n");
    let mistakes: [(&[&str], &str); 9] = [
        (&["missing.json"], "cannot read 'missing.json'"),
        (&["cut.csv"], "'cut.csv': it is cut short"),
        (&["cut.json"], "'cut.json': it is cut short"),
        (&["future.json"], "this program reads version 1"),
        (&["other.json"], "not a profile"),
        (&["bytes"], "'bytes' is not a text"),
        (&["few.csv"], "tells too little: 9 allocations"),
        (
            &["records.csv", "--holdout", "cut.csv"],
            "'cut.csv': it is cut short",
        ),
        (
            &["records.csv", "--max-classes", "3"],
            "3 classes are too few",
        ),
    ];
    for (arguments, part) in mistakes {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--json", "out.json", "--classes", "out.classes"]);
        let output = fit(folder.path(), &arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(part), "{message}");
        assert!(
            message.starts_with("allocator-lab: ") && message.lines().count() == 1,
            "{message}"
        );
        assert!(output.stdout.is_empty());
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        7,
        "nothing was written"
    );
    assert!(
        fit(folder.path(), &["few.csv", "--anyway"])
            .status
            .success()
    );
}
