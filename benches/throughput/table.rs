//! The results as a table in Markdown.

use std::fmt::Write as _;

use crate::rows::Row;
use crate::runs::Run;

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One line for each row: pods a second, the slowest and fastest run, and the share of what the same configuration
/// reaches with an extender that decides nothing. That is the median of the shares of each round, whose runs are minutes
/// apart at most: a machine that slows down from round to round does not count as a difference between rows.
pub fn markdown(results: &[(&Row, Vec<Run>)], pods: usize) -> String {
    let rounds = results[0].1.len();
    let mut text = format!(
        "{pods} pods on {} nodes, median of {rounds} runs in turns\n\n\
         | configuration, permitted | pods/s | slowest to fastest | of the no-op extender | creations/s | P99 of a creation |\n\
         |---|---|---|---|---|---|\n",
        crate::fleet::NODES
    );
    let of = |runs: &[Run]| median(runs.iter().map(|run| run.pods_per_second));
    for (row, runs) in results {
        let mut all: Vec<f64> = runs.iter().map(|run| run.pods_per_second).collect();
        all.sort_by(f64::total_cmp);
        let beside = results.iter().find(|(other, _)| row.is_compared_with(other));
        let share = beside.map_or("".to_owned(), |(_, beside)| {
            let rounds = runs.iter().zip(beside);
            let shares = rounds.map(|(run, beside)| run.pods_per_second / beside.pods_per_second);
            format!("{:.2}", median(shares))
        });
        writeln!(
            text,
            "| {} | {:.0} | {:.0} to {:.0} | {share} | {:.0} | {:.0} ms |",
            row.description(),
            of(runs),
            all[0],
            all[all.len() - 1],
            median(runs.iter().map(|run| run.creations_per_second)),
            median(runs.iter().map(|run| run.creation_p99.as_secs_f64() * 1_000.0)),
        )
        .expect("a text grows");
    }
    text
}
