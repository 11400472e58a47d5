//! The shipped policies over the shipped catalogue: where typical pods may run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use domicile::embedded;
use domicile::model::{
    Category, Classification, Country, DataTuple, Dimension, Locality, Region, RegionReference, Subject,
    Tuple,
};
use domicile::policy::{
    Activity, ActivitySet, Catalogue, Cause, PolicySet, Profile, Source, SourcedTuple, evaluate, lint,
    run_tests,
};
use jiff::Timestamp;

const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT",
    "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

fn shipped() -> PolicySet {
    match PolicySet::load(embedded::policies().iter().copied()) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{}", findings[0]),
    }
}

/// A namespace with data of one category about the people of one country.
fn profile(category: Category, subject: Option<&str>) -> Profile {
    let subject = match subject {
        Some(code) => Dimension::Is(Subject::Country(Country::new(code).unwrap())),
        None => Dimension::None,
    };
    let tuple = Tuple::Data(DataTuple {
        classification: Some(Classification::Confidential),
        category: Dimension::Is(category),
        subject,
    });
    Profile {
        tuples: vec![SourcedTuple {
            source: Source::Namespace,
            tuple,
        }],
        namespace_labels: Some(BTreeMap::new()),
        performs: ActivitySet::default()
            .with(Activity::Process)
            .with(Activity::Store),
        ..Profile::default()
    }
}

