//! `domicile serve`: wires sources of facts, the one writer, the cluster and the server together.
//!
//! No rule lives here. Order at the start: settings, log, listeners, sources; the first look at each
//! source is before the server answers, so that a good start is ready at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use anyhow::{Context, Result};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::custom_resources::{CustomResources, Inboxes};
use super::encryption::Encryption;
use super::first_decision::first_decision;
use super::sources::{Kept, Report, keep_sources};
use crate::cluster::lease::{Leadership, stand_for_election};
use crate::cluster::{ClusterState, Duties, DutyMetrics, EveryPod};
use crate::config::{self, FleetSource, LiveLatencySettings, OnBlindSample, ServeArgs, ServeSettings};
use crate::decisions::{DecisionIds, DecisionLog, DecisionLogSettings};
use crate::extender::RefusalReasons;
use crate::files::{SourceHealth, SourceName, SourceState, SourceWatch};
use crate::live_latency::LiveLatency;
use crate::metrics::Metrics;
use crate::model::NamespaceName;
use crate::placement::BlindSample;
use crate::pod_events::PodEvents;
use crate::policy::PolicySet;
use crate::publish::Publisher;
use crate::server::{
    self, Admission, AnswerSettings, BodyBudget, Endpoint, Readiness, RunSettings, ServerState, TlsAddress,
    Turns,
};
use crate::{cluster, embedded, prometheus, telemetry};

/// Runs until it is asked to stop.
///
/// The exit code is 0 after an orderly stop and 2 where it could not start.
#[must_use]
pub fn run(arguments: &ServeArgs, environment: &BTreeMap<String, String>) -> ExitCode {
    let outcome = config::load(arguments, environment)
        .map_err(anyhow::Error::from)
        .and_then(|settings| {
            telemetry::start(&settings.log)?;
            actix_web::rt::System::new().block_on(serve(settings))
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("domicile serve: {problem:#}");
            ExitCode::from(2)
        }
    }
}

/// How long a stop waits until the Lease is given back.
const RESIGN_LIMIT: Duration = Duration::from_secs(3);
/// How many threads answer at the admin address.
const ADMIN_WORKERS: usize = 1;

async fn serve(settings: ServeSettings) -> Result<()> {
    let listener = bind(settings.listen)?;
    let address = listener.local_addr().unwrap_or(settings.listen);
    let admin = settings.admin_listen.map(bind).transpose()?;
    let admission = settings.admission.as_ref();
    let admission = admission.map(|admission| bind(admission.listen)).transpose()?;
    let publisher = Arc::new(Publisher::default());
    let readiness = Arc::new(Readiness::waiting_for(awaited(&settings)));
    let metrics = Arc::new(Metrics::new());
    let decisions = settings
        .decisions
        .as_deref()
        .map(|path| open_log(path, &metrics))
        .transpose()?;
    count_publications(&publisher, &metrics);
    let report: Report = {
        let readiness = readiness.clone();
        let metrics = metrics.clone();
        Arc::new(move |health: &SourceHealth| {
            metrics.source(health);
            if !matches!(health.state, SourceState::NeverLoaded { .. }) {
                readiness.loaded(health.name.word());
            }
        })
    };
    let exempt = Arc::new(ArcSwap::from_pointee(exempt_by_default()));
    let (endpoints, certificates) = endpoints(&settings, &metrics, (listener, admission, admin))?;
    let custom = CustomResources::follow(&settings).await?;
    let inboxes = custom
        .as_ref()
        .map_or_else(Inboxes::default, CustomResources::inboxes);
    let kept = Arc::new(keep_sources(&settings, &publisher, &exempt, &report, &inboxes)?);
    let writing = match settings.fleet {
        FleetSource::Cluster => follow_cluster(&settings, &publisher, &readiness, &metrics).await?,
        FleetSource::File(_) | FleetSource::Embedded => None,
    };
    let (pod_events, leadership) = writing.unzip();
    if let Some(custom) = custom {
        custom.go_on(kept.clone(), publisher.clone(), &settings, leadership.clone());
    }
    follow_prometheus(&settings.live_latency, &publisher, &metrics);
    let state = Data::new(ServerState {
        snapshots: publisher.snapshots(),
        measured: publisher.measured(),
        readiness: readiness.clone(),
        exempt_before_ready: exempt,
        clock: Timestamp::now,
        answers: AnswerSettings {
            refusal_reasons: refusal_reasons(settings.refusal_reasons),
            on_blind_sample: blind_sample(settings.on_blind_sample),
        },
        metrics,
        pod_events,
        decisions: decisions.clone(),
        decision_ids: DecisionIds::new(Timestamp::now()),
        bodies: Arc::new(BodyBudget::new(settings.body_limit_bytes.get())),
        turns: Arc::new(Turns::new(
            settings.overload.most_waiting.get(),
            settings.overload.longest_wait,
        )),
        admission: match &settings.admission {
            Some(admission) => Admission::new(admission.settings.clone(), admission.wait_for_facts),
            None => Admission::default(),
        },
    });
    greet(&settings, &publisher, address);
    on_hangup(kept.clone(), certificates, decisions.clone())?;
    let run = RunSettings {
        shutdown_grace: settings.shutdown_grace,
    };
    let outcome = server::run(state, endpoints, run).await;
    if let Some(leadership) = leadership {
        leadership.resign(RESIGN_LIMIT).await;
    }
    if let Some(log) = decisions {
        log.close(settings.shutdown_grace);
    }
    outcome.context("the server failed")
}

