//! What was run, so that somebody can run it again and know that it is the same.

use std::fmt::{self, Write as _};

use super::escape::Text;
use super::fidelity::list;
use super::figures::{count, span};
use crate::simulation::summary::Summary;

/// Writes the facts.
pub fn what_ran(page: &mut String, summary: &Summary) -> fmt::Result {
    let run = &summary.run;
    let sample = run.scheduler.percentage_of_nodes_to_score.map_or_else(
        || "as many feasible nodes as kube-scheduler looks for by itself at this size".to_owned(),
        |percent| format!("a search ends after {percent}% of the nodes"),
    );
    let scheduler = format!(
        "extender weight {}; {sample}; default spread constraints: {}; preemption {}",
        run.scheduler.extender_weight,
        run.scheduler.default_spread,
        if run.scheduler.preemption { "on" } else { "off" }
    );
    let events = format!(
        "{} from {}, the last after {}",
        count(run.trace.events),
        run.trace.source,
        span(run.trace.last_ms)
    );
    let mut facts = vec![
        ("program", Text(&run.engine).to_string()),
        ("run id", code(&run.id)),
        ("seed", run.seed.to_string()),
        ("policies judged as of", code(&run.at)),
        ("policy set", code(&run.policy_set)),
    ];
    facts.extend(
        run.policy_set_b
            .iter()
            .map(|policies| ("policy set B", code(policies))),
    );
    facts.extend([
        ("snapshot", code(&run.snapshot)),
        ("events", Text(&events).to_string()),
        ("kube-scheduler", Text(&scheduler).to_string()),
        (
            "to repeat",
            "<code>domicile simulate RUN.yaml --out DIR</code> with the run file and the files that it names"
                .to_owned(),
        ),
    ]);
    page.push_str("<dl class=\"run\">\n");
    for (name, fact) in facts {
        writeln!(page, "<div><dt>{name}</dt><dd>{fact}</dd></div>")?;
    }
    page.push_str(
        "</dl>\n<p class=\"fine\">The run id is a hash of the program, the run file and every file that it names: where it is \
         equal, so is every figure. <code>summary.json</code> beside this page has them all.</p>\n",
    );
    if !run.notes.is_empty() {
        page.push_str("<h3>to know of this run</h3>\n");
        list(page, &run.notes)?;
    }
    if let Some(generator) = run
        .trace
        .generator
        .as_ref()
        .filter(|generator| !generator.rules.is_empty())
    {
        writeln!(page, "<h3>what was made up, from seed {}</h3>", generator.seed)?;
        list(page, &generator.rules)?;
    }
    Ok(())
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", Text(text))
}
