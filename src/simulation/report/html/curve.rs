//! What an access costs: the distribution under each scheduler, as curves.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::figures::{bare_ms, counted, ms, percent};
use super::plot::{Frame, WIDTH, begin_drawing, ticks};
use super::series::{self, Series, legend};
use crate::simulation::summary::{BoundedBy, CdfPoint, Summary};

const HEIGHT: f64 = 400.0;

/// Writes the drawing with its legend.
pub fn latency(page: &mut String, summary: &Summary) -> fmt::Result {
    let drawn = || series::all(summary).filter(|series| !series.of.cdf.is_empty());
    if drawn().next().is_none() {
        if !summary.comparators.is_empty() {
            page.push_str("<p>Of no pod anybody knows what an access costs it, so there is no curve.</p>\n");
        }
        return Ok(());
    }
    page.push_str(
        "<p>The expected time that a pod waits for its clients, data sets and peers for each request, where it \
         ended. A curve further left is better; where it is steep, many pods pay the same.</p>\n",
    );
    let frame = frame(drawn());
    begin_drawing(
        page,
        HEIGHT,
        "curves of latency",
        (
            "curve-drawing",
            "share of pods by the latency of an access, a curve for each scheduler",
        ),
    )?;
    writeln!(
        page,
        "<clipPath id=\"curve-clip\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/></clipPath>",
        frame.left,
        frame.top - 2.0,
        frame.width,
        frame.height + 4.0
    )?;
    let shares =
        [0_i64, 250, 500, 750, 950, 1_000].map(|permille| (permille, percent(permille.unsigned_abs())));
    frame.rows(page, &shares)?;
    let at: Vec<(i64, String)> = ticks(frame.most_x, 7)
        .into_iter()
        .map(|us| (us, bare_ms(us)))
        .collect();
    frame.columns(page, &at)?;
    frame.base(page)?;
    frame.name_above(page, "share of pods")?;
    frame.name_below(page, "latency of an access, ms")?;
    let count = drawn().count();
    // After all curves, so that none crosses a number.
    let mut numbers = String::new();
    for (at, series) in drawn().enumerate() {
        curve(page, &frame, &series)?;
        number(&mut numbers, &frame, &series, (at, count))?;
    }
    page.push_str(&numbers);
    page.push_str("</svg>\n</div>\n");
    page.push_str(&legend(drawn(), |series| {
        let known = &series.of.latency.known;
        format!("median {}, 95th {}", ms(known.p50_us), ms(known.p95_us))
    }));
    page.push_str("<figcaption>");
    caption(page, summary, &frame)?;
    page.push_str("</figcaption>\n</figure>\n");
    Ok(())
}

/// How often the axis may hold the 99th percentile of the scheduler that the page is about; what is slower is told.
const MOST_TIMES: i64 = 4;

/// A frame that shows all but the longest tails, and one in which the curve that matters can be told from others.
fn frame<'s>(drawn: impl Iterator<Item = Series<'s>> + Clone) -> Frame {
    let most = |of: &dyn Fn(&Series<'_>) -> Option<i64>| {
        drawn.clone().filter_map(|series| of(&series)).max().unwrap_or(0)
    };
    let usual = |series: &Series<'_>| series.of.latency.known.p99_us;
    let of_subject = most(&|series| usual(series).filter(|_| series.is_subject));
    let mut shown = most(&|series| series.of.cdf.last().map(|point| point.us));
    if shown / 3 * 2 > most(&usual) && most(&usual) > 0 {
        shown = most(&usual);
    }
    if of_subject > 0 {
        shown = shown.min(of_subject.saturating_mul(MOST_TIMES));
    }
    let most_x = shown.saturating_add(shown / 25);
    Frame {
        left: 48.0,
        top: 26.0,
        width: WIDTH - 48.0 - 14.0,
        height: HEIGHT - 26.0 - 42.0,
        most_x: most_x.max(1_000),
        most_y: 1_000,
    }
}

fn permille(point: &CdfPoint) -> i64 {
    i64::try_from(point.permille).unwrap_or(1_000)
}

/// A curve in steps.
fn curve(page: &mut String, frame: &Frame, series: &Series<'_>) -> fmt::Result {
    let mut path = format!("M{:.1} {:.1}", frame.left, frame.y(0));
    for point in &series.of.cdf {
        write!(path, "H{:.1}V{:.1}", frame.x(point.us), frame.y(permille(point)))?;
    }
    write!(path, "H{:.1}", frame.right() + 4.0)?;
    let known = &series.of.latency.known;
    writeln!(
        page,
        "<g class=\"s{}\" clip-path=\"url(#curve-clip)\"><title>{}: median {}, 95th {}</title><path class=\"line\" d=\"{path}\"/></g>",
        series.look,
        Text(&series.of.id),
        ms(known.p50_us),
        ms(known.p95_us)
    )
}

/// The number of a curve, at a height of its own, so that curves that run together keep theirs apart.
fn number(
    numbers: &mut String,
    frame: &Frame,
    series: &Series<'_>,
    (at, count): (usize, usize),
) -> fmt::Result {
    let height = 120 + 760 * (2 * at + 1) / (2 * count.max(1));
    let height = i64::try_from(height).unwrap_or(500);
    let Some(point) = series.of.cdf.iter().find(|point| permille(point) >= height) else {
        return Ok(());
    };
    let x = frame.x(point.us).min(frame.right() - 9.0);
    writeln!(
        numbers,
        "<g class=\"s{}\">{}</g>",
        series.look,
        series.disc(x, frame.y(height))
    )
}

/// What the curves do not show.
fn caption(page: &mut String, summary: &Summary, frame: &Frame) -> fmt::Result {
    page.push_str("Each curve has the number of its scheduler.");
    let beyond = |series: &Series<'_>| series.of.cdf.last().is_some_and(|point| point.us > frame.most_x);
    for (at, series) in series::all(summary).filter(beyond).enumerate() {
        let before = if at == 0 {
            " The slowest pods are beyond the right end:"
        } else {
            ","
        };
        let most = series.of.latency.known.most_us;
        write!(page, "{before} {} up to {}", Text(&series.of.id), ms(most))?;
    }
    if series::all(summary).any(|series| beyond(&series)) {
        page.push('.');
    }
    let Some(subject) = series::subject(summary) else {
        return Ok(());
    };
    let latency = &subject.of.latency;
    let (id, known) = (Text(&subject.of.id), counted(latency.known.pods, "pod"));
    write!(page, " Under {id}: known of {known}")?;
    if latency.estimated_permille > 0 {
        let estimated = percent(latency.estimated_permille);
        write!(page, ", {estimated} of these in part a guess over the distance")?;
    }
    if latency.unknown > 0 {
        write!(page, "; not known of {}", counted(latency.unknown, "pod"))?;
    }
    if latency.without_access > 0 {
        write!(
            page,
            "; {} with neither clients nor data sets nor peers",
            counted(latency.without_access, "pod")
        )?;
    }
    page.push('.');
    if let Some(bound) = &subject.of.lower_bound {
        let considered = match bound.by {
            BoundedBy::Distance => "each at its best region",
            BoundedBy::Cpu => "the CPU of regions considered",
            BoundedBy::Memory => "the memory of regions considered",
        };
        write!(
            page,
            " The mean of {} that call no others is {}, and no placement that obeys the policies is below {} ({considered}).",
            counted(bound.pods, "pod"),
            ms(Some(bound.mean_us)),
            ms(Some(bound.bound_mean_us))
        )?;
    }
    Ok(())
}
