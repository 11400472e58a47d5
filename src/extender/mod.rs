//! The wire of kube-scheduler's HTTP extender, `extender/v1` (docs/kube-scheduler.md): the only place that knows
//! Go's field names.
//!
//! Inputs: the body of a request, and where a node's name finds its class. Outputs: what the body asks,
//! as `model` types and slices of the body; and answers as bytes. Invariants: one pass over the body;
//! nothing is allocated for a single node; a name is echoed in the very bytes in which it came, so that
//! an answer is JSON exactly when the request was; every body that is not a whole, unambiguous request
//! is a [`BadRequest`] and never a guess.
//! Deliberately absent: HTTP, the decision, the verb `bind`.
//!
//! Stricter than Go's decoder, on purpose: names of fields count by their exact case, a field that
//! is given twice and bytes after the value are errors. kube-scheduler sends none of these, and a body that
//! two readers understand differently is how a filter is walked around.

mod answer;
mod arguments;
mod candidates;
mod error;
mod preemption;
mod scan;
mod skip;

pub use answer::{
    AnswerBody, RefusalReasons, filter_error, filter_refused, filter_survivors, preemption_candidates,
    priorities,
};
pub use arguments::{Arguments, read_arguments};
pub use candidates::{Candidate, Candidates, FindClasses, Form};
pub use error::BadRequest;
pub use preemption::{NodeVictims, PreemptionArguments, read_preemption_arguments};
pub use scan::RawText;
