//! A workload through the real kube-scheduler and the real extender, and all that either of them did.
//!
//! The order of attempts, bindings and evictions is that of kube-scheduler's log; what it asked and was answered is what
//! the recorder between it and the extender saw, put to the attempt during which it was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use k8s_openapi::api::core::v1 as core;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::objects;
use super::scheduler_log::{self, DAY_US, Line, What};
use super::workload::{Step, Workload};
use crate::cases::stand::{Plan, Stand, scheduler_name};
use crate::recorder::Call;
use crate::scheduler::Mode;
use crate::waiting;

/// Retries pause for up to 10 s, and a blind sample needs several.
const LIMIT: Duration = Duration::from_secs(240);

/// Without a new attempt for so long nothing more is about to be tried.
const QUIET: Duration = Duration::from_millis(600);

/// What happened, in order.
pub struct Recording {
    pub events: Vec<Event>,
}

pub enum Event {
    Attempt(Attempt),
    /// A pod that had a node is forgotten.
    Gone(String),
}

/// One scheduling cycle. Pods are `namespace/name`.
#[derive(Debug, Default)]
pub struct Attempt {
    pub pod: String,
    /// In their order: of a nominated pod there are up to two.
    pub filters: Vec<Filter>,
    /// The score of each node that has one.
    pub scores: Option<BTreeMap<String, u8>>,
    pub preempt: Option<Preempt>,
    pub bound: Option<String>,
    /// From which node, and who.
    pub evicted: Option<(String, BTreeSet<String>)>,
}

/// A filter call.
#[derive(Debug)]
pub struct Filter {
    /// In the order of the search.
    pub offered: Vec<String>,
    /// `None` where the answer is an error.
    pub answer: Option<FilterAnswer>,
}

#[derive(Debug)]
pub struct FilterAnswer {
    pub passed: BTreeSet<String>,
    /// Refused, but evicting may help.
    pub refused: BTreeSet<String>,
}

/// A call about preemption.
#[derive(Debug)]
pub struct Preempt {
    /// Nodes, and who would be evicted.
    pub candidates: BTreeMap<String, BTreeSet<String>>,
    pub kept: BTreeSet<String>,
}

/// Runs a workload.
pub async fn record(workload: &Workload) -> Recording {
    let running = Running::start(workload).await;
    let clock = (Instant::now(), SystemTime::now());
    let mut created: Vec<core::Pod> = Vec::new();
    for step in &workload.steps {
        match step {
            Step::Come(pod) => {
                let object = objects::pod(pod, scheduler_name(Mode::NamesOnly));
                let api = running.stand.cluster().pods(&pod.spec.namespace);
                created.push(
                    api.create(&PostParams::default(), &object)
                        .await
                        .expect("a pod can come"),
                );
            }
            Step::Go(number) => {
                let pod = &created[*number];
                let api = running.stand.cluster().pods(&pod.namespace().unwrap_or_default());
                api.delete(&pod.name_any(), &DeleteParams::default())
                    .await
                    .expect("a pod can go");
            }
            Step::Settle => running.settle(&created).await,
        }
    }
    running.settle(&created).await;
    let uids = created
        .iter()
        .map(|pod| (pod.uid().unwrap_or_default(), full_name(pod)));
    running.recording(clock, &uids.collect())
}

struct Running {
    stand: Stand,
}

impl Running {
    /// An empty cluster becomes the workload's: the nodes come one by one to a scheduler that is there, so that it
    /// knows them in their order.
    async fn start(workload: &Workload) -> Self {
        let mut plan = Plan::begin(&format!("fidelity-{}", workload.name))
            .await
            .one_mode(Mode::NamesOnly)
            .determined();
        if workload.profile.percentage_of_nodes_to_score.is_none() {
            plan = plan.default_sampling();
        }
        for (name, annotations) in Workload::namespaces() {
            plan = plan.namespace(name, annotations).await;
        }
        let mut stand = plan.start_unready().await;
        let cluster = stand.cluster();
        for (namespace, service) in objects::services(workload) {
            Api::namespaced(cluster.client.clone(), &namespace)
                .create(&PostParams::default(), &service)
                .await
                .expect("a service can come");
        }
        let priorities: BTreeSet<i32> = workload.pods().map(|pod| pod.spec.priority).collect();
        for priority in priorities.into_iter().filter(|priority| *priority != 0) {
            cluster.ensure_priority_class(priority).await;
        }
        for node in &workload.nodes {
            cluster.create_node_object(&objects::node(node)).await;
        }
        stand.domicile.until_ready().await;
        let nodes = u32::try_from(workload.nodes.len()).expect("a few hundred");
        stand.until_nodes(nodes).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        Self { stand }
    }

