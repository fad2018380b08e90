//! Atomics and cells that loom watches, of the size of `core`'s and valid all zero, so that the
//! allocator itself is model-checked and not a copy of it that was cut to fit.
//!
//! Loom's own atomics are objects of a model; ours are an address. What loom knows of it is found
//! by that address in a table of the model's execution:
//!
//! ```text
//! AtomicU64 in a page's header ──its address──▶ table ──▶ loom's AtomicU64, 0 at first
//! Cell in a heap, a block's first word ───────▶ table ──▶ loom's UnsafeCell: who reads and writes
//! ```
//! A cell keeps its value where it is; loom only reports two threads that use it without one of them
//! having waited for the other. All threads of a model run on one thread of the OS, by turns.
//!
//! Outside of a model, cells are plain and atomics are not to be used.

use core::cell;
use core::sync::atomic::Ordering;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use loom::sync::atomic as watched;

/// Atomics and cells that loom makes before threads start, for places first used after that: what
/// one thread made, loom would have every other wait for.
const SPARE: usize = 256;

/// Times that an execution interrupts a thread that could go on, at most. With 2 all but one of the faults that
/// are seeded (`tests/src/bin/mutants.rs`) are found, in seconds; `LOOM_MAX_PREEMPTIONS=3` takes minutes. A model that
/// needs more, or less, says so ([`model_with`]).
const PREEMPTIONS: usize = 2;
/// Steps of a run: chunks are searched bit by bit.
const BRANCHES_MAX: usize = 50_000;

/// What loom knows of one execution, by address.
#[derive(Default)]
struct Execution {
    number: u64,
    atomics: Places<watched::AtomicU64>,
    cells: Places<loom::cell::UnsafeCell<()>>,
}

/// What loom knows of places of one kind.
struct Places<T> {
    /// By address.
    known: BTreeMap<usize, Rc<T>>,
    /// For places that are new; `None` until threads start.
    spare: Option<Vec<Rc<T>>>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            spare: None,
        }
    }
}

impl<T> Places<T> {
    /// What is known of the place at `address`, be it from now on; `None` if that has to be made first.
    fn known(&mut self, address: usize) -> Option<Rc<T>> {
        if let Some(known) = self.known.get(&address) {
            return Some(known.clone());
        }
        let spare = self.spare.as_mut()?.pop();
        let spare = spare.expect("more spare places are needed");
        self.known.insert(address, spare.clone());
        Some(spare)
    }
}

std::thread_local! {
    static EXECUTION: RefCell<Option<Execution>> = const { RefCell::new(None) };
    static EXECUTIONS: cell::Cell<u64> = const { cell::Cell::new(0) };
}

/// Runs `body` once for each order in which its threads can act, as far as loom tells them apart.
pub(crate) fn model(body: impl Fn() + Send + Sync + 'static) {
    model_with(PREEMPTIONS, body);
}

/// [`model`] with another bound: for bodies that do much.
pub(crate) fn model_with(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions);
    builder.max_branches = BRANCHES_MAX;
    builder.check(move || {
        let number = EXECUTIONS.get() + 1;
        EXECUTIONS.set(number);
        EXECUTION.set(Some(Execution {
            number,
            ..Execution::default()
        }));
        body();
    });
    EXECUTION.set(None);
}

/// Which execution of which model of the calling thread this is; 0 outside of models.
pub(crate) fn execution() -> u64 {
    EXECUTION.with_borrow(|execution| execution.as_ref().map_or(0, |execution| execution.number))
}

/// Runs all of `bodies` at once, the last by the caller, and waits for them.
pub(crate) fn together<const N: usize>(bodies: [Box<dyn FnOnce()>; N]) {
    let atomics = (0..SPARE).map(|_| Rc::new(new_atomic())).collect();
    let cells = (0..SPARE).map(|_| Rc::new(new_cell())).collect();
    with(|execution| {
        execution.atomics.spare = Some(atomics);
        execution.cells.spare = Some(cells);
    });
    let mut bodies = Vec::from(bodies);
    let last = bodies.pop();
    let threads: Vec<_> = bodies.into_iter().map(loom::thread::spawn).collect();
    if let Some(last) = last {
        last();
    }
    for thread in threads {
        thread.join().expect("a thread of the model panicked");
    }
}

fn with<T>(act: impl FnOnce(&mut Execution) -> T) -> T {
    EXECUTION.with_borrow_mut(|execution| {
        act(execution.as_mut().expect("atomics are used in models only"))
    })
}

/// What loom knows of the place at `address`, in the table that `places` gives; what `make` makes if it
/// is new there.
fn watched_at<T>(
    places: fn(&mut Execution) -> &mut Places<T>,
    address: usize,
    make: fn() -> T,
) -> Rc<T> {
    with(|execution| places(execution).known(address)).unwrap_or_else(|| {
        // Outside of `with`, because loom is called.
        let made = Rc::new(make());
        with(|execution| places(execution).known.insert(address, made.clone()));
        made
    })
}

/// What loom knows of the atomic at `address`, whose value was zero at first.
fn atomic_at(address: usize) -> Rc<watched::AtomicU64> {
    watched_at(|execution| &mut execution.atomics, address, new_atomic)
}

/// What loom knows of the plain memory at `address`; `None` outside of models.
fn cell_at(address: usize) -> Option<Rc<loom::cell::UnsafeCell<()>>> {
    (execution() != 0).then(|| watched_at(|execution| &mut execution.cells, address, new_cell))
}

