//! The page: well formed, safe, the same each time, true to the summary.

use std::collections::BTreeMap;

use serde_json::Value;

use super::html;
use super::made_up_tests::made_up;
use crate::simulation::summary::{Stopped, Summary};

/// Elements that have no end.
const EMPTY_ELEMENTS: [&str; 1] = ["meta"];

/// A name of an element with its attributes.
type Tag = (String, BTreeMap<String, String>);

/// Reads a page as strictly as XML: the tags in their order with their attributes, and the text.
fn read(page: &str) -> (Vec<Tag>, String) {
    let (_, body) = page.split_once("<!DOCTYPE html>").expect("a page of HTML");
    let (before, after) = body.split_once("<style>").expect("a style");
    let (style, after) = after.split_once("</style>").expect("its end");
    assert!(!style.contains('<'), "a style ends where its element does");
    let (mut open, mut tags, mut text) = (Vec::new(), Vec::new(), String::new());
    let rest = format!("{before}{after}");
    let mut rest = rest.as_str();
    while let Some((said, tagged)) = rest.split_once('<') {
        text.push_str(said);
        let (tag, after) = tagged.split_once('>').expect("a tag ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "the tag that ends is the one that began last"
            );
            continue;
        }
        let (inner, is_empty) = tag.strip_suffix('/').map_or((tag, false), |inner| (inner, true));
        let (name, mut attributes) = inner.split_once(' ').unwrap_or((inner, ""));
        let mut named = BTreeMap::new();
        while let Some((key, quoted)) = attributes.trim_start().split_once("=\"") {
            let (value, after) = quoted.split_once('"').expect("an attribute ends");
            assert!(
                !value.contains('<') && after.is_empty() || after.starts_with(' '),
                "{tag}"
            );
            assert!(
                named.insert(key.to_owned(), value.to_owned()).is_none(),
                "`{key}` twice in <{tag}>"
            );
            attributes = after;
        }
        assert!(attributes.trim().is_empty(), "<{tag}>");
        assert!(
            name.chars().all(|letter| letter.is_ascii_alphanumeric()) || name == "clipPath",
            "<{tag}>"
        );
        if is_empty {
            assert!(
                EMPTY_ELEMENTS.contains(&name) || ["path", "circle", "rect"].contains(&name),
                "<{tag}>"
            );
        } else {
            open.push(name.to_owned());
        }
        tags.push((name.to_owned(), named));
    }
    text.push_str(rest);
    assert_eq!(open, Vec::<String>::new(), "every tag ends");
    assert!(
        !text.contains('>'),
        "a sign that belongs to tags stands between them"
    );
    for after in text.split('&').skip(1) {
        let (entity, _) = after.split_once(';').expect("an entity ends");
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "&{entity};");
    }
    (tags, text)
}

/// The fields whose text is one of a few words of the format.
const WORDS: [&str; 1] = ["by"];

