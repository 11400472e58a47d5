//! Precedence, unknown keys and wrong values, as tables.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::arguments::TlsArgs;
use super::*;
use crate::admission::{AdmissionSettings, Growth, Nowhere};
use crate::cluster::DutySettings;
use crate::cluster::lease::LeaseSettings;
use crate::server::{ClientSettings, TlsSettings};

fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into()));
    owned.collect()
}

fn with_file(name: &str, text: &str) -> (tempfile::TempDir, ServeArgs) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("a file");
    let arguments = ServeArgs {
        config: Some(path),
        ..ServeArgs::default()
    };
    (directory, arguments)
}

fn problems(arguments: &ServeArgs, pairs: &[(&str, &str)]) -> Vec<String> {
    load(arguments, &environment(pairs))
        .expect_err("settings that are wrong")
        .problems
}

#[test]
fn without_any_layer_the_defaults_serve_on_loopback_from_what_is_built_in() {
    let settings = load(&ServeArgs::default(), &BTreeMap::new()).expect("the defaults");
    assert_eq!(
        settings,
        ServeSettings {
            listen: "127.0.0.1:8265".parse().expect("an address"),
            tls: None,
            admin_listen: None,
            admission: None,
            fleet: FleetSource::Embedded,
            read_only: false,
            lease: LeaseSettings {
                name: "domicile".into(),
                namespace: None,
            },
            duties: DutySettings {
                scan_interval: Duration::from_secs(600),
                retries_per_second: 50,
            },
            policies: None,
            policies_from: ObjectSource::Files,
            data_sets: None,
            data_sets_from: ObjectSource::Files,
            latency: None,
            live_latency: LiveLatencySettings::default(),
            state_dir: None,
            decisions: None,
            body_limit_bytes: (256 * 1024 * 1024).try_into().expect("not zero"),
            overload: OverloadSettings {
                most_waiting: 256.try_into().expect("not zero"),
                longest_wait: Duration::from_millis(300),
            },
            on_blind_sample: OnBlindSample::Error,
            refusal_reasons: RefusalReasons::Auto,
            reload_interval: Duration::from_secs(10),
            log: LogSettings {
                format: LogFormat::Text,
                filter: "info".into(),
            },
            workers: None,
            shutdown_grace: Duration::from_secs(10),
        }
    );
}

#[test]
fn a_later_layer_wins_whichever_layers_speak() {
    // (file, environment, flag, what decides)
    let table = [
        (None, None, None, "127.0.0.1:8265"),
        (Some("127.0.0.1:1"), None, None, "127.0.0.1:1"),
        (None, Some("127.0.0.1:2"), None, "127.0.0.1:2"),
        (None, None, Some("127.0.0.1:3"), "127.0.0.1:3"),
        (Some("127.0.0.1:1"), Some("127.0.0.1:2"), None, "127.0.0.1:2"),
        (Some("127.0.0.1:1"), None, Some("127.0.0.1:3"), "127.0.0.1:3"),
        (None, Some("127.0.0.1:2"), Some("127.0.0.1:3"), "127.0.0.1:3"),
        (
            Some("127.0.0.1:1"),
            Some("127.0.0.1:2"),
            Some("127.0.0.1:3"),
            "127.0.0.1:3",
        ),
    ];
    for (file, variable, flag, expected) in table {
        let text = file.map_or_else(
            || "workers: 3\n".to_owned(),
            |listen| format!("listen: {listen}\nworkers: 3\n"),
        );
        let (_directory, mut arguments) = with_file("domicile.yaml", &text);
        arguments.listen = flag.map(str::to_owned);
        let pairs: Vec<_> = variable
            .map(|listen| ("DOMICILE__LISTEN", listen))
            .into_iter()
            .collect();
        let settings = load(&arguments, &environment(&pairs)).expect(expected);
        assert_eq!(
            settings.listen.to_string(),
            expected,
            "{file:?} {variable:?} {flag:?}"
        );
        assert_eq!(
            settings.workers.map(usize::from),
            Some(3),
            "a layer hides only what it sets"
        );
    }
}

