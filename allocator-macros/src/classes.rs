//! Size classes as numbers: the geometric series and the rules of a list.

use std::cmp::Ordering;

use crate::number::Unit;
use crate::options::{CLASS_STEP, MAX_CLASSES, PAGE};

/// `size_classes = standard`: fitted to what clang, jq, perl, python, sqlite and ripgrep ask for,
/// two runs each, every program weighing the same, and a tenth to sizes that none of them asked for.
///
/// On the second runs 3.7 % of the bytes in blocks are not asked for (mean of the programs, at the
/// peak; 7.7 % with 44 classes in geometric series), and 5.2 % on a program that was left out of the
/// fit. With 48 classes that would be 7.7 %. The multiples of 8 up to 64, and two classes for
/// each doubling up to 2 KiB, were not left to the fit.
#[rustfmt::skip]
pub(crate) const STANDARD: &[u64] = &[
    8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 176, 192, 224, 256,
    272, 304, 384, 400, 448, 512, 528, 576, 768, 864, 1024, 1056, 1120, 1536, 2048,
    2496, 3104, 3616, 4096, 4608, 5376, 6528, 8192, 9344, 10880, 12416, 14464, 16384,
    18688, 20096, 21760, 23808, 26112, 29056, 32768,
];

/// The series up to `max`: multiples of `quantum` at first, then `per_doubling`
/// classes between a power of two and the next.
///
/// When it does not reach `max` exactly, its neighbours are returned.
pub(crate) fn geometric(quantum: u64, per_doubling: u64, max: u64) -> Result<Vec<u64>, [u64; 2]> {
    let mut classes = vec![quantum];
    let mut class = quantum;
    while class < max {
        let power = 1 << class.ilog2();
        class += quantum.max(power / per_doubling);
        classes.push(class);
    }
    match classes.as_slice() {
        [.., last] if *last == max => Ok(classes),
        [.., below, above] => Err([*below, *above]),
        _ => Err([quantum, quantum]),
    }
}

/// What is wrong with a list of classes: positions and mistakes, one for each
/// wrong item. Items that are not known here are `None`.
pub(crate) fn mistakes(classes: &[Option<u64>], page: u64) -> Vec<(usize, String)> {
    let mut mistakes = Vec::new();
    let mut gaps = Vec::new();
    // What the next class is compared with: a wrong class must not make the next wrong too.
    let mut before: Option<u64> = None;
    for (index, class) in classes.iter().take(MAX_CLASSES).enumerate() {
        let Some(class) = *class else {
            before = None;
            continue;
        };
        if let Some(mistake) = alone(class, page) {
            mistakes.push((index, mistake));
        } else if let Some(mistake) = before.and_then(|before| order(before, class)) {
            mistakes.push((index, mistake));
        } else if let Some(mistake) = before.and_then(|before| gap(before, class)) {
            gaps.push((index, mistake));
        }
        if class != 0 && class <= page {
            before = before.max(Some(class.next_multiple_of(CLASS_STEP)));
        }
    }
    if classes.len() > MAX_CLASSES {
        let count = classes.len();
        mistakes.push((
            MAX_CLASSES,
            format!("{count} classes; at most {MAX_CLASSES} are allowed"),
        ));
    }
    // A class out of its place leaves a gap there: gaps are judged once all is in place.
    if mistakes.is_empty() {
        return gaps;
    }
    mistakes
}

/// What is wrong with a class by itself.
fn alone(class: u64, page: u64) -> Option<String> {
    let show = |bytes| Unit::Bytes.show(bytes);
    let shown = show(class);
    if class == 0 {
        return Some(format!(
            "class 0 holds nothing; the smallest class is {CLASS_STEP}"
        ));
    }
    if class > page {
        let grow = match page {
            _ if page == PAGE.max || class > PAGE.max => String::new(),
            _ => format!(", or `page = {}`", show(class.next_power_of_two())),
        };
        let page = show(page);
        return Some(format!(
            "class {shown} is over the page; write at most {page}{grow}"
        ));
    }
    if !class.is_multiple_of(CLASS_STEP) {
        let next = show(class.next_multiple_of(CLASS_STEP));
        return Some(format!(
            "class {shown} is not a multiple of {CLASS_STEP}; write {next}"
        ));
    }
    None
}

/// What is wrong with the place of a class.
fn order(before: u64, class: u64) -> Option<String> {
    let [class_shown, before_shown] = [class, before].map(|bytes| Unit::Bytes.show(bytes));
    match class.cmp(&before) {
        Ordering::Greater => None,
        Ordering::Equal => Some(format!("class {class_shown} is repeated; write it once")),
        Ordering::Less => Some(format!(
            "class {class_shown} after {before_shown}; classes are written in ascending order"
        )),
    }
}

