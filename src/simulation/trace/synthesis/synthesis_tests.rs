//! What is made up is what the rules say, twice the same, and what a server would accept.

use super::*;
use crate::model::RegionKey;
use crate::objects::{ObjectKind, read_annotations};
use crate::simulation::trace::import::{OpenbOptions, import_openb};
use crate::simulation::trace::{Event, Trace, TraceNode, TracePod, TraceSummary, What};

fn rules() -> SynthesisRules {
    SynthesisRules::read("synthesis.yaml", DEFAULT_RULES).expect("the built-in rules")
}

/// Forty nodes and three hundred pods of ten kinds, without any place or data.
fn bare() -> Trace {
    let mut nodes = "sn,cpu_milli,memory_mib,gpu,model\n".to_owned();
    for number in 0..40 {
        nodes.push_str(&format!("n{number},32000,65536,0,\n"));
    }
    let mut pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,\
                    deletion_time,scheduled_time\n"
        .to_owned();
    for number in 0..300 {
        let (cpu, qos) = (number % 100 * 10 + 100, if number % 2 == 0 { "LS" } else { "BE" });
        pods.push_str(&format!(
            "p{number},{cpu},1024,0,0,,{qos},Running,{number},,{number}\n"
        ));
    }
    import_openb(("n", &nodes), ("p", &pods), OpenbOptions::default()).expect("a trace")
}

