//! The judge can say no: before the load begins it is shown records that were tampered with, one field at a time,
//! records of other worlds, wrong answers, and memory that grows. Whatever it lets pass stops the soak.

use std::time::Duration;

use domicile::decisions::{DecisionRecord, ReasonRecord, RuleMode, ScoreSummary, Verb, Verdict};
use jiff::Timestamp;

use crate::judge::{Found, check};
use crate::memory::Memory;
use crate::pods::{REQUESTS, name_of};
use crate::replay::{Expected, Replayer};
use crate::worlds::Worlds;

type Tampering = (&'static str, fn(&mut DecisionRecord));

const EACH: [Tampering; 13] = [
    ("verb", |record| {
        record.verb = match record.verb {
            Verb::Filter => Verb::Prioritize,
            _ => Verb::Filter,
        };
    }),
    ("candidates", |record| record.candidates += 1),
    ("permitted", |record| record.permitted += 1),
    ("permitted_without_exceptions", |record| {
        record.permitted_without_exceptions = Some(0)
    }),
    ("exceptions", |record| {
        record.exceptions.push("ex-other".to_owned())
    }),
    ("reasons", |record| {
        if record.reasons.pop().is_none() {
            record.reasons.push(ReasonRecord {
                code: "rule".to_owned(),
                rule: None,
                mode: RuleMode::Enforce,
                nodes: 1,
            });
        }
    }),
    ("verdict", |record| {
        record.verdict = match record.verdict {
            Verdict::Permitted => Verdict::Refused,
            _ => Verdict::Permitted,
        };
    }),
    ("scores", |record| {
        record.scores = Some(ScoreSummary {
            least: 1,
            greatest: 99,
            best_nodes: 7,
            unknown_nodes: 0,
        });
    }),
    ("sentence", |record| {
        record.sentence = Some("domicile: no".to_owned())
    }),
    ("policy_set", |record| record.policy_set = "0".into()),
    ("governed", |record| record.governed = !record.governed),
    ("pod", |record| record.pod.uid.push('x')),
    ("snapshot", |record| record.snapshot = "0000000000000000".into()),
];

/// Shows the judge every kind of request in some worlds, as they are and tampered with. Gives how many it refused.
pub fn is_found(worlds: &Worlds, replayer: &mut Replayer<'_>) -> usize {
    let now = Timestamp::now();
    let mut found = Found::default();
    let mut refused = 0;
    // Numbers of requests until each of the different ones has come.
    let serials = 0..(REQUESTS * 5) as u64;
    for world in [0, worlds.all.len() / 2, worlds.all.len() - 1] {
        for serial in serials.clone() {
            let Expected { record, hash, .. } = replayer.replay(world, serial, now);
            let Some(record) = record else { continue };
            let mut is_refused = |record: DecisionRecord, hash: u64| {
                check(replayer, worlds, record, hash, &mut found).err().is_some()
            };
            assert!(!is_refused(record.clone(), hash), "a true record is refused");
            assert!(is_refused(record.clone(), !hash), "a wrong answer is not found");
            for (field, tamper) in EACH {
                let mut tampered = record.clone();
                tamper(&mut tampered);
                if tampered == record {
                    continue;
                }
                let name = name_of(serial);
                assert!(
                    is_refused(tampered, hash),
                    "{field} of {name} was tampered with, and nobody found it"
                );
                refused += 1;
            }
            refused += 1;
            refused += usize::from(in_another_world(worlds, &record, |record| {
                is_refused(record, hash)
            }));
        }
    }
    refused
}

/// Memory that grows by ten bytes with each of three million decisions must be found, and memory that goes up and down
/// must not.
pub fn growth_is_found() {
    let run = Duration::from_mins(10);
    let is_bounded = |kib_at: fn(u64) -> u64| {
        let mut memory = Memory::default();
        for second in (0..run.as_secs()).step_by(2) {
            memory.note(Duration::from_secs(second), kib_at(second));
        }
        memory.growth(run).is_bounded
    };
    assert_eq!(
        is_bounded(|second| 60 * 1024 + second * 5_000 * 10 / 1024),
        Some(false)
    );
    assert_eq!(is_bounded(|second| 60 * 1024 + second % 60 * 64), Some(true));
}

/// The same record, said to be of a world in which other policies rule, must be refused.
fn in_another_world(
    worlds: &Worlds,
    record: &DecisionRecord,
    is_refused: impl FnOnce(DecisionRecord) -> bool,
) -> bool {
    let other = worlds.all.iter().map(|world| &world.snapshot);
    let mut other = other.filter(|snapshot| snapshot.policies().digest() != &*record.policy_set);
    let Some(other) = other.next() else { return false };
    let mut moved = record.clone();
    moved.snapshot = other.id().into();
    assert!(is_refused(moved), "a record of another world is not found");
    true
}
