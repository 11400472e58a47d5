//! Tests of routes: a table of cases, and a search through all paths of small networks.

use proptest::prelude::*;

use super::super::csv::parse_latency_csv;
use super::*;
use crate::model::Statistic;

const REGIONS: [&str; 6] = ["w/a", "w/b", "w/c", "w/d", "w/e", "w/f"];

fn table(rows: &str) -> LatencyTable {
    let text = format!("from,to,rtt_ms\n{rows}");
    let measurements = parse_latency_csv("t", &text, |_| None, &BTreeMap::new()).expect("a good file");
    LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50)
}

fn link(from: &str, to: &str) -> Link {
    let place = |text| MeasuredPlace::parse(text).expect("a place");
    Link {
        from: place(from),
        to: place(to),
    }
}

fn regions(keys: &[&str]) -> BTreeSet<RegionKey> {
    let keys = keys.iter().map(|key| RegionKey::parse(key).expect("a key"));
    keys.collect()
}

/// The way from `w/a` to `w/b` in the words of a test.
fn way(links: &[(&str, &str, bool)], forbidden: &[&str], undeclared: Undeclared) -> String {
    let table =
        table("w/a,w/b,30\nw/a,w/c,10\nw/c,w/b,10.5\nw/b,w/c,11.5\nw/a/1,w/d/1,1\nw/d/1,w/b,1\nw/x,w/y,1\n");
    let rules = RouteRules {
        forbidden_links: links.iter().map(|(_, _, taken)| *taken).collect(),
        forbidden_regions: regions(forbidden),
        undeclared,
    };
    let links: Vec<Link> = links.iter().map(|(from, to, _)| link(from, to)).collect();
    let routes = Routes::build(&table, &links, &[rules]);
    let [a, b] = ["w/a", "w/b"].map(|key| table.locate(&RegionKey::parse(key).expect("a key"), Some("9")));
    let (a, b) = (a.expect("a point"), b.expect("a point"));
    let inside = routes[0].between(&table, a, a);
    assert!(
        matches!(inside, Route::Direct(estimate) if estimate.provenance == Provenance::AssumedLocal),
        "ways inside a region stay: {inside:?}"
    );
    match routes[0].between(&table, a, b) {
        Route::Direct(estimate) => format!(
            "direct {} {}",
            estimate.latency.as_ms(),
            estimate.provenance.word()
        ),
        Route::Detour(estimate) => format!(
            "detour {} {}",
            estimate.latency.as_ms(),
            estimate.provenance.word()
        ),
        Route::Unknown => "unknown".to_owned(),
        Route::Closed => "closed".to_owned(),
    }
}

