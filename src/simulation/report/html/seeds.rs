//! How much figures depend on chance: their means over several seeds with intervals.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{UNKNOWN, added_ms, bare_ms, count, counted, ms};
use super::plot::{Frame, WIDTH, begin_drawing, ticks};
use super::series::{self, Series};
use super::table::{Cell, Column, table};
use crate::simulation::summary::{Interval, SeedIntervals, Summary};

const ROW: f64 = 30.0;

/// The figure that is drawn.
const DRAWN: &str = "latency.known.p95Us";

/// Figures in words, in the order of the table.
const IN_WORDS: [(&str, &str); 15] = [
    ("placed", "pods placed"),
    ("unschedulable.total", "pods without a node"),
    ("unschedulable.residency", "for residency"),
    ("unschedulable.samplingBlind", "sampling-blind"),
    ("violations", "placements that break a policy"),
    ("latency.known.p50Us", "latency, median"),
    ("latency.known.p95Us", "latency, 95th"),
    ("latency.known.p99Us", "latency, 99th"),
    ("latency.known.meanUs", "latency, mean"),
    ("gap.meanUs", "above the best place, mean"),
    ("gap.p50Us", "above the best place, median"),
    ("gap.p95Us", "above the best place, 95th"),
    ("gap.p99Us", "above the best place, 99th"),
    ("attempts.total", "attempts"),
    ("attempts.blind", "blind attempts"),
];

/// Figures that tell something where they are 0.
const ALWAYS_TOLD: [&str; 2] = ["violations", "unschedulable.total"];

/// Figures of the cost in words.
const COST_IN_WORDS: [(&str, &str); 5] = [
    ("added.p50Us", "latency that the policies add, median"),
    ("added.p95Us", "95th"),
    ("added.p99Us", "99th"),
    ("added.meanUs", "mean"),
    ("unplaceable", "pods without a node for the policies"),
];

/// Writes the intervals.
pub fn seeds(page: &mut String, summary: &Summary) -> fmt::Result {
    let Some(seeds) = &summary.seeds else {
        page.push_str(
            "<p>This is one run of one seed: where chance decides between equal nodes, other seeds give other figures. \
             <code>seeds</code> in the run file asks for several, with intervals.</p>\n",
        );
        return Ok(());
    };
    writeln!(
        page,
        "<p>The run was repeated with {}. An interval holds the mean of all seeds with {}% confidence (Student's t); \
         two schedulers whose intervals do not meet differ by more than chance.</p>",
        counted(seeds.seeds.len() as u64, "seed"),
        seeds.confidence_percent
    )?;
    drawing(page, summary, seeds)?;
    cost(page, seeds)?;
    figures(page, summary, seeds)
}

