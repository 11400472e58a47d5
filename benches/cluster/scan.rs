//! What the replica that acts for all does and keeps beside: the roster of every pod, and a scan of all of them.
//!
//! The same API server as for the rest of this benchmark lists every pod once more, for the roster. A scan rests after each step
//! so that it takes a fifth of a core at most; both its time by the clock and that of the processor are told.

use std::time::{Duration, Instant};

use domicile::cluster::lease::{LeaseSettings, stand_for_election};
use domicile::cluster::{Duties, DutyMetrics, DutySettings, EveryPod};
use domicile::metrics::Metrics;
use domicile::pod_events::PodEvents;
use domicile::publish::Publisher;
use jiff::Timestamp;

use super::client::ApiServer;

/// How often a scan runs here, which is the least that is taken.
const INTERVAL: Duration = Duration::from_secs(10);

/// What was measured.
pub struct Scan {
    /// What is resident more than before, once every pod was scanned once.
    pub more_mib: f64,
    /// From the first word to the end of the first scan, the list included.
    pub first: Duration,
    /// A scan by the clock, and what the processor spends on it.
    pub again: Duration,
    pub processor: Duration,
    /// How many pods it judged.
    pub pods: u64,
}

/// Acts as the only replica does, until every pod was scanned twice.
pub async fn scan(server: &ApiServer, publisher: &Publisher, every_pod: EveryPod) -> Scan {
    let metrics = Metrics::new();
    let client = server.kube_client();
    let nowhere = LeaseSettings {
        name: "bench".to_owned(),
        namespace: None,
    };
    // Without a namespace there is no election.
    let (leadership, election) =
        stand_for_election(client.clone(), &nowhere, metrics.lease(), Timestamp::now);
    tokio::spawn(election);
    // Nobody is told anything, so that what is not to be measured is not.
    let (events, mut waiting) = PodEvents::queue(metrics.pod_events());
    tokio::spawn(async move { while waiting.recv().await.is_some() {} });
    let (before_mib, began) = (resident_mib(), Instant::now());
    let duties = Duties {
        client,
        every_pod,
        publications: publisher.publications(),
        leadership,
        events,
        settings: DutySettings {
            scan_interval: INTERVAL,
            retries_per_second: 50,
        },
        metrics: DutyMetrics {
            retries: metrics.retries(),
            scan: metrics.scan(),
        },
        clock: Timestamp::now,
    };
    let acting = tokio::spawn(duties.attend());
    scans(&metrics, 1.0).await;
    let (first, more_mib) = (began.elapsed(), resident_mib() - before_mib);
    let spent = processor();
    scans(&metrics, 2.0).await;
    let scan = Scan {
        more_mib,
        first,
        again: Duration::from_secs_f64(figure(&metrics, "domicile_scan_duration_seconds").unwrap_or(0.0)),
        processor: processor().saturating_sub(spent),
        pods: figure(&metrics, "domicile_scan_pods").map_or(0, |pods| pods as u64),
    };
    acting.abort();
    scan
}

/// Waits until so many scans ended.
async fn scans(metrics: &Metrics, count: f64) {
    while figure(metrics, "domicile_scans_total").unwrap_or(0.0) < count {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn figure(metrics: &Metrics, name: &str) -> Option<f64> {
    let text = metrics.encode(Timestamp::now());
    let mut lines = text.lines();
    // A family without labels has its brackets all the same.
    lines.find_map(|line| {
        line.strip_prefix(name)?
            .trim_start_matches("{}")
            .trim()
            .parse()
            .ok()
    })
}

/// What this process has resident now.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.trim().parse::<f64>().ok())
        .expect("a size")
        / 1024.0
}

/// What the processor spent on this process: its user and system time, in clock ticks, of which Linux tells 100 a second.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}
