//! A set of policies that a verb speaks about: a directory, one file, or what is built in.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::facts::read_named;
use crate::embedded;
use crate::files::SourceName;
use crate::policy::PolicySet;

/// Reads and compiles a set; what is not named is what is built in.
///
/// # Errors
/// Where it cannot be read, is empty, or does not load: every finding, a line each.
pub fn read_policy_set(path: Option<&Path>) -> Result<PolicySet> {
    let texts = read_named(SourceName::Policies, path, embedded::policies())?;
    if texts.is_empty() {
        bail!(
            "no policy file (.yaml, .yml, .json) is beneath `{}`",
            path.unwrap_or(Path::new("")).display()
        );
    }
    let files = texts.iter().map(|file| (file.name.as_str(), file.text.as_str()));
    PolicySet::load(files)
        .map(|loaded| loaded.set)
        .map_err(|findings| {
            let lines = findings.iter().map(|finding| format!("\n  {finding}"));
            anyhow!("the set does not load:{}", lines.collect::<String>())
        })
        .with_context(|| {
            path.map_or("the built-in policies".to_owned(), |path| {
                format!("`{}`", path.display())
            })
        })
}
