//! What Prometheus gets to read.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn measures(verdict: Verdict) -> DecisionMeasures {
    DecisionMeasures {
        verb: Verb::Filter,
        verdict,
        governed: true,
        candidates: 120,
        unknown_nodes: 2,
        took: Duration::from_micros(700),
    }
}

fn current(name: SourceName, now: Timestamp) -> SourceHealth {
    SourceHealth {
        name,
        state: SourceState::Current { since: now },
        digest: None,
        confirmed_at: Some(now),
        state_write_failures: 0,
    }
}

#[track_caller]
fn says(metrics: &Metrics, now: Timestamp, lines: &[&str]) {
    let text = metrics.encode(now);
    for line in lines {
        assert!(
            text.lines().any(|told| told == *line),
            "no line `{line}` in\n{text}"
        );
    }
}

#[test]
fn decisions_are_counted_by_what_was_asked_and_answered() {
    let metrics = Metrics::new();
    metrics.decided(&measures(Verdict::Permitted));
    metrics.decided(&measures(Verdict::Permitted));
    metrics.decided(&measures(Verdict::BlindSample));
    metrics.decided(&DecisionMeasures {
        verb: Verb::Prioritize,
        governed: false,
        ..measures(Verdict::Permitted)
    });
    metrics.failed(Verb::Preempt, "no-victims");
    says(
        &metrics,
        at(0),
        &[
            r#"domicile_decisions_total{verb="filter",verdict="permitted",governed="true"} 2"#,
            r#"domicile_decisions_total{verb="filter",verdict="blind-sample",governed="true"} 1"#,
            r#"domicile_decisions_total{verb="prioritize",verdict="permitted",governed="false"} 1"#,
            "domicile_blind_samples_total 1",
            "domicile_unknown_nodes_total 8",
            r#"domicile_undecided_requests_total{verb="preempt",code="no-victims"} 1"#,
            r#"domicile_request_duration_seconds_bucket{le="0.0005",verb="filter"} 0"#,
            r#"domicile_request_duration_seconds_bucket{le="0.001",verb="filter"} 3"#,
            r#"domicile_candidates_bucket{le="100.0",verb="filter"} 0"#,
            r#"domicile_candidates_bucket{le="250.0",verb="filter"} 3"#,
            "# EOF",
        ],
    );
}

#[test]
fn rules_are_labels_up_to_a_cap() {
    let metrics = Metrics::new();
    for number in 0..MOST_NAMES + 5 {
        metrics.refused("rule", Some(&format!("policy-{number:04}/place")), "enforce");
    }
    metrics.refused("rule", Some("policy-0000/place"), "enforce");
    metrics.refused("uncovered", None, "audit");
    says(
        &metrics,
        at(0),
        &[
            r#"domicile_refusals_total{code="rule",rule="policy-0000/place",mode="enforce"} 2"#,
            r#"domicile_refusals_total{code="rule",rule="other",mode="enforce"} 5"#,
            r#"domicile_refusals_total{code="uncovered",rule="",mode="audit"} 1"#,
        ],
    );
    let text = metrics.encode(at(0));
    let series = text
        .lines()
        .filter(|line| line.starts_with("domicile_refusals_total{"));
    assert_eq!(series.count(), MOST_NAMES + 2);
}

#[test]
fn exceptions_are_counted_by_name_and_their_number_is_bounded() {
    let metrics = Metrics::new();
    for number in 0..MOST_NAMES + 7 {
        metrics.exception_used(&format!("ex-{number}"));
    }
    metrics.exception_used("ex-0");
    says(
        &metrics,
        at(0),
        &[
            r#"domicile_exceptions_used_total{exception="ex-0"} 2"#,
            r#"domicile_exceptions_used_total{exception="other"} 7"#,
        ],
    );
}

