//! `domicile diff OLD NEW`: what a change of policies newly permits and newly refuses, and because of what.
//!
//! Exit code 0 where nothing is newly permitted, 1 where something is or may be (with `--allow-widening` 0
//! too), 2 where a set cannot be read or does not load.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::output::write_json;
use super::policy_set::{PolicyFiles, PolicySource};
use super::{Outcome, Output};
use crate::config::parse_instant;
use crate::policy::{Difference, PolicySet, Told, difference};

/// How many rectangles the text says of each direction.
const MOST_TOLD: usize = 25;

/// How many reasons it says of each rectangle.
const MOST_REASONS: usize = 4;

/// How many changes without effect it says.
const MOST_WITHOUT_EFFECT: usize = 10;

/// What a change of policies newly permits and newly refuses
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The policies that are there: a directory, one file, or those of a file that `domicile snapshot` wrote
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The policies that would come: the same
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Compare from this instant on (RFC 3339, or a date for its midnight UTC) instead of from now
    #[arg(long, value_name = "TIME", value_parser = parse_instant)]
    pub at: Option<Timestamp>,
    /// The form of the answer; JSON has everything
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// Something newly permitted is what is wanted: exit with 0
    #[arg(long)]
    pub allow_widening: bool,
}

/// Answers `domicile diff`.
///
/// # Errors
/// Where a set cannot be read or does not load, or the answer cannot be written.
pub fn run(args: &DiffArgs, now: Timestamp, out: &mut dyn Write) -> Result<Outcome> {
    let (old, new) = (read_set(&args.old)?, read_set(&args.new)?);
    let at = args.at.unwrap_or(now);
    let difference = difference(&old, &new, at)
        .ok_or_else(|| anyhow!("the sets have too many rules and dates together"))?;
    let report = Report {
        v: super::explanation::VERSION,
        kind: "diff",
        old: set(&args.old, &old),
        new: set(&args.new, &new),
        at: at.to_string(),
        widens: difference.widens(),
        same_meaning: difference.is_empty(),
        settings: difference.settings.iter().map(Setting::from).collect(),
        routes: difference.routes.iter().map(Setting::from).collect(),
        newly_permitted: difference.permitted.iter().map(Cells::from).collect(),
        newly_refused: difference.refused.iter().map(Cells::from).collect(),
        without_effect: difference.without_effect.clone(),
        not_compared: not_compared(&difference),
    };
    match args.output {
        Output::Text => report.write(&difference, out)?,
        Output::Json => write_json(out, &report)?,
    }
    Ok(Outcome::holds_if(args.allow_widening || !report.widens))
}

fn read_set(path: &Path) -> Result<PolicySet> {
    let read = PolicyFiles::read(PolicySource {
        path: Some(path),
        snapshot: None,
    })?;
    let loaded = PolicySet::load(read.files.iter()).map_err(|findings| {
        let lines: Vec<String> = findings.iter().map(|finding| format!("\n  {finding}")).collect();
        anyhow!("`{}` does not load:{}", path.display(), lines.concat())
    })?;
    Ok(loaded.set)
}

/// What the comparison leaves out.
const NOT_COMPARED: [&str; 3] = [
    "what is recorded but not refused: `warn` and `audit` count as absent, but for the data that such a policy lets pass",
    "whom a refused user is told to ask, and other texts for people",
    "which pods and nodes there are: `domicile impact` says that for a cluster",
];

/// The same, with what the comparison leaves out of ways to data where it has some.
fn not_compared(difference: &Difference) -> Vec<&'static str> {
    let of_routes = (!difference.routes.is_empty()).then_some(
        "which pods a change of ways reaches: of ways it is told what is written, and what may open one counts as if \
         it did",
    );
    NOT_COMPARED.into_iter().chain(of_routes).collect()
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    v: u32,
    kind: &'static str,
    old: Set,
    new: Set,
    at: String,
    widens: bool,
    same_meaning: bool,
    settings: Vec<Setting>,
    /// What changes for the ways to data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routes: Vec<Setting>,
    newly_permitted: Vec<Cells>,
    newly_refused: Vec<Cells>,
    /// Changes that are written and decide nothing.
    without_effect: Vec<String>,
    not_compared: Vec<&'static str>,
}

/// A set and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Set {
    path: String,
    sha256: String,
}

fn set(path: &Path, set: &PolicySet) -> Set {
    Set {
        path: path.display().to_string(),
        sha256: set.digest().to_owned(),
    }
}

/// A change of the settings, or of the ways to data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Setting {
    widens: bool,
    sentence: String,
}

impl From<&crate::policy::SettingChange> for Setting {
    fn from(change: &crate::policy::SettingChange) -> Self {
        Self {
            widens: change.widens,
            sentence: change.sentence.clone(),
        }
    }
}

impl From<&crate::policy::RouteChange> for Setting {
    fn from(change: &crate::policy::RouteChange) -> Self {
        Self {
            widens: change.widens,
            sentence: change.sentence.clone(),
        }
    }
}

/// Cells that move together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Cells {
    data: String,
    classifications: Vec<String>,
    categories: Vec<String>,
    subjects: Vec<String>,
    /// Absent where it is so for every pod.
    pods: Option<String>,
    activities: String,
    places: String,
    regions: Vec<String>,
    countries: Vec<String>,
    countries_where_requirements_are_met: Vec<String>,
    unknown_place: bool,
    when: Vec<Stretch>,
    because: Vec<String>,
}