/// What is served where, and the watches of the certificates for it. With an address of their own, the admin
/// routes are there and only there, unencrypted: they tell nothing of pods.
fn endpoints(
    settings: &ServeSettings,
    metrics: &Metrics,
    (extender, admission, admin): (TcpListener, Option<TcpListener>, Option<TcpListener>),
) -> Result<(Vec<Endpoint>, Vec<SourceWatch>)> {
    let mut encryption = Encryption::new(settings, metrics);
    let routes = match admin {
        Some(_) => server::configure_extender,
        None => server::configure,
    };
    let workers = settings.workers.map(NonZeroUsize::get);
    let extender = Endpoint::new(extender, routes).with_workers(workers);
    let extender = encryption.of(extender, TlsAddress::Extender, settings.tls.as_ref())?;
    let admission = admission.map(|admission| {
        let endpoint = Endpoint::new(admission, server::configure_admission).with_workers(workers);
        let tls = settings
            .admission
            .as_ref()
            .and_then(|admission| admission.tls.as_ref());
        encryption.of(endpoint, TlsAddress::Admission, tls)
    });
    let admission = admission.transpose()?;
    let admin =
        admin.map(|admin| Endpoint::new(admin, server::configure_admin).with_workers(Some(ADMIN_WORKERS)));
    let endpoints = [extender].into_iter().chain(admission).chain(admin).collect();
    Ok((endpoints, encryption.into_watches()))
}

fn bind(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn open_log(path: &Path, metrics: &Metrics) -> Result<Arc<DecisionLog>> {
    let log = DecisionLog::open(path, DecisionLogSettings::default(), metrics.decision_log());
    log.map(Arc::new)
        .with_context(|| format!("cannot write decision records to `{}`", path.display()))
}

/// Counts each publication, and keeps the gauges of the world.
fn count_publications(publisher: &Publisher, metrics: &Arc<Metrics>) {
    let mut publications = publisher.publications();
    let metrics = metrics.clone();
    actix_web::rt::spawn(async move {
        let mut counted = 0;
        while publications.changed().await.is_ok() {
            let publication = publications.borrow_and_update().clone();
            if let Some(snapshot) = publication.current {
                let observing = snapshot.policies().settings().observe;
                let new = publication.number - counted;
                counted = publication.number;
                metrics.latency().pairs(publication.pairs);
                metrics.published(new, snapshot.node_count(), snapshot.classes().len(), observing);
            }
        }
    });
}

/// On SIGHUP every file is looked at, certificates too, and the log of decisions is opened anew.
fn on_hangup(
    kept: Arc<Kept>,
    certificates: Vec<SourceWatch>,
    decisions: Option<Arc<DecisionLog>>,
) -> Result<()> {
    let mut hangups = signal(SignalKind::hangup()).context("SIGHUP cannot be listened for")?;
    actix_web::rt::spawn(async move {
        while hangups.recv().await.is_some() {
            kept.look_now();
            certificates.iter().for_each(SourceWatch::look_now);
            if let Some(log) = &decisions {
                log.reopen();
            }
        }
    });
    Ok(())
}

/// The sources without which nothing is decided.
fn awaited(settings: &ServeSettings) -> Vec<&'static str> {
    let fleet = match settings.fleet {
        FleetSource::Cluster => SourceName::Cluster,
        FleetSource::File(_) | FleetSource::Embedded => SourceName::Fleet,
    };
    [
        SourceName::Policies,
        SourceName::DataSets,
        SourceName::Latency,
        fleet,
    ]
    .map(SourceName::word)
    .to_vec()
}

