//! Small worlds of links: what remains, which way, and how long it takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::model::Statistic;
use crate::topology::parse_latency_csv;

/// Regions that are measured, and one that is not.
const REGIONS: [(&str, &str); 5] = [
    ("eu", "DE"),
    ("alps", "CH"),
    ("south", "IT"),
    ("north", "NO"),
    ("dark", "SE"),
];

const LATENCIES: &str = "from,to,rtt_ms
w/eu,w/alps,5
w/eu,w/south,12
w/eu,w/north,20
w/alps,w/south,6
w/north,w/south,30
w/alps,w/north,24
";

fn set(links: &[(&str, &str, &str)], rules: &[&str]) -> PolicySet {
    let mut text = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: s}\n\
                    spec: {mode: enforce, uncovered: allow, unlabelled: allow, regionKey: topology}\n"
        .to_owned();
    let mut object = |kind: &str, name: &str, spec: &str| {
        let head = "---\napiVersion: domicile.dev/v1alpha1\n";
        write!(
            text,
            "{head}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
        )
        .expect("a text");
    };
    for (name, country) in REGIONS {
        let spec = format!(
            "{{provider: w, region: {name}, country: \"{country}\", source: {{cite: x, asOf: \"2026-01-01\"}}}}"
        );
        object("Region", &format!("w.{name}"), &spec);
    }
    for (number, (from, to, countries)) in links.iter().enumerate() {
        let spec = format!(
            "{{from: w/{from}, to: w/{to}, countries: [{countries}], provider: x, asOf: \"2026-01-01\"}}"
        );
        object("NetworkLink", &format!("l{number}"), &spec);
    }
    for (number, rule) in rules.iter().enumerate() {
        let spec = format!(
            "{{title: t, owner: {{team: a, contact: b}}, legalBasis: [{{cite: c}}], mode: enforce, \
             appliesTo: {{data: {{categories: [personal]}}}}, rules: [{{id: r, transit: {rule}}}]}}"
        );
        object("PlacementPolicy", &format!("p{number}"), &spec);
    }
    match PolicySet::load([("set.yaml", text.as_str())]) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("{}\n{text}", findings[0]),
    }
}

struct World {
    set: PolicySet,
    table: LatencyTable,
    ways: TransitWays,
}

impl World {
    fn new(links: &[(&str, &str, &str)], rules: &[&str]) -> Self {
        let set = set(links, rules);
        let measured = parse_latency_csv("t", LATENCIES, |_| None, &BTreeMap::new()).expect("a good file");
        let table = LatencyTable::build(&measured, &BTreeMap::new(), Statistic::P50);
        let ways = TransitWays::new(&set, &table);
        Self { set, table, ways }
    }

    fn permitted(&self, profiles: impl IntoIterator<Item = usize>) -> Arc<PermittedWays> {
        let all: Vec<TransitIndex> = self.set.transit_indices().collect();
        let profiles = profiles.into_iter().map(|profile| all[profile]).collect();
        self.ways
            .under(&profiles, (&self.set, &self.table))
            .expect("a profile")
    }

    /// `direct 5`, `detour 11`, `unknown` or `closed`; and `undeclared` where nobody declares it.
    fn way(&self, permitted: &PermittedWays, from: &str, to: &str) -> String {
        let keys = [from, to].map(|name| RegionKey::new("w", name).expect("a key"));
        let [start, end] = &keys;
        let spot = |region| Spot {
            region: Some(region),
            point: self.table.locate(region, None),
        };
        let (start, end) = (spot(start), spot(end));
        let remains = permitted.remain(&self.table, start, end);
        let way = match (start.point, end.point) {
            (Some(from), Some(to)) => permitted.between(&self.table, from, to),
            _ if remains => Route::Unknown,
            _ => Route::Closed,
        };
        assert_eq!(remains, way != Route::Closed, "{from} {to}");
        let word = match way {
            Route::Direct(estimate) => format!("direct {}", estimate.latency.as_ms()),
            Route::Detour(estimate) => format!("detour {}", estimate.latency.as_ms()),
            Route::Unknown => "unknown".to_owned(),
            Route::Closed => return "closed".to_owned(),
        };
        match permitted.is_declared(&self.table, start, end) {
            true => word,
            false => format!("{word} undeclared"),
        }
    }
}

const DENY: &str = "{forbid: [\"CH\"], whenPathUnknown: deny}";
const WARN: &str = "{forbid: [\"CH\"], whenPathUnknown: warn}";

