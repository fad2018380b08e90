//! The matrix: what happens at each level of hardening when a program makes a mistake, or the machine fails it.
//! A row is a fault; each of its checks is a program that is run at one level and must end in one way. `rows` has them,
//! `check` runs one, `table` prints what came of them.

pub mod check;
mod faults;
mod mistakes;
pub mod table;

use check::{Check, Programs};

/// A level of hardening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `hardening = off`
    Off,
    /// `hardening = checked`
    Checked,
    /// `hardening = guarded`
    Guarded,
}

/// All of them.
pub const LEVELS: [Level; 3] = [Level::Off, Level::Checked, Level::Guarded];

impl Level {
    /// As the option has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        ["off", "checked", "guarded"][self as usize]
    }
}

/// A fault, and how it is provoked at each level.
pub struct Row {
    /// Its name in the matrix.
    pub id: &'static str,
    /// What goes wrong.
    pub fault: &'static str,
    checks: Vec<Check>,
}

impl Row {
    fn new(id: &'static str, fault: &'static str) -> Self {
        Self {
            id,
            fault,
            checks: Vec::new(),
        }
    }

    /// What is run at a level; nothing where the row says nothing of it.
    pub fn checks(&self, level: Level) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(move |check| check.level == level)
    }
}

/// All rows, of mistakes first.
#[must_use]
pub fn rows(programs: &Programs) -> Vec<Row> {
    let mut rows = mistakes::rows();
    rows.extend(faults::rows(programs));
    rows
}
