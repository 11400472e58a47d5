//! What kube-scheduler did, as its log at `--v=3` tells it.

use std::path::Path;

/// A line that matters, by its time of day in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub at_us: u64,
    pub what: What,
}

/// Pods as `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A scheduling cycle begins; cycles follow one another.
    Attempt { pod: String },
    /// Told from the goroutine that binds, so maybe after the next cycle began.
    Bound { pod: String, node: String },
    /// Told from the goroutine that evicts.
    Evicted {
        preemptor: String,
        victim: String,
        node: String,
    },
    /// The cache is about to forget a pod that had a node.
    Gone { pod: String },
}

pub const DAY_US: u64 = 24 * 3600 * 1_000_000;

/// All lines that matter so far.
pub fn read(log: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(line).collect()
}

/// How many cycles began so far.
pub fn attempts(log: &Path) -> usize {
    let is_attempt = |line: &Line| matches!(line.what, What::Attempt { .. });
    read(log).iter().filter(|line| is_attempt(line)).count()
}

fn line(line: &str) -> Option<Line> {
    let (_, message) = line.split_once("] \"")?;
    let (message, values) = message.split_once('"')?;
    let value = |key: &str| {
        let (_, rest) = values.split_once(&format!(" {key}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let what = match message {
        "Attempting to schedule pod" => What::Attempt { pod: value("pod")? },
        "Successfully bound pod to node" => What::Bound {
            pod: value("pod")?,
            node: value("node")?,
        },
        "Preemptor Pod preempted victim Pod" => What::Evicted {
            preemptor: value("preemptor")?,
            victim: value("victim")?,
            node: value("node")?,
        },
        "Delete event for scheduled pod" => What::Gone { pod: value("pod")? },
        _ => return None,
    };
    Some(Line {
        at_us: time_of_day(line.split(' ').nth(1)?)?,
        what,
    })
}

/// `13:41:19.288761` in microseconds.
fn time_of_day(text: &str) -> Option<u64> {
    let (time, micros) = text.split_once('.')?;
    let mut seconds = 0;
    for part in time.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
    }
    Some(seconds * 1_000_000 + micros.parse::<u64>().ok()?)
}

#[test]
fn lines_are_read_as_kube_scheduler_writes_them() {
    let written = r#"I1121 13:34:08.847129   14033 executor.go:152] "Preemptor Pod preempted victim Pod" preemptor="shop/web" victim="default/low" node="frankfurt""#;
    let told = line(written).expect("it matters");
    assert_eq!(told.at_us, ((13 * 60 + 34) * 60 + 8) * 1_000_000 + 847_129);
    let expected = What::Evicted {
        preemptor: "shop/web".to_owned(),
        victim: "default/low".to_owned(),
        node: "frankfurt".to_owned(),
    };
    assert_eq!(told.what, expected);
    assert_eq!(
        line("I1121 13:34:08.847129   14033 server.go:1] \"Starting\""),
        None
    );
}
