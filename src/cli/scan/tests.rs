//! A scan of the built-in fleet with pods of one's choice: what is found, in each form.

use serde_json::Value;

use super::*;
use crate::admission::{AdmittedPlaces, Growth, permitted};
use crate::assembly::SourceText;
use crate::objects::read_pod;
use crate::placement::assess;

const AT: &str = "2026-11-21T00:00:00Z";
const IN_VIRGINIA: &str = "ip-10-30-1-21.ec2.internal";
const IN_FRANKFURT: &str = "ip-10-10-2-28.eu-central-1.compute.internal";

/// A pod of the namespace `shop`, which holds personal data of people in the EEA.
fn pod(name: &str, metadata: &str, spec: &str) -> String {
    format!(
        "kind: Pod\napiVersion: v1\nmetadata: {{name: {name}, namespace: shop{metadata}}}\nspec: {{{spec}}}\n"
    )
}

/// A pod that waits and was admitted to these places.
fn admitted(name: &str, places: &str) -> String {
    let annotations = format!(", annotations: {{domicile.dev/admitted-places: \"{places}\"}}");
    pod(name, &annotations, "")
}

/// The built-in facts with these pods, and what the policy about people in the EEA allows.
fn texts(pods: &[String], allowed: &str) -> FactTexts {
    let mut texts = read_world(&FactsArgs::default()).expect("the built-in facts");
    for pod in pods {
        texts.fleet.text.push_str(&format!("\n---\n{pod}"));
    }
    let policies = texts.rules.policies.iter_mut();
    let of_eea = |file: &&mut SourceText| file.name.ends_with("eea-personal-data.yaml");
    let mut changed = 0;
    for file in policies.filter(of_eea) {
        file.text = file
            .text
            .replacen("allowed: [group/EEA]", &format!("allowed: {allowed}"), 1);
        changed += usize::from(file.text.contains(allowed));
    }
    assert!(changed > 0, "the policy is there");
    texts
}

fn scan(texts: &FactTexts, output: TableOutput) -> (Outcome, String) {
    let mut out = Vec::new();
    let outcome = report(texts, AT.parse().expect("an instant"), output, &mut out).expect("a report");
    (outcome, String::from_utf8(out).expect("text"))
}

fn json(texts: &FactTexts) -> (Outcome, Value) {
    let (outcome, text) = scan(texts, TableOutput::Json);
    (outcome, serde_json::from_str(&text).expect("JSON"))
}

/// Where such a pod is permitted under a set, as admission would write it.
fn places(texts: &FactTexts) -> String {
    let snapshot = snapshot(texts).expect("a world");
    let pod = read_pod(&pod("p", "", ""), "pod.yaml").expect("a pod");
    let assessment = assess(&snapshot, &pod, AT.parse().expect("an instant"));
    AdmittedPlaces::of(&permitted(&assessment, Growth::default())).text()
}

/// `(pod, finding)` of each row.
fn found(document: &Value) -> Vec<(&str, &str)> {
    let rows = document["findings"].as_array().expect("findings");
    let word = |row: &'_ Value, field: &str| row[field].as_str().map(str::to_owned);
    assert!(
        rows.iter()
            .all(|row| word(row, "says").is_some_and(|says| !says.is_empty()))
    );
    rows.iter()
        .filter_map(|row| Some((row["pod"].as_str()?, row["finding"].as_str()?)))
        .collect()
}

#[test]
fn a_pod_that_runs_where_the_policies_refuse_it_is_found_and_one_beside_it_is_not() {
    let on = |node: &str| format!("nodeName: {node}");
    let pods = [
        pod("strayed", "", &on(IN_VIRGINIA)),
        pod("home", "", &on(IN_FRANKFURT)),
        pod("lost", "", &on("no-such-node")),
        pod("waits", "", ""),
    ];
    let texts = texts(&pods, "[group/EEA]");
    let (outcome, document) = json(&texts);
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(
        found(&document),
        [
            ("lost", "bound-where-refused"),
            ("strayed", "bound-where-refused")
        ]
    );
    let strayed = &document["findings"][1];
    assert_eq!(
        (&strayed["node"], &strayed["region"], &strayed["fails"]),
        (&IN_VIRGINIA.into(), &"aws/us-east-1".into(), &true.into())
    );
    assert_eq!(
        (
            &document["pods"],
            &document["passingPods"],
            &document["counts"]["bound-where-refused"]
        ),
        (&4.into(), &2.into(), &2.into())
    );
    let (_, text) = scan(&texts, TableOutput::Text);
    for said in [
        "\nerror bound-where-refused: 2 pods\n",
        "shop/strayed on ip-10-30-1-21.ec2.internal in aws/us-east-1: `eea-personal-data/place` permits only group EEA\n",
        "\n2 of 4 pods pass\n",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let (_, table) = scan(&texts, TableOutput::Csv);
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows.len(), 5, "a header and every pod: {table}");
    assert!(rows[4].contains(",passes,"), "{table}");
}

