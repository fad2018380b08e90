//! What a program did with its blocks, one after the other: allocated, resized, freed. For a replay.
//!
//! ```text
//! head, 16 bytes: "alloc-tr", version, blocks live at most (4 bytes each)
//! event, 16 bytes: block, 32 bits · thread, 16 · alignment as a power of two, 8 · kind, 8 │ size, 64
//! ```
//!
//! A block is a number that is used again when it is free. No address is in it.

pub mod gather;
pub mod replay;

use std::fs;
use std::path::Path;

/// What says that it is a trace.
const MAGIC: &[u8; 8] = b"alloc-tr";

/// The only version so far.
const VERSION: u32 = 1;

/// Bytes of an event, and of the head.
const EVENT_BYTES: usize = 16;

/// What is done with a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is allocated.
    Allocate,
    /// It is freed.
    Free,
    /// It gets another size.
    Resize,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// What is done.
    pub act: Act,
    /// With which block.
    pub block: u32,
    /// By which thread, in the order in which they came; 0 where that is not known.
    pub thread: u16,
    /// The alignment as a power of two; 0 when nobody asked for any.
    pub align_log: u8,
    /// Bytes that are asked for; 0 for a free.
    pub size: u64,
}

impl Event {
    /// A step of a thread that is not known, without an alignment.
    #[must_use]
    pub const fn new(act: Act, block: u32, size: u64) -> Self {
        Self {
            act,
            block,
            thread: 0,
            align_log: 0,
            size,
        }
    }
}

/// A program's steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Most blocks live at once: numbers of blocks are below.
    pub blocks: u32,
    /// The steps, in order.
    pub events: Vec<Event>,
}

impl Trace {
    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity((self.events.len() + 1) * EVENT_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.blocks.to_le_bytes());
        for event in &self.events {
            bytes.extend_from_slice(&event.block.to_le_bytes());
            bytes.extend_from_slice(&event.thread.to_le_bytes());
            let act = match event.act {
                Act::Allocate => 0,
                Act::Free => 1,
                Act::Resize => 2,
            };
            bytes.extend_from_slice(&[event.align_log, act]);
            bytes.extend_from_slice(&event.size.to_le_bytes());
        }
        bytes
    }

    /// Whether a file's bytes say that they are a trace.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Reads a file's bytes. Whatever it accepts can be replayed: what is freed or resized is live.
    ///
    /// # Errors
    /// What is wrong, in half a line.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (head, events) = bytes
            .split_first_chunk::<EVENT_BYTES>()
            .filter(|(head, _)| Self::is_one(*head))
            .ok_or("it is not a trace")?;
        let [.., v0, v1, v2, v3, b0, b1, b2, b3] = *head;
        let (version, blocks) = (
            u32::from_le_bytes([v0, v1, v2, v3]),
            u32::from_le_bytes([b0, b1, b2, b3]),
        );
        if version != VERSION {
            return Err(format!(
                "it is of version {version}; this program reads version {VERSION}"
            ));
        }
        let (events, rest) = events.as_chunks::<EVENT_BYTES>();
        if !rest.is_empty() {
            return Err("it is cut short".to_owned());
        }
        if blocks as usize > events.len() {
            return Err("it has more blocks than events".to_owned());
        }
        let events: Option<Vec<Event>> = events.iter().map(event).collect();
        let trace = Self {
            blocks,
            events: events.ok_or("an event is of no known kind")?,
        };
        match trace.first_mistake() {
            Some(at) => Err(format!("event {at} cannot be")),
            None => Ok(trace),
        }
    }

    /// The first event that is about a block which is not there, or is there already.
    fn first_mistake(&self) -> Option<usize> {
        /// More than any block has; less than what an alignment could make overflow.
        const SIZE_MAX: u64 = 1 << 48;
        let mut live = vec![false; self.blocks as usize];
        self.events.iter().position(|event| {
            let Some(is_live) = live.get_mut(event.block as usize) else {
                return true;
            };
            let was_live = std::mem::replace(is_live, event.act != Act::Free);
            let is_sane = event.size <= SIZE_MAX && event.align_log <= 30;
            was_live == (event.act == Act::Allocate) || !is_sane
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong, in a line with the file's name.
    pub fn load(path: &Path) -> Result<Self, String> {
        let name = path.display();
        let bytes = fs::read(path).map_err(|error| format!("cannot read '{name}': {error}"))?;
        Self::from_bytes(&bytes).map_err(|mistake| format!("'{name}': {mistake}"))
    }
}

fn event(bytes: &[u8; EVENT_BYTES]) -> Option<Event> {
    let [b0, b1, b2, b3, t0, t1, align_log, act, size @ ..] = *bytes;
    Some(Event {
        act: match act {
            0 => Act::Allocate,
            1 => Act::Free,
            2 => Act::Resize,
            _ => return None,
        },
        block: u32::from_le_bytes([b0, b1, b2, b3]),
        thread: u16::from_le_bytes([t0, t1]),
        align_log,
        size: u64::from_le_bytes(size),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(act: Act, block: u32, size: u64) -> Event {
        Event {
            thread: 1,
            align_log: 4,
            ..Event::new(act, block, size)
        }
    }

    fn trace() -> Trace {
        Trace {
            blocks: 2,
            events: vec![
                event(Act::Allocate, 0, 24),
                event(Act::Allocate, 1, 1 << 40),
                event(Act::Resize, 0, 48),
                event(Act::Free, 0, 0),
                event(Act::Allocate, 0, 8),
            ],
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let bytes = trace().to_bytes();
        assert_eq!(bytes.len(), 6 * EVENT_BYTES);
        assert_eq!(Trace::from_bytes(&bytes), Ok(trace()));
    }

    #[test]
    fn what_cannot_be_is_told() {
        let good = trace().to_bytes();
        for end in [0, 15, 17, good.len() - 1] {
            assert!(Trace::from_bytes(&good[..end]).is_err(), "{end}");
        }
        type Change = fn(&mut Trace);
        let wrong: [(Change, &str); 5] = [
            (|it| it.blocks = 9, "more blocks than events"),
            (|it| it.events[2].block = 2, "event 2 cannot be"),
            (|it| it.events[1].block = 0, "event 1 cannot be"),
            (|it| it.events[0].act = Act::Free, "event 0 cannot be"),
            (|it| it.events[1].size = 1 << 60, "event 1 cannot be"),
        ];
        for (change, part) in wrong {
            let mut trace = trace();
            change(&mut trace);
            let mistake = Trace::from_bytes(&trace.to_bytes()).unwrap_err();
            assert!(mistake.contains(part), "{mistake}");
        }
        let mut later = good;
        later[8] = 7;
        assert!(Trace::from_bytes(&later).unwrap_err().contains("version 7"));
    }
}
