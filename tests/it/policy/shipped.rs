//! The shipped policies over the shipped catalogue: where typical pods may run.

use std::collections::BTreeSet;

use domicile::embedded;
use domicile::model::{Category, Classification, Country, DataTuple, Dimension, Subject, Tuple};
use domicile::policy::{
    Activity, ActivitySet, Catalogue, PolicySet, Profile, Source, SourcedTuple, evaluate,
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
        namespace_labels: Some(std::collections::BTreeMap::new()),
        performs: ActivitySet::default()
            .with(Activity::Process)
            .with(Activity::Store),
        ..Profile::default()
    }
}

fn regions(catalogue: &Catalogue, holds: impl Fn(&domicile::model::Region) -> bool) -> BTreeSet<String> {
    let regions = catalogue.regions().filter(|region| holds(region));
    regions.map(|region| region.key.to_string()).collect()
}

fn permitted(set: &PolicySet, profile: &Profile) -> BTreeSet<String> {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let verdict = evaluate(set, profile, now);
    let permits = |region: &domicile::model::Region| {
        let locality = domicile::model::Locality {
            region: Some(domicile::model::RegionReference::Key(region.key.clone())),
            ..domicile::model::Locality::default()
        };
        verdict.permitted.contains(set.catalogue().place(&locality))
    };
    regions(set.catalogue(), permits)
}

fn is_in(countries: &[&str]) -> impl Fn(&domicile::model::Region) -> bool {
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
    assert!(wanted.contains("aws/cn-north-1"), "{wanted:?}");
    assert_eq!(permitted(&set, &profile(Category::Personal, Some("CN"))), wanted);
    // No shipped policy speaks of people in Hong Kong, so their data goes nowhere.
    assert_eq!(
        permitted(&set, &profile(Category::Personal, Some("HK"))),
        BTreeSet::new()
    );
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
