//! The record of one decision, as it is written. Fields are added in place; a change that an older
//! reader would misunderstand is a new version.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What was asked, by kube-scheduler unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Where the pod may run.
    Filter,
    /// Where it runs best.
    Prioritize,
    /// Whether victims make room where the pod may run.
    Preempt,
    /// An API server asked what becomes of a pod that is created.
    Mutate,
    /// An API server asked whether a pod that is created passes the scheduler by.
    Validate,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 5] = [
        Self::Filter,
        Self::Prioritize,
        Self::Preempt,
        Self::Mutate,
        Self::Validate,
    ];

    /// The word in records, metrics and routes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Prioritize => "prioritize",
            Self::Preempt => "preempt",
            Self::Mutate => "mutate",
            Self::Validate => "validate",
        }
    }
}

/// Whether the settings enforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// What is not permitted is refused.
    Enforce,
    /// Nothing is refused; the record says what would have been.
    Observe,
}

/// What becomes of the refusal of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleMode {
    /// It refuses.
    Enforce,
    /// It is recorded, and an Event tells.
    Warn,
    /// It is recorded.
    Audit,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Some candidates, or all, pass.
    Permitted,
    /// None passes.
    Refused,
    /// None passes, and that may be the fault of the sample that was offered.
    BlindSample,
    /// Everything passes because the settings only observe; enforced, none would.
    WouldRefuse,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [
        Self::Permitted,
        Self::Refused,
        Self::BlindSample,
        Self::WouldRefuse,
    ];

    /// The word in records and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::Refused => "refused",
            Self::BlindSample => "blind-sample",
            Self::WouldRefuse => "would-refuse",
        }
    }
}

/// The version of a record: always 1 here, and a record of another version is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordVersion;

impl RecordVersion {
    const NUMBER: u32 = 1;
}

impl Serialize for RecordVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for RecordVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        if number == Self::NUMBER {
            Ok(Self)
        } else {
            Err(serde::de::Error::custom(format!(
                "the record has version {number}, and this program reads {}",
                Self::NUMBER
            )))
        }
    }
}

/// The controller of a pod, as the pod says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerIdentity {
    /// Such as `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodIdentity {
    /// Its namespace.
    pub namespace: String,
    /// Its name; empty for a pod that is not yet created.
    pub name: String,
    /// Its UID; empty for a pod that is not yet created.
    pub uid: String,
    /// Its controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerIdentity>,
}

/// What one source says about the pod's data: every classification with every category and every subject.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEntry {
    /// Such as `Namespace` or `DataSet/orders`.
    pub source: String,
    /// `unlabelled` or `no-data`, where the source says nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// Words of classifications; `unknown` where it is not stated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classifications: Vec<String>,
    /// Words of categories, `none`, or `unknown`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Codes of countries and their parts, `none`, or `unknown`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

/// How many of the candidates one reason refuses, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRecord {
    /// What kind of reason, such as `rule` or `unknown-node`.
    pub code: String,
    /// `policy/rule`, where it is a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What becomes of it.
    pub mode: RuleMode,
    /// How many candidates.
    pub nodes: u64,
}

/// The scores of a prioritize, without the nodes that bear them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreSummary {
    /// The least score of any candidate.
    pub least: u8,
    /// The greatest.
    pub greatest: u8,
    /// How many candidates bear the greatest.
    pub best_nodes: u64,
    /// How many candidates score 0 because their latency is not known.
    pub unknown_nodes: u64,
}

/// A data set of the pod some of whose copies cannot answer, so that they count less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DegradedRecord {
    /// Its name.
    pub data_set: String,
    /// How many copies it has.
    pub copies: u64,
    /// How many of them cannot answer.
    pub unready: u64,
}

/// What became of a pod when it was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmissionRecord {
    /// Such as `confined`, `nowhere` or `foreign-scheduler` (docs/admission.md).
    pub outcome: String,
    /// Where it was permitted, as its annotation tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<String>,
}

/// The record of one decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRecord {
    /// The version of the format.
    pub v: RecordVersion,
    /// The id of the decision ([`super::DecisionIds`]).
    pub id: String,
    /// The instant that the decision was judged at; written in UTC with milliseconds.
    #[serde(with = "milliseconds")]
    pub time: Timestamp,
    /// What was asked.
    pub verb: Verb,
    /// About which pod.
    pub pod: PodIdentity,
    /// Whether the settings enforce.
    pub mode: Mode,
    /// Whether any policy has a say about the pod at all.
    pub governed: bool,
    /// What data the pod carries, by source.
    pub profile: Vec<ProfileEntry>,
    /// The hash of the policy set that decided.
    pub policy_set: Arc<str>,
    /// The id of the snapshot that decided.
    pub snapshot: Arc<str>,
    /// How many nodes were offered.
    pub candidates: u64,
    /// How many of them the policies permit, whatever the mode makes of that.
    pub permitted: u64,
    /// How many would be without any exception, where that is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permitted_without_exceptions: Option<u64>,
    /// The names of the exceptions that make that difference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
    /// What refuses candidates, or would, and how many; one candidate may have several reasons.
    pub reasons: Vec<ReasonRecord>,
    /// What was answered.
    pub verdict: Verdict,
    /// The sentence of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence: Option<String>,
    /// The scores of a prioritize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<ScoreSummary>,
    /// The claims of the pod that are not bound, so that it creates data where it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<String>,
    /// Its data sets of which some copies cannot answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<DegradedRecord>,
    /// The data sets whose last permitted copy evictions would take away on permitted nodes, which are therefore left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_copies: Vec<String>,
    /// What became of a pod that was created; candidates are then all nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionRecord>,
    /// When time alone makes the decision void, such as a certificate or a policy that ends.
    #[serde(
        default,
        with = "optional_milliseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub valid_until: Option<Timestamp>,
    /// How many records were lost just before this one. The log writes it; hand in 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// RFC 3339 in UTC with three digits of the second, so that lines sort and align.
