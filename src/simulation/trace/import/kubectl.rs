//! The lists that `kubectl get -o json` and `-o yaml` print, into a trace.
//!
//! Inputs: texts of nodes and pods, and as far as there are any of namespaces, services, ReplicaSets and StatefulSets;
//! each a list, a typed list or objects one after the other. Outputs: namespaces and nodes at `t` 0, pods when they were
//! created, counted from the oldest. Invariants: a node without `allocatable` and a pod without a name are problems;
//! pods that have ended are left out; a pod wants a node anew, unless it is to stay or no scheduler placed it.
//! Deliberately absent: pods that were there once and are no more, for a list does not know them; claims.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::notes::Notes;
use super::requests::requests;
use super::selectors::{CONTROLLERS, Selectors};
use super::views::{AnyView, ControllerView, Metadata, NodeView, PodSpecView, PodView, ServiceView};
use crate::model::{NamespaceName, Owner};
use crate::objects::annotations::{PREFIX, WRITTEN_BY_DOMICILE};
use crate::objects::{Item, contents};
use crate::simulation::kube::spec::{NodeSpec, PodSpec, PreemptionPolicy, ResourceList};
use crate::simulation::trace::{Event, Header, Trace, TraceNamespace, TraceNode, TracePod, What};

/// The kinds whose typed lists are taken apart.
const KINDS: [&str; 10] = [
    "Node",
    "Pod",
    "Namespace",
    "Service",
    "ReplicaSet",
    "StatefulSet",
    "ReplicationController",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
];

/// Kinds whose annotations speak about data, which a trace cannot say.
const STORAGE: [&str; 3] = ["PersistentVolumeClaim", "PersistentVolume", "StorageClass"];

/// The owner of a pod that a kubelet runs from a file.
const MIRROR_OWNER: &str = "Node";

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KubectlOptions {
    /// Whether pods that run stay where they are; otherwise each wants a node anew.
    pub keep_nodes: bool,
    /// Whether nodes may leave out what can be allocated on them: whoever asks looks at no resources.
    pub unknown_capacity: bool,
}

/// Makes a trace of what kubectl prints; files are (name, text).
///
/// # Errors
/// Every problem, each with the name of its file.
pub fn import_kubectl<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    options: KubectlOptions,
) -> Result<Trace, Vec<String>> {
    let mut import = Import {
        options,
        ..Import::default()
    };
    let mut names = Vec::new();
    for (file, text) in files {
        names.push(file.to_owned());
        import.file = file.to_owned();
        import.read(text);
    }
    import.trace(&names)
}

/// What the files have so far.
#[derive(Debug, Default)]
struct Import {
    options: KubectlOptions,
    file: String,
    namespaces: BTreeMap<NamespaceName, TraceNamespace>,
    nodes: Vec<TraceNode>,
    names_of_nodes: BTreeSet<String>,
    pods: Vec<Found>,
    uids: BTreeSet<String>,
    selectors: Selectors,
    notes: Notes,
    problems: Vec<String>,
}

/// A pod that has not ended.
#[derive(Debug)]
struct Found {
    created: Option<Timestamp>,
    is_mirror: bool,
    pod: TracePod,
}

impl Import {
    fn problem(&mut self, about: &str, sentence: impl std::fmt::Display) {
        let Self { file, .. } = self;
        self.problems.push(match about {
            "" => format!("{file}: {sentence}"),
            about => format!("{file}: {about}: {sentence}"),
        });
    }

    fn read(&mut self, text: &str) {
        let contents = match contents(text, &KINDS) {
            Ok(contents) => contents,
            Err(unreadable) => {
                self.problem("", unreadable.problem);
                return;
            }
        };
        for (place, problem) in &contents.problems {
            self.problem(&place.to_string(), problem);
        }
        for item in &contents.items {
            self.read_item(item);
        }
    }

    fn read_item(&mut self, item: &Item<'_>) {
        match item.kind.as_str() {
            "Node" => self.with(item, Self::add_node),
            "Pod" => self.with(item, Self::add_pod),
            "Namespace" => self.with(item, Self::add_namespace),
            "Service" => self.with(item, |import, service: ServiceView| {
                import.selectors.add_service(service);
                Ok(())
            }),
            kind if CONTROLLERS.contains(&kind) => self.with(item, |import, controller: ControllerView| {
                import.selectors.add_controller(kind, controller);
                Ok(())
            }),
            kind if STORAGE.contains(&kind) => self.with(item, |import, any: AnyView| {
                if !ours(any.metadata.annotations).is_empty() {
                    import
                        .notes
                        .add(format!("{kind}s whose annotations speak about data are left out"));
                }
                Ok(())
            }),
            kind => self.notes.add(format!("objects of kind `{kind}` are not used")),
        }
    }

