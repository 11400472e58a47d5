//! What tests do to the cluster and see of it, through the API server only.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{self as core, Event, Namespace, Service, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::objects::{Node, Pod, priority_class_name};
use crate::waiting;

/// Namespaces that the API server makes and keeps.
const OWN_NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Longer than thousands of pods take on a slow machine.
const GONE_WITHIN: Duration = Duration::from_secs(280);

#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
}

impl Cluster {
    /// All nodes, at most 16 requests at once.
    pub async fn create_nodes(&self, nodes: impl IntoIterator<Item = Node>) {
        let api: Api<core::Node> = Api::all(self.client.clone());
        let creation = PostParams::default();
        stream::iter(nodes)
            .for_each_concurrent(16, |node| {
                let (api, creation) = (&api, &creation);
                async move {
                    api.create(creation, &node.object())
                        .await
                        .expect("the API server takes the node");
                }
            })
            .await;
    }

    /// A node that was not written in a test.
    pub async fn create_node_object(&self, node: &core::Node) {
        Api::all(self.client.clone())
            .create(&PostParams::default(), node)
            .await
            .expect("the API server takes the node");
    }

    pub async fn delete_node(&self, name: &str) {
        Api::<core::Node>::all(self.client.clone())
            .delete(name, &DeleteParams::default())
            .await
            .expect("the node can be deleted");
    }

    /// Makes a namespace unless the API server made one of that name itself.
    pub async fn ensure_namespace(&self, namespace: &Namespace) {
        if !OWN_NAMESPACES.contains(&namespace.name_any().as_str()) {
            Api::all(self.client.clone())
                .create(&PostParams::default(), namespace)
                .await
                .expect("the API server takes the namespace");
        }
    }