#[test]
fn every_format_says_the_same() {
    for (name, text) in [
        (
            "d.yaml",
            "admin-listen: 0.0.0.0:9000\nlog: {format: json}\nbody-limit-bytes: 1000000\n",
        ),
        (
            "d.toml",
            "admin-listen = \"0.0.0.0:9000\"\nbody-limit-bytes = 1000000\n[log]\nformat = \"json\"\n",
        ),
        (
            "d.json",
            r#"{"admin-listen": "0.0.0.0:9000", "log": {"format": "json"}, "body-limit-bytes": 1000000}"#,
        ),
    ] {
        let (_directory, arguments) = with_file(name, text);
        let settings = load(&arguments, &BTreeMap::new()).expect(name);
        assert_eq!(
            settings
                .admin_listen
                .map(|address| address.to_string())
                .as_deref(),
            Some("0.0.0.0:9000")
        );
        assert_eq!(
            settings.log,
            LogSettings {
                format: LogFormat::Json,
                filter: "info".into()
            }
        );
        assert_eq!(settings.body_limit_bytes.get(), 1_000_000);
    }
}

#[test]
fn the_environment_writes_every_key_and_other_variables_are_not_ours() {
    let samples = [
        ("listen", "127.0.0.1:9"),
        ("tls.certificate", "c"),
        ("tls.key", "k"),
        ("tls.client-ca", "a"),
        ("tls.client-names", "system:kube-scheduler, spiffe://x/y"),
        ("insecure-http", "true"),
        ("admission.listen", "127.0.0.1:11"),
        ("admission.tls.certificate", "c"),
        ("admission.tls.key", "k"),
        ("admission.tls.client-ca", "a"),
        ("admission.tls.client-names", "kube-apiserver"),
        ("admission.nowhere", "reject"),
        ("admission.scheduler-name", "domicile"),
        ("admission.schedulers", "domicile, mine"),
        ("admission.providers", "catalogue"),
        ("admission.wait-for-facts", "0s"),
        ("admin-listen", "127.0.0.1:10"),
        ("cluster", "true"),
        ("read-only", "true"),
        ("lease.name", "domicile-writer"),
        ("lease.namespace", "domicile-system"),
        ("retries.per-second", "10"),
        ("scan.interval", "1m"),
        ("policies", "p"),
        ("policies-from", "both"),
        ("data-sets", "d"),
        ("data-sets-from", "both"),
        ("latency", "l"),
        (
            "live-latency.prometheus",
            r#"[{"name":"a","url":"http://a","unit":"seconds","queries":{"p50":"a"}}]"#,
        ),
        ("live-latency.estimator.fresh-for", "1m"),
        ("live-latency.estimator.stale-for", "10m"),
        ("live-latency.estimator.newest-weight", "0.5"),
        ("live-latency.estimator.least-change-ms", "2"),
        ("live-latency.estimator.least-change-ratio", "0.2"),
        ("live-latency.estimator.least-change-polls", "2"),
        ("live-latency.estimator.partition-failures", "2"),
        ("live-latency.estimator.partition-polls", "4"),
        ("state-dir", "s"),
        ("decisions", "r"),
        ("body-limit-bytes", "65536"),
        ("overload.most-waiting", "7"),
        ("overload.longest-wait", "2s"),
        ("on-blind-sample", "refuse"),
        ("refusal-reasons", "one"),
        ("reload-interval", "2m"),
        ("log.format", "json"),
        ("log.filter", "domicile=debug"),
        ("workers", "2"),
        ("shutdown-grace", "0s"),
    ];
    let mut variables: BTreeMap<String, String> = samples
        .iter()
        .map(|(key, value)| {
            let variable = key.replace('.', "__").replace('-', "_").to_uppercase();
            (format!("DOMICILE__{variable}"), (*value).to_owned())
        })
        .collect();
    // Kubernetes itself sets variables of these forms beside a service that is named `domicile`.
    variables.insert("DOMICILE_PORT".into(), "tcp://10.0.0.1:8265".into());
    variables.insert("DOMICILE_SERVICE_HOST".into(), "10.0.0.1".into());
    let settings = load(&ServeArgs::default(), &variables).expect("all keys");
    assert_eq!(settings.fleet, FleetSource::Cluster);
    assert_eq!(settings.data_sets, Some(PathBuf::from("d")));
    assert_eq!(settings.on_blind_sample, OnBlindSample::Refuse);
    assert_eq!(settings.overload.most_waiting.get(), 7);
    assert_eq!(settings.overload.longest_wait, Duration::from_secs(2));
    assert_eq!(settings.refusal_reasons, RefusalReasons::One);
    assert_eq!(settings.reload_interval, Duration::from_secs(120));
    assert_eq!(settings.shutdown_grace, Duration::ZERO);
    assert_eq!(settings.log.filter, "domicile=debug");
    let untold: Vec<_> = SETTINGS
        .iter()
        .filter(|setting| setting.key != "fleet" && samples.iter().all(|(key, _)| *key != setting.key))
        .map(|setting| setting.key)
        .collect();
    assert_eq!(untold, Vec::<&str>::new());
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_key_that_was_meant() {
    let (directory, arguments) = with_file(
        "domicile.yaml",
        "refusalReasons: one\nlistne: 127.0.0.1:1\nlog: {colour: never}\nlog.fromat: json\n",
    );
    let file = directory.path().join("domicile.yaml");
    let file = file.display();
    assert_eq!(
        problems(
            &arguments,
            &[
                ("DOMICILE__ON_BLINDSAMPLE", "error"),
                ("DOMICILE__QUOTA", "1"),
                ("DOMICILE__", "x")
            ]
        ),
        vec![
            format!("the file `{file}` sets `listne`, which is no setting; did you mean `listen`"),
            format!("the file `{file}` sets `log.colour`, which is no setting"),
            format!("the file `{file}` sets `log.fromat`, which is no setting; did you mean `log.format`"),
            format!(
                "the file `{file}` sets `refusalReasons`, which is no setting; did you mean `refusal-reasons`"
            ),
            "the environment variable `DOMICILE__` sets ``, which is no setting".to_owned(),
            "the environment variable `DOMICILE__ON_BLINDSAMPLE` sets `on-blindsample`, which is no setting; \
             did you mean `on-blind-sample`"
                .to_owned(),
            "the environment variable `DOMICILE__QUOTA` sets `quota`, which is no setting".to_owned(),
        ]
    );
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_to_write() {
    for (variable, value, expected) in [
        (
            "LISTEN",
            "localhost:1",
            "`listen` from the environment variable `DOMICILE__LISTEN` is `localhost:1`: write an IP address and a port such as 127.0.0.1:8265",
        ),
        ("LISTEN", "", "is empty: leave it out to leave it unset"),
        ("BODY_LIMIT_BYTES", "256MiB", "write a whole number, 65536 to"),
        ("BODY_LIMIT_BYTES", "0", "write a whole number, 65536 to"),
        ("WORKERS", "0", "write a whole number, 1 to 1024"),
        ("WORKERS", "-1", "write a whole number, 1 to 1024"),
        ("ON_BLIND_SAMPLE", "ignore", "is `ignore`: write error or refuse"),
        ("REFUSAL_REASONS", "none", "is `none`: write auto or one or all"),
        (
            "RELOAD_INTERVAL",
            "10",
            "write a time with its unit such as 10s, 100ms to 3600s",
        ),
        ("RELOAD_INTERVAL", "1ms", "write a time with its unit"),
        ("SHUTDOWN_GRACE", "-1s", "write a time with its unit"),
        ("CLUSTER", "yes", "is `yes`: write true or false"),
        ("LOG__FORMAT", "xml", "is `xml`: write text or json"),
        (
            "LOG__FILTER",
            "domicile=loud",
            "`log.filter` from the environment variable `DOMICILE__LOG__FILTER` is `domicile=loud`",
        ),
        ("ADMIN_LISTEN", "127.0.0.1:8265", "is the address of `listen`"),
    ] {
        let told = problems(
            &ServeArgs::default(),
            &[(&format!("DOMICILE__{variable}"), value)],
        );
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(expected), "{} does not say {expected}", told[0]);
    }
}

#[test]
fn all_wrong_values_are_told_at_once_and_lists_are_no_values() {
    let (_directory, arguments) =
        with_file("d.yaml", "workers: none\nlisten: [a, b]\npolicies:\nfleet: 12\n");
    let told = problems(&arguments, &[]);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told[0].contains("`listen`") && told[0].contains("several values"),
        "{told:?}"
    );
    assert!(
        told[1].contains("`policies`") && told[1].contains("is empty"),
        "{told:?}"
    );
    assert!(told[2].contains("`workers`"), "{told:?}");
}

