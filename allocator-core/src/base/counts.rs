//! What is counted of the traffic between threads, in a build that counts.

/// Counts of a process. A line is one of the cache: 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Atomic read-modify-writes, those included that compared in vain. Loads and stores are not
    /// counted: they are the instructions that plain ones are, and cost more only as transfers.
    pub read_modify_writes: u64,
    /// Accesses to a line that had to come from another thread's cache, or that made another
    /// thread lose it, if every thread had a core of its own.
    pub line_transfers: u64,
    /// Those of the one line with the most of them: they happen one after the other, however
    /// many cores there are.
    pub busiest_line_transfers: u64,
    /// Calls of the OS about memory, barriers included.
    pub os_calls: u64,
    /// Barriers on every running thread among them.
    pub barriers: u64,
}
