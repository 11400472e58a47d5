//! A set of policies that a verb speaks about: a directory, one file, that of a snapshot, or what is built in.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use jiff::Timestamp;

use super::facts::{FactTexts, read_named, read_snapshot, snapshot_at};
use crate::assembly::SourceText;
use crate::embedded;
use crate::files::{Source, SourceFiles, SourceName, read_source};
use crate::policy::PolicySet;

/// Where a set is looked for: what is named stands before the snapshot, and that before what is built in.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicySource<'a> {
    /// A directory, one file, or a snapshot.
    pub path: Option<&'a Path>,
    /// A snapshot, as `--snapshot` names it.
    pub snapshot: Option<&'a Path>,
}

/// The files of a set.
#[derive(Debug)]
pub struct PolicyFiles {
    /// The files.
    pub files: SourceFiles,
    /// What people call them.
    pub name: String,
    /// When the snapshot was taken that they are of.
    pub taken_at: Option<Timestamp>,
}

impl PolicyFiles {
    /// Reads the files of a set.
    ///
    /// # Errors
    /// Where something cannot be read, or no file is there.
    pub fn read(source: PolicySource<'_>) -> Result<Self> {
        let (path, texts) = match (source.path, source.snapshot) {
            (Some(path), _) => (path, snapshot_at(path)?),
            (None, Some(path)) => (path, read_snapshot(Some(path))?),
            (None, None) => return Self::built_in(),
        };
        match texts {
            Some(texts) => Ok(Self::of_snapshot(&texts, path)),
            None => Self::beneath(path),
        }
    }

    /// The policies of a snapshot.
    #[must_use]
    pub fn of_snapshot(texts: &FactTexts, path: &Path) -> Self {
        Self {
            files: SourceFiles::new(texts.rules.policies.iter().cloned()),
            name: format!("the policies of `{}`", path.display()),
            taken_at: texts.taken_at,
        }
    }

    fn beneath(path: &Path) -> Result<Self> {
        let files = read_source(SourceName::Policies, &Source::Path(path.to_owned()))
            .context("the policies cannot be read")?;
        if files.is_empty() {
            bail!(
                "no policy file (.yaml, .yml, .json) is beneath `{}`",
                path.display()
            );
        }
        Ok(Self {
            files,
            name: format!("`{}`", path.display()),
            taken_at: None,
        })
    }

    fn built_in() -> Result<Self> {
        let files = read_named(SourceName::Policies, None, embedded::policies())?;
        Ok(Self {
            files: SourceFiles::new(files),
            name: "the built-in policies".to_owned(),
            taken_at: None,
        })
    }

    /// The instant that is asked about: the one that is named, or when the snapshot was taken, or the present.
    #[must_use]
    pub fn instant(&self, named: Option<Timestamp>, now: Timestamp) -> Timestamp {
        named.or(self.taken_at).unwrap_or(now)
    }

    /// Compiles the set.
    ///
    /// # Errors
    /// Where it does not load: every finding, a line each.
    pub fn compile(&self) -> Result<PolicySet> {
        let loaded = PolicySet::load(self.files.iter()).map_err(|findings| {
            let lines = findings.iter().map(|finding| format!("\n  {finding}"));
            anyhow!("the set does not load:{}", lines.collect::<String>())
        });
        Ok(loaded.with_context(|| self.name.clone())?.set)
    }
}

/// Reads the files of a set by the path that names it; what is not named is what is built in.
///
/// # Errors
/// Where something cannot be read, or nothing is there.
pub fn read_policies(path: Option<&Path>) -> Result<Vec<SourceText>> {
    let read = PolicyFiles::read(PolicySource { path, snapshot: None })?;
    Ok(read.files.files().to_vec())
}
