//! The watches: from the API server to changes of the index.
//!
//! Each kind is listed in pages and then watched; a broken watch is taken up again with growing pauses,
//! and an expired one ("410 Gone") begins with a new list. Objects arrive as loose JSON, so that one
//! which cannot be read spoils nothing but itself.

use std::fmt::Display;
use std::sync::Arc;

use futures::stream::{BoxStream, SelectAll, Stream, StreamExt, select_all};
use k8s_openapi::api::core::v1;
use k8s_openapi::api::storage::v1 as storage;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, Resource};

use super::index::{Change, Index};
use crate::model::{
    Claim, ClaimKey, Namespace, NamespaceName, NodeName, NodeRecord, PodKey, RunningPod, StorageClass, Volume,
};
use crate::objects::{
    ClaimView, NamespaceView, NodeView, ObjectError, StorageClassView, VolumeView, running_pod_from_json,
};

/// Objects of one list page: a full node is about 17 kB, so a page stays under ten megabytes.
const PAGE_SIZE: u32 = 500;

/// The kind of what says where pods run.
pub const PODS: &str = "pods";

/// Every object of a kind.
const ALL: &str = "";

/// Pods that have a node and have not ended. To the watch, one that ends is deleted.
const RUNNING: &str = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed";

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
    /// What changed; `None` where the watch is broken and will be taken up again.
    pub change: Option<KindChange>,
}

/// Every kind that decides, in one stream that never ends.
pub fn watch_all(client: &Client) -> SelectAll<BoxStream<'static, Heard>> {
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
        watch::<v1::Pod, _, _>(
            client,
            PODS,
            RUNNING,
            pod_key,
            running_pod_from_json,
            KindChange::Pods,
        ),
    ])
}

fn watch<R, K, V>(
    client: &Client,
    kind: &'static str,
    fields: &str,
    key: fn(&DynamicObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
    wrap: fn(Change<K, V>) -> KindChange,
) -> BoxStream<'static, Heard>
where
    R: Resource<DynamicType = ()>,
    K: Send + 'static,
    V: Send + 'static,
{
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &ApiResource::erase::<R>(&()));
    let mut settings = watcher::Config::default().page_size(PAGE_SIZE);
    if fields != ALL {
        settings = settings.fields(fields);
    }
    let events = watcher(api, settings).default_backoff();
    changes(events, kind, key, read)
        .map(move |change| Heard {
            kind,
            change: change.map(wrap),
        })
        .boxed()
}

/// Events as changes; `None` where the watch broke. An object without a name is not one.
fn changes<K, V, E: Display>(
    events: impl Stream<Item = Result<watcher::Event<DynamicObject>, E>>,
    kind: &'static str,
    key: fn(&DynamicObject) -> Option<K>,
    read: fn(&[u8]) -> Result<V, ObjectError>,
) -> impl Stream<Item = Option<Change<K, V>>> {
    let apply = move |object: DynamicObject| {
        let key = key(&object)?;
        let decoded = serde_json::to_vec(&object).map_err(|error| error.to_string());
        let value = decoded.and_then(|json| read(&json).map_err(|error| error.to_string()));
        Some(match value {
            Ok(value) => Change::Apply(key, value),
            Err(problem) => {
                let name = object.metadata.name.as_deref().unwrap_or_default();
                tracing::warn!(
                    kind,
                    name,
                    problem,
                    "an object cannot be read and counts as unknown"
                );
                Change::Unreadable(key)
            }
        })
    };
    events.filter_map(move |event| {
        let heard = match event {
            Ok(watcher::Event::Init) => Some(Some(Change::ListBegins)),
            Ok(watcher::Event::InitDone) => Some(Some(Change::ListEnds)),
            Ok(watcher::Event::InitApply(object) | watcher::Event::Apply(object)) => apply(object).map(Some),
            Ok(watcher::Event::Delete(object)) => key(&object).map(|key| Some(Change::Delete(key))),
            Err(problem) => {
                tracing::warn!(kind, %problem, "the watch broke and is taken up again");
                Some(None)
            }
        };
        std::future::ready(heard)
    })
}

fn node_name(object: &DynamicObject) -> Option<NodeName> {
    NodeName::new(object.metadata.name.as_deref()?).ok()
}

fn namespace_name(object: &DynamicObject) -> Option<NamespaceName> {
    NamespaceName::new(object.metadata.name.as_deref()?).ok()
}

fn claim_key(object: &DynamicObject) -> Option<ClaimKey> {
    let namespace = NamespaceName::new(object.metadata.namespace.as_deref()?).ok()?;
    Some(ClaimKey {
        namespace,
        name: plain_name(object)?,
    })
}

fn pod_key(object: &DynamicObject) -> Option<PodKey> {
    let namespace = NamespaceName::new(object.metadata.namespace.as_deref()?).ok()?;
    Some(PodKey {
        namespace,
        name: plain_name(object)?,
    })
}

fn plain_name(object: &DynamicObject) -> Option<Arc<str>> {
    object.metadata.name.as_deref().map(Arc::from)
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
