//! What `domicile lint` reads beside the policies: a fleet file and data sets, or those of a snapshot.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;

use super::LintArgs;
use super::written::Written;
use crate::assembly::SourceText;
use crate::cli::facts::{objects_of, read_snapshot};
use crate::files::{Source, SourceName, read_source};
use crate::objects::{FleetFile, read_fleet};

/// A fleet file, whole.
pub struct ReadFleet {
    /// The file, by its path.
    pub text: SourceText,
    /// What it holds.
    pub file: FleetFile,
}

/// What was named beside the policies.
#[derive(Default)]
pub struct Beside {
    /// The fleet.
    pub fleet: Option<ReadFleet>,
    /// Files of data sets, by their paths.
    pub data_sets: Vec<SourceText>,
    /// When the snapshot was taken, where one is named.
    pub taken_at: Option<Timestamp>,
}

impl Beside {
    /// Reads what the arguments name.
    ///
    /// # Errors
    /// Where something cannot be read, or the fleet file is not one.
    pub fn read(args: &LintArgs) -> Result<Self> {
        let world = read_snapshot(args.snapshot.as_deref())?;
        let data_sets = match (&args.data_sets, &world) {
            (Some(path), _) => texts(SourceName::DataSets, path)?,
            (None, Some(world)) => world.rules.data_sets.clone(),
            (None, None) => Vec::new(),
        };
        let fleet = match (&args.fleet, &world) {
            (Some(path), _) => Some(objects_of(fleet_text(path)?)?.0),
            (None, Some(world)) => Some(world.fleet.clone()),
            (None, None) => None,
        };
        Ok(Self {
            fleet: fleet.map(fleet_of).transpose()?,
            data_sets,
            taken_at: world.and_then(|world| world.taken_at),
        })
    }

    /// Notes what findings may be about.
    pub fn write_down<'a>(&'a self, written: &mut Written<'a>) {
        written.paths(&self.data_sets);
        if let Some(fleet) = &self.fleet {
            written.paths(std::slice::from_ref(&fleet.text));
        }
    }
}

fn fleet_text(path: &Path) -> Result<SourceText> {
    let mut texts = texts(SourceName::Fleet, path)?;
    let (Some(text), []) = (texts.pop(), &*texts) else {
        bail!("a fleet is one file, and `{}` is not", path.display());
    };
    Ok(text)
}

fn fleet_of(text: SourceText) -> Result<ReadFleet> {
    let file = read_fleet(&text.text, &text.name).map_err(|errors| {
        let lines: String = errors.iter().map(|error| format!("\n  {error}")).collect();
        anyhow!("the fleet cannot be used:{lines}")
    })?;
    Ok(ReadFleet { text, file })
}

/// The files beneath a path, named by their paths, so that no two are alike.
fn texts(name: SourceName, path: &Path) -> Result<Vec<SourceText>> {
    let files = read_source(name, &Source::Path(path.to_owned()))?;
    let is_file = path.is_file();
    let named = files.iter().map(|(name, text)| {
        let path: PathBuf = if is_file { path.to_owned() } else { path.join(name) };
        SourceText::new(path.display().to_string(), text)
    });
    Ok(named.collect())
}
