//! Policies as objects of the cluster: the API server takes and checks them, they decide as files do, and say what became
//! of them.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use domicile::policy::{CUSTOM_KINDS, GROUP};
use serde_json::{Value, json};

use super::fleet::{EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan, Stand, metrics};
use crate::deploy::kubectl;
use crate::domicile::shipped;
use crate::scenario::Scenario;
use crate::waiting;

/// From a change of an object to a pod that it concerns: the change is gathered, read, proved, and the pod is woken.
const SOON: Duration = Duration::from_secs(20);

/// kubectl, as an administrator.
struct Kubectl {
    kubeconfig: String,
    cache: String,
}

impl Kubectl {
    fn of(scenario: &Scenario) -> Self {
        Self {
            kubeconfig: scenario.plane.administrator().display().to_string(),
            cache: scenario.directory.join("kubectl").display().to_string(),
        }
    }

    fn run(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let ours = ["--kubeconfig", &self.kubeconfig, "--cache-dir", &self.cache];
        kubectl(&[&ours, arguments].concat(), input)
    }

    /// Nothing that a definition does not know is let through, here or there.
    fn apply(&self, objects: &[Value]) -> Result<String, String> {
        self.apply_validated("--validate=strict", objects)
    }

    fn apply_validated(&self, validate: &str, objects: &[Value]) -> Result<String, String> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            validate,
            "--filename=-",
        ];
        self.run(&apply, &list.to_string())
    }

    /// Definitions that no object was made of yet.
    fn install_definitions(&self) {
        let ours = "app.kubernetes.io/name=domicile";
        self.run(&["delete", "crd", "--selector", ours, "--timeout=60s"], "")
            .expect("what an earlier test left can be deleted");
        let folder = shipped("deploy/crds").display().to_string();
        let apply = [
            "apply",
            "--server-side",
            "--validate=strict",
            "--warnings-as-errors",
            "-k",
        ];
        self.run(&[&apply[..], &[&folder]].concat(), "")
            .expect("the API server takes the definitions");
        self.run(
            &[
                "wait",
                "crd",
                "--selector",
                ours,
                "--for=condition=Established",
                "--timeout=60s",
            ],
            "",
        )
        .expect("the definitions are established");
    }

    fn get(&self, object: &str) -> Value {
        let text = self
            .run(&["get", object, "--output=json"], "")
            .expect("the object is there");
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }
}

/// The shipped policies as objects: names without capitals, and no tests.
fn shipped_objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for (_, text) in domicile::embedded::policies() {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("a shipped file is YAML");
        for mut document in documents {
            if document["kind"] == "PolicyTest" {
                continue;
            }
            let name = document["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if document["kind"] == "JurisdictionGroup" {
                document["spec"]["name"] = json!(name);
            }
            document["metadata"]["name"] = json!(name.to_lowercase());
            objects.push(document);
        }
    }
    assert!(objects.len() > 150, "only {} objects", objects.len());
    objects
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "domicile.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn settings() -> Value {
    object(
        "PolicySettings",
        "default",
        json!({
            "mode": "enforce", "uncovered": "deny", "unlabelled": "allow", "regionKey": "topology",
            "exemptNamespaces": ["kube-system"], "teams": {"privacy": ["dpo@corp.example", "counsel@corp.example"]}
        }),
    )
}

fn region(name: &str, country: &str) -> Value {
    let source = json!({"cite": "a test", "asOf": "2026-01-01"});
    object(
        "Region",
        &format!("aws.{name}"),
        json!({"provider": "aws", "region": name, "country": country, "source": source}),
    )
}

fn group() -> Value {
    object(
        "JurisdictionGroup",
        "eea",
        json!({
            "name": "EEA", "asOf": "2026-01-01", "reviewBy": "2036-01-01", "source": "a test",
            "members": [{"country": "DE"}, {"country": "FR"}, {"country": "NL"}]
        }),
    )
}

