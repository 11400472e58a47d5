//! Whether what the API server shows agrees with what was recorded, judged by nothing of Domicile's but the names of
//! policy sets.
//!
//! A case says of each set of policies that it ever put down in which regions its governed pods may run, as its author
//! would. A binding is good where the set that the record of its decision names permits the region that the label of the
//! node has. Where a crash or a full disk took the record, the answer that kube-scheduler got stands for it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use kube::ResourceExt as _;
use serde_json::Value;

use crate::api::Cluster;
use crate::domicile::Domicile;
use crate::recorder::Recorder;

/// The regions in which a set of policies lets the governed pods of a case run, by the hash that names the set.
pub type Known = BTreeMap<String, Vec<&'static str>>;

/// What was found.
#[derive(Debug, Default)]
pub struct Checked {
    /// Pods whose binding the record of its decision permits.
    pub by_record: usize,
    /// Pods of whose decision there is no record; what was answered permits the binding.
    pub by_answer: usize,
}

/// Every record that can be read; a crash may cut one off.
pub fn records(of: &Domicile) -> Vec<Value> {
    let lines = of.decision_lines();
    lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// Checks that every pod is bound, and where it may be.
pub async fn check(
    cluster: &Cluster,
    pods: &[core::Pod],
    records: &[Value],
    recorders: &[&Recorder],
    known: &Known,
) -> Checked {
    let of_set = |record: &Value| known.get(record["policy_set"].as_str()?).cloned();
    let all: Vec<&str> = known.values().flatten().copied().collect();
    check_by(cluster, pods, records, recorders, &all, of_set).await
}

/// The same where it depends on more of a record than its set where that lets the pods run; `None` is a set that nobody
/// wrote. `all` are the regions in which they may run by any record.
pub async fn check_by(
    cluster: &Cluster,
    pods: &[core::Pod],
    records: &[Value],
    recorders: &[&Recorder],
    all: &[&str],
    permitted: impl Fn(&Value) -> Option<Vec<&'static str>>,
) -> Checked {
    for record in records {
        assert!(
            permitted(record).is_some(),
            "a set decided that nobody wrote: {record}"
        );
    }
    let mut checked = Checked::default();
    for pod in pods {
        let name = pod.name_any();
        let node = cluster.node_of(pod).await.expect("no pod is lost");
        let node = node.unwrap_or_else(|| panic!("pod `{name}` waits still"));
        let labels = cluster.node_labels(&node).await;
        let region = labels["topology.kubernetes.io/region"].as_str();
        let uid = pod.metadata.uid.as_deref();
        let mut about = records
            .iter()
            .filter(|record| record["pod"]["uid"].as_str() == uid);
        let permits = |record: &&Value| record["verb"] == "filter" && record["verdict"] == "permitted";
        if let Some(record) = about.rfind(permits) {
            assert!(
                permitted(record).is_some_and(|regions| regions.contains(&region)),
                "`{name}` is in `{region}`: {record}"
            );
            checked.by_record += 1;
            continue;
        }
        let calls = recorders
            .iter()
            .flat_map(|recorder| recorder.calls_about("filter", &name));
        let mut answers = calls.filter_map(|call| call.answer());
        assert!(
            answers
                .next_back()
                .is_some_and(|answer| survivors(&answer).contains(&node)),
            "`{name}` is on `{node}`, which no answer names"
        );
        assert!(all.contains(&region), "`{name}` is in `{region}`");
        checked.by_answer += 1;
    }
    checked
}

/// The nodes that an answer leaves.
fn survivors(answer: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let names = list(&answer["NodeNames"]).into_iter();
    let nodes = list(&answer["Nodes"]["items"]).into_iter();
    names
        .chain(nodes.map(|node| node["metadata"]["name"].clone()))
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