    /// Waits until every pod that is there is bound or refused for good as things are, and nothing is tried any more.
    async fn settle(&self, created: &[core::Pod]) {
        let log = self.stand.lanes[0].scheduler.log();
        waiting::until("all is tried", LIMIT, async || {
            let unsettled = self.unsettled().await;
            if !unsettled.is_empty() {
                return Err(format!("unsettled: {unsettled:?}"));
            }
            let before = scheduler_log::attempts(&log);
            tokio::time::sleep(QUIET).await;
            match scheduler_log::attempts(&log) - before {
                0 => Ok(()),
                more => Err(format!("{more} more attempts")),
            }
        })
        .await;
        self.tell_start_times(created).await;
    }

    async fn unsettled(&self) -> Vec<String> {
        let mut unsettled = Vec::new();
        for pod in self.pods().await {
            let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
            let is_bound = spec.is_some_and(|spec| spec.node_name.is_some());
            let is_nominated = status.is_some_and(|status| status.nominated_node_name.is_some());
            let conditions = status.and_then(|status| status.conditions.as_ref());
            let is_refused = conditions.into_iter().flatten().any(|condition| {
                condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("Unschedulable")
            });
            if !is_bound && (is_nominated || !is_refused) {
                unsettled.push(full_name(&pod));
            }
        }
        unsettled
    }

    /// As a kubelet does, but a second apart in the order in which they came: who runs for how long decides whom
    /// kube-scheduler evicts.
    async fn tell_start_times(&self, created: &[core::Pod]) {
        let numbers: BTreeMap<String, usize> = created.iter().map(full_name).zip(0..).collect();
        for pod in self.pods().await {
            let is_bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
            let is_told = pod
                .status
                .as_ref()
                .is_some_and(|status| status.start_time.is_some());
            let Some(number) = numbers.get(&full_name(&pod)).filter(|_| is_bound && !is_told) else {
                continue;
            };
            let start = format!("2026-11-21T00:{:02}:{:02}Z", number / 60, number % 60);
            let patch = Patch::Merge(json!({ "status": { "startTime": start } }));
            self.stand
                .cluster()
                .pods(&pod.namespace().unwrap_or_default())
                .patch_status(&pod.name_any(), &PatchParams::default(), &patch)
                .await
                .expect("a status can be written");
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    async fn pods(&self) -> Vec<core::Pod> {
        let mut all = Vec::new();
        for (namespace, _) in Workload::namespaces() {
            let api = self.stand.cluster().pods(namespace);
            all.extend(api.list(&ListParams::default()).await.expect("pods can be read"));
        }
        all
    }

    /// Puts log and calls together. `clock` is one instant on both clocks, `uids` names pods.
    fn recording(&self, clock: (Instant, SystemTime), uids: &BTreeMap<String, String>) -> Recording {
        let lane = &self.stand.lanes[0];
        let mut lines = scheduler_log::read(&lane.scheduler.log());
        lines.sort_by_key(|line| line.at_us);
        let mut events: Vec<(u64, Event)> = lines.iter().filter_map(event).collect();
        for verb in ["filter", "prioritize", "preempt"] {
            for call in lane.recorder.calls(verb) {
                let attempt = attempt_at(&mut events, time_of_day(call.at, clock));
                assert_eq!(
                    attempt.pod,
                    pod_of(&call),
                    "a {verb} call belongs to the attempt during which it came"
                );
                add(attempt, &call, uids);
            }
        }
        for Line { at_us, what } in lines {
            match what {
                What::Bound { pod, node } => attempt_of(&mut events, at_us, &pod).bound = Some(node),
                What::Evicted {
                    preemptor,
                    victim,
                    node,
                } => {
                    // Told after the victim went, when the preemptor may be tried again already.
                    let evicts = |attempt: &Attempt| {
                        let candidates = attempt.preempt.as_ref().map(|preempt| &preempt.candidates);
                        let victims = candidates.and_then(|candidates| candidates.get(&node));
                        attempt.pod == preemptor && victims.is_some_and(|victims| victims.contains(&victim))
                    };
                    let evicted = &mut last_attempt(&mut events, at_us, evicts).evicted;
                    let (_, victims) = evicted.get_or_insert_with(|| (node.clone(), BTreeSet::new()));
                    victims.insert(victim.clone());
                }
                What::Attempt { .. } | What::Gone { .. } => {}
            }
        }
        Recording {
            events: events.into_iter().map(|(_, event)| event).collect(),
        }
    }
}

fn event(line: &Line) -> Option<(u64, Event)> {
    let event = match &line.what {
        What::Attempt { pod } => Event::Attempt(Attempt {
            pod: pod.clone(),
            ..Attempt::default()
        }),
        What::Gone { pod } => Event::Gone(pod.clone()),
        What::Bound { .. } | What::Evicted { .. } => return None,
    };
    Some((line.at_us, event))
}

/// The cycle of a time.
fn attempt_at(events: &mut [(u64, Event)], time_us: u64) -> &mut Attempt {
    last_attempt(events, time_us, |_| true)
}

/// The last cycle of a pod that had begun by a time.
fn attempt_of<'a>(events: &'a mut [(u64, Event)], time_us: u64, pod: &str) -> &'a mut Attempt {
    last_attempt(events, time_us, |attempt| attempt.pod == pod)
}

