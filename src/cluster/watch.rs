//! The watches: from the API server to changes of the index.
//!
//! Objects are read straight from the bytes that arrive, each by itself, so that one which cannot be read spoils nothing
//! but itself; of each only what decides is kept. Pods are watched once, for the index and for whoever looks at every pod.

use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll, StreamExt, select_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use k8s_openapi::api::storage::v1 as storage;
use kube::api::{Api, ApiResource};
use kube::{Client, Resource};
use tokio::sync::mpsc::Sender;

use super::index::{Change, Index};
use super::raw_object::RawObject;
use super::watcher::{Said, follow_kind};
use crate::model::{
    Claim, ClaimKey, Namespace, NamespaceName, NodeName, NodeRecord, PodKey, RunningPod, StorageClass, Volume,
};
use crate::objects::{
    ClaimView, NamespaceView, NodeView, ObjectError, StorageClassView, VolumeView, WatchedPod,
    running_pod_from_json, watched_pod_from_json,
};

/// The kind of what says where pods run.
pub const PODS: &str = "pods";

/// Every object of a kind.
const ALL: Option<&str> = None;

/// Pods that have a node and have not ended. To the watch, one that ends is deleted.
const RUNNING: Option<&str> = Some("spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed");

/// Pods that have not ended, bound or not.
const NOT_ENDED: Option<&str> = Some("status.phase!=Succeeded,status.phase!=Failed");

/// A change of pods that have not ended, bound or not; `None` is one that ended.
pub type PodChange = Change<PodKey, Option<WatchedPod>>;

/// A change of one kind.
#[derive(Debug)]
pub enum KindChange {
    /// Of nodes.
    Nodes(Change<NodeName, NodeRecord>),
    /// Of namespaces.
    Namespaces(Change<NamespaceName, Namespace>),
    /// Of persistent volume claims.
    Claims(Change<ClaimKey, Claim>),
    /// Of persistent volumes.
    Volumes(Change<Arc<str>, Volume>),
    /// Of storage classes.
    StorageClasses(Change<Arc<str>, StorageClass>),
    /// Of pods that run; `None` is one that does not, or that nothing finds.
    Pods(Change<PodKey, Option<RunningPod>>),
}

impl KindChange {
    /// Takes the change into the index, and tells whether it changed anything that decides.
    pub fn into_index(self, index: &mut Index) -> bool {
        match self {
            Self::Nodes(change) => index.nodes.take(change),
            Self::Namespaces(change) => index.namespaces.take(change),
            Self::Claims(change) => index.claims.take(change),
            Self::Volumes(change) => index.volumes.take(change),
            Self::StorageClasses(change) => index.storage_classes.take(change),
            Self::Pods(change) => index.take_pod(change),
        }
    }
}

/// What a watch says.
#[derive(Debug)]
pub struct Heard {
    /// Of which kind.
    pub kind: &'static str,
    /// What.
    pub word: Word<KindChange>,
}

/// A word about the objects of a kind.
#[derive(Debug)]
pub enum Word<C> {
    /// Something changed.
    Changed(C),
    /// What is known is what the API server knows.
    Confirmed,
    /// The API server cannot be heard, and is asked again.
    Away {
        /// When it was heard last; `None` where it never was.
        heard: Option<Timestamp>,
    },
}

/// Every kind that decides but pods, in one stream that never ends.
pub fn watch_all_but_pods(client: &Client) -> SelectAll<BoxStream<'static, Heard>> {
    select_all([
        watch::<v1::Node, _, _>(client, "nodes", ALL, node_name, read_node, KindChange::Nodes),
        watch::<v1::Namespace, _, _>(
            client,
            "namespaces",
            ALL,
            namespace_name,
            read_namespace,
            KindChange::Namespaces,
        ),
        watch::<v1::PersistentVolumeClaim, _, _>(
            client,
            "persistentvolumeclaims",
            ALL,
            claim_key,
            read_claim,
            KindChange::Claims,
        ),
        watch::<v1::PersistentVolume, _, _>(
            client,
            "persistentvolumes",
            ALL,
            plain_name,
            read_volume,
            KindChange::Volumes,
        ),
        watch::<storage::StorageClass, _, _>(
            client,
            "storageclasses",
            ALL,
            plain_name,
            read_storage_class,
            KindChange::StorageClasses,
        ),
    ])
}

/// The pods that run, in a stream that never ends.
pub fn watch_running_pods(client: &Client) -> BoxStream<'static, Heard> {
    watch::<v1::Pod, _, _>(
        client,
        PODS,
        RUNNING,
        pod_key,
        running_pod_from_json,
        KindChange::Pods,
    )
}

/// Every pod that has not ended, listed anew: `listener` is told of all of them, and the stream of those that run. It waits
/// for a listener that is slow, and goes on without one that has gone.
pub fn watch_every_pod(client: &Client, listener: Sender<PodChange>) -> BoxStream<'static, Heard> {
    let told = move |said: Said| {
        let listener = listener.clone();
        async move {
            let is_heard = !listener.is_closed();
            let every = is_heard.then(|| change(&said, "every pod", pod_key, watched_pod_from_json));
            let every = every.flatten();
            // One without a node does not run, which takes no second look.
            let waiting = match &every {
                Some(Change::Apply(key, Some(pod))) if pod.pod.node.is_none() => Some(key.clone()),
                _ => None,
            };
            if let Some(change) = every {
                // Whoever has gone needs to know nothing.
                let _ = listener.send(change).await;
            }
            match waiting {
                Some(key) => Some(Word::Changed(Change::Apply(key, None))),
                None => word(&said, PODS, pod_key, running_pod_from_json),
            }
        }
    };
    follow_kind(api::<v1::Pod>(client), NOT_ENDED)
        .then(told)
        .filter_map(std::future::ready)
        .map(|word| heard(PODS, word, KindChange::Pods))
        .boxed()
}