/// What is wrong with the distance to the class before.
///
/// The smallest request that a class serves is one byte over the class before
/// it; when that is under half of the class, over half of its block is wasted.
fn gap(before: u64, class: u64) -> Option<String> {
    if class <= 2 * before {
        return None;
    }
    let between = (class / 2).next_multiple_of(CLASS_STEP).min(2 * before);
    let [class, shown, between] = [class, before, between].map(|bytes| Unit::Bytes.show(bytes));
    Some(format!(
        "class {class} is over twice the class before it, {shown}: a request of {} bytes would \
         waste over half of its block; add a class between, such as {between}",
        before + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message for each wrong item of a list of known classes.
    fn wrong(classes: &[u64]) -> Vec<(usize, String)> {
        let classes: Vec<_> = classes.iter().copied().map(Some).collect();
        mistakes(&classes, 64 << 10)
    }

    #[test]
    fn the_default_series_is_the_documented_one() {
        let classes = geometric(8, 4, 32 << 10).unwrap();
        let start = [
            8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ];
        assert_eq!(&classes[..start.len()], start);
        assert_eq!(classes.last(), Some(&32768));
    }

    #[test]
    fn the_standard_classes_obey_the_rules_of_a_list() {
        assert_eq!(wrong(STANDARD), []);
        assert_eq!(STANDARD.len(), 52);
        // No request over a line of the cache leaves more than a third of its block unused.
        for pair in STANDARD.windows(2).filter(|pair| pair[0] >= 64) {
            assert!(2 * pair[1] <= 3 * (pair[0] + 1) + 2, "{pair:?}");
        }
        // Those of C, too, which are the multiples of 16.
        let of_c: Vec<_> = STANDARD
            .iter()
            .copied()
            .filter(|class| class % 16 == 0)
            .collect();
        assert_eq!(wrong(&of_c), []);
    }

    #[test]
    fn every_series_obeys_the_rules_of_a_list() {
        for quantum in [8, 16] {
            for per_doubling in [1, 2, 4, 8] {
                let classes = geometric(quantum, per_doubling, 64 << 10).unwrap();
                assert_eq!(wrong(&classes), [], "{quantum} {per_doubling}");
            }
        }
    }

    #[test]
    fn one_per_doubling_is_the_powers_of_two() {
        assert_eq!(geometric(16, 1, 256).unwrap(), [16, 32, 64, 128, 256]);
        assert_eq!(geometric(16, 1, 16).unwrap(), [16]);
    }

    #[test]
    fn a_max_that_is_not_reached_names_its_neighbours() {
        assert_eq!(geometric(8, 4, 33 << 10), Err([32 << 10, 40 << 10]));
        assert_eq!(geometric(16, 4, 8), Err([16, 16]));
    }

    #[test]
    fn each_mistake_is_found_once_and_does_not_spread() {
        let positions = |classes| {
            wrong(classes)
                .into_iter()
                .map(|(at, _)| at)
                .collect::<Vec<_>>()
        };
        assert_eq!(positions(&[0, 8, 16]), [0]);
        assert_eq!(positions(&[8, 20, 32]), [1]);
        assert_eq!(positions(&[8, 16, 8, 24]), [2]);
        assert_eq!(positions(&[8, 16, 16, 24]), [2]);
        assert_eq!(positions(&[8, 16, 40, 80]), [2]);
        assert_eq!(positions(&[8, 24, 16, 32]), [2]);
        assert_eq!(positions(&[16, 40, 88]), [1, 2]);
        assert_eq!(positions(&[32 << 10, 64 << 10, 128 << 10]), [2]);
        assert_eq!(positions(&[0, 20, 16, 100_000]), [0, 1, 2, 3]);
    }

    #[test]
    fn the_first_class_may_be_any() {
        assert_eq!(wrong(&[4368]), []);
    }

    #[test]
    fn more_classes_than_an_index_holds_are_refused_once() {
        let classes: Vec<u64> = (1..=300).map(|i| i * 8).collect();
        let message = "300 classes; at most 256 are allowed".to_owned();
        assert_eq!(wrong(&classes), [(256, message)]);
        assert_eq!(wrong(&classes[..256]), []);
    }

    #[test]
    fn the_proposed_class_closes_the_gap() {
        assert_eq!(wrong(&[24, 208])[0].1.rsplit(' ').next(), Some("48"));
        assert_eq!(wrong(&[24, 80])[0].1.rsplit(' ').next(), Some("40"));
        assert_eq!(wrong(&[24, 40, 80]), []);
    }
}