#[test]
fn what_is_left_of_the_ways() {
    use Undeclared::{Kept, Taken};
    let direct = "direct 30 measured";
    let over_c = "detour 20.5 estimated from a path";
    let c = [("w/a", "w/c", false), ("w/b", "w/c", false)];
    let with = |more: &[(&'static str, &'static str, bool)]| [&c[..], more].concat();
    let cases: [(&str, Vec<_>, &[&str], Undeclared, &str); 14] = [
        ("nothing declared, nothing taken", vec![], &[], Kept, direct),
        ("nothing declared", vec![], &[], Taken, "closed"),
        ("what no link declares is kept", with(&[]), &[], Kept, direct),
        ("what no link declares is taken", with(&[]), &[], Taken, over_c),
        (
            "a declared way stays though a sum is shorter",
            with(&[("w/a", "w/b", false)]),
            &[],
            Taken,
            direct,
        ),
        (
            "a declared way is taken",
            with(&[("w/b", "w/a", true)]),
            &[],
            Kept,
            over_c,
        ),
        (
            "of two links one is enough",
            with(&[("w/a", "w/b", true), ("w/a/1", "w/b/2", false)]),
            &[],
            Taken,
            direct,
        ),
        (
            "no detour over a forbidden region",
            with(&[("w/a", "w/b", true)]),
            &["w/c"],
            Kept,
            "closed",
        ),
        (
            "an end is forbidden",
            with(&[("w/a", "w/b", false)]),
            &["w/b"],
            Kept,
            "closed",
        ),
        (
            "another region is forbidden",
            with(&[("w/a", "w/b", false)]),
            &["w/d", "w/nowhere"],
            Taken,
            direct,
        ),
        (
            "no detour over a forbidden link",
            vec![("w/a", "w/c", true), ("w/b", "w/c", false)],
            &[],
            Taken,
            "closed",
        ),
        (
            "a link between zones has the latency of its zones",
            vec![("w/a/1", "w/d/1", false), ("w/d", "w/b", false)],
            &[],
            Taken,
            "detour 3.16 estimated from a path",
        ),
        (
            "a link of which nobody knows the time",
            vec![("w/a", "w/x", false), ("w/x", "w/b", false)],
            &[],
            Taken,
            "unknown",
        ),
        (
            "a link to nowhere and one inside a region",
            vec![("w/a", "w/nowhere", false), ("w/a/1", "w/a/2", false)],
            &[],
            Taken,
            "closed",
        ),
    ];
    for (name, links, forbidden, undeclared, expected) in cases {
        assert_eq!(way(&links, forbidden, undeclared), expected, "{name}");
    }
}

#[test]
fn equal_rules_share_their_ways_and_a_link_without_a_word_is_taken() {
    let table = table("w/a,w/b,30\n");
    let rules = |forbidden_links| RouteRules {
        forbidden_links,
        forbidden_regions: BTreeSet::new(),
        undeclared: Undeclared::Kept,
    };
    let all = [
        rules(vec![true]),
        rules(vec![]),
        rules(vec![true]),
        rules(vec![false]),
    ];
    let routes = Routes::build(&table, &[link("w/a", "w/b")], &all);
    let [Ways::AllBut(first), Ways::AllBut(second)] = [0, 2].map(|equal| &routes[equal].ways) else {
        panic!("what keeps undeclared ways takes few");
    };
    assert!(Arc::ptr_eq(first, second));
    assert_eq!(routes[0].way(0, 1), Way::CLOSED);
    assert_eq!(routes[1].way(0, 1), Way::CLOSED);
    assert_eq!(routes[3].way(0, 1), Way::DIRECT);
}

/// A random network: measured pairs, links with whether each rule set takes them, forbidden regions.
#[derive(Debug, Clone)]
struct World {
    pairs: Vec<(usize, usize, u32)>,
    links: Vec<(usize, usize)>,
    rules: Vec<(Vec<bool>, Vec<usize>, bool)>,
}

fn any_world() -> impl Strategy<Value = World> {
    let region = || 0..REGIONS.len();
    let pairs = prop::collection::vec((region(), region(), 1_u32..300), 1..20);
    let links = prop::collection::vec((region(), region()), 0..10);
    let rules = prop::collection::vec(
        (
            prop::collection::vec(prop::bool::weighted(0.3), 10),
            prop::collection::vec(region(), 0..2),
            any::<bool>(),
        ),
        1..4,
    );
    (pairs, links, rules).prop_map(|(pairs, links, rules)| World { pairs, links, rules })
}

impl World {
    fn table(&self) -> LatencyTable {
        let pairs: BTreeMap<(usize, usize), u32> = self
            .pairs
            .iter()
            .filter(|(from, to, _)| from != to)
            .map(|(from, to, ms)| ((*from, *to), *ms))
            .collect();
        let rows: String = pairs
            .iter()
            .map(|((from, to), ms)| format!("{},{},{ms}\n", REGIONS[*from], REGIONS[*to]))
            .collect();
        // One pair that is always there makes a file of it.
        table(&format!("{rows}w/y,w/z,1\n"))
    }
}

