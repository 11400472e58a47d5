//! Events on pods: what [`crate::pod_events`] has to tell, written to the API server.
//!
//! Inputs: a queue. Effects: one Event for a pod and reason, at most every [`PAUSE`]: kube-scheduler asks
//! again and again about a pod that it cannot place. What is about a controller goes to whoever controls that. Invariant: an Event that cannot be written is counted
//! and forgotten, since kube-scheduler's own Event carries the sentence too.

use std::collections::HashMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::owner::Owners;
use crate::pod_events::{AboutKind, EventReason, PodEvent, PodEventCounters};

/// For how long the same is not told again of a pod.
const PAUSE: Duration = Duration::from_secs(300);

/// Of how many pods it is remembered what they were told.
const MOST_REMEMBERED: usize = 10_000;

/// The longest text of an Event, in bytes, that the API server takes.
const LONGEST_NOTE_BYTES: usize = 1_024;

/// Writes Events for as long as somebody hands them in.
pub async fn write_pod_events(
    client: Client,
    mut queue: mpsc::Receiver<PodEvent>,
    counters: PodEventCounters,
) {
    let reporter = Reporter {
        controller: "domicile".to_owned(),
        instance: std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()),
    };
    let mut owners = Owners::new(client.clone());
    let recorder = Recorder::new(client, reporter);
    let mut told = Told::default();
    while let Some(event) = queue.recv().await {
        let event = owners.raised(event).await;
        if !told.is_news(&event, Instant::now()) {
            continue;
        }
        let (api_version, kind) = match &event.about {
            AboutKind::Pod => ("v1", "Pod"),
            AboutKind::Controller { api_version, kind } => (api_version.as_str(), kind.as_str()),
        };
        let regarding = ObjectReference {
            api_version: Some(api_version.to_owned()),
            kind: Some(kind.to_owned()),
            namespace: Some(event.namespace.clone()),
            name: Some(event.name.clone()),
            uid: Some(event.uid.clone()).filter(|uid| !uid.is_empty()),
            ..ObjectReference::default()
        };
        let written = Event {
            type_: EventType::Warning,
            reason: event.reason.word().to_owned(),
            note: Some(shortened(&event.sentence)),
            action: action(event.reason).to_owned(),
            secondary: None,
        };
        match recorder.publish(&written, &regarding).await {
            Ok(()) => {
                counters.written.inc();
            }
            Err(problem) => {
                counters.failed.inc();
                tracing::warn!(%problem, "an Event on a pod cannot be written");
            }
        }
    }
}

/// What was done when it was noticed.
fn action(reason: EventReason) -> &'static str {
    match reason {
        EventReason::NoPermittedNode | EventReason::PolicyWarning => "Filtering",
        EventReason::StaleNodeAffinity | EventReason::BoundWhereRefused => "Scanning",
    }
}

/// What was told of which pod, and when.
#[derive(Debug, Default)]
struct Told {
    at: HashMap<(String, EventReason), (String, Instant)>,
}

impl Told {
    /// Whether something is new for a pod: another sentence, or the same after a while.
    fn is_news(&mut self, event: &PodEvent, now: Instant) -> bool {
        if self.at.len() >= MOST_REMEMBERED {
            self.at.retain(|_, (_, told)| now.duration_since(*told) < PAUSE);
        }
        if self.at.len() >= MOST_REMEMBERED {
            // To tell twice is better than to remember without end.
            self.at.clear();
        }
        let pod = match event.uid.as_str() {
            "" => format!("{}/{}", event.namespace, event.name),
            uid => uid.to_owned(),
        };
        let key = (pod, event.reason);
        if let Some((sentence, told)) = self.at.get(&key)
            && *sentence == event.sentence
            && now.duration_since(*told) < PAUSE
        {
            return false;
        }
        self.at.insert(key, (event.sentence.clone(), now));
        true
    }
}

fn shortened(sentence: &str) -> String {
    if sentence.len() <= LONGEST_NOTE_BYTES {
        return sentence.to_owned();
    }
    let ends = sentence.char_indices().map(|(start, _)| start);
    let end = ends
        .take_while(|end| *end <= LONGEST_NOTE_BYTES - "…".len())
        .last();
    format!("{}…", sentence.get(..end.unwrap_or(0)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(uid: &str, sentence: &str) -> PodEvent {
        PodEvent {
            about: AboutKind::Pod,
            namespace: "shop".to_owned(),
            name: "web-0".to_owned(),
            uid: uid.to_owned(),
            reason: EventReason::NoPermittedNode,
            sentence: sentence.to_owned(),
        }
    }

    #[test]
    fn the_same_is_told_once_in_a_while_and_news_at_once() {
        let mut told = Told::default();
        let start = Instant::now();
        assert!(told.is_news(&event("u1", "no"), start));
        assert!(!told.is_news(&event("u1", "no"), start + PAUSE / 2));
        assert!(told.is_news(&event("u1", "other"), start + PAUSE / 2));
        assert!(told.is_news(&event("u2", "no"), start + PAUSE / 2));
        assert!(told.is_news(&event("u1", "other"), start + PAUSE * 2));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut told = Told::default();
        let start = Instant::now();
        for number in 0..=MOST_REMEMBERED {
            told.is_news(&event(&format!("u{number}"), "no"), start);
        }
        assert!(told.at.len() <= MOST_REMEMBERED);
    }

    #[test]
    fn a_long_sentence_is_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let long = shortened(&"ü".repeat(2_000));
        assert!(
            long.len() <= LONGEST_NOTE_BYTES && long.ends_with('…'),
            "{}",
            long.len()
        );
    }
}
