//! Our extender among others. kube-scheduler asks them one after another, those that are ignorable
//! last, and each sees what the one before it left.

use super::configuration::Configuration;
use super::finding::Finding;
use super::place;

/// Finds what other extenders do to ours (D18, D20).
pub fn check(configuration: &Configuration, ours: usize, findings: &mut Vec<Finding>) {
    let binders = configuration
        .extenders
        .iter()
        .enumerate()
        .filter(|(_, extender)| !extender.bind_verb.is_empty());
    for (index, _) in binders.skip(1) {
        findings.push(Finding::error(
            "D18",
            format!("{}.bindVerb", place(index)),
            "only one extender may bind, and kube-scheduler does not start with two",
            "keep one `bindVerb`",
        ));
    }
    let order = order_of_calls(configuration);
    let our_turn = order.iter().position(|index| *index == ours);
    for (turn, index) in order.iter().enumerate() {
        let Some(other) = configuration.extenders.get(*index) else {
            continue;
        };
        let same = configuration
            .extenders
            .get(ours)
            .is_some_and(|our| our.url_prefix == other.url_prefix);
        if same || other.filter_verb.is_empty() {
            continue;
        }
        let before = our_turn.is_some_and(|ours| turn < ours);
        if !before && !other.names_only {
            findings.push(Finding::error(
                "D20",
                format!("{}.nodeCacheCapable", place(*index)),
                format!(
                    "`{}` answers after us with whole nodes, and kube-scheduler does not compare them with what we left: it can bring a refused node back",
                    other.url_prefix
                ),
                "make that extender `nodeCacheCapable: true`, or let kube-scheduler ask it before ours",
            ));
        } else if before && other.names_only {
            findings.push(Finding::warning(
                "D20",
                place(*index),
                format!(
                    "`{}` is asked before us, so we cannot tell nodes that it refused from nodes outside the sample, and our sentence counts only what it left",
                    other.url_prefix
                ),
                "put ours first; an extender that is ignorable is asked after all others wherever it stands",
            ));
        }
    }
}

/// The order in which extenders are asked.
fn order_of_calls(configuration: &Configuration) -> Vec<usize> {
    let mut order: Vec<usize> = (0..configuration.extenders.len()).collect();
    order.sort_by_key(|index| {
        configuration
            .extenders
            .get(*index)
            .is_some_and(|extender| extender.ignorable)
    });
    order
}
