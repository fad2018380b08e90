//! The mistakes, each as a program makes it.

use std::collections::VecDeque;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::aftermath::{Held, OVERLAP, TWICE};
use super::misused::Misused;
use super::scene::Scene;

/// Bytes that a mistake writes where nothing should be written; as an address they are none.
const JUNK: u8 = 0x41;

/// A mistake: its name, and how it is made.
type Mistake = (&'static str, fn(&Scene));

/// Makes the mistake `name`; `G` is another type.
pub(super) fn make<F: Misused, G: Misused>(name: &str, scene: &Scene) {
    let mistakes: &[Mistake] = &[
        ("clean", clean::<F>),
        ("double_free", double_free::<F>),
        ("double_free_later", double_free_later::<F>),
        ("double_free_after_reuse", double_free_after_reuse::<F>),
        ("free_inner", free_inner::<F>),
        ("free_stack", free_stack::<F>),
        ("free_static", free_static::<F>),
        ("free_mapped", free_mapped::<F>),
        ("free_with_other_layout", free_with_other_layout::<F>),
        ("free_by_other_type", free_by_other_type::<F, G>),
        ("overflow_then_free", overflow_then_free::<F>),
        ("overflow_then_reuse", overflow_then_reuse::<F>),
        ("overflow_linear", overflow_linear::<F>),
        ("write_after_free", write_after_free::<F>),
        ("read_after_free", read_after_free::<F>),
        ("write_to_nothing", write_to_nothing::<F>),
        ("write_to_header", write_to_header::<F>),
        ("forge_link", forge_link::<F>),
    ];
    let known = mistakes.iter().find(|known| known.0 == name);
    known
        .unwrap_or_else(|| panic!("no mistake is called {name}"))
        .1(scene);
    panic!("the mistake says how it ended");
}

fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}

/// Blocks in use, of this size.
fn in_use<'a>(scene: &Scene, blocks: impl IntoIterator<Item = &'a usize>) -> Vec<Held> {
    let held = |address: &usize| Held {
        address: *address,
        bytes: scene.size,
        if_handed_out: TWICE,
    };
    blocks.into_iter().map(held).collect()
}

/// Memory that was never the heap's.
fn foreign(address: usize, bytes: usize) -> Held {
    Held {
        address,
        bytes,
        if_handed_out: "foreign memory is handed out",
    }
}

/// Blocks side by side.
struct Neighbours {
    block: usize,
    /// Starts where the bytes of the first's class end.
    next: usize,
    /// Others of the same page, or thereabouts.
    mates: [usize; 2],
    /// All others.
    others: Vec<usize>,
}

impl Neighbours {
    /// Frees the second one, between two others, so that its link is one that is followed.
    fn free_next<F: Misused>(&self, scene: &Scene) {
        // A thread with a heap frees all three before any of them goes home; one without sends each by itself, and
        // the owner's heap may be visited in between.
        std::hint::black_box(F::allocate(scene.size));
        for block in [self.mates[0], self.next, self.mates[1]] {
            // SAFETY: freed once.
            unsafe { F::free(block, scene.size) };
        }
    }
}

fn neighbours<F: Misused>(scene: &Scene) -> Neighbours {
    let class_bytes = F::class_bytes(scene.size).unwrap_or(scene.size.next_multiple_of(64 << 10));
    let mut blocks = scene.blocks::<F>(scene.many());
    blocks.sort_unstable();
    // What has a mapping of its own has no neighbours.
    let are_neighbours = |four: &[usize]| {
        scene.size > 16 << 20 || (0..3).all(|at| four[at] + class_bytes == four[at + 1])
    };
    // In the middle: the page has others in use.
    let middle = blocks.len() / 3;
    let at = blocks[middle..].windows(4).position(are_neighbours);
    let at = middle + at.expect("blocks side by side");
    let four: Vec<_> = blocks.drain(at..at + 4).collect();
    Neighbours {
        block: four[1],
        next: four[2],
        mates: [four[0], four[3]],
        others: blocks,
    }
}

/// Allocates until `block` is handed out, and frees some of what it is not; whether it was.
fn reuse<F: Misused>(scene: &Scene, block: usize) -> bool {
    let size = scene.size;
    scene.by_owner(move || {
        let mut kept = VecDeque::new();
        for _ in 0..50_000 {
            let other = F::allocate(size);
            if other == block {
                return true;
            }
            kept.push_back(other);
            if kept.len() > 64 {
                // SAFETY: allocated above.
                unsafe { F::free(kept.pop_front().expect("one"), size) };
            }
        }
        false
    })
}

/// No mistake.
fn clean<F: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(3);
    // SAFETY: freed once.
    unsafe { F::free(blocks[1], scene.size) };
    scene.ends::<F>(&in_use(scene, [&blocks[0], &blocks[2]]));
}