    fn with<V: DeserializeOwned + Default>(
        &mut self,
        item: &Item<'_>,
        add: impl FnOnce(&mut Self, V) -> Result<(), String>,
    ) {
        let read = item.view::<V>().map_err(|error| error.to_string());
        if let Err(sentence) = read.and_then(|view| add(self, view)) {
            let about = match item.name.as_str() {
                "" => item.place.to_string(),
                name => format!("{} `{name}`", item.kind),
            };
            self.problem(&about, sentence);
        }
    }

    fn add_namespace(&mut self, view: AnyView) -> Result<(), String> {
        let name = view.metadata.name.unwrap_or_default();
        let namespace = NamespaceName::new(&name).map_err(|error| error.to_string())?;
        let set = TraceNamespace {
            namespace: namespace.clone(),
            labels: view.metadata.labels.unwrap_or_default(),
            annotations: ours(view.metadata.annotations),
        };
        match self.namespaces.insert(namespace, set) {
            None => Ok(()),
            Some(_) => Err("it is there twice".to_owned()),
        }
    }

    fn add_node(&mut self, view: NodeView) -> Result<(), String> {
        let name = view.metadata.name.unwrap_or_default();
        if name.is_empty() {
            return Err("`metadata.name` is missing".to_owned());
        }
        if !self.names_of_nodes.insert(name.clone()) {
            return Err("it is there twice".to_owned());
        }
        let unknown = self.options.unknown_capacity.then(ResourceList::new);
        let allocatable = view.status.allocatable.or(unknown);
        let taints = view.spec.taints.unwrap_or_default();
        let notes = &mut self.notes;
        self.nodes.push(TraceNode {
            provider_id: view.spec.provider_id.filter(|id| !id.is_empty()),
            spec: NodeSpec {
                name,
                labels: view.metadata.labels.unwrap_or_default(),
                allocatable: allocatable
                    .ok_or("it has no `status.allocatable`, so nobody knows what fits")?,
                taints: taints
                    .into_iter()
                    .filter_map(|taint| taint_of(taint, notes))
                    .collect(),
                unschedulable: view.spec.unschedulable.unwrap_or_default(),
            },
        });
        Ok(())
    }

    fn add_pod(&mut self, view: PodView) -> Result<(), String> {
        if matches!(view.status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            self.notes.add("pods have ended and are left out");
            return Ok(());
        }
        let Metadata {
            name,
            namespace,
            uid,
            labels,
            annotations,
            creation_timestamp,
            owner_references,
        } = view.metadata;
        let missing = |field: &str| format!("`metadata.{field}` is missing");
        let name = name
            .filter(|name| !name.is_empty())
            .ok_or_else(|| missing("name"))?;
        let namespace = namespace.unwrap_or_else(|| "default".to_owned());
        let uid = uid.unwrap_or_else(|| format!("{namespace}/{name}"));
        if !self.uids.insert(uid.clone()) {
            return Err("it is there twice".to_owned());
        }
        let created = creation_timestamp.map(|written| {
            let read = written.parse();
            read.map_err(|_| format!("`metadata.creationTimestamp` is no instant: `{written}`"))
        });
        let mut owners = owner_references.into_iter().flatten();
        let owner = owners
            .find(|owner| owner.controller == Some(true))
            .and_then(|owner| {
                Some(Owner {
                    kind: owner.kind?,
                    name: owner.name?,
                })
            });
        let spec = pod_spec(
            view.spec,
            namespace,
            name,
            labels.unwrap_or_default(),
            &mut self.notes,
        );
        self.pods.push(Found {
            created: created.transpose()?,
            is_mirror: owner.as_ref().is_some_and(|owner| owner.kind == MIRROR_OWNER),
            pod: TracePod {
                uid,
                annotations: ours(annotations),
                spec,
                owner,
            },
        });
        Ok(())
    }

