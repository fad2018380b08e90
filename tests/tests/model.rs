//! Random sequences of operations against the shadow model, on every configuration.
//!
//! `ALLOCATOR_TESTS_SEED` repeats a run, `ALLOCATOR_TESTS_CASES` sets the number of sequences.

use std::collections::BTreeSet;
use std::ops::Range;

use allocator_tests::model::{By, Model, Pick, Step, nothing_stays};
use allocator_tests::random::seed_of;
use allocator_tests::subject::Subject;
use allocator_tests::{every_configuration, every_pair, pairs};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Sequences per configuration; with assertions each takes four times as long.
const CASES: u32 = if cfg!(debug_assertions) { 8 } else { 32 };
/// Steps of a sequence.
const STEPS: Range<usize> = 1..120;

every_configuration!(random_sequences_agree_with_the_model);
every_pair!(few_random_sequences_agree_with_the_model);

fn few_random_sequences_agree_with_the_model<A: Subject>() {
    sequences::<A>(CASES / 4);
}

fn random_sequences_agree_with_the_model<A: Subject>() {
    sequences::<A>(CASES);
}

fn sequences<A: Subject>(cases: u32) {
    let name = A::CHOICES.name;
    let seed = seed_of(name);
    let cases = std::env::var("ALLOCATOR_TESTS_CASES").map_or(cases, |text| text.parse().unwrap());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &wide(seed));
    let steps = prop::collection::vec(step(), STEPS);
    let outcome = TestRunner::new_with_rng(config, rng).run(&steps, |steps| {
        if std::env::var_os("ALLOCATOR_TESTS_TRACE").is_some() {
            eprintln!("{name}: {steps:?}");
        }
        let before = A::stats();
        // A thread of its own, so that each sequence starts with a heap of its own and ends it.
        let run = std::thread::spawn(move || run::<A>(&steps)).join();
        run.map_err(|_| TestCaseError::fail("see above"))?;
        nothing_stays::<A>(&before);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{name}, ALLOCATOR_TESTS_SEED={seed}: {failure}");
    }
}

#[test]
fn every_two_choices_meet() {
    let choices = pairs::ALL.map(|config| {
        let (fast_path, hardening) = (config.fast_path, config.hardening);
        [
            format!("{:?}", config.size_classes),
            format!("{:?}", config.small_extend),
            format!("{:?}", config.retire_cycles),
            format!("cache = {}", fast_path.cache),
            format!("local_first = {}", fast_path.local_first),
            format!("skip_collect = {}", fast_path.skip_collect),
            format!("inline = {:?}", fast_path.inline),
            format!("direct_max = {}", fast_path.direct_max),
            format!("page = {}", config.page_bytes),
            format!("purge = {:?}", config.purge),
            format!("thp = {:?}", config.thp),
            format!("stats = {:?}", config.stats),
            format!("limit = {:?}", config.limit_bytes),
            format!("tls = {:?}", config.tls),
            format!("links = {}", hardening.links),
            format!("pages = {}", hardening.pages),
            format!("headers = {}", hardening.headers),
            format!("ends = {}", hardening.ends),
            format!("guards = {}", hardening.guards),
            format!("isolate = {}", hardening.isolate),
            format!("canaries = {}", hardening.canaries),
            format!("zero = {}", hardening.zero),
            format!("shuffle = {}", hardening.shuffle),
            format!("quarantine = {}", hardening.quarantine_bytes),
            format!("sample = {}", hardening.sample),
        ]
    });
    let options = choices[0].len();
    for one in 0..options {
        for other in one + 1..options {
            let ones: BTreeSet<_> = choices.iter().map(|row| &row[one]).collect();
            let others: BTreeSet<_> = choices.iter().map(|row| &row[other]).collect();
            assert!(ones.len() > 1 && others.len() > 1);
            for pair in ones
                .iter()
                .flat_map(|&a| others.iter().map(move |&b| (a, b)))
            {
                let meet = choices.iter().any(|row| (&row[one], &row[other]) == pair);
                assert!(meet, "{pair:?} never meet");
            }
        }
    }
}

fn run<A: Subject>(steps: &[Step]) {
    let mut model = Model::<A>::default();
    for step in steps {
        model.step(step);
    }
    model.end();
}

/// A step. The weights make pages fill up and empty again: most blocks are small and come in
/// hundreds.
fn step() -> impl Strategy<Value = Step> {
    let allocate =
        |size: BoxedStrategy<usize>, align: BoxedStrategy<usize>, count: Range<usize>| {
            (size, align, count, prop::bool::weighted(0.2), by()).prop_map(
                |(size, align, count, zeroed, by)| Step::Allocate {
                    size,
                    align,
                    count,
                    zeroed,
                    by,
                },
            )
        };
    let free = (pick(), 0..=16_usize, by()).prop_map(|(pick, sixteenths, by)| Step::Free {
        pick,
        sixteenths,
        by,
    });
    let reallocate =
        (pick(), any_size()).prop_map(|(pick, new_size)| Step::Reallocate { pick, new_size });
    let ping_pong =
        (small_size(), 1..40_usize).prop_map(|(size, times)| Step::PingPong { size, times });
    prop_oneof![
        6 => allocate(small_size(), small_align(), 1..1500),
        3 => allocate(any_size(), small_align(), 1..8),
        2 => allocate(any_size(), any_align(), 1..4),
        9 => free,
        6 => reallocate,
        2 => ping_pong,
        2 => by().prop_map(|by| Step::Purge { by }),
        1 => Just(Step::Wait),
        2 => Just(Step::Check),
    ]
}

fn by() -> BoxedStrategy<By> {
    prop_oneof![6 => Just(By::Us), 2 => Just(By::Another), 1 => Just(By::OneThatEnds)].boxed()
}

fn pick() -> BoxedStrategy<Pick> {
    prop_oneof![
        2 => Just(Pick::Oldest),
        2 => Just(Pick::Youngest),
        3 => any::<u64>().prop_map(Pick::Any),
        2 => (1..20_usize).prop_map(Pick::Every),
    ]
    .boxed()
}

/// Few different sizes, so that blocks of one class come together.
fn small_size() -> BoxedStrategy<usize> {
    prop_oneof![
        4 => prop::sample::select(vec![1, 8, 16, 24, 64, 100]),
        2 => prop::sample::select(vec![48, 208, 512, 1000, 1600]),
        1 => 0..1025_usize,
    ]
    .boxed()
}

fn any_size() -> BoxedStrategy<usize> {
    prop_oneof![
        4 => 0..1025_usize,
        4 => 1025..40_000_usize,
        3 => 40_000..600_000_usize,
        1 => 600_000..(3 << 20) as usize,
        1 => ((16 << 20) - 5000)..((16 << 20) + 5000_usize),
        1 => (16 << 20)..(20 << 20) as usize,
    ]
    .boxed()
}

fn small_align() -> BoxedStrategy<usize> {
    prop_oneof![6 => 0..4_u32, 1 => 4..8_u32]
        .prop_map(|shift| 1 << shift)
        .boxed()
}

fn any_align() -> BoxedStrategy<usize> {
    prop_oneof![4 => 0..13_u32, 2 => 13..20_u32, 1 => 20..25_u32]
        .prop_map(|shift| 1 << shift)
        .boxed()
}

/// A seed of as many bytes as proptest wants.
fn wide(seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes
}
