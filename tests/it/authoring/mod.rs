//! The verbs with which policies are written and read: what they print, exactly.

mod custom_resources;
mod exceptions;
mod explain;
mod new_policy;
mod schema;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// A set that uses every word of the language.
fn everything() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/authoring/everything.yaml")
}

/// The instant at which the verbs are asked.
fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}
