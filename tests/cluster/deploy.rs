//! The installation of `deploy/`: rendered as users render it, taken by the real API server, run by the
//! real kube-scheduler with no other rights than those of its account.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use domicile::doctor::{Phase, Situation, examine};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use serde_json::{Value, json};

use crate::control_plane::get;
use crate::objects::{Node, Pod};
use crate::process::{Process, Program};
use crate::scenario::Scenario;
use crate::{components, waiting};

const LIMIT: Duration = Duration::from_secs(40);
const NAMESPACE: &str = "domicile-system";

/// The overlays that are shipped.
const OVERLAYS: [&str; 4] = ["observe", "enforce", "recommended", "recommended-fail-closed"];

/// Runs kubectl on a text; its output, or what it complained of.
pub fn kubectl(arguments: &[&str], input: &str) -> Result<String, String> {
    use std::io::Write as _;
    let mut child = Command::new("kubectl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("`kubectl` is needed for this test and cannot be started: {error}"));
    let mut pipe = child.stdin.take().expect("the input is piped");
    // kubectl may end before it has read everything; its exit code tells.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().expect("kubectl ends");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The text and the objects of an overlay.
fn render(overlay: &str) -> (String, Vec<Value>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy/overlays")
        .join(overlay);
    let text = kubectl(&["kustomize", &folder.display().to_string()], "")
        .unwrap_or_else(|complaint| panic!("`{overlay}` cannot be rendered: {complaint}"));
    let objects: Vec<Value> = text
        .split("\n---\n")
        .map(|document| serde_saphyr::from_str(document).expect("a rendered document is YAML"))
        .collect();
    assert!(objects.len() > 15, "{overlay} has only {} objects", objects.len());
    (text, objects)
}

fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// The files of the ConfigMap whose name begins so.
fn files(objects: &[Value], name: &str) -> Vec<(String, String)> {
    let map = of_kind(objects, "ConfigMap")
        .find(|map| {
            map["metadata"]["name"]
                .as_str()
                .is_some_and(|it| it.starts_with(name))
        })
        .unwrap_or_else(|| panic!("no ConfigMap `{name}`"));
    let data = map["data"].as_object().expect("a ConfigMap holds files");
    data.iter()
        .map(|(file, text)| (file.clone(), text.as_str().unwrap_or_default().to_owned()))
        .collect()
}

fn scheduler_configuration(objects: &[Value]) -> String {
    files(objects, "domicile-scheduler-configuration").remove(0).1
}

fn phase(overlay: &str) -> Phase {
    if overlay == "observe" {
        Phase::Observe
    } else {
        Phase::Enforce
    }
}

#[test]
fn the_shipped_configurations_are_clean_and_kube_scheduler_takes_them_as_they_are() {
    let kube_scheduler = components::folder().join("kube-scheduler");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for overlay in OVERLAYS {
        let (_, objects) = render(overlay);
        let text = scheduler_configuration(&objects);
        let situation = Situation {
            nodes: Some(5_000),
            phase: phase(overlay),
            admission: overlay.starts_with("recommended"),
            extender_url: None,
            definitions: Vec::new(),
        };
        assert_eq!(examine(&text, &situation).findings, [], "{overlay}");
        let file = folder.path().join(overlay);
        std::fs::write(&file, text).expect("the temporary folder can be written");
        let output = Command::new(&kube_scheduler)
            .arg(format!("--config={}", file.display()))
            .arg(format!(
                "--write-config-to={}",
                folder.path().join("completed").display()
            ))
            .args([
                "--master=https://127.0.0.1:1",
                "--authentication-skip-lookup",
                "--secure-port=0",
            ])
            .output()
            .expect("kube-scheduler can be started");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{overlay}: {complaint}");
    }
}

#[test]
fn the_overlays_differ_from_what_is_shipped_only_where_they_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    for (overlay, original, change) in [
        (
            "deploy/overlays/observe/settings.yaml",
            "policies/settings.yaml",
            ("  mode: enforce", "  mode: observe"),
        ),
        (
            "deploy/overlays/observe/scheduler-configuration.yaml",
            "deploy/base/scheduler-configuration.yaml",
            ("    ignorable: false", "    ignorable: true"),
        ),
    ] {
        let (ours, theirs) = (read(overlay), read(original));
        let differences: Vec<(&str, &str)> = theirs
            .lines()
            .zip(ours.lines())
            .filter(|(before, after)| before != after)
            .collect();
        assert_eq!(ours.lines().count(), theirs.lines().count(), "{overlay}");
        assert_eq!(differences.len(), 1, "{overlay}: {differences:?}");
        assert!(
            differences[0].0.starts_with(change.0) && differences[0].1.starts_with(change.1),
            "{differences:?}"
        );
    }
    // Every shipped policy file is in the ConfigMap, and the ConfigMap fits.
    let (_, objects) = render("enforce");
    let mounted = files(&objects, "domicile-policies");
    let shipped = domicile::embedded::policies();
    let mut names: Vec<String> = shipped.iter().map(|(name, _)| name.replace('/', "-")).collect();
    names.sort();
    assert_eq!(
        mounted.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        names
    );
    for (name, text) in shipped {
        assert!(
            mounted
                .iter()
                .any(|(file, other)| *file == name.replace('/', "-") && other == text),
            "{name}"
        );
    }
    let bytes: usize = mounted.iter().map(|(name, text)| name.len() + text.len()).sum();
    assert!(
        bytes < 512 * 1024,
        "{bytes} bytes leave no room in a ConfigMap of 1 MiB"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_takes_every_object_and_the_pods() {
    let scenario = Scenario::begin("deploy-dry-run").await;
    let administrator = scenario.plane.administrator().display().to_string();
    for overlay in OVERLAYS {
        let (text, objects) = render(overlay);
        let namespace = of_kind(&objects, "Namespace").next().expect("a namespace");
        let apply = [
            "--kubeconfig",
            &administrator,
            "apply",
            "--server-side",
            "--filename=-",
        ];
        kubectl(&apply, &namespace.to_string()).expect("the namespace is taken");

        let strict = [
            "--dry-run=server",
            "--warnings-as-errors",
            "--validate=strict",
            "--output=name",
        ];
        let taken = kubectl(&[&apply[..], &strict[..]].concat(), &text)
            .unwrap_or_else(|complaint| panic!("{overlay}: {complaint}"));
        assert_eq!(taken.lines().count(), objects.len(), "{overlay}: {taken}");

        // What the Deployments would make: the namespace holds pods to the strictest security profile.
        for deployment in of_kind(&objects, "Deployment") {
            let mut pod = deployment["spec"]["template"].clone();
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            let name = deployment["metadata"]["name"].as_str().unwrap_or_default();
            pod["metadata"]["name"] = json!(format!("{name}-0"));
            pod["metadata"]["namespace"] = json!(NAMESPACE);
            kubectl(&[&apply[..], &strict[..]].concat(), &pod.to_string())
                .unwrap_or_else(|complaint| panic!("{overlay}: {complaint}"));
        }
    }
    // The components that no overlay has; policies that compile with a warning would say so here.
    for file in COMPONENTS_BESIDE {
        let apply = [
            "--kubeconfig",
            &administrator,
            "apply",
            "--server-side",
            "--filename=-",
        ];
        let strict = ["--dry-run=server", "--warnings-as-errors", "--validate=strict"];
        kubectl(&[&apply[..], &strict[..]].concat(), &component(file))
            .unwrap_or_else(|complaint| panic!("{file}: {complaint}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_counts_the_nodes_of_the_cluster() {
    let scenario = Scenario::begin("deploy-doctor").await;
    let nodes = (0..130).map(|number| Node::named(format!("node-{number}")));
    scenario.cluster.create_nodes(nodes).await;
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/d08-default-sampling.yaml");
    let doctor = |kubeconfig: PathBuf| {
        Command::new(env!("CARGO_BIN_EXE_domicile"))
            .args(["doctor", "--cluster", "--output", "json", "--scheduler-config"])
            .arg(&case)
            .env("KUBECONFIG", kubeconfig)
            .output()
            .expect("domicile can be started")
    };
    let output = doctor(scenario.plane.administrator());
    let document: Value = serde_json::from_slice(&output.stdout).expect("the answer is JSON");
    assert_eq!(output.status.code(), Some(1), "{document}");
    assert_eq!(document["nodes"], 130);
    assert_eq!(document["findings"][0]["code"], "D08");
    assert!(
        document["findings"][0]["sentence"]
            .as_str()
            .is_some_and(|it| it.contains("only 100 of 130 nodes")),
        "{document}"
    );
    // Whoever may not list nodes is told so, and gets no clean bill.
    let token = scenario.cluster.service_account_token("default", "nobody").await;
    let refused = doctor(scenario.plane.kubeconfig("doctor-nobody", &token));
    assert_eq!(refused.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&refused.stderr);
    assert!(
        complaint.contains("the nodes of the cluster cannot be listed"),
        "{complaint}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_compliance_group_says_what_a_namespace_holds() {
    let scenario = Scenario::begin("deploy-guard").await;
    let administrator = scenario.plane.administrator().display().to_string();
    let (text, _) = render("enforce");
    let as_administrator = |arguments: &[&str], input: &str| {
        kubectl(&[&["--kubeconfig", &administrator], arguments].concat(), input)
    };
    as_administrator(&["apply", "--server-side", "--filename=-"], &text).expect("the installation is taken");
    // Both people may edit namespaces; only one of them answers for data.
    let editors = json!({
        "apiVersion": "v1", "kind": "List", "items": [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "namespace-editor"},
                "rules": [{"apiGroups": [""], "resources": ["namespaces", "namespaces/status", "namespaces/finalize"], "verbs": ["get", "create", "update", "patch"]}],
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "namespace-editors"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "namespace-editor"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers"}],
            },
        ],
    });
    as_administrator(&["apply", "--server-side", "--filename=-"], &editors.to_string())
        .expect("roles are taken");
    as_administrator(&["create", "namespace", "shop"], "").expect("a namespace is taken");

    let developer = |arguments: &[&str]| {
        as_administrator(
            &[
                &[
                    "--as=dev",
                    "--as-group=developers",
                    "--as-group=system:authenticated",
                ],
                arguments,
            ]
            .concat(),
            "",
        )
    };
    let officer = |arguments: &[&str]| {
        let groups = [
            "--as=dpo",
            "--as-group=developers",
            "--as-group=domicile:compliance",
            "--as-group=system:authenticated",
        ];
        as_administrator(&[&groups, arguments].concat(), "")
    };
    let set = [
        "annotate",
        "--overwrite",
        "namespace",
        "shop",
        "domicile.dev/data=none",
    ];
    // A new policy comes into force within a moment.
    waiting::until("the guard is in force", LIMIT, async || {
        match developer(&[&set[..], &["--dry-run=server"]].concat()) {
            Err(complaint) if complaint.contains("domicile:compliance") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let refused = |what: &str, outcome: Result<String, String>| {
        let complaint = outcome.expect_err(what);
        assert!(
            complaint.contains("ask somebody of the group domicile:compliance"),
            "{what}: {complaint}"
        );
    };
    refused("set", developer(&set));
    refused("set on a new namespace", {
        let new = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new", "annotations": {"domicile.dev/data-classification": "public"}}});
        as_administrator(
            &["--as=dev", "--as-group=developers", "create", "--filename=-"],
            &new.to_string(),
        )
    });
    refused(
        "labelled",
        developer(&["label", "namespace", "shop", "domicile.dev/programme=none"]),
    );
    developer(&["annotate", "namespace", "shop", "example.org/owner=shop-team"])
        .expect("other annotations are free");

    officer(&[
        "annotate",
        "namespace",
        "shop",
        "domicile.dev/data-classification=confidential",
    ])
    .expect("the officer sets");
    refused(
        "changed",
        developer(&[
            "annotate",
            "--overwrite",
            "namespace",
            "shop",
            "domicile.dev/data-classification=public",
        ]),
    );
    refused(
        "removed",
        developer(&[
            "annotate",
            "namespace",
            "shop",
            "domicile.dev/data-classification-",
        ]),
    );
    let by_status = r#"{"metadata": {"annotations": {"domicile.dev/data-classification": "public"}}}"#;
    refused(
        "changed through the status",
        developer(&[
            "patch",
            "namespace",
            "shop",
            "--subresource=status",
            "--type=merge",
            "--patch",
            by_status,
        ]),
    );
    developer(&["label", "namespace", "shop", "team=shop"])
        .expect("a namespace that has annotations can be edited");
    officer(&[
        "annotate",
        "namespace",
        "shop",
        "domicile.dev/data-classification-",
    ])
    .expect("the officer removes");
    as_administrator(&set, "").expect("a cluster administrator may");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_can_require_that_domicile_places_its_pods() {
    let scenario = Scenario::begin("deploy-require").await;
    let administrator = scenario.plane.administrator().display().to_string();
    let (text, _) = render("enforce");
    let as_administrator = |arguments: &[&str], input: &str| {
        kubectl(&[&["--kubeconfig", &administrator], arguments].concat(), input)
    };
    as_administrator(&["apply", "--server-side", "--filename=-"], &text).expect("the installation is taken");
    for namespace in ["free", "bound"] {
        as_administrator(&["create", "namespace", namespace], "").expect("a namespace is taken");
    }
    as_administrator(
        &["label", "namespace", "bound", "domicile.dev/scheduler=required"],
        "",
    )
    .expect("an administrator sets the label");
    let create = |pod: &Pod| {
        let pod = serde_json::to_string(&pod.object()).expect("a pod is JSON");
        as_administrator(&["create", "--dry-run=server", "--filename=-"], &pod)
    };
    let stray = Pod::named("stray").in_namespace("bound");
    waiting::until("the policy is in force", LIMIT, async || match create(&stray) {
        Err(complaint) if complaint.contains("schedulerName: domicile") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let ours = Pod::named("ours").in_namespace("bound").scheduled_by("domicile");
    create(&ours).expect("a pod that opts in is taken");
    let complaint = create(&ours.on_node("somewhere")).expect_err("its node is named");
    assert!(complaint.contains("leave `nodeName` out"), "{complaint}");
    create(&stray.in_namespace("free")).expect("other namespaces are free");
}

/// Files of components that are in no overlay.
const COMPONENTS_BESIDE: [&str; 2] = [
    "validating-webhook/validating-webhook.yaml",
    "governed-pods/governed-pods.yaml",
];

/// A file of a component.
fn component(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/components");
    std::fs::read_to_string(folder.join(file)).expect(file)
}

#[test]
fn the_webhook_exempts_what_the_settings_exempt_and_fails_as_its_overlay_says() {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/settings.yaml");
    let settings = std::fs::read_to_string(settings).expect("the settings");
    let exempt = settings
        .lines()
        .find_map(|line| line.trim().strip_prefix("exemptNamespaces: "))
        .expect("the settings exempt namespaces");
    let exempt: Value = serde_saphyr::from_str(exempt).expect("a list");
    for (overlay, policy) in [("recommended", "Ignore"), ("recommended-fail-closed", "Fail")] {
        let (_, objects) = render(overlay);
        let configuration = of_kind(&objects, "MutatingWebhookConfiguration")
            .next()
            .expect("a webhook");
        let webhook = &configuration["webhooks"][0];
        assert_eq!(webhook["failurePolicy"], policy, "{overlay}");
        let selected = &webhook["namespaceSelector"]["matchExpressions"][0];
        assert_eq!(
            (&selected["operator"], &selected["values"]),
            (&json!("NotIn"), &exempt)
        );
        // What the API server calls is what the Deployment serves.
        let service = of_kind(&objects, "Service").next().expect("a service");
        let deployment = of_kind(&objects, "Deployment")
            .find(|deployment| deployment["metadata"]["name"] == "domicile-admission")
            .expect("a deployment");
        assert_eq!(
            webhook["clientConfig"]["service"]["name"],
            service["metadata"]["name"]
        );
        let template = &deployment["spec"]["template"];
        assert_eq!(service["spec"]["selector"], template["metadata"]["labels"]);
        let port = &template["spec"]["containers"][0]["ports"][1];
        assert_eq!(
            (&service["spec"]["ports"][0]["targetPort"], &port["containerPort"]),
            (&port["name"], &json!(8443))
        );
    }
    let exempt: Vec<&str> = exempt
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for file in COMPONENTS_BESIDE {
        assert!(
            component(file).contains(&exempt.join(", ")),
            "{file} exempts others"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_say_that_they_are_governed_must_ask_domicile_where_that_is_bound() {
    let scenario = Scenario::begin("deploy-governed").await;
    let administrator = scenario.plane.administrator().display().to_string();
    let as_administrator = |arguments: &[&str], input: &str| {
        kubectl(&[&["--kubeconfig", &administrator], arguments].concat(), input)
    };
    let (text, _) = render("enforce");
    for text in [text, component("governed-pods/governed-pods.yaml")] {
        as_administrator(&["apply", "--server-side", "--filename=-"], &text).expect("it is taken");
    }
    for (namespace, annotations) in [
        ("says-nothing", json!({})),
        ("personal", json!({"domicile.dev/data-categories": "personal"})),
        ("public", json!({"domicile.dev/data-classification": "public"})),
        ("no-data", json!({"domicile.dev/data": "none"})),
        ("by-workload", json!({"domicile.dev/data": "by-workload"})),
    ] {
        let metadata = json!({"name": namespace, "annotations": annotations});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        as_administrator(&["create", "--filename=-"], &object.to_string()).expect("a namespace is taken");
    }
    let create = |pod: &Pod, annotations: &Value| {
        let mut pod = serde_json::to_value(pod.object()).expect("a pod is JSON");
        for (key, value) in annotations.as_object().into_iter().flatten() {
            pod["metadata"]["annotations"][key] = value.clone();
        }
        as_administrator(&["create", "--dry-run=server", "--filename=-"], &pod.to_string())
    };
    let nothing = json!({});
    let stray = |namespace: &str| Pod::named("stray").in_namespace(namespace);
    waiting::until("the policy is in force", LIMIT, async || {
        match create(&stray("personal"), &nothing) {
            Err(complaint) if complaint.contains("domicile decides where pods with this data run") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let refused = |namespace: &str, annotations: &Value| {
        let complaint = create(&stray(namespace), annotations).expect_err("a pod that is governed");
        assert!(
            complaint.contains("write `schedulerName: domicile`"),
            "{complaint}"
        );
    };
    refused("by-workload", &nothing);
    refused("says-nothing", &json!({"domicile.dev/data-sets": "orders"}));
    refused(
        "public",
        &json!({"domicile.dev/data-classification": "restricted"}),
    );
    for namespace in ["says-nothing", "public", "no-data"] {
        create(&stray(namespace), &nothing).expect(namespace);
    }
    let ours = stray("personal").scheduled_by("domicile");
    create(&ours, &nothing).expect("a pod that asks us");
    let complaint = create(&ours.on_node("somewhere"), &nothing).expect_err("its node is named");
    assert!(complaint.contains("leave `nodeName` out"), "{complaint}");
    // Mirror pods run already; only a kubelet makes them.
    let mirror = json!({"kubernetes.io/config.mirror": "abc"});
    let on_node = stray("personal").on_node("n1");
    let complaint = create(&on_node, &mirror).expect_err("anybody can write the annotation");
    assert!(
        complaint.contains("write `schedulerName: domicile`"),
        "{complaint}"
    );
    let mut pod = serde_json::to_value(on_node.object()).expect("a pod is JSON");
    pod["metadata"]["annotations"] = mirror;
    let as_kubelet = [
        "--as=system:node:n1",
        "--as-group=system:masters",
        "create",
        "--dry-run=server",
        "--filename=-",
    ];
    as_administrator(&as_kubelet, &pod.to_string()).expect("a mirror pod of a kubelet");
}

/// Bindings of what `domicile-rbac.yaml` gives, and nothing else, to an account.
fn domicile_alone() -> Value {
    let subject = json!({"kind": "ServiceAccount", "name": "domicile-alone", "namespace": NAMESPACE});
    let roles = ["domicile-reader", "domicile-waker", "domicile-teller"];
    let mut bindings = roles
        .map(|role| {
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                "metadata": {"name": format!("{role}-alone")},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [subject],
            })
        })
        .to_vec();
    bindings.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "domicile-lease-alone", "namespace": NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "domicile-lease"},
        "subjects": [subject],
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": bindings})
}

/// An installation on loopback: the flags, files and configuration of an overlay, with other paths and
/// ports and the token of its account.
struct Installation {
    domicile: Process,
    scheduler: Process,
    domicile_log: PathBuf,
    settings: PathBuf,
}

impl Installation {
    async fn start(scenario: &Scenario, overlay: &str) -> Self {
        let (text, objects) = render(overlay);
        let administrator = scenario.plane.administrator().display().to_string();
        kubectl(
            &[
                "--kubeconfig",
                &administrator,
                "apply",
                "--server-side",
                "--force-conflicts",
                "--filename=-",
            ],
            &text,
        )
        .expect("the installation is taken");
        let token = scenario
            .cluster
            .service_account_token(NAMESPACE, "domicile")
            .await;
        let kubeconfig = scenario.plane.kubeconfig("installation", &token);
        // In a pod both share the account above; here domicile has one with its own roles and no more.
        kubectl(
            &[
                "--kubeconfig",
                &administrator,
                "apply",
                "--server-side",
                "--filename=-",
            ],
            &domicile_alone().to_string(),
        )
        .expect("the roles of domicile are given to a second account");
        let alone = scenario
            .cluster
            .service_account_token(NAMESPACE, "domicile-alone")
            .await;
        let alone = scenario.plane.kubeconfig("domicile-alone", &alone);
        let deployment = of_kind(&objects, "Deployment").next().expect("a deployment");
        let pod = &deployment["spec"]["template"]["spec"];
        let [extender_port, admin_port, scheduler_port] = waiting::free_ports();

        let folder = scenario.directory.join(overlay);
        for (name, target) in [
            ("domicile-policies", "policies"),
            ("domicile-data-sets", "data-sets"),
        ] {
            let target = folder.join(target);
            std::fs::create_dir_all(&target).expect("the temporary folder can be written");
            for (file, text) in files(&objects, name) {
                std::fs::write(target.join(file), text).expect("the temporary folder can be written");
            }
        }
        let state = folder.join("state");
        std::fs::create_dir_all(&state).expect("the temporary folder can be written");
        let replace = [
            ("/etc/domicile", folder.display().to_string()),
            ("/var/lib/domicile", state.display().to_string()),
            ("127.0.0.1:8265", format!("127.0.0.1:{extender_port}")),
            ("0.0.0.0:8266", format!("127.0.0.1:{admin_port}")),
        ];
        let arguments = pod["initContainers"][0]["args"]
            .as_array()
            .expect("domicile has arguments");
        let arguments = arguments.iter().filter_map(Value::as_str).map(|argument| {
            let replaced = |text: String, (from, to): &(&str, String)| text.replace(from, to);
            replace.iter().fold(argument.to_owned(), replaced)
        });
        let domicile = Process::start(Program {
            name: format!("domicile-{overlay}"),
            path: PathBuf::from(env!("CARGO_BIN_EXE_domicile")),
            arguments: arguments.collect(),
            // In a pod the namespace comes from the mounted account.
            environment: vec![
                ("KUBECONFIG".to_owned(), alone.into()),
                ("POD_NAMESPACE".to_owned(), NAMESPACE.into()),
            ],
            directory: scenario.directory.clone(),
        });

        let mut configuration: Value =
            serde_saphyr::from_str(&scheduler_configuration(&objects)).expect("the configuration is YAML");
        configuration["clientConnection"]["kubeconfig"] = json!(kubeconfig);
        configuration["extenders"][0]["urlPrefix"] = json!(format!("http://127.0.0.1:{extender_port}"));
        let file = folder.join("config.json");
        std::fs::write(&file, configuration.to_string()).expect("the temporary folder can be written");
        let mut installation = Self {
            domicile_log: domicile.program().log(),
            settings: folder.join("policies/settings.yaml"),
            domicile,
            scheduler: Process::start(Program {
                name: format!("kube-scheduler-{overlay}"),
                path: scenario.plane.programs.join("kube-scheduler"),
                arguments: vec![
                    format!("--config={}", file.display()),
                    format!("--secure-port={scheduler_port}"),
                    "--bind-address=127.0.0.1".to_owned(),
                    // In a pod these three come from the mounted account.
                    format!("--authentication-kubeconfig={}", kubeconfig.display()),
                    format!("--authorization-kubeconfig={}", kubeconfig.display()),
                    "--v=2".to_owned(),
                ],
                environment: Vec::new(),
                directory: scenario.directory.clone(),
            }),
        };
        installation.until_it_leads(scenario, admin_port).await;
        installation
    }

    async fn until_it_leads(&mut self, scenario: &Scenario, admin_port: u16) {
        let admin = kube::Client::try_from(kube::Config::new(
            format!("http://127.0.0.1:{admin_port}")
                .parse()
                .expect("this is a URL"),
        ))
        .expect("a client needs no more than a URL");
        let leases: Api<Lease> = Api::namespaced(scenario.cluster.client.clone(), NAMESPACE);
        waiting::until("the installation works", LIMIT, async || {
            self.domicile.expect_running();
            self.scheduler.expect_running();
            get(&admin, "readyz").await?;
            let lease = leases
                .get_opt("domicile-scheduler")
                .await
                .map_err(|error| error.to_string())?;
            let holder = lease
                .and_then(|lease| lease.spec)
                .and_then(|spec| spec.holder_identity);
            holder
                .filter(|holder| !holder.is_empty())
                .ok_or("nobody leads")
                .map_err(str::to_owned)
        })
        .await;
    }

    /// The verdicts recorded about a pod, in the mode in which they were made.
    fn recorded(&self, pod: &str) -> Vec<String> {
        let text = std::fs::read_to_string(&self.domicile_log).expect("a log can be read");
        let records = text.lines().filter(|line| line.starts_with("{\"v\":1,"));
        let records = records.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records
            .filter(|record| record["pod"]["name"] == pod && record["verb"] == "filter")
            .map(|record| record["mode"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Fails when the API server refused anything to the account.
    fn expect_nothing_was_forbidden(&self) {
        for log in [self.scheduler.program().log(), self.domicile_log.clone()] {
            let text = std::fs::read_to_string(&log).expect("a log can be read");
            let refused: Vec<&str> = text
                .lines()
                .filter(|line| line.to_lowercase().contains("forbidden") || line.contains("cannot list"))
                .collect();
            assert!(refused.is_empty(), "{}: {refused:#?}", log.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_installation_works_with_nothing_but_the_rights_of_its_account() {
    let scenario = Scenario::begin("deploy-rights").await;
    let cluster = &scenario.cluster;
    cluster
        .create_nodes([
            Node::named("us")
                .cpu("1")
                .in_zone("us-east-1", "us-east-1a")
                .provider_id("aws:///us-east-1a/i-0a"),
            Node::named("eu")
                .cpu("1")
                .in_zone("eu-central-1", "eu-central-1a")
                .provider_id("aws:///eu-central-1a/i-0b"),
        ])
        .await;
    let profile = [
        ("domicile.dev/data-classification", "confidential"),
        ("domicile.dev/data-categories", "personal"),
        ("domicile.dev/data-subjects", "DE"),
    ];
    cluster.create_namespace("governed", &profile).await;
    let governed = |name: &str| {
        Pod::named(name)
            .in_namespace("governed")
            .scheduled_by("domicile")
            .cpu("600m")
    };
    {
        let observe = Installation::start(&scenario, "observe").await;
        // Observed, the second pod takes the node where it may not be; enforced, it will wait.
        let pods = [
            cluster.create_pod(&governed("observed-1")).await,
            cluster.create_pod(&governed("observed-2")).await,
        ];
        let mut nodes = Vec::new();
        for pod in &pods {
            nodes.push(cluster.until_bound(pod, LIMIT).await);
        }
        nodes.sort();
        assert_eq!(nodes, ["eu", "us"], "nothing is refused");
        waiting::until("what was observed is on record", LIMIT, async || {
            match observe.recorded("observed-2") {
                modes if modes.iter().any(|mode| mode == "observe") => Ok(()),
                modes => Err(format!("{modes:?}")),
            }
        })
        .await;
        observe.expect_nothing_was_forbidden();
        for pod in pods {
            use kube::ResourceExt as _;
            let now = kube::api::DeleteParams::default().grace_period(0);
            cluster
                .pods("governed")
                .delete(&pod.name_any(), &now)
                .await
                .expect("a pod can be deleted");
            cluster.until_gone(&pod, LIMIT).await;
        }
    }
    let enforce = Installation::start(&scenario, "enforce").await;
    let first = cluster.create_pod(&governed("first")).await;
    assert_eq!(cluster.until_bound(&first, LIMIT).await, "eu");
    let second = cluster.create_pod(&governed("second")).await;
    cluster.until_refused(&second, "domicile: ", LIMIT).await;
    // Eviction and status are rights too: a pod of higher priority takes the permitted node.
    let urgent = cluster.create_pod(&governed("urgent").priority(1_000)).await;
    cluster.until_gone(&first, LIMIT).await;
    assert_eq!(cluster.until_bound(&urgent, LIMIT).await, "eu");
    // Pods that do not opt in are left to the default scheduler.
    let other = cluster
        .create_pod(&Pod::named("other").in_namespace("governed"))
        .await;
    cluster.expect_pending_for(&other, Duration::from_secs(1)).await;
    // A reload that permits more wakes the pod, which is a right of its own.
    let settings = std::fs::read_to_string(&enforce.settings).expect("the settings can be read");
    let settings = settings.replace("mode: enforce", "mode: observe");
    std::fs::write(&enforce.settings, settings).expect("the settings can be written");
    assert_eq!(cluster.until_bound(&second, LIMIT).await, "us");
    enforce.expect_nothing_was_forbidden();
}
