//! No policy file takes long, much memory or the process with it: what is too much is a finding.

use std::fmt::Write;
use std::time::{Duration, Instant};

use domicile::policy::PolicySet;

/// Far more than any of these takes, even on a busy machine without optimisation.
const LONG: Duration = Duration::from_secs(60);

const SETTINGS: &str = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: s}\nspec: {mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology}\n";
const REGION: &str = "apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {name: p.r}\nspec: {provider: p, region: r, country: \"DE\", source: {cite: x, asOf: \"2026-01-01\"}}\n";

/// The first finding of a text that must not load.
fn refused(text: &str) -> String {
    let start = Instant::now();
    let outcome = PolicySet::load([("a.yaml", text)]);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    match outcome {
        Ok(_) => panic!("it loads"),
        Err(findings) => findings[0].to_string(),
    }
}

fn loads(text: &str) -> PolicySet {
    let start = Instant::now();
    let outcome = PolicySet::load([("a.yaml", text)]);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    match outcome {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{}", findings[0]),
    }
}

fn group(name: &str, members: &str) -> String {
    format!(
        "---\napiVersion: domicile.dev/v1alpha1\nkind: JurisdictionGroup\nmetadata: {{name: {name}}}\nspec: {{asOf: \"2026-01-01\", reviewBy: \"2030-01-01\", source: x, members: [{members}]}}\n"
    )
}

fn policy(name: &str, extra: &str, places: &str) -> String {
    format!(
        "---\napiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: {name}}}\nspec:\n  title: t\n  owner: {{team: t, contact: c}}\n  legalBasis: [{{cite: x}}]\n  mode: enforce\n{extra}  appliesTo: {{data: {{subjects: [{places}]}}}}\n  rules: [{{id: place, allowed: [{places}]}}]\n"
    )
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text =
        String::from("apiVersion: domicile.dev/v1alpha1\nkind: Region\na: &a [x, x, x, x, x, x, x, x, x]\n");
    for (outer, inner) in ["b", "c", "d", "e", "f", "g", "h", "i"]
        .into_iter()
        .zip("abcdefgh".chars())
    {
        let nine = vec![format!("*{inner}"); 9].join(", ");
        writeln!(text, "{outer}: &{outer} [{nine}]").unwrap();
    }
    let said = refused(&text);
    assert!(said.contains("L01") && said.contains("alias"), "{said}");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = format!("{}x{}", open.repeat(100_000), close.repeat(100_000));
        let text =
            format!("apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {{name: x}}\nspec: {deep}\n");
        assert!(refused(&text).contains("L01"));
    }
    let indented: String = (0..5_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(refused(&indented).contains("L01"));
}

#[test]
fn files_and_sets_have_a_size() {
    let long = format!("{SETTINGS}# {}\n", "x".repeat(9 << 20));
    assert!(refused(&long).contains("bytes where"), "{}", refused(&long));
    let many = format!("{SETTINGS}{}", "---\nkind: x\n".repeat(10_001));
    assert!(refused(&many).contains("no `apiVersion`"));
}

#[test]
fn unquoted_words_by_the_thousand_are_found_in_time() {
    let words = vec!["NO"; 40_000].join(", ");
    let said = refused(&format!("{SETTINGS}{REGION}", REGION = policy("p", "", &words)));
    assert!(said.contains("L02"), "{said}");
}

#[test]
fn groups_that_double_at_every_level_are_worked_out_once() {
    let mut text = format!("{SETTINGS}---\n{REGION}");
    text += &group("g0", "{country: \"DE\"}");
    for level in 1..200 {
        let inner = level - 1;
        text += &group(
            &format!("g{level}"),
            &format!("{{group: g{inner}}}, {{group: g{inner}, from: \"2026-01-01\"}}"),
        );
    }
    text += &policy("p", "", "group/g199");
    let set = loads(&text);
    assert_eq!(set.definitions().groups.len(), 200);
}

