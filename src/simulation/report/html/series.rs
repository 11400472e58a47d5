//! How each scheduler looks wherever it is drawn: a number, a colour, a dash.
//!
//! Invariants: the number is its place in the summary, so colour and dash only repeat what the number says; a scheduler
//! looks the same in every part of the page. Deliberately absent: what is drawn.

use std::fmt::Write as _;

use super::escape::Text;
use crate::simulation::summary::{ComparatorSummary, Summary};

/// Looks that have a name in the style; the last is for all others.
const LOOKS: [&str; 9] = [
    PRODUCT,
    "residency-off",
    "kube-default",
    "hand-affinity",
    "random-compliant",
    "nearest-first",
    "domicile-affinity",
    "policy-b",
    "",
];

/// The product.
const PRODUCT: &str = "domicile";

/// A scheduler with its looks.
#[derive(Clone, Copy)]
pub struct Series<'s> {
    /// From 1, in the order of the summary.
    pub number: usize,
    /// Which of the looks.
    pub look: usize,
    /// Whether the page is about it.
    pub is_subject: bool,
    /// Its figures.
    pub of: &'s ComparatorSummary,
}

/// All of them, in the order of the summary.
pub fn all(summary: &Summary) -> impl Iterator<Item = Series<'_>> + Clone {
    let has_product = summary.comparator(PRODUCT).is_some();
    summary
        .comparators
        .iter()
        .enumerate()
        .map(move |(at, of)| Series {
            number: at + 1,
            look: LOOKS
                .iter()
                .position(|look| *look == of.id)
                .unwrap_or(LOOKS.len() - 1),
            is_subject: if has_product { of.id == PRODUCT } else { at == 0 },
            of,
        })
}

/// The scheduler that the page is about: the product, or the first where that did not run.
pub fn subject(summary: &Summary) -> Option<Series<'_>> {
    all(summary).find(|series| series.is_subject)
}

impl Series<'_> {
    /// Its number in its colour.
    #[must_use]
    pub fn badge(&self) -> String {
        format!("<span class=\"badge s{}\">{}</span>", self.look, self.number)
    }

    /// Its number and its name.
    #[must_use]
    pub fn name(&self) -> String {
        let class = if self.is_subject { "named subject" } else { "named" };
        format!(
            "<span class=\"{class}\">{} {}</span>",
            self.badge(),
            Text(&self.of.id)
        )
    }

    /// Its number on a curve.
    #[must_use]
    pub fn disc(&self, x: f64, y: f64) -> String {
        format!(
            "<circle class=\"disc\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/>\
             <text class=\"in-disc\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            y + 3.8,
            self.number
        )
    }
}

/// A list of schedulers with a piece of their lines, each with a remark.
pub fn legend<'s>(all: impl Iterator<Item = Series<'s>>, remark: impl Fn(&Series<'s>) -> String) -> String {
    let mut list = "<ul class=\"legend\">\n".to_owned();
    for series in all {
        let remark = remark(&series);
        // Writing to a String cannot fail.
        let _ = writeln!(
            list,
            "<li><svg class=\"key s{}\" viewBox=\"0 0 54 18\" aria-hidden=\"true\"><path class=\"line\" d=\"M0 9H54\"/>{}</svg>\
             <span>{}<small>{}</small></span></li>",
            series.look,
            series.disc(27.0, 9.0),
            Text(&series.of.id),
            Text(&remark)
        );
    }
    list.push_str("</ul>\n");
    list
}
