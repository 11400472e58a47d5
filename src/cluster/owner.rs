//! Who stands above the controller of a pod: the Deployment of a ReplicaSet, the CronJob of a Job. There people look.
//!
//! Inputs: what is to be told of a controller. Output: the same of whoever controls that, as the API server has it, which is
//! asked once for each. Invariants: what nobody stands above, or cannot be asked about, is told where it was to be told; what
//! is remembered is bounded. Deliberately absent: names made from names, for other tools have other ways, and nothing shows
//! an Event whose object has another UID.

use std::collections::HashMap;
use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Client;
use kube::api::Api;
use serde::de::DeserializeOwned;

use crate::pod_events::{AboutKind, PodEvent};

/// Of how many controllers it is remembered who stands above them.
const MOST_REMEMBERED: usize = 10_000;

/// Who stands above which controller.
pub(super) struct Owners {
    client: Client,
    /// By the UID of the controller; `None` is nobody.
    above: HashMap<String, Option<OwnerReference>>,
}

impl Owners {
    pub fn new(client: Client) -> Self {
        Self {
            client,
            above: HashMap::new(),
        }
    }

    /// The same Event, on whoever stands above the controller that it is about.
    pub async fn raised(&mut self, event: PodEvent) -> PodEvent {
        let AboutKind::Controller { api_version, kind } = &event.about else {
            return event;
        };
        let known = self.above.get(&event.uid).cloned();
        let above = match known {
            Some(above) => above,
            None => self.asked(api_version, kind, &event).await,
        };
        match above {
            Some(owner) => PodEvent {
                about: AboutKind::Controller {
                    api_version: owner.api_version,
                    kind: owner.kind,
                },
                name: owner.name,
                uid: owner.uid,
                ..event
            },
            None => event,
        }
    }

    async fn asked(&mut self, api_version: &str, kind: &str, event: &PodEvent) -> Option<OwnerReference> {
        let metadata = match (api_version, kind) {
            ("apps/v1", "ReplicaSet") => metadata::<ReplicaSet>(&self.client, event).await,
            ("batch/v1", "Job") => metadata::<Job>(&self.client, event).await,
            _ => Ok(None),
        };
        let above = match metadata {
            Ok(metadata) => metadata.and_then(|metadata| controller(metadata, &event.uid)),
            // Without the right to ask, asking again is of no use.
            Err(kube::Error::Api(status)) if status.code == 403 => {
                tracing::warn!(
                    kind,
                    "who stands above a controller may not be asked: grant `get`; Events stay on the controller"
                );
                None
            }
            Err(problem) => {
                tracing::debug!(%problem, kind, "who stands above a controller cannot be asked");
                return None;
            }
        };
        if self.above.len() >= MOST_REMEMBERED {
            // To ask twice is better than to remember without end.
            self.above.clear();
        }
        self.above.insert(event.uid.clone(), above.clone());
        above
    }
}

async fn metadata<K>(client: &Client, event: &PodEvent) -> Result<Option<ObjectMeta>, kube::Error>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), &event.namespace);
    let found = api.get_metadata_opt(&event.name).await?;
    Ok(found.map(|found| found.metadata))
}

/// The controller of an object, if it is the one that is meant.
fn controller(metadata: ObjectMeta, uid: &str) -> Option<OwnerReference> {
    if metadata.uid.as_deref() != Some(uid) {
        return None;
    }
    let mut owners = metadata.owner_references.into_iter().flatten();
    owners.find(|owner| owner.controller == Some(true))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hyper::{Request, Response, StatusCode};
    use kube::client::Body;
    use serde_json::json;

    use super::*;
    use crate::pod_events::EventReason;

    /// An API server with a ReplicaSet of a Deployment, one of nobody, and a Job of a CronJob; it counts how often it is asked.
    fn owners() -> (Owners, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let owner = |api_version: &str, kind: &str| {
                json!([
                    {"apiVersion": "v1", "kind": "Thing", "name": "other", "uid": "o"},
                    {"apiVersion": api_version, "kind": kind, "name": "web", "uid": "above", "controller": true},
                ])
            };
            let name = request.uri().path().rsplit('/').next().unwrap_or_default();
            let owners = match request.uri().path() {
                "/apis/apps/v1/namespaces/shop/replicasets/web-5f" => Ok(owner("apps/v1", "Deployment")),
                "/apis/apps/v1/namespaces/shop/replicasets/alone" => Ok(json!(null)),
                "/apis/batch/v1/namespaces/shop/jobs/web-2" => Ok(owner("batch/v1", "CronJob")),
                "/apis/apps/v1/namespaces/shop/replicasets/secret" => Err(403),
                "/apis/apps/v1/namespaces/shop/replicasets/broken" => Err(500),
                _ => Err(404),
            };
            let (code, body) = match owners {
                Ok(owners) => (
                    200,
                    json!({
                        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
                        "metadata": {"name": name, "namespace": "shop", "uid": name, "ownerReferences": owners},
                    }),
                ),
                Err(code) => (
                    code,
                    json!({"kind": "Status", "status": "Failure", "reason": "", "message": "no", "code": code}),
                ),
            };
            let mut response = Response::new(Body::from(body.to_string().into_bytes()));
            *response.status_mut() = StatusCode::from_u16(code).expect("a code");
            std::future::ready(Ok::<_, Infallible>(response))
        });
        (Owners::new(Client::new(service, "default")), asked)
    }

    fn event(api_version: &str, kind: &str, name: &str, uid: &str) -> PodEvent {
        PodEvent {
            about: AboutKind::Controller {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            },
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            reason: EventReason::BoundWhereRefused,
            sentence: "it runs where it is refused".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_a_controller_is_told_goes_to_whoever_controls_that() {
        let (mut owners, _) = owners();
        let (apps, batch) = ("apps/v1", "batch/v1");
        for (is, raised) in [
            (
                event(apps, "ReplicaSet", "web-5f", "web-5f"),
                event(apps, "Deployment", "web", "above"),
            ),
            (
                event(batch, "Job", "web-2", "web-2"),
                event(batch, "CronJob", "web", "above"),
            ),
        ] {
            assert_eq!(owners.raised(is).await, raised);
        }
        for stays in [
            event(apps, "ReplicaSet", "alone", "u1"),
            event(apps, "ReplicaSet", "gone", "u2"),
            // Another one by now.
            event(apps, "ReplicaSet", "web-5f", "u3"),
            event(apps, "ReplicaSet", "secret", "u4"),
            event(apps, "ReplicaSet", "broken", "u5"),
            event(apps, "StatefulSet", "db", "u6"),
            PodEvent {
                about: AboutKind::Pod,
                ..event("", "", "web-5f-x", "u7")
            },
        ] {
            assert_eq!(owners.raised(stays.clone()).await, stays);
        }
    }

    #[tokio::test]
    async fn each_is_asked_about_once_but_for_one_that_could_not_be() {
        let (mut owners, asked) = owners();
        for (name, uid, times) in [
            ("web-5f", "web-5f", 1),
            ("alone", "u1", 1),
            ("secret", "u2", 1),
            ("broken", "u3", 3),
        ] {
            let before = asked.load(Ordering::Relaxed);
            for _ in 0..3 {
                owners.raised(event("apps/v1", "ReplicaSet", name, uid)).await;
            }
            assert_eq!(asked.load(Ordering::Relaxed) - before, times, "{name}");
        }
    }
}
