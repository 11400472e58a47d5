//! The annotations `domicile.dev/*`: what they are called, who may say what, what they mean
//! (docs/policies.md, 2).
//!
//! Inputs: the annotations of one object and its kind. Outputs: [`SourceAnnotations`]. Invariants: the
//! order of the annotations does not matter; what cannot be read hides nothing that can; nothing under
//! `domicile.dev/` is ignored silently, so a typing error in a key is found.
//! Deliberately absent: what a profile means for a pod. The policy engine looks after that.

mod access;
mod lists;
mod peers;
mod profile;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::quoted::quoted;
use crate::model::{Malformed, SourceAnnotations, StatedData, nearest_word};

/// What every key begins with.
pub const PREFIX: &str = "domicile.dev/";
/// What a namespace says about its data as a whole: `none` or `by-workload`.
pub const DATA: &str = "domicile.dev/data";
/// Classifications of the data: a comma list.
pub const DATA_CLASSIFICATION: &str = "domicile.dev/data-classification";
/// Categories of the data: a comma list.
pub const DATA_CATEGORIES: &str = "domicile.dev/data-categories";
/// Whose data it is: a comma list of countries and their parts.
pub const DATA_SUBJECTS: &str = "domicile.dev/data-subjects";
/// The data sets in use: `orders: reads=4 writes=1; catalog: reads=1`.
pub const DATA_SETS: &str = "domicile.dev/data-sets";
/// Where requests come from: `eu-west-1=0.7, us-east-1=0.3`.
pub const CLIENTS: &str = "domicile.dev/clients";
/// The pods that are called, wherever they run: `app=cart,tier=backend: calls=3; app=payment: namespace=billing`.
pub const PEERS: &str = "domicile.dev/peers";
/// The longest that a read may take, in milliseconds.
pub const MAX_READ_MS: &str = "domicile.dev/max-read-ms";
/// The longest that a write may take, in milliseconds.
pub const MAX_WRITE_MS: &str = "domicile.dev/max-write-ms";

/// On an admitted pod: by which policies and which snapshot its places were found.
pub const ADMITTED_BY: &str = "domicile.dev/admitted-by";
/// On an admitted pod: the places that were permitted then.
pub const ADMITTED_PLACES: &str = "domicile.dev/admitted-places";

/// The keys that people write.
pub const WRITTEN_BY_PEOPLE: [&str; 9] = [
    DATA,
    DATA_CLASSIFICATION,
    DATA_CATEGORIES,
    DATA_SUBJECTS,
    DATA_SETS,
    CLIENTS,
    PEERS,
    MAX_READ_MS,
    MAX_WRITE_MS,
];

/// The keys that are kept for domicile itself to write on objects, and that no decision reads back: what admission
/// wrote into a pod, which decision placed it, by which snapshot, and when a refused pod was woken.
pub const WRITTEN_BY_DOMICILE: [&str; 6] = [
    ADMITTED_BY,
    ADMITTED_PLACES,
    "domicile.dev/decision",
    "domicile.dev/decision-snapshot",
    "domicile.dev/decision-time",
    "domicile.dev/woken-at",
];

/// The kinds of object that may speak about data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A namespace.
    Namespace,
    /// A pod, or the template of one.
    Pod,
    /// A persistent volume claim, or the template of one.
    Claim,
    /// A persistent volume.
    Volume,
    /// A storage class.
    StorageClass,
}

impl ObjectKind {
    /// The kind as Kubernetes calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Pod => "Pod",
            Self::Claim => "PersistentVolumeClaim",
            Self::Volume => "PersistentVolume",
            Self::StorageClass => "StorageClass",
        }
    }

    /// Whether the object only adds data: it can say neither `public` nor `none`, because whoever may
    /// write pods and claims could declare protection away.
    fn only_adds(self) -> bool {
        matches!(self, Self::Pod | Self::Claim)
    }
}

