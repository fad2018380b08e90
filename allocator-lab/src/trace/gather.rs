//! The traces that a run's processes left, as one.

use super::{Act, Event, Trace};
use allocator_core::__private::{TracedAct, TracedStep, traced_steps};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// What the traces in a folder say.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The trace of the process with the most steps: several at once are several heaps.
    pub trace: Trace,
    /// Processes that left one.
    pub processes: usize,
    /// Steps of that process that found no room.
    pub lost: u64,
}

/// Reads the traces in a folder.
///
/// # Errors
/// What stands in the way, in a line.
pub fn gather(folder: &Path) -> Result<Gathered, String> {
    let cannot = |error| format!("cannot read '{}': {error}", folder.display());
    let mut gathered = Gathered::default();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let mut builder = Builder::default();
        let Some(lost) = traced_steps(&path, |step| builder.add(step)) else {
            continue;
        };
        gathered.processes += 1;
        if builder.trace.events.len() > gathered.trace.events.len() {
            gathered.trace = builder.trace;
            gathered.lost = lost;
        }
    }
    Ok(gathered)
}

impl Gathered {
    /// What was seen, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let lost = match self.lost {
            0 => String::new(),
            steps => format!("; {steps} more found no room"),
        };
        format!(
            "the trace has {} steps of the largest of {} processes, {} blocks live at most{lost}",
            self.trace.events.len(),
            self.processes,
            self.trace.blocks
        )
    }
}

/// Makes numbers of addresses.
#[derive(Default)]
struct Builder {
    trace: Trace,
    live: HashMap<u64, u32>,
    free: Vec<u32>,
    /// The block that is being resized.
    resized: Option<u32>,
}

impl Builder {
    fn add(&mut self, step: TracedStep) {
        let TracedStep {
            act,
            address,
            size,
            align_log,
            thread,
        } = step;
        let mut push = |act, block| {
            self.trace.events.push(Event {
                act,
                block,
                thread,
                align_log,
                size,
            });
        };
        match act {
            TracedAct::Free => {
                // What was allocated before the trace began, or by a parent, is left out.
                if let Some(block) = self.live.remove(&address) {
                    push(Act::Free, block);
                    self.free.push(block);
                }
            }
            TracedAct::ResizeFrom => self.resized = self.live.remove(&address),
            TracedAct::ResizeTo | TracedAct::Allocate => {
                let resized = match act {
                    TracedAct::ResizeTo => self.resized.take(),
                    _ => None,
                };
                let (act, block) = match resized {
                    Some(block) => (Act::Resize, block),
                    None => {
                        let fresh = self.free.pop().unwrap_or_else(|| {
                            self.trace.blocks += 1;
                            self.trace.blocks - 1
                        });
                        (Act::Allocate, fresh)
                    }
                };
                push(act, block);
                // A step of another thread that was written a little late: the address is in use
                // again already. The older block is taken for freed when the newer one is.
                if let Some(older) = self.live.insert(address, block) {
                    self.trace.events.push(Event {
                        thread,
                        ..Event::new(Act::Free, older, 0)
                    });
                    self.free.push(older);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_numbers_that_are_used_again() {
        let mut builder = Builder::default();
        for (act, address, size) in [
            (TracedAct::Allocate, 0x1000, 24),
            (TracedAct::Free, 0x9000, 0),
            (TracedAct::Allocate, 0x2000, 48),
            (TracedAct::ResizeFrom, 0x1000, 0),
            (TracedAct::ResizeTo, 0x3000, 96),
            (TracedAct::Free, 0x2000, 0),
            (TracedAct::Allocate, 0x2000, 8),
            (TracedAct::ResizeFrom, 0x7000, 0),
            (TracedAct::ResizeTo, 0x8000, 16),
        ] {
            builder.add(TracedStep {
                act,
                address,
                size,
                align_log: 0,
                thread: 1,
            });
        }
        let steps = builder.trace.events.iter();
        let steps: Vec<_> = steps.map(|it| (it.act, it.block, it.size)).collect();
        assert_eq!(
            steps,
            [
                (Act::Allocate, 0, 24),
                (Act::Allocate, 1, 48),
                (Act::Resize, 0, 96),
                (Act::Free, 1, 0),
                (Act::Allocate, 1, 8),
                (Act::Allocate, 2, 16),
            ]
        );
        let bytes = builder.trace.to_bytes();
        assert_eq!(Trace::from_bytes(&bytes), Ok(builder.trace));
    }
}
