//! Threads whose end is told once.
//!
//! The OS tells of a thread's end by keys, in the order of their numbers, in four rounds. The allocator's key asks for
//! all of them, and the sanitizer's forgets the thread in the last one, before it: what the allocator does
//! then, which is nothing, would be done by a thread that the sanitizer does not know. So behind the allocator's key
//! stands one of ours, which takes the wish back after the first round.

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use libc::pthread_key_t;

/// More than the keys that a process of ours has.
const KEYS: pthread_key_t = 64;

/// The allocator's key, and ours.
#[derive(Clone, Copy)]
struct Keys {
    allocators: pthread_key_t,
    ours: pthread_key_t,
}

static THE_KEYS: OnceLock<Keys> = OnceLock::new();

/// The calling thread's value of a key; null, too, where there is no such key.
fn value(key: pthread_key_t) -> *mut c_void {
    // SAFETY: glibc looks whether there is such a key.
    unsafe { libc::pthread_getspecific(key) }
}

/// Finds the allocator's key: that which has a value when the calling thread has allocated for the first time.
/// Before there are other threads.
pub fn find_key(allocate: impl FnOnce()) {
    let is_set = |key: &pthread_key_t| !value(*key).is_null();
    let before: Vec<_> = (0..KEYS).filter(is_set).collect();
    allocate();
    let mut new = (0..KEYS).filter(|key| is_set(key) && !before.contains(key));
    let allocators = new.next().expect("the allocator has a key");
    assert_eq!(new.next(), None, "and no other");
    let mut ours = 0;
    // Keys before it stay unused.
    while ours <= allocators {
        // SAFETY: valid for writes.
        let made = unsafe { libc::pthread_key_create(&raw mut ours, Some(end)) };
        assert_eq!(made, 0, "there is a key");
    }
    assert!(THE_KEYS.set(Keys { allocators, ours }).is_ok(), "once");
}

fn keys() -> Keys {
    *THE_KEYS.get().expect("find_key() was called")
}

/// Our key's destructor.
extern "C" fn end(_: *mut c_void) {
    // SAFETY: the key is there for good.
    unsafe { libc::pthread_setspecific(keys().allocators, ptr::null()) };
}

/// Starts a thread that allocates.
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let keys = keys();
    thread::spawn(move || {
        // SAFETY: the key is there for good; any value but null.
        unsafe { libc::pthread_setspecific(keys.ours, ptr::dangling()) };
        body()
    })
}
