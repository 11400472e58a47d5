//! `domicile schema [KIND]`: the JSON Schema of policy files, for editors; `--of trace`: that of the lines of traces;
//! `--of simulation`: that of the summaries of simulations.

use std::io::Write;

use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};

use super::Outcome;
use super::output::write_json;
use crate::model::nearest_word;
use crate::policy::{KINDS, json_schema};
use crate::simulation::summary_schema;
use crate::simulation::trace::trace_schema;

/// The JSON Schema of policy files, so that editors complete, explain and check them
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// One kind, such as PlacementPolicy; every kind in one schema where it is not given
    #[arg(value_name = "KIND")]
    pub kind: Option<String>,
    /// Of what
    #[arg(long, value_enum, default_value_t)]
    pub of: SchemaOf,
}

/// What is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SchemaOf {
    /// Policy files.
    #[default]
    Policies,
    /// A line of a trace.
    Trace,
    /// The `summary.json` of a simulation.
    Simulation,
}

/// Answers `domicile schema`.
///
/// # Errors
/// Where there is no such kind, or the answer cannot be written.
pub fn run(args: &SchemaArgs, out: &mut dyn Write) -> Result<Outcome> {
    let kind = args.kind.as_deref();
    let whole = match args.of {
        SchemaOf::Policies => None,
        SchemaOf::Trace => Some((trace_schema(), "line; the schema of traces is one")),
        SchemaOf::Simulation => Some((summary_schema(), "summary; the schema of summaries is one")),
    };
    if let Some((schema, is_one)) = whole {
        if let Some(kind) = kind {
            bail!("`{kind}` is no kind of {is_one}");
        }
        write_json(out, &schema)?;
        return Ok(Outcome::Holds);
    }
    let schema = json_schema(kind).ok_or_else(|| {
        let kind = kind.unwrap_or_default();
        match nearest_word(kind, KINDS) {
            Some(near) => anyhow!("unknown kind `{kind}`; did you mean `{near}`?"),
            None => anyhow!("unknown kind `{kind}`; the kinds are {}", KINDS.join(", ")),
        }
    })?;
    write_json(out, &schema)?;
    Ok(Outcome::Holds)
}
