//! The watches of our own kinds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt, select_all};
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep_until};

use crate::custom_resources::CustomResource;
use crate::policy::{CustomKind, GROUP, VERSION};

/// How long changes are gathered before they are handed out together: kubectl applies a folder object by object.
const COALESCE: Duration = Duration::from_millis(100);

/// A watch that is away fails again at least so often (the longest pause of its backoff is half a minute); one that did
/// not is back, though a quiet cluster gave it nothing to say.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is known of the objects of our kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomState {
    /// The objects as they were heard of last, by kind and name; `None` before every kind was listed whole.
    pub objects: Option<Arc<Vec<CustomResource>>>,
    /// Why they are not what the API server says now, as far as is known.
    pub problem: Option<String>,
}

impl Default for CustomState {
    fn default() -> Self {
        Self {
            objects: None,
            problem: Some("the custom resources were not listed yet".to_owned()),
        }
    }
}

/// One kind as far as it was heard of.
#[derive(Debug, Default)]
struct Heard {
    objects: BTreeMap<Arc<str>, CustomResource>,
    /// What a list has named so far, while it is not whole.
    listed: Option<BTreeMap<Arc<str>, CustomResource>>,
    is_whole: bool,
    /// When the watch failed last, and how; `None` once something is heard.
    failed: Option<(Instant, String)>,
}

impl Heard {
    fn take(&mut self, kind: CustomKind, event: watcher::Event<DynamicObject>) {
        self.failed = None;
        match event {
            watcher::Event::Init => self.listed = Some(BTreeMap::new()),
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                let json = serde_json::to_value(&object).ok();
                let Some(object) = json.and_then(|json| CustomResource::from_json(kind, &json)) else {
                    return;
                };
                let objects = self.listed.as_mut().unwrap_or(&mut self.objects);
                objects.insert(object.name.clone(), object);
            }
            watcher::Event::Delete(object) => {
                let Some(name) = object.metadata.name else { return };
                let objects = self.listed.as_mut().unwrap_or(&mut self.objects);
                objects.remove(name.as_str());
            }
            watcher::Event::InitDone => {
                if let Some(listed) = self.listed.take() {
                    self.objects = listed;
                    self.is_whole = true;
                }
            }
        }
    }
}

/// Watches kinds for ever, and hands out their objects whenever something of them changes. Returns when nobody listens
/// any more.
pub async fn follow_custom_resources(client: Client, kinds: Vec<CustomKind>, states: Sender<CustomState>) {
    let mut heard: BTreeMap<CustomKind, Heard> = kinds.iter().map(|kind| (*kind, Heard::default())).collect();
    let mut events = select_all(kinds.into_iter().map(|kind| watch(&client, kind)));
    let mut due = None;
    while !states.is_closed() {
        let until = due.unwrap_or_else(|| Instant::now() + LONGEST_PAUSE / 4);
        tokio::select! {
            event = events.next() => {
                let Some((kind, event)) = event else { return };
                let Some(heard) = heard.get_mut(&kind) else { continue };
                match event {
                    Ok(event) => heard.take(kind, event),
                    Err(problem) => heard.failed = Some((Instant::now(), problem)),
                }
                due.get_or_insert(Instant::now() + COALESCE);
            }
            () = sleep_until(until) => {
                due = None;
                let state = state_of(&heard, Instant::now());
                states.send_if_modified(|present| {
                    let differs = *present != state;
                    *present = state;
                    differs
                });
            }
        }
    }
}

fn state_of(heard: &BTreeMap<CustomKind, Heard>, now: Instant) -> CustomState {
    let missing = heard.iter().find(|(_, heard)| !heard.is_whole);
    let failed = heard.iter().find_map(|(kind, heard)| {
        let (at, problem) = heard.failed.as_ref()?;
        (now.duration_since(*at) < LONGEST_PAUSE).then_some((kind, problem))
    });
    let problem = match (failed, missing) {
        (Some((kind, problem)), _) => Some(format!(
            "the objects `{}.{GROUP}` of the cluster are not known: {problem}",
            kind.plural
        )),
        (None, Some((kind, _))) => Some(format!(
            "the objects `{}.{GROUP}` were not listed yet",
            kind.plural
        )),
        (None, None) => None,
    };
    let objects = missing.is_none().then(|| {
        let objects = heard.values().flat_map(|heard| heard.objects.values().cloned());
        Arc::new(objects.collect())
    });
    CustomState { objects, problem }
}

type KindEvent = (CustomKind, Result<watcher::Event<DynamicObject>, String>);

