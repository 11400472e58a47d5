//! Every record against a replay, while it is written.
//!
//! Inputs: the file of records, which is renamed and taken away under the program as whoever rotates logs does; the
//! answers that clients got. Outputs: what was found. Invariants: each answer meets exactly one record, but for created
//! pods that nothing governs, which have none; each record meets exactly one answer; both must be those of a replay in
//! the world that the record names, and that world must have been there at the time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use domicile::decisions::{DecisionRecord, Verb};
use jiff::Timestamp;
use serde_json::Value;

use crate::load::{Answered, Pace};
use crate::pods::{name_of, serial_of};
use crate::putting::Facts;
use crate::replay::Replayer;
use crate::worlds::Worlds;

/// How often the file of records is moved away.
const ROTATE_EVERY: Duration = Duration::from_secs(1);
/// How long an answer may be under way whose record is there, and a new file to come.
const LIMIT: Duration = Duration::from_secs(30);
/// How long facts may go on deciding that were replaced: they are announced, left alone for a moment, read, and compiled
/// beside the load. It is a bound against a source that is never read again; the figure itself is told.
const MOST_OUTDATED: Duration = Duration::from_secs(30);
/// One of so many records is compared with a replay of its own, and not with that of its like.
const OWN_REPLAY: u64 = 256;
/// Disagreements of which the text is kept.
const TOLD: usize = 10;

/// What was found.
#[derive(Default)]
pub struct Found {
    pub records: u64,
    pub disagreements: u64,
    pub told: Vec<String>,
    /// Losses that records tell of.
    pub lost: u64,
    /// Answers that have no record, as created pods that nothing governs have none.
    pub unrecorded: u64,
    /// The greatest number of any decision.
    pub greatest_number: u64,
    numbers: u128,
    pub rotations: u64,
    pub own_replays: u64,
    /// The worlds that decided.
    pub worlds: BTreeSet<usize>,
    /// How long facts decided that were replaced, at most.
    pub outdated: Duration,
    pub verdicts: BTreeMap<&'static str, u64>,
    greatest_serial: u64,
}

/// The judge.
pub struct Judge<'w> {
    worlds: &'w Worlds,
    facts: &'w Facts<'w>,
    pace: &'w Pace,
    answers: Receiver<Answered>,
    unmet: BTreeMap<u64, Answered>,
    /// How long it waits for the next answer that is not there: after one that never came, no longer much.
    patience: Duration,
    replayer: Replayer<'w>,
    found: Found,
}

impl<'w> Judge<'w> {
    pub fn new(
        worlds: &'w Worlds,
        facts: &'w Facts<'w>,
        pace: &'w Pace,
        replayer: Replayer<'w>,
        answers: Receiver<Answered>,
    ) -> Self {
        Self {
            worlds,
            facts,
            pace,
            answers,
            unmet: BTreeMap::new(),
            patience: LIMIT,
            replayer,
            found: Found::default(),
        }
    }

    /// Judges until the program has ended and its last record was read.
    pub fn follow(mut self, log: &Path, has_ended: &AtomicBool) -> (Found, u64) {
        let moved = log.with_extension("moved");
        loop {
            let is_last = has_ended.load(Ordering::Acquire);
            if log.exists() {
                fs::rename(log, &moved).expect("the file of records is moved");
                self.found.rotations += 1;
                let moved_at = Instant::now();
                // Whoever has opened a new file writes nothing more to the old one.
                while !log.exists() && !has_ended.load(Ordering::Acquire) && moved_at.elapsed() < LIMIT {
                    std::thread::sleep(Duration::from_millis(2));
                }
                self.file(&fs::read(&moved).expect("records"));
                fs::remove_file(&moved).expect("judged records are removed");
            }
            if is_last {
                break;
            }
            std::thread::sleep(ROTATE_EVERY);
        }
        self.end();
        (self.found, self.replayer.replays)
    }

