//! The matrix as people and programs read it: the words of every profile, place, cell and rule.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::explanation::{DemandInWords, VERSION};
use crate::model::{Category, Classification, Dimension};
use crate::placement::Refusal;
use crate::policy::{Cause, Cell, LIMITS_OF_CONTROL, Matrix, MatrixRow, PlaceFacts, PolicySet, RowOrigin};
use crate::spreadsheet::Table;

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    v: u32,
    kind: &'static str,
    /// The directory of policies.
    pub directory: String,
    /// The hash of its files.
    pub policy_set: String,
    /// Whether its settings only observe, so that nothing is refused.
    pub observes: bool,
    /// The instant of every cell.
    pub at: String,
    /// What the data is thought to be done with.
    activities: [&'static str; 2],
    /// Everything that decides some cell; cells name them by their position, from 1.
    pub deciding: Vec<DemandInWords>,
    pub places: Vec<Place>,
    pub rows: Vec<Row>,
    /// What no answer of ours speaks of.
    pub does_not_speak_of: Vec<String>,
}

/// What no answer of ours speaks of, and what this one does not.
fn does_not_speak_of(set: &PolicySet) -> Vec<String> {
    let rules = set.transit_rules();
    let of_routes = (!rules.is_empty()).then(|| {
        let names: Vec<String> = rules.iter().map(|name| format!("`{name}`")).collect();
        format!(
            "routes, which {} may refuse besides: that depends on where the copies of a data set are",
            names.join(" and ")
        )
    });
    let limits = LIMITS_OF_CONTROL.map(str::to_owned).into_iter();
    limits.chain(of_routes).collect()
}

/// A place of the catalogue.
#[derive(Debug, Serialize)]
pub struct Place {
    /// `provider/region`, or `provider/region/zone` for a zone with facts of its own.
    pub place: String,
    pub country: String,
}

/// A kind of data with its cells.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Where it comes from, such as `policy eea-personal-data`.
    pub profile: String,
    pub classification: &'static str,
    pub category: &'static str,
    pub subject: String,
    /// A cell for each place, in their order.
    pub cells: Vec<CellInWords>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CellInWords {
    /// `yes`, `no`, or `differs` where the members of a group do.
    pub permitted: &'static str,
    /// Positions in `deciding`, from 1.
    pub deciding: Vec<usize>,
}

impl Report {
    /// Puts a matrix into words.
    #[must_use]
    pub fn new(set: &PolicySet, matrix: &Matrix, directory: String, at: Timestamp) -> Self {
        let cells = matrix.rows.iter().flat_map(|row| &row.cells);
        let mut numbers: BTreeMap<Cause, usize> = cells
            .flat_map(|cell| &cell.deciding)
            .map(|cause| (*cause, 0))
            .collect();
        let mut deciding = Vec::new();
        for (cause, number) in &mut numbers {
            deciding.push(DemandInWords::new(set, Refusal::Policy(*cause)));
            *number = deciding.len();
        }
        let facts = matrix
            .places
            .iter()
            .filter_map(|place| set.catalogue().facts(*place));
        Self {
            v: VERSION,
            kind: "matrix",
            directory,
            policy_set: set.digest().to_owned(),
            observes: set.settings().observe,
            at: at.to_string(),
            activities: ["process", "store"],
            deciding,
            places: facts.map(Place::new).collect(),
            rows: matrix.rows.iter().map(|row| Row::new(row, &numbers)).collect(),
            does_not_speak_of: does_not_speak_of(set),
        }
    }

    /// Writes every cell as a row of a table.
    ///
    /// # Errors
    /// Where the output cannot be written.
    pub fn write_csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let header = [
            "profile",
            "classification",
            "category",
            "subject",
            "region",
            "country",
            "permitted",
            "deciding",
        ];
        let mut table = Table::new(out, &header)?;
        for row in &self.rows {
            for (place, cell) in self.places.iter().zip(&row.cells) {
                let deciding: Vec<&str> = cell
                    .deciding
                    .iter()
                    .filter_map(|number| self.deciding.get(number.checked_sub(1)?))
                    .map(DemandInWords::short_name)
                    .collect();
                table.row([
                    &row.profile,
                    row.classification,
                    row.category,
                    &row.subject,
                    &place.place,
                    &place.country,
                    cell.permitted,
                    &deciding.join(" "),
                ])?;
            }
        }
        table.end()
    }
}

impl Place {
    fn new(facts: &PlaceFacts) -> Self {
        let region = facts.region.as_ref().map(ToString::to_string).unwrap_or_default();
        let zone = facts.zone.as_ref().map(|zone| format!("/{zone}"));
        Self {
            place: region + &zone.unwrap_or_default(),
            country: facts
                .country
                .map(|country| country.to_string())
                .unwrap_or_default(),
        }
    }
}

impl Row {
    fn new(row: &MatrixRow, numbers: &BTreeMap<Cause, usize>) -> Self {
        let cell = |cell: &Cell| CellInWords {
            permitted: cell.permitted.word(),
            deciding: cell
                .deciding
                .iter()
                .filter_map(|cause| numbers.get(cause).copied())
                .collect(),
        };
        Self {
            profile: match &row.origin {
                RowOrigin::DataSet(name) => format!("data set {name}"),
                RowOrigin::Policy { name, sources } if sources.is_empty() => format!("policy {name}"),
                RowOrigin::Policy { name, sources } => format!("policy {name} ({sources})"),
                RowOrigin::Given(words) => format!("given {words}"),
            },
            classification: row.classification.map_or("unknown", Classification::word),
            category: match row.category {
                Dimension::Missing => "unknown",
                Dimension::None => "none",
                Dimension::Is(category) => Category::word(category),
            },
            subject: row.subject.words(),
            cells: row.cells.iter().map(cell).collect(),
        }
    }
}