fn last_attempt(events: &mut [(u64, Event)], time_us: u64, is_it: impl Fn(&Attempt) -> bool) -> &mut Attempt {
    let earlier = events.iter_mut().rev().filter(|(at_us, _)| *at_us <= time_us);
    let mut attempts = earlier.filter_map(|(_, event)| match event {
        Event::Attempt(attempt) if is_it(attempt) => Some(attempt),
        _ => None,
    });
    attempts.next().expect("what was done was done during an attempt")
}

/// Microseconds of the day in UTC.
fn time_of_day(at: Instant, (instant, time): (Instant, SystemTime)) -> u64 {
    let time = time + at.saturating_duration_since(instant);
    let since = time.duration_since(UNIX_EPOCH).expect("it is after 1970");
    u64::try_from(since.as_micros()).expect("it is not so late") % DAY_US
}

fn add(attempt: &mut Attempt, call: &Call, uids: &BTreeMap<String, String>) {
    let answer = call.answer().unwrap_or(Value::Null);
    match call.verb.as_str() {
        "filter" => {
            let refused = answer["FailedNodes"].as_object().into_iter().flatten();
            let is_error =
                answer.is_null() || answer["Error"].as_str().is_some_and(|error| !error.is_empty());
            attempt.filters.push(Filter {
                offered: strings(&call.request["NodeNames"]).collect(),
                answer: (!is_error).then(|| FilterAnswer {
                    passed: strings(&answer["NodeNames"]).collect(),
                    refused: refused.map(|(node, _)| node.clone()).collect(),
                }),
            });
        }
        "prioritize" => {
            let scores = answer.as_array().map(|scores| {
                let score = |entry: &Value| {
                    let score = entry["Score"].as_u64().and_then(|score| u8::try_from(score).ok());
                    Some((entry["Host"].as_str()?.to_owned(), score?))
                };
                scores.iter().filter_map(score).collect()
            });
            attempt.scores = scores;
        }
        _ => {
            let nodes = |value: &Value| {
                value["NodeNameToMetaVictims"]
                    .as_object()
                    .cloned()
                    .unwrap_or_default()
            };
            let victims = |victims: &Value| {
                let pods = victims["Pods"].as_array().into_iter().flatten();
                pods.map(|pod| uids[pod["UID"].as_str().unwrap_or_default()].clone())
                    .collect()
            };
            attempt.preempt = Some(Preempt {
                candidates: (nodes(&call.request).iter())
                    .map(|(node, meta)| (node.clone(), victims(meta)))
                    .collect(),
                kept: nodes(&answer).into_iter().map(|(node, _)| node).collect(),
            });
        }
    }
}

fn strings(list: &Value) -> impl Iterator<Item = String> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(|name| name.as_str().map(str::to_owned))
}

fn pod_of(call: &Call) -> String {
    let namespace = call.request["Pod"]["metadata"]["namespace"].as_str();
    format!("{}/{}", namespace.unwrap_or_default(), call.pod())
}

fn full_name(pod: &core::Pod) -> String {
    format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any())
}
