//! Policy as node affinity: what an extender alone cannot cure, because kube-scheduler samples nodes before it asks,
//! and autoscalers never ask.
//!
//! Inputs: what a snapshot says about a pod ([`Assessment`](crate::placement::Assessment)), the affinity that the pod
//! has. Outputs: the permitted places as labels of nodes ([`permitted`]), and what they add to each term of the pod
//! ([`merge`]). Invariants: what is added never excludes a node that the filter permits by policy; what the pod
//! required stays required; the same inputs give the same terms in the same order; merging twice is merging once.
//! Deliberately absent: limits and partitions, which pass while a pod waits and which the extender guards; HTTP.
//!
//! ```text
//! Assessment ─ places ─► PermittedPlaces ─ labels ─► terms ─ merge ─► what each term of the pod gains
//! ```

mod labels;
mod merge;
mod places;
mod term;

pub use merge::{MergedTerm, adds_nothing, merge};
pub use places::{ConfinedPlaces, Growth, PermittedPlaces, PermittedZones, permitted};
pub use term::{Expression, Operator, OwnTerm, Term};
