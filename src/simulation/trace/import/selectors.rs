//! Which pods the default spread constraints of kube-scheduler count together with a pod: those of its services and of
//! its controller.
//!
//! Source: `DefaultSelector` in pkg/scheduler/framework/plugins/helper/spread.go, Kubernetes 1.36. Invariant: what the
//! files do not have is not guessed, with one exception: of a ReplicaSet that is not there the label
//! `pod-template-hash` is known, which Deployments set to tell the pods of one from those of any other.

use std::collections::BTreeMap;

use super::notes::Notes;
use super::views::{ControllerView, ServiceView};
use crate::model::Owner;
use crate::simulation::kube::spec::{LabelSelector, Labels};

/// The label by which a Deployment tells its ReplicaSets apart.
const TEMPLATE_HASH_LABEL: &str = "pod-template-hash";

/// The kinds of controllers whose selectors kube-scheduler looks up.
pub(super) const CONTROLLERS: [&str; 3] = ["ReplicaSet", "StatefulSet", "ReplicationController"];

/// The selectors of services and controllers.
#[derive(Debug, Default)]
pub(super) struct Selectors {
    /// By namespace.
    services: BTreeMap<String, Vec<Labels>>,
    /// By kind, namespace and name.
    controllers: BTreeMap<(String, String, String), LabelSelector>,
}

impl Selectors {
    /// Adds a service.
    pub(super) fn add_service(&mut self, service: ServiceView) {
        let selector = service.spec.selector.unwrap_or_default();
        if !selector.is_empty() {
            let namespace = service.metadata.namespace.unwrap_or_default();
            self.services.entry(namespace).or_default().push(selector);
        }
    }

    /// Adds a controller.
    pub(super) fn add_controller(&mut self, kind: &str, controller: ControllerView) {
        let ControllerView { metadata, spec } = controller;
        if let (Some(name), Some(selector)) = (metadata.name, spec.selector) {
            let namespace = metadata.namespace.unwrap_or_default();
            self.controllers
                .insert((kind.to_owned(), namespace, name), selector);
        }
    }

    /// The selector of a pod; `None` where it belongs to nothing that is known.
    pub(super) fn of_pod(
        &self,
        namespace: &str,
        labels: &Labels,
        owner: Option<&Owner>,
        notes: &mut Notes,
    ) -> Option<LabelSelector> {
        let mut joined = LabelSelector::default();
        for service in self.services.get(namespace).into_iter().flatten() {
            if service.iter().all(|(key, value)| labels.get(key) == Some(value)) {
                joined.match_labels.extend(service.clone());
            }
        }
        if let Some(owner) = owner.filter(|owner| CONTROLLERS.contains(&owner.kind.as_str())) {
            let key = (owner.kind.clone(), namespace.to_owned(), owner.name.clone());
            let hash = labels
                .get(TEMPLATE_HASH_LABEL)
                .filter(|_| owner.kind == "ReplicaSet");
            match (self.controllers.get(&key), hash) {
                (Some(selector), _) => {
                    joined.match_labels.extend(selector.match_labels.clone());
                    joined
                        .match_expressions
                        .extend(selector.match_expressions.clone());
                }
                (None, Some(hash)) => {
                    joined
                        .match_labels
                        .insert(TEMPLATE_HASH_LABEL.to_owned(), hash.clone());
                }
                (None, None) => notes.add(format!(
                    "pods of a {} that is not in the files: kube-scheduler spreads them by its selector",
                    owner.kind
                )),
            }
        }
        let is_known = !joined.match_labels.is_empty() || !joined.match_expressions.is_empty();
        is_known.then_some(joined)
    }
}
