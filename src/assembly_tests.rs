use super::*;
use crate::custom_resources::take_policies;

const SETTINGS: &str = "apiVersion: domicile.dev/v1alpha1\nkind: PolicySettings\nmetadata: {name: default}\n\
    spec: {version: \"1\", mode: enforce, uncovered: deny, unlabelled: allow, regionKey: topology}\n";
const REGION: &str = "apiVersion: domicile.dev/v1alpha1\nkind: Region\nmetadata: {name: aws.eu-west-1}\n\
    spec: {version: \"1\", provider: aws, region: eu-west-1, country: IE, source: {cite: x, asOf: \"2026-01-01\"}}\n";

fn text(name: &str, text: &str) -> SourceText {
    SourceText::new(name, text)
}

fn texts(latency: &str) -> RuleTexts {
    RuleTexts {
        policies: vec![text("settings.yaml", SETTINGS), text("region.yaml", REGION)],
        data_sets: Vec::new(),
        latency: vec![text("latency.csv", latency)],
    }
}

#[test]
fn a_bare_region_of_the_latency_file_is_found_in_the_catalogue_beside_it() {
    let rules = read_rules(&texts("from,to,rtt_ms\neu-west-1,gcp/europe-west1,12\n")).expect("good texts");
    let key = |key: &str| RegionKey::parse(key).expect("a key");
    let point = |region: &str| rules.latency.locate(&key(region), None).expect("a place");
    let way = rules
        .latency
        .between(point("aws/eu-west-1"), point("gcp/europe-west1"));
    assert_eq!(way.map(|way| way.latency.as_ms()), Some(12.0));
}

#[test]
fn a_policy_file_that_was_emptied_is_no_set_without_it() {
    for emptied in ["", "# who answers for it\n", "---\n"] {
        let mut texts = texts("from,to,rtt_ms\naws/eu-west-1,gcp/europe-west1,12\n");
        texts.policies.push(text("emptied.yaml", emptied));
        let problems = read_rules(&texts).expect_err("a file without an object");
        let [problem] = problems.as_slice() else {
            panic!("{problems:?}");
        };
        assert_eq!(
            problem.to_string(),
            "emptied.yaml:1:1: error L01: the file holds no object; remove the file, or write an object into it"
        );
        let files = named(&texts.policies);
        assert!(
            take_policies(files, Timestamp::UNIX_EPOCH).is_err(),
            "{emptied:?}"
        );
    }
}

#[test]
fn the_problems_of_every_source_are_told_at_once_and_no_others() {
    let mut texts = texts("from,to,rtt_ms\neu-west-1,eu-west-2,-1\n");
    texts.policies.push(text("bad.yaml", "kind: Region\n"));
    texts.data_sets.push(text("sets.yaml", "a: [1\n"));
    let problems = read_rules(&texts).expect_err("bad texts");
    let sources: Vec<FactSource> = problems.iter().map(Problem::source).collect();
    assert_eq!(
        sources,
        [FactSource::Policies, FactSource::DataSets, FactSource::Latency],
        "{problems:?}"
    );
    assert!(
        problems[2].to_string().starts_with("latency.csv:2: `rtt_ms`"),
        "{}",
        problems[2]
    );
}

#[test]
fn what_is_parted_adds_up_over_latency_files_too() {
    let first = "from,to,rtt_ms,freshness,reachable\naws/a,aws/b,1,fresh,no\n";
    let second = "from,to,rtt_ms,reachable\naws/b,aws/c,,no\naws/a,aws/b,,no\n";
    let files = [text("first.csv", first), text("second.csv", second)];
    let read = read_latency(&files, None, &BTreeMap::new());
    let parted: Vec<String> = read
        .measurements
        .unreachable()
        .map(|(from, to)| format!("{from} {to}"))
        .collect();
    assert_eq!(parted, ["aws/a aws/b", "aws/b aws/c"]);
    assert_eq!(read.measurements.len(), 1);
    let problems: Vec<String> = read.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["second.csv:3: the pair `aws/a` to `aws/b` is already in `first.csv` on line 2"]
    );
}

#[test]
fn latency_files_add_up_and_a_pair_in_two_of_them_is_an_error() {
    let mut texts = texts("from,to,rtt_ms\naws/a,aws/b,1\n");
    texts
        .latency
        .push(text("more.csv", "from,to,rtt_ms\naws/b,aws/a,2\n"));
    assert_eq!(
        read_rules(&texts)
            .map(|rules| rules.latency.measured_pairs())
            .ok(),
        Some(2)
    );
    texts
        .latency
        .push(text("again.csv", "from,to,rtt_ms\naws/a,aws/b,3\n"));
    let problems = read_rules(&texts).expect_err("a pair twice");
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "again.csv:2: the pair `aws/a` to `aws/b` is already in `latency.csv` on line 2"
    );
}

#[test]
fn a_version_follows_content_and_names_and_not_the_order() {
    let (one, two) = (text("a", "1"), text("b", "2"));
    assert_eq!(
        version(&[one.clone(), two.clone()]),
        version(&[two.clone(), one.clone()])
    );
    assert_ne!(version(std::slice::from_ref(&one)), version(&[one, two]));
    assert_ne!(version(&[text("ab", "")]), version(&[text("a", "b")]));
}

#[test]
fn the_settings_choose_of_which_round_trips_the_table_is() {
    let with = |latency: &str| {
        let mut texts = texts("from,to,rtt_ms,p95_ms\naws/a,aws/b,10,30\n");
        let settings = SETTINGS.replace("regionKey: topology", &format!("regionKey: topology{latency}"));
        texts.policies = vec![text("settings.yaml", &settings), text("region.yaml", REGION)];
        read_rules(&texts)
    };
    let ms = |latency: &str| {
        let rules = with(latency).expect("good texts");
        let [one, other] = ["aws/a", "aws/b"].map(|key| {
            let key = RegionKey::parse(key).expect("a key");
            rules.latency.locate(&key, None).expect("a place")
        });
        rules.latency.between(one, other).map(|way| way.latency.as_ms())
    };
    assert_eq!(ms(""), Some(10.0));
    assert_eq!(ms(", latency: {requireMeasured: true}"), Some(10.0));
    assert_eq!(ms(", latency: {statistic: p95}"), Some(30.0));
    let problems = with(", latency: {statistic: p59}").expect_err("no such statistic");
    assert!(
        problems[0].to_string().contains("unknown statistic `p59`"),
        "{}",
        problems[0]
    );
}