#[test]
fn places_that_widened_since_a_pod_was_admitted_make_its_affinity_stale() {
    let then = places(&texts(&[], "[DE]"));
    assert!(
        then.contains("aws/eu-central-1") && !then.contains("aws/eu-west-1"),
        "{then}"
    );
    let widened = texts(&[admitted("early", &then)], "[group/EEA]");
    let (outcome, document) = json(&widened);
    assert_eq!(
        (outcome, found(&document)),
        (Outcome::Finding, vec![("early", "stale-affinity")])
    );
    let won = document["findings"][0]["places"].as_array().expect("places");
    assert!(won.contains(&"aws/eu-west-1".into()), "{won:?}");
    assert!(
        !won.contains(&"aws/eu-central-1".into()),
        "it is not kept from there: {won:?}"
    );
    let (_, text) = scan(&widened, TableOutput::Text);
    assert!(text.contains("error stale-affinity: 1 pod\n"), "{text}");
    assert!(
        text.contains(" more, where it is permitted now\n    fix: delete the pod and create it anew"),
        "{text}"
    );
    // One that runs is past its affinity.
    let runs = admitted("runs", &then).replace("spec: {}", &format!("spec: {{nodeName: {IN_FRANKFURT}}}"));
    assert_eq!(json(&texts(&[runs], "[group/EEA]")).0, Outcome::Holds);
}

#[test]
fn places_that_narrowed_are_the_business_of_the_extender_and_only_noted() {
    let then = places(&texts(&[], "[group/EEA]"));
    let narrowed = texts(&[admitted("early", &then)], "[DE]");
    let (outcome, document) = json(&narrowed);
    assert_eq!(found(&document), [("early", "narrowed-places")]);
    assert_eq!(document["findings"][0]["fails"], false);
    // What is to be done is about the copies of `orders` outside Germany.
    assert_eq!(outcome, Outcome::Finding);
    let copies = document["copies"].as_array().expect("copies");
    let copies: Vec<[&Value; 3]> = copies
        .iter()
        .map(|copy| [&copy["finding"], &copy["dataSet"], &copy["place"]])
        .collect();
    assert_eq!(copies, [["stray-copy", "orders", "azure/westeurope"]]);
    let lost = document["findings"][0]["places"].as_array().expect("places");
    assert!(lost.contains(&"aws/eu-west-1".into()) && !lost.contains(&"aws/eu-central-1".into()));
    // The filter does not read what admission wrote: it refuses every node there.
    let world = snapshot(&narrowed).expect("a world");
    let early = read_pod(&admitted("early", &then), "pod.yaml").expect("a pod");
    let assessment = assess(&world, &early, AT.parse().expect("an instant"));
    let there = world.classes().filter(|(_, class)| {
        let region = class.region.as_ref().map(ToString::to_string);
        region.is_some_and(|region| lost.contains(&region.into()))
    });
    let there: Vec<bool> = there.map(|(index, _)| assessment.permits(Some(index))).collect();
    assert!(
        !there.is_empty() && there.iter().all(|is_permitted| !is_permitted),
        "{there:?}"
    );
    let (_, text) = scan(&narrowed, TableOutput::Text);
    assert!(text.contains("note narrowed-places: 1 pod\n"), "{text}");
    assert!(
        text.contains(
            "\nerror stray-copy: 1 copy\n  orders (voter) in azure/westeurope: `eea-personal-data/place`"
        ),
        "{text}"
    );
    let (_, table) = scan(&narrowed, TableOutput::Csv);
    assert!(
        table.contains(",,DataSet/orders,,,azure/westeurope,stray-copy,"),
        "{table}"
    );
}

#[test]
fn what_is_as_it_was_or_was_given_no_affinity_is_not_stale() {
    let same = texts(&[], "[group/EEA]");
    let pods = [
        admitted("same", &places(&same)),
        admitted("could-go-nowhere", "nowhere"),
        admitted("could-go-everywhere", "everywhere"),
        admitted("forged", "here and there"),
    ];
    let (outcome, document) = json(&texts(&pods, "[group/EEA]"));
    assert_eq!((outcome, found(&document)), (Outcome::Holds, Vec::new()));
}

#[test]
fn a_pod_that_waits_and_may_go_nowhere_is_found() {
    // No region of the built-in fleet is in Iceland.
    let (outcome, document) = json(&texts(&[pod("waits", "", "")], "[IS]"));
    assert_eq!(
        (outcome, found(&document)),
        (Outcome::Finding, vec![("waits", "no-permitted-node")])
    );
}

/// Copies of `orders` only in Germany, and one in Switzerland.
const COPIES: &str = r#"apiVersion: domicile.dev/v1alpha1
kind: PlacementPolicy
metadata: {name: copies-of-orders}
spec:
  title: Copies of orders stay in Germany
  owner: {team: privacy-office, contact: dpo@corp.example}
  legalBasis: [{cite: a contract}]
  mode: enforce
  appliesTo: {dataSets: [orders]}
  rules:
    - {id: inside, replica: {noneOutside: ["DE"]}}
    - {id: backup, replica: {mustExistIn: ["CH"]}}
"#;

