//! Tests of the latency file.

use super::super::measurement::{Freshness, MeasuredStatistic};
use super::*;
use crate::model::Latency;

fn resolve(reference: &RegionReference) -> Option<RegionKey> {
    match reference {
        RegionReference::Bare(name) if name.starts_with("eu-") => RegionKey::new("aws", name).ok(),
        _ => None,
    }
}

fn coordinates() -> BTreeMap<RegionKey, Coordinates> {
    [
        ("aws/eu-central-1", 50.11, 8.68),
        ("aws/us-east-1", 38.95, -77.45),
        ("aws/eu-central-2", 47.6, 8.54),
    ]
    .into_iter()
    .map(|(key, latitude, longitude)| {
        (
            RegionKey::parse(key).expect("a key"),
            Coordinates::new(latitude, longitude).expect("coordinates"),
        )
    })
    .collect()
}

fn parse(text: &str) -> Result<Measurements, Vec<LatencyFileError>> {
    parse_latency_csv("latency.csv", text, resolve, &coordinates())
}

fn place(text: &str) -> MeasuredPlace {
    MeasuredPlace::parse(text).expect("a place")
}

#[test]
fn every_column_is_read_in_any_order() {
    let text = "\u{feff}# a comment\r\n\r\nsource , to,from,rtt_ms,measured_at,p95_ms,statistic\r\n\
        \"a, b\",aws/eu-central-1/eu-central-1a,eu-west-1, 25.1 ,2025-05-29,31,p50\r\n\
        ,gcp/x,aws/y,7,2025-05-29T01:00:00+01:00,,\r\n";
    let read = parse(text).expect("a good file");
    assert_eq!(read.len(), 2);
    let first = read
        .get(&place("aws/eu-west-1"), &place("aws/eu-central-1/eu-central-1a"))
        .expect("a pair");
    assert_eq!(first.rtt.as_ms(), 25.1);
    assert_eq!(first.p95.map(Latency::as_ms), Some(31.0));
    assert_eq!(first.statistic, Some(MeasuredStatistic::P50));
    assert_eq!(first.source.as_deref(), Some("a, b"));
    let second = read.get(&place("aws/y"), &place("gcp/x")).expect("a pair");
    assert_eq!(
        second.measured_at, first.measured_at,
        "a day begins at midnight UTC"
    );
    assert_eq!(
        (second.p95, second.statistic, second.samples, &second.source),
        (None, None, None, &None)
    );
    assert!(
        read.get(&place("gcp/x"), &place("aws/y")).is_none(),
        "pairs are directed"
    );
}

#[test]
fn every_problem_is_reported_with_its_line() {
    let text = "from,to,rtt_ms,measured_at\n\
        aws/a,aws/b,NaN,\n\
        aws/a,aws/c,-1,yesterday\n\
        # between\n\
        \n\
        aws/a,aws/d,10001,\n\
        aws/a,aws/e,0,\n\
        aws/a,aws/f,1\n\
        aws/a,aws/g,1,\n\
        aws/a,aws/g,2,\n\
        us-moon-1,aws/g,2,\n\
        aws/a/b/c,aws/g,2,\n\
        aws/eu-central-1,aws/us-east-1,60,\n\
        aws/eu-central-1,aws/eu-central-2,1,\n\
        ,aws/b,1,\n\
        aws/a,aws/h,,2025-02-30\n";
    let problems: Vec<String> = parse(text)
        .expect_err("a bad file")
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected = [
        ("2", "`rtt_ms` is `NaN`"),
        ("3", "`rtt_ms` is `-1`"),
        ("3", "`measured_at` is `yesterday`"),
        ("6", "`rtt_ms` is `10001`"),
        ("7", "`rtt_ms` is `0`"),
        ("8", "the row has 3 fields where the header has 4"),
        ("10", "the pair `aws/a` to `aws/g` is already on line 9"),
        (
            "11",
            "the region `us-moon-1` is unknown or of several providers; write `provider/us-moon-1`",
        ),
        ("12", "`aws/a/b/c` is neither"),
        (
            "13",
            "60 ms from `aws/eu-central-1` to `aws/us-east-1` is impossible",
        ),
        ("15", "`` is not a region key"),
        ("16", "`rtt_ms` is ``"),
        ("16", "`measured_at` is `2025-02-30`"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, (line, words)) in problems.iter().zip(expected) {
        assert!(
            problem.starts_with(&format!("latency.csv:{line}: {words}")),
            "{problem}"
        );
    }
}

#[test]
fn a_file_of_the_wrong_form_is_refused() {
    for (text, words) in [
        ("", "latency.csv:1: the file is empty"),
        ("from,to\n", "latency.csv:1: the column `rtt_ms` is missing"),
        (
            "from,to,rtt_ms,rtt\naws/a,aws/b,1,1\n",
            "latency.csv:1: the column `rtt` is not known",
        ),
        (
            "from,to,rtt_ms,reachabel\naws/a,aws/b,1,no\n",
            "latency.csv:1: the column `reachabel` is not known; did you mean `reachable`?",
        ),
        (
            "# x\nfrom,to,rtt_ms,to\n",
            "latency.csv:2: the column `to` is there twice",
        ),
        (
            "from,to,rtt_ms\n",
            "latency.csv:1: the file has no pair of regions",
        ),
        (
            "from,to,rtt_ms\naws/a,aws/a,4\n",
            "latency.csv:1: the file has no pair of regions",
        ),
    ] {
        let problems = parse(text).expect_err(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].to_string().starts_with(words), "{problems:?}");
    }
}

