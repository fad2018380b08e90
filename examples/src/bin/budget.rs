//! A budget: over it, allocation fails, which a program can answer instead of
//! being killed for the memory it takes.

use allocator_core::derive_allocator;
use std::collections::TryReserveError;

/// Serves the whole program, up to 64 MiB.
#[derive_allocator(limit = 64MiB)]
struct BoundedAlloc;

#[global_allocator]
static GLOBAL: BoundedAlloc = BoundedAlloc;

/// Room for a body of as many bytes as its sender says it has.
fn room_for(body_bytes: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut body = Vec::new();
    body.try_reserve_exact(body_bytes)?;
    Ok(body)
}

fn main() {
    for mib in [1, 32, 128] {
        match room_for(mib << 20) {
            Ok(body) => println!("{mib} MiB: served, {} MiB", body.capacity() >> 20),
            Err(error) => println!("{mib} MiB: refused, {error}"),
        }
    }
    // What could be served still can.
    println!(
        "32 MiB again: {}",
        if room_for(32 << 20).is_ok() {
            "served"
        } else {
            "refused"
        }
    );
}
