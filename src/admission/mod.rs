//! Policy as node affinity: what an extender alone cannot cure, because kube-scheduler samples nodes before it asks,
//! and autoscalers never ask.
//!
//! Inputs: what a snapshot says about a pod ([`Assessment`](crate::placement::Assessment)), the affinity that the pod
//! has. Outputs: the permitted places as labels of nodes ([`permitted`]), what they add to each term of the pod
//! ([`merge()`]), and what becomes of a pod that is submitted ([`mutate()`], [`validate()`]). Invariants: what is added
//! never excludes a node that the filter permits by policy; what the pod required stays required; the same inputs give
//! the same terms in the same order; merging twice is merging once.
//! Deliberately absent: limits and partitions, which pass while a pod waits and which the extender guards; HTTP.
//!
//! ```text
//! Assessment ─ places ─► PermittedPlaces ─ labels ─► terms ─ merge ─► what each term of the pod gains
//! AdmissionReview ─ review, pod ─► SubmittedPod ─ mutate ─ patch ─► operations ─ review ─► AdmissionReview
//! ```

mod annotation;
mod labels;
mod merge;
mod mutate;
mod patch;
mod places;
mod pod;
mod review;
mod settings;
mod stale;
mod term;
mod validate;

pub use annotation::{AdmittedPlaces, PlacesChange};
pub use merge::{MergedTerm, adds_nothing, merge};
pub use mutate::{MutateOutcome, Mutation, is_governed, knows_all_facts, mutate};
pub use patch::Operation;
pub use places::{ConfinedPlaces, Growth, PermittedPlaces, PermittedZones, permitted};
pub use pod::SubmittedPod;
pub use review::{BadReview, Reply, Review, read_review, write_reply};
pub use settings::{AdmissionSettings, Nowhere};
pub use stale::{Staleness, staleness};
pub use term::{Expression, Operator, OwnTerm, Term};
pub use validate::{ValidateOutcome, Validation, validate};
