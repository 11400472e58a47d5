//! Objects of a cluster that say what policy files say: as texts for the reader of files, and what became of them as
//! conditions of their status.
//!
//! Inputs: objects as the API server has them; the texts of a source; an instant. Outputs: a text for each object; a
//! [`Judgement`] of a source; the conditions of an object. Invariants: an object is read by the code that reads files,
//! so both are one language; what an object says is one text whose name kubectl understands
//! (`placementpolicy.domicile.dev/eu-only`), and a change of anything else of it (labels, status) changes no text; a set
//! that does not stand beside the floor of its files is refused as one that cannot be read is. Deliberately absent:
//! clients, watches, the clock.

mod conditions;
mod definition;
mod judgement;
mod paths;
mod resource;

pub use conditions::{Condition, ConditionStatus, Status, status_of};
pub use definition::Defined;
pub use judgement::{Judgement, judge_data_sets, judge_policies, take_data_sets, take_policies};
pub use paths::in_words;
pub use resource::{CustomResource, is_custom_resource};
