//! Bytes as operations of which exactly one is a mistake: what the fuzzer `mistake` of `tests/fuzz` runs, and
//! the test that replays its corpus.
//!
//! The types look for misuse (`hardening = checked` and more), so the mistake must be reported, as what it is
//! and where it is, before anything else goes wrong; and nothing may be reported before it is made. Each sequence
//! is run by a child of fork, which the report ends.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicUsize};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use allocator_core::derive_allocator;
use allocator_core::{Corruption, Fault};

use crate::block::Block;
use crate::forked::fork;
use crate::fuzzed::Bytes;
use crate::model::Model;
use crate::subject::{Subject, layout};

/// As it comes.
#[derive_allocator(hardening = checked, on_corruption = hook(crate::mistaken::found))]
pub struct Checked;

/// Without the random mode, with classes that are no powers of two.
#[derive_allocator(
    size_classes = [16, 24, 40, 72, 136, 264, 520, 1032, 2056, 4104, 8200, 16392, 32776, 65536],
    hardening = checked,
    on_corruption = hook(crate::mistaken::found),
    fast_path(cache = off),
    tls = pointer,
)]
pub struct CheckedOdd;

/// With guards, and chunks of its own.
#[derive_allocator(
    hardening(level = checked, guards, isolate),
    on_corruption = hook(crate::mistaken::found),
    purge = now,
)]
pub struct Fenced;

/// All of it: blocks end where they were asked to, wait when they are freed, and are zero then.
#[derive_allocator(hardening = guarded, on_corruption = hook(crate::mistaken::found))]
pub struct Guarded;

crate::subjects!(Checked, CheckedOdd, Fenced, Guarded);

/// Steps before the mistake, and after it, at most.
const STEPS_MAX: usize = 24;
/// A child that takes longer hangs, be the machine as busy as it may.
const HANG: Duration = Duration::from_secs(300);
/// What a large block's length is a multiple of.
const SLICE_BYTES: usize = 64 << 10;
/// Alignment up to which each of the types has classes.
const CLASS_ALIGN: usize = 4096;
/// Up to here a block is large at most, and has no guard right behind it.
const LARGE_BYTES: usize = 12 << 20;
/// Blocks of the class of which one is written to when it is free.
const ROW: usize = 60;

/// What must be reported: one of these, at this address.
struct Expected {
    faults: &'static [Fault],
    address: usize,
}

/// None before the mistake is made.
static EXPECTED: Mutex<Option<Expected>> = Mutex::new(None);
/// What a child does last: a fuzzer brings home what it has seen.
static LAST: OnceLock<fn()> = OnceLock::new();

/// Has each child do `last` at its end.
pub fn at_each_end(last: fn()) {
    LAST.get_or_init(|| last);
}

/// Ends the child: well, if this is what was to be found.
fn found(corruption: &Corruption) {
    let Some(expected) = EXPECTED.lock().unwrap().take() else {
        fail("reported before the mistake");
    };
    if !expected.faults.contains(&corruption.fault) {
        fail("another fault");
    }
    if expected.address != corruption.address {
        fail("another address");
    }
    end(0);
}

fn fail(what: &str) -> ! {
    eprintln!("{what}");
    end(3)
}

fn end(status: i32) -> ! {
    if let Some(last) = LAST.get() {
        last();
    }
    // SAFETY: always allowed.
    unsafe { libc::_exit(status) }
}

/// A sequence with one mistake, on the type that the first byte says.
///
/// # Panics
/// When the mistake is not reported, or something else is.
pub fn mistake(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let run = match bytes.byte() % 4 {
        0 => run::<Checked>,
        1 => run::<CheckedOdd>,
        2 => run::<Fenced>,
        _ => run::<Guarded>,
    };
    fork(|| {
        run(&mut bytes);
        end(0);
    })
    .succeeds_within(HANG);
}

/// Returns when the bytes make no mistake of it.
fn run<A: Subject>(bytes: &mut Bytes) {
    let mut model = Model::<A>::default();
    let (kind, detail) = (bytes.byte(), bytes.below(1 << 16));
    let before = bytes.below(STEPS_MAX);
    for _ in 0..before {
        model.step(&bytes.step());
    }
    match kind % 8 {
        0 => double_free(&mut model, bytes),
        1 => double_free_later(&mut model, bytes),
        2 => free_inner(&mut model, bytes, detail),
        3 => free_foreign(&mut model, bytes, detail),
        4 => free_with_other_layout(&mut model, bytes, detail),
        5 if has_canaries::<A>() => overflow(&mut model, bytes, detail),
        _ => write_to_free(&mut model, bytes, detail),
    }
}

