use super::*;
use crate::model::{Category, Classification, ClientWeight, Dimension, RegionReference};

fn read(kind: ObjectKind, pairs: &[(&str, &str)]) -> SourceAnnotations {
    let keys: Vec<String> = pairs.iter().map(|(key, _)| format!("{PREFIX}{key}")).collect();
    let pairs = keys
        .iter()
        .zip(pairs)
        .map(|(key, (_, value))| (key.as_str(), *value));
    read_annotations(kind, pairs)
}

/// Findings as `key: problem`, the prefix of the key left out.
fn findings(annotations: &SourceAnnotations) -> Vec<String> {
    let told = annotations.malformed.iter().map(|malformed| {
        let key = malformed
            .annotation
            .strip_prefix(PREFIX)
            .unwrap_or(&malformed.annotation);
        format!("{key}: {}", malformed.problem)
    });
    told.collect()
}

/// Subjects and categories as words.
fn words<T: ToString>(list: &Option<Vec<Dimension<T>>>) -> Option<String> {
    let words: Vec<String> = list
        .as_ref()?
        .iter()
        .map(|member| match member {
            Dimension::Missing => "missing".to_owned(),
            Dimension::None => "none".to_owned(),
            Dimension::Is(value) => value.to_string(),
        })
        .collect();
    Some(words.join(" "))
}

fn category_words(list: &Option<Vec<Dimension<Category>>>) -> Option<String> {
    let named = list.as_ref().map(|list| {
        let members = list.iter().map(|member| match member {
            Dimension::Missing => Dimension::Missing,
            Dimension::None => Dimension::None,
            Dimension::Is(category) => Dimension::Is(category.word()),
        });
        members.collect::<Vec<_>>()
    });
    words(&named)
}

const EVERY_KIND: [ObjectKind; 5] = [
    ObjectKind::Namespace,
    ObjectKind::Pod,
    ObjectKind::Claim,
    ObjectKind::Volume,
    ObjectKind::StorageClass,
];

#[test]
fn an_object_that_says_nothing_says_nothing() {
    let foreign = [
        ("kubectl.kubernetes.io/last-applied-configuration", "{}"),
        ("domicile.devil/data", "x"),
    ];
    for kind in EVERY_KIND {
        assert_eq!(
            read_annotations(kind, foreign.into_iter()),
            SourceAnnotations::default()
        );
    }
}

#[test]
fn every_kind_may_state_a_profile_that_protects() {
    for kind in EVERY_KIND {
        let annotations = read(
            kind,
            &[
                ("data-classification", "confidential, restricted"),
                ("data-categories", "health,payment , health"),
                ("data-subjects", "DE, CA-QC"),
            ],
        );
        assert_eq!(findings(&annotations), Vec::<String>::new(), "{kind:?}");
        let classifications = annotations.profile.classifications;
        assert_eq!(
            classifications,
            Some(vec![Classification::Confidential, Classification::Restricted])
        );
        assert_eq!(
            category_words(&annotations.profile.categories).as_deref(),
            Some("health payment")
        );
        assert_eq!(words(&annotations.profile.subjects).as_deref(), Some("DE CA-QC"));
    }
}

#[test]
fn only_who_answers_for_data_may_say_public_or_none() {
    let pairs = [
        ("data-classification", "public,internal"),
        ("data-categories", "none"),
        ("data-subjects", "none"),
    ];
    for kind in [
        ObjectKind::Namespace,
        ObjectKind::Volume,
        ObjectKind::StorageClass,
    ] {
        let annotations = read(kind, &pairs);
        assert_eq!(findings(&annotations), Vec::<String>::new(), "{kind:?}");
        assert_eq!(
            category_words(&annotations.profile.categories).as_deref(),
            Some("none")
        );
        assert_eq!(words(&annotations.profile.subjects).as_deref(), Some("none"));
    }
    let pod = read(ObjectKind::Pod, &pairs);
    assert_eq!(
        findings(&pod),
        [
            "data-classification: a Pod only adds data and cannot say `public`; say it on the Namespace",
            "data-categories: a Pod only adds data and cannot say `none`; say it on the Namespace",
            "data-subjects: a Pod only adds data and cannot say `none`; say it on the Namespace",
        ]
    );
    assert_eq!(pod.profile.classifications, Some(vec![Classification::Internal]));
    assert_eq!((pod.profile.categories, pod.profile.subjects), (None, None));
    assert_eq!(
        findings(&read(ObjectKind::Claim, &[("data-categories", "none")])),
        [
            "data-categories: a PersistentVolumeClaim only adds data and cannot say `none`; say it on the Namespace"
        ]
    );
}

