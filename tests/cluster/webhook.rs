//! Webhooks on the creation of pods, as the API server is told of them.
//!
//! Registered by URL, because nothing routes a service here; whoever registers one waits until the API server
//! heeds it, which is a while after it took the object.

use std::path::Path;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1 as core;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::api::Cluster;
use crate::objects::Pod;
use crate::waiting;

const LIMIT: Duration = Duration::from_secs(30);

/// What the API server does where a webhook cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailurePolicy {
    Ignore,
    Fail,
}

/// A registration: the object, of either kind, with one webhook in it.
#[derive(Clone, Debug)]
pub struct Webhook {
    configuration: Value,
}

impl Webhook {
    /// A webhook of a test that changes pods, asked about every namespace. The API server asks webhooks in the order of
    /// their names.
    pub fn of_a_test(name: &str, url: &str, authority: &Path) -> Self {
        let configuration = json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": name },
            "webhooks": [{
                "name": format!("{name}.example.org"),
                "admissionReviewVersions": ["v1"],
                "failurePolicy": "Fail",
                "reinvocationPolicy": "IfNeeded",
                "rules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
                }],
                "sideEffects": "None",
            }],
        });
        Self { configuration }.at(url).trusting(&[authority])
    }

    /// One of the files of `deploy/components`, without what routes to a service.
    pub fn shipped(file: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy/components")
            .join(file);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut webhook = Self {
            configuration: serde_saphyr::from_str(&text).expect("a shipped file is YAML"),
        };
        webhook.only()["clientConfig"] = json!({});
        webhook
    }

    /// Where it listens.
    pub fn at(mut self, url: &str) -> Self {
        self.only()["clientConfig"]["url"] = json!(url);
        self
    }

    /// Who signs its certificate: files of certificates, of which one suffices.
    pub fn trusting(mut self, authorities: &[&Path]) -> Self {
        let read = |file: &&Path| std::fs::read(file).expect("the authority's file can be read");
        let all = authorities.iter().flat_map(read).collect();
        self.only()["clientConfig"]["caBundle"] = json!(ByteString(all));
        self
    }

    /// What the API server does where it cannot be had.
    pub fn failing(mut self, policy: FailurePolicy) -> Self {
        self.only()["failurePolicy"] = json!(format!("{policy:?}"));
        self
    }

    /// The one webhook of the object.
    fn only(&mut self) -> &mut Value {
        &mut self.configuration["webhooks"][0]
    }
}

impl Cluster {
    /// Registers a webhook, or changes what is registered under its name; the API server heeds it later.
    pub async fn register(&self, webhook: &Webhook) {
        let object: DynamicObject =
            serde_json::from_value(webhook.configuration.clone()).expect("a configuration is an object");
        let kind = GroupVersionKind::gvk(
            "admissionregistration.k8s.io",
            "v1",
            webhook.configuration["kind"].as_str().unwrap_or_default(),
        );
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &ApiResource::from_gvk(&kind));
        api.patch(
            &object.name_any(),
            &PatchParams::apply("cluster-tests").force(),
            &Patch::Apply(&object),
        )
        .await
        .expect("the API server takes the webhook");
    }

    /// What the API server would store, or its complaint.
    pub async fn try_out(&self, pod: &Pod) -> Result<core::Pod, String> {
        let manner = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        let tried = self.pods(&pod.namespace).create(&manner, &pod.object()).await;
        tried.map_err(|error| error.to_string())
    }

    /// Creates the pod, or tells why the API server would not have it.
    pub async fn try_create(&self, pod: &Pod) -> Result<core::Pod, String> {
        let created = self
            .pods(&pod.namespace)
            .create(&PostParams::default(), &pod.object())
            .await;
        created.map_err(|error| error.to_string())
    }

    /// Waits until trying the pod out satisfies `wanted`.
    pub async fn until_admission(
        &self,
        what: &str,
        pod: &Pod,
        wanted: impl Fn(&Result<core::Pod, String>) -> bool,
    ) {
        waiting::until(what, LIMIT, async || {
            let tried = self.try_out(pod).await;
            match wanted(&tried) {
                true => Ok(()),
                false => Err(format!("{tried:?}")),
            }
        })
        .await;
    }

    /// Registers the shipped webhook that injects affinity, at a URL, and waits until it is asked. In `namespace` something
    /// is injected for certain.
    pub async fn register_injection(&self, url: &str, authority: &Path, namespace: &str) {
        let webhook = Webhook::shipped("admission/mutating-webhook.yaml")
            .at(url)
            .trusting(&[authority])
            .failing(FailurePolicy::Fail);
        self.register(&webhook).await;
        let canary = Pod::named("canary").in_namespace(namespace);
        self.until_admission("the webhook is asked", &canary, |tried| {
            let spec = tried.as_ref().ok().and_then(|pod| pod.spec.as_ref());
            spec.is_some_and(|spec| spec.affinity.is_some())
        })
        .await;
    }

    /// Removes all registered webhooks and waits until pods pass without them.
    pub async fn sweep_webhooks(&self) {
        let (now, all) = (DeleteParams::default(), ListParams::default());
        let mutating: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        let validating: Api<ValidatingWebhookConfiguration> = Api::all(self.client.clone());
        let registered = mutating.list(&all).await.expect("webhooks can be read").items;
        let refusing = validating.list(&all).await.expect("webhooks can be read").items;
        let are_there = !registered.is_empty() || !refusing.is_empty();
        mutating
            .delete_collection(&now, &all)
            .await
            .expect("webhooks can be deleted");
        validating
            .delete_collection(&now, &all)
            .await
            .expect("webhooks can be deleted");
        if are_there {
            let plain = Pod::named("plain");
            self.until_admission("webhooks are gone", &plain, Result::is_ok)
                .await;
        }
    }
}
