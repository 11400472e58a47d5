//! What an operator says about one Prometheus: where it is, what to ask and how to read the answer.
//!
//! Invariants: a [`BaseUrl`] can be called and holds no secret, so it may be logged; there is always a
//! query for the median. Deliberately absent: reading a settings file, which `config` does.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::Scheme;

/// One Prometheus, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusSettings {
    /// What people call it; unique, and a label of metrics.
    pub name: Arc<str>,
    /// Where its HTTP API is.
    pub url: BaseUrl,
    /// The time from one poll to the next.
    pub interval: Duration,
    /// How long the answers to the queries of a poll may take; at most the interval.
    pub timeout: Duration,
    /// What is asked.
    pub queries: Queries,
    /// Which labels name the two places.
    pub labels: EndLabels,
    /// What a number of the queries `p50` and `p95` counts.
    pub unit: Unit,
    /// A file with a bearer token. It is read at each poll, because tokens are renewed.
    pub bearer_token_file: Option<PathBuf>,
    /// Certificates of the authorities to trust instead of those of the system; read at each poll.
    pub ca_file: Option<PathBuf>,
}

/// The queries, as PromQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queries {
    /// The typical round trip of each pair.
    pub p50: String,
    /// The round trip that one in twenty exceeds.
    pub p95: Option<String>,
    /// How many samples the first two were made of.
    pub samples: Option<String>,
    /// The share of probes that arrived, 0 to 1; 0 is a pair that cannot be reached.
    pub reachable: Option<String>,
}

/// One of the queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueryName {
    /// The typical round trip.
    P50,
    /// The round trip that one in twenty exceeds.
    P95,
    /// How many samples there were.
    Samples,
    /// The share of probes that arrived.
    Reachable,
}

impl QueryName {
    /// The word in settings, sentences and metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::Samples => "samples",
            Self::Reachable => "reachable",
        }
    }
}

impl Queries {
    /// The queries that are asked, with their PromQL.
    pub fn asked(&self) -> impl Iterator<Item = (QueryName, &str)> {
        [
            (QueryName::P50, Some(&self.p50)),
            (QueryName::P95, self.p95.as_ref()),
            (QueryName::Samples, self.samples.as_ref()),
            (QueryName::Reachable, self.reachable.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, promql)| promql.map(|promql| (name, promql.as_str())))
    }
}

/// The labels of a series that name its two places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndLabels {
    /// Where the probe runs.
    pub from: String,
    /// What it calls.
    pub to: String,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, as Prometheus' own conventions have it.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// How many milliseconds one is.
    #[must_use]
    pub fn as_ms(self) -> f64 {
        match self {
            Self::Seconds => 1_000.0,
            Self::Milliseconds => 1.0,
        }
    }
}

/// The address of an HTTP API, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    is_encrypted: bool,
    is_loopback: bool,
}

impl BaseUrl {
    /// Reads `http://host:port` or `https://host:port/prefix`.
    ///
    /// # Errors
    /// A sentence without a subject, to stand behind the name of the setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "write a URL such as http://prometheus.monitoring:9090";
        // The text is not repeated: a URL may hold a password.
        let uri: Uri = text.parse().map_err(|_| format!("is no URL: {form}"))?;
        let is_encrypted = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err(format!("begins with neither http:// nor https://: {form}")),
        };
        let authority = uri.authority().ok_or_else(|| format!("names no host: {form}"))?;
        if authority.as_str().contains('@') {
            return Err(
                "has a name or a password in it, which would be written in logs: use `bearer-token-file`"
                    .to_owned(),
            );
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(format!("has more than a host and a path: {form}"));
        }
        let host = authority.host().trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        Ok(Self {
            text: text.trim_end_matches('/').to_owned(),
            is_encrypted,
            is_loopback: host == "localhost" || address.is_ok_and(|address| address.is_loopback()),
        })
    }

    /// Whether nobody between could read a token that is sent there.
    #[must_use]
    pub fn keeps_secrets(&self) -> bool {
        self.is_encrypted || self.is_loopback
    }

    /// Whether it is https.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_with_a_path_and_no_secret() {
        for (text, shown, keeps_secrets) in [
            ("http://prometheus:9090", "http://prometheus:9090", false),
            ("http://127.0.0.1:9090/", "http://127.0.0.1:9090", true),
            ("http://[::1]:9090", "http://[::1]:9090", true),
            ("http://localhost", "http://localhost", true),
            (
                "https://mimir.example/prometheus/",
                "https://mimir.example/prometheus",
                true,
            ),
        ] {
            let url = BaseUrl::parse(text).expect(text);
            assert_eq!(
                (url.to_string().as_str(), url.keeps_secrets()),
                (shown, keeps_secrets)
            );
        }
        for (wrong, expected) in [
            ("prometheus:9090", "neither http:// nor https://"),
            ("ftp://prometheus", "neither http:// nor https://"),
            ("/api", "neither http:// nor https://"),
            ("http://", "is no URL"),
            ("http://me:secret@prometheus", "use `bearer-token-file`"),
            ("http://prometheus/?a=b", "more than a host and a path"),
            ("http://prometheus/#a", "more than a host and a path"),
        ] {
            let problem = BaseUrl::parse(wrong).expect_err(wrong);
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("secret"), "{problem}");
        }
    }

    #[test]
    fn only_what_is_written_is_asked() {
        let queries = Queries {
            p50: "a".to_owned(),
            p95: None,
            samples: None,
            reachable: Some("b".to_owned()),
        };
        let asked: Vec<_> = queries.asked().collect();
        assert_eq!(asked, [(QueryName::P50, "a"), (QueryName::Reachable, "b")]);
    }
}
