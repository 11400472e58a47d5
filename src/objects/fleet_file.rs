//! A fleet file: the objects of a cluster as kubectl prints them.
//!
//! Inputs: the text of a `List`, of typed lists such as a `NodeList`, or of single objects one after the
//! other; JSON or YAML; or a snapshot file, of which the objects count. Outputs: the [`Fleet`] and the pods, or everything that is wrong with the file.
//! Invariants: a kind of which the file has no object and no list stays unknown in the fleet, so absence
//! from the file means nothing; no object is there twice; a pod that ended is counted and not kept, since
//! it holds no node.

use std::collections::BTreeMap;
use std::fmt;

use super::document::{Contents, Item, ItemPlace, contents};
use super::error::ObjectError;
use super::namespace::NamespaceView;
use super::node::NodeView;
use super::pod::PodView;
use super::quoted::{alternatives, quoted};
use super::running_pod::{EndedView, RunningPodView};
use super::snapshot_file::SnapshotFile;
use super::storage::{ClaimView, StorageClassView, VolumeView};
use crate::model::{
    ContradictingProviders, Fleet, Known, LabelPool, NamespaceName, NodeName, PodRequirements, RunningPod,
    RunningPods, nearest_word,
};

/// The namespace of what names none, as for kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// What a fleet file holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetFile {
    /// Everything but the pods.
    pub fleet: Fleet,
    /// The pods that have not ended, in the order of the file.
    pub pods: Vec<PodRequirements>,
    /// How many pods ended, well or not.
    pub ended_pods: usize,
    /// Where pods with which labels run; `None` where the file does not speak of pods at all.
    pub running_pods: Option<RunningPods>,
    /// Nodes whose place is unknown because they name two providers.
    pub contradicting_providers: BTreeMap<NodeName, ContradictingProviders>,
}

/// What is wrong with a file of Kubernetes objects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FleetError {
    /// The file.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// Which object, such as `items[3] Node n3`; `None` is the file as a whole.
    pub object: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for FleetError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(object) = &self.object {
            write!(formatter, ": {object}")?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

impl std::error::Error for FleetError {}

/// The kinds that a fleet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FleetKind {
    Node,
    Namespace,
    Pod,
    Claim,
    Volume,
    StorageClass,
}

impl FleetKind {
    const ALL: [Self; 6] = [
        Self::Node,
        Self::Namespace,
        Self::Pod,
        Self::Claim,
        Self::Volume,
        Self::StorageClass,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Node => "Node",
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Claim => "PersistentVolumeClaim",
            Self::Volume => "PersistentVolume",
            Self::StorageClass => "StorageClass",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is this kind and not one of the same name that somebody else defined.
    fn is_of(self, api_version: &str) -> bool {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let ours = if self == Self::StorageClass {
            "storage.k8s.io"
        } else {
            ""
        };
        api_version.is_empty() || group == ours
    }
}

/// Reads a fleet file, or the objects of a snapshot file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read_fleet(text: &str, file: &str) -> Result<FleetFile, Vec<FleetError>> {
    match SnapshotFile::read(text) {
        Ok(Some(snapshot)) => read_objects(&snapshot.fleet.text, file),
        Ok(None) => read_objects(text, file),
        Err(problem) => Err(vec![whole(file, problem.to_string())]),
    }
}

fn read_objects(text: &str, file: &str) -> Result<FleetFile, Vec<FleetError>> {
    let mut reader = FleetReader {
        read: FleetFile::default(),
        knows_pods: false,
        running: Vec::new(),
        seen: BTreeMap::new(),
        default_namespace: default_namespace().map_err(|error| vec![whole(file, error.to_string())])?,
    };
    let contents = contents(text, &FleetKind::ALL.map(FleetKind::word)).map_err(|unreadable| {
        vec![FleetError {
            line: unreadable.line,
            ..whole(file, unreadable.problem)
        }]
    })?;
    let Contents {
        items,
        listed_kinds,
        documents,
        problems,
    } = contents;
    if documents == 0 {
        return Err(vec![whole(file, "the file holds no objects".to_owned())]);
    }
    let mut errors: Vec<(ItemPlace, FleetError)> = problems
        .into_iter()
        .map(|(place, problem)| (place, nameless(place, text, file, problem.to_string())))
        .collect();
    for kind in listed_kinds.iter().filter_map(|kind| FleetKind::from_word(kind)) {
        reader.know(kind);
    }
    for item in items {
        if let Err(problem) = reader.take(&item) {
            errors.push((item.place, about(&item, text, file, problem)));
        }
    }
    if errors.is_empty() {
        let mut read = reader.read;
        read.running_pods = reader.knows_pods.then(|| running(reader.running));
        return Ok(read);
    }
    errors.sort();
    Err(errors.into_iter().map(|(_, error)| error).collect())
}

pub(super) fn default_namespace() -> Result<NamespaceName, ObjectError> {
    let field = "metadata.namespace";
    NamespaceName::new(DEFAULT_NAMESPACE).map_err(|error| ObjectError::Name { field, error })
}

/// A problem of the file as a whole.
pub(super) fn whole(file: &str, problem: String) -> FleetError {
    FleetError {
        file: file.to_owned(),
        line: None,
        object: None,
        problem,
    }
}

/// A problem of an object of which not even the kind is known.
pub(super) fn nameless(place: ItemPlace, text: &str, file: &str, problem: String) -> FleetError {
    FleetError {
        line: place.line(text),
        object: Some(place.to_string()),
        ..whole(file, problem)
    }
}