#[test]
fn sources_tell_their_age_and_state() {
    let metrics = Metrics::new();
    let health = SourceHealth {
        name: SourceName::Policies,
        state: SourceState::LastKnownGood {
            since: at(50),
            problems: vec!["bad".into()],
        },
        digest: None,
        confirmed_at: Some(at(40)),
        state_write_failures: 2,
    };
    metrics.source(&health);
    metrics.source(&SourceHealth {
        state_write_failures: 3,
        ..health
    });
    metrics.source(&SourceHealth {
        name: SourceName::Latency,
        state: SourceState::NeverLoaded { problems: vec![] },
        digest: None,
        confirmed_at: None,
        state_write_failures: 0,
    });
    metrics.source(&current(SourceName::Cluster, at(99)));
    says(
        &metrics,
        at(100),
        &[
            r#"domicile_source_age_seconds{source="policies"} 60"#,
            r#"domicile_source_age_seconds{source="cluster"} 1"#,
            r#"domicile_source_last_known_good{source="policies"} 1"#,
            r#"domicile_source_last_known_good{source="cluster"} 0"#,
            r#"domicile_source_loaded{source="policies"} 1"#,
            r#"domicile_source_loaded{source="latency"} 0"#,
            r#"domicile_state_write_failures_total{source="policies"} 3"#,
        ],
    );
    let text = metrics.encode(at(100));
    assert!(
        !text.contains(r#"domicile_source_age_seconds{source="latency"}"#),
        "what never was has no age"
    );
}

#[test]
fn the_world_and_the_log_are_told() {
    let metrics = Metrics::new();
    metrics.ready(true);
    metrics.published(1, 15_000, 42, true);
    metrics.published(1, 15_001, 43, false);
    let log = metrics.decision_log();
    log.written.inc_by(7);
    log.lost.inc();
    says(
        &metrics,
        at(0),
        &[
            "domicile_ready 1",
            "domicile_observe_mode 0",
            "domicile_nodes 15001",
            "domicile_node_classes 43",
            "domicile_snapshot_publications_total 2",
            "domicile_decision_records_written_total 7",
            "domicile_decision_records_lost_total 1",
            concat!(
                "domicile_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"} 1"
            ),
        ],
    );
}

#[test]
fn every_metric_is_ours_and_described() {
    let metrics = Metrics::new();
    // Families say nothing before they are used.
    metrics.decided(&measures(Verdict::Permitted));
    metrics.refused("rule", None, "enforce");
    metrics.exception_used("ex-1");
    metrics.failed(Verb::Filter, "missing-pod");
    metrics.source(&current(SourceName::Fleet, at(0)));
    let text = metrics.encode(at(0));
    let mut described = 0;
    for line in text.lines().filter(|line| *line != "# EOF") {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        assert!(name.starts_with("domicile_"), "{line}");
        described += usize::from(line.starts_with("# HELP "));
    }
    assert_eq!(described, 34);
}

#[test]
fn live_latency_is_told_by_source_and_what_is_over_is_zero() {
    let metrics = Metrics::new();
    let latency = metrics.latency();
    latency.polled("probes", "p50", "answered");
    latency.polled("probes", "p50", "answered");
    latency.polled("probes", "p95", "timeout");
    latency.succeeded("probes", at(1_000));
    latency.left_out("probes", ["two-series", "two-series", "too-fast"].into_iter());
    latency.left_out("other", ["too-fast"].into_iter());
    latency.seen("probes", Some(at(900)), Some(at(990)));
    latency.pairs(PairCounts {
        fresh: 3,
        stale: 1,
        dated: 10,
        unreachable: 2,
    });
    says(
        &metrics,
        at(1_000),
        &[
            r#"domicile_latency_polls_total{source="probes",query="p50",outcome="answered"} 2"#,
            r#"domicile_latency_polls_total{source="probes",query="p95",outcome="timeout"} 1"#,
            r#"domicile_latency_last_success_timestamp_seconds{source="probes"} 1000"#,
            r#"domicile_latency_left_out_series{source="probes",reason="two-series"} 2"#,
            r#"domicile_latency_left_out_series{source="probes",reason="too-fast"} 1"#,
            r#"domicile_latency_age_seconds{source="probes",pair="oldest"} 100"#,
            r#"domicile_latency_age_seconds{source="probes",pair="freshest"} 10"#,
            r#"domicile_latency_pairs{state="fresh"} 3"#,
            r#"domicile_latency_pairs{state="stale"} 1"#,
            r#"domicile_latency_pairs{state="dated"} 10"#,
            r#"domicile_latency_pairs{state="unreachable"} 2"#,
        ],
    );
    latency.left_out("probes", ["too-fast"].into_iter());
    latency.seen("probes", None, None);
    says(
        &metrics,
        at(2_000),
        &[
            r#"domicile_latency_left_out_series{source="probes",reason="two-series"} 0"#,
            r#"domicile_latency_left_out_series{source="probes",reason="too-fast"} 1"#,
            r#"domicile_latency_left_out_series{source="other",reason="too-fast"} 1"#,
        ],
    );
    let text = metrics.encode(at(2_000));
    assert!(!text.contains("domicile_latency_age_seconds{"), "{text}");
}
