//! Rows of what a program does wrong. Where a type trusts the program, as at `off`, what becomes of
//! its heap is said as it was found; where even that is a matter of chance, nothing is run.

use super::check::End::{self, Aborts, Crashes, Faults, Open, Says, Spoilt, Unharmed};
use super::check::{Check, Kind};
use super::{LEVELS, Row};

const FACES: &[&str] = &["rust", "c"];
const PLACES: &[&str] = &["local", "remote"];

/// Sizes by name: of a page, of a page of large classes, of slices of its own, of a mapping of its own.
const SMALL: (&str, usize) = ("small", 48);
const MEDIUM: (&str, usize) = ("medium", 20_000);
const LARGE: (&str, usize) = ("large", 300_000);
const HUGE: (&str, usize) = ("huge", 20 << 20);
const SIZES: &[(&str, usize)] = &[SMALL, MEDIUM, LARGE, HUGE];
/// A class's own size, so that what follows is the next block.
const WHOLE: (&str, usize) = ("medium", 20_096);
const IN_PAGES: &[(&str, usize)] = &[SMALL, MEDIUM];

const TWICE: End = Spoilt("a block is handed out twice");
const OVERLAP: End = Spoilt("blocks overlap");
const CHANGED: End = Spoilt("foreign memory changes");
const DOUBLE_FREE: End = Aborts("double free");
const NOT_A_BLOCK: End = Aborts("free of what is no block's start");
const NOT_OURS: End = Aborts("free of what is not of this allocator");
const OTHER_CLASS: End = Aborts("free with a layout of another class");
const OTHER_TYPE: End = Aborts("free of a block of another allocator type");
const WRITTEN: End = Aborts("write to a free block");
const OVERFLOW: End = Aborts("overflow");

/// A double free, or a free inside a block. A huge block of C is known by its mapping's start alone.
fn of_block(face: &str, size: &str, message: End) -> End {
    if (face, size) == ("c", "huge") {
        NOT_OURS
    } else {
        message
    }
}

/// How a mistake ends at each level.
type Ends = [End; 3];

/// At `off`, and wherever it is looked for.
fn found(off: End, found: End) -> Ends {
    [off, found, found]
}