fn written(trace: &Trace) -> String {
    let mut bytes = Vec::new();
    trace.write(&mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("text")
}

fn pods(trace: &Trace) -> Vec<&TracePod> {
    let pods = trace.events.iter().filter_map(|event| match &event.what {
        What::PodCreate(pod) => Some(&**pod),
        _ => None,
    });
    pods.collect()
}

#[test]
fn a_seed_gives_the_same_bytes_and_another_seed_others() {
    let made = |seed| written(&synthesise(bare(), &rules(), seed).expect("a trace"));
    assert_eq!(made(42), made(42));
    assert_ne!(made(42), made(43));
}

#[test]
fn nodes_are_where_the_shares_say_and_pods_say_what_a_server_reads() {
    let trace = synthesise(bare(), &rules(), 42).expect("a trace");
    let text = written(&trace);
    assert_eq!(
        Trace::read("t", text.as_bytes()).as_ref(),
        Ok(&trace),
        "the reader takes it"
    );
    let by_region = TraceSummary::of(&trace.events).nodes_by_region;
    // 14 of 100 of 40 nodes are 5.6, 4 of 100 are 1.6: by the largest remainders.
    assert_eq!(
        (by_region["aws/eu-central-1"], by_region["azure/centralindia"]),
        (6, 2),
        "{by_region:?}"
    );
    assert_eq!((by_region.len(), by_region.values().sum::<usize>()), (12, 40));

    let namespaces = trace.events.iter().filter_map(|event| match &event.what {
        What::NamespaceSet(set) => Some(set.namespace.as_str()),
        _ => None,
    });
    let namespaces: Vec<&str> = namespaces.collect();
    assert_eq!(
        namespaces,
        [
            "openb-customers-eea",
            "openb-customers-uk",
            "openb-customers-us",
            "openb-public"
        ]
    );
    for pod in pods(&trace) {
        assert!(
            namespaces.contains(&pod.spec.namespace.as_str()),
            "{}",
            pod.spec.namespace
        );
        let pairs = pod
            .annotations
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let said = read_annotations(ObjectKind::Pod, pairs);
        assert!(said.malformed.is_empty(), "{:?}", said.malformed);
        assert_eq!(said.access.data_sets.len(), 2);
        let is_batch = pod.spec.labels["qos"] == "BE";
        assert_eq!(said.access.clients.is_empty(), is_batch, "{:?}", pod.annotations);
        for used in &said.access.data_sets {
            let kind = pod.spec.namespace.trim_start_matches("openb-");
            assert!(used.name.as_str().starts_with(kind), "{} in {kind}", used.name);
        }
    }
}

#[test]
fn the_pods_of_a_workload_say_the_same_and_workloads_differ() {
    let trace = synthesise(bare(), &rules(), 42).expect("a trace");
    let pods = pods(&trace);
    for pod in &pods[..100] {
        let number: usize = pod.uid[1..].parse().expect("a number");
        for later in [number + 100, number + 200] {
            let like = pods
                .iter()
                .find(|pod| pod.uid == format!("p{later}"))
                .expect("a pod");
            assert_eq!(
                (&like.spec.namespace, &like.annotations),
                (&pod.spec.namespace, &pod.annotations)
            );
        }
    }
    let mut said: Vec<String> = pods.iter().map(|pod| format!("{:?}", pod.annotations)).collect();
    said.sort_unstable();
    said.dedup();
    assert!(said.len() > 60, "{}", said.len());
}

#[test]
fn copies_are_where_their_kind_is_at_home_and_the_most_popular_is_used_most() {
    let trace = synthesise(bare(), &rules(), 42).expect("a trace");
    let mut copies = 0;
    for event in &trace.events {
        let What::DataSetSet(set) = &event.what else {
            continue;
        };
        let set = set.data_set();
        if !set.name.as_str().starts_with("customers-us") {
            continue;
        }
        for replica in &set.replicas {
            let region = replica.locality.region.as_ref().expect("a region").to_string();
            assert!(
                ["aws/us-east-1", "azure/eastus", "gcp/us-central1"].contains(&region.as_str()),
                "{region}"
            );
            copies += 1;
        }
    }
    assert_eq!(copies, 24);
    let text = written(&trace);
    let uses = |name: &str| text.matches(&format!("{name}: reads=")).count();
    assert!(uses("public-001") > uses("public-005") && uses("public-001") > uses("public-010"));
}

#[test]
fn what_the_trace_says_itself_stays() {
    let mut trace = bare();
    for event in &mut trace.events {
        match &mut event.what {
            What::NodeAdd(node) if node.spec.name == "n0" => {
                let region = RegionKey::parse("aws/sa-east-1").expect("a region");
                **node = TraceNode::in_region(node.spec.clone(), &region, None);
            }
            What::PodCreate(pod) if pod.uid == "p0" => pod.spec.namespace = "declared".to_owned(),
            What::PodCreate(pod) if pod.uid == "p1" => {
                pod.annotations.insert(
                    crate::objects::annotations::CLIENTS.to_owned(),
                    "aws/x=1".to_owned(),
                );
            }
            _ => {}
        }
    }
    let namespace = serde_json::from_str(r#"{"namespace":"declared"}"#).expect("a namespace");
    let declared = Event {
        t_ms: 0,
        what: What::NamespaceSet(namespace),
    };
    trace.events.insert(0, declared);
    let trace = synthesise(trace, &rules(), 42).expect("a trace");
    assert_eq!(
        TraceSummary::of(&trace.events).nodes_by_region["aws/sa-east-1"],
        1
    );
    let pods = pods(&trace);
    assert_eq!(
        (pods[0].spec.namespace.as_str(), pods[0].annotations.len()),
        ("declared", 0)
    );
    assert_eq!(
        (
            pods[1].annotations.len(),
            pods[1].spec.namespace.starts_with("openb-")
        ),
        (1, true)
    );
    // Now that every namespace is declared, nothing is left to make up.
    let events = trace.events.len();
    assert_eq!(
        synthesise(trace, &rules(), 42).expect("a trace").events.len(),
        events
    );
}

#[test]
fn every_rule_is_told_in_words() {
    let trace = synthesise(bare(), &rules(), 42).expect("a trace");
    let generator = trace.header.generator.expect("a generator");
    assert_eq!(
        (generator.seed, trace.header.source.as_str()),
        (42, "openb with synthesis")
    );
    let told = generator.rules.join("\n");
    for said in [
        "aws/eu-central-1 14, aws/eu-west-1 12",
        "35 of 100 are `customers-eea`: confidential data, personal, about people in DE, FR, NL, SE; 12 data sets, strict, with 3 copies each in aws/eu-central-1, aws/eu-west-1,",
        "35 of 100 are `public`: data that no law governs; 10 data sets, available, with 5 copies each in any region",
        "the k-th is drawn with weight 1/k^1 (Zipf)",
        "a workload of `qos=LS` asks each of its data sets for 2 to 8 reads and 0 to 1 writes for each request; its clients are in 3 regions",
        "a workload of `qos=BE` asks each of its data sets for 0 to 2 reads and 2 to 6 writes for each request; nobody waits for it",
        "in 80% of the cases",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
}

#[test]
fn what_is_wrong_with_rules_is_told() {
    let problems = |from: &str, to: &str| {
        assert!(DEFAULT_RULES.contains(from), "{from}");
        SynthesisRules::read("s.yaml", &DEFAULT_RULES.replacen(from, to, 1))
            .expect_err(to)
            .join("\n")
    };
    for (from, to, said) in [
        ("v: 1", "v: 2", "s.yaml: `v` is 2 where this program reads 1"),
        (
            "zipf: 1",
            "zipff: 1",
            "unknown field `zipff`; did you mean `zipf`?",
        ),
        (
            "zipf: 1",
            "zipf: 0.3",
            "`data.zipf` is 0.3; write a number of quarters",
        ),
        ("share: 14", "share: 0", "the share of `aws/eu-central-1` is 0"),
        ("zones: 3", "zones: 0", "`aws/eu-central-1` has 0 zones"),
        (
            "aws/eu-west-1, share",
            "aws/eu-central-1, share",
            "`aws/eu-central-1` is there twice",
        ),
        (
            "name: public",
            "name: Public",
            "`Public` is no part of the name of a namespace",
        ),
        (
            "name: public",
            "name: customers-us",
            "`customers-us` is there twice",
        ),
        (
            "copies: 3",
            "copies: 5",
            "`customers-eea`: `copies` is 5 where there are 4 regions",
        ),
        (
            "[DE, FR, NL, SE]",
            "[UK]",
            "`customers-eea`: `UK` is not an ISO 3166-1 country code",
        ),
        (
            "confidential",
            "secret",
            "`customers-eea`: `secret` is no classification",
        ),
        ("reads: [2, 8]", "reads: [8, 2]", "`reads` is from 8 to 2"),
        (
            "  - {reads: [1, 4], writes: [0, 2], clientRegions: 2}\n",
            "",
            "the last rule of `access`",
        ),
    ] {
        let told = problems(from, to);
        assert!(told.contains(said), "{said}\n{told}");
    }
}

const FLEET: &str = "v: 1\nnodes: 100\nregions:\n\
    - {region: aws/eu-west-1, share: 6, zones: 3}\n- {region: gcp/europe-west3, share: 4, zones: 2}\n\
    shapes:\n- {name: general, share: 7, allocatable: {cpu: \"16\", memory: 64Gi, pods: \"110\"}}\n\
    - {name: large, share: 3, allocatable: {cpu: \"64\", memory: 512Gi, pods: \"110\"}, labels: {pool: large}, \
    taints: [{key: large, effect: NoSchedule}]}\n";

#[test]
fn a_fleet_has_the_shares_that_it_is_to_have() {
    let rules = FleetRules::read("fleet.yaml", FLEET).expect("rules");
    let trace = fleet(&rules, 7);
    let text = written(&trace);
    assert_eq!(
        Trace::read("t", text.as_bytes()).as_ref(),
        Ok(&trace),
        "the reader takes it"
    );
    assert_eq!(text, written(&fleet(&rules, 7)));
    assert_ne!(text, written(&fleet(&rules, 8)));
    let by_region = TraceSummary::of(&trace.events).nodes_by_region;
    assert_eq!(
        (by_region["aws/eu-west-1"], by_region["gcp/europe-west3"]),
        (60, 40)
    );
    assert_eq!(
        (
            text.matches(r#""pool":"large""#).count(),
            text.matches("eu-west-1b\"").count()
        ),
        (30, 20)
    );
    assert_eq!(text.matches(r#""zone":"europe-west3-a""#).count(), 20);
    assert_eq!(
        trace.header.generator.expect("a generator").rules,
        [
            "100 nodes in regions by share, evenly over their zones: aws/eu-west-1 6, gcp/europe-west3 4 of 10",
            "7 of 10 nodes are `general`: cpu 16, memory 64Gi, pods 110",
            "3 of 10 nodes are `large`: cpu 64, memory 512Gi, pods 110",
        ]
    );
    for (from, to, said) in [
        ("nodes: 100", "nodes: 0", "`nodes` is 0"),
        ("share: 7", "share: 0", "the share of `general` is 0"),
        ("shapes", "shape", "did you mean `shapes`?"),
        ("cpu: \"16\"", "cpu: many", "`many` is no quantity"),
    ] {
        let problems = FleetRules::read("fleet.yaml", &FLEET.replacen(from, to, 1))
            .expect_err(to)
            .join("\n");
        assert!(problems.contains(said), "{said}\n{problems}");
    }
}
