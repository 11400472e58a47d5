use super::*;
use crate::simulation::kube::Quantity;

const GOOD: &str = "v: 1\ntitle: t\nseed: 7\nat: 2026-11-21T00:00:00Z\nworkloads:\n\
    - {name: a, namespace: shop, pods: 2, cpu: 500m, memory: 1Gi}\n";

fn problems(text: &str) -> Vec<String> {
    RunFile::read("run.yaml", text).expect_err("a bad run file")
}

#[test]
fn a_small_run_takes_defaults_from_what_is_embedded() {
    let run = RunFile::read("run.yaml", GOOD).expect("a run file");
    assert!(run.fleet.file.is_none() && run.policies.is_none());
    assert_eq!(run.scheduler.extender_weight, 5);
    assert_eq!(run.seeds(), [7]);
    let names: Vec<String> = run.comparators().iter().map(Comparator::id).collect();
    assert_eq!(names, ["kube-default", "domicile", "residency-off"]);
    let pod = run.workloads[0].pod("a-0".to_owned());
    assert_eq!(pod.requests.get("cpu"), Some(&Quantity::millis(500)));
    assert_eq!(pod.labels.get("app").map(String::as_str), Some("a"));
}

#[test]
fn what_is_wrong_is_told_with_its_place_or_name() {
    let unknown = problems(&GOOD.replace("seed: 7", "seed: 7\nsead: 8"));
    assert!(
        unknown[0].starts_with("run.yaml:4:") && unknown[0].contains("sead"),
        "{unknown:?}"
    );
    let with = |line: &str| problems(&format!("{line}\n{GOOD}"));
    for (line, said) in [
        ("compare: [domicil]", "did you mean `domicile`"),
        ("compare: [domicile, domicile]", "`compare` has `domicile` twice"),
        ("compare: [policy-b]", "there is no `policiesB`"),
        ("policiesB: {folder: other}", "`compare` lacks `policy-b`"),
        (
            "compare: [kube-default]\nfailures: eachRegion",
            "`failures` is about `domicile`",
        ),
        ("failOn: ['violations=0']", "`failOn`"),
        ("seeds: 0", "`seeds` is 0"),
        ("scheduler: {percentageOfNodesToScore: 101}", "more than 100"),
    ] {
        let told = with(line);
        assert!(told[0].contains(said), "{line}: {told:?}");
    }
    assert!(problems(&GOOD.replace("seed: 7\n", ""))[0].contains("seed"));
    assert!(problems(&GOOD.replace("v: 1", "v: 2"))[0].contains("`v` is 2"));
    assert!(problems(&GOOD.replace("500m", "half"))[0].contains("`half`"));
    assert!(problems(&GOOD.replace("pods: 2", "pods: 2000000"))[0].contains("more than"));
    let twice = format!("{GOOD}- {{name: a, namespace: shop, pods: 1, cpu: 1, memory: 1Gi}}\n");
    assert!(problems(&twice)[0].contains("second workload"));
    let both = format!(
        "{GOOD}fleet: {{file: x, nodes: [{{region: nowhere, zones: [], nodesPerZone: 1, cpu: 1, memory: 1, pods: 1}}]}}\n"
    );
    assert_eq!(problems(&both).len(), 3, "{:?}", problems(&both));
}
