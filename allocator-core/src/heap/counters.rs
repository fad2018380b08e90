//! What a heap counts, when its type counts at all.

use crate::base::counter::Counter;

/// A heap's counters; the public names and meanings are those of `Stats`.
pub(crate) struct Counters {
    pub(crate) allocations: Counter,
    pub(crate) frees: Counter,
    pub(crate) remote_frees: Counter,
    pub(crate) refills: Counter,
    pub(crate) flushes: Counter,
    pub(crate) extensions: Counter,
    pub(crate) collects: Counter,
    pub(crate) collects_skipped: Counter,
    pub(crate) thread_free_loads: Counter,
    pub(crate) pages_made: Counter,
    pub(crate) pages_retired: Counter,
    pub(crate) pages_adopted: Counter,
    pub(crate) pages_abandoned: Counter,
    pub(crate) sampled: Counter,
}