    /// The trace of all that was read.
    fn trace(mut self, files: &[String]) -> Result<Trace, Vec<String>> {
        if self.nodes.is_empty() && self.problems.is_empty() {
            let files = files.join(", ");
            self.problems.push(format!(
                "{files}: no node is there; `kubectl get nodes,pods,namespaces -o json`"
            ));
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let mut header = Header::new("kubectl");
        header.at = self.pods.iter().filter_map(|found| found.created).min();
        let begin = header.at;
        let mut events: Vec<Event> = Vec::with_capacity(self.nodes.len() + self.pods.len());
        let at_once = |what| Event { t_ms: 0, what };
        events.extend(self.namespaces.into_values().map(What::NamespaceSet).map(at_once));
        events.extend(
            self.nodes
                .into_iter()
                .map(|node| at_once(What::NodeAdd(Box::new(node)))),
        );
        // Of equal instants the order of names, as kubectl prints them.
        self.pods.sort_by(|one, other| {
            let key = |found: &Found| {
                (
                    found.created,
                    found.pod.spec.namespace.clone(),
                    found.pod.spec.name.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        for mut found in self.pods {
            let spec = &mut found.pod.spec;
            spec.default_spread_selector = self.selectors.of_pod(
                &spec.namespace,
                &spec.labels,
                found.pod.owner.as_ref(),
                &mut self.notes,
            );
            if !(self.options.keep_nodes || found.is_mirror) {
                spec.node_name = None;
            }
            if let Some(node) = &spec.node_name
                && !self.names_of_nodes.contains(node)
            {
                self.notes
                    .add("pods are on nodes that are not in the files and are left out");
                continue;
            }
            let since = begin.and_then(|begin| Some(found.created?.duration_since(begin).as_millis()));
            events.push(Event {
                t_ms: since.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0),
                what: What::PodCreate(Box::new(found.pod)),
            });
        }
        header.notes = self.notes.told();
        Ok(Trace { header, events })
    }
}

/// What a pod says to kube-scheduler; what the model has no words for is noted.
pub(super) fn pod_spec(
    spec: PodSpecView,
    namespace: String,
    name: String,
    labels: BTreeMap<String, String>,
    notes: &mut Notes,
) -> PodSpec {
    let mut volumes = spec.volumes.iter().flatten();
    if volumes.any(|volume| volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some()) {
        notes.add("pods have claims, which may bind them to a zone and carry data: both are left out");
    }
    let mut ports = spec
        .containers
        .iter()
        .flatten()
        .filter_map(|container| container.ports.as_ref());
    if ports.any(|ports| {
        ports
            .iter()
            .any(|port| port.host_port.is_some_and(|port| port > 0))
    }) {
        notes.add("pods ask for a port of their node, which is left out");
    }
    PodSpec {
        requests: requests(&spec),
        namespace,
        name,
        labels,
        node_selector: spec.node_selector.unwrap_or_default(),
        affinity: spec
            .affinity
            .and_then(|affinity| understood(affinity, "affinity", notes)),
        tolerations: (spec.tolerations.into_iter().flatten())
            .filter_map(|toleration| understood(toleration, "tolerations", notes))
            .collect(),
        topology_spread_constraints: (spec.topology_spread_constraints.into_iter().flatten())
            .filter_map(|constraint| understood(constraint, "topologySpreadConstraints", notes))
            .collect(),
        default_spread_selector: None,
        priority: spec.priority.unwrap_or_default(),
        preemption_policy: match spec.preemption_policy.as_deref() {
            Some("Never") => PreemptionPolicy::Never,
            _ => PreemptionPolicy::PreemptLowerPriority,
        },
        node_name: spec.node_name.filter(|node| !node.is_empty()),
    }
}

/// The annotations that speak about data, without those that domicile writes itself.
fn ours(annotations: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let mut annotations = annotations.unwrap_or_default();
    annotations.retain(|key, _| key.starts_with(PREFIX) && !WRITTEN_BY_DOMICILE.contains(&key.as_str()));
    annotations
}

/// A part of a pod in the words of the model; what has no words there is noted and left out.
fn understood<T: DeserializeOwned>(part: Value, field: &str, notes: &mut Notes) -> Option<T> {
    let read = serde_json::from_value(without_null(part));
    read.map_err(|error| {
        notes.add(format!(
            "pods have `{field}` that the model does not know ({error}); left out"
        ))
    })
    .ok()
}

fn taint_of<T: DeserializeOwned>(mut taint: Value, notes: &mut Notes) -> Option<T> {
    if let Some(fields) = taint.as_object_mut() {
        fields.remove("timeAdded");
    }
    let read = serde_json::from_value(without_null(taint));
    read.map_err(|error| {
        notes.add(format!(
            "nodes have a taint that the model does not know ({error}); left out"
        ))
    })
    .ok()
}

fn without_null(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(fields.map(|(key, value)| (key, without_null(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        other => other,
    }
}