#[test]
fn a_namespace_alone_speaks_of_its_data_as_a_whole() {
    for (value, stated) in [
        ("none", StatedData::NoData),
        (" by-workload ", StatedData::ByWorkload),
    ] {
        let annotations = read(ObjectKind::Namespace, &[("data", value)]);
        assert_eq!(
            (annotations.data, annotations.malformed.len()),
            (Some(stated), 0),
            "{value}"
        );
    }
    for kind in EVERY_KIND
        .into_iter()
        .filter(|kind| *kind != ObjectKind::Namespace)
    {
        let annotations = read(kind, &[("data", "none")]);
        assert_eq!(annotations.data, None);
        assert_eq!(
            findings(&annotations),
            [format!(
                "data: only a Namespace may have it; take it off this {}",
                kind.word()
            )]
        );
    }
    for (value, problem) in [
        ("None", "data: unknown value `None`; did you mean `none`?"),
        (
            "workload",
            "data: unknown value `workload`; write `none` or `by-workload`",
        ),
        ("", "data: unknown value ``; write `none` or `by-workload`"),
    ] {
        assert_eq!(
            findings(&read(ObjectKind::Namespace, &[("data", value)])),
            [problem]
        );
    }
}

#[test]
fn stated_data_beside_a_profile_is_a_contradiction_in_either_order_and_the_profile_stays() {
    for key in ["data-classification", "data-categories", "data-subjects"] {
        let value = match key {
            "data-classification" => "internal",
            "data-categories" => "health",
            _ => "DE",
        };
        let forth = read(ObjectKind::Namespace, &[("data", "none"), (key, value)]);
        let back = read(ObjectKind::Namespace, &[(key, value), ("data", "none")]);
        assert_eq!(forth, back);
        assert_eq!(forth.data, None, "{key}");
        assert!(!forth.profile.is_empty(), "{key}");
        assert_eq!(
            findings(&forth),
            [
                "data: it contradicts `domicile.dev/data-classification` and its like on the same Namespace; \
              keep this one or those"
            ]
        );
    }
    // A profile that cannot be read contradicts too: its author meant one.
    let unread = read(ObjectKind::Namespace, &[("data", "none"), ("data-subjects", "")]);
    assert_eq!((unread.data, unread.malformed.len()), (None, 2));
}

#[test]
fn words_that_do_not_exist_are_told_with_a_fix_and_hide_no_others() {
    for (key, value, problem) in [
        (
            "data-classification",
            "",
            "the list is empty; fill it or take the annotation off",
        ),
        (
            "data-categories",
            " ",
            "the list is empty; fill it or take the annotation off",
        ),
        (
            "data-subjects",
            "DE,,FR",
            "a member of the list is empty; take the spare `,` out",
        ),
        (
            "data-subjects",
            "DE,",
            "a member of the list is empty; take the spare `,` out",
        ),
        (
            "data-classification",
            "secret",
            "unknown classification `secret`; write `public` or `internal` or `confidential` or `restricted`",
        ),
        (
            "data-classification",
            "Confidential",
            "unknown classification `Confidential`; did you mean `confidential`?",
        ),
        (
            "data-classification",
            "none",
            "there is no classification `none`; for a Namespace without governed data write \
             `domicile.dev/data: none`",
        ),
        (
            "data-categories",
            "helth",
            "unknown category `helth`; did you mean `health`?",
        ),
        (
            "data-categories",
            "none, health",
            "`none` stands beside other values; keep one or the other",
        ),
        (
            "data-subjects",
            "none,none",
            "`none` stands beside other values; keep one or the other",
        ),
        (
            "data-subjects",
            "UK",
            "`UK` is not an ISO 3166-1 country code; write `GB`",
        ),
        (
            "data-subjects",
            "EL",
            "`EL` is not an ISO 3166-1 country code; write `GR`",
        ),
        (
            "data-subjects",
            "de",
            "`de` is not an ISO 3166-1 country code; write `DE`",
        ),
        (
            "data-subjects",
            "ca-qc",
            "`ca-qc` is not an ISO 3166-2 subdivision code; write `CA-QC`",
        ),
        (
            "data-subjects",
            "UK-SCT",
            "`UK-SCT` is not an ISO 3166-2 subdivision code; write `GB-SCT`",
        ),
        (
            "data-subjects",
            "EU",
            "`EU` is neither an ISO 3166-1 country code nor an ISO 3166-2 subdivision code; write such as \
             `DE` or `CA-QC`",
        ),
        (
            "data-subjects",
            "group/EEA",
            "`group/EEA` is a group; name countries here or name a data set that has the group",
        ),
    ] {
        let annotations = read(ObjectKind::Namespace, &[(key, value)]);
        assert_eq!(
            findings(&annotations),
            [format!("{key}: {problem}")],
            "{key}: {value:?}"
        );
    }
    let partly = read(
        ObjectKind::Namespace,
        &[
            ("data-categories", "helth,payment,none"),
            ("data-subjects", "DE,UK"),
        ],
    );
    assert_eq!(partly.malformed.len(), 3);
    assert_eq!(
        category_words(&partly.profile.categories).as_deref(),
        Some("payment")
    );
    assert_eq!(words(&partly.profile.subjects).as_deref(), Some("DE"));
}

