//! Any bytes as a policy file: never a panic, and never more findings than the text has bytes.

use domicile::policy::{PolicySet, lint};
use jiff::Timestamp;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let findings = match PolicySet::load([("fuzz.yaml", text)]) {
        Ok(loaded) => lint(&loaded.set, Timestamp::UNIX_EPOCH).len(),
        Err(findings) => findings.len(),
    };
    assert!(findings <= text.len() + 1, "{findings} findings");
}
