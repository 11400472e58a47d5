//! What there is to say about measurements before anyone decides by them: checks, and what changed.
//!
//! Inputs: measurements, coordinates, the regions that matter, an instant. Outputs: typed findings and
//! figures ([`audit`], [`triangles()`]) and what two sets of measurements differ in ([`compare`]).
//! Invariants: the same inputs give the same findings in the same order; a figure is exact, never sampled.
//! Deliberately absent: words and layout, which belong to the command line, and lines of files, which
//! whoever read the file knows by pair.

mod choices;
mod comparison;
mod coverage;
mod findings;
mod missing;
mod triangles;
mod view;

pub use choices::{LostChoice, ReplicaChoices};
pub use comparison::{Comparison, Ends, Moved, NearestChange, OneSided, Spread, compare};
pub use coverage::Coverage;
pub use findings::{Asymmetry, Audit, AuditLimits, Audited, LatencyFinding, PairsAlike, audit};
pub use triangles::{Detour, Triangles, triangles};
pub use view::{PairView, Viewed};
