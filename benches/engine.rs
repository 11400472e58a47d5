//! What a decision costs without HTTP: from a body in memory to an answer in memory, and the decision
//! alone. Run: `cargo bench --bench engine`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use domicile::extender::read_arguments;
use domicile::placement::{self, BlindSample, assess};
use domicile::server::{AnswerSettings, filter, prioritize};

/// The median time of a call, over so many batches that each takes about a millisecond or one call.
fn median(mut call: impl FnMut()) -> Duration {
    let started = Instant::now();
    call();
    let once = started.elapsed().max(Duration::from_nanos(50));
    let batch = (Duration::from_millis(1).as_nanos() / once.as_nanos()).max(1) as u32;
    let mut samples: Vec<Duration> = (0..400)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..batch {
                call();
            }
            started.elapsed() / batch
        })
        .collect();
    samples.sort_unstable();
    samples[samples.len() / 2]
}

fn main() {
    let now = world::NOW.parse().expect("an instant");
    println!(
        "{:>7} {:>9} {:<28} {:>10} {:>14} {:>12}",
        "names", "permitted", "what", "P50 µs", "per second", "ns per name"
    );
    for count in [500, 5_000, 15_000] {
        let nodes = world::nodes(count);
        let snapshot = world::snapshot(&nodes);
        for (permitted, namespace) in [("10%", "eea"), ("100%", "anywhere")] {
            let body = world::body(namespace, &nodes);
            let arguments = read_arguments(&body, |names| snapshot.classes_of(names)).expect("a request");
            let (pod, candidates) = (&arguments.pod, &arguments.candidates);
            let report = |what: &str, took: Duration| {
                println!(
                    "{count:>7} {permitted:>9} {what:<28} {:>10.1} {:>14.0} {:>12.1}",
                    took.as_nanos() as f64 / 1e3,
                    1.0 / took.as_secs_f64(),
                    took.as_nanos() as f64 / count as f64,
                );
            };
            report(
                "assess the pod",
                median(|| drop(black_box(assess(&snapshot, pod, now)))),
            );
            report(
                "decide filter",
                median(|| {
                    let assessment = assess(&snapshot, pod, now);
                    black_box(placement::filter(
                        &assessment,
                        candidates.classes(),
                        BlindSample::Error,
                    ));
                }),
            );
            report(
                "decide prioritize",
                median(|| {
                    let assessment = assess(&snapshot, pod, now);
                    black_box(placement::prioritize(&assessment, candidates.classes()));
                }),
            );
            report(
                "read the body",
                median(|| {
                    drop(black_box(read_arguments(&body, |names| {
                        snapshot.classes_of(names)
                    })))
                }),
            );
            report(
                "filter, body to answer",
                median(|| {
                    drop(black_box(filter(
                        &snapshot,
                        &body,
                        now,
                        AnswerSettings::default(),
                    )))
                }),
            );
            report(
                "prioritize, body to answer",
                median(|| drop(black_box(prioritize(&snapshot, &body, now)))),
            );
        }
    }
}