/// The same summary with every text in it replaced that could come from outside.
fn with_texts(summary: &Summary, change: &dyn Fn(&str) -> String) -> Summary {
    fn walk(value: &mut Value, change: &dyn Fn(&str) -> String) {
        match value {
            Value::String(text) => *text = change(text),
            Value::Array(values) => values.iter_mut().for_each(|value| walk(value, change)),
            Value::Object(fields) => {
                let texts = fields
                    .iter_mut()
                    .filter(|(name, _)| !WORDS.contains(&name.as_str()));
                texts.for_each(|(_, value)| walk(value, change));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(summary).expect("a summary is JSON");
    walk(&mut value, change);
    serde_json::from_value(value).expect("it is a summary yet")
}

/// A figure of a summary by its path, with the names of comparators as steps.
fn figure<'v>(summary: &'v Value, path: &str) -> &'v Value {
    let (first, _) = path.split_once('.').expect("a path has steps");
    let comparators = summary["comparators"].as_array().expect("a list");
    let from = comparators.iter().find(|of| of["id"] == first);
    let steps: Vec<&str> = path.split('.').collect();
    let (from, steps) = from.map_or((summary, &steps[..]), |from| (from, &steps[1..]));
    steps.iter().fold(from, |value, step| &value[step])
}

fn bare(summary: &mut Summary) {
    summary.comparators.retain(|of| of.id == "domicile");
    for of in &mut summary.comparators {
        of.timeline.clear();
        of.cdf.clear();
        of.regions.clear();
        of.latency = Default::default();
        of.unschedulable = Default::default();
        of.violations_by.clear();
    }
    (
        summary.cost,
        summary.moved,
        summary.seeds,
        summary.fidelity.agreement,
    ) = (None, None, None, None);
    summary.refused.clear();
    summary.failures.clear();
    summary.run.marks.clear();
}

#[test]
fn a_page_is_well_formed_and_stands_alone() {
    let mut without_anything = made_up(3);
    bare(&mut without_anything);
    without_anything.comparators.clear();
    let mut with_little = made_up(3);
    bare(&mut with_little);
    for summary in [made_up(16), with_little, without_anything] {
        let page = html(&summary);
        let (tags, _) = read(&page);
        for outside in ["http://", "https://", "@import", "url(\""] {
            assert!(!page.contains(outside), "{outside}");
        }
        let names: Vec<&str> = tags.iter().map(|(name, _)| name.as_str()).collect();
        for never in ["script", "link", "img", "iframe"] {
            assert!(!names.contains(&never), "<{never}>");
        }
        let is_handler = |key: &String| key.starts_with("on") || key == "src";
        assert!(
            !tags
                .iter()
                .any(|(_, attributes)| attributes.keys().any(is_handler)),
            "no attribute does anything"
        );
    }
}

#[test]
fn whatever_stands_in_a_text_is_shown_and_not_done() {
    let hostile = |text: &str| format!("{text}\"'><script>alert('`')</script>&\u{0}");
    let plain = made_up(16);
    let attacked = html(&with_texts(&plain, &hostile));
    assert!(!attacked.contains("<script") && !attacked.contains('\u{0}'));
    // What is told by its beginning, such as a great mark, is so yet; so the same tags stand there, but for code in backticks.
    let names = |page: &str| {
        let (tags, _) = read(page);
        tags.into_iter()
            .map(|(name, _)| name)
            .filter(|name| name != "code")
            .collect::<Vec<_>>()
    };
    let of_names = ["domicile", "residency-off", "kube-default"];
    let safe = |text: &str| {
        if of_names.contains(&text) {
            text.to_owned()
        } else {
            hostile(text)
        }
    };
    assert_eq!(names(&html(&with_texts(&plain, &safe))), names(&html(&plain)));
    assert!(attacked.contains("&lt;script&gt;alert("));
}

#[test]
fn the_same_summary_gives_the_same_page() {
    assert_eq!(html(&made_up(16)), html(&made_up(16)));
}

#[test]
fn every_figure_at_the_top_is_the_one_of_the_summary() {
    let mut without_cost = made_up(5);
    without_cost.cost = None;
    for (summary, expected) in [
        (made_up(5), "cost.added.p50Us"),
        (without_cost, "domicile.latency.known.p50Us"),
    ] {
        let (tags, _) = read(&html(&summary));
        let json = serde_json::to_value(&summary).expect("a summary is JSON");
        let shown: BTreeMap<&String, &String> = tags
            .iter()
            .filter_map(|(_, attributes)| Some((attributes.get("data-figure")?, attributes.get("value")?)))
            .collect();
        assert_eq!(shown.len(), 5, "{shown:?}");
        assert!(shown.contains_key(&expected.to_owned()), "{shown:?}");
        for (path, value) in shown {
            assert_eq!(*value, figure(&json, path).to_string(), "{path}");
        }
    }
    let page = html(&made_up(5));
    for figure in ["+6.9\u{a0}ms", "+20.0\u{a0}ms", ">212<", ">164<", ">0</data>"] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn a_run_that_is_not_complete_says_so_before_any_figure() {
    let mut summary = made_up(3);
    summary.complete = false;
    summary.stopped = Some(Stopped {
        why: "somebody stopped it".to_owned(),
        runs_done: 3,
        runs: 8,
    });
    let page = html(&summary);
    let says = page.find("This run is not complete").expect("it says so");
    assert!(says < page.find("data-figure").expect("it has figures"));
    assert!(page.contains("3 of 8 runs came to their end: somebody stopped it"));
    assert!(!html(&made_up(3)).contains("not complete"));
}

#[test]
fn what_has_no_data_is_left_out_or_said() {
    let mut summary = made_up(3);
    bare(&mut summary);
    let page = html(&summary);
    for part in ["cost", "moved", "regions", "failures", "timeline"] {
        assert!(
            !page.contains(&format!("id=\"{part}\"")) && !page.contains(&format!("#{part}\"")),
            "{part}"
        );
    }
    for said in [
        "Every pod finds a node under every scheduler",
        "there is no curve",
        "one run of one seed",
        "Nobody compared this model",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("<svg"));
}

#[test]
fn every_table_has_a_caption_and_headings_and_every_drawing_a_title() {
    let page = html(&made_up(16));
    let (tags, _) = read(&page);
    let count = |wanted: &str| tags.iter().filter(|(name, _)| name == wanted).count();
    assert!(count("table") >= 9 && count("table") == count("caption"));
    assert!(
        tags.iter()
            .filter(|(name, _)| name == "th")
            .all(|(_, attributes)| attributes.contains_key("scope"))
    );
    let images = tags.iter().filter(|(name, _)| name == "svg");
    for (_, attributes) in images {
        let hidden = attributes
            .get("aria-hidden")
            .is_some_and(|hidden| hidden == "true");
        let titled = attributes
            .get("aria-labelledby")
            .is_some_and(|id| page.contains(&format!("<title id=\"{id}\">")));
        assert!(hidden || titled, "{attributes:?}");
    }
    let mut ids: Vec<&String> = tags
        .iter()
        .filter_map(|(_, attributes)| attributes.get("id"))
        .collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands once");
}

#[test]
fn a_page_of_sixty_regions_is_small() {
    let page = html(&made_up(60));
    assert!(page.len() < 300_000, "{} bytes", page.len());
}
