//! The status of an object: what became of the source that it is part of, in the words of Kubernetes' conditions.
//!
//! Inputs: an object, the judgement of its source, an instant. Outputs: the status that it should have, where it has
//! another. Invariants: nothing is said of an object that was not judged as it is now; a condition keeps the time since
//! when it holds; a status that says the same is no news, so that writing one causes no other.
//! Source of the fields: Kubernetes API conventions, "Typical status properties", 2026-11-21.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::judgement::{BROKEN_GUARANTEE, Judgement};
use super::paths::{in_words, within};
use super::resource::CustomResource;
use crate::model::Level;
use crate::policy::{DATA_SET, Finding};

/// How many findings a message tells.
const MOST_TOLD: usize = 20;

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 4_000;

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// `Accepted`, `Proved` or `Linted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The generation that it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Since when the status is so.
    #[serde(default)]
    pub last_transition_time: String,
    /// For programs.
    #[serde(default)]
    pub reason: String,
    /// For people.
    #[serde(default)]
    pub message: String,
}

/// A status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Status {
    /// The generation that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// In no order that means anything.
    pub conditions: Vec<Condition>,
}

/// The status that an object should have; `None` where it has it, or where the judgement is not of this text.
#[must_use]
pub fn status_of(object: &CustomResource, judgement: &Judgement, now: Timestamp) -> Option<Status> {
    if judgement.texts.get(&object.text.name) != Some(&object.text.text) {
        return None;
    }
    let of = |found: Found| condition(object, found, now);
    let mut conditions = vec![of(accepted(object, judgement)), of(linted(object, judgement))];
    if object.kind != DATA_SET {
        conditions.push(of(proved(judgement)));
    }
    conditions.sort_by(|one, other| one.kind.cmp(&other.kind));
    let wanted = Status {
        observed_generation: Some(object.generation),
        conditions,
    };
    let is_there = |wanted: &Condition| object.status.conditions.contains(wanted);
    let says_it = object.status.observed_generation == wanted.observed_generation
        && wanted.conditions.iter().all(is_there);
    (!says_it).then_some(wanted)
}

/// A condition before it is known since when.
struct Found {
    kind: &'static str,
    status: ConditionStatus,
    reason: &'static str,
    message: String,
}

fn condition(object: &CustomResource, found: Found, now: Timestamp) -> Condition {
    let present = object
        .status
        .conditions
        .iter()
        .find(|present| present.kind == found.kind);
    let since = present
        .filter(|present| present.status == found.status && !present.last_transition_time.is_empty())
        .map(|present| present.last_transition_time.clone());
    Condition {
        kind: found.kind.to_owned(),
        status: found.status,
        observed_generation: Some(object.generation),
        last_transition_time: since.unwrap_or_else(|| now.round(Unit::Second).unwrap_or(now).to_string()),
        reason: found.reason.to_owned(),
        message: found.message,
    }
}

fn accepted(object: &CustomResource, judgement: &Judgement) -> Found {
    let found = |status, reason, message| Found {
        kind: "Accepted",
        status,
        reason,
        message,
    };
    if judgement.is_taken {
        return found(
            ConditionStatus::True,
            "Decides",
            "what it says decides".to_owned(),
        );
    }
    let errors = own(object, judgement).filter(|finding| finding.level == Level::Error);
    let told: Vec<String> = errors.map(|finding| within(finding, &object.text.text)).collect();
    if !told.is_empty() {
        return found(ConditionStatus::False, "Invalid", message(told));
    }
    let texts = judgement
        .texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let errors = judgement
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Error);
    let told = errors.map(|finding| in_words(finding, texts.clone())).collect();
    let because = format!(
        "it may be right, and nothing new is taken while something else is wrong: {}",
        message(told)
    );
    found(ConditionStatus::False, "SetRefused", because)
}

fn proved(judgement: &Judgement) -> Found {
    let found = |status, reason, message: String| Found {
        kind: "Proved",
        status,
        reason,
        message,
    };
    match judgement.guarantees {
        None => found(
            ConditionStatus::Unknown,
            "NotJudged",
            "the set as a whole is not taken, so nothing of it is proved".to_owned(),
        ),
        Some(0) => found(
            ConditionStatus::True,
            "NoGuarantees",
            "the set guarantees nothing".to_owned(),
        ),
        Some(_) if judgement.is_taken => found(
            ConditionStatus::True,
            "GuaranteesHold",
            "every guarantee of the set holds".to_owned(),
        ),
        Some(_) => {
            let broken = judgement
                .findings
                .iter()
                .filter(|finding| finding.code == BROKEN_GUARANTEE);
            let told = broken.map(|finding| finding.sentence.clone()).collect();
            found(ConditionStatus::False, "GuaranteeFails", message(told))
        }
    }
}

