//! The text of a file to one value, as far as kube-scheduler would read it.

use serde_json::Value;

use super::finding::Finding;

/// The only version that kube-scheduler has read since 1.29.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// The only kind that its `--config` takes.
pub const KIND: &str = "KubeSchedulerConfiguration";

/// Reads the first document, which is all that kube-scheduler reads; `None` when there is no sense in
/// looking further.
pub fn read(text: &str, findings: &mut Vec<Finding>) -> Option<Value> {
    let documents = documents(text);
    let first = documents.first().copied().unwrap_or("");
    if documents.len() > 1 {
        findings.push(Finding::error(
            "D03",
            "",
            format!(
                "the file has {} YAML documents, and kube-scheduler reads the first alone, without a word about the rest",
                documents.len()
            ),
            "keep one document in the file",
        ));
    }
    let value: Value = match serde_saphyr::from_str(first) {
        Ok(value) => value,
        Err(error) => {
            let message = error.without_snippet().to_string();
            let sentence = message
                .lines()
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            findings.push(unreadable(format!(
                "the file cannot be read, and kube-scheduler does not start: {sentence}"
            )));
            return None;
        }
    };
    if !value.is_object() {
        findings.push(unreadable(
            "the file holds no object, and kube-scheduler does not start".to_owned(),
        ));
        return None;
    }
    check_kind(&value, findings).then_some(value)
}

fn unreadable(sentence: String) -> Finding {
    Finding::error(
        "D01",
        "",
        sentence,
        format!(
            "write one YAML or JSON object of `kind: {KIND}`, as in deploy/base/scheduler-configuration.yaml"
        ),
    )
}

/// Whether the object is a configuration of a version that can be judged.
fn check_kind(value: &Value, findings: &mut Vec<Finding>) -> bool {
    let said = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (said("apiVersion"), said("kind"));
    if kind != KIND {
        let sentence = match kind {
            "" => "the object has no `kind`, and kube-scheduler does not start".to_owned(),
            _ => format!("`{kind}` is not what kube-scheduler reads by --config, and it does not start"),
        };
        findings.push(Finding::error(
            "D02",
            "kind",
            sentence,
            format!("write `kind: {KIND}`"),
        ));
        return false;
    }
    if version != API_VERSION {
        let sentence = match version {
            "" => "the object has no `apiVersion`, and kube-scheduler does not start".to_owned(),
            _ => format!(
                "`{version}` is not a version that a present kube-scheduler reads, and it does not start"
            ),
        };
        findings.push(Finding::error(
            "D02",
            "apiVersion",
            sentence,
            format!("write `apiVersion: {API_VERSION}`, and compare the fields: v1beta versions had others"),
        ));
    }
    // An earlier version has the same fields where it matters here, so the traps can still be shown.
    true
}

/// Cuts a text at its document markers, leaving out documents with nothing in them.
fn documents(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if marker {
            found.extend(text.get(start..offset));
            start = offset + "---".len();
        }
        offset += line.len();
    }
    found.extend(text.get(start..));
    found.retain(|document| {
        let mut lines = document.lines().map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#') && line != "...")
    });
    found
}
