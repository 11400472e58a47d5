//! A file of demand: rows of a region, its requests, and the reads and writes of each.
//!
//! Inputs: YAML (`v: 1` and `rows`) or CSV (the header `region,requests,reads,writes`), and a way to find a
//! region. Outputs: rows in the order of the file, or everything that is wrong with it, with its line. Invariants:
//! an unknown field or column is an error, and so is a missing one; some row reads or writes. Rows of one region
//! are as many applications. Deliberately absent: reading the file.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::demand::DemandRow;
use crate::model::{RegionKey, RegionReference, RequestsPerCall, nearest_word};

/// The only version of the YAML form.
const VERSION: u32 = 1;

/// The columns of the CSV form, which are the fields of a row.
const COLUMNS: [&str; 4] = ["region", "requests", "reads", "writes"];

/// What is wrong in a file of demand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct DemandFileError {
    /// The file, as the caller names it.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong: a lowercase sentence with user input in backticks.
    pub problem: String,
}

/// How the regions of a file are found.
#[derive(Debug, Clone, Copy)]
pub struct KnownRegions<'a, R> {
    /// The region that a reference means.
    pub resolve: R,
    /// The keys to name where none is meant.
    pub keys: &'a [&'a str],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    v: Spanned<u32>,
    rows: Spanned<Vec<Spanned<Row>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    region: String,
    requests: f64,
    reads: f64,
    writes: f64,
}

/// Reads a file of demand: CSV where its name ends in `.csv`, else YAML or JSON.
///
/// # Errors
/// Everything that is wrong with it, in the order of lines.
pub fn read_demand<R: Fn(&RegionReference) -> Option<RegionKey>>(
    file: &str,
    text: &str,
    regions: KnownRegions<'_, R>,
) -> Result<Vec<DemandRow>, Vec<DemandFileError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_csv = file
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("csv"));
    let mut errors = Vec::new();
    let mut error = |line: u64, problem: String| {
        let file = file.to_owned();
        errors.push(DemandFileError { file, line, problem });
    };
    let rows = if is_csv {
        csv_rows(text, &mut error)
    } else {
        yaml_rows(text, &mut error)
    };
    let mut read = Vec::with_capacity(rows.len());
    for (line, row) in &rows {
        match checked(row, &regions) {
            Ok(row) => read.push(row),
            Err(problem) => error(*line, problem),
        }
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.line);
        return Err(errors);
    }
    let accesses: f64 = read.iter().map(|row| row.reads + row.writes).sum();
    let problem = if read.is_empty() {
        "the file has no row"
    } else if accesses > 0.0 {
        return Ok(read);
    } else {
        "no row reads or writes, so every placement would be as good"
    };
    Err(vec![DemandFileError {
        file: file.to_owned(),
        line: 1,
        problem: problem.to_owned(),
    }])
}

fn yaml_rows(text: &str, error: &mut impl FnMut(u64, String)) -> Vec<(u64, Row)> {
    let file: File = match serde_saphyr::from_str(text) {
        Ok(file) => file,
        Err(problem) => {
            let line = problem.location().map_or(1, |location| location.line());
            let said = problem.without_snippet().to_string();
            let said = said.lines().next().unwrap_or("").trim_start_matches("error: ");
            let said = said.split(" at line ").next().unwrap_or(said);
            error(line, said.to_owned());
            return Vec::new();
        }
    };
    if file.v.value != VERSION {
        let problem = format!("`v` is {} where this program reads {VERSION}", file.v.value);
        error(file.v.referenced.line(), problem);
    }
    let rows = file.rows.value.into_iter();
    rows.map(|row| (row.referenced.line(), row.value)).collect()
}

fn csv_rows(text: &str, error: &mut impl FnMut(u64, String)) -> Vec<(u64, Row)> {
    let mut rows = Vec::new();
    let mut has_header = false;
    // A region and three numbers need no quotes, so a row is a line.
    for (line, number) in text.lines().zip(1_u64..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if !has_header {
            has_header = true;
            if cells != COLUMNS {
                error(number, format!("the first line is not `{}`", COLUMNS.join(",")));
                return Vec::new();
            }
            continue;
        }
        let [region, requests, reads, writes] = cells.as_slice() else {
            let problem = format!(
                "a row has {} cells where {} are needed",
                cells.len(),
                COLUMNS.len()
            );
            error(number, problem);
            continue;
        };
        let mut cell = |column: &str, text: &str| -> Option<f64> {
            let read = text.parse().ok();
            if read.is_none() {
                error(number, format!("`{column}` is `{text}`, which is no number"));
            }
            read
        };
        let cells = (
            cell("requests", requests),
            cell("reads", reads),
            cell("writes", writes),
        );
        if let (Some(requests), Some(reads), Some(writes)) = cells {
            let region = (*region).to_owned();
            rows.push((
                number,
                Row {
                    region,
                    requests,
                    reads,
                    writes,
                },
            ));
        }
    }
    if !has_header {
        error(1, "the file is empty".to_owned());
    }
    rows
}