/// Follows the cluster in the background: each state of it is published, pods that it makes schedulable
/// are woken, and what pods should be told is written, unless nothing may be. Gives where the latter is handed in,
/// and whether this replica is the one that does what is done once.
async fn follow_cluster(
    settings: &ServeSettings,
    publisher: &Arc<Publisher>,
    readiness: &Arc<Readiness>,
    metrics: &Arc<Metrics>,
) -> Result<Option<(PodEvents, Leadership)>> {
    let client = kube_client().await?;
    let (every_pod, listeners) = EveryPod::channel();
    let writing =
        (!settings.read_only).then(|| write_to_cluster(settings, &client, every_pod, publisher, metrics));
    let (sender, states) = tokio::sync::watch::channel(ClusterState::default());
    actix_web::rt::spawn(cluster::follow(client, sender, listeners));
    let (readiness, metrics) = (readiness.clone(), metrics.clone());
    let look = move |state: &ClusterState| {
        if let Some(health) = cluster::cluster_health(state, Timestamp::now()) {
            metrics.source(&health);
            readiness.loaded(SourceName::Cluster.word());
        }
    };
    actix_web::rt::spawn(cluster::hand_over(states, publisher.clone(), look));
    Ok(writing)
}

/// Stands for election, does what the elected does, and writes what pods should be told.
fn write_to_cluster(
    settings: &ServeSettings,
    client: &kube::Client,
    every_pod: EveryPod,
    publisher: &Publisher,
    metrics: &Metrics,
) -> (PodEvents, Leadership) {
    let (leadership, election) =
        stand_for_election(client.clone(), &settings.lease, metrics.lease(), Timestamp::now);
    actix_web::rt::spawn(election);
    let (pod_events, waiting) = PodEvents::queue(metrics.pod_events());
    actix_web::rt::spawn(cluster::write_pod_events(
        client.clone(),
        waiting,
        metrics.pod_events(),
    ));
    let duties = Duties {
        client: client.clone(),
        every_pod,
        publications: publisher.publications(),
        leadership: leadership.clone(),
        events: pod_events.clone(),
        settings: settings.duties,
        metrics: DutyMetrics {
            retries: metrics.retries(),
            scan: metrics.scan(),
        },
        clock: Timestamp::now,
    };
    actix_web::rt::spawn(duties.attend());
    (pod_events, leadership)
}

/// Follows each Prometheus in the background. Nothing waits for them: what they do not say, files say.
fn follow_prometheus(settings: &LiveLatencySettings, publisher: &Arc<Publisher>, metrics: &Metrics) {
    let names = settings.prometheus.iter().map(|source| source.name.clone());
    let live = LiveLatency::new(names, settings.estimator, publisher.clone(), metrics.latency());
    let destinations = prometheus::Destinations {
        live: Arc::new(live),
        publisher: publisher.clone(),
        metrics: metrics.latency(),
        clock: Timestamp::now,
    };
    for source in settings.prometheus.iter().cloned() {
        tracing::info!(source = %source.name, url = %source.url, "asks for latencies");
        actix_web::rt::spawn(prometheus::follow(source, destinations.clone()));
    }
}

/// A client of the cluster that we run in, or that kubeconfig names.
pub(super) async fn kube_client() -> Result<kube::Client> {
    let mut config = kube::Config::infer()
        .await
        .context("no cluster is known: set KUBECONFIG or run in a pod")?;
    // A watch is idle for minutes; its own timeout is set by the watcher.
    config.read_timeout = None;
    kube::Client::try_from(config).context("the client of the cluster cannot be made")
}

/// The namespaces whose pods pass while no policy set is loaded: those of the shipped settings.
fn exempt_by_default() -> BTreeSet<NamespaceName> {
    let shipped = PolicySet::load(embedded::policies().iter().copied());
    shipped
        .map(|loaded| loaded.set.settings().exempt_namespaces.clone())
        .unwrap_or_default()
}

fn refusal_reasons(setting: config::RefusalReasons) -> RefusalReasons {
    match setting {
        config::RefusalReasons::Auto => RefusalReasons::Auto,
        config::RefusalReasons::One => RefusalReasons::One,
        config::RefusalReasons::All => RefusalReasons::All,
    }
}

fn blind_sample(setting: OnBlindSample) -> BlindSample {
    match setting {
        OnBlindSample::Error => BlindSample::Error,
        OnBlindSample::Refuse => BlindSample::Refuse,
    }
}

/// Says where it listens, and on the built-in fleet what to try first. Only that goes to standard output,
/// which in an installation may be where decision records go.
fn greet(settings: &ServeSettings, publisher: &Publisher, address: SocketAddr) {
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    tracing::info!("answers kube-scheduler at {scheme}://{address}");
    if let Some(admission) = &settings.admission {
        let scheme = if admission.tls.is_some() { "https" } else { "http" };
        tracing::info!("answers API servers at {scheme}://{}", admission.listen);
    }
    // Whoever has certificates is beyond a first look.
    if settings.fleet != FleetSource::Embedded || settings.tls.is_some() {
        return;
    }
    let snapshot = publisher.snapshots().load_full();
    if let Some(call) = snapshot.and_then(|snapshot| first_decision(&snapshot, address)) {
        println!("a first decision, on the built-in fleet:\n\n{call}\n");
    }
}
