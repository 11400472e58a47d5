//! `domicile schema [KIND]`: the JSON Schema of policy files, for editors; `--of trace`: that of the lines of traces;
//! `--of simulation`: that of the summaries of simulations; `--of custom-resources`: what makes a cluster know our kinds.

use std::io::Write;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};

use super::Outcome;
use super::output::write_json;
use crate::model::nearest_word;
use crate::policy::{CUSTOM_KINDS, KINDS, custom_resource_definition, json_schema};
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
    /// Objects in a cluster: the CustomResourceDefinitions, as YAML.
    CustomResources,
}

/// Answers `domicile schema`.
///
/// # Errors
/// Where there is no such kind, or the answer cannot be written.
pub fn run(args: &SchemaArgs, out: &mut dyn Write) -> Result<Outcome> {
    let kind = args.kind.as_deref();
    if args.of == SchemaOf::CustomResources {
        return definitions(kind, out);
    }
    let whole = match args.of {
        SchemaOf::Policies | SchemaOf::CustomResources => None,
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
    let schema = json_schema(kind).ok_or_else(|| unknown(kind.unwrap_or_default(), &KINDS))?;
    write_json(out, &schema)?;
    Ok(Outcome::Holds)
}

fn unknown(kind: &str, known: &[&'static str]) -> anyhow::Error {
    match nearest_word(kind, known.iter().copied()) {
        Some(near) => anyhow!("unknown kind `{kind}`; did you mean `{near}`?"),
        None => anyhow!("unknown kind `{kind}`; the kinds are {}", known.join(", ")),
    }
}

/// The definitions of a kind or of all, one document each.
fn definitions(kind: Option<&str>, out: &mut dyn Write) -> Result<Outcome> {
    let all = CUSTOM_KINDS.map(|known| known.kind);
    if let Some(kind) = kind.filter(|kind| !all.contains(kind)) {
        return Err(unknown(kind, &all));
    }
    let mut text = String::from(
        "# What makes a cluster know the objects of Domicile. Generated: domicile schema --of custom-resources\n",
    );
    for known in all
        .into_iter()
        .filter(|known| kind.is_none_or(|kind| kind == *known))
    {
        let definition = custom_resource_definition(known)
            .ok_or_else(|| anyhow!("the definition of `{known}` cannot be made"))?;
        let yaml = serde_saphyr::to_string(&definition).context("a definition cannot be written")?;
        text.push_str("---\n");
        text.push_str(&yaml);
    }
    out.write_all(text.as_bytes())?;
    Ok(Outcome::Holds)
}