/// From an instant, up to another where it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Stretch {
    from: String,
    until: Option<String>,
}

impl From<&Told> for Cells {
    fn from(told: &Told) -> Self {
        let Told {
            data,
            tuples: [classifications, categories, subjects],
            pods,
            activities,
            places,
            stretches,
            because,
            when: _,
        } = told.clone();
        let when = stretches.into_iter().map(|(from, until)| Stretch {
            from: from.to_string(),
            until: until.map(|until| until.to_string()),
        });
        Self {
            data,
            classifications,
            categories,
            subjects,
            pods,
            activities,
            places: places.words,
            regions: places.regions,
            countries: places.countries,
            countries_where_requirements_are_met: places.countries_where_requirements_are_met,
            unknown_place: places.unknown,
            when: when.collect(),
            because,
        }
    }
}

impl Report {
    fn write(&self, difference: &Difference, out: &mut dyn Write) -> io::Result<()> {
        let (old, new) = (&self.old, &self.new);
        writeln!(
            out,
            "from `{}` to `{}`, compared from {} on",
            old.path, new.path, self.at
        )?;
        writeln!(out, "{}", self.summary())?;
        for (changes, widens, title) in [
            (&self.settings, true, "settings that let more through"),
            (&self.settings, false, "other settings"),
            (&self.routes, true, "changes that may open ways to data"),
            (&self.routes, false, "other changes of ways to data"),
        ] {
            let mut changes = changes.iter().filter(|change| change.widens == widens).peekable();
            if changes.peek().is_some() {
                writeln!(out, "\n{title}:")?;
            }
            for change in changes {
                writeln!(out, "  {}", change.sentence)?;
            }
        }
        write_cells(out, ("newly permitted", "may"), &difference.permitted)?;
        write_cells(out, ("newly refused", "may no longer"), &difference.refused)?;
        if !self.without_effect.is_empty() && !self.same_meaning {
            writeln!(out, "\nwritten differently, and deciding nothing above:")?;
        }
        if !self.without_effect.is_empty() && self.same_meaning {
            writeln!(out, "\nwritten differently, with the same meaning:")?;
        }
        for sentence in self.without_effect.iter().take(MOST_WITHOUT_EFFECT) {
            writeln!(out, "  {sentence}")?;
        }
        write_more(out, self.without_effect.len(), MOST_WITHOUT_EFFECT)?;
        writeln!(out, "\nnot compared:")?;
        for sentence in &self.not_compared {
            writeln!(out, "  {sentence}")?;
        }
        Ok(())
    }

    fn summary(&self) -> String {
        if self.same_meaning {
            return "no change of meaning".to_owned();
        }
        let counted = |count: usize, words: &str| (count > 0).then(|| format!("{count} {words}"));
        let opening = self.routes.iter().filter(|change| change.widens).count();
        let closing = self.routes.len() - opening;
        let widening = self.settings.iter().filter(|change| change.widens).count();
        let others = self.settings.len() - widening;
        let parts: Vec<String> = [
            counted(self.newly_permitted.len(), "newly permitted"),
            counted(self.newly_refused.len(), "newly refused"),
            counted(
                widening,
                if widening == 1 {
                    "setting that lets more through"
                } else {
                    "settings that let more through"
                },
            ),
            counted(
                others,
                if others == 1 {
                    "other setting"
                } else {
                    "other settings"
                },
            ),
            counted(
                opening,
                if opening == 1 {
                    "change that may open ways to data"
                } else {
                    "changes that may open ways to data"
                },
            ),
            counted(
                closing,
                if closing == 1 {
                    "other change of ways to data"
                } else {
                    "other changes of ways to data"
                },
            ),
        ]
        .into_iter()
        .flatten()
        .collect();
        let verdict = if self.widens {
            "this widens"
        } else {
            "this widens nothing"
        };
        format!("{verdict}: {}", parts.join(", "))
    }
}

fn write_cells(out: &mut dyn Write, (title, may): (&str, &str), cells: &[Told]) -> io::Result<()> {
    if cells.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for told in cells.iter().take(MOST_TOLD) {
        let when = match told.when.as_str() {
            "" => String::new(),
            when => format!("{when}, "),
        };
        writeln!(out, "  {when}{} {may} be {}", told.data, told.activities)?;
        if let Some(pods) = &told.pods {
            writeln!(out, "    for pods {pods}")?;
        }
        writeln!(out, "    {}", told.places.words)?;
        for (number, sentence) in told.because.iter().take(MOST_REASONS).enumerate() {
            let word = if number == 0 { "because" } else { "and" };
            writeln!(out, "    {word} {sentence}")?;
        }
        let more = told.because.len().saturating_sub(MOST_REASONS);
        if more > 0 {
            writeln!(out, "    and {more} more changes")?;
        }
    }
    write_more(out, cells.len(), MOST_TOLD)
}

fn write_more(out: &mut dyn Write, count: usize, most: usize) -> io::Result<()> {
    match count.saturating_sub(most) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more; `--output json` has all"),
    }
}
