//! Tests of the estimator.

use proptest::prelude::*;

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

fn published(windows: &[f64]) -> Vec<f64> {
    let mut fed = Fed::new();
    let each = windows.iter().zip(0..).map(|(window, number)| {
        fed.feed(number * 30, round_trip(*window, None));
        fed.at(number * 30).0.expect("a round trip").0
    });
    each.collect()
}

#[test]
fn a_value_moves_after_three_windows_outside_its_band_and_an_outlier_moves_nothing() {
    // The average of the medians goes 20, 20, 24, 27.2, 29.76, 31.8: the band is 2 ms around 20.
    assert_eq!(
        published(&[20.0, 20.0, 40.0, 40.0, 40.0, 40.0, 40.0])
            .iter()
            .map(|ms| (ms * 100.0).round() / 100.0)
            .collect::<Vec<_>>(),
        [20.0, 20.0, 20.0, 20.0, 20.0, 29.76, 29.76]
    );
    for outlier in [0.001, 9_999.0] {
        assert_eq!(
            published(&[20.0, 20.0, outlier, 20.0, 20.0, outlier, 20.0, 20.0, 20.0]),
            [20.0; 9]
        );
    }
    // A second window that is slower may be the outlier; one that is faster shows that the first was.
    assert_eq!(published(&[20.0, 9_999.0, 20.0, 20.0]), [20.0; 4]);
    assert_eq!(published(&[9_999.0, 20.0, 20.0, 20.0])[..3], [9_999.0; 3]);
    assert!(published(&[9_999.0, 20.0, 20.0, 20.0])[3] < 6_000.0);
}

#[test]
fn what_cannot_count_changes_nothing() {
    let other: Arc<str> = Arc::from("another source");
    let observation = |from: &str, to: &str, observed| Observation {
        from: place(from),
        to: place(to),
        observed,
    };
    let ignored: [(&str, i64, Arc<str>, Observation); 7] = [
        (
            "repeated",
            60,
            Arc::from("probes"),
            observation("aws/a", "aws/b", Observed::Failed),
        ),
        (
            "out of order",
            59,
            Arc::from("probes"),
            observation("aws/a", "aws/b", round_trip(90.0, None)),
        ),
        (
            "no time at all",
            90,
            Arc::from("probes"),
            observation("aws/a", "aws/b", round_trip(0.0, None)),
        ),
        (
            "absurd",
            90,
            Arc::from("probes"),
            observation("aws/a", "aws/b", round_trip(10_000.1, None)),
        ),
        (
            "another source",
            179,
            other,
            observation("aws/a", "aws/b", round_trip(90.0, None)),
        ),
        (
            "one region",
            90,
            Arc::from("probes"),
            observation("aws/a", "aws/a", round_trip(4.0, None)),
        ),
        (
            "a zone and its region",
            90,
            Arc::from("probes"),
            observation("aws/a/1", "aws/a", Observed::Failed),
        ),
    ];
    for (name, at, source, observation) in ignored {
        let mut fed = Fed::new();
        fed.feed(30, round_trip(20.0, None));
        fed.feed(60, round_trip(20.0, None));
        let before = fed.estimator.measurements(second(180));
        fed.estimator.observe(&[observation], &source, second(at));
        assert_eq!(fed.estimator.measurements(second(180)), before, "{name}");
    }
}

#[test]
fn of_one_window_the_first_word_on_a_pair_counts() {
    let mut fed = Fed::new();
    let observation = |observed| Observation {
        from: place("aws/a"),
        to: place("aws/b"),
        observed,
    };
    let both = [round_trip(20.0, None), round_trip(90.0, None)].map(observation);
    fed.estimator.observe(&both, &Arc::from("probes"), second(0));
    assert_eq!(fed.at(0).0, Some((20.0, None, Freshness::Fresh)));
}