fn regions(catalogue: &Catalogue, holds: impl Fn(&Region) -> bool) -> BTreeSet<String> {
    let regions = catalogue.regions().filter(|region| holds(region));
    regions.map(|region| region.key.to_string()).collect()
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn locality(region: &str) -> Locality {
    Locality {
        region: Some(RegionReference::parse(region).unwrap()),
        ..Locality::default()
    }
}

fn permitted(set: &PolicySet, profile: &Profile) -> BTreeSet<String> {
    let verdict = evaluate(set, profile, now());
    let permits = |region: &Region| {
        let place = set.catalogue().place(&locality(region.key.as_str()));
        verdict.permitted.contains(place)
    };
    regions(set.catalogue(), permits)
}

fn is_in(countries: &[&str]) -> impl Fn(&Region) -> bool {
    move |region| countries.contains(&region.country.code())
}

#[test]
fn personal_data_of_the_eea_stays_in_every_region_of_the_eea() {
    let set = shipped();
    let wanted = regions(set.catalogue(), is_in(&EEA));
    assert!(
        wanted.len() >= 20 && wanted.contains("aws/eu-central-1"),
        "{wanted:?}"
    );
    assert!(
        !wanted.contains("aws/eu-west-2") && !wanted.contains("aws/eu-central-2"),
        "GB and CH are outside"
    );
    for (category, subject) in [
        (Category::Personal, "DE"),
        (Category::Health, "NO"),
        (Category::Child, "GR"),
    ] {
        assert_eq!(
            permitted(&set, &profile(category, Some(subject))),
            wanted,
            "{subject}"
        );
    }
}

#[test]
fn personal_data_of_the_us_stays_in_the_us() {
    let set = shipped();
    let wanted = regions(set.catalogue(), is_in(&["US"]));
    assert!(
        wanted.contains("aws/us-east-1") && wanted.len() >= 10,
        "{wanted:?}"
    );
    assert_eq!(permitted(&set, &profile(Category::Personal, Some("US"))), wanted);
}

#[test]
fn personal_data_of_mainland_china_stays_there_and_hong_kong_is_not_it() {
    let set = shipped();
    let wanted = regions(set.catalogue(), is_in(&["CN"]));
    assert!(
        wanted.contains("aws/cn-north-1") && !wanted.contains("aws/ap-east-1"),
        "{wanted:?}"
    );
    assert_eq!(permitted(&set, &profile(Category::Personal, Some("CN"))), wanted);
    // No shipped policy speaks of people in Hong Kong, Macao or Taiwan, so their data goes nowhere.
    for subject in ["HK", "MO", "TW"] {
        let permitted = permitted(&set, &profile(Category::Personal, Some(subject)));
        assert_eq!(permitted, BTreeSet::new(), "{subject}");
    }
}

#[test]
fn the_united_kingdom_and_switzerland_have_lists_of_their_own() {
    let set = shipped();
    let british = permitted(&set, &profile(Category::Personal, Some("GB")));
    let swiss = permitted(&set, &profile(Category::Personal, Some("CH")));
    for region in ["aws/eu-west-2", "aws/eu-central-1", "aws/eu-central-2"] {
        assert!(british.contains(region) && swiss.contains(region), "{region}");
    }
    // Brazil is on the list of the EU alone, Japan and Korea are not on the Swiss one.
    for (region, in_british, in_swiss) in [
        ("aws/sa-east-1", false, false),
        ("aws/us-east-1", false, false),
        ("aws/ap-northeast-1", true, false),
        ("aws/ap-northeast-2", true, false),
    ] {
        assert_eq!(british.contains(region), in_british, "{region}");
        assert_eq!(swiss.contains(region), in_swiss, "{region}");
    }
    // Jersey, Guernsey, the Isle of Man and Gibraltar are not part of GB; Puerto Rico is not part of US.
    for subject in ["JE", "GG", "IM", "GI", "PR"] {
        let permitted = permitted(&set, &profile(Category::Personal, Some(subject)));
        assert_eq!(permitted, BTreeSet::new(), "{subject}");
    }
}

#[test]
fn health_records_of_australia_stay_there_and_so_does_a_namespace_of_the_programme() {
    let set = shipped();
    let wanted = regions(set.catalogue(), is_in(&["AU"]));
    assert!(wanted.contains("aws/ap-southeast-2"), "{wanted:?}");
    assert_eq!(permitted(&set, &profile(Category::Health, Some("AU"))), wanted);
    // Other personal data of Australians has no policy.
    assert_eq!(
        permitted(&set, &profile(Category::Personal, Some("AU"))),
        BTreeSet::new()
    );
    let mut programme = profile(Category::Financial, None);
    let labels = programme.namespace_labels.as_mut().unwrap();
    labels.insert("programme".into(), "my-health-record".into());
    assert_eq!(permitted(&set, &programme), wanted);
}

#[test]
fn sovereign_data_runs_where_control_and_administration_are_european() {
    let set = shipped();
    let wanted: BTreeSet<String> = ["otc/eu-de", "otc/eu-nl"].map(str::to_owned).into();
    assert_eq!(
        permitted(&set, &profile(Category::Government, Some("FR"))),
        wanted
    );
    // The European Sovereign Cloud fails by its control alone, Hetzner and Scaleway by an unknown administration.
    for (region, refused_by) in [
        ("aws/eusc-de-east-1", ["control"].as_slice()),
        ("scaleway/fr-par", &["administration"]),
        ("aws/eu-central-1", &["control", "administration"]),
        ("aws/us-east-1", &["place", "control", "administration"]),
    ] {
        let verdict = evaluate(&set, &profile(Category::Government, Some("FR")), now());
        let place = set.catalogue().place(&locality(region));
        let refusing = verdict
            .restrictions
            .iter()
            .filter(|restriction| !restriction.admits.contains(place));
        let rules = refusing.filter_map(|restriction| match restriction.cause {
            Cause::Rule(index) => set.rule_name(index),
            _ => None,
        });
        let mut rules: Vec<String> = rules.collect();
        rules.sort();
        let refused_by = refused_by.iter().map(|rule| format!("eea-sovereign/{rule}"));
        let mut refused_by: Vec<String> = refused_by.collect();
        refused_by.sort();
        assert_eq!(rules, refused_by, "{region}");
    }
    let mut labelled = profile(Category::Personal, Some("DE"));
    let labels = labelled.namespace_labels.as_mut().unwrap();
    labels.insert("sovereignty".into(), "eea".into());
    assert_eq!(permitted(&set, &labelled), wanted);
}

#[test]
fn card_data_goes_where_the_operator_is_known_and_vetted() {
    let set = shipped();
    let vetted: Vec<&str> = EEA.iter().copied().chain(["US", "CA", "GB", "CH"]).collect();
    let wanted = regions(set.catalogue(), |region| {
        let operator = region.facts.operator.as_ref();
        let countries = operator.and_then(|operator| operator.controlled_from.as_ref());
        countries.is_some_and(|countries| countries.iter().all(|country| vetted.contains(&country.code())))
    });
    assert!(
        wanted.contains("aws/us-east-1") && !wanted.contains("aws/cn-north-1"),
        "{wanted:?}"
    );
    assert_eq!(permitted(&set, &profile(Category::Payment, None)), wanted);
}

#[test]
fn data_of_two_jurisdictions_has_no_place_and_says_why() {
    let set = shipped();
    let mut both = profile(Category::Personal, Some("DE"));
    both.tuples.extend(profile(Category::Personal, Some("US")).tuples);
    assert_eq!(permitted(&set, &both), BTreeSet::new());
}

/// Every case passes, and every rule has one that it allows and one that it refuses.
fn holds_its_tests(set: &PolicySet) {
    let report = run_tests(set);
    let failed = report.tried.iter().filter(|tried| !tried.passed);
    let failed: Vec<String> = failed
        .map(|tried| format!("{}: {}", tried.case.name, tried.sentence))
        .collect();
    assert_eq!(failed, Vec::<String>::new());
    let untested = report.coverage.iter().filter(|rule| !rule.is_tested());
    let untested: Vec<Option<String>> = untested.map(|rule| set.rule_name(rule.rule)).collect();
    assert_eq!(untested, Vec::new());
    assert!(report.tried.len() > 60, "cases are missing");
}

#[test]
fn every_policy_has_tests_and_the_set_has_guarantees() {
    let set = shipped();
    holds_its_tests(&set);
    let tests: BTreeSet<&str> = set.definitions().tests.iter().map(|test| &*test.name).collect();
    for policy in &set.definitions().policies {
        assert!(tests.contains(&*policy.name), "{} has no test", policy.name);
    }
    assert!(set.definitions().guarantees.len() >= 5);
}

/// The shipped set with the files of a variant put over it, as a company would copy them.
fn with_variant(name: &str) -> PolicySet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/variants")
        .join(name);
    let mut files: BTreeMap<String, String> = embedded::policies()
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    for (file, text) in files_below(&folder) {
        assert!(
            files.insert(file.clone(), text).is_some(),
            "{file} is in no place of the shipped set"
        );
    }
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let loaded = PolicySet::load(files).unwrap_or_else(|findings| panic!("{}", findings[0]));
    assert_eq!(lint(&loaded.set, now()), Vec::new());
    holds_its_tests(&loaded.set);
    loaded.set
}