#[test]
fn an_unknown_key_of_ours_is_told_on_every_kind_and_a_key_of_domicile_is_not() {
    for kind in EVERY_KIND {
        for (key, problem) in [
            (
                "data-category",
                "unknown annotation; did you mean `domicile.dev/data-categories`?",
            ),
            (
                "data-set",
                "unknown annotation; did you mean `domicile.dev/data-sets`?",
            ),
            (
                "Data-Subjects",
                "unknown annotation; did you mean `domicile.dev/data-subjects`?",
            ),
            ("provider", "it is a label of nodes and no annotation"),
            (
                "weather",
                "unknown annotation; take it off or see which ones exist in the documentation",
            ),
        ] {
            let annotations = read(kind, &[(key, "x"), ("data-subjects", "DE")]);
            assert_eq!(findings(&annotations), [format!("{key}: {problem}")], "{kind:?}");
            assert_eq!(words(&annotations.profile.subjects).as_deref(), Some("DE"));
        }
        let written_by_us = WRITTEN_BY_DOMICILE.map(|key| (key, "x"));
        assert_eq!(
            read_annotations(kind, written_by_us.into_iter()),
            SourceAnnotations::default()
        );
    }
}

#[test]
fn data_sets_have_names_reads_and_writes() {
    let annotations = read(
        ObjectKind::Pod,
        &[(
            "data-sets",
            "orders: reads=4 writes=1; catalog: reads=0.5;logs ; audit:",
        )],
    );
    assert_eq!(findings(&annotations), Vec::<String>::new());
    let said: Vec<(&str, Option<f64>, Option<f64>)> = annotations
        .access
        .data_sets
        .iter()
        .map(|used| {
            let number = |calls: Option<crate::model::RequestsPerCall>| calls.map(|calls| calls.get());
            (used.name.as_str(), number(used.reads), number(used.writes))
        })
        .collect();
    assert_eq!(
        said,
        [
            ("orders", Some(4.0), Some(1.0)),
            ("catalog", Some(0.5), None),
            ("logs", None, None),
            ("audit", None, None),
        ]
    );
}