fn new_atomic() -> watched::AtomicU64 {
    watched::AtomicU64::new(0)
}

fn new_cell() -> loom::cell::UnsafeCell<()> {
    loom::cell::UnsafeCell::new(())
}

/// Tells loom that the calling thread reads the word at `address`.
#[track_caller]
pub(crate) fn reads(address: usize) {
    if let Some(cell) = cell_at(address) {
        cell.with(|_| ());
    }
}

/// Tells loom that the calling thread writes the word at `address`.
#[track_caller]
pub(crate) fn writes(address: usize) {
    if let Some(cell) = cell_at(address) {
        cell.with_mut(|_| ());
    }
}

/// Tells loom that the calling thread writes whatever is in use in `bytes` from `address` on.
pub(crate) fn writes_all(address: usize, bytes: usize) {
    let cells: Vec<_> = with(|execution| {
        let cells = execution.cells.known.range(address..address + bytes);
        cells.map(|(_, cell)| cell.clone()).collect()
    });
    for cell in cells {
        cell.with_mut(|_| ());
    }
}

/// `core`'s `Cell`, whose uses loom is told of.
#[repr(transparent)]
pub(crate) struct Cell<T>(cell::Cell<T>);

impl<T> Cell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(cell::Cell::new(value))
    }

    fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    #[track_caller]
    pub(crate) fn get(&self) -> T
    where
        T: Copy,
    {
        reads(self.address());
        self.0.get()
    }

    #[track_caller]
    pub(crate) fn set(&self, value: T) {
        writes(self.address());
        self.0.set(value);
    }

    #[track_caller]
    pub(crate) fn replace(&self, value: T) -> T {
        writes(self.address());
        self.0.replace(value)
    }

    #[track_caller]
    pub(crate) fn take(&self) -> T
    where
        T: Default,
    {
        self.replace(T::default())
    }
}

/// A value that fits the word that loom watches.
trait Word: Copy {
    fn to_bits(self) -> u64;
    fn of_bits(bits: u64) -> Self;
}

macro_rules! word {
    ($($integer:ty)*) => {$(
        impl Word for $integer {
            fn to_bits(self) -> u64 {
                self as u64
            }

            fn of_bits(bits: u64) -> Self {
                bits as Self
            }
        }
    )*};
}

word!(u8 u32 u64 usize isize);

impl Word for bool {
    fn to_bits(self) -> u64 {
        self.into()
    }

    fn of_bits(bits: u64) -> Self {
        bits != 0
    }
}

impl<T> Word for *mut T {
    fn to_bits(self) -> u64 {
        self.expose_provenance() as u64
    }

    fn of_bits(bits: u64) -> Self {
        core::ptr::with_exposed_provenance_mut(bits as usize)
    }
}

/// An atomic type of `core` that loom watches, with those of its methods that the allocator calls.
macro_rules! modelled {
    ($name:ident$(<$parameter:ident>)?, $value:ty) => {
        #[repr(transparent)]
        pub(crate) struct $name$(<$parameter>)?(cell::UnsafeCell<$value>);

        // SAFETY: the value in memory is written by nobody: what it stands for is in loom's table.
        unsafe impl$(<$parameter>)? Sync for $name$(<$parameter>)? {}
        // SAFETY: as above.
        unsafe impl$(<$parameter>)? Send for $name$(<$parameter>)? {}

        #[allow(dead_code, reason = "each type has what most of them are asked for")]
        impl$(<$parameter>)? $name$(<$parameter>)? {
            /// `value` is zero, or null, or false.
            pub(crate) const fn new(value: $value) -> Self {
                Self(cell::UnsafeCell::new(value))
            }

            fn watched(&self) -> Rc<watched::AtomicU64> {
                atomic_at(core::ptr::from_ref(self).addr())
            }

            #[track_caller]
            pub(crate) fn load(&self, order: Ordering) -> $value {
                Word::of_bits(self.watched().load(order))
            }

            #[track_caller]
            pub(crate) fn store(&self, value: $value, order: Ordering) {
                self.watched().store(value.to_bits(), order);
            }

            #[track_caller]
            pub(crate) fn swap(&self, value: $value, order: Ordering) -> $value {
                Word::of_bits(self.watched().swap(value.to_bits(), order))
            }

            #[track_caller]
            pub(crate) fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.watched()
                    .compare_exchange(current.to_bits(), new.to_bits(), success, failure)
                    .map(Word::of_bits)
                    .map_err(Word::of_bits)
            }

            #[track_caller]
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }
        }
    };
}

/// What only integers have. Of 64 bits or never beyond their own, so that the word's do as well.
macro_rules! modelled_integer {
    ($name:ident, $value:ty: $($change:ident)*) => {
        modelled!($name, $value);

        impl $name {
            $(#[track_caller]
            pub(crate) fn $change(&self, value: $value, order: Ordering) -> $value {
                Word::of_bits(self.watched().$change(value.to_bits(), order))
            })*
        }
    };
}

modelled!(AtomicBool, bool);
modelled!(AtomicPtr<T>, *mut T);
modelled_integer!(AtomicU8, u8:);
modelled_integer!(AtomicU32, u32: fetch_add fetch_sub);
modelled_integer!(AtomicU64, u64: fetch_add fetch_and fetch_or fetch_max);
modelled_integer!(AtomicUsize, usize: fetch_add fetch_sub fetch_min);
// As if without a sign: what the greatest of is asked for is a number of slices in use.
modelled_integer!(AtomicIsize, isize: fetch_add fetch_sub fetch_max);
