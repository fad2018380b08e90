//! What a misspelt word was probably meant to be, and how words are listed.

use quote::ToTokens;

/// The candidate that `word` was probably meant to be, if one is near enough.
///
/// Near is at most one edit in three letters (an edit inserts, removes, replaces
/// or swaps letters), or a whole part of a longer name (`extend` for
/// `small_extend`).
pub(crate) fn nearest(
    word: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let mut best: Option<(usize, &'static str)> = None;
    for candidate in candidates {
        let edits = distance(&word, candidate);
        let allowed = (word.len().max(candidate.len()) / 3).max(1);
        let is_part = word.len() >= 4 && candidate.split('_').any(|part| part == word);
        if (edits <= allowed || is_part) && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn quoted_or(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    listed(
        words.into_iter().map(|word| format!("`{}`", word.as_ref())),
        "or",
    )
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn quoted_and(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    listed(
        words.into_iter().map(|word| format!("`{}`", word.as_ref())),
        "and",
    )
}

/// `a, b or c`, the items as they are and the last joined by `last`.
pub(crate) fn listed(items: impl IntoIterator<Item = impl AsRef<str>>, last: &str) -> String {
    let items: Vec<_> = items.into_iter().collect();
    let mut text = String::new();
    for (index, item) in items.iter().enumerate() {
        match index {
            0 => {}
            _ if index + 1 == items.len() => text.push_str(&format!(" {last} ")),
            _ => text.push_str(", "),
        }
        text.push_str(item.as_ref());
    }
    text
}

/// Tokens as Rust is usually spaced: `size_of::<Record>()`.
pub(crate) fn tidy(tokens: impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    const TIGHT: &[(&str, &str)] = &[
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ;", ";"),
        (" ,", ","),
        ("& ", "&"),
    ];
    for (spaced, tight) in TIGHT {
        text = text.replace(spaced, tight);
    }
    match text.strip_prefix("- ") {
        Some(number) => format!("-{number}"),
        None => text,
    }
}

/// Edits between two words: insertions, removals, replacements, swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // Three rows of the table: a swap looks two rows back.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_each_kind_of_edit_once() {
        assert_eq!(distance("purge", "purge"), 0);
        assert_eq!(distance("purg", "purge"), 1);
        assert_eq!(distance("purrge", "purge"), 1);
        assert_eq!(distance("parge", "purge"), 1);
        assert_eq!(distance("pugre", "purge"), 1);
        assert_eq!(distance("", "purge"), 5);
    }

    #[test]
    fn nearest_finds_the_misspelt_word_and_not_a_stranger() {
        let words = [
            "retire_cycles",
            "size_classes",
            "small_extend",
            "purge",
            "page",
        ];
        assert_eq!(nearest("retire_cycle", words), Some("retire_cycles"));
        assert_eq!(nearest("RetireCycles", words), Some("retire_cycles"));
        assert_eq!(nearest("extend", words), Some("small_extend"));
        assert_eq!(nearest("paeg", words), Some("page"));
        assert_eq!(nearest("colour", words), None);
    }

    #[test]
    fn nearest_prefers_fewer_edits() {
        assert_eq!(nearest("now", ["never", "now", "not"]), Some("now"));
    }

    #[test]
    fn tokens_are_spaced_as_a_user_writes_them() {
        let tidy = |text: &str| tidy(text.parse::<proc_macro2::TokenStream>().unwrap());
        assert_eq!(tidy("size_of::<Record>()"), "size_of::<Record>()");
        assert_eq!(tidy("2 * RECORD + self::PAD"), "2 * RECORD + self::PAD");
        assert_eq!(tidy("-3"), "-3");
        assert_eq!(tidy("[16; 4]"), "[16; 4]");
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(quoted_or(["a"]), "`a`");
        assert_eq!(quoted_or(["a", "b"]), "`a` or `b`");
        assert_eq!(quoted_or(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