#[test]
fn a_data_set_whose_use_cannot_be_read_is_still_in_use() {
    for (value, names, problem) in [
        (
            "orders: read=4",
            "orders",
            "unknown use `read` of a data set; did you mean `reads`?",
        ),
        (
            "orders: reads=many",
            "orders",
            "`reads=many` is not a number from 0 to 1000000; write such as `reads=4`",
        ),
        (
            "orders: reads=-1; logs",
            "logs orders",
            "`reads=-1` is not a number from 0 to 1000000; write such as `reads=4`",
        ),
        (
            "orders: reads=4,writes=1",
            "orders",
            "`reads=4,writes=1` is not a number from 0 to 1000000; write such as `reads=4`",
        ),
        (
            "orders: reads=1 reads=2",
            "orders",
            "`reads` is stated twice for one data set; keep one",
        ),
        (
            "orders; orders: reads=1",
            "orders",
            "the data set `orders` is named twice; join the two",
        ),
        (
            "orders, catalog",
            "",
            "`orders,catalog` has a comma; set data sets apart by `;`",
        ),
        (
            "orders reads=4",
            "",
            "`orders reads=4` has no colon after its name; write such as `orders: reads=4`",
        ),
        (
            ": reads=4",
            "",
            "`` is no name of a data set; write such as `orders: reads=4`",
        ),
        (
            "orders;",
            "orders",
            "a member of the list is empty; take the spare `;` out",
        ),
        ("", "", "the list is empty; fill it or take the annotation off"),
    ] {
        let annotations = read(ObjectKind::Claim, &[("data-sets", value)]);
        let used = annotations.access.data_sets.iter().map(|used| used.name.as_str());
        assert_eq!(used.collect::<Vec<_>>().join(" "), names, "{value}");
        assert_eq!(
            findings(&annotations),
            [format!("data-sets: {problem}")],
            "{value}"
        );
    }
}

#[test]
fn clients_have_regions_and_weights() {
    let annotations = read(
        ObjectKind::Pod,
        &[("clients", "eu-west-1=0.7, aws/us-east-1 = 3")],
    );
    assert_eq!(findings(&annotations), Vec::<String>::new());
    let client = |region, weight| ClientWeight {
        region: RegionReference::parse(region).expect("a region"),
        weight,
    };
    assert_eq!(
        annotations.access.clients,
        [client("eu-west-1", 0.7), client("aws/us-east-1", 3.0)]
    );
    for (value, problem) in [
        (
            "eu-west-1",
            "`eu-west-1` has no weight; write such as `eu-west-1=0.7`",
        ),
        (
            "eu-west-1=0",
            "the weight `0` is not a number above 0; write such as `0.7`",
        ),
        (
            "eu-west-1=-1",
            "the weight `-1` is not a number above 0; write such as `0.7`",
        ),
        (
            "eu-west-1=inf",
            "the weight `inf` is not a number above 0; write such as `0.7`",
        ),
        (
            "eu-west-1=NaN",
            "the weight `NaN` is not a number above 0; write such as `0.7`",
        ),
        (
            "eu west=1",
            "`eu west` is no region; write such as `eu-west-1` or `aws/eu-west-1`",
        ),
        ("a=1,a=2", "the region `a` is named twice; join the two"),
        ("", "the list is empty; fill it or take the annotation off"),
    ] {
        let annotations = read(ObjectKind::Pod, &[("clients", value)]);
        assert_eq!(findings(&annotations), [format!("clients: {problem}")], "{value}");
    }
}