fn checked<R: Fn(&RegionReference) -> Option<RegionKey>>(
    row: &Row,
    regions: &KnownRegions<'_, R>,
) -> Result<DemandRow, String> {
    let region = regions.find(&row.region)?;
    if !(row.requests > 0.0 && row.requests <= 1e12) {
        return Err(format!("`requests` is {} and must be more than 0", row.requests));
    }
    let accesses = |field: &str, number: f64| {
        let said = || format!("`{field}` is {number} and must be from 0 to a million");
        RequestsPerCall::new(number).ok_or_else(said)
    };
    Ok(DemandRow {
        region,
        requests: row.requests,
        reads: accesses("reads", row.reads)?.get(),
        writes: accesses("writes", row.writes)?.get(),
        ways: None,
    })
}

impl<R: Fn(&RegionReference) -> Option<RegionKey>> KnownRegions<'_, R> {
    /// The region that somebody wrote.
    ///
    /// # Errors
    /// A sentence where it is none, with what may have been meant.
    pub fn find(&self, text: &str) -> Result<RegionKey, String> {
        let reference = RegionReference::parse(text).map_err(|problem| problem.to_string())?;
        (self.resolve)(&reference).ok_or_else(|| {
            let named = self.keys.iter().copied();
            let near = nearest_word(text, named.clone()).or_else(|| {
                let bare = |key: &&str| key.split_once('/').is_some_and(|(_, region)| region == text);
                named.clone().find(bare)
            });
            let fix = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "add it to the catalogue, or write a region that is there".to_owned(),
            };
            format!("the region `{text}` is not known; {fix}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, text: &str) -> Result<Vec<DemandRow>, Vec<String>> {
        let resolve = |reference: &RegionReference| match reference {
            RegionReference::Key(key) => Some(key.clone()).filter(|key| key.as_str().starts_with("w/")),
            RegionReference::Bare(_) => None,
        };
        let keys = ["w/paris", "w/rome"];
        let regions = KnownRegions { resolve, keys: &keys };
        read_demand(file, text, regions).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_two_forms_say_the_same() {
        let csv = "# a comment\nregion,requests,reads,writes\nw/paris,0.5,4,1\n\nw/rome, 2, 0, 1\n";
        let yaml = "v: 1\nrows:\n- {region: w/paris, requests: 0.5, reads: 4, writes: 1}\n\
                    - {region: w/rome, requests: 2, reads: 0, writes: 1}\n";
        let read_csv = read("demand.CSV", csv).expect("a good file");
        assert_eq!(read("demand.yaml", yaml).expect("a good file"), read_csv);
        assert_eq!(read_csv.len(), 2);
        assert_eq!((read_csv[1].requests, read_csv[1].writes), (2.0, 1.0));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_all_of_it() {
        let rows = "v: 1\nrows:\n- {region: w/pariss, requests: 1, reads: 1, writes: 0}\n";
        for (file, text, wanted) in [
            ("d.csv", "", "d.csv:1: the file is empty"),
            (
                "d.csv",
                "region,requests\n",
                "d.csv:1: the first line is not `region,requests,reads,writes`",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\n",
                "d.csv:1: the file has no row",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,1,0,0\n",
                "d.csv:1: no row reads or writes",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,1,2\n",
                "d.csv:2: a row has 3 cells",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,1,x,1\n",
                "d.csv:2: `reads` is `x`",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,NaN,1,1\n",
                "d.csv:2: `requests` is NaN",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,1,-1,1\n",
                "d.csv:2: `reads` is -1",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nw/rome,0,1,1\n",
                "d.csv:2: `requests` is 0",
            ),
            (
                "d.csv",
                "region,requests,reads,writes\nparis,1,1,1\n",
                "did you mean `w/paris`?",
            ),
            ("d.yaml", &rows.replace("v: 1", "v: 2"), "d.yaml:1: `v` is 2"),
            ("d.yaml", &rows.replace("reads", "raeds"), "raeds"),
            ("d.yaml", &rows.replace(", writes: 0", ""), "writes"),
            ("d.yaml", &format!("{rows}more: 1\n"), "more"),
        ] {
            let errors = read(file, text).expect_err(text);
            assert!(errors[0].contains(wanted), "{text}: {errors:?}");
        }
        let two = read(
            "d.csv",
            "region,requests,reads,writes\nw/rome,0,1,1\nw/rome,1,1\n",
        )
        .expect_err("two");
        assert_eq!(two.len(), 2, "{two:?}");
    }
}
