//! Standing for election: the Lease read and written, for as long as the process runs.
//!
//! Inputs: a client, names, a clock. Effects: one Lease, written every [`RETRY`] while it is held and read as often
//! while it is not. Invariants: a request that hangs is given up after [`REQUEST_LIMIT`]; a failure never prolongs what
//! is held; at an orderly stop the Lease is given back.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::election::{Election, RENEW_WITHIN, Step};
use super::{Leadership, Standing};
use crate::metrics::LeaseMetrics;

/// How often the Lease is renewed, or looked at.
const RETRY: Duration = Duration::from_secs(2);

/// How often it is tried again where the account may not use it.
const RETRY_FORBIDDEN: Duration = Duration::from_secs(60);

/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(4);

/// Where Kubernetes tells a pod its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// Which Lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` is that of the pod that we run in.
    pub namespace: Option<String>,
}

impl LeaseSettings {
    fn known_namespace(&self) -> Option<String> {
        let of_file = || std::fs::read_to_string(NAMESPACE_FILE).ok();
        let found = self
            .namespace
            .clone()
            .or_else(|| std::env::var("POD_NAMESPACE").ok())
            .or_else(of_file)?;
        let found = found.trim();
        (!found.is_empty()).then(|| found.to_owned())
    }
}

/// A handle, and what has to run for it to say anything.
pub fn stand_for_election(
    client: Client,
    settings: &LeaseSettings,
    metrics: LeaseMetrics,
    clock: fn() -> Timestamp,
) -> (Leadership, impl Future<Output = ()> + 'static) {
    let (standing, told) = watch::channel(Standing::Standby);
    let resign = Arc::new(watch::Sender::new(false));
    let candidate = settings.known_namespace().map(|namespace| Candidate {
        leases: Api::namespaced(client, &namespace),
        name: settings.name.clone(),
        election: Election::new(identity(clock())),
        held: None,
        clock,
    });
    let stop = resign.subscribe();
    let post = Post { standing, metrics };
    let running = async move {
        match candidate {
            Some(candidate) => run(candidate, post, stop).await,
            None => alone(post, stop).await,
        }
    };
    let leadership = Leadership {
        standing: told,
        resign,
    };
    (leadership, running)
}

/// No two processes have the same: not the next container of a pod, not two on one machine.
fn identity(started: Timestamp) -> String {
    let host = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let host = host.unwrap_or_else(|| "domicile".to_owned());
    format!("{host}_{}_{}", std::process::id(), started.as_nanosecond())
}

/// Where the standing is told, with its metrics.
struct Post {
    standing: watch::Sender<Standing>,
    metrics: LeaseMetrics,
}

impl Post {
    fn tell(&self, standing: Standing) {
        let was = self.standing.send_replace(standing);
        let acts = |standing| matches!(standing, Standing::Held { .. } | Standing::Alone);
        self.metrics
            .standing(acts(was), acts(standing), standing == Standing::Alone);
        match (was, standing) {
            (Standing::Standby, Standing::Held { .. }) => {
                tracing::info!("this replica holds the Lease: it wakes pods and scans");
            }
            (Standing::Held { .. }, Standing::Standby) => {
                tracing::info!("this replica holds the Lease no more");
            }
            _ => {}
        }
    }
}

async fn alone(post: Post, mut stop: watch::Receiver<bool>) {
    tracing::info!(
        "no Lease is used, for the namespace of this replica is not known: it acts as the only one; \
         set `lease.namespace` or POD_NAMESPACE where there are several"
    );
    post.tell(Standing::Alone);
    // Whoever could ask us to stop is gone, or did.
    let _ = stop.wait_for(|stop| *stop).await;
    post.tell(Standing::Resigned);
}

/// Why no standing is known.
enum Failure {
    /// The account may not use Leases.
    Forbidden(kube::Error),
    /// The API server cannot be asked.
    Unreachable(String),
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(ref status) if status.code == 403 => Self::Forbidden(error),
            other => Self::Unreachable(other.to_string()),
        }
    }
}

