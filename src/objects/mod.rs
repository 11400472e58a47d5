//! Kubernetes objects into `model`: one reading of each kind, for the wire, fleet files, watches, the
//! command line and the simulator alike.
//!
//! Inputs: JSON or YAML text. Outputs: `model` values, or a sentence that says what cannot be read.
//! Invariants: fields that nothing here needs are skipped unread; a Go `null` is an empty value; an
//! annotation that cannot be read is data, never an error.
//! Deliberately absent: I/O, a Kubernetes client and its types, the clock.

pub mod annotations;
mod document;
mod error;
mod fleet_file;
#[cfg(test)]
mod fleet_file_tests;
mod manifest;
#[cfg(test)]
mod manifest_tests;
mod namespace;
mod node;
mod pod;
mod quoted;
mod running_pod;
mod shape;
mod snapshot_file;
mod storage;
mod view;
mod volume_spots;
mod watched_pod;

pub use annotations::{ObjectKind, read_annotations};
pub(crate) use document::{Item, contents};
pub use error::ObjectError;
pub use fleet_file::{FleetError, FleetFile, read_fleet};
pub(crate) use manifest::POD_KINDS;
pub use manifest::read_pod;
pub use namespace::NamespaceView;
pub use node::{NodeView, PROVIDERS_THAT_NAME_REGIONS, REGION_LABELS, ZONE_LABELS};
pub use pod::{DEFAULT_SCHEDULER, PodView, pod_from_json};
pub use quoted::quoted;
pub use running_pod::running_pod_from_json;
pub use snapshot_file::{NamedText, SNAPSHOT_KIND, SNAPSHOT_VERSION, SnapshotFile, SnapshotTexts};
pub use storage::{ClaimView, StorageClassView, VolumeView};
pub use view::{Object, Text};
pub use watched_pod::{ControllerReference, WatchedPod, watched_pod_from_json};
