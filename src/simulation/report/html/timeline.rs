//! The run over time: small drawings one above the other, with marks where the world changed.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{bare_ms, count, percent, span};
use super::plot::{Frame, WIDTH, begin_drawing, ticks, ticks_of_time};
use super::series::{self, Series, legend};
use crate::simulation::summary::{Mark, Sample, Summary};

const LEFT: f64 = 58.0;
const TOP: f64 = 46.0;
const PANEL: f64 = 110.0;
const BETWEEN: f64 = 40.0;
const BELOW: f64 = 42.0;

/// Marks that are drawn, at most.
const MOST_MARKS: usize = 12;

/// Marks that change more than a node or a latency.
const GREAT_MARKS: [&str; 4] = ["region.", "link.", "policy.", "dataset."];

/// A figure over time.
struct Panel {
    name: &'static str,
    of: fn(&Sample) -> Option<i64>,
    tick: fn(i64) -> String,
}

fn whole(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

fn counts(number: i64) -> String {
    count(number.unsigned_abs())
}

const PANELS: [Panel; 5] = [
    Panel {
        name: "latency of an access, 95th percentile, ms",
        of: |sample| sample.p95_us,
        tick: bare_ms,
    },
    Panel {
        name: "pods that wait",
        of: |sample| whole(sample.waiting),
        tick: counts,
    },
    Panel {
        name: "pods that lost a node so far",
        of: |sample| whole(sample.lost_nodes),
        tick: counts,
    },
    Panel {
        name: "pods that run",
        of: |sample| whole(sample.running),
        tick: counts,
    },
    Panel {
        name: "share of all CPU asked for",
        of: |sample| whole(sample.cpu_permille),
        tick: |permille| percent(permille.unsigned_abs()),
    },
];

/// Writes the drawings, their legend and their marks.
pub fn timeline(page: &mut String, summary: &Summary) -> fmt::Result {
    let drawn = || series::all(summary).filter(|series| series.of.timeline.len() > 1);
    let last = drawn()
        .filter_map(|series| series.of.timeline.last())
        .filter_map(|sample| whole(sample.t_ms))
        .max();
    let Some(last_ms) = last.filter(|last_ms| *last_ms > 0) else {
        return Ok(());
    };
    let greatest = |panel: &Panel| {
        drawn()
            .flat_map(|series| &series.of.timeline)
            .filter_map(panel.of)
            .max()
    };
    let panels: Vec<(&Panel, i64)> = PANELS
        .iter()
        .filter_map(|panel| Some((panel, greatest(panel).filter(|most| *most > 0)?)))
        .collect();
    if panels.is_empty() {
        return Ok(());
    }
    let marks = great_marks(&summary.run.marks);
    let height = TOP + panels.len() as f64 * (PANEL + BETWEEN) - BETWEEN + BELOW;
    begin_drawing(
        page,
        height,
        "the run over time",
        (
            "timeline-drawing",
            "figures over simulated time, a line for each scheduler",
        ),
    )?;
    let frame = |at: usize, most_y: i64| Frame {
        left: LEFT,
        top: TOP + at as f64 * (PANEL + BETWEEN),
        width: WIDTH - LEFT - 14.0,
        height: PANEL,
        most_x: last_ms,
        most_y,
    };
    let all = Frame {
        top: TOP,
        height: height - TOP - BELOW,
        ..frame(0, 1)
    };
    draw_marks(page, &all, &marks)?;
    for (at, (panel, most)) in panels.iter().enumerate() {
        let frame = frame(at, most + most / 20);
        let rows: Vec<(i64, String)> = ticks(frame.most_y, 4)
            .into_iter()
            .map(|value| (value, (panel.tick)(value)))
            .collect();
        frame.rows(page, &rows)?;
        frame.base(page)?;
        frame.name_above(page, panel.name)?;
        let count = drawn().count();
        // After all lines, so that none crosses a number.
        let mut numbers = String::new();
        for (place, series) in drawn().enumerate() {
            line(page, &frame, panel, &series)?;
            number(&mut numbers, &frame, panel, &series, (place, count))?;
        }
        page.push_str(&numbers);
    }
    let lowest = frame(panels.len() - 1, 1);
    for ms in ticks_of_time(last_ms, 7) {
        let (x, y) = (lowest.x(ms), lowest.bottom() + 17.0);
        writeln!(
            page,
            "<text class=\"tick middle\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            span(ms.unsigned_abs())
        )?;
    }
    lowest.name_below(page, "simulated time")?;
    page.push_str("</svg>\n</div>\n");
    page.push_str(&legend(drawn(), |_| String::new()));
    list_marks(page, summary, &marks)?;
    page.push_str("</figure>\n");
    Ok(())
}

/// The line of a scheduler; where a figure is not known it has a gap.
fn line(page: &mut String, frame: &Frame, panel: &Panel, series: &Series<'_>) -> fmt::Result {
    let mut path = String::new();
    let mut is_drawing = false;
    for sample in &series.of.timeline {
        let Some(value) = (panel.of)(sample) else {
            is_drawing = false;
            continue;
        };
        let step = if is_drawing { 'L' } else { 'M' };
        is_drawing = true;
        write!(
            path,
            "{step}{:.1} {:.1}",
            frame.x(whole(sample.t_ms).unwrap_or(0)),
            frame.y(value)
        )?;
    }
    let (look, id) = (series.look, Text(&series.of.id));
    writeln!(
        page,
        "<g class=\"s{look}\"><title>{id}</title><path class=\"line\" d=\"{path}\"/></g>"
    )
}

/// The number of a scheduler on its line, at an instant of its own, so that lines that run together keep theirs apart.
fn number(
    numbers: &mut String,
    frame: &Frame,
    panel: &Panel,
    series: &Series<'_>,
    (place, count): (usize, usize),
) -> fmt::Result {
    let samples = &series.of.timeline;
    let at = samples.len() * (2 * place + 1) / (2 * count.max(1));
    // Where the figure is not known then, at the next instant at which it is.
    let mut from_there = samples.iter().skip(at).chain(samples);
    let found = from_there.find_map(|sample| Some((sample, (panel.of)(sample)?)));
    let Some((sample, value)) = found else {
        return Ok(());
    };
    let (x, y) = (frame.x(whole(sample.t_ms).unwrap_or(0)), frame.y(value));
    writeln!(numbers, "<g class=\"s{}\">{}</g>", series.look, series.disc(x, y))
}

/// The marks that are drawn: regions, links, policies and leaders before nodes and latencies, then in their order.
fn great_marks(marks: &[Mark]) -> Vec<&Mark> {
    let is_great = |mark: &&Mark| GREAT_MARKS.iter().any(|great| mark.what.starts_with(great));
    let great: Vec<&Mark> = marks.iter().filter(is_great).collect();
    let chosen = if great.is_empty() {
        marks.iter().collect()
    } else {
        great
    };
    chosen.into_iter().take(MOST_MARKS).collect()
}

fn draw_marks(page: &mut String, all: &Frame, marks: &[&Mark]) -> fmt::Result {
    let mut last_x = f64::NEG_INFINITY;
    for (at, mark) in marks.iter().enumerate() {
        let x = all.x(whole(mark.t_ms).unwrap_or(0));
        write!(
            page,
            "<g class=\"mark\"><title>{}: {}</title><path d=\"M{x:.1} {:.1}V{:.1}\"/>",
            span(mark.t_ms),
            Text(&mark.what),
            all.top - 20.0,
            all.bottom()
        )?;
        // A letter that would cover the one before it is left to the list.
        if x - last_x >= 14.0 {
            write!(
                page,
                "<text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                all.top - 25.0,
                letter(at)
            )?;
            last_x = x;
        }
        page.push_str("</g>\n");
    }
    Ok(())
}

/// Letters for marks, as numbers are for schedulers.
fn letter(at: usize) -> char {
    u8::try_from(at)
        .ok()
        .and_then(|at| b'A'.checked_add(at))
        .map_or('?', char::from)
}

fn list_marks(page: &mut String, summary: &Summary, marks: &[&Mark]) -> fmt::Result {
    if marks.is_empty() {
        return Ok(());
    }
    page.push_str("<figcaption>What happened to the world:</figcaption>\n<ul class=\"marks\">\n");
    for (at, mark) in marks.iter().enumerate() {
        let (when, letter) = (span(mark.t_ms), letter(at));
        writeln!(
            page,
            "<li><b>{letter}</b> after {when}: <code>{}</code></li>",
            Text(&mark.what)
        )?;
    }
    let more = summary.run.marks.len().saturating_sub(marks.len());
    if more > 0 {
        writeln!(
            page,
            "<li>{} more in <code>summary.json</code></li>",
            count(more as u64)
        )?;
    }
    page.push_str("</ul>\n");
    Ok(())
}