#[test]
fn a_p95_must_be_one_and_falls_silent_by_itself() {
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, Some(19.0)));
    assert_eq!(fed.at(0).0, Some((20.0, None, Freshness::Fresh)));
    fed.feed(30, round_trip(20.0, Some(30.0)));
    assert_eq!(fed.at(30).0, Some((20.0, Some(30.0), Freshness::Fresh)));
    for window in 2..=31 {
        fed.feed(window * 30, round_trip(20.0, None));
    }
    assert_eq!(fed.at(929).0, Some((20.0, Some(30.0), Freshness::Fresh)));
    assert_eq!(fed.at(930).0, Some((20.0, None, Freshness::Fresh)));
    // It comes back as a first value.
    fed.feed(960, round_trip(20.0, Some(50.0)));
    assert_eq!(fed.at(960).0, Some((20.0, Some(50.0), Freshness::Fresh)));
}

#[test]
fn a_measurement_says_who_and_when_and_of_how_many_samples() {
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, None));
    fed.feed(
        30,
        Observed::RoundTrip {
            p50: ms(20.0),
            p95: None,
            samples: None,
        },
    );
    fed.feed(60, round_trip(20.0, None));
    fed.feed(90, Observed::Failed);
    let measurements = fed.estimator.measurements(second(90));
    let pair = measurements
        .get(&place("aws/a"), &place("aws/b"))
        .expect("a pair");
    assert_eq!(pair.source.as_deref(), Some("probes"));
    assert_eq!((pair.measured_at, pair.samples), (Some(second(60)), Some(20)));
    assert_eq!(pair.statistic, Some(MeasuredStatistic::P50));
    assert!(
        measurements.get(&place("aws/b"), &place("aws/a")).is_none(),
        "pairs are directed"
    );
}

#[test]
fn silence_ends_in_a_new_beginning() {
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, None));
    // Not yet: one window alone does not move a value.
    fed.feed(899, round_trip(500.0, None));
    assert_eq!(fed.at(899).0.map(|it| it.0), Some(20.0));
    fed.feed(899 + 900, round_trip(500.0, None));
    assert_eq!(fed.at(899 + 900).0.map(|it| it.0), Some(500.0));
    // Failures are heard, but no round trips: these begin anew too.
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, None));
    for window in 1..=30 {
        fed.feed(window * 30, Observed::Failed);
    }
    assert_eq!(fed.at(900), (None, true));
    fed.feed(930, round_trip(500.0, None));
    assert_eq!(fed.at(930), (Some((500.0, None, Freshness::Fresh)), true));
}

#[test]
fn a_clock_that_was_put_back_stops_nothing_for_long() {
    let mut fed = Fed::new();
    fed.feed(10_000, round_trip(20.0, None));
    fed.feed(9_990, round_trip(50.0, None));
    assert_eq!(fed.at(9_990).0, Some((20.0, None, Freshness::Fresh)));
    assert_eq!(fed.at(9_100).0, None, "too far in the future to be true");
    fed.feed(9_100, round_trip(50.0, None));
    assert_eq!(fed.at(9_100).0, Some((50.0, None, Freshness::Fresh)));
}

#[test]
fn another_source_takes_over_when_the_first_is_no_longer_fresh() {
    let mut fed = Fed::new();
    fed.feed(0, round_trip(20.0, None));
    fed.source = Arc::from("another source");
    fed.feed(119, round_trip(50.0, None));
    assert_eq!(fed.at(119).0.map(|it| it.0), Some(20.0));
    fed.feed(120, round_trip(50.0, None));
    assert_eq!(fed.at(120).0.map(|it| it.0), Some(50.0));
}

