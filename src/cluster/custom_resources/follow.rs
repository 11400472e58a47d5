//! The watches of our own kinds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{BoxStream, StreamExt, select_all};
use kube::Client;
use kube::api::{Api, ApiResource};
use tokio::sync::watch::Sender;
use tokio::time::{Instant, sleep_until};

use super::super::raw_object::RawObject;
use super::super::watcher::{Said, follow_kind};
use crate::custom_resources::CustomResource;
use crate::policy::{CustomKind, GROUP, VERSION};

/// How long changes are gathered before they are handed out together: kubectl applies a folder object by object.
const COALESCE: Duration = Duration::from_millis(100);

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
    /// Why it cannot be heard; `None` once a watch is open again.
    away: Option<String>,
}

impl Heard {
    fn take(&mut self, kind: CustomKind, said: Said) {
        match said {
            Said::ListBegins => self.listed = Some(BTreeMap::new()),
            Said::Applied(object) => {
                let json = serde_json::from_slice(object.json()).ok();
                let Some(object) = json.and_then(|json| CustomResource::from_json(kind, &json)) else {
                    return;
                };
                let objects = self.listed.as_mut().unwrap_or(&mut self.objects);
                objects.insert(object.name.clone(), object);
            }
            Said::Deleted(object) => {
                let Some(name) = object.name() else { return };
                let objects = self.listed.as_mut().unwrap_or(&mut self.objects);
                objects.remove(name);
            }
            Said::ListEnds => {
                if let Some(listed) = self.listed.take() {
                    self.objects = listed;
                    self.is_whole = true;
                }
            }
            Said::Confirmed => self.away = None,
            Said::Away { problem, .. } => {
                tracing::warn!(
                    kind = kind.plural,
                    problem,
                    "the watch broke and is taken up again"
                );
                self.away = Some(in_words(kind, &problem));
            }
        }
    }
}

/// Watches kinds for ever, and hands out their objects whenever something of them changes. Returns when nobody listens
/// any more.
pub async fn follow_custom_resources(client: Client, kinds: Vec<CustomKind>, states: Sender<CustomState>) {
    let mut heard: BTreeMap<CustomKind, Heard> = kinds.iter().map(|kind| (*kind, Heard::default())).collect();
    let mut words = select_all(kinds.into_iter().map(|kind| watch(&client, kind)));
    let mut due: Option<Instant> = None;
    while !states.is_closed() {
        tokio::select! {
            said = words.next() => {
                let Some((kind, said)) = said else { return };
                if let Some(heard) = heard.get_mut(&kind) {
                    heard.take(kind, said);
                    due.get_or_insert(Instant::now() + COALESCE);
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                let state = state_of(&heard);
                states.send_if_modified(|present| {
                    let differs = *present != state;
                    *present = state;
                    differs
                });
            }
        }
    }
}

fn state_of(heard: &BTreeMap<CustomKind, Heard>) -> CustomState {
    let missing = heard.iter().find(|(_, heard)| !heard.is_whole);
    let failed = heard
        .iter()
        .find_map(|(kind, heard)| Some((kind, heard.away.as_ref()?)));
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

fn watch(client: &Client, kind: CustomKind) -> BoxStream<'static, (CustomKind, Said)> {
    let api: Api<RawObject> = Api::all_with(client.clone(), &resource_of(kind));
    follow_kind(api, None).map(move |said| (kind, said)).boxed()
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
fn in_words(kind: CustomKind, problem: &str) -> String {
    if problem.contains("404") {
        return "the cluster does not know them; install deploy/crds".to_owned();
    }
    if problem.contains("forbidden") || problem.contains("Forbidden") {
        return format!(
            "they may not be listed and watched; grant it for `{}.{GROUP}`",
            kind.plural
        );
    }
    "the API server does not answer for them".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{CUSTOM_KINDS, DATA_SET};

    fn data_set(name: &str) -> RawObject {
        let json = format!(r#"{{"metadata": {{"name": "{name}"}}, "spec": {{"consistency": "strict"}}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn names(state: &CustomState) -> Vec<String> {
        let objects = state.objects.iter().flat_map(|objects| objects.iter());
        objects.map(|object| object.name.to_string()).collect()
    }

    #[test]
    fn nothing_is_known_before_every_kind_was_listed_whole() {
        let other = CUSTOM_KINDS[0];
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default()), (other, Heard::default())]);
        for said in [
            Said::ListBegins,
            Said::Applied(data_set("a")),
            Said::ListEnds,
            Said::Confirmed,
        ] {
            heard.get_mut(&DATA_SET).unwrap().take(DATA_SET, said);
        }
        let state = state_of(&heard);
        assert_eq!(state.objects, None);
        assert_eq!(
            state.problem.as_deref(),
            Some("the objects `policysettings.domicile.dev` were not listed yet")
        );
        for said in [Said::ListBegins, Said::ListEnds] {
            heard.get_mut(&other).unwrap().take(other, said);
        }
        let state = state_of(&heard);
        assert_eq!((names(&state), state.problem), (vec!["a".to_owned()], None));
    }

    #[test]
    fn a_new_list_takes_the_place_of_what_was_known_once_it_is_whole() {
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default())]);
        let mut take = |said| {
            heard.get_mut(&DATA_SET).unwrap().take(DATA_SET, said);
            names(&state_of(&heard))
        };
        take(Said::ListBegins);
        take(Said::ListEnds);
        assert_eq!(take(Said::Applied(data_set("a"))), ["a"]);
        assert_eq!(take(Said::Applied(data_set("b"))), ["a", "b"]);
        assert_eq!(take(Said::ListBegins), ["a", "b"]);
        assert_eq!(take(Said::Applied(data_set("c"))), ["a", "b"]);
        assert_eq!(take(Said::ListEnds), ["c"]);
        assert_eq!(take(Said::Deleted(data_set("c"))), [""; 0]);
    }

    #[test]
    fn an_api_server_that_is_away_is_told_in_words_until_a_watch_is_open_again() {
        let mut heard = BTreeMap::from([(DATA_SET, Heard::default())]);
        let mut take = |said| {
            heard.get_mut(&DATA_SET).unwrap().take(DATA_SET, said);
            state_of(&heard).problem
        };
        take(Said::ListBegins);
        take(Said::ListEnds);
        for (problem, told) in [
            ("connection refused", "the API server does not answer for them"),
            (
                "ApiError: \"404 page not found\": Failed to parse error data",
                "the cluster does not know them; install deploy/crds",
            ),
            (
                "datasets.domicile.dev is forbidden: User \"x\" cannot list resource",
                "they may not be listed and watched; grant it for `datasets.domicile.dev`",
            ),
        ] {
            let away = Said::Away {
                heard: None,
                problem: problem.to_owned(),
            };
            assert_eq!(
                take(away),
                Some(format!(
                    "the objects `datasets.domicile.dev` of the cluster are not known: {told}"
                ))
            );
        }
        assert!(take(Said::Applied(data_set("a"))).is_some());
        assert_eq!(take(Said::Confirmed), None);
    }
}