/// A problem of one object.
pub(super) fn about(item: &Item<'_>, text: &str, file: &str, problem: String) -> FleetError {
    let mut object = item.place.to_string();
    if !item.kind.is_empty() {
        object.push(' ');
        object.push_str(quoted(&item.kind).trim_matches('`'));
    }
    if !item.name.is_empty() {
        object.push(' ');
        object.push_str(&quoted(&item.name));
    }
    FleetError {
        file: file.to_owned(),
        line: item.place.line(text),
        object: Some(object),
        problem,
    }
}

struct FleetReader {
    read: FleetFile,
    knows_pods: bool,
    running: Vec<(NamespaceName, RunningPod)>,
    /// Kind, namespace and name of what was read, and where it was.
    seen: BTreeMap<(&'static str, String), String>,
    default_namespace: NamespaceName,
}

impl FleetReader {
    /// From now on, absence of such an object means that there is none.
    fn know(&mut self, kind: FleetKind) {
        let fleet = &mut self.read.fleet;
        match kind {
            FleetKind::Node => {}
            FleetKind::Pod => self.knows_pods = true,
            FleetKind::Namespace => known(&mut fleet.namespaces),
            FleetKind::Claim => known(&mut fleet.claims),
            FleetKind::Volume => known(&mut fleet.volumes),
            FleetKind::StorageClass => known(&mut fleet.storage_classes),
        }
    }

    fn take(&mut self, item: &Item<'_>) -> Result<(), String> {
        let Some(kind) = FleetKind::from_word(&item.kind).filter(|kind| kind.is_of(&item.api_version)) else {
            return Err(unknown_kind(item));
        };
        self.know(kind);
        let key = self.insert(kind, item).map_err(|error| error.to_string())?;
        let Some(key) = key else { return Ok(()) };
        match self.seen.insert((kind.word(), key), item.place.to_string()) {
            None => Ok(()),
            Some(first) => Err(format!("the same object is there already as {first}")),
        }
    }

    /// Puts an object into the fleet, and gives what must not be there twice.
    fn insert(&mut self, kind: FleetKind, item: &Item<'_>) -> Result<Option<String>, ObjectError> {
        let fleet = &mut self.read.fleet;
        let key = match kind {
            FleetKind::Node => {
                let view = item.view::<NodeView<'_>>()?;
                let (name, node) = view.record()?;
                let key = name.to_string();
                if let Some(providers) = view.contradicting_providers() {
                    self.read.contradicting_providers.insert(name.clone(), providers);
                }
                fleet.nodes.insert(name, node);
                key
            }
            FleetKind::Namespace => {
                let (name, namespace) = item.view::<NamespaceView<'_>>()?.record()?;
                let key = name.to_string();
                fleet.namespaces.get_or_insert_default().insert(name, namespace);
                key
            }
            FleetKind::Pod => {
                if item.view::<EndedView<'_>>()?.is_ended() {
                    self.read.ended_pods += 1;
                    return Ok(None);
                }
                let view = item.view::<PodView<'_>>()?;
                let pod = view.requirements_in(&self.default_namespace)?;
                let key = format!("{}/{}", pod.namespace, pod.name);
                let running = item.view::<RunningPodView<'_>>()?.running()?;
                self.running
                    .extend(running.map(|running| (pod.namespace.clone(), running)));
                self.read.pods.push(pod);
                // Pods that only have a generated name are as many as there are objects.
                return Ok((!item.name.is_empty()).then_some(key));
            }
            FleetKind::Claim => {
                let view = item.view::<ClaimView<'_>>()?;
                let (key, claim) = view.record_in(&self.default_namespace)?;
                let seen = format!("{}/{}", key.namespace, key.name);
                fleet.claims.get_or_insert_default().insert(key, claim);
                seen
            }
            FleetKind::Volume => {
                let (name, volume) = item.view::<VolumeView<'_>>()?.record()?;
                let key = name.to_string();
                fleet.volumes.get_or_insert_default().insert(name, volume);
                key
            }
            FleetKind::StorageClass => {
                let (name, class) = item.view::<StorageClassView<'_>>()?.record()?;
                let key = name.to_string();
                fleet.storage_classes.get_or_insert_default().insert(name, class);
                key
            }
        };
        Ok(Some(key))
    }
}

/// The pods that have a node, by their labels.
fn running(pods: Vec<(NamespaceName, RunningPod)>) -> RunningPods {
    let mut pool = LabelPool::default();
    let shared = pods.into_iter().map(|(namespace, pod)| {
        let labels = pool.share(&pod.labels);
        (namespace, RunningPod { labels, ..pod })
    });
    let shared: Vec<(NamespaceName, RunningPod)> = shared.collect();
    RunningPods::gather(shared.iter().map(|(namespace, pod)| (namespace, pod)))
}

fn known<K, V>(objects: &mut Known<K, V>) {
    objects.get_or_insert_default();
}

fn unknown_kind(item: &Item<'_>) -> String {
    if item.kind.is_empty() {
        return "`kind` is missing".to_owned();
    }
    let known = FleetKind::ALL.map(FleetKind::word);
    let kind = quoted(&item.kind);
    if known.contains(&&*item.kind) {
        return format!(
            "unknown kind {kind} of {}; take it out of the file",
            quoted(&item.api_version)
        );
    }
    match nearest_word(&item.kind, known) {
        Some(near) => format!("unknown kind {kind}; did you mean `{near}`?"),
        None => format!(
            "unknown kind {kind}; a fleet is made of {} and lists of these",
            alternatives(known)
        ),
    }
}