fn linted(object: &CustomResource, judgement: &Judgement) -> Found {
    let found = |status, reason, message| Found {
        kind: "Linted",
        status,
        reason,
        message,
    };
    let all: Vec<&Finding> = own(object, judgement).collect();
    let told = || {
        message(
            all.iter()
                .map(|finding| within(finding, &object.text.text))
                .collect(),
        )
    };
    if all.iter().any(|finding| finding.level != Level::Note) {
        return found(ConditionStatus::False, "Findings", told());
    }
    if !judgement.is_taken {
        let sentence = "it is looked at once the set as a whole is taken";
        return found(ConditionStatus::Unknown, "NotJudged", sentence.to_owned());
    }
    match all.is_empty() {
        true => found(
            ConditionStatus::True,
            "NoFindings",
            "nothing was found".to_owned(),
        ),
        false => found(ConditionStatus::True, "Notes", told()),
    }
}

/// The findings that stand in an object.
fn own<'a>(object: &'a CustomResource, judgement: &'a Judgement) -> impl Iterator<Item = &'a Finding> {
    let findings = judgement.findings.iter();
    findings.filter(|finding| finding.position.file == object.text.name)
}

fn message(told: Vec<String>) -> String {
    let more = told.len().saturating_sub(MOST_TOLD);
    let more = (more > 0).then(|| format!("and {more} more"));
    let text: Vec<String> = told.into_iter().take(MOST_TOLD).chain(more).collect();
    let text = text.join(". ");
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::super::judgement::{judge_data_sets, judge_policies};
    use super::*;
    use crate::policy::{CUSTOM_KINDS, CustomKind};

    fn kind(name: &str) -> CustomKind {
        CUSTOM_KINDS.into_iter().find(|kind| kind.kind == name).unwrap()
    }

    fn object(of: &str, name: &str, spec: Value) -> CustomResource {
        let object = json!({"metadata": {"name": name, "generation": 2}, "spec": spec});
        CustomResource::from_json(kind(of), &object).unwrap()
    }

    fn settings() -> CustomResource {
        object(
            "PolicySettings",
            "default",
            json!({"mode": "enforce", "uncovered": "deny", "unlabelled": "allow", "regionKey": "topology"}),
        )
    }

    fn policy(places: Value) -> CustomResource {
        object(
            "PlacementPolicy",
            "health",
            json!({
                "title": "t", "owner": {"team": "privacy", "contact": "p@corp.example"}, "legalBasis": [{"cite": "x"}],
                "mode": "enforce", "appliesTo": {"data": {"categories": ["health"]}},
                "rules": [{"id": "place", "allowed": places}]
            }),
        )
    }

    fn guarantee() -> CustomResource {
        object(
            "Guarantee",
            "at-home",
            json!({
                "says": "Health data never leaves Germany",
                "never": {"data": {"categories": ["health"]}, "activities": ["process"], "location": {"outside": ["DE"]}}
            }),
        )
    }

    fn now() -> Timestamp {
        "2026-11-22T12:00:00.5Z".parse().unwrap()
    }

    fn judged(objects: &[&CustomResource]) -> Judgement {
        let texts: Vec<(&str, &str)> = objects
            .iter()
            .map(|object| (object.text.name.as_str(), object.text.text.as_str()))
            .collect();
        judge_policies(texts, now()).0
    }

    fn said(object: &CustomResource, judgement: &Judgement) -> Vec<(String, ConditionStatus, String)> {
        let status = status_of(object, judgement, now()).expect("news");
        assert_eq!(status.observed_generation, Some(2));
        let conditions = status.conditions.into_iter();
        conditions
            .map(|condition| (condition.kind, condition.status, condition.reason))
            .collect()
    }

    fn triple(kind: &str, status: ConditionStatus, reason: &str) -> (String, ConditionStatus, String) {
        (kind.to_owned(), status, reason.to_owned())
    }

    #[test]
    fn an_object_of_a_set_that_is_taken_is_accepted_and_proved() {
        let (settings, policy, guarantee) = (settings(), policy(json!(["DE"])), guarantee());
        let judgement = judged(&[&settings, &policy, &guarantee]);
        let said = said(&guarantee, &judgement);
        assert_eq!(said[0], triple("Accepted", ConditionStatus::True, "Decides"));
        assert_eq!(said[2], triple("Proved", ConditionStatus::True, "GuaranteesHold"));
    }

    #[test]
    fn a_guarantee_that_fails_is_told_at_every_object_and_at_its_own_as_a_finding() {
        let (settings, policy, guarantee) = (settings(), policy(json!(["DE", "US"])), guarantee());
        let judgement = judged(&[&settings, &policy, &guarantee]);
        assert_eq!(
            said(&policy, &judgement),
            [
                triple("Accepted", ConditionStatus::False, "SetRefused"),
                triple("Linted", ConditionStatus::Unknown, "NotJudged"),
                triple("Proved", ConditionStatus::False, "GuaranteeFails"),
            ]
        );
        assert_eq!(
            said(&guarantee, &judgement)[0],
            triple("Accepted", ConditionStatus::False, "Invalid")
        );
    }

    #[test]
    fn a_finding_is_told_by_its_field_and_the_others_learn_whose_it_is() {
        let (settings, policy) = (settings(), policy(json!(["DE", "XX"])));
        let judgement = judged(&[&settings, &policy]);
        let of = |object: &CustomResource| status_of(object, &judgement, now()).unwrap().conditions.remove(0);
        let own = of(&policy);
        assert_eq!((own.kind.as_str(), own.reason.as_str()), ("Accepted", "Invalid"));
        assert!(
            own.message.starts_with("L03 spec.rules[0].allowed[1]: "),
            "{}",
            own.message
        );
        let other = of(&settings);
        assert_eq!(other.reason, "SetRefused");
        assert!(
            other
                .message
                .contains("placementpolicy.domicile.dev/health spec.rules[0].allowed[1]: error L03"),
            "{}",
            other.message
        );
    }

    #[test]
    fn a_status_that_says_it_already_is_no_news_and_a_time_stays() {
        let (settings, mut policy) = (settings(), policy(json!(["DE"])));
        let judgement = judged(&[&settings, &policy]);
        let first = status_of(&policy, &judgement, now()).unwrap();
        assert!(
            first
                .conditions
                .iter()
                .all(|it| it.last_transition_time == "2026-11-22T12:00:01Z"
                    || it.last_transition_time == "2026-11-22T12:00:00Z")
        );
        policy.status = first.clone();
        policy.status.conditions.reverse();
        policy.status.conditions.push(Condition {
            kind: "Foreign".to_owned(),
            ..first.conditions[0].clone()
        });
        let later = "2026-11-23T12:00:00Z".parse().unwrap();
        assert_eq!(status_of(&policy, &judgement, later), None);
        policy.generation = 3;
        let second = status_of(&policy, &judgement, later).unwrap();
        assert_eq!(second.observed_generation, Some(3));
        assert_eq!(
            second.conditions[0].last_transition_time,
            first.conditions[0].last_transition_time
        );
    }

    #[test]
    fn nothing_is_said_of_what_was_not_judged() {
        let (settings, judged_policy, present) = (settings(), policy(json!(["DE"])), policy(json!(["FR"])));
        let judgement = judged(&[&settings, &judged_policy]);
        assert_eq!(status_of(&present, &judgement, now()), None);
        let mut renamed = judged_policy;
        renamed.text.name = "placementpolicy.domicile.dev/other".to_owned();
        renamed.name = Arc::from("other");
        assert_eq!(status_of(&renamed, &judgement, now()), None);
    }

    #[test]
    fn a_data_set_is_accepted_or_not_and_proves_nothing() {
        let orders = object(
            "DataSet",
            "orders",
            json!({
                "profile": {"classification": "confidential", "categories": ["personal"], "subjects": ["DE"]},
                "consistency": "strict",
                "replicas": [{"region": "aws/eu-central-1", "role": "leader"}]
            }),
        );
        let judgement = judge_data_sets([(orders.text.name.as_str(), orders.text.text.as_str())], None);
        assert_eq!(
            said(&orders, &judgement),
            [
                triple("Accepted", ConditionStatus::True, "Decides"),
                triple("Linted", ConditionStatus::True, "NoFindings"),
            ]
        );
    }
}
