//! The parts of a KubeSchedulerConfiguration that decide how an extender fares, with kube-scheduler's
//! defaults filled in, and the values that its validation refuses (D05).

use serde_json::Value;

use super::duration::parse_milliseconds;
use super::finding::Finding;

/// The name of the profile that pods have who name no scheduler.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// The parts that matter.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// `percentageOfNodesToScore` of all profiles that say nothing themselves; 0 is adaptive.
    pub percentage: i64,
    /// Never empty.
    pub profiles: Vec<Profile>,
    /// In the order of the file.
    pub extenders: Vec<Extender>,
    /// Who else may be the leader.
    pub leader_election: LeaderElection,
    /// The longest wait between two attempts.
    pub most_backoff_seconds: i64,
}

/// A profile: pods choose it by its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// `schedulerName`.
    pub name: String,
    /// Its own `percentageOfNodesToScore`.
    pub percentage: Option<i64>,
}

/// `leaderElection`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderElection {
    /// Whether there is one.
    pub elects: bool,
    /// The namespace of its Lease.
    pub namespace: String,
    /// The name of its Lease.
    pub name: String,
}

/// An extender. Text that is absent is empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extender {
    /// `urlPrefix`.
    pub url_prefix: String,
    /// `filterVerb`.
    pub filter_verb: String,
    /// `prioritizeVerb`.
    pub prioritize_verb: String,
    /// `preemptVerb`.
    pub preempt_verb: String,
    /// `bindVerb`.
    pub bind_verb: String,
    /// `weight`.
    pub weight: i64,
    /// `httpTimeout`; `None` when absent or 0, which kube-scheduler takes for 5 s.
    pub timeout_ms: Option<f64>,
    /// `nodeCacheCapable`.
    pub names_only: bool,
    /// `ignorable`.
    pub ignorable: bool,
    /// Names of `managedResources`.
    pub managed_resources: Vec<String>,
    /// `enableHTTPS`.
    pub enable_https: bool,
    /// `tlsConfig`.
    pub tls: Tls,
}

/// `tlsConfig`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tls {
    /// `insecure`.
    pub insecure: bool,
    /// Whether `caFile` or `caData` is there.
    pub has_authority: bool,
    /// Whether a certificate of the client is there.
    pub has_certificate: bool,
    /// Whether its key is there.
    pub has_key: bool,
    /// Field and path of every file.
    pub files: Vec<(&'static str, String)>,
}

impl Configuration {
    /// Takes what matters from a value. What has the wrong type counts as absent: that is a finding
    /// already.
    pub fn of(value: &Value, findings: &mut Vec<Finding>) -> Self {
        let percentage = percentage(value, "", findings).unwrap_or(0);
        let election = value.get("leaderElection").unwrap_or(&Value::Null);
        let configuration = Self {
            percentage,
            profiles: profiles(value, findings),
            extenders: list(value, "extenders").iter().map(extender).collect(),
            leader_election: LeaderElection {
                elects: election
                    .get("leaderElect")
                    .and_then(Value::as_bool)
                    .unwrap_or(true),
                namespace: text_or(election, "resourceNamespace", "kube-system"),
                name: text_or(election, "resourceName", "kube-scheduler"),
            },
            most_backoff_seconds: whole(value, "podMaxBackoffSeconds").unwrap_or(10),
        };
        let initial = whole(value, "podInitialBackoffSeconds").unwrap_or(1);
        if initial <= 0 {
            findings.push(refused(
                "podInitialBackoffSeconds",
                "is not above 0",
                "write 1 or more",
            ));
        }
        if configuration.most_backoff_seconds < initial {
            let fix = "write as much as `podInitialBackoffSeconds` or more";
            findings.push(refused(
                "podMaxBackoffSeconds",
                "is below `podInitialBackoffSeconds`",
                fix,
            ));
        }
        configuration
    }

    /// Whether pods who name no scheduler come here.
    pub fn serves_the_default_scheduler(&self) -> bool {
        self.profiles
            .iter()
            .any(|profile| profile.name == DEFAULT_SCHEDULER)
    }
}

