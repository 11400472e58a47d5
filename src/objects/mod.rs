//! Kubernetes objects into `model`: one reading of each kind, for the wire, fleet files, watches, the
//! command line and the simulator alike.
//!
//! Inputs: JSON or YAML text. Outputs: `model` values, or a sentence that says what cannot be read.
//! Invariants: fields that nothing here needs are skipped unread; a Go `null` is an empty value; an
//! annotation that cannot be read is data, never an error.
//! Deliberately absent: I/O, a Kubernetes client and its types, the clock.

pub mod annotations;
mod error;
mod namespace;
mod node;
mod pod;
mod quoted;
mod storage;
mod view;

pub use annotations::{ObjectKind, read_annotations};
pub use error::ObjectError;
pub use namespace::NamespaceView;
pub use node::{NodeView, PROVIDER_LABEL, RESTRICTED_REGION_LABEL};
pub use pod::{PodView, pod_from_json};
pub use quoted::quoted;
pub use storage::{ClaimView, StorageClassView, VolumeView};