#[test]
fn a_partition_is_no_round_trip_and_a_high_round_trip_no_partition() {
    let mut fed = Fed::new();
    for window in 0..3 {
        assert_eq!(fed.at(window * 30), (None, false));
        fed.feed(window * 30, Observed::Failed);
    }
    assert_eq!(
        fed.at(60),
        (None, true),
        "parted, and no round trip was ever seen"
    );
    assert_eq!(fed.at(60 + 899), (None, true));
    assert_eq!(fed.at(60 + 900), (None, false), "nobody knows any more");
    let mut fed = Fed::new();
    for window in 0..20 {
        fed.feed(window * 30, round_trip(9_999.0, Some(10_000.0)));
        assert!(!fed.at(window * 30).1);
    }
}

#[test]
fn what_expired_is_forgotten() {
    let mut fed = Fed::new();
    for window in 0..100 {
        let observation = Observation {
            from: place(&format!("aws/r{window}")),
            to: place("aws/b"),
            observed: round_trip(20.0, None),
        };
        fed.estimator
            .observe(&[observation], &fed.source, second(window * 300));
    }
    assert!(
        fed.estimator.pairs.len() <= 6,
        "{} pairs",
        fed.estimator.pairs.len()
    );
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let default = EstimatorSettings::default();
    assert_eq!(default.checked(), Ok(default));
    let band = |least_ms, least_ratio, windows| EstimatorSettings {
        hysteresis: Hysteresis {
            least_ms,
            least_ratio,
            windows,
        },
        ..default
    };
    let parted = |failures, of_windows| EstimatorSettings {
        partition: PartitionRule { failures, of_windows },
        ..default
    };
    let weight = |ewma_weight| EstimatorSettings {
        ewma_weight,
        ..default
    };
    let ages = |fresh, stale| EstimatorSettings {
        fresh_for: SignedDuration::from_secs(fresh),
        stale_for: SignedDuration::from_secs(stale),
        ..default
    };
    use InvalidEstimatorSettings as Wrong;
    for (settings, expected) in [
        (ages(0, 10), Err(Wrong::Ages)),
        (ages(10, 10), Err(Wrong::Ages)),
        (ages(10, 11), Ok(())),
        (weight(0.0), Err(Wrong::Weight)),
        (weight(1.1), Err(Wrong::Weight)),
        (weight(f64::NAN), Err(Wrong::Weight)),
        (weight(1.0), Ok(())),
        (band(-1.0, 0.1, 3), Err(Wrong::Hysteresis)),
        (band(1.0, f64::INFINITY, 3), Err(Wrong::Hysteresis)),
        (band(1.0, 0.1, 0), Err(Wrong::Hysteresis)),
        (band(0.0, 0.0, 1), Ok(())),
        (parted(0, 5), Err(Wrong::Partition)),
        (parted(6, 5), Err(Wrong::Partition)),
        (parted(3, 33), Err(Wrong::Partition)),
        (parted(32, 32), Ok(())),
        (parted(1, 1), Ok(())),
    ] {
        assert_eq!(settings.checked().map(|_| ()), expected, "{settings:?}");
    }
}

/// What the last windows say, by counting them each time.
fn parted_by_counting(windows: &[bool], PartitionRule { failures, of_windows }: PartitionRule) -> bool {
    let (failures, of_windows) = (failures as usize, of_windows as usize);
    let (mut parted, mut since) = (false, 0);
    for end in 1..=windows.len() {
        let heard = &windows[since..end];
        if parted
            && heard.len() >= failures
            && heard[heard.len() - failures..].iter().all(|answered| *answered)
        {
            (parted, since) = (false, end);
            continue;
        }
        let last = &heard[heard.len().saturating_sub(of_windows)..];
        parted |= last.iter().filter(|answered| !**answered).count() >= failures;
    }
    parted
}

