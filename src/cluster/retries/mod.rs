//! Pods that were refused and that a change may have admitted.
//!
//! kube-scheduler retries a pod that an extender refused only when something that *it* watches changes,
//! or after five minutes; a policy file, a namespace, a date or our own late sight of a node is nothing to it.
//! Patching a condition of our own on `pods/status` wakes that pod alone (docs/kube-scheduler.md).
//!
//! ```text
//! publications, dates ─► Change ─ admits? ─► RetryQueue ─ so many a second ─► wake ─► condition on the pod
//!          pods that wait (Roster) ┘              └─ a pod is bound ─► time from the change to the binding
//! ```
//!
//! Invariants: a pod is woken only when a node passes now that a world before refused; where nobody knows what decided
//! before, every pod that might be refused and is permitted somewhere is woken. Deliberately absent: what a change admits
//! ([`crate::placement::change`]), who calls, and when (`duties`).

mod queue;
mod wake;

pub use queue::{REMEMBERED, Reason, Retry, RetryQueue};
pub use wake::{CONDITION, Waken, wake};
