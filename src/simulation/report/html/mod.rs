//! The summary as one page for a browser: `report.html`.
//!
//! Inputs: a summary. Outputs: the text of a page. Invariants: the page stands alone, with no network and no script; the
//! same summary gives the same bytes; every figure stands in the summary or is a sum or a share of such; every text
//! that somebody wrote passes `escape`; colour never tells anything alone; what has no data is left out or said in a
//! sentence. Deliberately absent: how figures are worked out, writing files.

mod causes;
mod comparators;
mod cost;
mod curve;
mod escape;
mod failures;
mod fidelity;
mod figures;
mod headline;
mod moved;
mod plot;
mod refused;
mod regions;
mod seeds;
mod series;
mod table;
mod timeline;
mod what_ran;

#[cfg(test)]
mod made_up_tests;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use crate::simulation::summary::Summary;
use escape::{Prose, Text};

/// The looks of the page, in it.
const STYLE: &str = include_str!("style.css");

/// A part of the page that its list of contents names.
struct Section {
    /// For links.
    id: &'static str,
    title: &'static str,
    /// What is in it; empty where there is no data.
    body: String,
}

/// Writes the page.
#[must_use]
pub fn html(summary: &Summary) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, summary);
    page
}

fn write_page(page: &mut String, summary: &Summary) -> fmt::Result {
    let run = &summary.run;
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{title}: a simulated run</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<p class=\"kind\">{engine}, simulated placement</p>\n<h1>{title}</h1>\n",
        title = Text(&run.title),
        engine = Text(&run.engine),
    )?;
    headline::what_is_shown(page, summary)?;
    page.push_str("</header>\n");
    warnings(page, summary)?;
    headline::headline(page, summary)?;
    let sections = sections(summary)?;
    let shown = || sections.iter().filter(|section| !section.body.is_empty());
    page.push_str("<nav aria-label=\"contents\"><ul>\n");
    for Section { id, title, .. } in shown() {
        writeln!(page, "<li><a href=\"#{id}\">{title}</a></li>")?;
    }
    page.push_str("</ul></nav>\n");
    for Section { id, title, body } in shown() {
        write!(
            page,
            "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n"
        )?;
        writeln!(page, "{body}</section>")?;
    }
    page.push_str("</main>\n</body>\n</html>\n");
    Ok(())
}

/// What keeps the figures from being what they seem.
fn warnings(page: &mut String, summary: &Summary) -> fmt::Result {
    if let Some(stopped) = &summary.stopped {
        writeln!(
            page,
            "<p class=\"warning\" role=\"note\"><strong>This run is not complete.</strong> {} of {} runs came to their \
             end: {}. No figure here is final.</p>",
            figures::count(stopped.runs_done),
            figures::count(stopped.runs),
            Prose(&stopped.why)
        )?;
    } else if !summary.complete {
        page.push_str(
            "<p class=\"warning\" role=\"note\"><strong>This run is not complete.</strong> No figure here is final.</p>\n",
        );
    }
    if summary.run.observes {
        page.push_str(
            "<p class=\"warning\" role=\"note\"><strong>The settings only observe.</strong> Nothing is refused, so \
             placements may break the policies.</p>\n",
        );
    }
    Ok(())
}

fn sections(summary: &Summary) -> Result<Vec<Section>, fmt::Error> {
    type Writes = fn(&mut String, &Summary) -> fmt::Result;
    let all: [(&'static str, &'static str, Writes); 11] = [
        ("latency", "what an access costs", curve::latency),
        (
            "schedulers",
            "the schedulers side by side",
            comparators::comparators,
        ),
        ("without-a-node", "pods without a node", refused::refused),
        ("cost", "what each policy costs", cost::cost),
        ("moved", "who moves from policies A to policies B", moved::moved),
        ("regions", "what each region carries", regions::regions),
        ("failures", "where a region is lost", failures::failures),
        ("timeline", "the run over time", timeline::timeline),
        ("seeds", "how sure the figures are", seeds::seeds),
        ("fidelity", "what the model is worth", fidelity::fidelity),
        ("run", "what was run", what_ran::what_ran),
    ];
    let written = all.into_iter().map(|(id, title, write)| {
        let mut body = String::new();
        write(&mut body, summary)?;
        Ok(Section { id, title, body })
    });
    written.collect()
}
