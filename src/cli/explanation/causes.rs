//! What decides about a pod: rules and other causes, with the data that brings them and whom to ask.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{
    Classification, DataTuple, Dimension, PodRequirements, RESTRICTED_REGION_LABEL, RegionReference, Tuple,
};
use crate::placement::{Assessment, Bearing, Doubt, Obstacle, ObstacleKind, Refusal};
use crate::policy::{Cause, Mode, Policy, Source, SourcedTuple};
use crate::snapshot::{ClassIndex, NodeClass};

/// How many subjects a line names before it counts the rest.
const MOST_SUBJECTS: usize = 6;

/// One tuple and who asserted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Datum {
    /// Who: `Namespace/shop`, `DataSet/orders`.
    pub source: String,
    /// The tuple in the words of the files.
    pub tuple: String,
}

/// A rule, or what stands in for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionCause {
    /// `rule`, `uncovered`, `unlabelled`, `malformed-annotation`, `no-route`, `unreachable`, `over-limit`,
    /// `unmeasured` or `unknown-node`.
    pub cause: &'static str,
    /// `policy/rule`, for a rule.
    pub rule: Option<String>,
    /// `enforce`, or the mode in which it is only recorded.
    pub mode: &'static str,
    /// Whether it refuses the node, or the nodes, that it is told of.
    pub refuses: bool,
    /// What it demands, in words.
    pub says: String,
    /// The title of the policy.
    pub title: Option<String>,
    /// What the policy cites.
    pub legal_basis: Vec<String>,
    /// The team that answers for it.
    pub team: Option<String>,
    /// Whom to ask.
    pub contact: Option<String>,
    /// The data that brings it; empty where the pod brings it whatever its data is.
    pub because_of: Vec<Datum>,
    /// Whether the pod brings it by its namespace, its storage or the data sets it names, or by an
    /// annotation that cannot be read: whatever its data is.
    pub whatever_its_data: bool,
    /// What makes the place of the node unknown for this data, although the catalogue knows it.
    pub doubts: Vec<String>,
    #[serde(skip)]
    tuples: Vec<SourcedTuple>,
}

/// Every cause that bears on a pod, at a node of a class; `None` is a node that is not known.
#[must_use]
pub fn causes(
    assessment: &Assessment<'_>,
    pod: &PodRequirements,
    class: Option<ClassIndex>,
    now: Timestamp,
) -> Vec<DecisionCause> {
    let at = class.and_then(|class| Some((class, assessment.snapshot.class(class)?)));
    let unknown = (class.is_none() && assessment.verdict.governed).then(unknown_node);
    let obstacles = assessment.obstacles(class).iter();
    let told: BTreeSet<Obstacle> = obstacles.map(|obstacle| obstacle.told_as()).collect();
    let by_access = told.into_iter().map(|obstacle| of_access(assessment, obstacle));
    let bearing = causes_with_bearings(assessment, pod, now).into_iter();
    let at_place = bearing.map(|(cause, bearing)| DecisionCause {
        refuses: at.is_some_and(|(_, class)| !bearing.leaves(class)),
        doubts: at
            .map(|(class, _)| doubts_in_words(assessment, &bearing, class, now))
            .unwrap_or_default(),
        ..cause
    });
    unknown.into_iter().chain(at_place).chain(by_access).collect()
}

/// An access that keeps the pod from a place, as a cause that refuses.
#[must_use]
pub fn of_access(assessment: &Assessment<'_>, obstacle: Obstacle) -> DecisionCause {
    let says = assessment.obstacle_in_words(obstacle);
    let cause = refusing(Refusal::Access(obstacle.kind), says);
    // Of several rules each names its own policy; the first stands for them, since the words have all.
    let rules = match obstacle.kind {
        ObstacleKind::NoRoute => assessment.transit.enforced_on(obstacle.access),
        _ => Vec::new(),
    };
    let set = assessment.snapshot.policies();
    let rule = rules.first();
    let policy = rule.and_then(|rule| set.definitions().policies.get(rule.policy));
    DecisionCause {
        rule: rule.and_then(|rule| set.rule_name(*rule)),
        title: policy.map(|policy| policy.title.clone()),
        legal_basis: policy.map(Policy::cited).unwrap_or_default(),
        team: policy.map(|policy| policy.team.clone()),
        contact: policy.map(|policy| policy.contact.to_string()),
        ..cause
    }
}

