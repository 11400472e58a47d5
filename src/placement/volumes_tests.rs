use std::collections::BTreeMap;

use super::*;
use crate::model::{RegionKey, Statistic};
use crate::topology::parse_latency_csv;

#[test]
fn a_volume_counts_the_way_to_the_nearest_of_its_places_and_nothing_where_nobody_knows_it() {
    let text = "from,to,rtt_ms\nw/a,w/b,10\nw/a,w/c,40\n";
    let measurements = parse_latency_csv("t", text, |_| None, &BTreeMap::new()).expect("a good file");
    let table = LatencyTable::build(&measurements, &BTreeMap::new(), Statistic::P50);
    let at = |region: &str| table.locate(&RegionKey::parse(region).expect("a key"), None);
    let volume = |regions: &[&str]| VolumeDemand {
        claim: Arc::from("c"),
        volume: Arc::from("v"),
        node: None,
        localities: Vec::new(),
        points: regions.iter().filter_map(|region| at(region)).collect(),
    };
    let ms = |regions: &[&str]| volume(regions).leg(&table, at("w/a")).map(|leg| leg.ms);
    assert_eq!(ms(&["w/c"]), Demanded::Known(40.0));
    assert_eq!(ms(&["w/c", "w/b"]), Demanded::Known(10.0));
    assert_eq!(ms(&[]), Demanded::NotDemanded);
    assert_eq!(volume(&["w/b"]).leg(&table, None), Demanded::Unknown);
}
