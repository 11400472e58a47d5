//! The loop of one source: ask, read, hand over, tell; again after the interval.
//!
//! Invariants: polls of one source never overlap; their times depend on the clock alone. After each poll,
//! whatever it gave, time passes for what was measured before, so that a Prometheus that is away ages and
//! is not believed for ever. Reading and rebuilding are not done on the thread of the event loop.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::{MissedTickBehavior, interval};

use super::client::{Answers, ask};
use super::journal::Journal;
use super::reading::read;
use super::settings::PrometheusSettings;
use crate::live_latency::LiveLatency;
use crate::metrics::LatencyMetrics;
use crate::publish::Publisher;

/// Where what a source says goes.
#[derive(Debug, Clone)]
pub struct Destinations {
    /// What takes observations.
    pub live: Arc<LiveLatency>,
    /// Whose catalogue says which places there are.
    pub publisher: Arc<Publisher>,
    /// What counts polls.
    pub metrics: LatencyMetrics,
    /// The clock.
    pub clock: fn() -> Timestamp,
}

/// Polls one source for as long as the process lives.
pub async fn follow(source: PrometheusSettings, destinations: Destinations) {
    let source = Arc::new(source);
    let begin = || Follower {
        source: source.clone(),
        destinations: destinations.clone(),
        journal: Journal::default(),
    };
    let mut follower = begin();
    let mut polls = interval(source.interval);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        polls.tick().await;
        let answers = ask(&source).await;
        let taken = tokio::task::spawn_blocking(move || {
            follower.take(&answers);
            follower
        });
        follower = taken.await.unwrap_or_else(|error| {
            tracing::error!(source = %source.name, %error, "the answers of a poll broke what reads them");
            begin()
        });
    }
}

struct Follower {
    source: Arc<PrometheusSettings>,
    destinations: Destinations,
    journal: Journal,
}

impl Follower {
    fn take(&mut self, answers: &Answers) {
        let Destinations {
            live,
            publisher,
            metrics,
            clock,
        } = &self.destinations;
        // Without a catalogue nobody knows which places there are. The server is not ready either.
        let Some(policies) = publisher.current_policies() else {
            return;
        };
        let source = &self.source;
        let reading = read(source, answers, policies.catalogue());
        let now = clock();
        for (query, answer) in answers {
            let outcome = match answer {
                Ok(answer) if answer.warnings.is_empty() => "answered",
                Ok(_) => "warned",
                Err(failure) => failure.outcome(),
            };
            metrics.polled(&source.name, query.word(), outcome);
        }
        if answers.values().all(Result::is_ok) {
            metrics.succeeded(&source.name, now);
        }
        metrics.left_out(&source.name, reading.left_out.iter().map(|one| one.reason.word()));
        live.take(&source.name, &reading.observations, now);

        let news = self.journal.note(answers, &reading.left_out);
        for problem in &news.sentences {
            tracing::warn!(source = %source.name, "latency source `{}`: {problem}", source.name);
        }
        if news.more_series > 0 {
            let more = news.more_series;
            tracing::warn!(source = %source.name, "latency source `{}`: {more} more series are left out", source.name);
        }
        if news.is_well_again {
            tracing::info!(source = %source.name, "latency source `{}`: every query is answered and every series counts again", source.name);
        }
    }
}
