//! What makes a run a failure: `violations>0`, `cost.added.p95Us>20000`.
//!
//! Inputs: a text of a figure, a comparison and a number; a summary. Outputs: whether it holds. Invariants: a figure is
//! the path of a number in the summary, with the names of comparators as steps; without such a name it is one of
//! `domicile`; a figure that is not there is an error, never a pass. Deliberately absent: arithmetic.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::summary::Summary;
use crate::model::nearest_word;

/// A condition that makes a run a failure.
#[derive(Debug, Clone, PartialEq)]
pub struct FailOn {
    figure: String,
    compares: Compares,
    limit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compares {
    More,
    AtLeast,
    Less,
    AtMost,
    Equal,
    Different,
}

impl Compares {
    /// The longer signs first, so that none is taken for the beginning of another.
    const ALL: [(&'static str, Self); 6] = [
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        ("==", Self::Equal),
        ("!=", Self::Different),
        (">", Self::More),
        ("<", Self::Less),
    ];

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::More => value > limit,
            Self::AtLeast => value >= limit,
            Self::Less => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::Different => value != limit,
        }
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Compares::ALL
            .iter()
            .find(|(_, compares)| *compares == self.compares);
        let sign = sign.map_or("", |(sign, _)| sign);
        write!(formatter, "{}{sign}{}", self.figure, self.limit)
    }
}

impl FailOn {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where the text is none: a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Compares::ALL.iter().find_map(|(sign, compares)| {
            let (figure, limit) = text.split_once(sign)?;
            Some((figure.trim(), *compares, limit.trim()))
        });
        let shape = "a condition is a figure and a sign and a number such as `violations>0`";
        let Some((figure, compares, limit)) = found else {
            return Err(format!("`{text}` has none of the signs > >= < <= == !=; {shape}"));
        };
        if figure.is_empty() {
            return Err(format!("`{text}` names no figure; {shape}"));
        }
        match limit.parse::<f64>() {
            Ok(limit) if limit.is_finite() => Ok(Self {
                figure: figure.to_owned(),
                compares,
                limit,
            }),
            _ => Err(format!("`{limit}` in `{text}` is no number; {shape}")),
        }
    }

    /// Whether the condition holds: the figure, where it does.
    ///
    /// # Errors
    /// Where the summary has no such figure: a sentence.
    pub fn holds(&self, figures: &Figures) -> Result<Option<f64>, String> {
        let value = figures.get(&self.figure)?;
        Ok(self.compares.holds(value, self.limit).then_some(value))
    }
}

/// Every number of a summary, by its path.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    by_path: BTreeMap<String, f64>,
}

/// The comparator whose figures need no name.
const UNNAMED: &str = "domicile";

impl Figures {
    /// The figures of a summary.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        let mut figures = Self::default();
        for comparator in &summary.comparators {
            let value = serde_json::to_value(comparator).unwrap_or_default();
            figures.add(&comparator.id, &value);
            if comparator.id == UNNAMED {
                figures.add("", &value);
            }
        }
        figures.add("cost", &serde_json::to_value(&summary.cost).unwrap_or_default());
        figures.add("moved", &serde_json::to_value(&summary.moved).unwrap_or_default());
        let failures = &summary.failures;
        if !failures.is_empty() {
            let stranded = failures.iter().map(|failure| failure.stranded.total);
            figures.insert("failures.mostStranded", stranded.max().unwrap_or(0) as f64);
            let without = failures
                .iter()
                .map(|failure| failure.data_sets_without_region.len());
            figures.insert(
                "failures.mostDataSetsWithoutRegion",
                without.max().unwrap_or(0) as f64,
            );
        }
        figures
    }

    /// A figure by its path.
    ///
    /// # Errors
    /// Where there is none: a sentence.
    pub fn get(&self, path: &str) -> Result<f64, String> {
        // `unschedulable` is all of them.
        let found = self
            .by_path
            .get(path)
            .or_else(|| self.by_path.get(&format!("{path}.total")));
        if let Some(value) = found {
            return Ok(*value);
        }
        let known = self.by_path.keys().map(String::as_str);
        Err(match nearest_word(path, known) {
            Some(near) => format!("this run has no figure `{path}`; did you mean `{near}`?"),
            None => format!("this run has no figure `{path}`; figures are paths of numbers in summary.json"),
        })
    }

    /// Every figure with its path, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.by_path.iter().map(|(path, value)| (path.as_str(), *value))
    }

    fn insert(&mut self, path: &str, value: f64) {
        self.by_path.insert(path.to_owned(), value);
    }

    /// Adds the numbers of a value; lists have none that a name leads to.
    fn add(&mut self, path: &str, value: &Value) {
        match value {
            Value::Number(number) => {
                if let Some(number) = number.as_f64() {
                    self.insert(path, number);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    match path {
                        "" => self.add(name, value),
                        _ => self.add(&format!("{path}.{name}"), value),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_written() {
        for text in ["violations>0", "cost.added.p95Us>=20000", "placed!=3", "a<=-1.5"] {
            assert_eq!(
                FailOn::parse(text).map(|read| read.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!(
            FailOn::parse(" a > 1 ").map(|read| read.to_string()),
            Ok("a>1".to_owned())
        );
        for (text, said) in [
            ("violations=0", "none of the signs"),
            (">1", "names no figure"),
            ("a>b", "is no number"),
        ] {
            assert!(FailOn::parse(text).expect_err(text).contains(said), "{text}");
        }
    }

    #[test]
    fn a_figure_that_is_not_there_is_an_error_and_never_a_pass() {
        let mut figures = Figures::default();
        figures.add(
            "",
            &serde_json::json!({"violations": 2, "unschedulable": {"capacity": 0}, "of": [1]}),
        );
        let read = |text: &str| FailOn::parse(text).expect("a condition").holds(&figures);
        assert_eq!(read("violations>0"), Ok(Some(2.0)));
        assert_eq!(read("violations>2"), Ok(None));
        assert_eq!(read("unschedulable.capacity==0"), Ok(Some(0.0)));
        assert!(
            read("violatons>0")
                .expect_err("unknown")
                .contains("did you mean `violations`")
        );
    }
}