/// Says what must be reported from now on.
fn expect(faults: &'static [Fault], address: usize) {
    *EXPECTED.lock().unwrap() = Some(Expected { faults, address });
}

/// Frees what must not be freed.
fn free_wrongly<A: Subject>(
    model: &mut Model<A>,
    bytes: &mut Bytes,
    address: NonNull<u8>,
    (size, align): (usize, usize),
) -> ! {
    let address = AtomicPtr::new(address.as_ptr());
    model.on(bytes.by(), move || {
        let address = NonNull::new(address.into_inner()).expect("not null");
        // SAFETY: the mistake.
        unsafe { A::deallocate(address, layout(size, align)) };
    });
    fail("not reported");
}

/// What a block was asked for as.
fn asked<A: Subject>(block: &Block<A>) -> (usize, usize) {
    (block.layout().size(), block.layout().align())
}

/// Whether the bytes behind each block are looked at. Then a block has what was asked for, and no more.
fn has_canaries<A: Subject>() -> bool {
    A::CHOICES.hardening.canaries
}

/// Whether blocks of this layout are signed when they are free.
fn is_signed<A: Subject>(asked: (usize, usize)) -> bool {
    has_canaries::<A>() || A::usable_size(layout(asked.0, asked.1)) >= 16
}

fn double_free<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes) {
    let Some(block) = model.take(bytes.pick()) else {
        return;
    };
    let (start, asked) = (block.start(), asked(&block));
    if !is_signed::<A>(asked) {
        return;
    }
    model.on(bytes.by(), || block.free());
    expect(&[Fault::DoubleFree], start.addr().get());
    free_wrongly(model, bytes, start, asked);
}

/// Operations lie between, after which the memory is nobody's still.
fn double_free_later<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes) {
    let Some(block) = model.take(bytes.pick()) else {
        return;
    };
    let (start, asked, (first, end)) = (block.start(), asked(&block), block.span());
    // Of a block of no bytes, too, the start may be another's.
    let span = (first, end.max(first + 1));
    model.on(bytes.by(), || block.free());
    for _ in 0..bytes.below(STEPS_MAX) {
        model.step(&bytes.step());
    }
    if !is_signed::<A>(asked) || model.is_in_use(span) {
        return;
    }
    // The page may have gone meanwhile, and what is there now may be of another class.
    let faults = &[
        Fault::DoubleFree,
        Fault::NotABlock,
        Fault::NotOurs,
        Fault::OtherClass,
    ];
    expect(faults, start.addr().get());
    free_wrongly(model, bytes, start, asked);
}

fn free_inner<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes, detail: usize) {
    let Some(block) = model.take(bytes.pick()) else {
        return;
    };
    let (first, end) = block.span();
    if first == end {
        return;
    }
    let offset = match detail % 4 {
        0 => 1,
        1 => 8 << (detail / 4 % 20),
        _ => detail / 4,
    };
    let offset = offset % (end - first);
    if offset == 0 {
        return;
    }
    // SAFETY: in bounds.
    let inner = unsafe { block.start().add(offset) };
    expect(&[Fault::NotABlock], inner.addr().get());
    free_wrongly(model, bytes, inner, asked(&block));
}

fn free_foreign<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes, detail: usize) {
    static STATIC: [AtomicUsize; 512] = [const { AtomicUsize::new(0) }; 512];
    let local = [const { AtomicUsize::new(0) }; 512];
    let boxed: Vec<AtomicUsize> = (0..512).map(AtomicUsize::new).collect();
    let foreign = match detail % 3 {
        0 => &STATIC[detail / 3 % 512],
        1 => &local[detail / 3 % 512],
        _ => &boxed[detail / 3 % 512],
    };
    let size = 1 + bytes.below(2 << 20);
    let address = NonNull::from(foreign).cast();
    expect(&[Fault::NotOurs], address.addr().get());
    free_wrongly(model, bytes, address, (size, 1));
}

