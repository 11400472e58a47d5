//! The objects of a policy set as types that cannot be wrong, before any date is considered.
//!
//! Inputs: [`translate`](super::translate) has checked every word and reference. Invariants: a group
//! that is named exists and groups have no cycle; a date range is not empty; a list that is present has
//! a member.

mod exception;
mod guarantee;
mod link;
mod settings;
mod test_case;
mod transit;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::finding::Position;
use crate::model::{
    Category, Classification, Country, DataSetName, KeyCustody, Subdivision, Subject, Tenancy,
};
pub use exception::{Exception, ExceptionCategory, ExceptionState, ExceptionTerms, Workload};
pub use guarantee::{ForbiddenPlaces, Guarantee};
pub use link::{LinkEnd, NetworkLink};
pub use settings::{LatencySettings, RegionKeyTrust, Settings, Unlabelled};
pub use test_case::{Carrier, Outcome, PolicyTest, Reason, TestCase, TestPlace, ThoughtOfPlace};
pub use transit::{PathUnknown, TransitDemand};

/// A group by its index in [`Definitions::groups`].
pub type GroupIndex = usize;

/// A place in a list of places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlaceTerm {
    /// A country.
    Country(Country),
    /// A part of a country.
    Subdivision(Subdivision),
    /// A jurisdiction group.
    Group(GroupIndex),
    /// Every catalogued place.
    Anywhere,
}

/// A member of a group.
#[derive(Debug, Clone)]
pub struct Member {
    /// Which place.
    pub term: PlaceTerm,
    /// The first instant; `None` is ever since.
    pub from: Option<Timestamp>,
    /// The first instant after; `None` is for ever.
    pub until: Option<Timestamp>,
    /// What a place must also surely meet to be a member.
    pub required: Option<Requirement>,
}

/// A named set of places.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// Who belongs to it.
    pub members: Vec<Member>,
    /// When the list was right.
    pub as_of: Timestamp,
    /// When somebody must look at it again.
    pub review_by: Timestamp,
    /// Where the list comes from.
    pub source: String,
    /// Where its name stands.
    pub written_at: Position,
}

/// What a place must surely meet: all parts that are present.
#[derive(Debug, Clone, Default)]
pub struct Requirement {
    /// Any of these companies.
    pub legal_entity: Option<Vec<Arc<str>>>,
    /// Every country that controls the operator is surely in here.
    pub controlled_from: Option<Vec<PlaceTerm>>,
    /// Every country that administers is surely in here.
    pub admin_access_from: Option<Vec<PlaceTerm>>,
    /// Any of these attestations.
    pub certifications: Option<Vec<RequiredCertification>>,
    /// Any of these.
    pub key_custody: Option<Vec<KeyCustody>>,
    /// Any of these.
    pub tenancy: Option<Vec<Tenancy>>,
}

/// An attestation that is asked for.
#[derive(Debug, Clone)]
pub struct RequiredCertification {
    /// Which scheme.
    pub scheme: Arc<str>,
    /// Which level of it, exactly.
    pub level: Option<Arc<str>>,
    /// For how many more days it must be valid.
    pub valid_at_least_days: u32,
}

/// What a rule demands of a place.
#[derive(Debug, Clone)]
pub enum Demand {
    /// Only here.
    Allowed(Vec<PlaceTerm>),
    /// Not here.
    Denied(Vec<PlaceTerm>),
    /// Only what meets this.
    Required(Requirement),
    /// Every leader of a data set that the pod may write is surely here, and one is known.
    PrimaryMustBeIn(Vec<PlaceTerm>),
    /// Some readable replica of a data set that the pod reads is surely here.
    FromReplicaIn(Vec<PlaceTerm>),
    /// A new copy of a data set is only made here.
    NoReplicaOutside(Vec<PlaceTerm>),
    /// With a new copy of a data set, a copy of it is here.
    ReplicaMustExistIn(Vec<PlaceTerm>),
    /// A data set is only reached over ways that surely avoid some places.
    Transit(TransitDemand),
}

/// What a pod does with data (docs/policies.md, 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// Every pod does.
    Process,
    /// A pod that mounts a claim does.
    Store,
    /// A member of a data set does.
    Replicate,
}

