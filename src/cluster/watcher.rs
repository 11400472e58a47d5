//! One kind of object, listed in pages and then watched for ever.
//!
//! Inputs: the API of a kind. Outputs: a stream of what the API server says, which never ends. Invariants: a list begins,
//! names every object and ends; a change follows upon the list that came before it; a watch that breaks is taken up
//! where it was, after growing pauses, and one whose place in the history has expired ("410 Gone") begins with a new
//! list. It tells when the API server was heard last where it is away, and that it is back even where nothing changed:
//! the watcher of the crate kube does neither, so that on it a quiet cluster could not be told from one that is gone.
//! Deliberately absent: what an object says, and which objects matter.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{BoxStream, Stream, StreamExt, unfold};
use jiff::Timestamp;
use kube::Resource;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use tokio::time::{Instant, sleep, timeout};

use super::raw_object::RawObject;

/// Objects of one list page: a full node is about 17 kB, so a page stays under ten megabytes.
const PAGE_SIZE: u32 = 500;

/// How long the API server keeps one watch open, in seconds. Each end is an occasion to notice a connection that died
/// without a word.
const WATCH_SECONDS: u32 = 60;

/// How long after that its end must have been seen.
const WATCH_MARGIN: Duration = Duration::from_secs(5);

/// The first pause before it is asked again; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause, and so about how late it is seen to be back.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A watch that ends sooner without having said anything ended for a reason.
const SHORT: Duration = Duration::from_secs(1);

/// The status of a place in the history that the API server has forgotten.
const GONE: u16 = 410;

/// What the API server says of a kind.
#[derive(Debug)]
pub enum Said {
    /// A new list begins.
    ListBegins,
    /// The object is there, as this.
    Applied(RawObject),
    /// The object is gone.
    Deleted(RawObject),
    /// The list is whole.
    ListEnds,
    /// A watch is open: what is known is what the API server knows.
    Confirmed,
    /// It cannot be heard, and is asked again after a pause.
    Away {
        /// When it was heard last; `None` where it never was.
        heard: Option<Timestamp>,
        /// What went wrong.
        problem: String,
    },
}

/// What is done next.
enum Step {
    /// The next page of a list; none of it came yet where there is no token and `began` is false.
    List { token: Option<String>, began: bool },
    /// A watch from a place in the history.
    Open { version: String },
    /// The next event of a watch.
    Watch {
        version: String,
        events: BoxStream<'static, kube::Result<WatchEvent<RawObject>>>,
    },
}

impl Step {
    fn list_anew() -> Self {
        Self::List {
            token: None,
            began: false,
        }
    }
}

struct Watcher {
    api: Api<RawObject>,
    fields: Option<&'static str>,
    next_pause: Duration,
    /// What was said together and is not yet told.
    waiting: VecDeque<Said>,
    heard: Option<Timestamp>,
    /// When the last watch was opened.
    opened: Instant,
    step: Step,
    pause: Option<Duration>,
}

/// Follows a kind; `fields` selects among its objects, and one that is no longer selected is deleted.
pub fn follow_kind(api: Api<RawObject>, fields: Option<&'static str>) -> impl Stream<Item = Said> + Send {
    let watcher = Watcher {
        api,
        fields,
        next_pause: FIRST_PAUSE,
        waiting: VecDeque::new(),
        heard: None,
        opened: Instant::now(),
        step: Step::list_anew(),
        pause: None,
    };
    unfold(watcher, |mut watcher| async move {
        loop {
            if let Some(said) = watcher.waiting.pop_front() {
                return Some((said, watcher));
            }
            watcher.advance().await;
        }
    })
}

impl Watcher {
    /// Does the next step, which may give something to tell.
    async fn advance(&mut self) {
        if let Some(pause) = self.pause.take() {
            sleep(pause).await;
        }
        match std::mem::replace(&mut self.step, Step::list_anew()) {
            Step::List { token, began } => self.list(token, began).await,
            Step::Open { version } => self.open(version).await,
            Step::Watch { version, events } => self.watch(version, events).await,
        }
    }

