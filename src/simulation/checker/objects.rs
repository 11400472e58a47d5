//! The objects of a cluster that say what data there is, as they stand.
//!
//! Invariant: a kind of which nothing was ever told is not spoken of: that is another thing than a namespace or a
//! claim that is not among those that are known.

use std::collections::{BTreeMap, BTreeSet};

/// A volume claim, or a volume: what is read of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckedStorage {
    /// Its storage class.
    pub storage_class: Option<String>,
    /// The volume that a claim is bound to; a volume has none.
    pub volume: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A namespace.
#[derive(Debug, Clone)]
pub(super) struct Namespace {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// All of them; a kind that is `None` is not spoken of.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    pub(super) namespaces: Option<BTreeMap<String, Namespace>>,
    /// By namespace, then by name.
    pub(super) claims: Option<BTreeMap<String, BTreeMap<String, CheckedStorage>>>,
    pub(super) volumes: Option<BTreeMap<String, CheckedStorage>>,
    pub(super) storage_classes: Option<BTreeMap<String, BTreeMap<String, String>>>,
    /// The storage classes that make a volume only where the first pod lands.
    pub(super) waiting_classes: BTreeSet<String>,
}

/// What named the storage class before the field did, and still counts first.
const OLD_CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

impl CheckedStorage {
    /// Its storage class; an empty name is none.
    pub(super) fn class(&self) -> Option<&str> {
        let old = self.annotations.get(OLD_CLASS_ANNOTATION).map(String::as_str);
        let field = self.storage_class.as_deref().filter(|name| !name.is_empty());
        old.or(field)
    }
}
