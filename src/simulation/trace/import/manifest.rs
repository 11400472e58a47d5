//! What the one pod of a manifest says to kube-scheduler.
//!
//! Inputs: the text of a pod or a workload, and what [`crate::objects::read_pod`] read of it. Outputs: the specification, and
//! what the model has no words for. Deliberately absent: which of several objects is meant, which the reading decided.

use serde::Deserialize;

use super::kubectl::pod_spec;
use super::notes::Notes;
use super::views::PodSpecView;
use crate::model::PodRequirements;
use crate::objects::{Item, POD_KINDS, contents};
use crate::simulation::kube::spec::PodSpec;

/// A pod, or what has a template of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodView {
    spec: PodSpecView,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WorkloadView {
    spec: WorkloadSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WorkloadSpec {
    template: Option<PodView>,
    job_template: Option<Box<WorkloadView>>,
}

/// Reads the specification of a pod that was read already, and what is not judged of it.
///
/// # Errors
/// Where a field has another type than in Kubernetes.
pub fn pod_of_manifest(text: &str, pod: &PodRequirements) -> Result<(PodSpec, Vec<String>), String> {
    let contents = contents(text, &POD_KINDS).map_err(|unreadable| unreadable.problem)?;
    let mut notes = Notes::default();
    let mut found = None;
    let speaks_of_pods = |item: &&Item<'_>| POD_KINDS.contains(&item.kind.as_str());
    for item in contents.items.iter().filter(speaks_of_pods) {
        let read = match item.kind.as_str() {
            "Pod" => item.view::<PodView>().map(Some),
            _ => item.view::<WorkloadView>().map(|workload| {
                let of_job = workload.spec.job_template.and_then(|job| job.spec.template);
                workload.spec.template.or(of_job)
            }),
        };
        if let Some(view) = read.map_err(|error| error.to_string())? {
            if item.kind == "DaemonSet" {
                notes.add("pods of a DaemonSet are given tolerations by its controller, which are not here");
            }
            found = Some(view);
            break;
        }
    }
    let view = found.unwrap_or_default();
    let labels = pod.labels.clone();
    let (namespace, name) = (pod.namespace.to_string(), pod.name.clone());
    let spec = pod_spec(view.spec, namespace, name, labels, &mut notes);
    Ok((spec, notes.sentences()))
}