#[test]
fn a_listener_that_others_can_reach_needs_a_word_of_its_own() {
    let arguments = ServeArgs {
        listen: Some("0.0.0.0:8265".into()),
        ..ServeArgs::default()
    };
    let told = problems(&arguments, &[]);
    assert!(
        told[0].starts_with("`listen` from the flag `--listen` is `0.0.0.0:8265`"),
        "{told:?}"
    );
    assert!(
        told[0].contains("set `tls.certificate` and `tls.key`") && told[0].contains("`insecure-http: true`"),
        "{told:?}"
    );
    let allowed = environment(&[("DOMICILE__INSECURE_HTTP", "true")]);
    assert!(load(&arguments, &allowed).is_ok());
    let by_flag = ServeArgs {
        insecure_http: true,
        ..arguments.clone()
    };
    assert!(load(&by_flag, &BTreeMap::new()).is_ok());
    let encrypted = environment(&[("DOMICILE__TLS__CERTIFICATE", "c"), ("DOMICILE__TLS__KEY", "k")]);
    assert!(load(&arguments, &encrypted).is_ok());
    let half = problems(&arguments, &[("DOMICILE__TLS__CERTIFICATE", "c")]);
    assert_eq!(
        half.len(),
        1,
        "the address is not blamed for a missing key: {half:?}"
    );
    let admin = ServeArgs {
        admin_listen: Some("0.0.0.0:9000".into()),
        ..ServeArgs::default()
    };
    assert!(
        load(&admin, &BTreeMap::new()).is_ok(),
        "probes come from the node, and decide nothing"
    );
    let version_6 = ServeArgs {
        listen: Some("[::1]:8265".into()),
        ..ServeArgs::default()
    };
    assert!(load(&version_6, &BTreeMap::new()).is_ok());
}

