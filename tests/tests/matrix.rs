//! The matrix's mistakes, and that its runner notices what is not as it must be. All of it, with faults of the
//! machine: `cargo run --profile test-release -p allocator-tests --bin matrix`.

use std::path::Path;
use std::sync::LazyLock;

use allocator_tests::matrix::check::{Check, End, Programs};
use allocator_tests::matrix::table::{Results, markdown, marks};
use allocator_tests::matrix::{LEVELS, Level, Row, rows};

static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_BIN_EXE_misuse_off"));
    let folder = program.parent().expect("it is in a folder");
    Programs::find(folder, Path::new(env!("CARGO_TARGET_TMPDIR")))
});

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| rows(&PROGRAMS));

/// Whether a row is of mistakes.
fn is_of_mistakes(row: &&Row) -> bool {
    row.id.starts_with('M') || row.id == "E1"
}

/// Every mistake at a level ends as the matrix says.
fn end_as_they_must(level: Level) {
    let checks = ROWS
        .iter()
        .filter(is_of_mistakes)
        .flat_map(|row| row.checks(level));
    let mut count = 0;
    let wrong: Vec<String> = checks
        .filter_map(|check| {
            count += 1;
            let wrong = check.run(&PROGRAMS).err()?;
            Some(format!("{check}: {wrong}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 100, "{count} mistakes were made");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds find some of them")]
fn what_is_not_looked_for_ends_as_is_known() {
    end_as_they_must(Level::Off);
}

#[test]
fn what_is_looked_for_is_found() {
    end_as_they_must(Level::Checked);
}

#[test]
fn what_is_looked_for_with_all_there_is_is_found() {
    end_as_they_must(Level::Guarded);
}

/// A check of the first row that ends like this.
fn some_check(end: impl Fn(End) -> bool) -> Check {
    let checks = ROWS.iter().flat_map(|row| row.checks(Level::Off));
    let mut checks = checks.filter(|check| end(check.end()));
    checks.next().expect("such a check").clone()
}

#[test]
#[cfg_attr(debug_assertions, ignore = "debug builds find some of them")]
fn what_ends_otherwise_is_noticed() {
    let unharmed = some_check(|end| end == End::Unharmed);
    let spoilt = some_check(|end| matches!(end, End::Spoilt(_)));
    let crashes = some_check(|end| end == End::Crashes);
    for check in [unharmed, spoilt, crashes] {
        assert_eq!(check.run(&PROGRAMS), Ok(()), "{check}");
        let ends = [
            End::Unharmed,
            End::Spoilt("blocks overlap"),
            End::Crashes,
            End::Aborts("double free"),
        ];
        for end in ends {
            let must = check.clone().ending(end);
            assert_eq!(
                must.run(&PROGRAMS).is_ok(),
                end == check.end(),
                "{must} {end:?}"
            );
        }
    }
    // A scenario that finds a fault ends its process.
    let held = some_check(|end| matches!(end, End::Holds(_)));
    let fails = held.saying("live_threads 10 1024 512 0");
    assert!(fails.run(&PROGRAMS).is_err());
}

/// As though each row's checks had been as they must.
fn all_well() -> Vec<Results<'static>> {
    let cell = |row: &'static Row, level| row.checks(level).map(|check| (check, Ok(()))).collect();
    let results = |row| Results {
        row,
        cells: LEVELS.map(|level| Some(cell(row, level))),
    };
    ROWS.iter().map(results).collect()
}

#[test]
fn the_table_has_a_row_for_each_fault_and_says_what_fails() {
    let mut results = all_well();
    let text = markdown(&results);
    for id in (0..=13)
        .filter(|number| *number != 10)
        .map(|number| format!("M{number}"))
    {
        assert!(text.contains(&format!("| {id} |")), "{id}\n{text}");
    }
    for id in (1..=6).map(|number| format!("R{number}")) {
        assert!(text.contains(&format!("| {id} |")), "{id}\n{text}");
    }
    for id in (1..=9).map(|number| format!("T{number}")) {
        assert!(text.contains(&format!("| {id} |")), "{id}\n{text}");
    }
    assert!(!text.contains("FAILS"));
    let cell = results[1].cells[0].as_mut().expect("a cell");
    cell[0].1 = Err("it went on".to_owned());
    assert_eq!(marks(cell), "FAILS");
    assert!(markdown(&results).contains("FAILS"));
}

#[test]
fn the_readme_has_the_table() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(&readme).expect("there is a README");
    let place = |mark: &str| text.find(mark).expect("the README has the table's place");
    let start = place("<!-- matrix -->\n") + "<!-- matrix -->\n".len();
    let end = place("<!-- end of matrix -->");
    let table = format!("\n{}\n", markdown(&all_well()));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text = [&text[..start], &table, &text[end..]].concat();
        std::fs::write(&readme, text).expect("writable");
    } else {
        assert!(
            text[start..end] == table,
            "the README's table is not the matrix; run `UPDATE_DOCS=1 cargo test --test matrix`"
        );
    }
}