#[test]
fn stray_and_missing_copies_fail_and_consumers_beyond_are_noted() {
    let uses = ", annotations: {domicile.dev/data-sets: \"orders: reads=1\"}";
    let on = |node: &str| format!("nodeName: {node}");
    let in_dublin = "ip-10-20-1-21.eu-west-1.compute.internal";
    let pods = [
        pod("beyond", uses, &on(in_dublin)),
        pod("near", uses, &on(IN_FRANKFURT)),
        pod("other", "", &on(in_dublin)),
    ];
    let mut texts = texts(&pods, "[group/EEA]");
    texts.rules.policies.push(SourceText::new("copies.yaml", COPIES));
    let (outcome, document) = json(&texts);
    assert_eq!(outcome, Outcome::Finding);
    assert_eq!(found(&document), [("beyond", "consumer-outside")]);
    assert_eq!(document["findings"][0]["fails"], false);
    let copies = document["copies"].as_array().expect("copies").iter();
    let copies: Vec<(&str, Option<&str>, bool)> = copies
        .map(|copy| {
            assert_eq!(copy["dataSet"], "orders", "{copy}");
            let finding = copy["finding"].as_str().expect("a word");
            (finding, copy["place"].as_str(), copy["fails"] == true)
        })
        .collect();
    let stray = ("stray-copy", Some("azure/westeurope"), true);
    assert_eq!(copies, [stray, ("missing-copy", None, true)]);
    assert_eq!(document["counts"]["missing-copy"], 1);
    let (_, text) = scan(&texts, TableOutput::Text);
    for said in [
        "\nnote consumer-outside: 1 pod\n  shop/beyond on ip-10-20-1-21.eu-west-1.compute.internal in aws/eu-west-1: it uses data",
        "\nerror missing-copy: 1 copy\n  orders: `copies-of-orders/backup`",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
}

/// A claim of `shop` that names a data set, bound to a volume of a zone.
fn claim(name: &str, data_set: &str, region: &str, zone: &str) -> String {
    format!(
        "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {{name: {name}, namespace: shop, annotations: \
         {{domicile.dev/data-sets: {data_set}}}}}\nspec: {{volumeName: pv-{name}}}\n---\n\
         kind: PersistentVolume\napiVersion: v1\nmetadata: {{name: pv-{name}}}\n\
         spec: {{nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: [\
         {{key: topology.kubernetes.io/region, operator: In, values: [{region}]}}, \
         {{key: topology.kubernetes.io/zone, operator: In, values: [{zone}]}}]}}]}}}}}}\n"
    )
}

#[test]
fn a_copy_that_was_found_is_told_with_its_claim_and_makes_up_for_none_unless_believed() {
    // Personal data of people in the EEA in Virginia, and where a copy is wanted.
    let objects = [
        claim("strayed", "orders", "us-east-1", "us-east-1a"),
        claim("home", "orders", "eu-central-1", "eu-central-1b"),
        claim("backup", "orders", "europe-west6", "europe-west6-a"),
    ];
    let wanted = COPIES.replace("noneOutside: [\"DE\"]", "noneOutside: [group/EEA, \"CH\"]");
    let mut texts = texts(&objects, "[group/EEA, \"CH\"]");
    texts.rules.policies.push(SourceText::new("copies.yaml", wanted));
    let told = |texts: &FactTexts| {
        let (outcome, document) = json(texts);
        let copies = document["copies"].as_array().expect("copies").iter();
        let copies: Vec<(String, Value)> = copies
            .map(|copy| (format!("{} {}", copy["finding"], copy["claim"]), copy.clone()))
            .collect();
        (outcome, copies)
    };
    let (outcome, copies) = told(&texts);
    assert_eq!(outcome, Outcome::Finding);
    let names: Vec<&str> = copies.iter().map(|(name, _)| name.as_str()).collect();
    // Anybody may write the name of a data set on a claim: no rule believes that there is a backup.
    assert_eq!(
        names,
        ["\"stray-copy\" \"shop/strayed\"", "\"missing-copy\" null"]
    );
    let stray = &copies[0].1;
    assert_eq!(
        (&stray["place"], &stray["volume"]),
        (&"aws/us-east-1".into(), &"pv-strayed".into())
    );
    assert!(
        stray["fix"]
            .as_str()
            .is_some_and(|fix| fix.contains("delete the claim")),
        "{stray}"
    );
    let (_, text) = scan(&texts, TableOutput::Text);
    let said = " in aws/us-east-1, held by the claim shop/strayed with the volume pv-strayed: ";
    assert!(text.contains(said), "{text}");
    let (_, table) = scan(&texts, TableOutput::Csv);
    assert!(
        table.contains("shop,,DataSet/orders,,,aws/us-east-1,stray-copy,"),
        "{table}"
    );
    // Where the data set names the namespace, its claims are believed.
    for file in &mut texts.rules.data_sets {
        let named = "metadata: {name: orders}\nspec:\n";
        assert!(file.text.contains(named));
        file.text = file
            .text
            .replace(named, &format!("{named}  members: {{namespaces: [shop]}}\n"));
    }
    let names: Vec<String> = told(&texts).1.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["\"stray-copy\" \"shop/strayed\""]);
}