#[test]
fn nodes_come_from_one_place() {
    let (_directory, mut arguments) = with_file("d.yaml", "fleet: fleet.yaml\n");
    assert_eq!(
        load(&arguments, &BTreeMap::new()).expect("a fleet").fleet,
        FleetSource::File(PathBuf::from("fleet.yaml"))
    );
    arguments.cluster = true;
    let told = problems(&arguments, &[]);
    assert!(
        told[0].contains("`cluster` from the flag `--cluster` both say where nodes come from: leave one out"),
        "{told:?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    for (name, text, expected) in [
        ("d.yaml", "a: [", "cannot be read"),
        ("d.conf", "workers: 3", "has none of the extensions"),
        ("d.yaml", "- 1", "cannot be read"),
    ] {
        let (_directory, arguments) = with_file(name, text);
        let told = problems(&arguments, &[]);
        assert!(told[0].contains(expected), "{told:?}");
    }
    let arguments = ServeArgs {
        config: Some("/nowhere/d.yaml".into()),
        ..ServeArgs::default()
    };
    assert!(problems(&arguments, &[])[0].contains("/nowhere/d.yaml"));
}

#[test]
fn files_of_encryption_come_together() {
    let tls = |text: &str| {
        let (directory, arguments) = with_file("d.yaml", text);
        let loaded = load(&arguments, &BTreeMap::new());
        drop(directory);
        loaded
            .map(|settings| settings.tls)
            .map_err(|error| error.problems)
    };
    assert_eq!(
        tls(
            "tls: {certificate: c, key: k, client-ca: a, client-names: [\"system:kube-scheduler\", \"a, b\"]}"
        ),
        Ok(Some(TlsSettings {
            certificate: "c".into(),
            key: "k".into(),
            clients: Some(ClientSettings {
                authority: "a".into(),
                names: ["system:kube-scheduler".to_owned(), "a, b".to_owned()].into(),
            }),
        }))
    );
    let anybody = tls("tls: {certificate: c, key: k, client-ca: a}");
    let anybody = anybody.expect("settings").and_then(|tls| tls.clients);
    assert_eq!(anybody.map(|clients| clients.names.len()), Some(0));
    for (text, expected) in [
        ("{certificate: c}", "needs `tls.key` beside it"),
        ("{key: k}", "needs `tls.certificate` beside it"),
        ("{client-ca: a}", "needs `tls.certificate` and `tls.key`"),
        (
            "{certificate: c, key: k, client-names: [a]}",
            "needs `tls.client-ca`",
        ),
        (
            "{certificate: c, key: k, client-ca: a, client-names: []}",
            "leave it out",
        ),
        (
            "{certificate: c, key: k, client-ca: a, client-names: [\"\"]}",
            "leave it out",
        ),
        (
            "{certificate: c, key: k, client-ca: a, client-names: [[a]]}",
            "is no list of names",
        ),
        ("{certificat: c, key: k}", "did you mean `tls.certificate`"),
    ] {
        let problems = tls(&format!("tls: {text}")).expect_err(text);
        assert!(
            problems.iter().any(|problem| problem.contains(expected)),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn names_of_clients_are_text_with_commas_where_a_layer_has_no_lists() {
    let arguments = ServeArgs {
        tls: TlsArgs {
            tls_certificate: Some("c".into()),
            tls_key: Some("k".into()),
            tls_client_ca: Some("a".into()),
            tls_client_names: Some("system:kube-scheduler, spiffe://example/scheduler".into()),
        },
        ..ServeArgs::default()
    };
    let clients = load(&arguments, &BTreeMap::new())
        .expect("settings")
        .tls
        .and_then(|tls| tls.clients);
    let names: Vec<String> = clients.expect("clients").names.into_iter().collect();
    assert_eq!(names, ["spiffe://example/scheduler", "system:kube-scheduler"]);
    let wrong = ServeArgs {
        tls: TlsArgs {
            tls_key: Some("k".into()),
            ..TlsArgs::default()
        },
        ..ServeArgs::default()
    };
    assert_eq!(
        problems(&wrong, &[]),
        ["`tls.key` from the flag `--tls-key` needs `tls.certificate` beside it"]
    );
}

#[test]
fn admission_has_an_address_of_its_own_or_no_settings() {
    let admission = |text: &str| {
        let (directory, arguments) = with_file("d.yaml", text);
        let loaded = load(&arguments, &BTreeMap::new());
        drop(directory);
        loaded
            .map(|settings| settings.admission)
            .map_err(|error| error.problems.join("; "))
    };
    assert_eq!(admission("listen: 127.0.0.1:9"), Ok(None));
    let all = r#"admission: {listen: "127.0.0.1:11", nowhere: reject, scheduler-name: domicile, schedulers: [domicile, mine], providers: catalogue, wait-for-facts: 1s}"#;
    assert_eq!(
        admission(all),
        Ok(Some(AdmissionServer {
            listen: "127.0.0.1:11".parse().expect("an address"),
            tls: None,
            settings: AdmissionSettings {
                growth: Growth::Catalogue,
                nowhere: Nowhere::Reject,
                scheduler_name: Some("domicile".to_owned()),
                schedulers: ["domicile".to_owned(), "mine".to_owned()].into(),
            },
            wait_for_facts: Duration::from_secs(1),
        }))
    );
    let bare = admission(r#"admission: {listen: "127.0.0.1:11"}"#).expect("defaults");
    let bare = bare.expect("an address");
    assert_eq!(bare.settings.schedulers, ["domicile".to_owned()].into());
    assert_eq!(
        (bare.settings.growth, bare.settings.nowhere),
        (Growth::default(), Nowhere::default())
    );
    for (text, expected) in [
        (r#"{nowhere: reject}"#, "`admission.nowhere` from"),
        (r#"{nowhere: reject}"#, "does nothing without `admission.listen`"),
        (
            r#"{listen: "0.0.0.0:8443"}"#,
            "set `admission.tls.certificate` and `admission.tls.key`",
        ),
        (
            r#"{listen: "127.0.0.1:1", nowhere: panic}"#,
            "write warn or reject",
        ),
        (
            r#"{listen: "127.0.0.1:1", providers: all}"#,
            "write fleet or catalogue",
        ),
        (
            r#"{listen: "127.0.0.1:1", schedulers: []}"#,
            "name the schedulers that ask domicile",
        ),
        (
            r#"{listen: "127.0.0.1:1", wait-for-facts: 2s}"#,
            "write a time with its unit",
        ),
        (r#"{listne: "127.0.0.1:1"}"#, "did you mean `admission.listen`"),
    ] {
        let problems = admission(&format!("admission: {text}")).expect_err(text);
        assert!(problems.contains(expected), "{text}: {problems}");
    }
}

#[test]
fn a_source_that_is_not_asked_is_not_named_and_objects_need_their_cluster() {
    let from = |pairs: &[(&str, &str)]| load(&ServeArgs::default(), &environment(pairs));
    let both = from(&[
        ("DOMICILE__CLUSTER", "true"),
        ("DOMICILE__POLICIES_FROM", "both"),
        ("DOMICILE__POLICIES", "/etc/policies"),
        ("DOMICILE__DATA_SETS_FROM", "custom-resources"),
    ]);
    let both = both.expect("settings that are right");
    assert_eq!(
        (both.policies_from, both.data_sets_from),
        (ObjectSource::Both, ObjectSource::CustomResources)
    );
    let told = problems(
        &ServeArgs::default(),
        &[
            ("DOMICILE__POLICIES_FROM", "custom-resources"),
            ("DOMICILE__POLICIES", "/etc/policies"),
            ("DOMICILE__DATA_SETS_FROM", "crds"),
        ],
    );
    assert_eq!(
        told,
        [
            "`policies-from` from the environment variable `DOMICILE__POLICIES_FROM` needs `cluster`, whose objects they \
             are: set `cluster: true`",
            "`policies` from the environment variable `DOMICILE__POLICIES` is read by nobody, since `policies-from` from \
             the environment variable `DOMICILE__POLICIES_FROM` is `custom-resources`: leave it out, or write `both`",
            "`data-sets-from` from the environment variable `DOMICILE__DATA_SETS_FROM` is `crds`: write files or \
             custom-resources or both",
        ]
    );
}