#[test]
fn a_long_chain_of_groups_does_not_end_the_stack() {
    let mut text = format!("{SETTINGS}---\n{REGION}");
    text += &group("g0", "{country: \"DE\"}");
    for level in 1..1_500 {
        text += &group(&format!("g{level}"), &format!("{{group: g{}}}", level - 1));
    }
    text += &policy("p", "", "group/g1499");
    loads(&text);
    // The same as one great circle.
    let circle = text.replacen("{country: \"DE\"}", "{group: g1499}", 1);
    assert!(refused(&circle).contains("L04"));
}

#[test]
fn too_many_rules_and_dates_together_are_refused() {
    let mut text = format!("{SETTINGS}---\n{REGION}");
    for number in 0..700 {
        let date = format!(
            "{}-{:02}-{:02}",
            2030 + number / 300,
            1 + number / 25 % 12,
            1 + number % 25
        );
        text += &policy(
            &format!("p{number}"),
            &format!("  enforceFrom: \"{date}\"\n"),
            "\"DE\"",
        );
    }
    assert!(refused(&text).contains("too many rules and dates"));
}

fn exception(number: usize) -> String {
    let start: jiff::civil::Date = "2026-01-01".parse().unwrap();
    let day = |number: usize| start + jiff::SignedDuration::from_hours(24 * i64::try_from(number).unwrap());
    let (from, to) = (day(2 * number), day(2 * number + 1));
    format!(
        "---\napiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {{name: x{number}}}\nspec:\n  relaxes: {{policy: p, rule: place}}\n  scope: {{namespace: n, locations: [anywhere], data: {{subjects: [group/g, \"FR\"]}}}}\n  category: waiver\n  reason: r\n  requestedBy: a@b.example\n  approvedBy: c@b.example\n  ticket: t\n  notBefore: \"{from}\"\n  expires: \"{to}\"\n"
    )
}

#[test]
fn exceptions_and_their_dates_load_in_time_or_are_refused() {
    let mut text = format!("{SETTINGS}---\n{REGION}");
    text += &group("g", "{country: \"DE\"}, {country: \"NO\", from: \"2027-01-01\"}");
    let terms = "  exceptions: {allowed: true, approvers: [c@b.example]}\n";
    text += &policy("p", terms, "group/g");
    let few: String = (0..400).map(exception).collect();
    assert_eq!(loads(&format!("{text}{few}")).definitions().exceptions.len(), 400);
    let many: String = (0..700).map(exception).collect();
    assert!(refused(&format!("{text}{many}")).contains("too many rules and dates"));
}

#[test]
fn ages_of_facts_and_regions_of_many_dates_load_in_time() {
    let ages = "maxFactAge: {public: 4000d, internal: 3000d, confidential: 2000d, restricted: 1000d}}";
    let mut text = SETTINGS.replace("regionKey: topology}", &format!("regionKey: topology, {ages}"));
    let start: jiff::civil::Date = "2020-01-01".parse().unwrap();
    for number in 0..300_i64 {
        let day = start + jiff::SignedDuration::from_hours(24 * number);
        let region = REGION
            .replace("p.r", &format!("p.r{number}"))
            .replace("region: r,", &format!("region: r{number},"))
            .replace("2026-01-01", &day.to_string());
        text += &format!("---\n{region}");
    }
    for number in 0..100 {
        text += &policy(&format!("p{number}"), "", "\"DE\"");
    }
    assert_eq!(loads(&text).definitions().policies.len(), 100);
}

#[test]
fn no_cut_of_a_shipped_file_panics() {
    for (name, text) in domicile::embedded::policies()
        .iter()
        .filter(|(name, _)| !name.starts_with("regions"))
    {
        for end in (0..text.len()).step_by(97) {
            if let Some(cut) = text.get(..end) {
                let _ = PolicySet::load([(*name, cut)]);
            }
        }
    }
}
