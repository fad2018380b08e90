//! What the report shows of a trace: its own order, and its own peak. Alone in its process, as `history` is.

use allocator_lab::trace::{Act, Event, Trace};
use allocator_lab::webpage::history::{History, MOMENTS, Order};

const BLOCKS: u32 = 9600;

/// All blocks come, each second grows, and all but every tenth goes, a quarter of the steps each or so.
fn trace() -> Trace {
    let come = (0..BLOCKS).map(|block| Event::new(Act::Allocate, block, 24));
    let grow = (0..BLOCKS)
        .step_by(2)
        .map(|block| Event::new(Act::Resize, block, 264));
    let go = (0..BLOCKS).filter(|block| block % 10 != 0);
    let go = go.map(|block| Event::new(Act::Free, block, 0));
    // More than any class has: not of the picture.
    let large = [
        Event::new(Act::Allocate, BLOCKS, 4 << 20),
        Event::new(Act::Free, BLOCKS, 0),
    ];
    Trace {
        blocks: BLOCKS + 1,
        events: large
            .into_iter()
            .chain(come)
            .chain(grow)
            .chain(go)
            .collect(),
    }
}

#[test]
fn a_trace_is_played_in_its_own_order() {
    let trace = trace();
    let history = History::of_trace(&trace, |_| {}).unwrap();
    assert_eq!(
        (history.order, history.moments.len()),
        (Order::Traced, MOMENTS)
    );
    let most = f64::from(BLOCKS / 2 * (24 + 264));
    let peak = history.moments[history.peak - 1];
    assert!(peak.requested <= most && peak.requested > most * 0.97);
    assert!(peak.rounding > 0.0 && peak.headers > 0.0);
    // Those that are left have all grown.
    let end = history.moments[MOMENTS - 1];
    assert_eq!(end.requested, f64::from(BLOCKS / 10 * 264));
    assert!(end.free + end.kept > peak.free + peak.kept, "{end:?}");
    // It grows to the peak and falls from there.
    let at = history.moments.iter().map(|bands| bands.requested);
    let at: Vec<f64> = at.collect();
    let (up, down) = at.split_at(history.peak);
    assert!(up.is_sorted() && down.is_sorted_by(|a, b| a >= b));
    assert!(!history.maps[0].is_empty() && !history.maps[1].is_empty());
    assert!(History::of_trace(&Trace::default(), |_| {}).is_none());
}
