//! Ordinary Rust work with results that are known: for tests whose global allocator is a declared
//! type.

use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap, HashMap, LinkedList, VecDeque};
use std::fmt::Write;
use std::rc::{Rc, Weak};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::random::{Random, seed_of};

/// The tests of a binary whose global allocator is `$global`, a declared type.
#[macro_export]
macro_rules! ordinary_work {
    ($global:ident) => {
        $crate::ordinary_work!($global:
            collections_agree strings_keep_their_text a_vector_grows_and_shrinks
            shared_nodes_are_freed_by_the_last_holder threads_pass_memory_on
            a_panic_unwinds_and_tells);
    };
    ($global:ident: $($work:ident)*) => {
        $(
            #[test]
            fn $work() {
                $crate::work::$work();
            }
        )*

        #[test]
        fn everything_at_once_in_two_threads() {
            let all = || {
                $($crate::work::$work();)*
                $global::purge();
            };
            std::thread::scope(|scope| {
                scope.spawn(all);
                scope.spawn(all);
            });
        }
    };
}

/// Sorted, hashed and queued collections agree with each other.
///
/// # Panics
/// When a result is wrong.
pub fn collections_agree() {
    let mut random = Random::new(seed_of("collections_agree"));
    let mut hashed: HashMap<String, Vec<u64>> = HashMap::new();
    let mut sorted: BTreeMap<String, VecDeque<u64>> = BTreeMap::new();
    let mut heap = BinaryHeap::new();
    let mut list = LinkedList::new();
    for _ in 0..20_000 {
        let (key, value) = (format!("key {}", random.below(3000)), random.next());
        if random.below(4) == 0 {
            let gone = (hashed.remove(&key), sorted.remove(&key));
            assert_eq!(gone.0, gone.1.map(Vec::from));
        } else {
            hashed.entry(key.clone()).or_default().push(value);
            sorted.entry(key).or_default().push_back(value);
        }
        heap.push(value);
        list.push_front(value);
        if heap.len() > 5000 {
            heap.pop();
            list.pop_back();
        }
    }
    assert_eq!(hashed.len(), sorted.len());
    for (key, values) in &sorted {
        assert!(values.iter().eq(&hashed[key]), "{key}");
    }
    assert!(heap.into_sorted_vec().is_sorted());
    assert_eq!(list.len(), 5000);
}

/// Strings of many lengths are built, cut, joined and sorted.
///
/// # Panics
/// When a result is wrong.
pub fn strings_keep_their_text() {
    let mut text = String::new();
    for i in 0..50_000 {
        write!(text, "{i:x},").expect("memory");
    }
    let mut words: Vec<Box<str>> = text.split_terminator(',').map(Box::from).collect();
    words.sort();
    words.sort_by_key(|word| usize::from_str_radix(word, 16).expect("a number"));
    let mut joined = words.join(",");
    joined.push(',');
    assert_eq!(joined, text);
    joined.shrink_to_fit();
    let upper = joined.to_uppercase().replace(',', "").into_bytes();
    assert_eq!(upper.len(), text.len() - words.len());
}

/// A vector grows to 100 MB, shrinks and grows again.
///
/// # Panics
/// When an element is wrong.
pub fn a_vector_grows_and_shrinks() {
    let mut numbers: Vec<u64> = Vec::new();
    for (last, drop_to) in [(12_500_000, 1000), (300_000, 10), (50_000, 0)] {
        numbers.extend(numbers.len() as u64..last);
        assert!((0..).zip(&numbers).all(|(i, &number)| number == i));
        numbers.truncate(drop_to);
        numbers.shrink_to_fit();
    }
    let zeroed = vec![0_u8; 80_000_000];
    assert!(zeroed.iter().step_by(4096).all(|&byte| byte == 0));
}

struct Node {
    value: u64,
    parent: RefCell<Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

/// Shared nodes with links in both directions live as long as they are held.
///
/// # Panics
/// When a sum is wrong.
pub fn shared_nodes_are_freed_by_the_last_holder() {
    fn tree(value: u64, depth: u32) -> Rc<Node> {
        let node = Rc::new(Node {
            value,
            parent: RefCell::new(Weak::new()),
            children: RefCell::new(Vec::new()),
        });
        if depth > 0 {
            for i in 0..3 {
                let child = tree(value * 3 + i, depth - 1);
                *child.parent.borrow_mut() = Rc::downgrade(&node);
                node.children.borrow_mut().push(child);
            }
        }
        node
    }
    fn sum(node: &Node) -> u64 {
        node.value
            + node
                .children
                .borrow()
                .iter()
                .map(|child| sum(child))
                .sum::<u64>()
    }
    let root = tree(1, 8);
    let child = Rc::clone(&root.children.borrow()[2]);
    let (all, of_child) = (sum(&root), sum(&child));
    assert!(
        child
            .parent
            .borrow()
            .upgrade()
            .is_some_and(|parent| Rc::ptr_eq(&parent, &root))
    );
    drop(root);
    assert!(child.parent.borrow().upgrade().is_none());
    assert!(of_child < all && sum(&child) == of_child);
}

/// Threads pass boxes and strings on, and values outlive the threads that made them.
///
/// # Panics
/// When something arrives changed.
pub fn threads_pass_memory_on() {
    thread_local! {
        static KEPT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }
    let total = Arc::new(Mutex::new(BTreeMap::<usize, u64>::new()));
    let (results, collected) = channel::<(usize, Box<[u64]>)>();
    thread::scope(|scope| {
        for worker in 0..8 {
            let (results, total) = (results.clone(), Arc::clone(&total));
            scope.spawn(move || {
                let (sender, receiver) = sync_channel::<Vec<String>>(4);
                let consumer = thread::spawn(move || {
                    receiver
                        .iter()
                        .flatten()
                        .map(|text| text.len() as u64)
                        .sum::<u64>()
                });
                let mut lengths = 0;
                for round in 0..200 {
                    let batch: Vec<_> = (0..50).map(|i| "x".repeat(i * round % 300)).collect();
                    lengths += batch.iter().map(|text| text.len() as u64).sum::<u64>();
                    // Freed after the thread's own destructors have run.
                    KEPT.with_borrow_mut(|kept| kept.push(batch[49].clone()));
                    sender.send(batch).expect("the consumer is alive");
                }
                drop(sender);
                assert_eq!(consumer.join().expect("no panic"), lengths);
                total.lock().expect("no panic").insert(worker, lengths);
                let result = vec![lengths; 100 + worker].into_boxed_slice();
                results
                    .send((worker, result))
                    .expect("the collector is alive");
            });
        }
        drop(results);
        // Looked at when its thread may be gone.
        for (worker, result) in collected {
            assert_eq!(result.len(), 100 + worker);
            let lengths = total.lock().expect("no panic")[&worker];
            assert!(result.iter().all(|&one| one == lengths));
        }
    });
}

/// A panic unwinds through boxes, and its message arrives.
///
/// # Panics
/// When it does not.
pub fn a_panic_unwinds_and_tells() {
    let caught = thread::spawn(|| {
        let boxes: Vec<Box<[u8]>> = (0..500).map(|i| vec![1; i].into()).collect();
        std::panic::resume_unwind(Box::new(format!("{} boxes", boxes.len())));
    })
    .join();
    let message = caught.expect_err("it unwinds").downcast::<String>();
    assert_eq!(*message.expect("the text"), "500 boxes");
}