/// Every cause that bears on a pod, as one that refuses, with what it leaves.
#[must_use]
pub fn causes_with_bearings(
    assessment: &Assessment<'_>,
    pod: &PodRequirements,
    now: Timestamp,
) -> Vec<(DecisionCause, Bearing)> {
    let bearings = assessment.bearings(now).into_iter();
    bearings
        .map(|bearing| (cause(assessment, pod, &bearing), bearing))
        .collect()
}

/// What makes the place of a class unknown for the data that brings a cause.
#[must_use]
pub fn doubts_in_words(
    assessment: &Assessment<'_>,
    bearing: &Bearing,
    class: ClassIndex,
    now: Timestamp,
) -> Vec<String> {
    let Some(at) = assessment.snapshot.class(class) else {
        return Vec::new();
    };
    let doubts = assessment.doubts(bearing, class, now).into_iter();
    doubts
        .map(|doubt| match doubt {
            Doubt::Unconfirmed => unconfirmed_in_words(at),
            Doubt::TooOld { as_of, most } => {
                let days = |age: jiff::SignedDuration| age.as_hours() / 24;
                let region = at.region.as_ref().map(ToString::to_string);
                format!(
                    "what is known of `{}` is of {} and too old for this data: {} days where less than {} count",
                    region.unwrap_or_default(),
                    as_of.strftime("%Y-%m-%d"),
                    days(now.duration_since(as_of)),
                    days(most),
                )
            }
        })
        .collect()
}

fn unconfirmed_in_words(class: &NodeClass) -> String {
    let name = |reference: &Option<RegionReference>| reference.as_ref().map(ToString::to_string);
    let record = &class.record;
    match name(&record.restricted_region) {
        None => format!(
            "the region of the node is not confirmed: it has no label `{RESTRICTED_REGION_LABEL}` that can be read"
        ),
        Some(restricted) => format!(
            "the region of the node is not confirmed: the label `{RESTRICTED_REGION_LABEL}` says `{restricted}` where the topology label says `{}`",
            name(&record.locality.region).unwrap_or_default()
        ),
    }
}

fn unknown_node() -> DecisionCause {
    let says = "the fleet has no node of this name, so nobody knows where it is";
    refusing(Refusal::UnknownNode, says.to_owned())
}

/// A cause that is no rule, and that no data brings.
fn refusing(refusal: Refusal, says: String) -> DecisionCause {
    DecisionCause {
        cause: refusal.code().word(),
        rule: None,
        mode: Mode::Enforce.word(),
        refuses: true,
        says,
        title: None,
        legal_basis: Vec::new(),
        team: None,
        contact: None,
        because_of: Vec::new(),
        whatever_its_data: false,
        doubts: Vec::new(),
        tuples: Vec::new(),
    }
}

fn cause(assessment: &Assessment<'_>, pod: &PodRequirements, bearing: &Bearing) -> DecisionCause {
    let set = assessment.snapshot.policies();
    let (rule, policy) = match bearing.cause() {
        Cause::Rule(index) => (set.rule_name(index), set.definitions().policies.get(index.policy)),
        _ => (None, None),
    };
    let says = match bearing.cause() {
        Cause::Malformed => malformed_in_words(assessment),
        Cause::StaleFacts => stale_in_words(assessment),
        other => set.cause_in_words(other),
    };
    DecisionCause {
        cause: Refusal::Policy(bearing.cause()).code().word(),
        rule,
        mode: bearing.mode().word(),
        refuses: true,
        says,
        title: policy.map(|policy| policy.title.clone()),
        legal_basis: policy.map(Policy::cited).unwrap_or_default(),
        team: policy.map(|policy| policy.team.clone()),
        contact: policy.map(|policy| policy.contact.to_string()),
        because_of: bearing.tuples.iter().map(|tuple| datum(pod, tuple)).collect(),
        whatever_its_data: bearing.without_tuple,
        doubts: Vec::new(),
        tuples: bearing.tuples.clone(),
    }
}

fn stale_in_words(assessment: &Assessment<'_>) -> String {
    let snapshot = assessment.snapshot;
    let words = snapshot.policies().cause_in_words(Cause::StaleFacts);
    match snapshot.confirmed_until() {
        Some(heard) => format!("{words}: it was heard last at {heard:.0}"),
        None => words,
    }
}

fn malformed_in_words(assessment: &Assessment<'_>) -> String {
    let malformed = assessment.profile.malformed.iter();
    let words: Vec<String> = malformed
        .map(|(source, malformed)| {
            format!(
                "annotation `{}` on {source}: {}",
                malformed.annotation, malformed.problem
            )
        })
        .collect();
    words.join("; ")
}

