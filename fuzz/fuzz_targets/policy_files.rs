//! Any bytes as a policy file: never a panic, and time and memory stay bounded (libFuzzer's own limits).
//!
//! `tests/it/policy/damage.rs` takes the same way with seeded damage of real files, on stable Rust.
#![no_main]

use domicile::policy::{PolicySet, lint};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(loaded) = PolicySet::load([("fuzz.yaml", text)]) {
        let findings = lint(&loaded.set, Timestamp::UNIX_EPOCH);
        assert!(findings.len() <= text.len() + 1);
    }
});
