//! Objects of our own kinds: watched, and told what became of them.
//!
//! Inputs: a client; what judges the sources. Outputs: the objects whenever what they say changes, or why they are not
//! known. Effects: the status of an object, when it changes. Invariants: nothing is handed out before every kind was
//! listed whole; while a watch is broken the objects count as not known, so that what they said last goes on deciding
//! and its age shows; writing a status changes nothing that is handed out.

mod defined;
mod follow;
mod list;
mod statuses;

pub use defined::defined_kinds;
pub use follow::{CustomState, follow_custom_resources};
pub use list::list_custom_resources;
pub use statuses::{StatusSettings, keep_statuses};
