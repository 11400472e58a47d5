//! What was measured, what is kept of it, and what is good enough.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use domicile::simulation::{Agreement, AgreementOfWorkload, ComparedAttempts};

use super::replay::Tally;
use super::workload::Workload;

/// Below this the model is wrong.
const LEAST_PERCENT: f64 = 98.0;

/// A measurement that falls behind the kept one by more is not explained by another run's draws.
const SLACK_PERCENT: f64 = 1.0;

const COMMAND: &str = "DOMICILE_UPDATE_EXPECTED=1 cargo test --test cluster fidelity";

/// In the order of the report.
const NAMES: [&str; 4] = ["filling", "spreading", "sampling", "priorities"];

/// Prints the figures, then keeps them (`DOMICILE_UPDATE_EXPECTED`) or holds them against those kept.
pub fn judge(workload: &Workload, tally: &Tally) {
    println!(
        "{}: {} attempts, {} of them with the same feasible nodes; {} of {} choices alike, {} draws among the same nodes; \
         {} evictions, {} refusals, {} failures of the extender",
        workload.name,
        tally.attempts,
        tally.feasible_alike,
        tally.choices_alike,
        tally.choices,
        tally.draws,
        tally.evictions,
        tally.refusals,
        tally.failures
    );
    for disagreement in &tally.disagreements {
        println!("  {disagreement}");
    }
    let measured = AgreementOfWorkload {
        name: workload.name.to_owned(),
        pods: workload.pods().count() as u64,
        attempts: Some(ComparedAttempts {
            total: tally.attempts,
            chosen: tally.choices - tally.evictions,
            drawn: tally.draws,
            evicting: tally.evictions,
            refused: tally.refusals,
            failed: tally.failures,
        }),
        feasible_percent: percent(tally.feasible_alike, tally.attempts),
        chosen_percent: percent(tally.choices_alike, tally.choices),
        disagreements: tally.disagreements.clone(),
    };
    assert!(measured.pods >= 300, "several hundred pods");
    assert!(measured.feasible_percent >= LEAST_PERCENT, "{measured:?}");
    assert!(measured.chosen_percent >= LEAST_PERCENT, "{measured:?}");
    if std::env::var_os("DOMICILE_UPDATE_EXPECTED").is_some() {
        keep(measured);
    } else {
        hold(&measured);
    }
}

/// With one decimal, rounded down: 100 is all of them.
fn percent(alike: u64, all: u64) -> f64 {
    match all {
        0 => 100.0,
        all => (alike * 1_000 / all) as f64 / 10.0,
    }
}

fn hold(measured: &AgreementOfWorkload) {
    let kept = read().expect("the figures are kept");
    assert_eq!(
        kept.kubernetes,
        kubernetes_version(),
        "measured with another version"
    );
    let kept = kept.workloads.into_iter().find(|kept| kept.name == measured.name);
    let kept = kept.expect("each workload has kept figures");
    assert_eq!(kept.pods, measured.pods);
    assert!(
        measured.feasible_percent >= kept.feasible_percent - SLACK_PERCENT,
        "{measured:?}"
    );
    assert!(
        measured.chosen_percent >= kept.chosen_percent - SLACK_PERCENT,
        "{measured:?}"
    );
}

/// Puts one workload into the file. The day is that of the last measurement that changed something.
fn keep(measured: AgreementOfWorkload) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = read();
    let mut workloads = before.clone().map_or_else(Vec::new, |kept| kept.workloads);
    workloads.retain(|kept| kept.name != measured.name);
    workloads.push(measured);
    workloads.sort_by_key(|kept| NAMES.iter().position(|name| *name == kept.name));
    let mut now = Agreement {
        kubernetes: kubernetes_version(),
        measured: before
            .as_ref()
            .map_or_else(String::new, |kept| kept.measured.clone()),
        command: COMMAND.to_owned(),
        workloads,
    };
    if before.as_ref() == Some(&now) {
        return;
    }
    now.measured = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let text = serde_json::to_string_pretty(&now).expect("figures are JSON");
    std::fs::write(file(), text + "\n").expect("the repository can be written");
}

fn read() -> Option<Agreement> {
    let text = std::fs::read_to_string(file()).expect("simulations/fidelity.json is there");
    serde_json::from_str(&text).expect("simulations/fidelity.json has the shape of this file")
}

fn file() -> PathBuf {
    repository().join("simulations/fidelity.json")
}

/// That of the programs that `build-components` builds.
fn kubernetes_version() -> String {
    let file = repository().join("tests/cluster/components/go.mod");
    let text = std::fs::read_to_string(file).expect("the module of the components is there");
    let mut required = text.lines().map(str::split_whitespace);
    let version = required.find_map(|mut words| match words.next() {
        Some("k8s.io/kubernetes") => words.next()?.strip_prefix('v'),
        _ => None,
    });
    version.expect("it requires Kubernetes").to_owned()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