impl Activity {
    /// Every activity.
    pub const ALL: [Self; 3] = [Self::Process, Self::Store, Self::Replicate];

    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Store => "store",
            Self::Replicate => "replicate",
        }
    }
}

/// A set of activities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActivitySet(u8);

impl ActivitySet {
    /// The set with one more.
    #[must_use]
    pub fn with(self, activity: Activity) -> Self {
        Self(self.0 | (1 << activity as u8))
    }

    /// Whether it holds the activity.
    #[must_use]
    pub fn contains(self, activity: Activity) -> bool {
        self.0 & (1 << activity as u8) != 0
    }

    /// What it holds, in order.
    pub fn iter(self) -> impl Iterator<Item = Activity> {
        Activity::ALL
            .into_iter()
            .filter(move |activity| self.contains(*activity))
    }
}

/// What becomes of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It refuses.
    Enforce,
    /// It is recorded, and an Event tells.
    Warn,
    /// It is recorded.
    Audit,
}

impl Mode {
    /// The word that files use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Warn => "warn",
            Self::Audit => "audit",
        }
    }
}

/// A rule of one policy, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex {
    /// Index into [`Definitions::policies`].
    pub policy: usize,
    /// Index into that policy's rules.
    pub rule: usize,
}

/// A rule of a policy.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name within the policy.
    pub id: Arc<str>,
    /// What it is about.
    pub activities: ActivitySet,
    /// What it demands.
    pub demand: Demand,
    /// Where its name stands.
    pub written_at: Position,
}

/// A subject of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectSelector {
    /// Data of no people.
    None,
    /// People of a place.
    Place(PlaceTerm),
}

/// Selects by what the data is; all that is present must hold.
#[derive(Debug, Clone, Default)]
pub struct DataSelector {
    /// At least so sensitive.
    pub at_least: Option<Classification>,
    /// Any of these; `None` in the list is data of no category.
    pub categories: Option<Vec<Option<Category>>>,
    /// Any of these.
    pub subjects: Option<Vec<SubjectSelector>>,
}

/// Selects by data and by where the data comes from; all that is present must hold.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// By what the data is.
    pub data: Option<DataSelector>,
    /// By the labels of the namespace: all of them.
    pub namespace_labels: Option<Vec<(Arc<str>, Arc<str>)>>,
    /// By storage class: any.
    pub storage_classes: Option<Vec<Arc<str>>>,
    /// By data set: any.
    pub data_sets: Option<Vec<DataSetName>>,
    /// Where it stands.
    pub written_at: Position,
}

/// A law, a standard or a contract that a policy rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasis {
    /// What is cited.
    pub cite: String,
    /// Where it can be read.
    pub url: Option<String>,
    /// What it asks for.
    pub note: Option<String>,
}

/// One policy: one legal reason.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name.
    pub name: Arc<str>,
    /// In one line, for people.
    pub title: String,
    /// Which team answers for it.
    pub team: String,
    /// Whom a refused user asks.
    pub contact: Arc<str>,
    /// Its version, as its author counts.
    pub version: Option<String>,
    /// Why it exists.
    pub legal_basis: Vec<LegalBasis>,
    /// The controls of a catalogue of controls that it implements.
    pub controls: Vec<String>,
    /// What becomes of its verdicts.
    pub mode: Mode,
    /// The first instant; `None` is ever since.
    pub effective_from: Option<Timestamp>,
    /// Until then `enforce` is `audit`.
    pub enforce_from: Option<Timestamp>,
    /// After that somebody must look; it goes on restricting (docs/policies.md, 3, "Time").
    pub effective_until: Option<Timestamp>,
    /// When somebody must look at it again.
    pub review_by: Option<Timestamp>,
    /// To what: any of these.
    pub applies_to: Vec<Block>,
    /// What it demands, in the order of ids.
    pub rules: Vec<Rule>,
    /// On what terms exceptions may be made; `None` is never.
    pub exceptions: Option<ExceptionTerms>,
    /// Where its name stands.
    pub written_at: Position,
}

impl Policy {
    /// What it cites.
    #[must_use]
    pub fn cited(&self) -> Vec<String> {
        self.legal_basis.iter().map(|basis| basis.cite.clone()).collect()
    }
}

