//! Tests: what a set must decide, written beside its policies.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{ActivitySet, RuleIndex};
use crate::model::{
    Country, DataSetUse, NamespaceName, Owner, RegionKey, StatedData, StatedProfile, Subdivision, ZoneFacts,
};
use crate::policy::finding::Position;

/// A `PolicyTest`: cases that are judged at one instant.
#[derive(Debug, Clone)]
pub struct PolicyTest {
    /// Its name.
    pub name: Arc<str>,
    /// The instant.
    pub at: Timestamp,
    /// Its cases, in the order of the file; at least one.
    pub cases: Vec<TestCase>,
    /// Where its name stands.
    pub written_at: Position,
}

/// One question and its answer.
#[derive(Debug, Clone)]
pub struct TestCase {
    /// In a few words; no other case of the test has them.
    pub name: String,
    /// Who carries which data.
    pub carrier: Carrier,
    /// What the pod does with it; always processes.
    pub performs: ActivitySet,
    /// Where it would run.
    pub place: TestPlace,
    /// Whether exceptions count.
    pub exceptions_count: bool,
    /// What must come of it.
    pub expects: Outcome,
    /// Why it must; `None` is for whatever reason.
    pub because: Option<Reason>,
    /// Where its name stands.
    pub written_at: Position,
}

/// A pod that is only thought of, and what speaks about its data.
#[derive(Debug, Clone)]
pub struct Carrier {
    /// Its namespace.
    pub namespace: NamespaceName,
    /// The labels of the namespace.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// What the namespace says as a whole.
    pub stated: Option<StatedData>,
    /// What the namespace says about its data; empty where nothing is stated.
    pub profile: StatedProfile,
    /// The data sets that the pod names.
    pub data_sets: Vec<DataSetUse>,
    /// The storage class of the claim that it mounts, and what that class says.
    pub storage_class: Option<(Arc<str>, StatedProfile)>,
    /// The controller of the pod.
    pub owner: Option<Owner>,
}

/// Where a pod would run.
#[derive(Debug, Clone)]
pub enum TestPlace {
    /// In a region of the catalogue.
    Region(RegionKey),
    /// Nobody knows where.
    Unknown,
    /// In a place that is only thought of.
    ThoughtOf(Box<ThoughtOfPlace>),
}

/// A place that is only thought of.
#[derive(Debug, Clone)]
pub struct ThoughtOfPlace {
    /// Its country.
    pub country: Country,
    /// The part of it.
    pub subdivision: Option<Subdivision>,
    /// When its facts were true.
    pub as_of: Timestamp,
    /// Its facts.
    pub facts: ZoneFacts,
}

/// What comes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The pod may run there.
    Allow,
    /// It may not.
    Deny,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 2] = [Self::Allow, Self::Deny];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Why something comes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A rule refuses the place; or, where the pod may run there, covers data of it.
    Rule(RuleIndex),
    /// An exception, by its index in [`Definitions::exceptions`](super::Definitions::exceptions), lifts a refusal.
    Exception(usize),
    /// No policy covers data of it.
    Uncovered,
    /// Nobody says what the data is.
    Unlabelled,
}
