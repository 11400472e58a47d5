//! The settings of latency that is measured now: which sources there are, and how they are smoothed.
//!
//! Inputs: the value of `live-latency.prometheus`, a list of tables. Outputs: settings that cannot be wrong,
//! or every problem of every source. A source has keys of its own, which are not in the list of settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::config::{Value, ValueKind};
use jiff::SignedDuration;

use crate::model::nearest_word;
use crate::prometheus::{BaseUrl, EndLabels, PrometheusSettings, Queries, Unit};
use crate::topology::EstimatorSettings;

/// The least time between two polls.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// The most: beyond it nothing is live.
const LONGEST_INTERVAL: Duration = Duration::from_mins(10);
/// The time between two polls where none is set.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
/// How long answers may take where nothing is set and the interval is longer.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// The least time that answers may take.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(100);
/// The most characters of a name, which is a label of metrics and in every line of the log.
const LONGEST_NAME: usize = 63;

const KEYS: [&str; 9] = [
    "name",
    "url",
    "interval",
    "timeout",
    "queries",
    "labels",
    "unit",
    "bearer-token-file",
    "ca-file",
];

/// Where latency that is measured now comes from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveLatencySettings {
    /// Every Prometheus; where two know a pair, the first is believed.
    pub prometheus: Vec<PrometheusSettings>,
    /// How windows become measurements.
    pub estimator: EstimatorSettings,
}

/// Reads the list of sources. Problems are clauses that stand behind the name of the setting.
pub(super) fn sources(
    value: Value,
    fresh_for: SignedDuration,
) -> Result<Vec<PrometheusSettings>, Vec<String>> {
    let list = match value.kind {
        ValueKind::Array(list) => list,
        // A variable of the environment cannot be a list, but it can be JSON.
        ValueKind::String(text) => json(&text).map_err(|problem| vec![problem])?,
        _ => return Err(vec!["is no list of sources".to_owned()]),
    };
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for (number, entry) in list.into_iter().enumerate() {
        let mut table = Table::new(number + 1, "", entry, &KEYS);
        let source = source(&mut table, fresh_for);
        if let Some(source) = &source
            && !names.insert(source.name.clone())
        {
            table.problem(
                "name",
                &format!("is `{}`, as another source is called", source.name),
            );
        }
        problems.append(&mut table.problems);
        sources.extend(source);
    }
    match problems.is_empty() {
        true => Ok(sources),
        false => Err(problems),
    }
}

fn json(text: &str) -> Result<Vec<Value>, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!("is text where a list is expected: write it in a file, or as JSON ({error})")
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    match from_json(value).kind {
        ValueKind::Array(list) => Ok(list),
        _ => Err(wrong(&"it is no array")),
    }
}

fn from_json(value: serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => ValueKind::Nil,
        serde_json::Value::Bool(truth) => ValueKind::Boolean(truth),
        serde_json::Value::Number(number) => ValueKind::String(number.to_string()),
        serde_json::Value::String(text) => ValueKind::String(text),
        serde_json::Value::Array(list) => ValueKind::Array(list.into_iter().map(from_json).collect()),
        serde_json::Value::Object(table) => ValueKind::Table(
            table
                .into_iter()
                .map(|(key, value)| (key, from_json(value)))
                .collect(),
        ),
    };
    Value::new(None, kind)
}

fn source(table: &mut Table, fresh_for: SignedDuration) -> Option<PrometheusSettings> {
    let name = name(table);
    let url = table.required("url");
    let url = table.parsed("url", url, BaseUrl::parse);
    let interval = table.duration("interval", SHORTEST_INTERVAL, LONGEST_INTERVAL);
    let interval = interval.unwrap_or(DEFAULT_INTERVAL);
    if SignedDuration::try_from(interval).is_ok_and(|interval| interval >= fresh_for) {
        table.problem(
            "interval",
            &format!(
                "is {interval:?}, and what is measured is fresh for {:?} only, so it would be stale before each poll: \
                 poll more often, or let `live-latency.estimator.fresh-for` be longer",
                fresh_for.unsigned_abs()
            ),
        );
    }
    let timeout = table.duration("timeout", SHORTEST_TIMEOUT, interval);
    let timeout = timeout.unwrap_or(DEFAULT_TIMEOUT.min(interval));
    let queries = queries(table);
    let labels = labels(table);
    let unit = table.required("unit");
    let unit = table.parsed("unit", unit, |text| match text {
        "seconds" => Ok(Unit::Seconds),
        "milliseconds" => Ok(Unit::Milliseconds),
        _ => Err(format!("is `{text}`: write seconds or milliseconds")),
    });
    let bearer_token_file = table.optional("bearer-token-file").map(PathBuf::from);
    let ca_file = table.optional("ca-file").map(PathBuf::from);
    if let Some(url) = &url {
        if bearer_token_file.is_some() && !url.keeps_secrets() {
            table.problem(
                "bearer-token-file",
                "would be sent to an address that nothing encrypts: use https",
            );
        }
        if ca_file.is_some() && !url.is_encrypted() {
            table.problem(
                "ca-file",
                "has no use with an address that nothing encrypts: use https",
            );
        }
    }
    table.unknown_keys();
    Some(PrometheusSettings {
        name: name?,
        url: url?,
        interval,
        timeout,
        queries: queries?,
        labels,
        unit: unit?,
        bearer_token_file,
        ca_file,
    })
}

