//! Tests of the estimator.

use super::*;

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

fn ms(ms: f64) -> Latency {
    Latency::from_ms(ms).expect("a latency")
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("an instant")
}

fn round_trip(p50: f64, p95: Option<f64>) -> Observed {
    Observed::RoundTrip {
        p50: ms(p50),
        p95: p95.map(ms),
        samples: Some(10),
    }
}

struct Fed {
    estimator: Estimator,
    source: Arc<str>,
}

impl Fed {
    fn new() -> Self {
        Self {
            estimator: Estimator::new(EstimatorSettings::default()),
            source: Arc::from("probes"),
        }
    }

    fn feed(&mut self, at: i64, observed: Observed) {
        let observation = Observation {
            from: place("aws/a"),
            to: place("aws/b"),
            observed,
        };
        self.estimator.observe(&[observation], &self.source, second(at));
    }

    /// P50, P95, freshness and whether it is parted.
    fn at(&self, at: i64) -> (Option<(f64, Option<f64>, Freshness)>, bool) {
        let measurements = self.estimator.measurements(second(at));
        let pair = measurements.get(&place("aws/a"), &place("aws/b"));
        let unreachable = measurements.unreachable().count() > 0;
        (
            pair.map(|pair| (pair.rtt.as_ms(), pair.p95.map(Latency::as_ms), pair.freshness)),
            unreachable,
        )
    }
}

#[test]
fn the_first_window_is_published_at_once_and_ages() {
    let mut fed = Fed::new();
    assert_eq!(fed.at(0), (None, false));
    fed.feed(0, round_trip(20.0, Some(25.0)));
    for (at, freshness) in [
        (0, Some(Freshness::Fresh)),
        (119, Some(Freshness::Fresh)),
        (120, Some(Freshness::Stale)),
        (899, Some(Freshness::Stale)),
        (900, None),
    ] {
        let expected = freshness.map(|freshness| (20.0, Some(25.0), freshness));
        assert_eq!(fed.at(at), (expected, false), "{at}");
    }
}

#[test]
fn failures_part_a_pair_and_successes_join_it() {
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, None));
    let mut at = 0;
    let mut next = |fed: &mut Fed, observed| {
        at += 30;
        fed.feed(at, observed);
        fed.at(at)
    };
    let parted: Vec<bool> = [false, true, false, false, true, true, true]
        .into_iter()
        .map(|succeeds| {
            let observed = if succeeds {
                round_trip(20.0, None)
            } else {
                Observed::Failed
            };
            let (round_trip, parted) = next(&mut fed, observed);
            assert_eq!(
                round_trip.map(|it| it.0),
                Some(20.0),
                "a partition is no round trip"
            );
            parted
        })
        .collect();
    assert_eq!(parted, [false, false, false, true, true, true, false]);
}
