//! The table: rows by levels, with what happened.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::check::{Check, End};
use super::{LEVELS, Row};

/// What came of a cell's checks: each with what was wrong, if anything was.
pub type Cell<'a> = Vec<(&'a Check, Result<(), String>)>;

/// What came of a row.
pub struct Results<'a> {
    /// The row.
    pub row: &'a Row,
    /// Its cells, in the order of [`LEVELS`]; none for a level that was not run.
    pub cells: [Option<Cell<'a>>; 3],
}

/// The marks of a cell: one, or several with what distinguishes them.
#[must_use]
pub fn marks(cell: &Cell<'_>) -> String {
    if cell.iter().any(|(_, result)| result.is_err()) {
        return "FAILS".to_owned();
    }
    let mut marks: Vec<&str> = Vec::new();
    for (check, _) in cell {
        let mark = check.end().mark();
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    }
    if let [] | [_] = marks[..] {
        return marks.first().unwrap_or(&"–").to_string();
    }
    let tags_of = |mark: &str, at: usize| -> BTreeSet<&str> {
        let with = cell.iter().filter(|(check, _)| check.end().mark() == mark);
        with.filter_map(|(check, _)| check.tags.get(at).map(String::as_str))
            .collect()
    };
    // The first kind of tag that tells the marks apart.
    let separates = |at: &usize| {
        let sets: Vec<_> = marks.iter().map(|mark| tags_of(mark, *at)).collect();
        let total: usize = sets.iter().map(BTreeSet::len).sum();
        let union: BTreeSet<_> = sets.iter().flatten().collect();
        total == union.len() && sets.iter().all(|set| !set.is_empty())
    };
    let kinds = cell.iter().map(|(check, _)| check.tags.len()).min();
    let kind = (0..kinds.unwrap_or(0)).find(separates);
    let said = marks.iter().map(|mark| match kind {
        Some(at) => {
            let tags: Vec<_> = tags_of(mark, at).into_iter().collect();
            format!("{mark} ({})", tags.join(", "))
        }
        None => (*mark).to_owned(),
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The table in Markdown.
#[must_use]
pub fn markdown(results: &[Results<'_>]) -> String {
    let levels: String = LEVELS
        .iter()
        .map(|level| format!(" `{}` |", level.name()))
        .collect();
    let lines = "---|".repeat(LEVELS.len());
    let mut text = format!("| | fault |{levels}\n|---|---|{lines}\n");
    for Results { row, cells } in results {
        let marks = |cell: &Option<Cell<'_>>| cell.as_ref().map_or(String::new(), marks);
        let cells: Vec<String> = cells.iter().map(marks).collect();
        writeln!(
            text,
            "| {} | {} | {} |",
            row.id,
            row.fault,
            cells.join(" | ")
        )
        .expect("text");
    }
    text.push('\n');
    for (id, level, what) in spoilt(results) {
        let what: Vec<_> = what.into_iter().collect();
        writeln!(text, "- {id}, `{level}`: {}", what.join("; ")).expect("text");
    }
    text
}

/// What X means: row, level, and what is seen.
fn spoilt(results: &[Results<'_>]) -> Vec<(&'static str, &'static str, BTreeSet<&'static str>)> {
    let mut all = Vec::new();
    for Results { row, cells } in results {
        for (level, cell) in LEVELS.iter().zip(cells) {
            let of_check = |(check, _): &(&Check, _)| match check.end() {
                End::Spoilt(what) => Some(what),
                End::Crashes => Some("the process crashes"),
                _ => None,
            };
            let seen: BTreeSet<_> = cell.iter().flatten().filter_map(of_check).collect();
            if !seen.is_empty() {
                all.push((row.id, level.name(), seen));
            }
        }
    }
    all
}
