//! What the author of a set should know beyond what keeps it from loading (docs/policies.md, 4).
//!
//! Inputs: a set that loaded, an instant. Outputs: findings, each with its position. Invariant: findings
//! depend on the set and the instant alone, and stand in the order of positions.
//! Deliberately absent: what needs pods or node classes (L09, L12).

mod accesses;
mod codes;
mod dates;
mod nodes;
mod overlaps;
mod places;
mod references;
mod tested;
mod unplaceable;
mod unreachable;
mod ways;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use codes::{FINDING_KINDS, FindingKind};
pub use nodes::lint_nodes;

use super::PolicySet;
use super::calendar::{day, last_day};
use super::data_sets::WrittenDataSets;
use super::epoch::Epoch;
use super::finding::{Finding, Level, Position};
use crate::model::DataSetName;

/// Where things stand that the model does not keep a position of.
#[derive(Debug, Clone, Default)]
pub(super) struct WrittenAt {
    /// Regions by their key.
    pub regions: BTreeMap<String, Position>,
    /// Data sets by their name.
    pub data_sets: BTreeMap<DataSetName, Position>,
}

/// Lints a set that loaded, as of an instant.
#[must_use]
pub fn lint(set: &PolicySet, at: Timestamp) -> Vec<Finding> {
    let mut found = Found {
        set,
        at,
        findings: Vec::new(),
    };
    found.dates();
    found.places();
    found.blocks();
    found.certifications();
    found.replicas(&set.data_sets, &set.written_at.data_sets);
    found.accesses(&set.data_sets, &set.written_at.data_sets);
    found.tests();
    found.overlaps();
    found.unplaceable_data_sets();
    found.ways();
    found.unreachable_rules();
    found.findings.extend(set.prove(at).findings(set));
    found.findings.sort();
    found.findings
}

/// Lints data sets that are declared beside a set that loaded. No date is judged.
#[must_use]
pub fn lint_data_sets(set: &PolicySet, read: &WrittenDataSets) -> Vec<Finding> {
    let mut found = Found {
        set,
        at: Timestamp::MIN,
        findings: Vec::new(),
    };
    found.replicas(&read.data_sets, &read.written_at);
    found.accesses(&read.data_sets, &read.written_at);
    found.findings
}

struct Found<'a> {
    set: &'a PolicySet,
    at: Timestamp,
    findings: Vec<Finding>,
}

impl<'a> Found<'a> {
    fn add(&mut self, level: Level, code: &'static str, at: &Position, sentence: String, fix: &str) {
        let fix = (!fix.is_empty()).then(|| fix.to_owned());
        self.findings.push(Finding {
            level,
            ..Finding::error(code, at.clone(), sentence).with_fix(fix)
        });
    }

    /// The stretches of time from the instant on.
    fn epochs(&self) -> impl Iterator<Item = &'a Epoch> + use<'a> {
        let at = self.at;
        let epochs = self.set.epochs.iter();
        epochs.filter(move |epoch| epoch.until.is_none_or(|until| at < until))
    }

    /// ` from 2027-01-01`, for what is not so yet.
    fn since_when(&self, epoch: &Epoch) -> String {
        if epoch.from <= self.at {
            String::new()
        } else {
            format!(" from {}", day(epoch.from))
        }
    }
}