    async fn list(&mut self, token: Option<String>, began: bool) {
        let parameters = ListParams {
            field_selector: self.fields.map(str::to_owned),
            limit: Some(PAGE_SIZE),
            continue_token: token,
            ..ListParams::default()
        };
        let page = match self.api.list(&parameters).await {
            Ok(page) => page,
            // Half a list is none: it begins anew.
            Err(problem) => return self.away(&problem, Step::list_anew()),
        };
        self.heard = Some(Timestamp::now());
        if !began {
            self.waiting.push_back(Said::ListBegins);
        }
        self.waiting.extend(page.items.into_iter().map(Said::Applied));
        let token = page.metadata.continue_.filter(|token| !token.is_empty());
        if token.is_some() {
            self.step = Step::List { token, began: true };
            return;
        }
        self.waiting.push_back(Said::ListEnds);
        self.step = Step::Open {
            version: page.metadata.resource_version.unwrap_or_default(),
        };
    }

    async fn open(&mut self, version: String) {
        let parameters = WatchParams {
            field_selector: self.fields.map(str::to_owned),
            timeout: Some(WATCH_SECONDS),
            ..WatchParams::default()
        };
        match self.api.watch(&parameters, &version).await {
            Ok(events) => {
                self.heard = Some(Timestamp::now());
                self.opened = Instant::now();
                self.waiting.push_back(Said::Confirmed);
                let events = events.boxed();
                self.step = Step::Watch { version, events };
            }
            Err(kube::Error::Api(status)) if status.code == GONE => self.expired(&status),
            Err(problem) => self.away(&problem, Step::Open { version }),
        }
    }

    async fn watch(
        &mut self,
        version: String,
        mut events: BoxStream<'static, kube::Result<WatchEvent<RawObject>>>,
    ) {
        let most = Duration::from_secs(WATCH_SECONDS.into()) + WATCH_MARGIN;
        let next = timeout(most, events.next()).await;
        if matches!(next, Ok(None)) {
            // Whoever closes a connection was there until then; one that died without a word was not.
            self.heard = Some(Timestamp::now());
        }
        // The end of a watch is nothing wrong, and neither is one that never came: it is opened again, and whether the
        // API server is there shows then.
        let Ok(Some(event)) = next else {
            match self.opened.elapsed() < SHORT {
                true => self.wait(),
                false => self.next_pause = FIRST_PAUSE,
            }
            self.step = Step::Open { version };
            return;
        };
        if event.is_ok() {
            self.heard = Some(Timestamp::now());
        }
        let version_of = |object: &RawObject| object.meta().resource_version.clone();
        let (version, said) = match event {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                (version_of(&object), Said::Applied(object))
            }
            Ok(WatchEvent::Deleted(object)) => (version_of(&object), Said::Deleted(object)),
            Ok(WatchEvent::Bookmark(bookmark)) => {
                self.next_pause = FIRST_PAUSE;
                self.step = Step::Watch {
                    version: bookmark.metadata.resource_version,
                    events,
                };
                return;
            }
            Ok(WatchEvent::Error(status)) if status.code == GONE => return self.expired(&status),
            Ok(WatchEvent::Error(status)) => return self.away(&status, Step::Open { version }),
            // What the line was is not known, so that only a list can tell what it changed.
            Err(problem @ kube::Error::SerdeError(_)) => return self.away(&problem, Step::list_anew()),
            Err(problem) => return self.away(&problem, Step::Open { version }),
        };
        self.next_pause = FIRST_PAUSE;
        self.waiting.push_back(said);
        self.step = match version {
            Some(version) => Step::Watch { version, events },
            // Without a place in the history there is nothing to take up again.
            None => Step::list_anew(),
        };
    }

    /// The place in the history is forgotten. That is no absence: it was heard just now.
    fn expired(&mut self, problem: &impl std::fmt::Display) {
        tracing::debug!(%problem, "the watch has expired and begins with a new list");
        self.wait();
        self.step = Step::list_anew();
    }

    fn away(&mut self, problem: &impl std::fmt::Display, then: Step) {
        self.waiting.push_back(Said::Away {
            heard: self.heard,
            problem: problem.to_string(),
        });
        self.wait();
        self.step = then;
    }

    fn wait(&mut self) {
        self.pause = Some(self.next_pause);
        self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
    }
}
