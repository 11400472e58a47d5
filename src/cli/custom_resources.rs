//! Wiring of `serve`: custom resources as a source of policies and data sets, and their statuses.
//!
//! No rule lives here. The first list is waited for, though not for long, before any source is looked at: a start with
//! an API server that answers never decides without what it says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::timeout;

use super::serve::kube_client;
use super::sources::{Kept, data_sets_source, policies_source};
use crate::assembly::SourceText;
use crate::cluster::lease::Leadership;
use crate::cluster::{self, CustomState, StatusSettings};
use crate::config::{ObjectSource, ServeSettings};
use crate::custom_resources::{Judgement, judge_data_sets, judge_policies};
use crate::files::{Inbox, Sha256Hex, Source, SourceName, read_source};
use crate::policy::{CUSTOM_KINDS, CustomKind, DATA_SET};
use crate::publish::Publisher;

/// How long the first list is waited for.
const FIRST_LIST: Duration = Duration::from_secs(5);

/// How long a judgement counts though nothing was written: findings speak of dates.
const JUDGEMENT_AGES: SignedDuration = SignedDuration::from_hours(1);

/// Where objects of the cluster are handed in; `None` where files alone rule.
#[derive(Debug, Clone, Default)]
pub struct Inboxes {
    /// Everything but data sets.
    pub policies: Option<Inbox>,
    /// Data sets.
    pub data_sets: Option<Inbox>,
}

impl Inboxes {
    fn of(settings: &ServeSettings) -> Self {
        let inbox = |from: ObjectSource| {
            (from != ObjectSource::Files).then(|| Inbox::empty("the custom resources were not listed yet"))
        };
        Self {
            policies: inbox(settings.policies_from),
            data_sets: inbox(settings.data_sets_from),
        }
    }

    fn kinds(&self) -> Vec<CustomKind> {
        let wanted = |kind: &CustomKind| match *kind == DATA_SET {
            true => self.data_sets.is_some(),
            false => self.policies.is_some(),
        };
        CUSTOM_KINDS.into_iter().filter(wanted).collect()
    }

    /// Hands in what is known; tells whether that differs from what was.
    fn hand_in(&self, state: &CustomState) -> bool {
        let hand_in = |inbox: &Option<Inbox>, are_data_sets: bool| {
            let Some(inbox) = inbox else { return false };
            let handed = match (&state.problem, &state.objects) {
                (Some(problem), _) => Err(problem.clone()),
                (None, None) => return false,
                (None, Some(objects)) => {
                    let own = objects
                        .iter()
                        .filter(|object| (object.kind == DATA_SET) == are_data_sets);
                    Ok(own.map(|object| object.text.clone()).collect::<Vec<SourceText>>())
                }
            };
            inbox.hand_in(handed)
        };
        let policies = hand_in(&self.policies, false);
        hand_in(&self.data_sets, true) || policies
    }
}

/// The objects of a cluster that count as policies and data sets.
pub struct CustomResources {
    client: kube::Client,
    states: watch::Receiver<CustomState>,
    inboxes: Inboxes,
}

impl CustomResources {
    /// Begins to watch, and waits for the first list; `None` where files alone rule.
    ///
    /// # Errors
    /// Where no cluster is known.
    pub async fn follow(settings: &ServeSettings) -> Result<Option<Self>> {
        let inboxes = Inboxes::of(settings);
        let kinds = inboxes.kinds();
        if kinds.is_empty() {
            return Ok(None);
        }
        let client = kube_client().await?;
        let (sender, mut states) = watch::channel(CustomState::default());
        actix_web::rt::spawn(cluster::follow_custom_resources(client.clone(), kinds, sender));
        // Without a list in time the last good texts of an earlier run decide, or nothing does.
        let _ = timeout(FIRST_LIST, states.wait_for(|state| state.problem.is_none())).await;
        inboxes.hand_in(&states.borrow_and_update());
        Ok(Some(Self {
            client,
            states,
            inboxes,
        }))
    }

    /// Where they are handed in.
    #[must_use]
    pub fn inboxes(&self) -> Inboxes {
        self.inboxes.clone()
    }

    /// Goes on for as long as the process lives: changes are looked at at once, and statuses are kept unless nothing
    /// is to be written.
    pub fn go_on(
        self,
        kept: Arc<Kept>,
        publisher: Arc<Publisher>,
        settings: &ServeSettings,
        leadership: Option<Leadership>,
    ) {
        let Self {
            client,
            mut states,
            inboxes,
        } = self;
        if let Some(leadership) = leadership {
            let judge = Judge::new(settings, &inboxes, publisher);
            let statuses = StatusSettings {
                judge: Arc::new(move |now| judge.judge(now)),
                leads: Arc::new(move || leadership.is_held()),
                every: settings.reload_interval,
                clock: Timestamp::now,
            };
            actix_web::rt::spawn(cluster::keep_statuses(client, states.clone(), statuses));
        }
        actix_web::rt::spawn(async move {
            while states.changed().await.is_ok() {
                let differs = inboxes.hand_in(&states.borrow_and_update());
                if differs {
                    kept.look_now();
                }
            }
        });
    }
}

/// Judges the sources that objects are part of, once for each state of them.
struct Judge {
    policies: Option<Source>,
    data_sets: Option<Source>,
    publisher: Arc<Publisher>,
    memory: Mutex<[Option<Judged>; 2]>,
}

/// What was judged, when, and what came of it.
struct Judged {
    texts: Sha256Hex,
    /// The policies beside which data sets were judged.
    beside: Option<String>,
    at: Timestamp,
    judgement: Arc<Judgement>,
}

impl Judge {
    fn new(settings: &ServeSettings, inboxes: &Inboxes, publisher: Arc<Publisher>) -> Self {
        Self {
            policies: inboxes
                .policies
                .is_some()
                .then(|| policies_source(settings, inboxes)),
            data_sets: inboxes
                .data_sets
                .is_some()
                .then(|| data_sets_source(settings, inboxes)),
            publisher,
            memory: Mutex::default(),
        }
    }

    fn judge(&self, now: Timestamp) -> (Option<Arc<Judgement>>, Option<Arc<Judgement>>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let [policies, data_sets] = &mut *memory;
        let of_policies = self.policies.as_ref().and_then(|source| {
            let files = read_source(SourceName::Policies, source).ok()?;
            let judge = || judge_policies(files.iter(), now).0;
            Some(remembered(policies, files.digest(), None, now, judge))
        });
        let of_data_sets = self.data_sets.as_ref().and_then(|source| {
            let files = read_source(SourceName::DataSets, source).ok()?;
            let beside = self.publisher.current_policies();
            let judge = || judge_data_sets(files.iter(), beside.as_deref());
            let beside = beside.as_ref().map(|set| set.digest().to_owned());
            Some(remembered(data_sets, files.digest(), beside, now, judge))
        });
        (of_policies, of_data_sets)
    }
}

fn remembered(
    memory: &mut Option<Judged>,
    texts: Sha256Hex,
    beside: Option<String>,
    now: Timestamp,
    judge: impl FnOnce() -> Judgement,
) -> Arc<Judgement> {
    if let Some(judged) = memory
        && judged.texts == texts
        && judged.beside == beside
        && now.duration_since(judged.at) < JUDGEMENT_AGES
    {
        return judged.judgement.clone();
    }
    let judgement = Arc::new(judge());
    *memory = Some(Judged {
        texts,
        beside,
        at: now,
        judgement: judgement.clone(),
    });
    judgement
}