fn watch(client: &Client, kind: CustomKind) -> BoxStream<'static, KindEvent> {
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource_of(kind));
    let events = watcher(api, watcher::Config::default()).default_backoff();
    events
        .map(move |event| (kind, event.map_err(|problem| in_words(kind, &problem))))
        .boxed()
}

/// How the API server knows a kind.
pub(super) fn resource_of(kind: CustomKind) -> ApiResource {
    ApiResource {
        group: GROUP.to_owned(),
        version: VERSION.to_owned(),
        api_version: format!("{GROUP}/{VERSION}"),
        kind: kind.kind.to_owned(),
        plural: kind.plural.to_owned(),
    }
}

/// What went wrong, the same words each time it goes wrong the same way.
fn in_words(kind: CustomKind, problem: &watcher::Error) -> String {
    tracing::warn!(kind = kind.plural, %problem, "the watch broke and is taken up again");
    let answered = match problem {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code,
        _ => 0,
    };
    match answered {
        404 => "the cluster does not know them; install deploy/crds".to_owned(),
        403 => format!(
            "they may not be listed and watched; grant it for `{}.{GROUP}`",
            kind.plural
        ),
        _ => "the API server does not answer for them".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{CUSTOM_KINDS, DATA_SET};

    fn data_set(name: &str, spec: &str) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "domicile.dev/v1alpha1", "kind": "DataSet",
            "metadata": {"name": name}, "spec": {"owner": spec}
        }))
        .unwrap()
    }

    fn names(state: &CustomState) -> Vec<String> {
        let objects = state.objects.iter().flat_map(|objects| objects.iter());
        objects.map(|object| object.name.to_string()).collect()
    }

    #[test]
    fn nothing_is_known_before_every_kind_was_listed_whole() {
        let other = CUSTOM_KINDS[0];
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default()), (other, Heard::default())]);
        let now = Instant::now();
        heard
            .get_mut(&DATA_SET)
            .unwrap()
            .take(DATA_SET, watcher::Event::Init);
        heard
            .get_mut(&DATA_SET)
            .unwrap()
            .take(DATA_SET, watcher::Event::InitApply(data_set("a", "x")));
        heard
            .get_mut(&DATA_SET)
            .unwrap()
            .take(DATA_SET, watcher::Event::InitDone);
        let state = state_of(&heard, now);
        assert_eq!(state.objects, None);
        assert_eq!(
            state.problem.as_deref(),
            Some("the objects `policysettings.domicile.dev` were not listed yet")
        );
        heard.get_mut(&other).unwrap().take(other, watcher::Event::Init);
        heard
            .get_mut(&other)
            .unwrap()
            .take(other, watcher::Event::InitDone);
        let state = state_of(&heard, now);
        assert_eq!((names(&state), state.problem), (vec!["a".to_owned()], None));
    }

    #[test]
    fn a_new_list_takes_the_place_of_what_was_known_once_it_is_whole() {
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default())]);
        let now = Instant::now();
        let mut take = |event| {
            heard.get_mut(&DATA_SET).unwrap().take(DATA_SET, event);
            names(&state_of(&heard, now))
        };
        take(watcher::Event::Init);
        take(watcher::Event::InitDone);
        assert_eq!(take(watcher::Event::Apply(data_set("a", "x"))), ["a"]);
        assert_eq!(take(watcher::Event::Apply(data_set("b", "x"))), ["a", "b"]);
        assert_eq!(take(watcher::Event::Init), ["a", "b"]);
        assert_eq!(take(watcher::Event::InitApply(data_set("c", "x"))), ["a", "b"]);
        assert_eq!(take(watcher::Event::InitDone), ["c"]);
        assert_eq!(take(watcher::Event::Delete(data_set("c", "x"))), [""; 0]);
    }

    #[test]
    fn a_broken_watch_is_told_until_something_is_heard_or_it_is_quiet_for_long() {
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default())]);
        let now = Instant::now();
        let of = heard.get_mut(&DATA_SET).unwrap();
        of.take(DATA_SET, watcher::Event::Init);
        of.take(DATA_SET, watcher::Event::InitDone);
        of.failed = Some((now, "nobody answers".to_owned()));
        assert_eq!(
            state_of(&heard, now).problem.as_deref(),
            Some("the objects `datasets.domicile.dev` of the cluster are not known: nobody answers")
        );
        assert_eq!(state_of(&heard, now + LONGEST_PAUSE).problem, None);
        heard
            .get_mut(&DATA_SET)
            .unwrap()
            .take(DATA_SET, watcher::Event::Apply(data_set("a", "x")));
        assert_eq!(state_of(&heard, now).problem, None);
    }
}
