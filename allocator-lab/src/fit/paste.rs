//! What is put into a program: the attribute, or the file that it names.

use std::fmt::Write;

/// Columns of a line.
const WIDTH: usize = 96;

/// A declaration with these classes.
#[must_use]
pub fn attribute(classes: &[usize]) -> String {
    let list = lines(classes, "        ");
    format!("#[derive_allocator(\n    size_classes = [\n{list}    ],\n)]\npub struct TunedAlloc;\n")
}

/// The file for `size_classes = file("app.classes")`, with what it was fitted to.
#[must_use]
pub fn class_file(classes: &[usize], training: &[String]) -> String {
    let mut text = String::from("# Size classes, as `allocator-lab fit` found them for:\n");
    for name in training {
        // A name with a line break in it would end the comment. Writing to a `String` cannot fail.
        let _ = writeln!(text, "# - {}", name.replace(['\n', '\r'], " "));
    }
    text + &lines(classes, "")
}

/// The classes, as many in a line as fit, each with a comma.
fn lines(classes: &[usize], indent: &str) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for class in classes {
        let item = format!("{class},");
        if !line.is_empty() && indent.len() + line.len() + 1 + item.len() > WIDTH {
            text += &format!("{indent}{line}\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += &item;
    }
    if !line.is_empty() {
        text += &format!("{indent}{line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_have_every_class_and_no_long_line() {
        let classes: Vec<usize> = (1..=60).map(|index| index * 504).collect();
        let file = class_file(&classes, &["a.json\n8".to_owned()]);
        for text in [attribute(&classes), file] {
            assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
            let numbers = text.lines().filter(|line| !line.starts_with('#'));
            let numbers = numbers.flat_map(|line| line.split([' ', ',']));
            let numbers: Vec<usize> = numbers.filter_map(|word| word.parse().ok()).collect();
            assert_eq!(numbers, classes);
        }
    }

    #[test]
    fn the_attribute_is_one_that_can_be_pasted() {
        assert_eq!(
            attribute(&[8, 16, 4368]),
            "#[derive_allocator(
    size_classes = [
        8, 16, 4368,
    ],
)]
pub struct TunedAlloc;
"
        );
    }
}
