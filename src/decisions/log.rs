//! The log of decisions: a bounded queue and one thread that writes.
//!
//! Invariants: [`DecisionLog::record`] never waits; records are written in the order in which they were
//! accepted; each record is either written or counted as lost, and losses are said by the next record
//! that is accepted. A disk that is full or slow is waited for by the thread alone: meanwhile the queue
//! fills, and what finds it full is lost.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

use super::file::{FileSink, Moved, Sink};
use super::record::DecisionRecord;

/// How the log writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionLogSettings {
    /// How many records may wait for the disk; a record is about a kilobyte.
    pub queue_records: usize,
    /// How often what was written is made to survive a crash of the machine.
    pub sync_interval: Duration,
}

impl Default for DecisionLogSettings {
    fn default() -> Self {
        Self {
            queue_records: 16 * 1024,
            sync_interval: Duration::from_secs(1),
        }
    }
}

/// What the log counts. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct DecisionLogCounters {
    /// Records that were written.
    pub written: Counter,
    /// Records that were not.
    pub lost: Counter,
    /// Attempts to write or sync that failed; each is tried again.
    pub failures: Counter,
}

/// What became of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseReport {
    /// Records that were written.
    pub written: u64,
    /// Records that were not.
    pub lost: u64,
}

#[derive(Debug, Default)]
struct Shared {
    counters: DecisionLogCounters,
    accepted: AtomicU64,
    written: AtomicU64,
    refused: AtomicU64,
    lost_unsaid: AtomicU64,
    reopen: AtomicBool,
    /// Set once, when the log is closed: after this instant nothing is tried again.
    close_by: OnceLock<Instant>,
}

/// The log of decisions.
#[derive(Debug)]
pub struct DecisionLog {
    queue: SyncSender<DecisionRecord>,
    shared: Arc<Shared>,
    end: Mutex<Receiver<()>>,
}

/// Records that are written at once.
const MOST_IN_BATCH: usize = 512;
/// How long records are gathered once some were written: where processors are busy, waking the thread for each took
/// longer than the decision. A process that is killed loses what was gathered, as it loses what waits for a slow disk.
const GATHER: Duration = Duration::from_millis(10);
/// How long the thread sleeps before it looks whether it shall sync, reopen or end.
const TICK: Duration = Duration::from_millis(100);
/// How long it waits after a failure, at first and at most.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long a log that is dropped without being closed may take.
const GRACE_AT_DROP: Duration = Duration::from_secs(1);

impl DecisionLog {
    /// Opens a file and starts the thread.
    ///
    /// # Errors
    /// Where the file cannot be opened or the thread not started.
    pub fn open(
        path: &Path,
        settings: DecisionLogSettings,
        counters: DecisionLogCounters,
    ) -> io::Result<Self> {
        Self::start(FileSink::open(path)?, settings, counters)
    }

    /// Starts the thread on any sink.
    ///
    /// # Errors
    /// Where the thread cannot be started.
    pub fn start(
        sink: impl Sink,
        settings: DecisionLogSettings,
        counters: DecisionLogCounters,
    ) -> io::Result<Self> {
        let (queue, records) = mpsc::sync_channel(settings.queue_records);
        let (at_end, end) = mpsc::channel();
        let shared = Arc::new(Shared {
            counters,
            ..Shared::default()
        });
        let writer = Writer {
            sink,
            shared: Arc::clone(&shared),
            sync_interval: settings.sync_interval,
            last_sync: Instant::now(),
            is_dirty: false,
            is_failing: false,
        };
        std::thread::Builder::new()
            .name("decisions".to_owned())
            .spawn(move || {
                writer.run(&records);
                let _ = at_end.send(());
            })?;
        Ok(Self {
            queue,
            shared,
            end: Mutex::new(end),
        })
    }

    /// Hands in a record. It never waits; a record that finds the queue full is lost and counted.
    pub fn record(&self, mut record: DecisionRecord) {
        let shared = &self.shared;
        record.lost = shared.lost_unsaid.swap(0, Ordering::Relaxed);
        let unsaid = record.lost;
        let is_accepted = shared.close_by.get().is_none() && self.queue.try_send(record).is_ok();
        if is_accepted {
            shared.accepted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        shared.refused.fetch_add(1, Ordering::Relaxed);
        shared.counters.lost.inc();
        let is_first = shared.lost_unsaid.fetch_add(unsaid + 1, Ordering::Relaxed) == 0 && unsaid == 0;
        if is_first {
            tracing::error!("decision records are lost: the disk is slower than the decisions");
        }
    }

    /// Opens the file by its name again before the next record, as SIGHUP asks.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Relaxed);
    }

    /// How many records were lost so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Accepts nothing more, writes what waits and syncs, for at most `grace`. What is not written by
    /// then is counted as lost. Closing again reports again.
    pub fn close(&self, grace: Duration) -> CloseReport {
        let shared = &self.shared;
        let is_first = shared.close_by.set(Instant::now() + grace).is_ok();
        if is_first {
            let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = end.recv_timeout(grace + TICK);
        }
        let written = shared.written.load(Ordering::Relaxed);
        let unwritten = shared.accepted.load(Ordering::Relaxed).saturating_sub(written);
        let lost = shared.refused.load(Ordering::Relaxed) + unwritten;
        if is_first && lost > 0 {
            shared.counters.lost.inc_by(unwritten);
            tracing::error!(lost, written, "decision records were lost");
        }
        CloseReport { written, lost }
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.close(GRACE_AT_DROP);
    }
}