/// What kube-scheduler's own validation refuses.
fn refused(place: impl Into<String>, why: &str, fix: &str) -> Finding {
    let place = place.into();
    let field = place.rsplit('.').next().unwrap_or(&place).to_owned();
    let sentence = format!("`{field}` {why}, and kube-scheduler does not start");
    Finding::error("D05", place, sentence, fix)
}

fn percentage(value: &Value, place: &str, findings: &mut Vec<Finding>) -> Option<i64> {
    let percentage = whole(value, "percentageOfNodesToScore")?;
    if !(0..=100).contains(&percentage) {
        let place = format!("{place}percentageOfNodesToScore");
        findings.push(refused(place, "is not within 0 and 100", "write 100"));
    }
    Some(percentage)
}

fn profiles(value: &Value, findings: &mut Vec<Finding>) -> Vec<Profile> {
    let written = list(value, "profiles");
    if written.is_empty() {
        return vec![Profile {
            name: DEFAULT_SCHEDULER.to_owned(),
            percentage: None,
        }];
    }
    let mut profiles: Vec<Profile> = Vec::new();
    for (index, profile) in written.iter().enumerate() {
        let place = format!("profiles[{index}].");
        let name = match profile.get("schedulerName").and_then(Value::as_str) {
            // A single profile gets the default name, several must each have their own.
            None if written.len() == 1 => DEFAULT_SCHEDULER.to_owned(),
            None | Some("") => {
                let fix = "write the name by which pods choose this profile";
                findings.push(refused(format!("{place}schedulerName"), "is missing", fix));
                String::new()
            }
            Some(name) => name.to_owned(),
        };
        if !name.is_empty() && profiles.iter().any(|other| other.name == name) {
            let fix = "give each profile a name of its own";
            findings.push(refused(format!("{place}schedulerName"), "is there twice", fix));
        }
        let percentage = percentage(profile, &place, findings);
        profiles.push(Profile { name, percentage });
    }
    profiles
}

fn extender(value: &Value) -> Extender {
    let milliseconds = value
        .get("httpTimeout")
        .and_then(Value::as_str)
        .and_then(parse_milliseconds);
    Extender {
        url_prefix: text(value, "urlPrefix"),
        filter_verb: text(value, "filterVerb"),
        prioritize_verb: text(value, "prioritizeVerb"),
        preempt_verb: text(value, "preemptVerb"),
        bind_verb: text(value, "bindVerb"),
        weight: whole(value, "weight").unwrap_or(0),
        timeout_ms: milliseconds.filter(|milliseconds| *milliseconds != 0.0),
        names_only: truth(value, "nodeCacheCapable"),
        ignorable: truth(value, "ignorable"),
        managed_resources: list(value, "managedResources")
            .iter()
            .map(|resource| text(resource, "name"))
            .collect(),
        enable_https: truth(value, "enableHTTPS"),
        tls: value.get("tlsConfig").map(tls).unwrap_or_default(),
    }
}

fn tls(value: &Value) -> Tls {
    let either = |file: &str, data: &str| !text(value, file).is_empty() || !text(value, data).is_empty();
    Tls {
        insecure: truth(value, "insecure"),
        has_authority: either("caFile", "caData"),
        has_certificate: either("certFile", "certData"),
        has_key: either("keyFile", "keyData"),
        files: ["caFile", "certFile", "keyFile"]
            .into_iter()
            .map(|field| (field, text(value, field)))
            .filter(|(_, path)| !path.is_empty())
            .collect(),
    }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value, field: &str) -> String {
    text_or(value, field, "")
}

fn text_or(value: &Value, field: &str, otherwise: &str) -> String {
    let written = value
        .get(field)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    written.unwrap_or(otherwise).to_owned()
}

fn truth(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or(false)
}

fn whole(value: &Value, field: &str) -> Option<i64> {
    let number = value.get(field)?;
    number.as_i64().or_else(|| {
        // YAML's `5.0` is Go's 5; beyond 2^53 nothing here is meant.
        let text = number
            .as_f64()
            .filter(|number| number.fract() == 0.0)?
            .to_string();
        text.parse().ok()
    })
}