struct Candidate {
    leases: Api<Lease>,
    name: String,
    election: Election,
    /// The Lease as we wrote it last, while it is ours.
    held: Option<Lease>,
    clock: fn() -> Timestamp,
}

async fn run(mut candidate: Candidate, post: Post, mut stop: watch::Receiver<bool>) {
    let mut is_forbidden = false;
    loop {
        let tried = timeout(REQUEST_LIMIT, candidate.attempt()).await;
        let outcome = tried.unwrap_or_else(|_| Err(Failure::Unreachable("no answer in time".to_owned())));
        let mut pause = RETRY;
        match outcome {
            Ok(standing) => {
                is_forbidden = false;
                post.tell(standing);
            }
            Err(Failure::Forbidden(problem)) => {
                if !is_forbidden {
                    tracing::warn!(
                        %problem,
                        "the Lease may not be used: this replica acts as the only one, and several wake pods twice"
                    );
                }
                is_forbidden = true;
                candidate.held = None;
                post.metrics.failed();
                post.tell(Standing::Alone);
                pause = RETRY_FORBIDDEN;
            }
            Err(Failure::Unreachable(problem)) => {
                post.metrics.failed();
                tracing::debug!(problem, "the Lease cannot be read or renewed; tried again");
                candidate.held = None;
                if !post.standing.borrow().is_held(Instant::now()) {
                    post.tell(Standing::Standby);
                }
            }
        }
        tokio::select! {
            () = sleep(pause) => {}
            // Without anybody who could ask us to stop we go on.
            Ok(_) = stop.wait_for(|stop| *stop) => break,
        }
    }
    let released = timeout(REQUEST_LIMIT, candidate.release()).await;
    if !matches!(released, Ok(Ok(()))) {
        tracing::warn!("the Lease cannot be given back; another replica acts once it ran out");
    }
    post.tell(Standing::Resigned);
}

impl Candidate {
    /// Renews what is held, or looks whether there is something to claim.
    async fn attempt(&mut self) -> Result<Standing, Failure> {
        if let Some(held) = self.held.take() {
            let until = Instant::now() + RENEW_WITHIN;
            if let Some(renewed) = self.write(Some(held)).await? {
                self.held = Some(renewed);
                return Ok(Standing::Held { until });
            }
            // Somebody else wrote it, which may be no more than a label: it is read anew.
        }
        let read = self.leases.get_opt(&self.name).await?;
        let spec = read.as_ref().and_then(|lease| lease.spec.as_ref());
        if self.election.look(spec, Instant::now()) == Step::Wait {
            return Ok(Standing::Standby);
        }
        // What is written counts from before it was sent.
        let until = Instant::now() + RENEW_WITHIN;
        self.held = self.write(read).await?;
        Ok(match self.held {
            Some(_) => Standing::Held { until },
            None => Standing::Standby,
        })
    }

    /// Writes our claim over what was read; `None` where another was faster.
    async fn write(&self, before: Option<Lease>) -> Result<Option<Lease>, Failure> {
        let spec = before.as_ref().and_then(|lease| lease.spec.as_ref());
        let claim = self.election.claim(spec, (self.clock)());
        let written = match before {
            Some(mut lease) => {
                lease.spec = Some(claim);
                self.leases
                    .replace(&self.name, &PostParams::default(), &lease)
                    .await
            }
            None => {
                let mut lease = Lease {
                    spec: Some(claim),
                    ..Lease::default()
                };
                lease.metadata.name = Some(self.name.clone());
                self.leases.create(&PostParams::default(), &lease).await
            }
        };
        match written {
            Ok(lease) => Ok(Some(lease)),
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn release(&mut self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.held.take() else {
            return Ok(());
        };
        lease.spec = lease
            .spec
            .as_ref()
            .map(|held| self.election.release(held, (self.clock)()));
        self.leases
            .replace(&self.name, &PostParams::default(), &lease)
            .await
            .map(|_| ())
    }
}