/// Every simple path over open links, by trying all: the least sum in microseconds, and whether there is a path.
fn by_trying(
    open: &[(usize, usize, Option<f64>)],
    at: usize,
    to: usize,
    passed: &[usize],
) -> (Option<f64>, bool) {
    if at == to {
        return (Some(0.0), true);
    }
    let (mut least, mut is_joined) = (None, false);
    for (_, next, us) in open.iter().filter(|(from, ..)| *from == at) {
        if passed.contains(next) {
            continue;
        }
        let (rest, joined) = by_trying(open, *next, to, &[passed, &[*next]].concat());
        is_joined |= joined;
        if let (Some(us), Some(rest)) = (us, rest) {
            least = Some(least.map_or(us + rest, |least: f64| least.min(us + rest)));
        }
    }
    (least, is_joined)
}

proptest! {
    #[test]
    fn routes_are_what_trying_every_path_finds(world in any_world()) {
        let table = world.table();
        let points: Vec<Option<LatencyPoint>> =
            REGIONS.iter().map(|key| table.locate(&RegionKey::parse(key).expect("a key"), None)).collect();
        let links: Vec<Link> =
            world.links.iter().map(|(from, to)| link(REGIONS[*from], REGIONS[*to])).collect();
        let rules: Vec<RouteRules> = world
            .rules
            .iter()
            .map(|(taken, forbidden, is_kept)| RouteRules {
                forbidden_links: taken[..links.len()].to_vec(),
                forbidden_regions: regions(&forbidden.iter().map(|it| REGIONS[*it]).collect::<Vec<_>>()),
                undeclared: if *is_kept { Undeclared::Kept } else { Undeclared::Taken },
            })
            .collect();
        let built = Routes::build(&table, &links, &rules);
        for ((taken, forbidden, is_kept), routes) in world.rules.iter().zip(&built) {
            let mut open = Vec::new();
            for ((from, to), is_taken) in world.links.iter().zip(taken) {
                if from == to || *is_taken || forbidden.contains(from) || forbidden.contains(to) {
                    continue;
                }
                for (from, to) in [(*from, *to), (*to, *from)] {
                    if let (Some(start), Some(end)) = (points[from], points[to]) {
                        let us = table.between(start, end).map(|it| (it.latency.as_ms() * 1000.0).round());
                        open.push((from, to, us));
                    }
                }
            }
            for (from, to) in (0..REGIONS.len()).flat_map(|from| (0..REGIONS.len()).map(move |to| (from, to))) {
                let (Some(start), Some(end)) = (points[from], points[to]) else { continue };
                let found = routes.between(&table, start, end);
                let own = table.between(start, end).map_or(Route::Unknown, Route::Direct);
                let of_it = |(a, b): &(usize, usize)| (*a == from && *b == to) || (*a == to && *b == from);
                let is_declared = world.links.iter().any(of_it);
                let stays = from == to
                    || (!forbidden.contains(&from) && !forbidden.contains(&to)
                        && (open.iter().any(|(a, b, _)| (*a, *b) == (from, to)) || (!is_declared && *is_kept)));
                if stays {
                    prop_assert_eq!(found, own);
                    continue;
                }
                let is_barred = forbidden.contains(&from) || forbidden.contains(&to);
                match (is_barred, by_trying(&open, from, to, &[from])) {
                    (true, _) | (_, (None, false)) => prop_assert_eq!(found, Route::Closed),
                    (_, (None, true)) => prop_assert_eq!(found, Route::Unknown),
                    (_, (Some(us), _)) => match found {
                        Route::Detour(estimate) => {
                            prop_assert!((estimate.latency.as_ms() * 1000.0 - us).abs() < 0.5, "{found:?} {us}");
                            prop_assert_eq!(estimate.provenance, Provenance::EstimatedByPath);
                        }
                        other => prop_assert!(false, "{from} {to}: {other:?} where a path takes {us}"),
                    },
                }
            }
        }
    }
}