#[test]
fn peers_have_a_selector_and_may_have_calls_and_a_namespace() {
    let peers = |value: &str| {
        let annotations = read(ObjectKind::Pod, &[("peers", value)]);
        assert_eq!(findings(&annotations), Vec::<String>::new(), "{value}");
        let said = annotations.access.peers.iter().map(|peer| {
            let namespace = peer.namespace.as_ref().map_or("-", |name| name.as_str());
            format!("{} x{} in {namespace}", peer.selector, peer.calls.get())
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!(
        peers("tier=backend , app=cart: calls=3; app=payment: calls=0.5 namespace=billing"),
        ["app=cart,tier=backend x3 in -", "app=payment x0.5 in billing"]
    );
    for value in ["app=cart", "app=cart:", " app=cart : calls=1 "] {
        assert_eq!(peers(value), ["app=cart x1 in -"], "{value}");
    }
    assert_eq!(
        peers("app=cart; app=cart: namespace=other; app="),
        ["app=cart x1 in -", "app=cart x1 in other", "app= x1 in -"]
    );
}

#[test]
fn peers_that_cannot_be_read_are_told_and_the_others_stay() {
    for (value, kept, problem) in [
        (
            "cart",
            0,
            "`cart` is no label with its value; write such as `app=cart: calls=3`",
        ),
        (
            "app=cart,: calls=1; app=pay",
            1,
            "a label of the selector is empty; write such as `app=cart: calls=3`",
        ),
        (
            ": calls=1",
            0,
            "a label of the selector is empty; write such as `app=cart: calls=3`",
        ),
        (
            "app!=cart",
            0,
            "`app!` is no key of a label; write such as `app=cart: calls=3`",
        ),
        (
            "app==cart",
            0,
            "`=cart` is no value of a label; write such as `app=cart: calls=3`",
        ),
        (
            "app=c rt",
            0,
            "`c rt` is no value of a label; write such as `app=cart: calls=3`",
        ),
        (
            "app=a,app=b",
            0,
            "the label `app` is named twice in one selector; keep one",
        ),
        (
            "app=a: call=1",
            0,
            "unknown option `call` of peers; did you mean `calls`?",
        ),
        (
            "app=a: calls=-1",
            0,
            "`calls=-1` is not a number from 0 to 1000000; write such as `calls=3`",
        ),
        (
            "app=a: calls=1 calls=2",
            0,
            "`calls` is stated twice for the same peers; keep one",
        ),
        (
            "app=a: namespace=A_b",
            0,
            "`namespace=A_b` names no namespace; write such as `namespace=billing`",
        ),
        (
            "app=a,b=c; b=c,app=a: calls=2",
            1,
            "the peers `app=a,b=c` are named twice; join the two",
        ),
        (
            "app=a;",
            1,
            "a member of the list is empty; take the spare `;` out",
        ),
        ("", 0, "the list is empty; fill it or take the annotation off"),
    ] {
        for kind in EVERY_KIND {
            let annotations = read(kind, &[("peers", value)]);
            assert_eq!(annotations.access.peers.len(), kept, "{value}");
            assert_eq!(findings(&annotations), [format!("peers: {problem}")], "{value}");
        }
    }
    let many: Vec<String> = (0..40).map(|number| format!("app=a{number}")).collect();
    let annotations = read(ObjectKind::Pod, &[("peers", &many.join(";"))]);
    assert_eq!(annotations.access.peers.len(), 32);
    assert_eq!(
        findings(&annotations),
        ["peers: it names 40 groups of peers where 32 are allowed; name fewer"]
    );
}

#[test]
fn limits_are_milliseconds_above_zero() {
    let annotations = read(
        ObjectKind::Pod,
        &[("max-read-ms", "25"), ("max-write-ms", " 40.5 ")],
    );
    let access = &annotations.access;
    assert_eq!(
        (access.max_read_ms, access.max_write_ms),
        (Some(25.0), Some(40.5))
    );
    for value in ["0", "-1", "25ms", "inf", ""] {
        let annotations = read(ObjectKind::Pod, &[("max-write-ms", value)]);
        assert_eq!(annotations.access.max_write_ms, None);
        assert_eq!(
            findings(&annotations),
            [format!(
                "max-write-ms: `{value}` is not a number of milliseconds above 0; write such as `25`"
            )]
        );
    }
}

#[test]
fn findings_are_few_and_fit_into_one_reason_of_kube_scheduler() {
    let hostile: Vec<String> = (0..50).map(|number| format!("x`, y\n{number}")).collect();
    let hostile = hostile.join(",");
    let annotations = read(
        ObjectKind::Pod,
        &[
            ("data-subjects", &hostile),
            ("data-sets", &hostile),
            ("clients", &hostile),
            ("peers", &hostile),
            ("a, b`c", ""),
        ],
    );
    let told = findings(&annotations);
    assert!(told.contains(&"data-subjects: 47 more members of the list cannot be read".to_owned()));
    for finding in told {
        assert!(!finding.contains(", "), "{finding}");
        assert!(!finding.contains('\n'), "{finding}");
        assert_eq!(finding.matches('`').count() % 2, 0, "{finding}");
    }
}

#[test]
fn the_order_of_annotations_does_not_matter() {
    let mut pairs = [
        ("data-categories", "helth"),
        ("data-subjects", "UK"),
        ("zebra", ""),
        ("ape", ""),
        ("data-sets", "orders"),
    ];
    let forth = read(ObjectKind::Pod, &pairs);
    pairs.reverse();
    assert_eq!(forth, read(ObjectKind::Pod, &pairs));
    assert_eq!(forth.malformed.len(), 4);
}
