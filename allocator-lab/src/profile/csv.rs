//! A profile as a table: size, allocations, live at the peak, live on average. One run, no alignment.

use super::{Counts, Profile, Request};

/// The first line.
const COLUMNS: &str = "size,allocs,live_at_peak,avg_live";

/// Whether a text begins as such a table does.
#[must_use]
pub fn is_one(text: &str) -> bool {
    let start = without_mark(text).get(..5);
    start.is_some_and(|start| start.eq_ignore_ascii_case("size,"))
}

/// Some programs begin a text with a byte-order mark.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Reads a table.
///
/// # Errors
/// What is wrong with it, in a line.
pub fn read(text: &str) -> Result<Profile, String> {
    let text = without_mark(text);
    let (columns, rows) = text.split_once('\n').unwrap_or((text, ""));
    if !columns.trim_end().eq_ignore_ascii_case(COLUMNS) {
        return Err(format!("its first line is not {COLUMNS}"));
    }
    if rows.is_empty() {
        return Err("it has no rows".to_owned());
    }
    if !rows.ends_with('\n') {
        return Err("it is cut short: its last line does not end".to_owned());
    }
    let mut read = Vec::new();
    for (number, line) in (2..).zip(rows.lines()) {
        let row = row(line).ok_or_else(|| format!("line {number} is not four numbers"))?;
        read.push(row);
    }
    Profile::of_run(1, read).map_err(|(index, mistake)| format!("line {}: {mistake}", index + 2))
}

fn row(line: &str) -> Option<(Request, Counts)> {
    let cells: Vec<&str> = line.trim_end().split(',').collect();
    let [size, allocations, live_at_peak, average] = cells[..] else {
        return None;
    };
    let average: f64 = average.parse().ok()?;
    if !(0.0..1e15).contains(&average) {
        return None;
    }
    let counts = Counts {
        allocations: allocations.parse().ok()?,
        live_at_peak: live_at_peak.parse().ok()?,
        live_mean_thousandths: (average * 1000.0).round() as u64,
    };
    let size = size.parse().ok()?;
    Some((Request { size, align: 1 }, counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read() {
        let profile = read("size,allocs,live_at_peak,avg_live\n1,7,2,1.6\n24,5,1,0.004\n").unwrap();
        assert_eq!((profile.runs, profile.peak_bytes()), (1, 26));
        let counts = profile.requests[&Request { size: 24, align: 1 }];
        assert_eq!(counts.live_mean_thousandths, 4);
        let of_a_spreadsheet =
            "\u{feff}Size,Allocs,Live_At_Peak,Avg_Live\r\n1,7,2,1.6\r\n24,5,1,0.004\r\n";
        assert!(is_one(of_a_spreadsheet));
        assert_eq!(read(of_a_spreadsheet).unwrap(), profile);
    }

    #[test]
    fn each_mistake_is_told_in_a_line() {
        let mistakes = [
            ("", "first line is not"),
            ("size,allocs\n1,2\n", "first line is not"),
            ("1,7,2,1.6\n", "line 2 is not"),
            ("", "no rows"),
            ("1,7,2,1.6\n2,7,2", "cut short"),
            ("1,7,2,1.6\n2,7,2\n", "line 3 is not four numbers"),
            ("1,7,2,-1\n", "line 2 is not"),
            ("1,7,2,NaN\n", "line 2 is not"),
            ("1,7,8,1\n", "line 2: more blocks"),
            (
                "1,7,2,1\n1,7,2,1\n",
                "line 3: size 1 at alignment 1 is repeated",
            ),
        ];
        for (index, (text, part)) in mistakes.into_iter().enumerate() {
            let text = match index {
                0 | 1 => text.to_owned(),
                2 => format!("{COLUMNS}\n1,2\n{text}"),
                _ => format!("{COLUMNS}\n{text}"),
            };
            let mistake = read(&text).unwrap_err();
            assert!(
                mistake.contains(part) && !mistake.contains('\n'),
                "{mistake}"
            );
        }
    }
}
