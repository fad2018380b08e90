//! The progress bar: on standard error, if that is a terminal.

use crate::rounds::Step;
use indicatif::{ProgressBar, ProgressStyle};

/// Steps that the bar is divided into.
const LENGTH: u64 = 1000;

/// Shows how far the rounds are.
pub struct Progress(ProgressBar);

impl Progress {
    /// An empty bar. Where standard error is not a terminal it stays invisible,
    /// and one line says what is going on.
    #[must_use]
    pub fn new(announcement: &str) -> Self {
        let bar = bar();
        if bar.is_hidden() {
            eprintln!("allocator-lab: {announcement}");
        }
        Self(bar)
    }

    /// Shows what is about to be run. Draws here and now, in this thread: a
    /// thread that redraws by itself would disturb what is measured.
    pub fn show(&self, step: &Step) {
        self.0.set_position((step.done * LENGTH as f64) as u64);
        let (workload, entrant) = (step.workload, step.entrant);
        self.0.set_message(match step.round {
            0 => format!("warming up: {workload}"),
            round => format!("round {round}: {workload} on {entrant}"),
        });
    }
}

impl Progress {
    /// An empty bar for what is mostly done in a second: where standard error is no terminal, nothing is said.
    #[must_use]
    pub fn quiet() -> Self {
        Self(bar())
    }

    /// Shows what is being done, and how much of it is.
    pub fn show_part(&self, doing: &'static str, done: f64) {
        self.0.set_position((done * LENGTH as f64) as u64);
        self.0.set_message(doing);
    }

    /// Shows what was built last, and how much of all is.
    pub fn show_built(&self, name: &str, done: f64) {
        self.0.set_position((done * LENGTH as f64) as u64);
        self.0
            .set_message(format!("building the entrants: {name} is done"));
    }
}

/// An empty bar.
///
/// # Panics
/// Never: the template is a constant that is valid.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
    ProgressBar::new(LENGTH).with_style(style.expect("the template is valid"))
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
