//! The fields of `kubescheduler.config.k8s.io/v1`: kube-scheduler reads its file strictly, and does not
//! start with a field that it does not know or a value of another type.
//!
//! Names and types are those of kube-scheduler 1.36 (`staging/src/k8s.io/kube-scheduler/config/v1` and
//! `component-base/config/v1alpha1`). Names count with their case. `null` is an absent field.

use serde_json::Value;

use super::duration::parse_milliseconds;
use super::finding::Finding;
use crate::model::nearest_word;

/// What a field may hold.
enum Shape {
    Text,
    Truth,
    Whole,
    Number,
    Duration,
    /// Arguments of a plugin, judged by nobody here.
    Anything,
    Object(&'static [Field]),
    List(&'static Shape),
}

type Field = (&'static str, Shape);

const CONFIGURATION: &[Field] = &[
    ("apiVersion", Shape::Text),
    ("kind", Shape::Text),
    ("parallelism", Shape::Whole),
    ("leaderElection", Shape::Object(LEADER_ELECTION)),
    ("clientConnection", Shape::Object(CLIENT_CONNECTION)),
    ("enableProfiling", Shape::Truth),
    ("enableContentionProfiling", Shape::Truth),
    ("percentageOfNodesToScore", Shape::Whole),
    ("podInitialBackoffSeconds", Shape::Whole),
    ("podMaxBackoffSeconds", Shape::Whole),
    ("profiles", Shape::List(&Shape::Object(PROFILE))),
    ("extenders", Shape::List(&Shape::Object(EXTENDER))),
    ("delayCacheUntilActive", Shape::Truth),
];

const LEADER_ELECTION: &[Field] = &[
    ("leaderElect", Shape::Truth),
    ("leaseDuration", Shape::Duration),
    ("renewDeadline", Shape::Duration),
    ("retryPeriod", Shape::Duration),
    ("resourceLock", Shape::Text),
    ("resourceName", Shape::Text),
    ("resourceNamespace", Shape::Text),
];

const CLIENT_CONNECTION: &[Field] = &[
    ("kubeconfig", Shape::Text),
    ("acceptContentTypes", Shape::Text),
    ("contentType", Shape::Text),
    ("qps", Shape::Number),
    ("burst", Shape::Whole),
];

const PROFILE: &[Field] = &[
    ("schedulerName", Shape::Text),
    ("percentageOfNodesToScore", Shape::Whole),
    ("plugins", Shape::Object(PLUGINS)),
    ("pluginConfig", Shape::List(&Shape::Object(PLUGIN_CONFIG))),
];

const PLUGINS: &[Field] = &[
    ("preEnqueue", Shape::Object(PLUGIN_SET)),
    ("queueSort", Shape::Object(PLUGIN_SET)),
    ("preFilter", Shape::Object(PLUGIN_SET)),
    ("filter", Shape::Object(PLUGIN_SET)),
    ("postFilter", Shape::Object(PLUGIN_SET)),
    ("preScore", Shape::Object(PLUGIN_SET)),
    ("score", Shape::Object(PLUGIN_SET)),
    ("reserve", Shape::Object(PLUGIN_SET)),
    ("permit", Shape::Object(PLUGIN_SET)),
    ("preBind", Shape::Object(PLUGIN_SET)),
    ("bind", Shape::Object(PLUGIN_SET)),
    ("postBind", Shape::Object(PLUGIN_SET)),
    ("multiPoint", Shape::Object(PLUGIN_SET)),
    ("placementGenerate", Shape::Object(PLUGIN_SET)),
    ("placementScore", Shape::Object(PLUGIN_SET)),
];

const PLUGIN_SET: &[Field] = &[
    ("enabled", Shape::List(&Shape::Object(PLUGIN))),
    ("disabled", Shape::List(&Shape::Object(PLUGIN))),
];

const PLUGIN: &[Field] = &[("name", Shape::Text), ("weight", Shape::Whole)];

const PLUGIN_CONFIG: &[Field] = &[("name", Shape::Text), ("args", Shape::Anything)];

const EXTENDER: &[Field] = &[
    ("urlPrefix", Shape::Text),
    ("filterVerb", Shape::Text),
    ("preemptVerb", Shape::Text),
    ("prioritizeVerb", Shape::Text),
    ("weight", Shape::Whole),
    ("bindVerb", Shape::Text),
    ("enableHTTPS", Shape::Truth),
    ("tlsConfig", Shape::Object(TLS)),
    ("httpTimeout", Shape::Duration),
    ("nodeCacheCapable", Shape::Truth),
    ("managedResources", Shape::List(&Shape::Object(MANAGED_RESOURCE))),
    ("ignorable", Shape::Truth),
];

const TLS: &[Field] = &[
    ("insecure", Shape::Truth),
    ("serverName", Shape::Text),
    ("certFile", Shape::Text),
    ("keyFile", Shape::Text),
    ("caFile", Shape::Text),
    ("certData", Shape::Text),
    ("keyData", Shape::Text),
    ("caData", Shape::Text),
];

const MANAGED_RESOURCE: &[Field] = &[("name", Shape::Text), ("ignoredByScheduler", Shape::Truth)];

/// Finds fields that kube-scheduler does not know (D04) and values of the wrong type (D05).
pub fn check(value: &Value, findings: &mut Vec<Finding>) {
    object(value, CONFIGURATION, "", findings);
}

fn object(value: &Value, fields: &'static [Field], place: &str, findings: &mut Vec<Finding>) {
    let Some(members) = value.as_object() else {
        findings.push(wrong_type(place, "an object"));
        return;
    };
    for (name, member) in members {
        let at = if place.is_empty() {
            name.clone()
        } else {
            format!("{place}.{name}")
        };
        match fields.iter().find(|(known, _)| known == name) {
            Some((_, shape)) => check_shape(member, shape, &at, findings),
            None => findings.push(unknown(name, fields, at)),
        }
    }
}

fn unknown(name: &str, fields: &'static [Field], place: String) -> Finding {
    let known = || fields.iter().map(|(known, _)| *known);
    let fix = match nearest_word(name, known()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "remove it; the fields here are {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    };
    let sentence = format!("kube-scheduler knows no field `{name}` here and does not start");
    Finding::error("D04", place, sentence, fix)
}

fn check_shape(value: &Value, shape: &'static Shape, place: &str, findings: &mut Vec<Finding>) {
    if value.is_null() {
        return;
    }
    let wanted = match shape {
        Shape::Anything => return,
        Shape::Object(fields) => return object(value, fields, place, findings),
        Shape::List(element) => {
            let Some(elements) = value.as_array() else {
                findings.push(wrong_type(place, "a list"));
                return;
            };
            for (index, member) in elements.iter().enumerate() {
                check_shape(member, element, &format!("{place}[{index}]"), findings);
            }
            return;
        }
        Shape::Text => (!value.is_string()).then_some("text, in quotes where YAML would read something else"),
        Shape::Truth => (!value.is_boolean()).then_some("true or false, without quotes"),
        Shape::Whole => (!is_whole(value)).then_some("a whole number, without quotes"),
        Shape::Number => (!value.is_number()).then_some("a number, without quotes"),
        Shape::Duration => {
            let readable = value.as_str().and_then(parse_milliseconds).is_some();
            (!readable).then_some("a duration such as `500ms` or `1s`")
        }
    };
    if let Some(wanted) = wanted {
        findings.push(wrong_type(place, wanted));
    }
}

/// Whether a number is whole however it is written; Go gets `5` for YAML's `5.0`.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn wrong_type(place: &str, wanted: &str) -> Finding {
    Finding::error(
        "D05",
        place,
        "kube-scheduler cannot read this value and does not start",
        format!("write {wanted}"),
    )
}