    fn file(&mut self, records: &[u8]) {
        for line in records
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            self.found.records += 1;
            if let Err(problem) = self.line(line) {
                self.found.disagree(problem);
            }
        }
        self.answers.try_iter().for_each(|answered| {
            self.unmet.insert(answered.serial, answered);
        });
        // Whatever was answered before a later request was sent was recorded before that one.
        let latest = self.found.greatest_serial;
        self.settle(|answered| answered.next <= latest);
    }

    fn line(&mut self, line: &[u8]) -> Result<(), String> {
        let told = |problem: String| format!("{problem}: {}", String::from_utf8_lossy(line));
        let record: DecisionRecord = serde_json::from_slice(line).map_err(|error| told(error.to_string()))?;
        self.found.lost += record.lost;
        self.number(&record).map_err(told)?;
        let serial =
            serial_of(&record.pod.name).ok_or_else(|| told("a pod that nobody asked about".to_owned()))?;
        self.found.greatest_serial = self.found.greatest_serial.max(serial);
        let answered = self
            .answer(serial)
            .ok_or_else(|| told("a record without an answer".to_owned()))?;
        self.pace.judged.fetch_add(1, Ordering::Relaxed);
        *self.found.verdicts.entry(record.verdict.word()).or_default() += 1;
        let (world, at) = (self.worlds.find(&record.snapshot), record.time);
        check(
            &mut self.replayer,
            self.worlds,
            record,
            answered.hash,
            &mut self.found,
        )
        .map_err(told)?;
        let world = world.ok_or_else(|| told("a world that never was".to_owned()))?;
        self.found.worlds.insert(world);
        let outdated = self
            .facts
            .outdated_for(self.worlds.all[world].states, at)
            .map_err(told)?;
        self.found.outdated = self.found.outdated.max(outdated);
        match outdated <= MOST_OUTDATED {
            true => Ok(()),
            false => Err(told(format!(
                "facts decided that were replaced {outdated:?} before"
            ))),
        }
    }

    /// The id of a decision names its world and counts on.
    fn number(&mut self, record: &DecisionRecord) -> Result<(), String> {
        let mut parts = record.id.split('.');
        let is_of_world = parts.next() == Some(&*record.snapshot);
        let number: Option<u64> = parts.nth(1).and_then(|number| number.parse().ok());
        let number = number.filter(|_| is_of_world).ok_or("an id of another form")?;
        self.found.greatest_number = self.found.greatest_number.max(number);
        self.found.numbers += u128::from(number);
        Ok(())
    }

    /// The answer to a request, which may be under way.
    fn answer(&mut self, serial: u64) -> Option<Answered> {
        let deadline = Instant::now() + self.patience;
        loop {
            if let Some(answered) = self.unmet.remove(&serial) {
                return Some(answered);
            }
            let rest = deadline.saturating_duration_since(Instant::now());
            let Ok(answered) = self.answers.recv_timeout(rest) else {
                self.patience = LIMIT / 1_000;
                return None;
            };
            self.unmet.insert(answered.serial, answered);
        }
    }

    /// Answers that no record meets any more.
    fn settle(&mut self, is_due: impl Fn(&Answered) -> bool) {
        let due: Vec<Answered> = self
            .unmet
            .extract_if(.., |_, answered| is_due(answered))
            .map(|(_, it)| it)
            .collect();
        for answered in due {
            self.pace.judged.fetch_add(1, Ordering::Relaxed);
            let name = name_of(answered.serial);
            match self.needs_no_record(&answered) {
                true => self.found.unrecorded += 1,
                false => self
                    .found
                    .disagree(format!("no record of the answer about {name}")),
            }
        }
    }

    /// Whether an answer is that of a world in which nothing governs the pod that was created.
    fn needs_no_record(&mut self, answered: &Answered) -> bool {
        let now = Timestamp::now();
        (0..self.worlds.all.len()).any(|world| {
            let expected = self.replayer.expected(world, answered.serial, now);
            expected.record.is_none() && expected.hash == answered.hash
        })
    }

    fn end(&mut self) {
        self.answers.try_iter().for_each(|answered| {
            self.unmet.insert(answered.serial, answered);
        });
        self.settle(|_| true);
        let greatest = u128::from(self.found.greatest_number);
        let is_every_number_there = self.found.numbers == greatest * (greatest + 1) / 2;
        if !is_every_number_there || u128::from(self.found.records) != greatest {
            let records = self.found.records;
            self.found.disagree(format!(
                "{records} records, and decisions are numbered up to {greatest}"
            ));
        }
    }
}

impl Found {
    fn disagree(&mut self, problem: String) {
        self.disagreements += 1;
        if self.told.len() < TOLD {
            self.told.push(problem);
        }
    }
}

/// Compares a record, and the answer that belongs to it, with a replay.
///
/// # Errors
/// Where they disagree.
pub fn check(
    replayer: &mut Replayer<'_>,
    worlds: &Worlds,
    mut record: DecisionRecord,
    answer: u64,
    found: &mut Found,
) -> Result<(), String> {
    let world = worlds.find(&record.snapshot).ok_or("a world that never was")?;
    let serial = serial_of(&record.pod.name).ok_or("a pod that nobody asked about")?;
    record.id.clear();
    record.lost = 0;
    if serial.is_multiple_of(OWN_REPLAY) {
        let own = replayer.replay(world, serial, record.time);
        agree(&record, own.record.as_ref(), (answer, own.hash))?;
        found.own_replays += 1;
    }
    // The replay may be that of another request of its kind, and of another moment.
    let uid = match record.verb {
        Verb::Mutate | Verb::Validate => "",
        Verb::Filter | Verb::Prioritize | Verb::Preempt => record.pod.name.as_str(),
    };
    if record.pod.uid != uid {
        return Err("a pod with another UID".to_owned());
    }
    let expected = replayer.expected(world, serial, record.time);
    if let Some(expected) = &expected.record {
        record.pod.name.clone_from(&expected.pod.name);
        record.pod.uid.clone_from(&expected.pod.uid);
        record.time = expected.time;
    }
    agree(&record, expected.record.as_ref(), (answer, expected.hash))
}

fn agree(
    record: &DecisionRecord,
    expected: Option<&DecisionRecord>,
    hashes: (u64, u64),
) -> Result<(), String> {
    let expected = expected.ok_or("a record of what is not recorded")?;
    if record != expected {
        return Err(format!(
            "the replay says otherwise: {}",
            differences(record, expected)
        ));
    }
    match hashes.0 == hashes.1 {
        true => Ok(()),
        false => Err("the answer is not that of the replay".to_owned()),
    }
}

/// The fields in which two records differ.
fn differences(record: &DecisionRecord, expected: &DecisionRecord) -> String {
    let fields = |record| match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(record), fields(expected));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name));
    let told = differ.map(|name| {
        let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
        format!(
            "{name} is {} and should be {}",
            text(one.get(name)),
            text(other.get(name))
        )
    });
    told.collect::<Vec<_>>().join(", ")
}