fn name(table: &mut Table) -> Option<Arc<str>> {
    let name = table.required("name");
    table.parsed("name", name, |text| {
        let is_good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.len() <= LONGEST_NAME && text.chars().all(is_good) {
            return Ok(Arc::from(text));
        }
        Err(format!(
            "is `{text}`: write letters, digits, `-`, `_` and `.`, at most {LONGEST_NAME}"
        ))
    })
}

fn queries(table: &mut Table) -> Option<Queries> {
    let Some(mut inner) = table.table("queries", &["p50", "p95", "samples", "reachable"]) else {
        if table.is_table {
            table.problem("queries", "is missing: it has at least the PromQL of `p50`");
        }
        return None;
    };
    let p50 = inner.required("p50");
    let (p95, samples, reachable) = (
        inner.optional("p95"),
        inner.optional("samples"),
        inner.optional("reachable"),
    );
    table.take_problems_of(inner);
    Some(Queries {
        p50: p50?,
        p95,
        samples,
        reachable,
    })
}

fn labels(table: &mut Table) -> EndLabels {
    let mut ends = EndLabels {
        from: "from".to_owned(),
        to: "to".to_owned(),
    };
    let Some(mut inner) = table.table("labels", &["from", "to"]) else {
        return ends;
    };
    if let Some(from) = inner.optional("from") {
        ends.from = from;
    }
    if let Some(to) = inner.optional("to") {
        ends.to = to;
    }
    if ends.from == ends.to {
        inner.problem("to", &format!("is `{}`, which is `labels.from` too", ends.to));
    }
    table.take_problems_of(inner);
    ends
}

/// A table of settings that is being read, with what is wrong in it.
struct Table {
    /// Which source it is or is of, from 1.
    source: usize,
    /// What stands before its keys, such as `queries.`.
    prefix: String,
    /// Else that has been told, and nothing is missing in it.
    is_table: bool,
    values: BTreeMap<String, Value>,
    known: &'static [&'static str],
    problems: Vec<String>,
}

impl Table {
    fn new(source: usize, prefix: &str, value: Value, known: &'static [&'static str]) -> Self {
        let mut problems = Vec::new();
        let (is_table, values) = match value.kind {
            ValueKind::Table(table) => (true, table.into_iter().collect()),
            _ => {
                let what = match prefix {
                    "" => "it".to_owned(),
                    prefix => format!("`{}`", prefix.trim_end_matches('.')),
                };
                let keys = known.join(", ");
                problems.push(format!(
                    "in source {source}: {what} is no table; its keys are {keys}"
                ));
                (false, BTreeMap::new())
            }
        };
        Self {
            source,
            prefix: prefix.to_owned(),
            is_table,
            values,
            known,
            problems,
        }
    }

    fn problem(&mut self, key: &str, problem: &str) {
        let (source, prefix) = (self.source, &self.prefix);
        self.problems
            .push(format!("in source {source}: `{prefix}{key}` {problem}"));
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        let value = self.values.remove(key)?;
        let text = match value.kind {
            ValueKind::Nil => String::new(),
            ValueKind::Array(_) | ValueKind::Table(_) => {
                self.problem(key, "has several values where one is expected");
                return None;
            }
            _ => value.into_string().unwrap_or_default(),
        };
        if text.trim().is_empty() {
            self.problem(key, "is empty");
            return None;
        }
        Some(text)
    }

    fn required(&mut self, key: &str) -> Option<String> {
        if self.is_table && !self.values.contains_key(key) {
            self.problem(key, "is missing");
        }
        self.optional(key)
    }

    fn parsed<T>(
        &mut self,
        key: &str,
        text: Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text?.as_str())
            .map_err(|problem| self.problem(key, &problem))
            .ok()
    }

    fn duration(&mut self, key: &str, least: Duration, most: Duration) -> Option<Duration> {
        let text = self.optional(key);
        self.parsed(key, text, |text| {
            let duration = text.parse::<SignedDuration>().ok();
            let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
            duration
                .filter(|duration| (least..=most).contains(duration))
                .ok_or_else(|| {
                    format!("is `{text}`: write a time with its unit such as 10s, {least:?} to {most:?}")
                })
        })
    }

    fn table(&mut self, key: &'static str, known: &'static [&'static str]) -> Option<Self> {
        let value = self.values.remove(key)?;
        Some(Self::new(self.source, &format!("{key}."), value, known))
    }

    fn take_problems_of(&mut self, mut inner: Self) {
        inner.unknown_keys();
        self.problems.append(&mut inner.problems);
    }

    /// What is left was not asked for.
    fn unknown_keys(&mut self) {
        for key in std::mem::take(&mut self.values).into_keys() {
            // `bearerTokenFile` is how others would write it.
            let spelled: String = key
                .chars()
                .flat_map(|c| {
                    c.is_uppercase()
                        .then_some('-')
                        .into_iter()
                        .chain(c.to_lowercase())
                })
                .map(|c| if c == '_' { '-' } else { c })
                .collect();
            let hint = nearest_word(&spelled, self.known.iter().copied())
                .map_or_else(String::new, |meant| format!("; did you mean `{meant}`"));
            self.problem(&key, &format!("is no setting{hint}"));
        }
    }
}

#[cfg(test)]
#[path = "live_latency_tests.rs"]
mod tests;
