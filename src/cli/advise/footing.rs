//! How firmly data sets stand: where copies may be, what of today is refused, what the loss of a region takes.

use crate::cli::counted::counted;
use std::io::{self, Write};

use serde::Serialize;

use super::gathered::Gathered;
use super::words::{CauseOfRegions, LossInWords, by_cause, listed, losses_in_words};
use crate::cli::explanation::{DemandInWords, VERSION, World};
use crate::model::RegionKey;
use crate::placement::Refusal;
use crate::placement::advice::{Footing, TodaysCopy};
use crate::policy::PolicySet;

/// One data set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FootingInWords {
    pub data_set: String,
    /// The considered regions where a copy may be.
    pub permitted_regions: Vec<String>,
    /// What refuses the others.
    pub refused_by: Vec<CauseOfRegions>,
    /// What refuses a leader where a copy may be.
    pub leader_refused_by: Vec<CauseOfRegions>,
    /// Whether a second permitted region is there to go to.
    pub has_failover_region: bool,
    /// The copies that are there.
    pub copies: Vec<StandingCopy>,
    /// Rules that ask for a copy elsewhere than any is.
    pub unmet_by_all: Vec<DemandInWords>,
    /// What the loss of each region of the copies leaves.
    pub losses: Vec<LossInWords>,
}

/// A copy that is there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StandingCopy {
    /// Its region as the catalogue has it, else as it is written.
    pub region: String,
    pub role: &'static str,
    /// Whether the catalogue knows its region.
    pub is_known: bool,
    pub refused_by: Vec<DemandInWords>,
}

impl StandingCopy {
    fn new(set: &PolicySet, copy: &TodaysCopy) -> Self {
        let written = copy.locality.region.as_ref().map(ToString::to_string);
        let known = copy.region.as_ref().map(ToString::to_string);
        Self {
            is_known: known.is_some(),
            region: known.or(written).unwrap_or_default(),
            role: copy.role.word(),
            refused_by: demands(set, &copy.refused_by),
        }
    }
}

fn demands(set: &PolicySet, causes: &[crate::policy::Cause]) -> Vec<DemandInWords> {
    let demands = causes
        .iter()
        .map(|cause| DemandInWords::new(set, Refusal::Policy(*cause)));
    demands.collect()
}

impl FootingInWords {
    /// Puts one into words.
    pub fn new(set: &PolicySet, footing: &Footing) -> Self {
        let refused = footing.regions.iter();
        let refused = refused.map(|(region, standing)| (region, standing.refused_by.as_slice()));
        let permitted = footing.regions.iter().filter(|(_, standing)| standing.permits());
        let leaders = permitted.map(|(region, standing)| (region, standing.leader_refused_by.as_slice()));
        Self {
            data_set: footing.name.to_string(),
            permitted_regions: footing.permitted().map(RegionKey::to_string).collect(),
            refused_by: by_cause(set, refused),
            leader_refused_by: by_cause(set, leaders),
            has_failover_region: footing.has_failover(),
            copies: footing
                .today
                .iter()
                .map(|copy| StandingCopy::new(set, copy))
                .collect(),
            unmet_by_all: demands(set, &footing.unmet_today),
            losses: footing.losses_today.iter().map(LossInWords::new).collect(),
        }
    }

    /// What is wrong, a sentence each.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        match self.permitted_regions.as_slice() {
            [] => findings.push("the policies permit a copy in none of the considered regions".to_owned()),
            [only] => findings.push(format!(
                "no compliant region to fail over to: of the considered regions the policies permit {only} alone"
            )),
            _ => {}
        }
        for copy in self.copies.iter().filter(|copy| !copy.refused_by.is_empty()) {
            let says: Vec<&str> = copy
                .refused_by
                .iter()
                .map(|demand| demand.says.as_str())
                .collect();
            let unknown = if copy.is_known {
                ""
            } else {
                " (a region that the catalogue does not have)"
            };
            findings.push(format!(
                "the {} in {}{unknown} stands where the policies refuse it: {}",
                copy.role,
                copy.region,
                says.join("; ")
            ));
        }
        let unmet = self.unmet_by_all.iter();
        findings.extend(unmet.map(|demand| {
            format!(
                "no copy that can be read is where a rule asks for one: {}",
                demand.says
            )
        }));
        findings
    }

    /// Writes where copies may be and what refuses the other regions.
    pub fn write_regions(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.permitted_regions.is_empty() {
            writeln!(out, "  none")?;
        } else {
            writeln!(
                out,
                "  {}",
                listed(self.permitted_regions.iter().map(String::as_str))
            )?;
        }
        for (causes, refused) in [
            (&self.refused_by, "refused"),
            (&self.leader_refused_by, "no leader there"),
        ] {
            for cause in causes {
                let regions = listed(cause.regions.iter().map(String::as_str));
                let ask = cause
                    .demand
                    .contact
                    .as_ref()
                    .map(|contact| format!("; ask {contact}"));
                writeln!(
                    out,
                    "  {refused}: {}{}",
                    cause.demand.says,
                    ask.unwrap_or_default()
                )?;
                writeln!(out, "    {}: {regions}", counted(cause.regions.len(), "region"))?;
            }
        }
        Ok(())
    }
}

/// Every data set.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FootingsReport {
    v: u32,
    kind: &'static str,
    world: World,
    /// Why these regions are considered.
    candidates_source: String,
    /// How many are.
    candidates: usize,
    data_sets: Vec<Entry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    footing: FootingInWords,
    findings: Vec<String>,
}

impl FootingsReport {
    /// Puts them into words.
    pub fn new(gathered: &Gathered, footings: &[Footing]) -> Self {
        let set = gathered.snapshot.policies();
        let entries = footings.iter().map(|footing| {
            let footing = FootingInWords::new(set, footing);
            let findings = footing.findings();
            Entry { footing, findings }
        });
        Self {
            v: VERSION,
            kind: "advise-all",
            world: World::new(&gathered.snapshot, gathered.at),
            candidates_source: gathered.candidates_source.clone(),
            candidates: gathered.candidates.len(),
            data_sets: entries.collect(),
        }
    }

    /// Whether nothing is wrong with any.
    pub fn holds(&self) -> bool {
        self.data_sets.iter().all(|entry| entry.findings.is_empty())
    }

    /// Writes the text.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "how firmly {} stand: {} {}, judged at {}",
            counted(self.data_sets.len(), "data set"),
            counted(self.candidates, "region"),
            self.candidates_source,
            self.world.at
        )?;
        for Entry { footing, findings } in &self.data_sets {
            writeln!(
                out,
                "\n{}: a copy may be in {}",
                footing.data_set,
                counted(footing.permitted_regions.len(), "region")
            )?;
            footing.write_regions(out)?;
            writeln!(out, "  {}", losses_in_words(&footing.losses))?;
            for finding in findings {
                writeln!(out, "  finding: {finding}")?;
            }
        }
        let wrong = self
            .data_sets
            .iter()
            .filter(|entry| !entry.findings.is_empty())
            .count();
        writeln!(out, "\n{} with a finding", counted(wrong, "data set"))
    }
}
