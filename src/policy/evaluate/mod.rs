//! The decision of docs/policies.md, 3: which places a profile permits at an instant, and what refuses the
//! others.
//!
//! Inputs: a policy set, a profile, an instant. Outputs: one set of places and what took places away.
//! Invariants: every tuple must be permitted for every activity; rules intersect, so their order is
//! irrelevant; an unknown place satisfies no rule, and neither does one whose facts are too old for the
//! data; an exception lifts what is known to be refused, and nothing else. Deliberately absent: nodes. A
//! node is permitted where its place is, and its region is confirmed where the data asks for that.

mod reach;
mod replicas;
mod transit;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::PolicySet;
use super::catalogue::{PlaceIndex, PlaceSet};
use super::definition::{Mode, RuleIndex};
use super::epoch::{Epoch, EpochRule, RuleKind};
use super::profile::{Profile, SourcedTuple};
use super::selector::BlockMatcher;
use super::transit::TransitIndex;
use crate::model::{Classification, DataTuple, Dimension, Membership, Tuple};
pub use reach::{Reach, reach};
pub use transit::TransitBinding;

/// What takes places away from a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An annotation that cannot be read.
    Malformed,
    /// The cluster was heard too long ago for the data, so that no place of a node is known.
    StaleFacts,
    /// A rule.
    Rule(RuleIndex),
    /// No policy covers the data.
    Uncovered,
    /// Nobody says what the data is, and the settings confine or deny that.
    Unlabelled,
}

/// A cause and the places that it leaves.
#[derive(Debug, Clone)]
pub struct Restriction {
    /// What.
    pub cause: Cause,
    /// Whether it refuses, or is only recorded.
    pub mode: Mode,
    /// The places that it leaves.
    pub admits: PlaceSet,
    /// Whether it leaves only nodes whose region is confirmed.
    pub needs_confirmed_region: bool,
}

impl Restriction {
    /// Whether it leaves a node at a place.
    #[must_use]
    pub fn leaves(&self, place: PlaceIndex, region_is_confirmed: bool) -> bool {
        self.admits.contains(place) && (region_is_confirmed || !self.needs_confirmed_region)
    }
}

/// An exception that makes a difference.
#[derive(Debug, Clone)]
pub struct UsedException {
    /// Index into [`Definitions::exceptions`](super::Definitions::exceptions).
    pub index: usize,
    /// The permitted places at which it lifts a refusal.
    pub places: PlaceSet,
}

/// How a tuple that no enforced rule covers came through, for the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PassedUncovered {
    /// Tuples that state that there is no governed data.
    pub no_data: usize,
    /// Public data of no category and no people.
    pub public: usize,
    /// Tuples of which nobody says what they are.
    pub unlabelled: usize,
    /// Tuples that a policy which is not enforced would cover.
    pub provisional: usize,
    /// Tuples that the settings let through.
    pub uncovered: usize,
}

/// Which places a pod may be put in.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The places that everything enforced leaves. Whether the settings only observe is not yet considered.
    pub permitted: PlaceSet,
    /// Whether only nodes are permitted whose region is confirmed.
    pub needs_confirmed_region: bool,
    /// The exceptions without which fewer places would be permitted, in the order of their names.
    pub exceptions: Vec<UsedException>,
    /// What would be permitted without any exception, where that is less.
    pub without_exceptions: Option<PlaceSet>,
    /// Each cause that takes a place away, in the order of causes; rules in the order of policy names.
    pub restrictions: Vec<Restriction>,
    /// Whether residency has a say at all (docs/policies.md, 3, "Governed").
    pub governed: bool,
    /// How uncovered tuples came through.
    pub passed: PassedUncovered,
    /// The rules on transit that bind data sets of the pod, in the order of rules. They take ways away and no
    /// place, so nothing above considers them.
    pub transit: Vec<TransitBinding>,
    /// The first instant at which the verdict may change; `None` is never.
    pub valid_until: Option<Timestamp>,
}

impl Verdict {
    /// Whether a node at a place is permitted.
    #[must_use]
    pub fn permits(&self, place: PlaceIndex, region_is_confirmed: bool) -> bool {
        self.permitted.contains(place) && self.is_confirmed_enough(region_is_confirmed)
    }