proptest! {
    #[test]
    fn noise_within_the_band_is_never_published(
        least in 0.05_f64..500.0,
        noise in prop::collection::vec(0.0_f64..1.0, 1..200),
    ) {
        // The band of any value in the interval is at least that of its lower end.
        let width = (least * 0.10).max(1.0);
        let windows: Vec<f64> = noise.iter().map(|share| least + share * width * 0.999).collect();
        let published = published(&windows);
        prop_assert!(published.iter().all(|ms| *ms == windows[0]), "{published:?}");
    }

    #[test]
    fn a_published_value_moves_by_a_band_and_stays_among_what_was_seen(
        windows in prop::collection::vec(
            prop_oneof![3 => 10.0_f64..14.0, 1 => 10.0_f64..400.0, 1 => Just(10_000.0)], 1..100),
    ) {
        let published = published(&windows);
        let least = windows.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = windows.iter().copied().fold(0.0, f64::max);
        for (number, pair) in published.windows(2).enumerate() {
            let [before, after] = pair else { unreachable!("pairs") };
            prop_assert!((least - 1e-9..=greatest + 1e-9).contains(after));
            prop_assert!(before == after || (before - after).abs() > (before * 0.10).max(1.0));
            // Three windows between two movements.
            let moves = |at: usize| at > 0 && published[at] != published[at - 1];
            if moves(number + 1) {
                prop_assert!(!(number.saturating_sub(1)..=number).any(moves));
            }
        }
    }

    #[test]
    fn a_single_window_never_moves_a_steady_pair(
        steady in 0.05_f64..500.0,
        outlier in 0.001_f64..10_000.0,
        before in 2_usize..20,
    ) {
        let mut windows = vec![steady; before];
        windows.push(outlier);
        windows.extend([steady; 20]);
        prop_assert!(published(&windows).iter().all(|ms| *ms == steady));
    }

    #[test]
    fn a_p95_is_never_below_its_p50(
        windows in prop::collection::vec((5.0_f64..300.0, prop::option::of(0.0_f64..300.0)), 1..60),
    ) {
        let mut fed = Fed::new();
        for (number, (p50, more)) in windows.iter().enumerate() {
            fed.feed(number as i64 * 30, round_trip(*p50, more.map(|more| p50 + more)));
            let (p50, p95, _) = fed.at(number as i64 * 30).0.expect("a round trip");
            prop_assert!(p95.is_none_or(|p95| p95 >= p50));
        }
    }

    #[test]
    fn a_pair_is_parted_by_failures_and_joined_by_successes(
        windows in prop::collection::vec(prop::bool::weighted(0.6), 0..80),
        (failures, of_windows) in (1_u32..=5).prop_flat_map(|failures| (Just(failures), failures..=8)),
    ) {
        let rule = PartitionRule { failures, of_windows };
        let mut reachability = Reachability::default();
        for (number, answered) in windows.iter().enumerate() {
            if *answered {
                reachability.succeeded(rule);
            } else {
                reachability.failed(rule);
            }
            let expected = parted_by_counting(&windows[..=number], rule);
            prop_assert_eq!(reachability.is_unreachable(), expected, "{:?}", &windows[..=number]);
        }
    }

    /// The order of pairs in a window, and how a window is cut into calls, change nothing.
    #[test]
    fn pairs_do_not_touch_each_other(
        windows in prop::collection::vec(prop::collection::vec(prop::option::of(1.0_f64..100.0), 4), 1..10),
    ) {
        let source: Arc<str> = Arc::from("probes");
        let observations = |window: &[Option<f64>]| -> Vec<Observation> {
            window
                .iter()
                .enumerate()
                .map(|(number, p50)| Observation {
                    from: place("aws/a"),
                    to: place(&format!("aws/b{number}")),
                    observed: p50.map_or(Observed::Failed, |p50| round_trip(p50, None)),
                })
                .collect()
        };
        let mut together = Estimator::new(EstimatorSettings::default());
        let mut apart = together.clone();
        for (window, at) in windows.iter().zip(0..) {
            let observations = observations(window);
            together.observe(&observations, &source, second(at * 30));
            for observation in observations.into_iter().rev() {
                apart.observe(&[observation], &source, second(at * 30));
            }
        }
        let now = second(300);
        prop_assert_eq!(together.measurements(now), apart.measurements(now));
    }
}