#[test]
fn ways_remain_as_rules_and_links_say() {
    let links = [
        ("eu", "south", "\"CH\""),
        ("eu", "north", ""),
        ("north", "south", "\"DK\""),
        ("eu", "dark", ""),
    ];
    for (rule, from, to, expected) in [
        // The direct way crosses what is forbidden, and a longer one does not.
        (DENY, "eu", "south", "detour 50"),
        (WARN, "eu", "south", "detour 50"),
        (DENY, "south", "eu", "detour 50"),
        // What stays keeps its own time.
        (DENY, "eu", "north", "direct 20"),
        // A way never begins or ends in a place that is forbidden, declared or not.
        (DENY, "eu", "alps", "closed"),
        (WARN, "alps", "north", "closed"),
        (WARN, "alps", "alps", "direct 1.4"),
        // Nobody knows how long the way to the dark region is, nor from there.
        (DENY, "eu", "dark", "unknown"),
        (DENY, "south", "dark", "unknown"),
        (DENY, "dark", "dark", "unknown"),
        (DENY, "dark", "alps", "closed"),
    ] {
        let world = World::new(&links, &[rule]);
        let way = world.way(&world.permitted([0]), from, to);
        let way = way.trim_end_matches(" undeclared").to_owned();
        if expected == "direct 1.4" {
            assert!(way.starts_with("direct"), "{rule} {from} {to}: {way}");
        } else {
            assert_eq!(way, expected, "{rule} {from} {to}");
        }
    }
}

#[test]
fn what_nobody_declares_is_taken_or_kept_and_told() {
    let links = [("eu", "north", "")];
    for (rule, from, to, expected) in [
        (DENY, "eu", "south", "closed"),
        (WARN, "eu", "south", "direct 12 undeclared"),
        (DENY, "south", "dark", "closed"),
        (WARN, "south", "dark", "unknown undeclared"),
        (WARN, "eu", "north", "direct 20"),
    ] {
        let world = World::new(&links, &[rule]);
        assert_eq!(
            world.way(&world.permitted([0]), from, to),
            expected,
            "{rule} {from} {to}"
        );
    }
}

#[test]
fn a_place_that_is_not_known_lies_at_the_end_of_an_undeclared_way() {
    for (rule, remains) in [(DENY, false), (WARN, true)] {
        let world = World::new(&[("eu", "north", "")], &[rule]);
        let permitted = world.permitted([0]);
        assert_eq!(
            permitted.remain(&world.table, Spot::default(), Spot::default()),
            remains
        );
        assert!(!permitted.is_declared(&world.table, Spot::default(), Spot::default()));
        // Whichever other place it is, the way begins in one that is forbidden.
        let alps = RegionKey::new("w", "alps").expect("a key");
        let alps = Spot {
            region: Some(&alps),
            point: None,
        };
        assert!(!permitted.remain(&world.table, alps, Spot::default()));
    }
}

#[test]
fn several_rules_take_away_what_each_does_and_not_the_slower_of_two_ways() {
    // Each rule alone leaves a detour; both together leave none.
    let links = [
        ("eu", "south", "\"SM\""),
        ("eu", "alps", "\"LI\""),
        ("alps", "south", ""),
        ("eu", "north", "\"DK\""),
        ("north", "south", ""),
    ];
    let rules = [
        "{forbid: [\"SM\", \"LI\"], whenPathUnknown: deny}",
        "{forbid: [\"SM\", \"DK\"], whenPathUnknown: deny}",
    ];
    let world = World::new(&links, &rules);
    let way = |profiles: &[usize]| {
        let permitted = world.permitted(profiles.iter().copied());
        world.way(&permitted, "eu", "south")
    };
    assert_eq!(way(&[0]), "detour 50");
    assert_eq!(way(&[1]), "detour 11");
    assert_eq!(way(&[0, 1]), "closed");
}

#[test]
fn a_union_of_many_profiles_is_the_same_whether_found_beforehand_or_asked_for() {
    let links = [
        ("eu", "south", "\"SM\""),
        ("eu", "north", "\"DK\""),
        ("north", "south", ""),
    ];
    let countries = ["SM", "DK", "LI", "MC", "AD", "VA", "MT", "CY"];
    let rule = |country: &&str| format!("{{forbid: [\"{country}\"], whenPathUnknown: deny}}");
    let few: Vec<String> = countries[..2].iter().map(rule).collect();
    let many: Vec<String> = countries.iter().map(rule).collect();
    let world = |rules: &[String]| World::new(&links, &rules.iter().map(String::as_str).collect::<Vec<_>>());
    let (few, many) = (world(&few), world(&many));
    assert_eq!(few.ways.found.len(), 3);
    // Rules that take nothing away are one profile.
    assert_eq!(many.set.transit_profiles().len(), 3);
    let more: Vec<(&str, &str, &str)> = vec![
        ("eu", "south", "\"SM\""),
        ("eu", "north", "\"DK\""),
        ("north", "south", "\"LI\""),
        ("eu", "alps", "\"MC\""),
        ("alps", "south", "\"AD\""),
        ("alps", "north", "\"VA\""),
        ("eu", "dark", "\"MT\""),
        ("dark", "north", "\"CY\""),
    ];
    let rules: Vec<String> = countries.iter().map(rule).collect();
    let all = World::new(&more, &rules.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all.ways.found.len(), 8);
    let asked = all.permitted([0, 1]);
    assert_eq!(all.way(&asked, "eu", "south"), "detour 11");
    assert_eq!(all.way(&all.permitted([0, 1, 4]), "eu", "south"), "detour 59");
}

#[test]
fn without_a_rule_there_are_no_ways_to_find() {
    let world = World::new(&[("eu", "south", "\"CH\"")], &[]);
    assert!(world.ways.found.is_empty());
    let none = BTreeSet::new();
    assert!(world.ways.under(&none, (&world.set, &world.table)).is_none());
}
