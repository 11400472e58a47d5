//! What Prometheus answers to an instant query, read into series with samples.
//!
//! Inputs: the status and the body of `GET /api/v1/query`. Output: an [`Answer`], or the [`QueryFailure`]
//! that says in one sentence why there is none. Invariants: only a vector is an answer; each sample is a
//! number, or says what it is instead; what the server wrote is cut to a bounded length. Fields that
//! we do not read are passed over, because the format is not ours. Deliberately absent: what series mean
//! (`reading`), and sockets (`client`).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The most characters of a foreign text that a sentence repeats.
const LONGEST_QUOTE: usize = 300;

/// The label that holds the name of a metric.
const NAME_LABEL: &str = "__name__";

/// A vector, and what the server warned of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The series, in the order of the answer.
    pub series: Vec<Series>,
    /// What is doubtful about the answer, such as a store that did not answer; bounded in length.
    pub warnings: Vec<String>,
}

/// One series with its sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its labels.
    pub labels: Labels,
    /// What was sampled.
    pub sample: Sample,
}

/// What a series has where a number is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Sample {
    /// A number, which may be NaN or infinite.
    Number(f64),
    /// A native histogram, which no function made a number of.
    Histogram,
    /// A text that is no number.
    Text(String),
}

/// The labels of a series. They are printed as Prometheus prints them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(transparent)]
pub struct Labels(BTreeMap<String, String>);

impl Labels {
    /// The value of a label; an empty one is none, as in Prometheus.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.get(NAME_LABEL).map_or("", String::as_str);
        let labels: Vec<String> = self
            .0
            .iter()
            .filter(|(label, _)| *label != NAME_LABEL)
            .map(|(label, value)| format!("{label}={value:?}"))
            .collect();
        let text = format!("{name}{{{}}}", labels.join(", "));
        formatter.write_str(&quote(&text))
    }
}

/// Why a query has no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryFailure {
    /// The token or the authority cannot be read.
    #[error("{0}")]
    Credentials(String),
    /// There was no connection, or it broke.
    #[error("there is no answer: {0}")]
    NoAnswer(String),
    /// It took too long.
    #[error("there is no answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is larger than what is read.
    #[error("the answer has more than {0} bytes: ask for fewer series")]
    TooLarge(usize),
    /// A status that tells of a failure, without words of Prometheus.
    #[error("the server answers with HTTP status {0}")]
    Status(u16),
    /// Prometheus refuses the query, such as for an error in its PromQL.
    #[error("Prometheus refuses the query ({kind}): {message}")]
    Refused {
        /// Prometheus' word for the kind of error.
        kind: String,
        /// Its sentence.
        message: String,
    },
    /// No answer of this API.
    #[error("the answer is not that of the HTTP API of Prometheus: {0}")]
    Unreadable(String),
    /// A scalar, a string or a matrix.
    #[error("the result is a {0} where a vector is expected, which has one number for each pair of places")]
    NotAVector(String),
}

impl QueryFailure {
    /// The word that metrics use.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Credentials(_) => "credentials",
            Self::NoAnswer(_) => "no-answer",
            Self::TimedOut(_) => "timeout",
            Self::TooLarge(_) => "too-large",
            Self::Status(_) => "http-status",
            Self::Refused { .. } => "refused",
            Self::Unreadable(_) => "unreadable",
            Self::NotAVector(_) => "not-a-vector",
        }
    }

    /// Every word of [`QueryFailure::outcome`].
    pub const OUTCOMES: [&'static str; 8] = [
        "credentials",
        "no-answer",
        "timeout",
        "too-large",
        "http-status",
        "refused",
        "unreadable",
        "not-a-vector",
    ];
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    status: String,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    error_type: Option<String>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    result_type: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

#[derive(Deserialize)]
struct WireSeries {
    #[serde(default)]
    metric: Labels,
    /// When it was evaluated, in seconds, and the number as a text.
    value: Option<(f64, String)>,
}

/// Reads the answer to an instant query.
///
/// # Errors
/// Where it is no vector of Prometheus.
pub fn read_answer(status: u16, body: &[u8]) -> Result<Answer, QueryFailure> {
    let envelope: Envelope<'_> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        Err(_) if !(200..300).contains(&status) => return Err(QueryFailure::Status(status)),
        Err(error) => return Err(unreadable(&error)),
    };
    // A refusal has status 400, 422 or 503 and says more than the number.
    if envelope.status == "error" {
        return Err(QueryFailure::Refused {
            kind: quote(&envelope.error_type.unwrap_or_default()),
            message: quote(&envelope.error.unwrap_or_default()),
        });
    }
    if !(200..300).contains(&status) {
        return Err(QueryFailure::Status(status));
    }
    let data = match envelope {
        Envelope {
            status,
            data: Some(data),
            ..
        } if status == "success" => data,
        _ => {
            return Err(QueryFailure::Unreadable(
                "it has neither data nor an error".to_owned(),
            ));
        }
    };
    if data.result_type != "vector" {
        return Err(QueryFailure::NotAVector(quote(&data.result_type)));
    }
    let series: Vec<WireSeries> =
        serde_json::from_str(data.result.get()).map_err(|error| unreadable(&error))?;
    let warnings = envelope.warnings.unwrap_or_default();
    Ok(Answer {
        series: series.into_iter().map(Series::from).collect(),
        warnings: warnings.iter().map(|warning| quote(warning)).collect(),
    })
}

impl From<WireSeries> for Series {
    fn from(wire: WireSeries) -> Self {
        let sample = match wire.value {
            None => Sample::Histogram,
            Some((_, text)) => text
                .parse()
                .map_or_else(|_| Sample::Text(quote(&text)), Sample::Number),
        };
        Self {
            labels: wire.metric,
            sample,
        }
    }
}

fn unreadable(error: &serde_json::Error) -> QueryFailure {
    QueryFailure::Unreadable(quote(&error.to_string()))
}

/// A foreign text on one line and of a bounded length.
pub(super) fn quote(text: &str) -> String {
    let mut characters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut quoted: String = characters.by_ref().take(LONGEST_QUOTE).collect();
    if characters.next().is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