/// Everything but the catalogue.
#[derive(Debug, Clone)]
pub struct Definitions {
    /// The settings.
    pub settings: Settings,
    /// The groups, in the order of their names.
    pub groups: Vec<Group>,
    /// What is declared of ways between places, in the order of names.
    pub links: Vec<NetworkLink>,
    /// The policies, in the order of their names.
    pub policies: Vec<Policy>,
    /// The exceptions, in the order of their names.
    pub exceptions: Vec<Exception>,
    /// The guarantees, in the order of their names.
    pub guarantees: Vec<Guarantee>,
    /// The tests, in the order of their names.
    pub tests: Vec<PolicyTest>,
}

impl Definitions {
    /// The members of a group that are in force at an instant.
    pub fn members(&self, group: GroupIndex, now: Timestamp) -> impl Iterator<Item = &Member> {
        self.groups
            .get(group)
            .into_iter()
            .flat_map(|group| &group.members)
            .filter(move |member| {
                member.from.is_none_or(|from| from <= now) && member.until.is_none_or(|until| now < until)
            })
    }

    /// Every subject that a group names at an instant, conditional members among them.
    #[must_use]
    pub fn subjects_of(&self, group: GroupIndex, now: Timestamp) -> BTreeSet<Subject> {
        let mut subjects = BTreeSet::new();
        let mut seen = BTreeSet::from([group]);
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            for member in self.members(group, now) {
                match &member.term {
                    PlaceTerm::Country(country) => {
                        subjects.insert(Subject::Country(*country));
                    }
                    PlaceTerm::Subdivision(part) => {
                        subjects.insert(Subject::Subdivision(part.clone()));
                    }
                    // A group is looked at once, however many ways lead to it.
                    PlaceTerm::Group(inner) if seen.insert(*inner) => open.push(*inner),
                    PlaceTerm::Group(_) | PlaceTerm::Anywhere => {}
                }
            }
        }
        subjects
    }

    /// A rule.
    #[must_use]
    pub fn rule(&self, index: RuleIndex) -> Option<&Rule> {
        self.policies.get(index.policy)?.rules.get(index.rule)
    }

    /// The group of a name.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<GroupIndex> {
        self.groups.binary_search_by(|group| (*group.name).cmp(name)).ok()
    }

    /// A list of places as people read it: `group EEA or CH`.
    #[must_use]
    pub fn places_in_words(&self, terms: &[PlaceTerm]) -> String {
        let words: Vec<String> = terms
            .iter()
            .map(|term| match term {
                PlaceTerm::Country(country) => country.code().to_owned(),
                PlaceTerm::Subdivision(part) => part.code().to_owned(),
                PlaceTerm::Group(group) => {
                    format!(
                        "group {}",
                        self.groups.get(*group).map_or("", |group| &group.name)
                    )
                }
                PlaceTerm::Anywhere => "any catalogued place".to_owned(),
            })
            .collect();
        words.join(" or ")
    }
}

/// The groups in such an order that a group stands behind every group that it names. A group that
/// is a member of itself, or that names such a group, has no place in it and is left out.
#[must_use]
pub fn inner_groups_first(groups: &[Group]) -> Vec<GroupIndex> {
    let named_by = |group: &Group| -> Vec<GroupIndex> {
        let terms = group.members.iter().map(|member| &member.term);
        terms
            .filter_map(|term| match term {
                PlaceTerm::Group(inner) => Some(*inner),
                _ => None,
            })
            .collect()
    };
    let mut waits_for: Vec<usize> = vec![0; groups.len()];
    let mut outer: Vec<Vec<GroupIndex>> = vec![Vec::new(); groups.len()];
    for (index, group) in groups.iter().enumerate() {
        for inner in named_by(group) {
            if let (Some(count), Some(outer)) = (waits_for.get_mut(index), outer.get_mut(inner)) {
                *count += 1;
                outer.push(index);
            }
        }
    }
    let ready = |(index, count): (usize, &usize)| (*count == 0).then_some(index);
    let mut order: Vec<GroupIndex> = waits_for.iter().enumerate().filter_map(ready).collect();
    let mut next = 0;
    while let Some(group) = order.get(next).copied() {
        next += 1;
        for waiting in outer.get(group).into_iter().flatten() {
            if let Some(count) = waits_for.get_mut(*waiting) {
                *count -= 1;
                if *count == 0 {
                    order.push(*waiting);
                }
            }
        }
    }
    order
}