fn free_with_other_layout<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes, detail: usize) {
    let Some(block) = model.take(bytes.pick()) else {
        return;
    };
    let (size, align) = asked(&block);
    let other = match detail % 3 {
        0 => size / 2,
        1 => size + detail,
        _ => bytes.any_size(),
    };
    let (usable, other_usable) = (
        A::usable_size(block.layout()),
        A::usable_size(layout(other, align)),
    );
    // Large blocks, as small ones are for which no class is aligned well enough, take slices, of which a guard
    // may have some bytes.
    let are_large = usable.min(other_usable) > SLICE_BYTES / 2 || align > CLASS_ALIGN;
    if usable == other_usable || are_large && usable.abs_diff(other_usable) < SLICE_BYTES {
        return;
    }
    let faults: &[_] = match has_canaries::<A>() {
        // Of the same class, but its end is not there.
        true => &[Fault::OtherClass, Fault::Overflow],
        false => &[Fault::OtherClass],
    };
    expect(faults, block.start().addr().get());
    free_wrongly(model, bytes, block.start(), (other, align));
}

/// Writes behind a block, which is freed or resized then.
fn overflow<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes, detail: usize) {
    let Some(block) = model.take(bytes.pick()) else {
        return;
    };
    let (start, (size, align)) = (block.start(), asked(&block));
    if size + align > LARGE_BYTES {
        return;
    }
    // SAFETY: none; the mistake. The byte is the block's, and not its user's.
    unsafe { *start.add(size + detail % 8).as_ptr() ^= 1 << (detail / 8 % 8) };
    expect(&[Fault::Overflow], start.addr().get());
    if (detail / 64).is_multiple_of(2) {
        free_wrongly(model, bytes, start, (size, align));
    }
    let (address, new_size) = (AtomicPtr::new(start.as_ptr()), bytes.any_size());
    model.on(bytes.by(), move || {
        let address = NonNull::new(address.into_inner()).expect("not null");
        // SAFETY: a live block of this layout.
        let _ = unsafe { A::reallocate(address, layout(size, align), new_size) };
    });
    fail("not reported");
}

/// Writes to a block that is free, in a page with others in use; and goes on, until it would be used.
fn write_to_free<A: Subject>(model: &mut Model<A>, bytes: &mut Bytes, detail: usize) {
    let size = 16 + bytes.below(4000);
    let new = |cookie| Block::<A>::new(size, 8, false, cookie).expect("there is memory");
    let mut row: Vec<_> = (0..ROW as u64).map(new).collect();
    // Every second one is free, so that no page is.
    let mut is_even = false;
    let free: Vec<_> = row
        .extract_if(.., |_| {
            is_even = !is_even;
            is_even
        })
        .collect();
    let mut victim = free[detail % free.len()].start().as_ptr();
    let next = free[(detail + 1) % free.len()].start().as_ptr();
    free.into_iter().for_each(Block::free);
    let words: *mut [usize; 2] = victim.cast();
    // SAFETY: the mistake, here and below, in memory that is there.
    let before = unsafe { words.read() };
    // What an overflow leaves, a write after the free, a forged link.
    let anywhere = A::CHOICES.hardening.zero && detail / 256 % 2 == 1;
    // SAFETY: as above.
    unsafe {
        match detail / 64 % 4 {
            // All of it is looked at.
            _ if anywhere => *victim.add(detail / 512 * 97 % size) ^= 1 << (detail % 8),
            0 => victim.write_bytes(bytes.byte() as u8 | 1, 1 + detail % 16),
            1 => (*words)[detail % 2] ^= 1 << bytes.below(64),
            2 => (*words)[0] = next.expose_provenance(),
            _ => ptr::write(words, [0, 0]),
        }
    }
    // SAFETY: as above.
    if !anywhere && unsafe { words.read() } == before {
        return;
    }
    expect(&[Fault::FreeBlockWritten], victim.addr());
    for _ in 0..bytes.below(STEPS_MAX) {
        model.step(&bytes.step());
    }
    if A::CHOICES.hardening.quarantine_bytes > 0 {
        // Lets go of what waits.
        A::purge();
    }
    for cookie in 0..100_000 {
        victim = new(cookie).start().as_ptr();
    }
    fail(&format!("not reported, the last block was {victim:p}"));
}
