//! Uses a block after its free, or not: what AddressSanitizer makes of it is for `.ci/sanitize` to look at.

use std::alloc::Layout;
use std::hint::black_box;
use std::ptr::{self, NonNull};

use allocator_core::__private::c_face;
use allocator_core::derive_allocator;

#[path = "../../raced/src/nameless.rs"]
mod nameless;

/// As it comes.
#[derive_allocator]
struct Plain;

/// Free blocks are signed, which takes their first two words.
#[derive_allocator(hardening = checked)]
struct Checked;

/// Of both faces.
#[derive_allocator(export = malloc, crate = crate::nameless)]
struct Exported;

/// A face of a type: how to allocate, to resize and to free. Null is no memory.
struct Face {
    allocate: fn(Layout) -> *mut u8,
    resize: fn(*mut u8, Layout, usize) -> *mut u8,
    free: fn(*mut u8, Layout),
}

macro_rules! by_layout {
    ($type:ident) => {
        Face {
            allocate: |layout| {
                let block = $type.allocate(layout);
                block.map_or(ptr::null_mut(), NonNull::as_ptr)
            },
            resize: |block, layout, size| {
                let block = NonNull::new(block).expect("memory");
                // SAFETY: a live block of this layout.
                let block = unsafe { $type.reallocate(block, layout, size) };
                block.map_or(ptr::null_mut(), NonNull::as_ptr)
            },
            free: |block, layout| {
                let block = NonNull::new(block).expect("memory");
                // SAFETY: freed once.
                unsafe { $type.deallocate(block, layout) };
            },
        }
    };
}

const C: Face = Face {
    allocate: |layout| c_face::malloc::<Exported>(layout.size()),
    // SAFETY: a live block.
    resize: |block, _, size| unsafe { c_face::realloc::<Exported>(block, size) },
    // SAFETY: freed once.
    free: |block, _| unsafe { c_face::free::<Exported>(block) },
};

impl Face {
    /// Blocks that are written from end to end.
    fn blocks(&self, count: usize, layout: Layout) -> Vec<*mut u8> {
        let block = || {
            let block = (self.allocate)(layout);
            assert!(!block.is_null(), "memory");
            // SAFETY: in bounds.
            unsafe { block.write_bytes(1, layout.size()) };
            block
        };
        (0..count).map(|_| block()).collect()
    }
}

/// `clean FACE BYTES`, or `after_free FACE BYTES OFFSET`
fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| -> usize { arguments[index].parse().expect("a number") };
    let face = match arguments[1].as_str() {
        "rust" => by_layout!(Plain),
        "checked" => by_layout!(Checked),
        "c" => C,
        other => panic!("unknown: {other}"),
    };
    let size = number(2);
    let layout = Layout::from_size_align(size, 8).expect("a layout");
    let count = if size > 1 << 20 { 8 } else { 100 };
    let mut blocks = face.blocks(count, layout);
    for block in &mut blocks {
        // To and fro: what is left must be free, what is got usable.
        for (before, after) in [(size, 3 * size), (3 * size, size)] {
            let layout = Layout::from_size_align(before, 8).expect("a layout");
            *block = (face.resize)(*block, layout, after);
            // SAFETY: in bounds.
            unsafe { block.write_bytes(1, after) };
        }
    }
    for &block in &blocks {
        (face.free)(block, layout);
    }
    // Some of them again, which may be used.
    let again = face.blocks(count / 5, layout);
    let is_free = |block: &&*mut u8| !again.contains(block);
    let victim = *blocks.iter().find(is_free).expect("more were freed");
    match arguments[0].as_str() {
        "clean" => println!("clean"),
        "after_free" => {
            // SAFETY: none; the mistake.
            let read = unsafe { black_box(victim.add(number(3))).read_volatile() };
            println!("read {read}");
        }
        other => panic!("unknown: {other}"),
    }
}
