//! What the report replays on the allocator. Alone in its process: the arena is the process's, and
//! other tests would have blocks there.

use allocator_lab::fit::histogram::Histogram;
use allocator_lab::profile::csv;
use allocator_lab::webpage::history::{Bands, History, LEFT, MOMENTS, PEAK, SLICE_BYTES};

#[test]
fn what_is_replayed_holds_together() {
    let table = "size,allocs,live_at_peak,avg_live\n20,90000,20000,100\n264,90000,9000,2000\n9000,300,200,99\n";
    let run = Histogram::of(&csv::read(table).unwrap(), 8);
    let history = History::of(&run, 1, |_| {}).unwrap();
    assert_eq!((history.part, history.moments.len()), (1.0, MOMENTS));
    let peak = history.moments[PEAK - 1];
    assert_eq!(
        peak.requested,
        f64::from(20 * 20_000 + 264 * 9000 + 9000 * 200)
    );
    assert!(peak.rounding > 0.0 && peak.headers > 0.0);
    let end = history.moments[MOMENTS - 1];
    assert_eq!(end.requested, peak.requested * LEFT);
    assert!(end.free + end.kept > peak.free + peak.kept, "{end:?}");
    let total = |bands: &Bands| {
        bands.requested + bands.rounding + bands.tails + bands.free + bands.kept + bands.headers
    };
    // Memory that is never given back never shrinks.
    for pair in history.moments.windows(2) {
        assert!(total(&pair[1]) >= total(&pair[0]) - 1.0, "{pair:?}");
    }
    let [at_peak, at_end] = &history.maps;
    assert!(
        at_peak
            .iter()
            .chain(at_end)
            .all(|it| it.used > 0.0 && it.used <= 1.0)
    );
    let used: f64 = at_peak.iter().map(|it| it.used * SLICE_BYTES as f64).sum();
    assert_eq!(used, peak.requested + peak.rounding);
}