fn watch<R, K, V>(
    client: &Client,
    kind: &'static str,
    fields: Option<&'static str>,
    key: fn(&RawObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
    wrap: fn(Change<K, V>) -> KindChange,
) -> BoxStream<'static, Heard>
where
    R: Resource<DynamicType = ()> + 'static,
    K: Send + 'static,
    V: Send + 'static,
{
    follow_kind(api::<R>(client), fields)
        .filter_map(move |said| std::future::ready(word(&said, kind, key, read)))
        .map(move |word| heard(kind, word, wrap))
        .boxed()
}

fn api<R: Resource<DynamicType = ()>>(client: &Client) -> Api<RawObject> {
    Api::all_with(client.clone(), &ApiResource::erase::<R>(&()))
}

fn heard<C>(kind: &'static str, word: Word<C>, wrap: impl FnOnce(C) -> KindChange) -> Heard {
    let word = match word {
        Word::Changed(change) => Word::Changed(wrap(change)),
        Word::Confirmed => Word::Confirmed,
        Word::Away { heard } => Word::Away { heard },
    };
    Heard { kind, word }
}

/// What is said of a kind as a word about its objects.
fn word<K, V>(
    said: &Said,
    kind: &'static str,
    key: fn(&RawObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
) -> Option<Word<Change<K, V>>> {
    match said {
        Said::Confirmed => Some(Word::Confirmed),
        Said::Away { heard, problem } => {
            tracing::warn!(kind, problem, "the watch broke and is taken up again");
            Some(Word::Away { heard: *heard })
        }
        _ => change(said, kind, key, read).map(Word::Changed),
    }
}

/// What is said of a kind as a change of its objects, where it is one. An object without a name is not one.
fn change<K, V>(
    said: &Said,
    kind: &'static str,
    key: fn(&RawObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
) -> Option<Change<K, V>> {
    match said {
        Said::ListBegins => Some(Change::ListBegins),
        Said::ListEnds => Some(Change::ListEnds),
        Said::Applied(object) => applied(object, kind, key, read),
        Said::Deleted(object) => key(object).map(Change::Delete),
        Said::Confirmed | Said::Away { .. } => None,
    }
}

fn applied<K, V>(
    object: &RawObject,
    kind: &'static str,
    key: fn(&RawObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
) -> Option<Change<K, V>> {
    let name = object.name().unwrap_or_default();
    let Some(key) = key(object) else {
        tracing::warn!(
            kind,
            name,
            "an object has no name that Kubernetes accepts and is left out"
        );
        return None;
    };
    Some(match read(object.json()) {
        Ok(value) => Change::Apply(key, value),
        Err(problem) => {
            tracing::warn!(kind, name, %problem, "an object cannot be read and counts as unknown");
            Change::Unreadable(key)
        }
    })
}

fn node_name(object: &RawObject) -> Option<NodeName> {
    NodeName::new(object.name()?).ok()
}

fn namespace_name(object: &RawObject) -> Option<NamespaceName> {
    NamespaceName::new(object.name()?).ok()
}

fn claim_key(object: &RawObject) -> Option<ClaimKey> {
    let namespace = NamespaceName::new(object.namespace()?).ok()?;
    Some(ClaimKey {
        namespace,
        name: plain_name(object)?,
    })
}

fn pod_key(object: &RawObject) -> Option<PodKey> {
    let namespace = NamespaceName::new(object.namespace()?).ok()?;
    Some(PodKey {
        namespace,
        name: plain_name(object)?,
    })
}

fn plain_name(object: &RawObject) -> Option<Arc<str>> {
    object.name().map(Arc::from)
}

fn view<'a, T: serde::Deserialize<'a>>(json: &'a [u8]) -> Result<T, ObjectError> {
    serde_json::from_slice(json).map_err(|error| ObjectError::Syntax(error.to_string()))
}

fn read_node(json: &[u8]) -> Result<NodeRecord, ObjectError> {
    view::<NodeView<'_>>(json)?.record().map(|(_, node)| node)
}

fn read_namespace(json: &[u8]) -> Result<Namespace, ObjectError> {
    view::<NamespaceView<'_>>(json)?
        .record()
        .map(|(_, namespace)| namespace)
}

fn read_claim(json: &[u8]) -> Result<Claim, ObjectError> {
    view::<ClaimView<'_>>(json)?.record().map(|(_, claim)| claim)
}

fn read_volume(json: &[u8]) -> Result<Volume, ObjectError> {
    view::<VolumeView<'_>>(json)?.record().map(|(_, volume)| volume)
}

fn read_storage_class(json: &[u8]) -> Result<StorageClass, ObjectError> {
    view::<StorageClassView<'_>>(json)?
        .record()
        .map(|(_, class)| class)
}