fn policy(name: &str, rule: Value) -> Value {
    object(
        "PlacementPolicy",
        name,
        json!({
            "title": "Personal data stays", "owner": {"team": "privacy", "contact": "dpo@corp.example"},
            "legalBasis": [{"cite": "a test"}], "mode": "enforce",
            "appliesTo": {"data": {"categories": ["personal"], "subjects": ["group/EEA"]}},
            "rules": [rule]
        }),
    )
}

fn allowed(places: &[&str]) -> Value {
    policy("eea-personal", json!({"id": "place", "allowed": places}))
}

/// Everything that decides in these cases.
fn whole_set() -> Vec<Value> {
    vec![
        settings(),
        region("us-east-1", "US"),
        region("eu-central-1", "DE"),
        group(),
        allowed(&["group/EEA"]),
        object(
            "Guarantee",
            "not-in-china",
            json!({
                "says": "Personal data of the EEA is never in China",
                "never": {
                    "data": {"categories": ["personal"], "subjects": ["group/EEA"]},
                    "activities": ["process"], "location": {"in": ["CN"]}
                }
            }),
        ),
    ]
}

fn exception(requested_by: &str, not_before: &str) -> Value {
    object(
        "PlacementException",
        "trial",
        json!({
            "relaxes": {"policy": "eea-personal", "rule": "place"}, "category": "waiver", "reason": "a test",
            "requestedBy": requested_by, "approvedBy": "dpo@corp.example", "ticket": "T-1",
            "notBefore": not_before, "expires": "2027-01-01",
            "scope": {"namespace": "shop", "locations": ["US"], "data": {"categories": ["personal"]}}
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_checks_objects_and_explains_them() {
    let scenario = Scenario::begin("custom-resource-definitions").await;
    let kubectl = Kubectl::of(&scenario);
    kubectl.install_definitions();

    let shipped = shipped_objects();
    let taken = kubectl.apply(&shipped).expect("the shipped policies are taken");
    assert_eq!(taken.lines().count(), shipped.len());
    kubectl
        .apply(&[exception("shop@corp.example", "2026-12-01T00:00:00Z")])
        .expect("an exception is taken");

    let two_demands = json!({"id": "place", "allowed": ["DE"], "denied": ["US"]});
    let mut misspelled = allowed(&["DE"]);
    misspelled["spec"]["rules"][0]["allowd"] = json!(["US"]);
    let mut no_owner = allowed(&["DE"]);
    no_owner["spec"]
        .as_object_mut()
        .expect("a specification")
        .remove("owner");
    let mut of_two_kinds = allowed(&["DE"]);
    of_two_kinds["spec"]["appliesTo"]["anyOf"] = json!([{"storageClasses": ["gold"]}]);
    let mut twice = allowed(&["DE"]);
    twice["spec"]["rules"] = json!([{"id": "place", "allowed": ["DE"]}, {"id": "place", "denied": ["US"]}]);
    let mut ages = settings();
    ages["spec"]["maxFactAge"] = json!({"secret": "400d"});
    let mut second = settings();
    second["metadata"]["name"] = json!("second");
    for (wrong, told) in [
        (misspelled, "field not declared in schema"),
        (allowed(&["Germany"]), "spec.rules[0].allowed[0]"),
        (no_owner, "spec.owner: Required value"),
        (
            policy("p", two_demands),
            "write exactly one of `allowed` `denied`",
        ),
        (
            policy("p", json!({"id": "place"})),
            "write exactly one of `allowed` `denied`",
        ),
        (of_two_kinds, "`appliesTo` is one block or `anyOf`"),
        (twice, "uplicate"),
        (
            exception("dpo@corp.example", "2026-12-01"),
            "`approvedBy` is somebody else than `requestedBy`",
        ),
        (
            exception("shop@corp.example", "2027-06-01"),
            "`notBefore` is before `expires`",
        ),
        (ages, "the keys are public internal confidential restricted"),
        (
            second,
            "a cluster has one PolicySettings and its name is `default`",
        ),
    ] {
        // kubectl lets everything pass, so it is the API server that refuses.
        let complaint = kubectl
            .apply_validated("--validate=false", &[wrong])
            .expect_err(told);
        assert!(complaint.contains(told), "{told}: {complaint}");
    }

    // What the API server publishes for people comes a moment after the definitions.
    for (field, told) in [
        ("placementpolicy.spec", "In one line, for people."),
        (
            "placementpolicy.spec.rules.transit",
            "On the ways to the data sets that a pod names.",
        ),
        (
            "placementpolicies.status.conditions",
            "Accepted: whether the set with this object decides.",
        ),
        ("policysettings.spec.unlabelled", "confineTo"),
    ] {
        waiting::until(&format!("`{field}` is explained"), LIMIT, async || match kubectl
            .run(&["explain", field], "")
        {
            Ok(text) if text.contains(told) => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
    let columns = kubectl
        .run(&["get", "placementexceptions"], "")
        .expect("exceptions are listed");
    for column in [
        "NAMESPACE",
        "POLICY",
        "EXPIRES",
        "ACCEPTED",
        "PROVED",
        "eea-personal",
        "2027-01-01",
    ] {
        assert!(columns.contains(column), "{column}: {columns}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_alone_decide_at_once_and_say_what_became_of_them() {
    let plan = Plan::begin("custom-resources").await;
    let kubectl = Kubectl::of(&plan.scenario);
    kubectl.install_definitions();
    let rights = account(&plan.scenario, &kubectl).await;
    let stand = plan
        .policies_from_objects()
        .with_rights_of(rights)
        .nodes([aws("virginia", "us-east-1")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start_unready()
        .await;
    let mut stand = stand;
    waiting::until("domicile waits for policies", LIMIT, async || {
        match stand.domicile.get("/readyz").await {
            (503, text) if text.contains("policies") && !text.contains("cluster") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    kubectl.apply(&whole_set()).expect("the set is taken");
    stand.domicile.until_ready().await;
    let sentence = "`eea-personal/place` permits only group EEA";
    expect_refusal(&stand, "first", sentence).await;
    for object in whole_set() {
        until_condition(
            &kubectl,
            &reference(&object),
            "Accepted",
            ("True", "Decides"),
            "decides",
        )
        .await;
        until_condition(
            &kubectl,
            &reference(&object),
            "Proved",
            ("True", "GuaranteesHold"),
            "holds",
        )
        .await;
    }

    // A status that is written is no news: nothing is written again, and nothing is published.
    let before = (versions(&kubectl), stand.publications().await);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!((versions(&kubectl), stand.publications().await), before);

    // A mistake that only the whole set shows: the last good set decides, and every object learns why.
    kubectl
        .apply(&[allowed(&["DE", "group/EEB"])])
        .expect("the form is right");
    let wrong = "placementpolicy.domicile.dev/eea-personal";
    let told = "L04 spec.rules[0].allowed[1]: ";
    until_condition(&kubectl, wrong, "Accepted", ("False", "Invalid"), told).await;
    let others = "placementpolicy.domicile.dev/eea-personal spec.rules[0].allowed[1]: error L04";
    until_condition(
        &kubectl,
        &reference(&settings()),
        "Accepted",
        ("False", "SetRefused"),
        others,
    )
    .await;
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
    expect_refusal(&stand, "second", sentence).await;

    // A set that breaks its own guarantee is no better.
    kubectl
        .apply(&[allowed(&["group/EEA", "CN"])])
        .expect("the form is right");
    until_condition(
        &kubectl,
        wrong,
        "Proved",
        ("False", "GuaranteeFails"),
        "`not-in-china`",
    )
    .await;

    // Mended, and wider: pods that waited are bound.
    let waiting_pods = pods(&stand, "waiting").await;
    for pod in &waiting_pods {
        stand.cluster().until_refused(pod, sentence, LIMIT).await;
    }
    let began = Instant::now();
    kubectl
        .apply(&[allowed(&["group/EEA", "US"])])
        .expect("the form is right");
    for pod in &waiting_pods {
        assert_eq!(stand.cluster().until_bound(pod, SOON).await, "virginia");
    }
    println!(
        "from the change of an object to the binding of a pod that waited: {:?}",
        began.elapsed()
    );
    until_condition(&kubectl, wrong, "Accepted", ("True", "Decides"), "decides").await;
    assert_eq!(stand.metric(metrics::BAD_SOURCES).await, Some(0.0));

    // Verbs that ask no cluster have the same policies from its snapshot.
    let world = stand.scenario.directory.join("world.json").display().to_string();
    let domicile = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_domicile"))
            .args(arguments)
            .env("KUBECONFIG", stand.scenario.plane.administrator())
            .output()
            .expect("domicile can be started");
        assert_ne!(
            output.status.code(),
            Some(2),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let document: Value = serde_json::from_slice(&output.stdout).expect("the answer is JSON");
        document
    };
    let snapshot = [
        "snapshot",
        &world,
        "--cluster",
        "--policies-from=custom-resources",
        "--output=json",
    ];
    assert_eq!(domicile(&snapshot)["policyFiles"], whole_set().len());
    let pod = stand.scenario.directory.join("pod.json");
    let object = crate::objects::Pod::named("asked").in_namespace("shop").object();
    let object = serde_json::to_string(&object).expect("a pod is JSON");
    std::fs::write(&pod, object).expect("the temporary folder can be written");
    let why = [
        "why-not",
        &pod.display().to_string(),
        "--snapshot",
        &world,
        "--output=json",
    ];
    assert_eq!(domicile(&why)["permittedNodes"], 1);

    // The watches are taken up again after the API server was away, and it is known that they are.
    stand.scenario.plane.restart_api_server().await;
    kubectl
        .apply(&[allowed(&["group/EEA"])])
        .expect("the form is right");
    waiting::until("the change decides", LIMIT, async || {
        let snapshot = stand.publications().await;
        match snapshot > before.1 && stand.domicile.get("/readyz").await.0 == 200 {
            true => Ok(()),
            false => Err(format!("{snapshot} publications")),
        }
    })
    .await;
    until_condition(&kubectl, wrong, "Accepted", ("True", "Decides"), "decides").await;
    expect_refusal(&stand, "last", sentence).await;
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_files_objects_only_restrict() {
    let plan = Plan::begin("custom-resources-beside-files").await;
    let kubectl = Kubectl::of(&plan.scenario);
    kubectl.install_definitions();
    let folder = plan.scenario.directory.join("files");
    std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
    let mut files = whole_set();
    files.push(region("eu-west-3", "FR"));
    for (number, document) in files.iter().enumerate() {
        let file = folder.join(format!("{number}.json"));
        std::fs::write(file, document.to_string()).expect("the temporary folder can be written");
    }
    let stand = plan
        .policies(folder)
        .setting("policies-from", "both")
        .nodes([aws("paris", "eu-west-3")])
        .await
        .namespace("shop", &EEA_PERSONAL)
        .await
        .start()
        .await;
    for pod in pods(&stand, "files-alone").await {
        assert_eq!(stand.cluster().until_bound(&pod, LIMIT).await, "paris");
    }
    let not_in_france = policy("not-in-france", json!({"id": "place", "denied": ["FR"]}));
    kubectl
        .apply(std::slice::from_ref(&not_in_france))
        .expect("the form is right");
    until_condition(
        &kubectl,
        &reference(&not_in_france),
        "Accepted",
        ("True", "Decides"),
        "decides",
    )
    .await;
    expect_refusal(&stand, "restricted", "`not-in-france/place`").await;

    // What permits more than the files is not taken, whatever kind it is of, and the restriction stays.
    let mut payments = policy("payments", json!({"id": "place", "allowed": ["FR"]}));
    payments["spec"]["appliesTo"] = json!({"data": {"categories": ["payment"]}});
    for (wider, told) in [(payments, "`payments`"), (settings(), "L04")] {
        kubectl
            .apply(std::slice::from_ref(&wider))
            .expect("the form is right");
        stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
        let reason = if told == "L04" { "Invalid" } else { "SetRefused" };
        until_condition(&kubectl, &reference(&wider), "Accepted", ("False", reason), told).await;
        expect_refusal(&stand, reason.to_lowercase().as_str(), "`not-in-france/place`").await;
        kubectl
            .run(&["delete", &reference(&wider)], "")
            .expect("the object can be deleted");
        stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
    }

    // A policy of the files under the same name is not hidden by it.
    kubectl
        .apply(&[allowed(&["group/EEA", "US"])])
        .expect("the form is right");
    let of_both = "placementpolicy.domicile.dev/eea-personal";
    until_condition(
        &kubectl,
        of_both,
        "Accepted",
        ("False", "Invalid"),
        "a second PlacementPolicy is called",
    )
    .await;
    kubectl
        .run(&["delete", of_both], "")
        .expect("the object can be deleted");
    kubectl
        .run(&["delete", &reference(&not_in_france)], "")
        .expect("the object can be deleted");
    for pod in pods(&stand, "files-again").await {
        assert_eq!(stand.cluster().until_bound(&pod, SOON).await, "paris");
    }
}

/// The kubeconfig of an account that has the rights of the installation and no others.
async fn account(scenario: &Scenario, kubectl: &Kubectl) -> PathBuf {
    scenario.cluster.create_namespace("domicile-system", &[]).await;
    for file in [
        "deploy/base/domicile-rbac.yaml",
        "deploy/components/custom-resources/rbac.yaml",
    ] {
        let path = shipped(file).display().to_string();
        kubectl
            .run(&["apply", "--server-side", "--filename", &path], "")
            .expect("roles are taken");
    }
    let token = scenario
        .cluster
        .service_account_token("domicile-system", "domicile")
        .await;
    scenario.plane.kubeconfig("domicile", &token)
}

/// As kubectl names it.
fn reference(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    format!(
        "{kind}.{GROUP}/{}",
        object["metadata"]["name"].as_str().unwrap_or_default()
    )
}

async fn until_condition(
    kubectl: &Kubectl,
    reference: &str,
    kind: &str,
    (status, reason): (&str, &str),
    message: &str,
) {
    let what = format!("`{reference}` has {kind} {status}, {reason}, `{message}`");
    waiting::until(&what, LIMIT, async || {
        let object = kubectl.get(reference);
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let condition = conditions.iter().find(|condition| condition["type"] == kind);
        let is_current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        match condition {
            Some(condition)
                if is_current
                    && condition["status"] == status
                    && condition["reason"] == reason
                    && condition["message"]
                        .as_str()
                        .is_some_and(|text| text.contains(message)) =>
            {
                Ok(())
            }
            other => Err(format!(
                "{other:?} of generation {}",
                object["metadata"]["generation"]
            )),
        }
    })
    .await;
}

/// The versions of every object of ours.
fn versions(kubectl: &Kubectl) -> Vec<String> {
    let kinds: Vec<String> = CUSTOM_KINDS
        .iter()
        .map(|kind| format!("{}.{GROUP}", kind.plural))
        .collect();
    let all = kubectl.get(&kinds.join(","));
    let items = all["items"].as_array().cloned().unwrap_or_default();
    assert!(!items.is_empty(), "there are no objects");
    items
        .iter()
        .map(|item| item["metadata"]["resourceVersion"].to_string())
        .collect()
}

async fn pods(stand: &Stand, name: &str) -> Vec<k8s_openapi::api::core::v1::Pod> {
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        pods.push(
            stand
                .cluster()
                .create_pod(&lane.pod(name).in_namespace("shop"))
                .await,
        );
    }
    pods
}

async fn expect_refusal(stand: &Stand, name: &str, sentence: &str) {
    for pod in pods(stand, name).await {
        stand.cluster().until_refused(&pod, sentence, LIMIT).await;
    }
}