    /// Whether a node at a place would be permitted without any exception.
    #[must_use]
    pub fn permits_without_exceptions(&self, place: PlaceIndex, region_is_confirmed: bool) -> bool {
        let permitted = self.without_exceptions.as_ref().unwrap_or(&self.permitted);
        permitted.contains(place) && self.is_confirmed_enough(region_is_confirmed)
    }

    fn is_confirmed_enough(&self, region_is_confirmed: bool) -> bool {
        region_is_confirmed || !self.needs_confirmed_region
    }
}

/// Evaluates a profile for nodes whose objects the cluster confirms.
#[must_use]
pub fn evaluate(set: &PolicySet, profile: &Profile, now: Timestamp) -> Verdict {
    evaluate_confirmed(set, profile, now, None)
}

/// Evaluates a profile for nodes that the cluster confirmed until an instant, and confirms still where there is none.
#[must_use]
pub fn evaluate_confirmed(
    set: &PolicySet,
    profile: &Profile,
    now: Timestamp,
    confirmed_until: Option<Timestamp>,
) -> Verdict {
    let epoch = set.at(now);
    let mut evaluation = Evaluation {
        set,
        epoch,
        profile,
        causes: BTreeMap::new(),
        permitted: set.catalogue.every_place(),
        without_exceptions: None,
        exceptions: BTreeMap::new(),
        passed: PassedUncovered::default(),
        transit: BTreeMap::new(),
        reached_by_source: false,
        now,
        confirmed_until,
        stale_from: None,
    };
    if !profile.malformed.is_empty() {
        let nowhere = set.catalogue.no_place();
        evaluation.restrict(Cause::Malformed, Mode::Enforce, Effect::of_place(&nowhere));
    }
    evaluation.sources();
    for tuple in &profile.tuples {
        evaluation.tuple(tuple);
    }
    let governed_tuple = |sourced: &SourcedTuple| match &sourced.tuple {
        Tuple::NoData => false,
        Tuple::Unlabelled => !set.unlabelled_is_allowed(),
        Tuple::Data(tuple) => !is_public_without_people(tuple),
    };
    let governed = !profile.malformed.is_empty()
        || evaluation.reached_by_source
        || profile.tuples.iter().any(governed_tuple);
    let without_exceptions = evaluation.without_exceptions.take();
    let stale_from = evaluation.stale_from;
    let permitted = evaluation.permitted;
    let exceptions = evaluation
        .exceptions
        .into_iter()
        .filter_map(|(index, mut places)| {
            places.intersect(&permitted);
            (!places.is_empty()).then_some(UsedException { index, places })
        });
    let exceptions = exceptions.collect();
    let restrictions: Vec<Restriction> = evaluation.causes.into_values().collect();
    let needs_confirmed_region = restrictions
        .iter()
        .any(|restriction| restriction.mode == Mode::Enforce && restriction.needs_confirmed_region);
    Verdict {
        without_exceptions: without_exceptions.filter(|without| *without != permitted),
        exceptions,
        needs_confirmed_region,
        restrictions,
        permitted,
        governed,
        passed: evaluation.passed,
        transit: evaluation.transit.into_values().collect(),
        valid_until: epoch.until.into_iter().chain(stale_from).min(),
    }
}

/// How a rule matches one tuple of a pod.
struct RuleMatch {
    restricts: bool,
    /// Whether it covers the tuple, if it is a rule that covers.
    covers: bool,
}

impl RuleMatch {
    fn of(rule: &EpochRule, profile: &Profile, sourced: &SourcedTuple) -> Self {
        let mut found = Self {
            restricts: false,
            covers: false,
        };
        for block in rule.blocks.iter() {
            let matched = block.matches(profile, sourced);
            found.restricts |= matched.restricts != Membership::Out;
            found.covers |= matched.covers;
        }
        found
    }
}

/// What a cause leaves.
struct Effect<'a> {
    admits: Cow<'a, PlaceSet>,
    /// The same without exceptions, where some lift a refusal.
    without_exceptions: Option<PlaceSet>,
    needs_confirmed_region: bool,
}

impl<'a> Effect<'a> {
    fn of_place(admits: &'a PlaceSet) -> Self {
        Self {
            admits: Cow::Borrowed(admits),
            without_exceptions: None,
            needs_confirmed_region: false,
        }
    }
}

