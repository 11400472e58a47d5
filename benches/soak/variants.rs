//! What each source of facts may say in the course of the soak: texts that all load, and decide differently.
//!
//! Input: the day, for an exception lasts 90 days at most. Output: for each source several states, each a list of files
//! named relative to the source.

use std::fmt::Write as _;

use domicile::assembly::{FactSource, SourceText};
use domicile::embedded;
use jiff::civil::Date;
use jiff::{ToSpan as _, Unit};

use crate::fleet;

/// The states of every source, in the order of [`FactSource::ALL`].
pub struct Variants(Vec<Vec<Vec<SourceText>>>);

impl Variants {
    pub fn of(today: Date) -> Self {
        let of_source = |source| match source {
            FactSource::Policies => policies(today),
            FactSource::DataSets => data_sets(),
            FactSource::Latency => latency(),
            FactSource::Fleet => (0..fleet::STATES)
                .map(|state| vec![SourceText::new("fleet.json", fleet::text(state))])
                .collect(),
        };
        Self(FactSource::ALL.map(of_source).into())
    }

    /// The states of a source.
    pub fn states(&self, source: FactSource) -> &[Vec<SourceText>] {
        &self.0[position(source)]
    }
}

/// Where a source stands in [`FactSource::ALL`].
pub fn position(source: FactSource) -> usize {
    let mut all = FactSource::ALL.iter();
    all.position(|other| *other == source)
        .expect("every source is there")
}

/// One text in the place of another, which must be there.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is no longer shipped");
    text.replace(from, to)
}

fn policies(today: Date) -> Vec<Vec<SourceText>> {
    let shipped = || -> Vec<SourceText> {
        let files = embedded::policies().iter();
        files.map(|(name, text)| SourceText::new(*name, *text)).collect()
    };
    let with = |file: &str, from: &str, to: &str, mut files: Vec<SourceText>| {
        let changed = files.iter_mut().find(|candidate| candidate.name == file);
        let changed = changed.expect("a shipped file");
        changed.text = replaced(&changed.text, from, to);
        files
    };
    let mut excepted = shipped();
    excepted.push(SourceText::new("exceptions.yaml", exception(today)));
    let eea = "eea-personal-data.yaml";
    let place = "- {id: place, allowed: [group/EEA]}";
    let narrower = format!("{place}\n    - {{id: not-norway, denied: [\"NO\"]}}");
    let narrower = with(eea, place, &narrower, shipped());
    vec![
        shipped(),
        excepted,
        with("settings.yaml", "unlabelled: allow", "unlabelled: deny", narrower),
        with("settings.yaml", "mode: enforce", "mode: observe", shipped()),
    ]
}

fn exception(today: Date) -> String {
    let begin = today.checked_sub(1.day()).expect("yesterday");
    let end = today.checked_add(30.days()).expect("a month later");
    format!(
        r#"
apiVersion: domicile.dev/v1alpha1
kind: PlacementException
metadata: {{name: ex-soak}}
spec:
  relaxes: {{policy: eea-personal-data, rule: place}}
  scope:
    namespace: shop
    locations: ["GB"]
    data: {{categories: [personal], subjects: [group/EEA]}}
  category: mitigated
  reason: A vendor serves from London until its migration ends
  compensatingControls: ["Names are replaced by tokens"]
  requestedBy: somebody@corp.example
  approvedBy: dpo@corp.example
  ticket: SOAK-1
  notBefore: "{begin}T00:00:00Z"
  expires: "{end}T00:00:00Z"
"#
    )
}

fn data_sets() -> Vec<Vec<SourceText>> {
    let (name, shipped) = embedded::data_sets();
    let leader = "{region: aws/eu-central-1, role: leader}";
    let voter = "{region: gcp/europe-west3, role: voter}";
    let moved = replaced(shipped, leader, "{region: aws/eu-central-1, role: voter}");
    let moved = replaced(&moved, voter, "{region: gcp/europe-west3, role: leader}");
    let gone = "    - {region: aws/us-east-1, role: read-only}\n";
    let fewer = replaced(shipped, gone, "");
    let reader = "{region: gcp/asia-south1, role: read-only}\n  owner: payments-platform";
    let elsewhere = "{region: gcp/europe-west2, role: read-only}\n  owner: payments-platform";
    let fewer = replaced(&fewer, reader, elsewhere);
    [shipped.to_owned(), moved, fewer]
        .map(|text| vec![SourceText::new(name, text)])
        .into()
}

fn latency() -> Vec<Vec<SourceText>> {
    let (name, shipped) = embedded::latency();
    // Never less than was measured, which could be faster than light.
    let slower =
        |share: usize, by: f64| rewritten(shipped, |row| Some(if row % share == 0 { by } else { 1.0 }));
    let sparser = rewritten(shipped, |row| (row % 4 != 1).then_some(1.0));
    [shipped.to_owned(), slower(3, 1.7), sparser]
        .map(|text| vec![SourceText::new(name, text)])
        .into()
}

/// The latency file with the figures of each row times a factor, or without the row.
fn rewritten(shipped: &str, factor: impl Fn(usize) -> Option<f64>) -> String {
    let mut lines = shipped.lines();
    let mut text = format!("{}\n", lines.next().expect("a head"));
    for (row, line) in lines.enumerate() {
        let Some(factor) = factor(row) else { continue };
        let mut fields: Vec<String> = line.split(',').map(str::to_owned).collect();
        for field in &mut fields[2..4] {
            if let Ok(ms) = field.parse::<f64>() {
                *field = format!("{:.1}", ms * factor);
            }
        }
        writeln!(text, "{}", fields.join(",")).expect("a string grows");
    }
    text
}

/// The day at a moment, in UTC.
pub fn day(now: jiff::Timestamp) -> Date {
    let rounded = now.round(Unit::Second).expect("an instant of today");
    rounded.to_zoned(jiff::tz::TimeZone::UTC).date()
}