impl DecisionCause {
    /// That it refuses nothing yet, where that is so: what follows the sentence.
    #[must_use]
    pub fn only_recorded(&self) -> String {
        match self.mode {
            "enforce" => String::new(),
            mode => format!(" (mode {mode}: only recorded)"),
        }
    }

    /// Writes what stands below its sentence: on what it rests, whom to ask, what is in doubt, what brings it.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn write_grounds(&self, pod: &PodRequirements, out: &mut dyn Write) -> io::Result<()> {
        if !self.legal_basis.is_empty() {
            writeln!(out, "    legal basis: {}", self.legal_basis.join("; "))?;
        }
        if let (Some(team), Some(contact)) = (&self.team, &self.contact) {
            writeln!(out, "    ask: {contact} ({team})")?;
        }
        for doubt in &self.doubts {
            writeln!(out, "    {doubt}")?;
        }
        for line in self.because_of_in_words(pod) {
            writeln!(out, "    because of {line}")?;
        }
        Ok(())
    }

    /// What brings it, in words: one line for each source and kind of data.
    #[must_use]
    pub fn because_of_in_words(&self, pod: &PodRequirements) -> Vec<String> {
        if self.whatever_its_data && self.rule.is_some() {
            return vec!["the namespace, storage or data sets of the pod, whatever its data is".to_owned()];
        }
        data_in_words(pod, &self.tuples)
    }
}

fn datum(pod: &PodRequirements, sourced: &SourcedTuple) -> Datum {
    Datum {
        source: source_in_words(pod, &sourced.source),
        tuple: sourced.tuple.to_string(),
    }
}

fn source_in_words(pod: &PodRequirements, source: &Source) -> String {
    match source {
        Source::Namespace => format!("Namespace/{}", pod.namespace),
        other => other.to_string(),
    }
}

/// Tuples as people read them; tuples that differ in their subject alone share a line.
#[must_use]
pub fn data_in_words(pod: &PodRequirements, tuples: &[SourcedTuple]) -> Vec<String> {
    let mut subjects: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut lines = Vec::new();
    for sourced in tuples {
        let source = source_in_words(pod, &sourced.source);
        match &sourced.tuple {
            Tuple::Unlabelled => lines.push(format!("{source}: says nothing about its data")),
            Tuple::NoData => lines.push(format!("{source}: states that there is no governed data")),
            Tuple::Data(tuple) if *tuple == DataTuple::UNKNOWN => {
                lines.push(format!("{source}: data of which nothing is known"));
            }
            Tuple::Data(tuple) => {
                let of_kind = subjects.entry((source, kind_in_words(tuple))).or_default();
                of_kind.extend(match &tuple.subject {
                    Dimension::Is(subject) => Some(subject.to_string()),
                    Dimension::None => Some("no people".to_owned()),
                    Dimension::Missing => Some("unknown people".to_owned()),
                });
            }
        }
    }
    for ((source, kind), subjects) in subjects {
        lines.push(format!("{source}: {kind} about {}", list_subjects(&subjects)));
    }
    lines
}

fn kind_in_words(tuple: &DataTuple) -> String {
    let classification = tuple.classification.map(Classification::word);
    match (classification, &tuple.category) {
        (Some(classification), Dimension::Is(category)) => {
            format!("{classification} {} data", category.word())
        }
        (Some(classification), Dimension::None) => format!("{classification} data of no category"),
        (Some(classification), Dimension::Missing) => format!("{classification} data of unknown category"),
        (None, Dimension::Is(category)) => format!("{} data of unknown classification", category.word()),
        (None, Dimension::None) => "data of no category and unknown classification".to_owned(),
        (None, Dimension::Missing) => "data of unknown classification and category".to_owned(),
    }
}

fn list_subjects(subjects: &[String]) -> String {
    let named: Vec<&str> = subjects.iter().take(MOST_SUBJECTS).map(String::as_str).collect();
    let more = subjects.len().saturating_sub(MOST_SUBJECTS);
    let said = named.join(", ");
    let said = if said.ends_with("people") {
        said
    } else {
        format!("people in {said}")
    };
    match more {
        0 => said,
        more => format!("{said} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_subjects_are_counted() {
        let codes: Vec<String> = ["AT", "BE", "DE", "FR", "IT", "NL", "NO", "SE"]
            .map(str::to_owned)
            .into();
        assert_eq!(
            list_subjects(&codes),
            "people in AT, BE, DE, FR, IT, NL and 2 more"
        );
        assert_eq!(list_subjects(&codes[..1]), "people in AT");
        assert_eq!(list_subjects(&["no people".to_owned()]), "no people");
    }
}