impl Row {
    /// A mistake by each face, at each place, with each size, as far as `ends` knows of it.
    fn mistake(
        &mut self,
        name: &str,
        faces: &[&'static str],
        places: &[&'static str],
        sizes: &[(&'static str, usize)],
        further: &[usize],
        ends: impl Fn(&str, &str, &str) -> Ends,
    ) -> &mut Self {
        for face in faces {
            for place in places {
                for (size, bytes) in sizes {
                    let ends = ends(face, place, size);
                    for level in LEVELS {
                        let end = ends[level as usize];
                        let mut arguments = vec![
                            (*face).to_owned(),
                            name.to_owned(),
                            (*place).to_owned(),
                            bytes.to_string(),
                        ];
                        let further = further.iter().map(ToString::to_string);
                        arguments.extend(further.clone());
                        let note: Vec<_> = further.collect();
                        self.checks.push(Check {
                            level,
                            kind: Kind::Own,
                            arguments,
                            limits: Vec::new(),
                            runs: 1,
                            end,
                            tags: vec![
                                (*size).to_owned(),
                                name.replace('_', " "),
                                (*face).to_owned(),
                                note.join(" "),
                            ],
                        });
                    }
                }
            }
        }
        self
    }
}

/// The rows.
pub(super) fn rows() -> Vec<Row> {
    vec![
        clean(),
        double_free(),
        double_free_later(),
        inner(),
        foreign(),
        other_layout(),
        overflow(),
        linear_overflow(),
        write_after_free(),
        read_after_free(),
        nothing(),
        header(),
        forged_link(),
        other_type(),
    ]
}

fn clean() -> Row {
    let mut row = Row::new("M0", "no mistake");
    row.mistake("clean", FACES, PLACES, SIZES, &[], |_, _, _| [Unharmed; 3]);
    row
}

fn double_free() -> Row {
    let mut row = Row::new("M1", "double free at once");
    row.mistake(
        "double_free",
        FACES,
        PLACES,
        SIZES,
        &[],
        |face, place, size| {
            let off = match (size, face, place) {
                ("large" | "huge", ..) => Unharmed,
                (_, "c", "remote") => Crashes,
                _ => TWICE,
            };
            found(off, of_block(face, size, DOUBLE_FREE))
        },
    );
    row
}

fn double_free_later() -> Row {
    let mut row = Row::new("M2", "double free later, and after reuse");
    row.mistake(
        "double_free_later",
        FACES,
        PLACES,
        SIZES,
        &[],
        |face, place, size| {
            let off = match (size, place) {
                ("small", "local") => TWICE,
                ("small", _) => Crashes,
                _ => Unharmed,
            };
            found(off, of_block(face, size, DOUBLE_FREE))
        },
    );
    let reusable = &[SMALL, MEDIUM, LARGE];
    row.mistake(
        "double_free_after_reuse",
        FACES,
        PLACES,
        reusable,
        &[],
        |face, place, size| {
            let off = match (size, face, place) {
                ("large", ..) => Unharmed,
                ("small", "c", "remote") => Crashes,
                _ => TWICE,
            };
            found(off, of_block(face, size, DOUBLE_FREE))
        },
    );
    row
}

fn inner() -> Row {
    let mut row = Row::new("M3", "free of an inner or unaligned pointer");
    for (size, bytes) in SIZES {
        for offset in [1, 16, bytes / 2] {
            row.mistake(
                "free_inner",
                FACES,
                PLACES,
                &[(size, *bytes)],
                &[offset],
                |face, place, size| {
                    let off = match (size, face, place) {
                        ("huge", ..) => Unharmed,
                        ("large", "rust", "remote") => Open,
                        ("small" | "medium", _, "remote") if offset == 1 => Crashes,
                        ("large", "c", _) if offset == bytes / 2 => Crashes,
                        ("large", ..) => Unharmed,
                        _ => OVERLAP,
                    };
                    found(off, of_block(face, size, NOT_A_BLOCK))
                },
            );
        }
    }
    row
}

fn foreign() -> Row {
    let mut row = Row::new("M4", "free of a stack, static or foreign pointer");
    for mistake in ["free_stack", "free_static", "free_mapped"] {
        row.mistake(mistake, FACES, &["local"], SIZES, &[], |face, _, size| {
            let off = match (face, size) {
                ("c", _) => Unharmed,
                (_, "small" | "medium") if mistake == "free_mapped" => CHANGED,
                // What lies where a page's header would be is chance.
                _ => Open,
            };
            found(off, NOT_OURS)
        });
    }
    row
}

fn other_layout() -> Row {
    let mut row = Row::new("M5", "`dealloc` with a layout of another class");
    for (size, other, off, found_) in [
        (SMALL, 480, Unharmed, OTHER_CLASS),
        (SMALL, MEDIUM.1, Unharmed, OTHER_CLASS),
        (MEDIUM, SMALL.1, Unharmed, OTHER_CLASS),
        (SMALL, LARGE.1, Crashes, OTHER_CLASS),
        (LARGE, SMALL.1, Unharmed, OTHER_CLASS),
        (LARGE, 2 * LARGE.1, Unharmed, OTHER_CLASS),
        (SMALL, HUGE.1, Unharmed, OTHER_CLASS),
        (HUGE, SMALL.1, Crashes, OTHER_CLASS),
        (HUGE, LARGE.1, Open, OTHER_CLASS),
    ] {
        row.mistake(
            "free_with_other_layout",
            &["rust"],
            &["local"],
            &[size],
            &[other],
            |_, _, _| found(off, found_),
        );
    }
    row
}

fn overflow() -> Row {
    let mut row = Row::new("M6", "overflow by 1 to 8 bytes");
    // The sizes are their classes' own, so that what follows is the next block.
    let sizes = &[SMALL, WHOLE];
    for bytes in [1, 8] {
        row.mistake(
            "overflow_then_free",
            FACES,
            PLACES,
            sizes,
            &[bytes],
            |_, _, _| [Unharmed, Unharmed, OVERFLOW],
        );
        row.mistake(
            "overflow_then_reuse",
            FACES,
            PLACES,
            sizes,
            &[bytes],
            |_, place, size| {
                let off = match (place, size, bytes) {
                    ("remote", "small", 1) => OVERLAP,
                    _ => Crashes,
                };
                // Where there are eight bytes behind each block, the next one is not reached.
                [off, WRITTEN, Unharmed]
            },
        );
    }
    row
}

fn linear_overflow() -> Row {
    const SLICE_BYTES: usize = 64 << 10;
    let mut row = Row::new("M7", "linear overflow off the page, off a large block");
    let mib = ("large", 1 << 20);
    for (size, grain) in [
        (SMALL, SLICE_BYTES),
        (MEDIUM, 4 * SLICE_BYTES),
        (mib, SLICE_BYTES),
        (HUGE, 4096),
    ] {
        row.mistake(
            "overflow_linear",
            FACES,
            &["local"],
            &[size],
            &[grain],
            |_, _, size| {
                match size {
                    // What is behind a mapping is chance.
                    "huge" => [Open, Faults, Faults],
                    _ => [Unharmed, Faults, Faults],
                }
            },
        );
    }
    row
}

fn write_after_free() -> Row {
    let mut row = Row::new("M8", "write after free, then reuse");
    for (size, bytes) in [SMALL, WHOLE] {
        for offset in [0, 8, 16, bytes - 8] {
            row.mistake(
                "write_after_free",
                FACES,
                &["local"],
                &[(size, bytes)],
                &[offset],
                |_, _, _| match offset {
                    0 => [Crashes, WRITTEN, WRITTEN],
                    8 => [Unharmed, WRITTEN, WRITTEN],
                    _ => [Unharmed, Unharmed, WRITTEN],
                },
            );
        }
    }
    for offset in [0, 8, 16] {
        row.mistake(
            "write_after_free",
            FACES,
            &["local"],
            &[LARGE],
            &[offset],
            |_, _, _| match offset {
                16 => [Unharmed, Unharmed, WRITTEN],
                _ => [Unharmed, WRITTEN, WRITTEN],
            },
        );
    }
    row.mistake(
        "write_after_free",
        &["rust"],
        &["local"],
        &[HUGE],
        &[0],
        |_, _, _| [Faults; 3],
    );
    row
}

fn read_after_free() -> Row {
    let mut row = Row::new("M9", "read after free, and of what a new block holds");
    row.mistake(
        "read_after_free",
        FACES,
        &["local"],
        IN_PAGES,
        &[],
        |_, _, _| {
            [
                Spoilt("readable from byte 8 on"),
                Says("16 bytes cleared", "readable from byte 16 on"),
                Says("cleared", "readable nowhere"),
            ]
        },
    );
    row.mistake(
        "read_after_free",
        FACES,
        &["local"],
        &[LARGE],
        &[],
        // At `off`, all can be read until it goes back to the OS.
        |_, _, _| {
            [
                Open,
                Says("16 bytes cleared", "readable from byte 16 on"),
                Says("cleared", "readable nowhere"),
            ]
        },
    );
    row.mistake(
        "read_after_free",
        FACES,
        &["local"],
        &[HUGE],
        &[],
        |_, _, _| [Faults; 3],
    );
    row
}

fn nothing() -> Row {
    let mut row = Row::new("M11", "write through a zero-size block (C)");
    row.mistake(
        "write_to_nothing",
        &["c"],
        &["local"],
        &[SMALL],
        &[],
        |_, _, _| [Unharmed, Unharmed, Faults],
    );
    row
}

fn header() -> Row {
    let mut row = Row::new(
        "M12",
        "a wild write reaches page headers, from below or above",
    );
    const REACHED: End = Spoilt("headers can be reached");
    row.mistake(
        "write_to_header",
        FACES,
        &["local"],
        &[SMALL],
        &[0],
        |_, _, _| [Open, Faults, Faults],
    );
    row.mistake(
        "write_to_header",
        FACES,
        &["local"],
        &[SMALL],
        &[1],
        |_, _, _| [REACHED, Faults, Faults],
    );
    row
}

fn forged_link() -> Row {
    let mut row = Row::new("M13", "forged link in a free block");
    row.mistake("forge_link", FACES, &["local"], IN_PAGES, &[], |_, _, _| {
        found(Spoilt("the forged address is handed out"), WRITTEN)
    });
    row
}

fn other_type() -> Row {
    let mut row = Row::new("E1", "a block freed through another type");
    row.mistake(
        "free_by_other_type",
        &["rust"],
        PLACES,
        SIZES,
        &[],
        |_, _, _| found(Unharmed, OTHER_TYPE),
    );
    row
}
