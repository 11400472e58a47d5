//! IN-SHELL. Sources of facts that are files: read whole, watched, kept.
//!
//! Inputs: a path, texts that are built in, texts that are handed in, or the latter beside the former; a closure that compiles the texts. Outputs: the compiled
//! value behind an `Arc`, with a state that says whether it is what the source says now.
//! Invariants: a value is published only when it compiled; a source that was good once is never
//! replaced by one that is bad; one reading never mixes two versions of a mounted ConfigMap.
//! Deliberately absent: what the texts mean (`policy`, `topology` and the others compile them), and
//! the cluster, which is watched and not read.

mod digest;
mod inbox;
mod keeper;
mod read;
mod source;
mod state_store;
mod watch;

pub use digest::{Sha256Hex, sha256_of};
pub use inbox::{Handed, Inbox};
pub use keeper::{Compile, SourceHealth, SourceKeeper, SourceState, SourceStatus};
pub use read::{SourceError, read_file, read_source};
pub use source::{Limits, OnFailure, Source, SourceFiles, SourceName};
pub use state_store::{Persisted, StateError, StateStore};
pub use watch::{SourceWatch, WatchSettings, watch, watch_files};