struct Evaluation<'a> {
    set: &'a PolicySet,
    epoch: &'a Epoch,
    profile: &'a Profile,
    causes: BTreeMap<Cause, Restriction>,
    permitted: PlaceSet,
    without_exceptions: Option<PlaceSet>,
    exceptions: BTreeMap<usize, PlaceSet>,
    passed: PassedUncovered,
    transit: BTreeMap<(RuleIndex, TransitIndex), TransitBinding>,
    reached_by_source: bool,
    now: Timestamp,
    confirmed_until: Option<Timestamp>,
    /// When the objects of the cluster will be too old for some data of the pod.
    stale_from: Option<Timestamp>,
}

impl<'a> Evaluation<'a> {
    fn restrict(&mut self, cause: Cause, mode: Mode, effect: Effect<'_>) {
        let Effect {
            admits,
            without_exceptions,
            needs_confirmed_region,
        } = effect;
        if mode == Mode::Enforce {
            if without_exceptions.is_some() && self.without_exceptions.is_none() {
                self.without_exceptions = Some(self.permitted.clone());
            }
            if let Some(left) = &mut self.without_exceptions {
                left.intersect(without_exceptions.as_ref().unwrap_or(&admits));
            }
            self.permitted.intersect(&admits);
        }
        match self.causes.entry(cause) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.admits.intersect(&admits);
                known.needs_confirmed_region |= needs_confirmed_region;
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Restriction {
                    cause,
                    mode,
                    admits: admits.into_owned(),
                    needs_confirmed_region,
                });
            }
        }
    }

    /// A block that selects by source alone reaches a pod even when it has no tuple. Where there are
    /// tuples, they carry what it restricts.
    fn sources(&mut self) {
        let (epoch, profile) = (self.epoch, self.profile);
        for rule in &epoch.rules {
            let reaches = |block: &BlockMatcher| {
                block.is_source_only() && block.matches_sources(profile) != Membership::Out
            };
            if !rule.blocks.iter().any(reaches) {
                continue;
            }
            self.reached_by_source = true;
            let performed = profile
                .looked_at()
                .iter()
                .any(|activity| rule.activities.contains(activity));
            if profile.tuples.is_empty() && performed && rule.kind == RuleKind::Node {
                self.restrict(Cause::Rule(rule.index), rule.mode, Effect::of_place(&rule.admits));
            }
        }
    }

    fn tuple(&mut self, sourced: &SourcedTuple) {
        let (epoch, profile) = (self.epoch, self.profile);
        for activity in profile.looked_at().iter() {
            let mut covered = false;
            let mut provisional = false;
            for rule in epoch
                .rules
                .iter()
                .filter(|rule| rule.activities.contains(activity))
            {
                let matched = RuleMatch::of(rule, profile, sourced);
                if matched.restricts && rule.kind == RuleKind::Transit {
                    self.bind(rule, sourced);
                } else if matched.restricts
                    && let Some(effect) = self.effect(rule, sourced)
                {
                    self.restrict(Cause::Rule(rule.index), rule.mode, effect);
                }
                if matched.covers && rule.covers {
                    covered |= rule.mode == Mode::Enforce;
                    provisional |= rule.mode != Mode::Enforce;
                }
            }
            if !covered && profile.performs.contains(activity) {
                self.uncovered(&sourced.tuple, provisional);
            }
        }
    }

    /// What an applicable rule leaves of the places for one tuple; `None` where it is about nothing that
    /// the pod does.
    fn effect(&mut self, rule: &'a EpochRule, sourced: &SourcedTuple) -> Option<Effect<'a>> {
        let (epoch, profile) = (self.epoch, self.profile);
        let (classification, is_data) = match &sourced.tuple {
            Tuple::Data(tuple) => (tuple.classification, true),
            Tuple::Unlabelled | Tuple::NoData => (None, false),
        };
        let fresh = epoch.fresh(classification).filter(|_| is_data);
        let judged = match &rule.kind {
            RuleKind::Node => Judged::by_place(rule),
            RuleKind::Transit => return None,
            RuleKind::NewReplica | RuleKind::SomeReplica(_) if !profile.is_new_copy() => {
                return None;
            }
            RuleKind::NewReplica => Judged::by_place(rule),
            RuleKind::Leaders(_) | RuleKind::ReadReplicas(_) | RuleKind::SomeReplica(_) => {
                replicas::judge(rule, profile, sourced, &self.set.catalogue, fresh)?
            }
        };
        let looks_at_the_node = matches!(
            rule.kind,
            RuleKind::Node | RuleKind::NewReplica | RuleKind::SomeReplica(_)
        );
        if is_data && looks_at_the_node && rule.mode == Mode::Enforce && self.is_stale(classification) {
            let nowhere = self.set.catalogue.no_place();
            self.restrict(Cause::StaleFacts, Mode::Enforce, Effect::of_place(&nowhere));
        }
        let settings = &self.set.definitions.settings;
        let mut effect = Effect {
            admits: judged.admits,
            without_exceptions: None,
            needs_confirmed_region: is_data && settings.needs_confirmed_region(classification),
        };
        let lifted = judged
            .is_known
            .then(|| self.lifted(rule, &sourced.tuple, &effect.admits));
        if let Some(lifted) = lifted.flatten() {
            let mut with = effect.admits.as_ref().clone();
            with.unite(&lifted);
            let mut without = effect.admits.into_owned();
            if let Some(fresh) = fresh {
                without.intersect(fresh);
            }
            effect.without_exceptions = Some(without);
            effect.admits = Cow::Owned(with);
        }
        if let Some(fresh) = fresh {
            effect.admits.to_mut().intersect(fresh);
        }
        Some(effect)
    }

    /// Whether the cluster was heard too long ago for data of a classification. Notes when it will have been.
    fn is_stale(&mut self, classification: Option<Classification>) -> bool {
        let most = self.set.definitions.settings.max_cluster_age(classification);
        let end = self.confirmed_until.zip(most);
        let Some(Ok(end)) = end.map(|(until, most)| until.checked_add(most)) else {
            return false;
        };
        if end > self.now {
            self.stale_from = Some(self.stale_from.map_or(end, |from| from.min(end)));
        }
        end <= self.now
    }

    /// The places at which exceptions lift the refusals of a rule for a tuple; each is noted as used.
    fn lifted(&mut self, rule: &EpochRule, tuple: &Tuple, admits: &PlaceSet) -> Option<PlaceSet> {
        let Tuple::Data(tuple) = tuple else {
            return None;
        };
        let mut lifted: Option<PlaceSet> = None;
        for exception in &rule.exceptions {
            let written = self.set.definitions.exceptions.get(exception.index)?;
            let holds = written.is_for(self.profile) && exception.data.matches(tuple) == Membership::In;
            if !holds {
                continue;
            }
            let mut lifts = exception.lifts.clone();
            lifts.subtract(admits);
            lifted
                .get_or_insert_with(|| self.set.catalogue.no_place())
                .unite(&lifts);
            if rule.mode == Mode::Enforce {
                let places = self.exceptions.entry(exception.index);
                places.and_modify(|places| places.unite(&lifts)).or_insert(lifts);
            }
        }
        lifted
    }

    fn uncovered(&mut self, tuple: &Tuple, provisional: bool) {
        let set = self.set;
        match tuple {
            Tuple::NoData => self.passed.no_data += 1,
            Tuple::Data(tuple) if is_public_without_people(tuple) => self.passed.public += 1,
            Tuple::Unlabelled if set.unlabelled_is_allowed() => self.passed.unlabelled += 1,
            Tuple::Unlabelled => {
                let confined = Effect::of_place(&self.epoch.unlabelled);
                self.restrict(Cause::Unlabelled, Mode::Enforce, confined);
            }
            Tuple::Data(_) if provisional => self.passed.provisional += 1,
            Tuple::Data(_) if set.definitions.settings.uncovered_is_allowed => self.passed.uncovered += 1,
            Tuple::Data(_) => {
                let nowhere = set.catalogue.no_place();
                self.restrict(Cause::Uncovered, Mode::Enforce, Effect::of_place(&nowhere));
            }
        }
    }
}

/// What a rule leaves before exceptions, and whether everything is known that it refuses for.
pub(super) struct Judged<'a> {
    pub admits: Cow<'a, PlaceSet>,
    pub is_known: bool,
}

impl<'a> Judged<'a> {
    /// What an unknown place fact refuses is left out of [`EpochException::lifts`](super::epoch::EpochException).
    fn by_place(rule: &'a EpochRule) -> Self {
        Self {
            admits: Cow::Borrowed(&rule.admits),
            is_known: true,
        }
    }
}

fn is_public_without_people(tuple: &DataTuple) -> bool {
    tuple.classification == Some(Classification::Public)
        && tuple.category == Dimension::None
        && tuple.subject == Dimension::None
}