/// Lines that are written together, and where each ends.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Batch {
    fn push(&mut self, record: &DecisionRecord) -> Result<(), serde_json::Error> {
        let start = self.bytes.len();
        if let Err(error) = serde_json::to_writer(&mut self.bytes, record) {
            self.bytes.truncate(start);
            return Err(error);
        }
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Where the line begins that the byte at a position belongs to.
    fn line_start(&self, position: usize) -> usize {
        let before = self.ends.iter().rev().find(|end| **end <= position);
        before.copied().unwrap_or(0)
    }

    /// How many lines lie wholly before a position.
    fn whole_lines(&self, position: usize) -> u64 {
        self.ends.iter().filter(|end| **end <= position).count() as u64
    }
}

struct Writer<S> {
    sink: S,
    shared: Arc<Shared>,
    sync_interval: Duration,
    last_sync: Instant,
    is_dirty: bool,
    is_failing: bool,
}

impl<S: Sink> Writer<S> {
    fn run(mut self, records: &Receiver<DecisionRecord>) {
        loop {
            let is_closing = self.shared.close_by.get().is_some();
            match records.recv_timeout(if is_closing { Duration::ZERO } else { TICK }) {
                Ok(first) => {
                    let more = records.try_iter().take(MOST_IN_BATCH - 1);
                    let batch = self.encode(std::iter::once(first).chain(more));
                    self.write(&batch);
                    if !is_closing && batch.ends.len() < MOST_IN_BATCH {
                        std::thread::sleep(GATHER);
                    }
                }
                Err(RecvTimeoutError::Timeout) if !is_closing => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
            if self.is_dirty && self.last_sync.elapsed() >= self.sync_interval {
                self.sync();
            }
        }
        if self.is_dirty {
            self.sync();
        }
    }

    fn encode(&self, records: impl Iterator<Item = DecisionRecord>) -> Batch {
        let mut batch = Batch::default();
        for record in records {
            if let Err(error) = batch.push(&record) {
                // No field can fail to be JSON; should one ever, the next record says so.
                tracing::error!(%error, id = record.id, "a decision record cannot be written as JSON");
                self.shared.accepted.fetch_sub(1, Ordering::Relaxed);
                self.shared.refused.fetch_add(1, Ordering::Relaxed);
                self.shared.lost_unsaid.fetch_add(1, Ordering::Relaxed);
                self.shared.counters.lost.inc();
            }
        }
        batch
    }

    /// Writes a batch, and tries until it is written or the log is closed.
    fn write(&mut self, batch: &Batch) {
        let mut position = 0;
        let mut pause = SHORTEST_PAUSE;
        loop {
            match self.write_from(batch, position) {
                Ok(()) => break,
                Err((reached, error)) => {
                    position = reached;
                    self.note_failure(&error);
                    if self.must_give_up() {
                        self.count_written(batch.whole_lines(position));
                        return;
                    }
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        if self.is_failing {
            self.is_failing = false;
            tracing::info!("decision records are written again");
        }
        self.count_written(batch.ends.len() as u64);
    }

    /// Writes from a position; on failure says how far it came.
    fn write_from(&mut self, batch: &Batch, start: usize) -> Result<(), (usize, io::Error)> {
        let mut position = start;
        let reopen = self.shared.reopen.swap(false, Ordering::Relaxed);
        match self.sink.follow(reopen) {
            Ok(Moved::No) => {}
            // Half a line stayed in the file that was moved: the new one begins with the whole of it.
            Ok(Moved::Renamed) => position = batch.line_start(position),
            Ok(Moved::Removed) => position = 0,
            Err(error) => return Err((position, error)),
        }
        loop {
            while let Some(rest) = batch.bytes.get(position..).filter(|rest| !rest.is_empty()) {
                match self.sink.append(rest) {
                    Ok(0) => return Err((position, io::ErrorKind::WriteZero.into())),
                    Ok(count) => position += count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err((position, error)),
                }
            }
            self.is_dirty = true;
            match self.sink.follow(false) {
                // Removed between the look and the writing: the lines are gone, so they are written again.
                Ok(Moved::Removed) => position = 0,
                Ok(Moved::No | Moved::Renamed) => return Ok(()),
                Err(error) => return Err((0, error)),
            }
        }
    }

    fn must_give_up(&self) -> bool {
        let close_by = self.shared.close_by.get();
        close_by.is_some_and(|close_by| *close_by <= Instant::now())
    }

    fn count_written(&self, lines: u64) {
        self.shared.written.fetch_add(lines, Ordering::Relaxed);
        self.shared.counters.written.inc_by(lines);
    }

    fn note_failure(&mut self, error: &io::Error) {
        self.shared.counters.failures.inc();
        if !self.is_failing {
            self.is_failing = true;
            tracing::error!(%error, "decision records cannot be written; they wait, and are tried again");
        }
    }

    fn sync(&mut self) {
        self.last_sync = Instant::now();
        match self.sink.sync() {
            Ok(()) => self.is_dirty = false,
            Err(error) => self.note_failure(&error),
        }
    }
}

#[cfg(test)]
mod tests;