/// The YAML files below a folder, named relative to it.
fn files_below(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{} holds no policy", folder.display());
    found
}

#[test]
fn the_adequacy_variant_lets_in_recognised_countries_while_they_are() {
    let strict = permitted(&shipped(), &profile(Category::Personal, Some("FR")));
    let set = with_variant("eea-adequacy");
    let wanted = permitted(&set, &profile(Category::Personal, Some("FR")));
    assert!(wanted.is_superset(&strict));
    for (region, is_in) in [
        ("aws/eu-west-2", true),
        ("aws/sa-east-1", true),
        ("aws/ap-northeast-1", true),
        ("aws/us-east-1", false),
        ("aws/ca-central-1", false),
    ] {
        assert_eq!(wanted.contains(region), is_in, "{region}");
    }
    // The decision on the United Kingdom ends with the day of 2031-12-27.
    let london = set.catalogue().place(&locality("aws/eu-west-2"));
    for (at, is_in) in [("2031-12-27T23:59:59Z", true), ("2031-12-28T00:00:00Z", false)] {
        let at: Timestamp = at.parse().unwrap();
        let verdict = evaluate(&set, &profile(Category::Personal, Some("FR")), at);
        assert_eq!(verdict.permitted.contains(london), is_in, "{at}");
    }
}

#[test]
fn a_variant_and_what_it_replaces_do_not_load_together() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/variants");
    for (file, text) in files_below(&folder) {
        let other = format!("variant/{file}");
        let files = embedded::policies().iter().copied();
        let findings = PolicySet::load(files.chain([(other.as_str(), text.as_str())])).unwrap_err();
        assert!(findings.iter().any(|finding| finding.code == "L04"), "{file}");
    }
}

/// A team that the shipped settings gained was missing there once, so the installation never got ready.
#[test]
fn the_overlay_that_observes_has_the_shipped_settings_but_for_the_mode() {
    let text = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        fs::read_to_string(path).unwrap()
    };
    let shipped = text("policies/settings.yaml");
    let observing = shipped.replace("\n  mode: enforce\n", "\n  mode: observe\n");
    assert_ne!(shipped, observing);
    assert_eq!(text("deploy/overlays/observe/settings.yaml"), observing);
}