    pub async fn namespace_annotations(&self, name: &str) -> BTreeMap<String, String> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let namespace = api.get(name).await.expect("the namespace can be read");
        namespace.metadata.annotations.unwrap_or_default()
    }

    pub async fn node_labels(&self, name: &str) -> BTreeMap<String, String> {
        let api: Api<core::Node> = Api::all(self.client.clone());
        let node = api.get(name).await.expect("the node can be read");
        node.metadata.labels.unwrap_or_default()
    }

    /// A namespace with exactly these annotations.
    pub async fn create_namespace(&self, name: &str, annotations: &[(&str, &str)]) {
        let api: Api<Namespace> = Api::all(self.client.clone());
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(name.to_owned());
        namespace.metadata.annotations = Some(
            annotations
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        );
        api.create(&PostParams::default(), &namespace)
            .await
            .expect("the API server takes the namespace");
    }

    /// The pod as the API server stored it; the other methods take that.
    pub async fn create_pod(&self, pod: &Pod) -> core::Pod {
        if let Some(priority) = pod.priority {
            self.ensure_priority_class(priority).await;
        }
        self.pods(&pod.namespace)
            .create(&PostParams::default(), &pod.object())
            .await
            .expect("the API server takes the pod")
    }

    /// Makes the class that carries a priority unless it is there.
    pub async fn ensure_priority_class(&self, priority: i32) {
        let api: Api<PriorityClass> = Api::all(self.client.clone());
        let name = priority_class_name(priority);
        if api
            .get_opt(&name)
            .await
            .expect("priority classes can be read")
            .is_none()
        {
            let mut class = PriorityClass {
                value: Some(priority),
                ..PriorityClass::default()
            };
            class.metadata.name = Some(name);
            api.create(&PostParams::default(), &class)
                .await
                .expect("the API server takes the class");
        }
    }

    pub fn pods(&self, namespace: &str) -> Api<core::Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn pods_beside(&self, pod: &core::Pod) -> Api<core::Pod> {
        self.pods(pod.metadata.namespace.as_deref().unwrap_or("default"))
    }

    /// The node of a pod, `None` while it is pending, an error when it is gone.
    pub async fn node_of(&self, pod: &core::Pod) -> Result<Option<String>, String> {
        let name = pod.name_any();
        let now = self
            .pods_beside(pod)
            .get_opt(&name)
            .await
            .map_err(|error| error.to_string())?;
        let now = now.ok_or_else(|| format!("pod `{name}` is gone"))?;
        Ok(now.spec.and_then(|spec| spec.node_name))
    }

    /// The node that the pod gets within `limit`.
    pub async fn until_bound(&self, pod: &core::Pod, limit: Duration) -> String {
        let what = format!("pod `{}` is bound", pod.name_any());
        waiting::until(&what, limit, async || match self.node_of(pod).await? {
            Some(node) => Ok(node),
            None => Err(format!(
                "pending; FailedScheduling says {:?}",
                self.scheduling_failures(pod).await
            )),
        })
        .await
    }

    /// Waits until the pod was refused for a reason that contains `expected`; the whole message.
    pub async fn until_refused(&self, pod: &core::Pod, expected: &str, limit: Duration) -> String {
        let what = format!("pod `{}` is refused with `{expected}`", pod.name_any());
        waiting::until(&what, limit, async || {
            if let Some(node) = self.node_of(pod).await? {
                return Err(format!("it is bound to `{node}`"));
            }
            let messages = self.scheduling_failures(pod).await;
            messages
                .iter()
                .find(|message| message.contains(expected))
                .cloned()
                .ok_or_else(|| format!("FailedScheduling says {messages:?}"))
        })
        .await
    }

    /// Waits until the pod bears an event of this reason; the messages of all of them.
    pub async fn until_told(&self, pod: &core::Pod, reason: &str, limit: Duration) -> Vec<String> {
        let what = format!("pod `{}` has an event `{reason}`", pod.name_any());
        waiting::until(&what, limit, async || {
            let events = self.events_of(pod, reason).await;
            let messages: Vec<String> = events.into_iter().filter_map(|event| event.message).collect();
            match messages.is_empty() {
                true => Err("there is none".to_owned()),
                false => Ok(messages),
            }
        })
        .await
    }

    /// Fails when the pod gets a node within `time`.
    pub async fn expect_pending_for(&self, pod: &core::Pod, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let node = self.node_of(pod).await.expect("the pod can be read");
            assert_eq!(node, None, "pod `{}` should stay pending", pod.name_any());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Lets kube-scheduler have a pod that was held back.
    pub async fn lift_gates(&self, pod: &core::Pod) {
        let patch = Patch::Merge(json!({ "spec": { "schedulingGates": null } }));
        self.pods_beside(pod)
            .patch(&pod.name_any(), &PatchParams::default(), &patch)
            .await
            .expect("the gates can be lifted");
    }

    /// Waits until a pod no longer exists, for example because it was evicted.
    pub async fn until_gone(&self, pod: &core::Pod, limit: Duration) {
        let (api, name) = (self.pods_beside(pod), pod.name_any());
        waiting::until(&format!("pod `{name}` is gone"), limit, async || {
            match api.get_opt(&name).await {
                Ok(None) => Ok(()),
                Ok(Some(_)) => Err("it is still there".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
        .await;
    }

    /// The messages of the FailedScheduling events of exactly this pod.
    pub async fn scheduling_failures(&self, pod: &core::Pod) -> Vec<String> {
        self.events_of(pod, "FailedScheduling")
            .await
            .into_iter()
            .filter_map(|event| event.message)
            .collect()
    }

    /// The events of one reason about exactly this pod, not about an earlier one of its name.
    pub async fn events_of(&self, pod: &core::Pod, reason: &str) -> Vec<Event> {
        let api: Api<Event> = Api::namespaced(
            self.client.clone(),
            pod.metadata.namespace.as_deref().unwrap_or("default"),
        );
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let about = ListParams::default().fields(&format!("involvedObject.uid={uid},reason={reason}"));
        api.list(&about).await.expect("events can be read").items
    }

    /// The condition in which kube-scheduler says why a pod has no node.
    pub async fn scheduling_condition(&self, pod: &core::Pod) -> Option<core::PodCondition> {
        let now = self
            .pods_beside(pod)
            .get(&pod.name_any())
            .await
            .expect("the pod can be read");
        let conditions = now
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default();
        conditions
            .into_iter()
            .find(|condition| condition.type_ == "PodScheduled")
    }

    /// Sets annotations of a namespace, all in one change.
    pub async fn annotate_namespace(&self, name: &str, annotations: &[(&str, &str)]) {
        let annotations: BTreeMap<&str, &str> = annotations.iter().copied().collect();
        let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
        Api::<Namespace>::all(self.client.clone())
            .patch(name, &PatchParams::default(), &patch)
            .await
            .expect("the namespace can be annotated");
    }

    /// What a kubelet writes every few minutes when nothing has happened.
    pub async fn heartbeat(&self, node: &str, minute: u8) {
        let at = format!("2026-11-21T12:{minute:02}:00Z");
        let condition = json!({ "type": "Ready", "status": "True", "lastHeartbeatTime": at });
        let patch = Patch::Strategic(json!({ "status": { "conditions": [condition] } }));
        Api::<core::Node>::all(self.client.clone())
            .patch_status(node, &PatchParams::default(), &patch)
            .await
            .expect("the status of the node can be patched");
    }

    /// A real token of a service account, which is created when it is not there; it has only the
    /// rights that the cluster's roles give it.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> String {
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        if api
            .get_opt(name)
            .await
            .expect("service accounts can be read")
            .is_none()
        {
            let mut account = ServiceAccount::default();
            account.metadata.name = Some(name.to_owned());
            api.create(&PostParams::default(), &account)
                .await
                .expect("the API server takes the account");
        }
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                expiration_seconds: Some(3600),
                ..Default::default()
            }),
            ..Default::default()
        };
        let answer = api
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .expect("the API server issues tokens");
        answer
            .status
            .and_then(|status| status.token)
            .expect("an issued token has a status")
    }

    /// Removes all that tests make and that could reach into the next test: webhooks, admission policies,
    /// pods, nodes, events, services, volumes, priority classes and namespaces. Roles and accounts stay.
    pub async fn sweep(&self) {
        self.sweep_webhooks().await;
        let now = DeleteParams {
            grace_period_seconds: Some(0),
            ..DeleteParams::default()
        };
        let all = ListParams::default();
        let client = || self.client.clone();
        let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client());
        let policies: Api<ValidatingAdmissionPolicy> = Api::all(client());
        bindings
            .delete_collection(&now, &all)
            .await
            .expect("admission bindings can be deleted");
        policies
            .delete_collection(&now, &all)
            .await
            .expect("admission policies can be deleted");
        let nodes: Api<core::Node> = Api::all(client());
        nodes
            .delete_collection(&now, &all)
            .await
            .expect("nodes can be deleted");

        self.sweep_storage().await;
        let namespaces: Api<Namespace> = Api::all(client());
        for namespace in namespaces.list(&all).await.expect("namespaces can be read") {
            let name = namespace.name_any();
            self.pods(&name)
                .delete_collection(&now, &all)
                .await
                .expect("pods can be deleted");
            let events: Api<Event> = Api::namespaced(client(), &name);
            events
                .delete_collection(&now, &all)
                .await
                .expect("events can be deleted");
            if !OWN_NAMESPACES.contains(&name.as_str()) {
                // No controller empties a namespace that goes.
                let services: Api<Service> = Api::namespaced(client(), &name);
                services
                    .delete_collection(&now, &all)
                    .await
                    .expect("services can be deleted");
                self.remove_namespace(&namespaces, &name).await;
            }
        }

        let classes: Api<PriorityClass> = Api::all(client());
        for class in classes.list(&all).await.expect("priority classes can be read") {
            if !class.name_any().starts_with("system-") {
                classes
                    .delete(&class.name_any(), &now)
                    .await
                    .expect("a priority class can be deleted");
            }
        }
    }

    /// Removes the pods of a namespace, and waits until they are gone.
    pub async fn remove_pods(&self, namespace: &str) {
        let pods = self.pods(namespace);
        let now = DeleteParams::default().grace_period(0);
        pods.delete_collection(&now, &ListParams::default())
            .await
            .expect("pods can be deleted");
        waiting::until("the pods are gone", GONE_WITHIN, async || {
            let left = pods.list(&ListParams::default().limit(1)).await;
            match left.map_err(|error| error.to_string())?.items.len() {
                0 => Ok(()),
                _ => Err("some are there".to_owned()),
            }
        })
        .await;
    }

    /// Removes all claims, volumes and storage classes; what protects those in use goes first.
    async fn sweep_storage(&self) {
        let (now, all) = (DeleteParams::default().grace_period(0), ListParams::default());
        let every: Api<core::PersistentVolumeClaim> = Api::all(self.client.clone());
        for claim in every.list(&all).await.expect("claims can be read") {
            let namespace = claim.namespace().unwrap_or_default();
            let claims: Api<core::PersistentVolumeClaim> = Api::namespaced(self.client.clone(), &namespace);
            remove_protected(&claims, &claim.name_any()).await;
        }
        let volumes: Api<core::PersistentVolume> = Api::all(self.client.clone());
        for volume in volumes.list(&all).await.expect("volumes can be read") {
            remove_protected(&volumes, &volume.name_any()).await;
        }
        let classes: Api<StorageClass> = Api::all(self.client.clone());
        classes
            .delete_collection(&now, &all)
            .await
            .expect("storage classes can be deleted");
    }

    /// Deletes a namespace and does what the absent namespace controller would: release it.
    async fn remove_namespace(&self, namespaces: &Api<Namespace>, name: &str) {
        namespaces
            .delete(name, &DeleteParams::default())
            .await
            .expect("a namespace can be deleted");
        let Some(mut namespace) = namespaces.get_opt(name).await.expect("namespaces can be read") else {
            return;
        };
        if let Some(spec) = &mut namespace.spec {
            spec.finalizers = Some(Vec::new());
        }
        namespaces
            .replace_subresource("finalize", name, &PostParams::default(), &namespace)
            .await
            .expect("a namespace can be released");
    }
}

/// Deletes an object, and first what protects it while it is in use.
async fn remove_protected<K>(objects: &Api<K>, name: &str)
where
    K: Clone + Debug + DeserializeOwned,
{
    let unprotected = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    let patched = objects.patch(name, &PatchParams::default(), &unprotected).await;
    patched.expect("the object can be released");
    let now = DeleteParams::default().grace_period(0);
    objects
        .delete(name, &now)
        .await
        .expect("the object can be deleted");
}