mod milliseconds {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{time:.3}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }
}

mod optional_milliseconds {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::milliseconds::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::deserialize(deserializer)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record whose fields all differ, so that a swap of two would show.
    pub(in crate::decisions) fn sample(id: &str) -> DecisionRecord {
        DecisionRecord {
            v: RecordVersion,
            id: id.to_owned(),
            time: "2027-01-31T12:00:00.0071Z".parse().expect("an instant"),
            verb: Verb::Filter,
            pod: PodIdentity {
                namespace: "payments".into(),
                name: "fraud-7f9".into(),
                uid: "0d1c".into(),
                owner: Some(OwnerIdentity {
                    kind: "ReplicaSet".into(),
                    name: "fraud".into(),
                }),
            },
            mode: Mode::Enforce,
            governed: true,
            profile: vec![ProfileEntry {
                source: "Namespace".into(),
                classifications: vec!["confidential".into()],
                categories: vec!["personal".into()],
                subjects: vec!["DE".into(), "FR".into()],
                says: None,
            }],
            policy_set: "5e7".into(),
            snapshot: "5a9".into(),
            candidates: 9,
            permitted: 0,
            permitted_without_exceptions: None,
            exceptions: Vec::new(),
            reasons: vec![ReasonRecord {
                code: "rule".into(),
                rule: Some("eea-personal-data/place".into()),
                mode: RuleMode::Enforce,
                nodes: 8,
            }],
            verdict: Verdict::Refused,
            sentence: Some("domicile: no".into()),
            scores: None,
            creates: Vec::new(),
            degraded: Vec::new(),
            last_copies: Vec::new(),
            admission: None,
            valid_until: Some("2027-06-01T00:00:00Z".parse().expect("an instant")),
            lost: 0,
        }
    }

    #[test]
    fn a_record_is_written_like_this() {
        let text = serde_json::to_string(&sample("5a9.1.1")).expect("JSON");
        assert_eq!(
            text,
            concat!(
                r#"{"v":1,"id":"5a9.1.1","time":"2027-01-31T12:00:00.007Z","verb":"filter","#,
                r#""pod":{"namespace":"payments","name":"fraud-7f9","uid":"0d1c","owner":{"kind":"ReplicaSet","name":"fraud"}},"#,
                r#""mode":"enforce","governed":true,"#,
                r#""profile":[{"source":"Namespace","classifications":["confidential"],"categories":["personal"],"subjects":["DE","FR"]}],"#,
                r#""policy_set":"5e7","snapshot":"5a9","candidates":9,"permitted":0,"#,
                r#""reasons":[{"code":"rule","rule":"eea-personal-data/place","mode":"enforce","nodes":8}],"#,
                r#""verdict":"refused","sentence":"domicile: no","valid_until":"2027-06-01T00:00:00.000Z"}"#
            )
        );
        let read: DecisionRecord = serde_json::from_str(&text).expect("a record");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
    }

    #[test]
    fn what_is_not_said_is_left_out_and_losses_are_said() {
        let mut record = sample("x");
        record.sentence = None;
        record.valid_until = None;
        record.pod.owner = None;
        record.lost = 3;
        let text = serde_json::to_string(&record).expect("JSON");
        assert!(text.ends_with(r#""verdict":"refused","lost":3}"#), "{text}");
        assert!(!text.contains("owner"));
        assert_eq!(
            serde_json::from_str::<DecisionRecord>(&text)
                .map(|record| record.lost)
                .ok(),
            Some(3)
        );
    }

    #[test]
    fn exceptions_are_named_where_they_make_a_difference() {
        let mut record = sample("x");
        record.permitted = 4;
        record.permitted_without_exceptions = Some(1);
        record.exceptions = vec!["ex-1".to_owned()];
        let text = serde_json::to_string(&record).expect("JSON");
        let said = r#""candidates":9,"permitted":4,"permitted_without_exceptions":1,"exceptions":["ex-1"],"#;
        assert!(text.contains(said), "{text}");
        let read: DecisionRecord = serde_json::from_str(&text).expect("a record");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
    }

    #[test]
    fn another_version_and_an_unknown_field_are_not_read() {
        let text = serde_json::to_string(&sample("x")).expect("JSON");
        let other = text.replacen("\"v\":1", "\"v\":2", 1);
        let error = serde_json::from_str::<DecisionRecord>(&other).expect_err("another version");
        assert!(
            error.to_string().starts_with("the record has version 2"),
            "{error}"
        );
        let more = text.replacen("\"v\":1", "\"v\":1,\"w\":1", 1);
        assert!(serde_json::from_str::<DecisionRecord>(&more).is_err());
    }

    #[test]
    fn words_of_metrics_are_those_of_records() {
        for verb in Verb::ALL {
            assert_eq!(
                serde_json::to_value(verb).expect("JSON"),
                serde_json::Value::from(verb.word())
            );
        }
        for verdict in Verdict::ALL {
            assert_eq!(
                serde_json::to_value(verdict).expect("JSON"),
                serde_json::Value::from(verdict.word())
            );
        }
    }
}
