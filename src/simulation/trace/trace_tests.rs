//! Traces as they are written and read, and what is wrong with those that are wrong.

use super::*;

const HEADER: &str = r#"{"v":1,"kind":"trace","source":"by hand","t_unit":"ms"}"#;

/// A small world in which everything happens once.
const EVERYTHING: &str = include_str!("everything.jsonl");

fn read(text: &str) -> Result<Trace, Vec<TraceError>> {
    Trace::read("t.jsonl", text.as_bytes())
}

/// The events behind a header.
fn events(lines: &str) -> Result<Vec<Event>, Vec<String>> {
    let read = read(&format!("{HEADER}\n{lines}"));
    read.map(|trace| trace.events)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn written(trace: &Trace) -> String {
    let mut bytes = Vec::new();
    trace.write(&mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("text")
}

#[test]
fn every_event_is_read_and_written_as_it_stands() {
    let trace = read(EVERYTHING).expect("a trace");
    let words: Vec<&str> = trace.events.iter().map(|event| event.what.word()).collect();
    for event in EVENTS {
        assert!(words.contains(&event), "{event} does not happen");
    }
    assert_eq!(written(&trace), EVERYTHING);
}

#[test]
fn every_line_is_valid_by_the_schema() {
    let validator = jsonschema::validator_for(&trace_schema()).expect("a schema");
    for line in EVERYTHING.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&line)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:#?}");
        let mut wrong = line.clone();
        wrong["surprise"] = true.into();
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

#[test]
fn a_node_says_its_place_by_labels_and_is_written_short() {
    let long = r#"{"t":0,"ev":"node.add","spec":{"name":"n","labels":{"domicile.dev/provider":"aws","topology.kubernetes.io/region":"eu-west-1","topology.kubernetes.io/zone":"eu-west-1a","x":"y"}}}"#;
    let short = r#"{"t":0,"ev":"node.add","region":"aws/eu-west-1","zone":"eu-west-1a","spec":{"name":"n","labels":{"x":"y"}}}"#;
    assert_eq!(events(long), events(short));
    let trace = read(&format!("{HEADER}\n{long}\n")).expect("a trace");
    assert_eq!(written(&trace), format!("{HEADER}\n{short}\n"));
    let What::NodeAdd(node) = &trace.events[0].what else {
        panic!("a node");
    };
    let (name, record, contradiction) = node.record().expect("a record");
    assert_eq!((name.as_str(), contradiction), ("n", None));
    assert_eq!(
        record.locality.region.map(|region| region.to_string()).as_deref(),
        Some("aws/eu-west-1")
    );
    assert_eq!(record.locality.zone.as_deref(), Some("eu-west-1a"));
}

#[test]
fn a_line_in_another_order_is_read_too() {
    let ordered = r#"{"t":7,"ev":"pod.create","uid":"p","spec":{"namespace":"a","name":"b"}}"#;
    let sorted = r#"{"ev":"pod.create","spec":{"name":"b","namespace":"a"},"t":7,"uid":"p"}"#;
    assert_eq!(events(ordered), events(sorted));
    let region = r#"{"region":"aws/x","t":0,"ev":"region.down"}"#;
    assert_eq!(events(region).expect("an event").len(), 1);
    assert_eq!(
        events(r#"{"uid":"p","ev":"pod.delete"}"#),
        Err(vec!["t.jsonl:2: `t` is missing".to_owned()])
    );
}

#[test]
fn what_is_wrong_with_a_line_is_told_with_its_place_and_what_was_meant() {
    let pod = |uid: &str| {
        format!(r#"{{"t":0,"ev":"pod.create","uid":"{uid}","spec":{{"namespace":"a","name":"b"}}}}"#)
    };
    let node = r#"{"t":0,"ev":"node.add","spec":{"name":"node-1"}}"#;
    let mut others = Vec::new();
    for (lines, said) in [
        ("nothing", "2:2: the line is no JSON object: expected ident"),
        (
            r#"[1]"#,
            "2: here is sequence where an object with `t` and `ev` is expected",
        ),
        (
            r#"{"t":0,"ev":"pod.creat"}"#,
            "2:23: unknown event `pod.creat`; did you mean `pod.create`?",
        ),
        (
            r#"{"t":0,"ev":"explode"}"#,
            "2:21: unknown event `explode`; there are `node.add`, `node.remove`, `node.cordon`, `node.uncordon`, \
             `pod.create`, `pod.delete`, `namespace.set`, `dataset.set`, `dataset.leader`, `latency.set`, \
             `region.down`, `region.up`, `link.cut`, `link.heal`, `policy.load`",
        ),
        (
            r#"{"t":0,"ev":"pod.delete","uidd":"p"}"#,
            "2:31: unknown field `uidd`; did you mean `uid`?",
        ),
        (r#"{"t":0,"ev":"pod.delete"}"#, "2:25: `uid` is missing"),
        (
            r#"{"t":-1,"ev":"pod.delete","uid":"p"}"#,
            "2:7: here is integer `-1` where u64 is expected",
        ),
        (r#"{"t":0}"#, "2:7: `ev` is missing"),
        (
            r#"{"t":0,"ev":"region.down","region":"eu-west-1"}"#,
            "2:46: `eu-west-1` is not a region key of the form `provider/region`",
        ),
        (
            r#"{"t":0,"ev":"pod.create","uid":"p","spec":{"namespace":"a","name":"b","tolerations":[{"keyy":"x"}]}}"#,
            "2:92: unknown field `keyy`; did you mean `key`?",
        ),
        (
            r#"{"t":0,"ev":"pod.create","uid":"p","spec":{"namespace":"a","name":"b","requests":{"cpu":"half"}}}"#,
            "2:94: `half` is no quantity such as `500m`, `2` or `32Gi`",
        ),
        (
            r#"{"t":0,"ev":"pod.create","uid":"p","spec":{"namespace":"a","name":"b"},"owner":"web"}"#,
            "2:84: `web` is no controller such as `Deployment/web`",
        ),
        (
            r#"{"t":5,"ev":"region.down","region":"a/b"}
{"t":4,"ev":"region.up","region":"a/b"}"#,
            "3:2: `t` is 4 after a line with 5; events stand in the order of their times",
        ),
        (
            r#"{"t":0,"ev":"node.remove","node":"n"}"#,
            "2:27: no node `n` is there",
        ),
        (
            &format!("{node}\n{}", r#"{"t":0,"ev":"node.cordon","node":"node-2"}"#),
            "3:27: no node `node-2` is there; did you mean `node-1`?",
        ),
        (
            &format!("{node}\n{node}"),
            "3:32: a node `node-1` is there already",
        ),
        (
            r#"{"t":0,"ev":"pod.delete","uid":"p"}"#,
            "2:26: no pod `p` is there",
        ),
        (
            &format!("{}\n{}", pod("p"), pod("p")),
            "3:26: a pod `p` is there already",
        ),
        (&pod(""), "2:26: `uid` is empty"),
        (
            r#"{"t":0,"ev":"pod.create","uid":"p","spec":{"namespace":"a","name":"b","nodeName":"n"}}"#,
            "2:71: no node `n` is there",
        ),
        (
            r#"{"t":0,"ev":"dataset.leader","id":"orders","region":"aws/eu-west-1"}"#,
            "2:30: no data set `orders` is there",
        ),
        (
            r#"{"t":0,"ev":"dataset.set","id":"x","spec":{"profile":{"classification":"secret","categories":["none"],"subjects":["none"]},"consistency":"strict","replicas":[{"region":"aws/a","role":"leader"}]}}"#,
            "2:195: data set `x`: unknown classification `secret`",
        ),
        (
            r#"{"t":0,"ev":"region.up","region":"a/b"}"#,
            "2:25: region `a/b` is not down",
        ),
        (
            r#"{"t":0,"ev":"link.cut","a":["a/b"],"b":["a/b"]}"#,
            "2:36: `a/b` is on both sides",
        ),
        (
            r#"{"t":0,"ev":"link.cut","a":[],"b":["a/b"]}"#,
            "2:24: `a` and `b` name regions each",
        ),
        (
            r#"{"t":0,"ev":"link.heal","a":["a/b"],"b":["a/c"]}"#,
            "2:25: `a/b` and `a/c` are not cut off from each other",
        ),
        (
            r#"{"t":0,"ev":"latency.set","from":"a/b","to":"a/c","p50_us":2000,"p95_us":1000}"#,
            "2:65: `p95_us` is 1000, less than `p50_us` with 2000",
        ),
        (
            r#"{"t":0,"ev":"latency.set","from":"a/b","to":"a/b","p50_us":2000}"#,
            "2:40: a latency inside one region is one between two of its zones",
        ),
        (
            r#"{"t":0,"ev":"latency.set","from":"a/b","to":"a/c","p50_us":20000000}"#,
            "2:51: `p50_us` is 20000000 where no round trip takes more than 10000000",
        ),
        (
            r#"{"t":0,"ev":"policy.load","path":"/etc/policies"}"#,
            "2:27: `path` is a folder of policies, relative to the trace",
        ),
        (
            r#"{"t":0,"ev":"node.add","zone":"z","spec":{"name":"n"}}"#,
            "2:54: `zone` stands beside a `region`; write the label `topology.kubernetes.io/zone` instead",
        ),
        (
            r#"{"t":0,"ev":"node.add","region":"aws/a","spec":{"name":"n","labels":{"domicile.dev/provider":"gcp"}}}"#,
            "2:101: the label `domicile.dev/provider` is `gcp` where `region` and `zone` say `aws`; keep one of them",
        ),
    ] {
        let errors = events(lines).expect_err(lines);
        let expected = format!("t.jsonl:{said}");
        if !errors[0].starts_with(&expected) {
            others.push(format!("{lines}\n  {expected}\n  {errors:?}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn a_header_is_first_and_of_this_version() {
    let mut others = Vec::new();
    for (header, said) in [
        (
            "",
            "1: the file is empty; the first line of a trace is its header",
        ),
        (
            r#"{"v":2,"kind":"trace","source":"s","t_unit":"ms"}"#,
            "1: `v` is 2 where this program reads 1",
        ),
        (
            r#"{"v":1,"kind":"traces","source":"s","t_unit":"ms"}"#,
            "1: `kind` is `traces` where a trace has `trace`",
        ),
        (
            r#"{"v":1,"kind":"trace","source":"s","t_unit":"s"}"#,
            "1: `t_unit` is `s`; write `ms`",
        ),
        (
            r#"{"v":1,"kind":"trace","t_unit":"ms"}"#,
            "1:36: `source` is missing",
        ),
        (
            r#"{"v":1,"kind":"trace","sources":"s","t_unit":"ms"}"#,
            "1:31: unknown field `sources`; did you mean `source`?",
        ),
        (
            r#"{"t":0,"ev":"pod.delete","uid":"p"}"#,
            "1:4: unknown field `t`; ",
        ),
    ] {
        let errors = read(header).expect_err(header);
        if !errors[0].to_string().starts_with(&format!("t.jsonl:{said}")) {
            others.push(errors[0].to_string());
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn reading_goes_on_behind_what_is_wrong_and_tells_twenty_errors() {
    let lines = "{\"t\":0,\"ev\":\"nonsense\"}\n".repeat(30);
    let errors = read(&format!("{HEADER}\n{lines}")).expect_err("nonsense");
    assert_eq!((errors.len(), errors[0].line, errors[19].line), (20, 2, 21));
    let lines = "\n{\"t\":0,\"ev\":\"nonsense\"}\n\n{\"t\":0,\"ev\":\"region.down\",\"region\":\"a/b\"}\n";
    let text = format!("{HEADER}\n{lines}");
    let mut reader = Events::new("t.jsonl", text.as_bytes()).expect("a header");
    assert_eq!(reader.header().source, "by hand");
    assert_eq!(reader.next().expect("a line").expect_err("nonsense").line, 3);
    assert_eq!(
        reader.next().expect("a line").expect("an event").what.word(),
        "region.down"
    );
    assert_eq!((reader.line(), reader.next()), (5, None));
}

#[test]
fn a_line_without_end_is_not_read_into_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'x'));
    let error = Events::new("t.jsonl", endless).expect_err("no end");
    assert_eq!(
        error.to_string(),
        "t.jsonl:1: the line has more than 4194304 bytes"
    );
}

#[test]
fn the_leader_moves_to_a_copy_that_can_lead_and_back() {
    let trace = read(EVERYTHING).expect("a trace");
    let set = trace.events.iter().find_map(|event| match &event.what {
        What::DataSetSet(set) => Some(set.data_set()),
        _ => None,
    });
    let set = set.expect("a data set");
    let to = |region: &str| LeaderMove {
        id: set.name.clone(),
        region: crate::model::RegionKey::parse(region).expect("a region"),
        zone: None,
    };
    let roles = |set: &crate::model::DataSet| -> Vec<&str> {
        set.replicas.iter().map(|replica| replica.role.word()).collect()
    };
    assert_eq!(roles(set), ["leader", "voter", "voter", "read-only"]);
    let moved = with_leader(set, &to("aws/eu-west-1")).expect("a voter");
    assert_eq!(roles(&moved), ["voter", "voter", "leader", "read-only"]);
    assert_eq!(with_leader(&moved, &to("aws/eu-central-1")).as_ref(), Ok(set));
    for (region, said) in [
        (
            "aws/us-east-1",
            "data set `orders` has no copy in `aws/us-east-1` that can lead",
        ),
        (
            "azure/westeurope",
            "data set `orders` has no copy in `azure/westeurope` that can lead",
        ),
    ] {
        assert_eq!(with_leader(set, &to(region)), Err(said.to_owned()));
    }
}

mod round_trip {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;

    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::super::line::{read_event, write_event};
    use super::super::*;
    use crate::model::{NamespaceName, NodeName, Owner, RegionKey};
    use crate::simulation::kube::Quantity;
    use crate::simulation::kube::spec::{
        Affinity, LabelSelector, NodeSpec, PodAffinity, PodAffinityTerm, PodSpec, PreemptionPolicy, Taint,
        TaintEffect, Toleration, TolerationOperator, TopologySpreadConstraint, UnsatisfiableConstraintAction,
    };
    use crate::topology::MeasuredPlace;

    static VALIDATOR: LazyLock<jsonschema::Validator> =
        LazyLock::new(|| jsonschema::validator_for(&trace_schema()).expect("a schema"));

    /// Text with what has to be escaped in JSON.
    fn text() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[a-z\"\\\\\u{e9}\n/ .=-]{0,12}").expect("an expression")
    }

    fn name() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[a-z][a-z0-9-]{0,8}").expect("an expression")
    }

    fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
        btree_map(text(), text(), 0..3)
    }

    fn amounts() -> impl Strategy<Value = BTreeMap<String, Quantity>> {
        let amount = prop_oneof![
            any::<u32>().prop_map(Quantity::millis),
            any::<u32>().prop_map(Quantity::whole),
            any::<u32>().prop_map(Quantity::mebibytes),
        ];
        btree_map(name(), amount, 0..3)
    }

    fn region() -> impl Strategy<Value = RegionKey> {
        (name(), name()).prop_map(|(provider, region)| RegionKey::new(&provider, &region).expect("a region"))
    }

    fn node() -> impl Strategy<Value = What> {
        let taint = (text(), text(), prop::bool::ANY).prop_map(|(key, value, rather)| Taint {
            key,
            value,
            effect: if rather {
                TaintEffect::PreferNoSchedule
            } else {
                TaintEffect::NoExecute
            },
        });
        let place = option::of((region(), option::of(name())));
        let spec = (name(), texts(), amounts(), vec(taint, 0..2), any::<bool>());
        (spec, place, option::of(text())).prop_map(|(spec, place, provider_id)| {
            let (name, labels, allocatable, taints, unschedulable) = spec;
            let spec = NodeSpec {
                name,
                labels,
                allocatable,
                taints,
                unschedulable,
            };
            let mut node = match place {
                Some((region, zone)) => TraceNode::in_region(spec, &region, zone.as_deref()),
                None => TraceNode {
                    provider_id: None,
                    spec,
                },
            };
            node.provider_id = provider_id;
            What::NodeAdd(Box::new(node))
        })
    }

    fn selector() -> impl Strategy<Value = Option<LabelSelector>> {
        option::of(texts().prop_map(|match_labels| LabelSelector {
            match_labels,
            match_expressions: Vec::new(),
        }))
    }

    fn pod() -> impl Strategy<Value = What> {
        let toleration = (text(), text(), any::<bool>()).prop_map(|(key, value, any)| Toleration {
            key,
            operator: if any {
                TolerationOperator::Exists
            } else {
                TolerationOperator::Equal
            },
            value,
            ..Toleration::default()
        });
        let term = (selector(), text()).prop_map(|(label_selector, topology_key)| PodAffinityTerm {
            label_selector,
            topology_key,
            ..PodAffinityTerm::default()
        });
        let spread = (1..9_i32, text(), selector()).prop_map(|(max_skew, topology_key, label_selector)| {
            TopologySpreadConstraint {
                max_skew,
                topology_key,
                when_unsatisfiable: UnsatisfiableConstraintAction::DoNotSchedule,
                label_selector,
                min_domains: Some(max_skew),
                node_affinity_policy: None,
                node_taints_policy: None,
                match_label_keys: Vec::new(),
            }
        });
        let identity = (name(), name(), texts(), amounts(), texts());
        let rules = (
            option::of(vec(term, 0..2)),
            vec(toleration, 0..2),
            vec(spread, 0..2),
            selector(),
            any::<i32>(),
            any::<bool>(),
            option::of(name()),
        );
        let owner = option::of((name(), name()).prop_map(|(kind, name)| Owner { kind, name }));
        (identity, rules, name(), owner, texts()).prop_map(|(identity, rules, uid, owner, annotations)| {
            let (namespace, name, labels, requests, node_selector) = identity;
            let (
                terms,
                tolerations,
                topology_spread_constraints,
                default_spread_selector,
                priority,
                waits,
                node_name,
            ) = rules;
            let pod_anti_affinity = terms.map(|required| PodAffinity {
                required,
                preferred: Vec::new(),
            });
            What::PodCreate(Box::new(TracePod {
                uid,
                owner,
                annotations,
                spec: PodSpec {
                    namespace,
                    name,
                    labels,
                    requests,
                    node_selector,
                    affinity: pod_anti_affinity.map(|pod_anti_affinity| Affinity {
                        pod_anti_affinity: Some(pod_anti_affinity),
                        ..Affinity::default()
                    }),
                    tolerations,
                    topology_spread_constraints,
                    default_spread_selector,
                    priority,
                    preemption_policy: if waits {
                        PreemptionPolicy::Never
                    } else {
                        PreemptionPolicy::PreemptLowerPriority
                    },
                    node_name,
                },
            }))
        })
    }

    fn other() -> impl Strategy<Value = What> {
        let named = name().prop_map(|name| NamedNode {
            node: NodeName::new(&name).expect("a name"),
        });
        let namespace = (name(), texts(), texts()).prop_map(|(name, labels, annotations)| TraceNamespace {
            namespace: NamespaceName::new(&name).expect("a name"),
            labels,
            annotations,
        });
        let link = (vec(region(), 1..3), vec(region(), 1..3)).prop_map(|(a, b)| RegionLink { a, b });
        let latency = (region(), region(), any::<u64>(), option::of(any::<u64>())).prop_map(
            |(from, to, p50_us, p95_us)| LatencyChange {
                from: MeasuredPlace::region(from),
                to: MeasuredPlace::region(to),
                p50_us,
                p95_us,
            },
        );
        prop_oneof![
            named.prop_map(What::NodeCordon),
            name().prop_map(|uid| What::PodDelete(NamedPod { uid })),
            namespace.prop_map(What::NamespaceSet),
            link.prop_map(What::LinkHeal),
            latency.prop_map(What::LatencySet),
            region().prop_map(|region| What::RegionDown(NamedRegion { region })),
            name().prop_map(|path| What::PolicyLoad(PolicyLoad { path })),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_is_valid(t_ms: u64, what in prop_oneof![node(), pod(), other()]) {
            let event = Event { t_ms, what };
            let mut line = Vec::new();
            write_event(&event, &mut line).expect("memory takes it");
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 0, "one line");
            let read = read_event(&line).expect("what is written is read");
            prop_assert_eq!(&read, &event);
            let json: serde_json::Value = serde_json::from_slice(&line).expect("JSON");
            prop_assert!(VALIDATOR.is_valid(&json), "{}", json);
            let mut again = Vec::new();
            write_event(&read, &mut again).expect("memory takes it");
            prop_assert_eq!(&again, &line);
        }
    }
}