fn double_free<F: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(3);
    scene.says_block::<F>(blocks[1]);
    // SAFETY: the mistake.
    unsafe {
        F::free(blocks[1], scene.size);
        F::free(blocks[1], scene.size);
    }
    scene.ends::<F>(&in_use(scene, [&blocks[0], &blocks[2]]));
}

/// The owner frees; 1024 operations later somebody frees again.
fn double_free_later<F: Misused>(scene: &Scene) {
    let size = scene.size;
    let count = if size < 100_000 { 1024 } else { 64 };
    scene.settle::<F>();
    let blocks = scene.blocks::<F>(count + 2);
    let victim = blocks[0];
    let (freed, kept): (Vec<_>, Vec<_>) = (1..).zip(&blocks[1..]).partition(|(at, _)| at % 2 == 0);
    let freed: Vec<usize> = freed.into_iter().map(|(_, block)| *block).collect();
    // Of another kind, of which there is a page, so that none takes the block's place.
    let other = size.min(400) / 2 + 1;
    scene.by_owner(move || {
        let _ = F::allocate(other);
        // SAFETY: freed once, so far; and others.
        unsafe {
            F::free(victim, size);
            for block in freed {
                F::free(block, size);
                let _ = F::allocate(other);
            }
        }
    });
    scene.says_block::<F>(victim);
    // SAFETY: the mistake.
    unsafe { F::free(victim, size) };
    scene.ends::<F>(&in_use(scene, kept.into_iter().map(|(_, block)| block)));
}

/// Freed, handed out again, freed by who had it before, freed by who has it.
fn double_free_after_reuse<F: Misused>(scene: &Scene) {
    let size = scene.size;
    scene.settle::<F>();
    let blocks = scene.blocks::<F>(3);
    let victim = blocks[1];
    // SAFETY: freed once, so far.
    scene.by_owner(move || unsafe { F::free(victim, size) });
    assert!(reuse::<F>(scene, victim), "the block is handed out again");
    scene.says_block::<F>(victim);
    // SAFETY: the mistake.
    unsafe { F::free(victim, size) };
    // SAFETY: the new owner's right, but for the mistake.
    scene.by_owner(move || unsafe { F::free(victim, size) });
    scene.ends::<F>(&in_use(scene, [&blocks[0], &blocks[2]]));
}

/// Frees what is so many bytes inside.
fn free_inner<F: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(3);
    let inner = blocks[1] + scene.arguments[0];
    scene.says_block::<F>(inner);
    // SAFETY: the mistake.
    unsafe { F::free(inner, scene.size) };
    let mut held = in_use(scene, &blocks);
    held[1].if_handed_out = OVERLAP;
    scene.ends::<F>(&held);
}

/// Frees memory that is not the heap's, which is to stay as it was.
fn free_foreign<F: Misused>(scene: &Scene, address: usize, bytes: usize) {
    let _ = F::allocate(scene.size);
    // SAFETY: the memory is the caller's, here and below.
    unsafe { pointer(address).write_bytes(JUNK, bytes) };
    // C does not say what it takes it for.
    let class_bytes = F::class_bytes(scene.size).filter(|_| !F::IS_C);
    scene.says(address, class_bytes);
    // SAFETY: the mistake.
    unsafe { F::free(address, scene.size) };
    // SAFETY: as above.
    let is_as_it_was =
        (0..bytes).all(|at| unsafe { pointer(address + at).read_volatile() } == JUNK);
    if !is_as_it_was {
        scene.ends_saying("foreign memory changes");
    }
    scene.ends::<F>(&[foreign(address, bytes)]);
}

fn free_stack<F: Misused>(scene: &Scene) {
    #[repr(align(64))]
    struct Local([u8; 4096]);
    let mut local = std::hint::black_box(Local([0; 4096]));
    let address = (&raw mut local.0).expose_provenance();
    free_foreign::<F>(scene, address + 1024, 1024);
    std::hint::black_box(&local);
}

fn free_static<F: Misused>(scene: &Scene) {
    #[repr(align(64))]
    struct Statics([AtomicU8; 4096]);
    static STATICS: Statics = Statics([const { AtomicU8::new(0) }; 4096]);
    let address = (&raw const STATICS.0).expose_provenance();
    free_foreign::<F>(scene, address + 1024, 1024);
}

fn free_mapped<F: Misused>(scene: &Scene) {
    let bytes = 64 << 20;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a mapping of its own.
    let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, -1, 0) };
    assert!(start != libc::MAP_FAILED);
    let middle = (start.expose_provenance() + (33 << 20)) & !((1 << 20) - 1);
    free_foreign::<F>(scene, middle, 1 << 20);
}