#[test]
fn the_diagonal_of_a_published_matrix_is_skipped_and_zones_are_kept() {
    let text = "from,to,rtt_ms\naws/a,aws/a,4.5\naws/a,aws/b,20\naws/a/1,aws/a/2,0.7\naws/a/1,aws/a/1,0.1\n";
    let read = parse(text).expect("a good file");
    let pairs: Vec<String> = read.iter().map(|(from, to, _)| format!("{from} {to}")).collect();
    assert_eq!(pairs, ["aws/a aws/b", "aws/a/1 aws/a/1", "aws/a/1 aws/a/2"]);
}

#[test]
fn what_the_statistic_says_is_read_and_must_be_possible() {
    let read = |row: &str| {
        parse(&format!(
            "from,to,rtt_ms,p95_ms,statistic,samples\naws/a,aws/b,{row}\n"
        ))
    };
    for (row, statistic, p95_ms, samples) in [
        ("25,,,", None, None, None),
        ("25,25,P50,", Some(MeasuredStatistic::P50), Some(25.0), None),
        (
            "25,31,median,10",
            Some(MeasuredStatistic::P50),
            Some(31.0),
            Some(10),
        ),
        ("25,,Average,1", Some(MeasuredStatistic::Mean), None, Some(1)),
        ("25,20,mean,", Some(MeasuredStatistic::Mean), Some(20.0), None),
        ("25,25,p95,", Some(MeasuredStatistic::P95), Some(25.0), None),
    ] {
        let read = read(row).expect(row);
        let found = read.get(&place("aws/a"), &place("aws/b")).expect("a pair");
        assert_eq!(
            (found.statistic, found.p95.map(Latency::as_ms), found.samples),
            (statistic, p95_ms, samples),
            "{row}"
        );
    }
    for (row, words) in [
        (
            "25,,p99,",
            "`statistic` is `p99` where p50, median, mean, average or p95 is expected",
        ),
        (
            "25,20,,",
            "`p95_ms` is 20 where the typical round trip is 25 ms already",
        ),
        (
            "25,30,p95,",
            "`statistic` makes 25 ms the P95 where `p95_ms` is 30",
        ),
        (
            "25,,,0",
            "`samples` is `0` where a whole number above 0 is expected",
        ),
        (
            "25,,,many",
            "`samples` is `many` where a whole number above 0 is expected",
        ),
    ] {
        let problems = read(row).expect_err(row);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].to_string(), format!("latency.csv:2: {words}"));
    }
}

#[test]
fn how_a_row_stands_to_the_present_is_taken_as_it_is_written() {
    use Freshness::{Dated, Fresh, Stale};
    let read = |row: &str| {
        parse(&format!(
            "from,to,rtt_ms,p95_ms,source,freshness,reachable\naws/a,aws/b,{row}\n"
        ))
    };
    for (row, freshness, is_parted) in [
        ("25,,,,", Some(Dated), false),
        ("25,,,dated,yes", Some(Dated), false),
        ("25,31,probes,Fresh,", Some(Fresh), false),
        ("25,31,probes,stale,NO", Some(Stale), true),
        (",,,,no", None, true),
    ] {
        let read = read(row).expect(row);
        let (from, to) = (place("aws/a"), place("aws/b"));
        assert_eq!(read.get(&from, &to).map(|it| it.freshness), freshness, "{row}");
        let parted: Vec<_> = read.unreachable().collect();
        assert_eq!(parted == [(&from, &to)], is_parted, "{row}");
        assert!(is_parted || parted.is_empty(), "{row}");
    }
    let no_time = "`rtt_ms` is `` where milliseconds above 0 and up to 10000 are expected";
    for (row, sentences) in [
        (
            "25,,,frsh,",
            vec!["`freshness` is `frsh` where dated, fresh or stale is expected; did you mean `fresh`?"],
        ),
        (
            "25,,,live,maybe",
            vec![
                "`reachable` is `maybe` where yes or no is expected",
                "`freshness` is `live` where dated, fresh or stale is expected",
            ],
        ),
        (
            "25,,,,n",
            vec!["`reachable` is `n` where yes or no is expected; did you mean `no`?"],
        ),
        (",,,,", vec![no_time]),
        (",,,,yes", vec![no_time]),
        (
            "-1,,,,no",
            vec!["`rtt_ms` is `-1` where milliseconds above 0 and up to 10000 are expected"],
        ),
        (
            ",31,,fresh,no",
            vec![
                "`p95_ms` is `31` where `rtt_ms` is empty: give the round trip, or leave `p95_ms` empty too",
                "`freshness` is `fresh` where `rtt_ms` is empty: give the round trip, or leave `freshness` empty too",
            ],
        ),
    ] {
        let problems = read(row).expect_err(row);
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let expected: Vec<String> = sentences
            .iter()
            .map(|sentence| format!("latency.csv:2: {sentence}"))
            .collect();
        assert_eq!(problems, expected, "{row}");
    }
}
