//! Several sources as one, and what of it is published.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;
use crate::assembly::{FleetFacts, SourceText};
use crate::embedded;
use crate::metrics::Metrics;
use crate::model::{Fleet, Latency, Provenance, RegionKey};
use crate::policy::PolicySet;
use crate::snapshot::RunningFacts;
use crate::topology::Observed;

static SHIPPED: LazyLock<Arc<PolicySet>> = LazyLock::new(|| {
    let shipped = PolicySet::load(embedded::policies().iter().copied());
    Arc::new(shipped.expect("the shipped set").set)
});

const HERE: &str = "aws/eu-central-1";
const THERE: &str = "aws/eu-west-1";

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

fn saw(ms: f64) -> Vec<Observation> {
    vec![Observation {
        from: place(HERE),
        to: place(THERE),
        observed: Observed::RoundTrip {
            p50: Latency::from_ms(ms).expect("a latency"),
            p95: None,
            samples: Some(3),
        },
    }]
}

fn failed() -> Vec<Observation> {
    vec![Observation {
        from: place(HERE),
        to: place(THERE),
        observed: Observed::Failed,
    }]
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

struct World {
    publisher: Arc<Publisher>,
    metrics: Metrics,
    live: LiveLatency,
}

fn world(sources: &[&str]) -> World {
    let publisher = Arc::new(Publisher::default());
    publisher.policies(SHIPPED.clone());
    let (name, text) = embedded::latency();
    publisher.latency(Arc::new(vec![SourceText::new(name, text)]));
    publisher.data_sets(Arc::default(), &[]);
    publisher.fleet(FleetFacts {
        fleet: Arc::new(Fleet::default()),
        version: "1".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
    });
    let metrics = Metrics::new();
    let live = LiveLatency::new(
        sources.iter().map(|name| Arc::from(*name)),
        EstimatorSettings::default(),
        publisher.clone(),
        metrics.latency(),
    );
    World {
        publisher,
        metrics,
        live,
    }
}

impl World {
    /// What decides between the two places: milliseconds and how they are known.
    fn decides(&self) -> (f64, Provenance) {
        let snapshot = self.publisher.snapshots().load_full().expect("a snapshot");
        let table = snapshot.latency();
        let point = |text: &str| {
            let region = RegionKey::parse(text).expect("a region");
            table.locate(&region, None).expect("a place of the table")
        };
        let estimate = table.between(point(HERE), point(THERE)).expect("a latency");
        (estimate.latency.as_ms(), estimate.provenance)
    }

    fn publications(&self) -> u64 {
        self.publisher.publications().borrow().number
    }

    fn is_parted(&self) -> bool {
        let measured = self.publisher.measured().load_full().expect("measurements");
        measured.measurements.unreachable().next().is_some()
    }
}

#[test]
fn what_is_measured_decides_until_it_is_too_old_and_then_the_file_does_again() {
    let world = world(&["mesh"]);
    let (by_file, _) = world.decides();
    assert_ne!(by_file, 40.0);

    world.live.take("mesh", &saw(40.0), at(0));
    assert_eq!(world.decides(), (40.0, Provenance::Measured));
    for (second, expected) in [
        (119, (40.0, Provenance::Measured)),
        (120, (40.0, Provenance::MeasuredStale)),
        (899, (40.0, Provenance::MeasuredStale)),
        (900, (by_file, Provenance::Measured)),
    ] {
        world.live.tick(at(second));
        assert_eq!(world.decides(), expected, "after {second} s");
    }
}

#[test]
fn a_quiet_network_publishes_nothing_and_shows_that_it_was_measured() {
    let world = world(&["mesh"]);
    world.live.take("mesh", &saw(40.0), at(0));
    let before = world.publications();
    for poll in 1..20 {
        let noise = if poll % 2 == 0 { 0.8 } else { -0.8 };
        world.live.take("mesh", &saw(40.0 + noise), at(30 * poll));
    }
    assert_eq!(world.publications(), before);
    let measured = world.publisher.measured().load_full().expect("measurements");
    let pair = measured
        .measurements
        .get(&place(HERE), &place(THERE))
        .expect("the pair");
    assert_eq!(pair.measured_at, Some(at(30 * 19)));
    let text = world.metrics.encode(at(30 * 19 + 7));
    for line in [
        r#"domicile_latency_age_seconds{source="mesh",pair="freshest"} 7"#,
        r#"domicile_latency_age_seconds{source="mesh",pair="oldest"} 7"#,
    ] {
        assert!(text.contains(line), "{text}");
    }

    for poll in 20..60 {
        world.live.take("mesh", &saw(80.0), at(30 * poll));
    }
    let (ms, _) = world.decides();
    assert!((72.0..=80.0).contains(&ms), "it follows what stays: {ms}");
    assert!(
        world.publications() - before <= 4,
        "in a few steps: {}",
        world.publications()
    );
}

#[test]
fn a_pair_that_fails_is_parted_and_keeps_its_last_time() {
    let world = world(&["mesh"]);
    world.live.take("mesh", &saw(40.0), at(0));
    for poll in 1..=3 {
        assert!(!world.is_parted(), "after {poll} failures less one");
        world.live.take("mesh", &failed(), at(10 * poll));
    }
    assert!(world.is_parted());
    assert_eq!(world.decides().0, 40.0);
    for poll in 4..=6 {
        world.live.take("mesh", &saw(40.0), at(10 * poll));
    }
    assert!(!world.is_parted());
}

#[test]
fn the_first_source_that_measures_now_is_believed_whoever_came_first() {
    let orders: [[(&str, f64); 2]; 2] = [[("near", 40.0), ("far", 60.0)], [("far", 60.0), ("near", 40.0)]];
    for order in orders {
        let world = world(&["near", "far"]);
        for (source, ms) in order {
            world.live.take(source, &saw(ms), at(0));
        }
        assert_eq!(world.decides(), (40.0, Provenance::Measured), "{order:?}");
        // The first falls silent: the second is fresh and the first only stale.
        world.live.take("far", &saw(60.0), at(200));
        assert_eq!(world.decides(), (60.0, Provenance::Measured), "{order:?}");
        // Both are silent: the first again.
        world.live.tick(at(400));
        assert_eq!(world.decides(), (40.0, Provenance::MeasuredStale), "{order:?}");
    }
}

#[test]
fn a_partition_that_another_source_sees_through_is_none() {
    let world = world(&["near", "far"]);
    for poll in 0..3 {
        world.live.take("near", &failed(), at(10 * poll));
        world.live.take("far", &saw(60.0), at(10 * poll));
    }
    assert!(!world.is_parted());
    for poll in 3..18 {
        world.live.take("near", &failed(), at(10 * poll));
    }
    assert!(
        world.is_parted(),
        "the other one has seen nothing for two minutes"
    );
}

#[test]
fn live_latencies_outlive_a_change_of_policies_and_of_files() {
    let world = world(&["mesh"]);
    world.live.take("mesh", &saw(40.0), at(0));
    world.publisher.policies(SHIPPED.clone());
    assert_eq!(world.decides(), (40.0, Provenance::Measured));
    let other = SourceText::new("other.csv", "from,to,rtt_ms\naws/eu-central-1,aws/eu-west-1,99\n");
    world.publisher.latency(Arc::new(vec![other]));
    assert_eq!(world.decides(), (40.0, Provenance::Measured));
    world.live.tick(at(3_600));
    assert_eq!(world.decides(), (99.0, Provenance::Measured));
}

#[test]
fn what_comes_before_the_catalogue_counts_once_that_is_there() {
    let publisher = Arc::new(Publisher::default());
    let live = LiveLatency::new(
        [Arc::from("mesh")],
        EstimatorSettings::default(),
        publisher.clone(),
        Metrics::new().latency(),
    );
    live.take("mesh", &saw(40.0), at(0));
    let world = World {
        metrics: Metrics::new(),
        live,
        publisher: publisher.clone(),
    };
    let (name, text) = embedded::latency();
    publisher.latency(Arc::new(vec![SourceText::new(name, text)]));
    publisher.data_sets(Arc::new(BTreeMap::new()), &[]);
    publisher.fleet(FleetFacts {
        fleet: Arc::new(Fleet::default()),
        version: "1".to_owned(),
        running: RunningFacts::default(),
        confirmed_until: None,
    });
    publisher.policies(SHIPPED.clone());
    assert_eq!(world.decides(), (40.0, Provenance::Measured));
}
