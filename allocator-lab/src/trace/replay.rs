//! A trace, done again by this process's `malloc`, whatever object is before it: one thread, blocks
//! touched as a program would at least.

use super::{Act, Event, Trace};
use std::ptr;

/// What a page of memory is backed by.
const OS_PAGE_BYTES: usize = 4096;

/// Steps that a replay has at least: under a second's work, and far more than noise.
const STEPS_MIN: usize = 2_000_000;

/// How many times a trace is done over to be worth measuring.
#[must_use]
pub fn times(trace: &Trace) -> usize {
    STEPS_MIN.div_ceil(trace.events.len().max(1)).min(100)
}

/// Blocks of this process's `malloc`, by number.
struct Blocks(Vec<*mut libc::c_void>);

/// Does all steps, `times` times over, and frees what is left after each. Returns a sum over what was found in
/// freed blocks, which is the same under every allocator.
///
/// # Errors
/// When there is no memory.
pub fn replay(trace: &Trace, times: usize) -> Result<u64, String> {
    let mut blocks = Blocks(vec![ptr::null_mut(); trace.blocks as usize]);
    let mut sum = 0_u64;
    for _ in 0..times {
        for event in &trace.events {
            sum = sum.wrapping_add(blocks.step(event)?);
        }
        for block in &mut blocks.0 {
            // SAFETY: null, or a block that is not used any more.
            unsafe { libc::free(std::mem::replace(block, ptr::null_mut())) };
        }
    }
    Ok(sum)
}

impl Blocks {
    fn step(&mut self, event: &Event) -> Result<u64, String> {
        let block = &mut self.0[event.block as usize];
        // No size is 0: what that returns differs.
        let size = (event.size as usize).max(1);
        let got = match event.act {
            Act::Free => {
                // SAFETY: a live block (`Trace::from_bytes`), of a byte at least, which was written.
                let first = unsafe { block.cast::<u8>().read() };
                // SAFETY: the block is not used any more.
                unsafe { libc::free(std::mem::replace(block, ptr::null_mut())) };
                return Ok(u64::from(first));
            }
            // SAFETY: a live block.
            Act::Resize => unsafe { libc::realloc(*block, size) },
            Act::Allocate if event.align_log > 4 => {
                // SAFETY: a power of two of at least 32.
                unsafe { libc::memalign(1 << event.align_log, size) }
            }
            // SAFETY: it has no preconditions.
            Act::Allocate => unsafe { libc::malloc(size) },
        };
        if got.is_null() {
            return Err(format!("no memory for a block of {size}"));
        }
        *block = got;
        let mark = event.size as u8;
        for at in (0..size).step_by(OS_PAGE_BYTES) {
            // SAFETY: in the block.
            unsafe { got.cast::<u8>().add(at).write(mark) };
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_done_and_the_blocks_hold_what_was_written() {
        let trace = Trace {
            blocks: 2,
            events: vec![
                Event::new(Act::Allocate, 0, 24),
                Event {
                    align_log: 12,
                    ..Event::new(Act::Allocate, 1, 70_000)
                },
                Event::new(Act::Resize, 0, 5000),
                Event::new(Act::Free, 0, 0),
                Event::new(Act::Allocate, 0, 0),
                Event::new(Act::Free, 1, 0),
            ],
        };
        let expected = u64::from(5000_u64 as u8) + u64::from(70_000_u64 as u8);
        assert_eq!(replay(&trace, 3), Ok(3 * expected));
    }
}