/// Figures in microseconds are shown in milliseconds.
fn value(name: &str, value: f64) -> String {
    if name.ends_with("Us") {
        return ms(Some(value.round() as i64));
    }
    let tenths = (value * 10.0).round().abs() as u64;
    let whole = count(tenths / 10);
    let sign = if value < 0.0 && tenths > 0 { "\u{2212}" } else { "" };
    if tenths.is_multiple_of(10) {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", tenths % 10)
}

fn interval(name: &str, of: Option<&Interval>) -> Cell {
    let Some(of) = of else {
        return Cell::text(UNKNOWN);
    };
    if of.low == of.high {
        return Cell::text(value(name, of.mean));
    }
    let (mean, half) = (value(name, of.mean), value(name, (of.high - of.low) / 2.0));
    Cell::Markup(format!("{mean}<small>\u{b1}{half}</small>"))
}

fn drawing(page: &mut String, summary: &Summary, seeds: &SeedIntervals) -> fmt::Result {
    let of = |series: &Series<'_>| {
        let found = seeds
            .comparators
            .iter()
            .find(|figures| figures.id == series.of.id)?;
        found.figures.get(DRAWN).copied()
    };
    let drawn: Vec<(Series<'_>, Interval)> = series::all(summary)
        .filter_map(|series| Some((series, of(&series)?)))
        .collect();
    let most = drawn
        .iter()
        .map(|(_, interval)| interval.high)
        .fold(0.0, f64::max);
    if drawn.is_empty() || most <= 0.0 {
        return Ok(());
    }
    let height = 30.0 + drawn.len() as f64 * ROW + 42.0;
    let frame = Frame {
        left: 170.0,
        top: 30.0,
        width: WIDTH - 170.0 - 60.0,
        height: drawn.len() as f64 * ROW,
        most_x: (most as i64).saturating_add(most as i64 / 20).max(1_000),
        most_y: 1,
    };
    begin_drawing(
        page,
        height,
        "intervals",
        (
            "seeds-drawing",
            "95th percentile of latency under each scheduler: the mean over the seeds and its interval",
        ),
    )?;
    let at: Vec<(i64, String)> = ticks(frame.most_x, 7)
        .into_iter()
        .map(|us| (us, bare_ms(us)))
        .collect();
    frame.columns(page, &at)?;
    frame.base(page)?;
    frame.name_above(
        page,
        "95th percentile of latency: mean over the seeds, and its interval",
    )?;
    frame.name_below(page, "ms")?;
    for (at, (series, interval)) in drawn.iter().enumerate() {
        let y = frame.top + (at as f64 + 0.5) * ROW;
        let [mean, low, high] =
            [interval.mean, interval.low, interval.high].map(|us| frame.x(us.round() as i64));
        writeln!(
            page,
            "<g class=\"s{}\">{}<text class=\"tick\" x=\"26\" y=\"{:.1}\">{}</text>\
             <path class=\"whisker\" d=\"M{low:.1} {y:.1}H{high:.1}M{low:.1} {:.1}v12M{high:.1} {:.1}v12\"/>\
             <circle class=\"mean\" cx=\"{mean:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            series.look,
            series.disc(10.0, y),
            y + 4.0,
            Text(&series.of.id),
            y - 6.0,
            y - 6.0,
            high + 9.0,
            y + 4.0,
            ms(Some(interval.mean.round() as i64))
        )?;
    }
    page.push_str("</svg>\n</div>\n</figure>\n");
    Ok(())
}

fn cost(page: &mut String, seeds: &SeedIntervals) -> fmt::Result {
    if seeds.cost.is_empty() {
        return Ok(());
    }
    page.push_str("<dl class=\"counts\">\n");
    for (name, words) in COST_IN_WORDS {
        let Some(of) = seeds.cost.get(name) else { continue };
        let shown = |figure: f64| match name.ends_with("Us") {
            true => added_ms(Some(figure.round() as i64)),
            false => value(name, figure),
        };
        let mean = shown(of.mean);
        let range = match of.low == of.high {
            true => "with every seed".to_owned(),
            false => format!("{} to {}", shown(of.low), shown(of.high)),
        };
        writeln!(
            page,
            "<div><dt>{words}</dt><dd>{mean}<small>{range}</small></dd></div>"
        )?;
    }
    page.push_str("</dl>\n");
    Ok(())
}

fn figures(page: &mut String, summary: &Summary, seeds: &SeedIntervals) -> fmt::Result {
    let there: BTreeSet<&str> = seeds
        .comparators
        .iter()
        .flat_map(|of| of.figures.keys())
        .map(String::as_str)
        .collect();
    let is_told = |name: &str| {
        let of_each = seeds.comparators.iter().filter_map(|of| of.figures.get(name));
        ALWAYS_TOLD.contains(&name) || of_each.into_iter().any(|interval| interval.high != 0.0)
    };
    let known = IN_WORDS
        .into_iter()
        .filter(|(name, _)| there.contains(name) && is_told(name));
    let others = there
        .iter()
        .filter(|name| !IN_WORDS.iter().any(|(known, _)| known == *name));
    let names: Vec<(&str, &str)> = known.chain(others.map(|name| (*name, *name))).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut columns = vec![Column::words("figure")];
    columns.extend(seeds.comparators.iter().map(|of| {
        let series = series::all(summary).find(|series| series.of.id == of.id);
        Column::numbers_under(series.map_or_else(|| Text(&of.id).to_string(), |series| series.name()))
    }));
    let rows = names.into_iter().map(|(name, words)| {
        let mut row = vec![Cell::text(words)];
        row.extend(
            seeds
                .comparators
                .iter()
                .map(|of| interval(name, of.figures.get(name))),
        );
        row
    });
    table(
        page,
        "means over the seeds; the interval is that much above and below",
        &columns,
        &rows.collect::<Vec<_>>(),
    )
}
