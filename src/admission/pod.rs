//! A pod that somebody submits: what decides, and what a patch has to know.
//!
//! Inputs: the JSON of the pod as the API server sends it, the namespace that it is submitted to. Invariant: what a
//! patch has to know is read only where there is something to patch, so a pod that nothing governs is read once.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{NamespaceName, PodRequirements};
use crate::objects::annotations::{ADMITTED_BY, ADMITTED_PLACES};
use crate::objects::{Object, ObjectError, PodView};

/// By which kubelets mark the pods that they made themselves.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// What the names of kubelets begin with.
const KUBELET: &str = "system:node:";

/// A pod that somebody submits.
#[derive(Debug, Clone)]
pub struct SubmittedPod<'a> {
    /// What decides its placement.
    pub requirements: PodRequirements,
    /// What stands in it for `domicile.dev/admitted-by` and `domicile.dev/admitted-places`.
    admitted: [Option<String>; 2],
    is_marked_as_mirror: bool,
    json: &'a str,
}

/// What a patch has to know besides.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parts<'a> {
    #[serde(borrow)]
    metadata: Object<MetadataParts<'a>>,
    #[serde(borrow)]
    spec: Object<SpecParts<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MetadataParts<'a> {
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SpecParts<'a> {
    #[serde(borrow)]
    affinity: Option<&'a RawValue>,
}

impl<'a> SubmittedPod<'a> {
    /// Reads a pod that is submitted to a namespace.
    ///
    /// # Errors
    /// Where the text is no pod, or a name in it is invalid.
    pub fn read(json: &'a str, namespace: &NamespaceName) -> Result<Self, ObjectError> {
        let view = PodView::read(json.as_bytes())?;
        let text = |key| view.annotation(key).map(str::to_owned);
        Ok(Self {
            requirements: view.requirements_in(namespace)?,
            admitted: [text(ADMITTED_BY), text(ADMITTED_PLACES)],
            is_marked_as_mirror: view.annotation(MIRROR).is_some(),
            json,
        })
    }

    /// What stands in the pod under the annotations of ours, in the order of [`SubmittedPod::OURS`].
    pub(super) fn admitted(&self) -> [Option<&str>; 2] {
        let [by, places] = &self.admitted;
        [by.as_deref(), places.as_deref()]
    }

    /// The annotations of ours.
    pub(super) const OURS: [&'static str; 2] = [ADMITTED_BY, ADMITTED_PLACES];

    /// Whether a kubelet shows by this pod one that it runs already. Anybody can mark a pod so, so it must be the
    /// kubelet of its node that submits it.
    #[must_use]
    pub fn is_mirror_of(&self, user: &str) -> bool {
        let kubelet = user.strip_prefix(KUBELET);
        let node = self.requirements.node.as_ref();
        self.is_marked_as_mirror && kubelet.is_some() && kubelet == node.map(|node| node.as_str())
    }

    /// What a patch has to know besides.
    pub(super) fn parts(&self) -> Result<Parts<'a>, ObjectError> {
        let parts: Object<Parts<'a>> = read(self.json)?;
        Ok(parts.0)
    }
}

impl Parts<'_> {
    /// Whether the pod has annotations at all.
    pub fn has_annotations(&self) -> bool {
        self.metadata.annotations.is_some()
    }

    /// `spec.affinity`, where there is one.
    pub fn affinity(&self) -> Result<Option<Value>, ObjectError> {
        self.spec
            .affinity
            .map(|affinity| read(affinity.get()))
            .transpose()
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, ObjectError> {
    serde_json::from_str(json).map_err(|error| ObjectError::Syntax(error.to_string()))
}