/// Frees with the size that the argument says.
fn free_with_other_layout<F: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(3);
    let other = scene.arguments[0];
    scene.says(blocks[1], F::class_bytes(other));
    // SAFETY: the mistake.
    unsafe { F::free(blocks[1], other) };
    let held = in_use(scene, [&blocks[0], &blocks[2]]);
    scene.looks::<F>(other, &held);
    scene.ends::<F>(&held);
}

fn free_by_other_type<F: Misused, G: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(3);
    // The other has blocks of the kind, too.
    let theirs = G::allocate(scene.size);
    scene.says(blocks[1], G::class_bytes(scene.size));
    // SAFETY: the mistake.
    unsafe {
        G::free(blocks[1], scene.size);
        G::free(theirs, scene.size);
    }
    let held = in_use(scene, [&blocks[0], &blocks[2]]);
    scene.looks::<G>(scene.size, &held);
    scene.ends::<F>(&held);
}

/// Writes something else than is there.
fn spoil(address: usize, bytes: usize) {
    let first = pointer(address);
    // SAFETY: the mistake, in memory that is there.
    unsafe {
        let before = first.read_volatile();
        first.write_bytes(JUNK, bytes);
        if before == JUNK {
            first.write_volatile(JUNK ^ 2);
        }
    }
}

/// So many bytes over the end, of a block whose neighbour is in use; then it is freed.
fn overflow_then_free<F: Misused>(scene: &Scene) {
    let all = neighbours::<F>(scene);
    scene.says_block::<F>(all.block);
    spoil(all.block + scene.size, scene.arguments[0]);
    // SAFETY: freed once.
    unsafe { F::free(all.block, scene.size) };
    let in_use_still = all.others.iter().chain(&all.mates).chain([&all.next]);
    scene.ends::<F>(&in_use(scene, in_use_still));
}

/// So many bytes over the end, of a block whose neighbour is free; then that one is handed out.
fn overflow_then_reuse<F: Misused>(scene: &Scene) {
    let all = neighbours::<F>(scene);
    all.free_next::<F>(scene);
    scene.says_block::<F>(all.next);
    spoil(all.block + scene.size, scene.arguments[0]);
    use_up::<F>(scene);
    scene.ends::<F>(&in_use(scene, all.others.iter().chain([&all.block])));
}

/// Allocates and frees so many that what waits before it is handed out again need not wait any more, and what can be
/// handed out is.
fn use_up<F: Misused>(scene: &Scene) {
    let (size, count) = (scene.size, scene.many() * 4);
    scene.by_owner(move || {
        let blocks: Vec<_> = (0..count).map(|_| F::allocate(size)).collect();
        for block in blocks {
            // SAFETY: allocated above.
            unsafe { F::free(block, size) };
        }
    });
}

/// Writes on and on, to the end of what the argument says: a page, or a large or huge block; and 32 bytes further.
fn overflow_linear<F: Misused>(scene: &Scene) {
    let blocks = scene.blocks::<F>(scene.many());
    let grain = scene.arguments[0];
    let mut sorted = blocks.clone();
    sorted.sort_unstable();
    // What stands behind a block may take an OS page more.
    let end_behind =
        |block: usize| (block + scene.size + F::canary_bytes()).next_multiple_of(grain);
    // Others of these blocks lie behind it, so that nothing else is written over: the program's own memory may lie
    // there, too. What is behind a huge one is a guard, or chance.
    let is_followed = |block: &&usize| {
        let end = end_behind(**block);
        let next = sorted.get(sorted.partition_point(|other| *other < end));
        next.is_some_and(|next| *next < end + grain)
    };
    let block = *sorted.iter().find(is_followed).unwrap_or(&sorted[0]);
    let end = end_behind(block);
    expect_fault(block + scene.size, end + 32);
    for at in block + scene.size..end + 32 {
        // SAFETY: the mistake.
        unsafe { pointer(at).write_volatile(JUNK) };
    }
    scene.ends::<F>(&in_use(scene, &blocks));
}

/// Writes 8 bytes into a block that is free, the argument's bytes from its start on.
fn write_after_free<F: Misused>(scene: &Scene) {
    let at = scene.arguments[0];
    let mut all = neighbours::<F>(scene);
    // After 10 ms large blocks go back to the OS, and what was written to them: then once more.
    for _ in 0..20 {
        let before = Instant::now();
        all.free_next::<F>(scene);
        match F::class_bytes(scene.size) {
            Some(_) => scene.says_block::<F>(all.next),
            None => scene.says(all.next + at, None),
        }
        expect_fault(all.next, all.next + scene.size);
        spoil(all.next + at, 8);
        expect_fault(0, 1);
        use_up::<F>(scene);
        if F::class_bytes(scene.size).is_some() || before.elapsed() < Duration::from_millis(5) {
            break;
        }
        all = neighbours::<F>(scene);
    }
    scene.ends::<F>(&in_use(scene, all.others.iter().chain([&all.block])));
}