/// Reads everything that the annotations of one object say. Of two equal keys the later counts, as in
/// Go.
#[must_use]
pub fn read_annotations<'a>(
    kind: ObjectKind,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> SourceAnnotations {
    let mut written: [Option<&str>; WRITTEN_BY_PEOPLE.len()] = [None; WRITTEN_BY_PEOPLE.len()];
    let mut strangers: Vec<&str> = Vec::new();
    let mut speaks = false;
    for (key, value) in pairs.filter(|(key, _)| key.starts_with(PREFIX)) {
        speaks = true;
        let known = WRITTEN_BY_PEOPLE.iter().position(|known| *known == key);
        match known.and_then(|index| written.get_mut(index)) {
            Some(slot) => *slot = Some(value),
            None if WRITTEN_BY_DOMICILE.contains(&key) => {}
            None => strangers.push(key),
        }
    }
    if !speaks {
        return SourceAnnotations::default();
    }
    strangers.sort_unstable();
    strangers.dedup();
    let mut reader = Reader {
        kind,
        malformed: Vec::new(),
    };
    let [
        data,
        classification,
        categories,
        subjects,
        data_sets,
        clients,
        peers,
        max_read_ms,
        max_write_ms,
    ] = written;
    let speaks_of_profile = classification.or(categories).or(subjects).is_some();
    let mut annotations = SourceAnnotations {
        data: data.and_then(|value| reader.data(value, speaks_of_profile)),
        ..SourceAnnotations::default()
    };
    let profile = &mut annotations.profile;
    profile.classifications = classification.and_then(|value| reader.classifications(value));
    profile.categories = categories.and_then(|value| reader.categories(value));
    profile.subjects = subjects.and_then(|value| reader.subjects(value));
    let access = &mut annotations.access;
    access.data_sets = data_sets.map_or_else(Vec::new, |value| reader.data_sets(value));
    access.clients = clients.map_or_else(Vec::new, |value| reader.clients(value));
    access.peers = peers.map_or_else(Vec::new, |value| reader.peers(value));
    access.max_read_ms = max_read_ms.and_then(|value| reader.limit_ms(MAX_READ_MS, value));
    access.max_write_ms = max_write_ms.and_then(|value| reader.limit_ms(MAX_WRITE_MS, value));
    for key in strangers {
        reader.stranger(key);
    }
    annotations.malformed = reader.malformed;
    annotations
}

/// Reads values, and gathers what is wrong with them.
struct Reader {
    kind: ObjectKind,
    malformed: Vec<Malformed>,
}

impl Reader {
    fn problem(&mut self, annotation: &'static str, problem: String) {
        self.malformed.push(Malformed {
            annotation: Cow::Borrowed(annotation),
            problem,
        });
    }

    /// Reads `domicile.dev/data`. Beside a profile it is left out: of the two the profile restricts.
    fn data(&mut self, value: &str, speaks_of_profile: bool) -> Option<StatedData> {
        if self.kind != ObjectKind::Namespace {
            let kind = self.kind.word();
            self.problem(
                DATA,
                format!("only a Namespace may have it; take it off this {kind}"),
            );
            return None;
        }
        if speaks_of_profile {
            let problem = "it contradicts `domicile.dev/data-classification` and its like on the same \
                           Namespace; keep this one or those";
            self.problem(DATA, problem.to_owned());
        }
        let stated = match value.trim() {
            "none" => StatedData::NoData,
            "by-workload" => StatedData::ByWorkload,
            other => {
                let fix = lists::did_you_mean(other, &["none", "by-workload"]);
                self.problem(DATA, format!("unknown value {}; {fix}", quoted(other)));
                return None;
            }
        };
        (!speaks_of_profile).then_some(stated)
    }

    /// Reports a key under our prefix that is none of ours.
    fn stranger(&mut self, key: &str) {
        let name = key.strip_prefix(PREFIX).unwrap_or(key);
        let known = WRITTEN_BY_PEOPLE.map(|known| known.strip_prefix(PREFIX).unwrap_or(known));
        let problem = match nearest_word(name, known) {
            _ if name == "provider" => "it is a label of nodes and no annotation".to_owned(),
            Some(near) => format!("unknown annotation; did you mean `{PREFIX}{near}`?"),
            None => "unknown annotation; take it off or see which ones exist in the documentation".to_owned(),
        };
        let key = quoted(key);
        self.malformed.push(Malformed {
            annotation: Cow::Owned(key.trim_matches('`').to_owned()),
            problem,
        });
    }
}
