//! The pod of a manifest: a pod, or what a workload would make of its template.
//!
//! Inputs: the text of a file, JSON or YAML. Outputs: the one pod that it speaks of. Objects of other kinds
//! beside it (a Service, a ConfigMap) are passed over, as manifests have them.
//! Deliberately absent: whether a controller would accept the manifest.

use std::sync::Arc;

use serde::Deserialize;

use super::document::{Item, contents};
use super::error::ObjectError;
use super::fleet_file::{FleetError, about, default_namespace, nameless, whole};
use super::pod::PodView;
use super::quoted::alternatives;
use super::storage::ClaimView;
use super::view::{Metadata, Object, or_null};
use crate::model::{Owner, PodRequirements};

/// Kinds with a pod or with a template of one.
pub(crate) const POD_KINDS: [&str; 7] = [
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WorkloadView<'a> {
    #[serde(borrow)]
    metadata: Object<Metadata<'a>>,
    #[serde(borrow)]
    spec: Object<WorkloadSpec<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WorkloadSpec<'a> {
    #[serde(borrow)]
    template: Option<Object<PodView<'a>>>,
    #[serde(borrow)]
    job_template: Object<JobTemplate<'a>>,
    #[serde(borrow, deserialize_with = "or_null")]
    volume_claim_templates: Vec<Object<ClaimView<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JobTemplate<'a> {
    #[serde(borrow)]
    spec: Object<JobSpec<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JobSpec<'a> {
    #[serde(borrow)]
    template: Option<Object<PodView<'a>>>,
}

/// Reads the one pod of a manifest. What names no namespace is meant for `default`; the pod of a template
/// goes by the name of its workload, and the first pod of a StatefulSet stands for all.
///
/// # Errors
/// Where the file cannot be read, or speaks of no pod or of several.
pub fn read_pod(text: &str, file: &str) -> Result<PodRequirements, FleetError> {
    let contents = contents(text, &POD_KINDS).map_err(|unreadable| FleetError {
        line: unreadable.line,
        ..whole(file, unreadable.problem)
    })?;
    if let Some((place, problem)) = contents.problems.first() {
        return Err(nameless(*place, text, file, problem.to_string()));
    }
    let mut candidates = contents
        .items
        .iter()
        .filter(|item| POD_KINDS.contains(&&*item.kind));
    let Some(item) = candidates.next() else {
        let problem = format!("the file has no {}", alternatives(POD_KINDS));
        return Err(whole(file, problem));
    };
    if let Some(other) = candidates.next() {
        let problem = format!(
            "a second object with a pod; leave one of {} and {} in the file",
            item.place, other.place
        );
        return Err(about(other, text, file, problem));
    }
    pod_of(item).map_err(|error| about(item, text, file, error.to_string()))
}

fn pod_of(item: &Item<'_>) -> Result<PodRequirements, ObjectError> {
    let unstated = default_namespace()?;
    if item.kind == "Pod" {
        return item.view::<PodView<'_>>()?.requirements_in(&unstated);
    }
    let workload = item.view::<WorkloadView<'_>>()?;
    let template = match item.kind.as_str() {
        "CronJob" => workload.spec.job_template.spec.template.as_ref(),
        _ => workload.spec.template.as_ref(),
    };
    let template = template.ok_or(ObjectError::Missing(match item.kind.as_str() {
        "CronJob" => "spec.jobTemplate.spec.template",
        _ => "spec.template",
    }))?;
    let name = workload.metadata.stated_name().to_owned();
    // The pod is made in the namespace of its workload, whatever the template says.
    let mut view = template.0.clone();
    view.metadata.0.namespace = workload.metadata.namespace.clone();
    view.metadata.0.name.0 = match item.kind.as_str() {
        "StatefulSet" => format!("{name}-0").into(),
        _ => format!("{name}-").into(),
    };
    let mut pod = view.requirements_in(&unstated)?;
    for claim in &workload.spec.volume_claim_templates {
        let claim_name = format!("{}-{}", claim.template_name(), pod.name);
        pod.volumes.push(claim.mount(Arc::from(claim_name)));
    }
    pod.owner = Some(Owner {
        kind: item.kind.clone(),
        name,
    });
    Ok(pod)
}