/// What can be read of what a block had, once it is free and when it is handed out again.
fn read_after_free<F: Misused>(scene: &Scene) {
    scene.settle::<F>();
    let (mut free, mut handed_out) = (None, None);
    // As in write_after_free().
    for _ in 0..20 {
        let before = Instant::now();
        (free, handed_out) = what_can_be_read::<F>(scene);
        if F::class_bytes(scene.size).is_some() || before.elapsed() < Duration::from_millis(5) {
            break;
        }
    }
    if free != handed_out {
        scene.ends_saying("what can be read changes");
    }
    match free {
        Some(at) => scene.ends_saying(&format!("readable from byte {at} on")),
        None => scene.ends_saying("readable nowhere"),
    }
}

/// From which byte of a block on what it had can be read, while it is free and when it is handed out again.
fn what_can_be_read<F: Misused>(scene: &Scene) -> (Option<usize>, Option<usize>) {
    let size = scene.size;
    let blocks = scene.blocks::<F>(3);
    let block = blocks[1];
    // SAFETY: the block's own bytes.
    unsafe { pointer(block).write_bytes(JUNK, size) };
    // By words, which are not junk by chance.
    let still_there = move || {
        let is_junk = |at: &usize| {
            let word = pointer(block + at).cast::<[u8; 8]>();
            // SAFETY: the mistake, which only reads.
            unsafe { word.read_volatile() == [JUNK; 8] }
        };
        (0..size - 7).step_by(8).find(is_junk)
    };
    // SAFETY: freed once.
    unsafe { F::free(block, size) };
    expect_fault(block, block + size);
    let free = still_there();
    assert!(reuse::<F>(scene, block), "the block is handed out again");
    (free, still_there())
}

/// Writes through a block of no bytes.
fn write_to_nothing<F: Misused>(scene: &Scene) {
    let block = F::allocate(0);
    expect_fault(block, block + 1);
    // SAFETY: the mistake.
    unsafe { pointer(block).write_volatile(JUNK) };
    // SAFETY: freed once.
    unsafe { F::free(block, 0) };
    scene.ends::<F>(&[]);
}

/// Writes right before (argument 0) or behind the headers of the chunk that a block lies in.
fn write_to_header<F: Misused>(scene: &Scene) {
    const CHUNK_BYTES: usize = 32 << 20;
    const HEADERS_BYTES: usize = 64 << 10;
    let block = F::allocate(scene.size);
    let chunk = block / CHUNK_BYTES * CHUNK_BYTES;
    let address = match scene.arguments[0] {
        0 => chunk - 1,
        _ => chunk + HEADERS_BYTES,
    };
    expect_fault(address, address + 1);
    // SAFETY: the mistake.
    unsafe { pointer(address).write_volatile(JUNK) };
    scene.ends_saying("headers can be reached");
}

/// Has the link of a free block lead to memory of another's.
fn forge_link<F: Misused>(scene: &Scene) {
    #[repr(align(64))]
    struct Target([usize; 512]);
    let mut target = std::hint::black_box(Target([0; 512]));
    let address = (&raw mut target.0).expose_provenance();
    let blocks = scene.blocks::<F>(6);
    // SAFETY: freed once each.
    unsafe {
        F::free(blocks[1], scene.size);
        F::free(blocks[3], scene.size);
    }
    scene.says_block::<F>(blocks[3]);
    // SAFETY: the mistake.
    unsafe { pointer(blocks[3]).cast::<usize>().write_volatile(address) };
    // Where blocks wait, others have to come behind them. Elsewhere that would have the forged address
    // read as what it is not, before anybody gets it.
    for _ in 0..if F::has_quarantine() { 2000 } else { 0 } {
        // SAFETY: freed once.
        unsafe { F::free(F::allocate(scene.size), scene.size) };
    }
    let handed_out = (0..1000).any(|_| F::allocate(scene.size) == address);
    std::hint::black_box(&target);
    if handed_out {
        scene.ends_saying("the forged address is handed out");
    }
    scene.ends_saying("the forged address is not handed out");
}

/// Where a fault is expected: from the first address to the second.
static EXPECTED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// Has a fault end the process by its signal if it is where it is expected, and by another otherwise.
fn expect_fault(from: usize, to: usize) {
    extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the OS passes what is valid for a fault; the calls are those that a handler may make.
        unsafe {
            let expected = EXPECTED[0].load(Relaxed)..EXPECTED[1].load(Relaxed);
            let there = expected.contains(&(*info).si_addr().addr());
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(if there { signal } else { libc::SIGUSR1 });
        }
    }
    EXPECTED[0].store(from, Relaxed);
    EXPECTED[1].store(to, Relaxed);
    // SAFETY: all zero is a valid action; the handler calls only what a handler may.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_fault as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut());
    }
}
