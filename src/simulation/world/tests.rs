use super::*;
use crate::assembly::{RuleTexts, SourceText, latency_measurements, read_rules};
use crate::embedded;
use crate::model::NamespaceName;
use crate::simulation::trace::{Event, Trace};

fn start() -> WorldStart {
    let text = |(name, text): &(&str, &str)| SourceText::new(*name, *text);
    let texts = RuleTexts {
        policies: embedded::policies().iter().map(text).collect(),
        data_sets: vec![text(&embedded::data_sets())],
        latency: vec![text(&embedded::latency())],
    };
    let rules = read_rules(&texts).expect("the rules that are built in");
    let measurements = latency_measurements(&texts.latency, Some(&rules.policies)).expect("measurements");
    WorldStart::new(rules, measurements, None, BTreeMap::new())
}

fn events(lines: &str) -> Vec<Event> {
    let text = format!("{{\"v\":1,\"kind\":\"trace\",\"source\":\"a test\",\"t_unit\":\"ms\"}}\n{lines}");
    Trace::read("t.jsonl", text.as_bytes()).expect("a trace").events
}

const TWO_NODES: &str = r#"{"t":0,"ev":"node.add","region":"aws/eu-central-1","spec":{"name":"frankfurt"}}
{"t":0,"ev":"node.add","region":"aws/eu-west-1","spec":{"name":"dublin"}}
"#;

#[test]
fn a_lost_region_takes_its_nodes_along_and_is_reached_from_nowhere_until_it_is_back() {
    let start = start();
    let mut world = World::new(&start, &start.policies, None);
    let trace = events(&format!(
        "{TWO_NODES}{}",
        r#"{"t":1,"ev":"region.down","region":"aws/eu-central-1"}
{"t":2,"ev":"node.add","region":"aws/eu-central-1","spec":{"name":"frankfurt-2"}}
{"t":3,"ev":"region.up","region":"aws/eu-central-1"}
{"t":4,"ev":"link.cut","a":["aws/eu-central-1"],"b":["aws/eu-west-1"]}
"#
    ));
    let names = |names: &[NodeName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut changes = trace
        .iter()
        .map(|event| world.apply(&event.what))
        .collect::<Vec<_>>()
        .into_iter();
    let mut next = || changes.next().expect("a change");
    assert_eq!(names(&next().come), ["frankfurt"]);
    assert_eq!(names(&next().come), ["dublin"]);
    assert_eq!(names(&next().go), ["frankfurt"]);
    assert_eq!(next(), NodeChanges::default(), "it waits for its region");
    assert_eq!(names(&next().come), ["frankfurt", "frankfurt-2"]);
    next();
    let snapshot = world.snapshot();
    assert_eq!(snapshot.node_count(), 3);
    assert!(snapshot.latency().has_unreachable());

    let mut world = World::new(&start, &start.policies, None);
    for event in trace.iter().take(3) {
        world.apply(&event.what);
    }
    let snapshot = world.snapshot();
    assert_eq!(snapshot.node_count(), 1);
    assert!(snapshot.latency().has_unreachable());
    assert!(!world.is_old());
    let again = world.snapshot();
    assert!(Arc::ptr_eq(&snapshot, &again), "nothing changed");
}

#[test]
fn measurements_leaders_and_namespaces_are_those_of_the_last_event() {
    let start = start();
    let mut world = World::new(&start, &start.policies, None);
    let trace = events(&format!(
        "{TWO_NODES}{}",
        r#"{"t":1,"ev":"namespace.set","namespace":"shop","annotations":{"domicile.dev/data":"none"}}
{"t":1,"ev":"dataset.set","id":"d","spec":{"version":"1","profile":{"classification":"public","categories":["none"],"subjects":["none"]},"consistency":"strict","replicas":[{"region":"aws/eu-central-1","role":"leader"},{"region":"aws/eu-west-1","role":"voter"}],"owner":"o"}}
{"t":2,"ev":"dataset.leader","id":"d","region":"aws/eu-west-1"}
{"t":3,"ev":"latency.set","from":"aws/eu-central-1","to":"aws/eu-west-1","p50_us":77000}
"#
    ));
    let before = world.snapshot().id().to_owned();
    for event in &trace {
        world.apply(&event.what);
    }
    let snapshot = world.snapshot();
    assert_ne!(snapshot.id(), before);
    let namespaces = snapshot.fleet().namespaces.as_ref().expect("namespaces");
    assert!(namespaces.contains_key(&NamespaceName::new("shop").expect("a name")));
    let data_set = &snapshot
        .replicas()
        .get(&DataSetName::new("d").expect("a name"))
        .expect("a data set")
        .data_set;
    let leader = data_set
        .replicas
        .iter()
        .find(|replica| replica.role == crate::model::ReplicaRole::Leader);
    let leader = leader
        .and_then(|leader| leader.locality.region.as_ref())
        .map(ToString::to_string);
    assert_eq!(leader.as_deref(), Some("aws/eu-west-1"));
    let point = |region: &str| {
        let region = RegionKey::parse(region).expect("a region");
        snapshot.latency().locate(&region, None).expect("a point")
    };
    let between = snapshot
        .latency()
        .between(point("aws/eu-central-1"), point("aws/eu-west-1"));
    assert_eq!(between.map(|estimate| estimate.latency.as_ms()), Some(77.0));
}

#[test]
fn what_is_only_recorded_stays_so_whatever_is_loaded() {
    let start = start();
    let relaxation = Relaxation::Policy("eea-personal-data".to_owned());
    let relaxed = start
        .policies
        .relaxed(&relaxation)
        .expect("a policy of that name");
    assert_ne!(relaxed.digest(), start.policies.digest());
    assert!(
        start
            .policies
            .relaxed(&Relaxation::Policy("nobody".to_owned()))
            .is_none()
    );
    let mut world = World::new(&start, &start.policies, Some(&relaxation));
    assert_eq!(world.snapshot().policies().digest(), relaxed.digest());
    let mut off = World::new(&start, &start.policies, Some(&Relaxation::Everything));
    assert!(off.snapshot().policies().settings().observe);
}
