//! Where the real programs are.
//!
//! Output: a folder with `etcd`, `kube-apiserver` and `kube-scheduler`. The script
//! `build-components` decides which one and builds it when needed; when it cannot,
//! its sentence about what is missing is what fails the tests. Nothing is skipped.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The folder of the programs. The first call of a fresh checkout builds them, which takes minutes.
pub fn folder() -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/build-components");
    let output = Command::new(script)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .unwrap_or_else(|error| panic!("`{script}` cannot be started: {error}"));
    let explanation = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "the real Kubernetes components cannot be had: {}",
        explanation.trim()
    );
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}
