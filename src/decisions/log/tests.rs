//! Order, slow and full disks, rotation, and closing.

use std::fs;
use std::sync::atomic::AtomicUsize;

use super::super::record::tests::sample;
use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// What a sink for tests was given, and how it shall behave.
#[derive(Debug, Default)]
struct Inner {
    bytes: Mutex<Vec<u8>>,
    syncs: AtomicUsize,
    /// Fails while set.
    is_full: AtomicBool,
    /// Takes at most so many bytes at once; 0 is any number.
    most_at_once: AtomicUsize,
}

/// Where an append announces itself, and where it waits.
type Gate = (SyncSender<()>, Mutex<Receiver<()>>);

#[derive(Clone, Default)]
struct Memory {
    inner: Arc<Inner>,
    /// Each append announces itself here and waits for the answer there.
    gate: Option<Arc<Gate>>,
}

impl Sink for Memory {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(gate) = &self.gate {
            let _ = gate.0.send(());
            let _ = gate.1.lock().expect("the gate").recv();
        }
        if self.inner.is_full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let most = match self.inner.most_at_once.load(Ordering::SeqCst) {
            0 => bytes.len(),
            most => most.min(bytes.len()),
        };
        let mut held = self.inner.bytes.lock().expect("the bytes");
        held.extend_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.syncs.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn follow(&mut self, _reopen: bool) -> io::Result<Moved> {
        Ok(Moved::No)
    }
}

impl Memory {
    fn records(&self) -> Vec<DecisionRecord> {
        let bytes = self.inner.bytes.lock().expect("the bytes");
        records(std::str::from_utf8(&bytes).expect("text"))
    }
}

fn records(text: &str) -> Vec<DecisionRecord> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn ids(records: &[DecisionRecord]) -> Vec<&str> {
    records.iter().map(|record| record.id.as_str()).collect()
}

fn settings(queue_records: usize) -> DecisionLogSettings {
    DecisionLogSettings {
        queue_records,
        sync_interval: Duration::from_millis(1),
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn records_are_written_in_order_and_synced() {
    let memory = Memory::default();
    memory.inner.most_at_once.store(7, Ordering::SeqCst);
    let counters = DecisionLogCounters::default();
    let log = DecisionLog::start(memory.clone(), settings(2_000), counters.clone()).expect("a log");
    for number in 0..1_000 {
        log.record(sample(&format!("{number}")));
    }
    let report = log.close(PATIENCE);
    assert_eq!(
        report,
        CloseReport {
            written: 1_000,
            lost: 0
        }
    );
    let written = memory.records();
    let expected: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    assert_eq!(ids(&written), expected);
    assert!(memory.inner.syncs.load(Ordering::SeqCst) >= 1);
    assert_eq!((counters.written.get(), counters.lost.get()), (1_000, 0));
}

#[test]
fn a_slow_disk_loses_what_finds_the_queue_full_and_the_next_record_says_how_many() {
    let (entered, entries) = mpsc::sync_channel(0);
    let (release, gate) = mpsc::channel();
    let memory = Memory {
        gate: Some(Arc::new((entered, Mutex::new(gate)))),
        ..Memory::default()
    };
    let counters = DecisionLogCounters::default();
    let log = DecisionLog::start(memory.clone(), settings(3), counters.clone()).expect("a log");

    log.record(sample("in the writer"));
    entries.recv_timeout(PATIENCE).expect("the writer is at the disk");
    let began = Instant::now();
    for number in 1..=8 {
        log.record(sample(&format!("{number}")));
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "handing in waited for the disk"
    );
    assert_eq!(log.lost(), 5, "three wait, the rest is lost");
    assert_eq!(counters.lost.get(), 5);

    release.send(()).expect("released");
    entries
        .recv_timeout(PATIENCE)
        .expect("the writer is back at the disk");
    log.record(sample("after"));
    log.record(sample("after that"));
    // Nobody waits at the gate any more: both ends are gone.
    drop((release, entries));
    assert_eq!(log.close(PATIENCE), CloseReport { written: 6, lost: 5 });

    let written = memory.records();
    assert_eq!(
        ids(&written),
        vec!["in the writer", "1", "2", "3", "after", "after that"]
    );
    let lost: Vec<u64> = written.iter().map(|record| record.lost).collect();
    assert_eq!(lost, vec![0, 0, 0, 0, 5, 0]);
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost_or_torn() {
    let memory = Memory::default();
    memory.inner.most_at_once.store(100, Ordering::SeqCst);
    let counters = DecisionLogCounters::default();
    let log = DecisionLog::start(memory.clone(), settings(100), counters.clone()).expect("a log");
    log.record(sample("before"));
    until("the first record", || counters.written.get() == 1);
    memory.inner.is_full.store(true, Ordering::SeqCst);
    log.record(sample("during"));
    until("a failure", || counters.failures.get() >= 1);
    log.record(sample("still during"));
    memory.inner.is_full.store(false, Ordering::SeqCst);
    assert_eq!(log.close(PATIENCE), CloseReport { written: 3, lost: 0 });
    assert_eq!(ids(&memory.records()), vec!["before", "during", "still during"]);
}

#[test]
fn a_disk_that_stays_full_at_the_end_is_counted() {
    let memory = Memory::default();
    memory.inner.is_full.store(true, Ordering::SeqCst);
    let counters = DecisionLogCounters::default();
    let log = DecisionLog::start(memory.clone(), settings(100), counters.clone()).expect("a log");
    log.record(sample("one"));
    log.record(sample("two"));
    let report = log.close(Duration::from_millis(50));
    assert_eq!(report, CloseReport { written: 0, lost: 2 });
    assert_eq!(counters.lost.get(), 2);
    log.record(sample("too late"));
    assert_eq!(log.close(PATIENCE).lost, 3, "also what comes after the end");
}

#[test]
fn a_rotated_and_a_removed_file_lose_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("decisions.jsonl");
    let rotated = directory.path().join("decisions.jsonl.1");
    let counters = DecisionLogCounters::default();
    let log = DecisionLog::open(&path, settings(100), counters.clone()).expect("a log");
    let written = |count| {
        let counters = counters.clone();
        until("a record", move || counters.written.get() == count);
    };
    log.record(sample("one"));
    written(1);
    fs::rename(&path, &rotated).expect("rotated");
    log.record(sample("two"));
    written(2);
    fs::remove_file(&path).expect("removed");
    log.record(sample("three"));
    written(3);
    log.reopen();
    log.record(sample("four"));
    assert_eq!(log.close(PATIENCE), CloseReport { written: 4, lost: 0 });
    let text = |path| fs::read_to_string(path).expect("text");
    assert_eq!(ids(&records(&text(&rotated))), vec!["one"]);
    assert_eq!(ids(&records(&text(&path))), vec!["three", "four"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_at_the_start() {
    let missing = Path::new("/nowhere/decisions.jsonl");
    assert!(DecisionLog::open(missing, settings(1), DecisionLogCounters::default()).is_err());
}

#[test]
fn a_batch_knows_its_lines() {
    let mut batch = Batch::default();
    batch.push(&sample("one")).expect("JSON");
    batch.push(&sample("two")).expect("JSON");
    let first = batch.ends[0];
    assert_eq!((batch.line_start(0), batch.whole_lines(0)), (0, 0));
    assert_eq!(
        (batch.line_start(first - 1), batch.whole_lines(first - 1)),
        (0, 0)
    );
    assert_eq!((batch.line_start(first), batch.whole_lines(first)), (first, 1));
    assert_eq!(batch.whole_lines(batch.bytes.len()), 2);
}
