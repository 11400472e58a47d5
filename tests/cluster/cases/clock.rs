//! The wall clock of a machine stepped hours back and forth while pods come whose policies have dates.
//!
//! Only the clock of Domicile is stepped, two replicas of it: `libfaketime` (the package `faketime` of Debian and
//! Ubuntu) reads from a file by how much, at each look at the clock, and leaves the monotonic clock alone. After each
//! step, and in the middle of decisions: no pod runs where the policies refuse it at the instant of its record, and none
//! is refused where they permit it (`chaos_checker` and the records); decisions have names of their own; the server is
//! ready; the Lease stays where it is, and is taken over from a holder that died. Without the library it fails.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1 as core;
use kube::Api;
use serde_json::{Value, json};

use super::chaos::{Moments, begin, known, until_all_bound};
use super::chaos_checker::{check_by, records};
use super::stand::{LIMIT, Lane, Stand};
use crate::domicile::Domicile;
use crate::objects::Pod;

/// Where the package puts it, by the architecture of the machine.
const LIBRARY: &str = "faketime/libfaketime.so.1";

const PLACES: [&str; 4] = ["eu-central-1", "eu-west-1", "eu-west-2", "us-east-1"];

/// The clock of the programs that run under it.
struct Clock {
    file: PathBuf,
    library: PathBuf,
}

impl Clock {
    fn of_machine(directory: &Path) -> Self {
        let folders = fs::read_dir("/usr/lib").expect("libraries are in /usr/lib");
        let folders = folders.map(|entry| entry.expect("libraries are in /usr/lib").path());
        let library = folders
            .map(|folder| folder.join(LIBRARY))
            .find(|file| file.is_file());
        let clock = Self {
            file: directory.join("clock"),
            library: library.expect("`libfaketime.so.1` is missing: install the package `faketime`"),
        };
        clock.step(SignedDuration::ZERO);
        clock
    }

    /// By how much it is ahead of the clock of the machine from now on.
    fn step(&self, ahead: SignedDuration) {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{:+}s\n", ahead.as_secs())).expect("the temporary folder can be written");
        fs::rename(&next, &self.file).expect("the temporary folder can be written");
    }

    fn environment(&self) -> Vec<(String, OsString)> {
        let flag = |name: &str| (name.to_owned(), OsString::from("1"));
        vec![
            ("LD_PRELOAD".to_owned(), self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE".to_owned(), self.file.clone().into()),
            flag("FAKETIME_NO_CACHE"),
            flag("FAKETIME_DONT_FAKE_MONOTONIC"),
            // Files keep the times that they have.
            flag("NO_FAKE_STAT"),
        ]
    }
}

/// Three stretches of time. In the middle one London is excepted; from there on Dublin is denied, for a policy that is over
/// still restricts.
#[derive(Clone, Copy)]
struct Dates {
    from: Timestamp,
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stretch {
    Before,
    Within,
    After,
}

impl Stretch {
    /// By how much a clock that is there is ahead: two hours are before, two within, and what is left after.
    fn ahead(self) -> SignedDuration {
        SignedDuration::from_hours(match self {
            Self::Before => -3,
            Self::Within => 1,
            Self::After => 5,
        })
    }

    fn regions(self) -> Vec<&'static str> {
        match self {
            Self::Before => vec!["eu-central-1", "eu-west-1"],
            Self::Within => vec!["eu-central-1", "eu-west-2"],
            Self::After => vec!["eu-central-1"],
        }
    }
}

impl Dates {
    fn around(now: Timestamp) -> Self {
        Self {
            from: now - SignedDuration::from_hours(1),
            until: now + SignedDuration::from_hours(3),
        }
    }

    fn at(self, instant: Timestamp) -> Stretch {
        match instant {
            _ if instant < self.from => Stretch::Before,
            _ if instant < self.until => Stretch::Within,
            _ => Stretch::After,
        }
    }

    fn policies(self) -> String {
        let Self { from, until } = self;
        format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: PlacementException\nmetadata: {{name: ex-london}}\nspec:\n  \
             relaxes: {{policy: eea-personal-data, rule: place}}\n  \
             scope: {{namespace: shop, locations: [\"GB\"], data: {{categories: [personal], subjects: [group/EEA]}}}}\n  \
             category: waiver\n  reason: a move\n  requestedBy: somebody@corp.example\n  \
             approvedBy: dpo@corp.example\n  ticket: T-1\n  notBefore: \"{from}\"\n  expires: \"{until}\"\n---\n\
             apiVersion: domicile.dev/v1alpha1\nkind: PlacementPolicy\nmetadata: {{name: not-ireland}}\nspec:\n  \
             title: Not in Ireland for a while\n  owner: {{team: privacy-office, contact: dpo@corp.example}}\n  \
             legalBasis:\n    - {{cite: an example, note: an example}}\n  mode: enforce\n  \
             effective: {{from: \"{from}\", until: \"{until}\"}}\n  \
             appliesTo: {{data: {{categories: [personal], subjects: [group/EEA]}}}}\n  \
             rules:\n    - {{id: place, denied: [\"IE\"]}}\n"
        )
    }
}

/// A pod that may be anywhere, or that kube-scheduler lets go to one region only.
fn pod(lane: &Lane, name: &str, region: Option<&str>) -> Pod {
    let pod = lane.pod(name).in_namespace("shop");
    match region {
        Some(region) => pod.with("nodeSelector", json!({ "topology.kubernetes.io/region": region })),
        None => pod,
    }
}

async fn create(stand: &Stand, name: &str, region: Option<&str>) -> Vec<core::Pod> {
    let mut pods = Vec::new();
    for lane in &stand.lanes {
        pods.push(stand.cluster().create_pod(&pod(lane, name, region)).await);
    }
    pods
}

async fn expect_sound(replica: &Domicile) {
    let (status, text) = replica.get("/readyz").await;
    assert_eq!(status, 200, "{text}");
    let (_, metrics) = replica.get("/metrics").await;
    let negative = metrics
        .lines()
        .find(|line| !line.starts_with('#') && line.contains(" -"));
    assert_eq!(negative, None);
}

async fn until_held(replica: &Domicile) {
    replica
        .until_metric("domicile_lease_held", LIMIT, |held| held == 1.0)
        .await;
}

async fn lease(stand: &Stand) -> LeaseSpec {
    let leases: Api<Lease> = Api::namespaced(stand.cluster().client.clone(), "default");
    let lease = leases.get("domicile").await.expect("the Lease can be read");
    lease.spec.expect("a Lease has a specification")
}

fn instant_of(record: &Value) -> Timestamp {
    let time = record["time"].as_str().expect("a record has its instant");
    time.parse().expect("a record has its instant")
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_the_clock_stepped_back_and_forth_leaves_each_decision_right_at_its_instant() {
    let case = "clock stepped";
    let mut moments = Moments::of(case);
    let mut plan = begin("chaos-clock").await.setting("lease.namespace", "default");
    let clock = Clock::of_machine(&plan.scenario.directory);
    let dates = Dates::around(Timestamp::now());
    let folder = plan.own_policies();
    fs::write(folder.join("dated.yaml"), dates.policies()).expect("the copy can be written");
    let (set, _) = known(&folder, &[]);
    let permitted = |record: &Value| {
        let is_ours = record["policy_set"].as_str() == Some(&set);
        is_ours.then(|| dates.at(instant_of(record)).regions())
    };
    let mut stand = plan.start().await;
    let began = Instant::now();
    stand.domicile.terminate(LIMIT).expect("it stops in time");
    stand.domicile.restart_within(clock.environment());
    stand.domicile.until_ready().await;
    stand.until_nodes(4).await;
    until_held(&stand.domicile).await;
    let mut other = stand.another_domicile("other");
    other.restart_within(clock.environment());
    other.until_ready().await;
    let before = lease(&stand).await;

    let (mut anywhere, mut bound_to_one) = (Vec::new(), Vec::new());
    let back_and_forth = [Stretch::Within, Stretch::Before, Stretch::After, Stretch::Before];
    for (round, stretch) in back_and_forth.into_iter().cycle().take(8).enumerate() {
        anywhere.extend(create(&stand, &format!("early-{round}"), None).await);
        clock.step(stretch.ahead());
        anywhere.extend(create(&stand, &format!("late-{round}"), None).await);
        for (name, region) in [("london", "eu-west-2"), ("dublin", "eu-west-1")] {
            let name = format!("{name}-{round}");
            bound_to_one.extend(create(&stand, &name, Some(region)).await);
        }
        moments.pass(1_500).await;
        expect_sound(&stand.domicile).await;
        expect_sound(&other).await;
    }
    // Many within the time that one decision takes.
    for number in 0..40 {
        let stretch = back_and_forth[number % back_and_forth.len()];
        clock.step(stretch.ahead());
        if number % 4 == 0 {
            anywhere.extend(create(&stand, &format!("fast-{number}"), None).await);
        }
        moments.pass(60).await;
    }
    // What a crash leaves is from a later time than that of the next start.
    clock.step(Stretch::After.ahead());
    anywhere.extend(create(&stand, "crash", None).await);
    expect_sound(&stand.domicile).await;

    let after = lease(&stand).await;
    assert_eq!(after.holder_identity, before.holder_identity, "{after:?}");
    assert_eq!(after.lease_transitions, before.lease_transitions, "{after:?}");
    assert_eq!(stand.metric("domicile_lease_lost_total").await, Some(0.0));
    assert_eq!(other.metric("domicile_lease_taken_total").await, Some(0.0));

    // Who waits for a date is woken when the clock gets there.
    let [mut london, mut dublin] = [Vec::new(), Vec::new()];
    for pod in bound_to_one {
        let name = pod.metadata.name.as_deref().expect("a pod has a name");
        if name.starts_with("london") {
            london.push(pod);
        } else {
            dublin.push(pod);
        }
    }
    clock.step(Stretch::Within.ahead());
    until_all_bound(
        &stand,
        &london,
        "clock stepped into the exception",
        Instant::now(),
    )
    .await;
    // Hours of the wall clock are no time that a pod waited.
    let seconds = "domicile_retries_change_to_binding_seconds_sum";
    let waited = stand.metric(seconds).await.expect("pods waited");
    println!("{case}: {waited:.2} s from changes to bindings");
    assert!(
        waited < began.elapsed().as_secs_f64() * anywhere.len() as f64,
        "{waited} s"
    );

    stand.domicile.kill();
    clock.step(Stretch::Before.ahead());
    let killed = Instant::now();
    until_held(&other).await;
    println!(
        "{case}: the Lease is taken over {} ms after a crash",
        killed.elapsed().as_millis()
    );
    stand.domicile.restart();
    let restarted = Instant::now();
    stand.domicile.until_ready().await;
    println!(
        "{case}: ready {} ms after a start hours before the crash",
        restarted.elapsed().as_millis()
    );
    let over = Instant::now();
    anywhere.extend(create(&stand, "restarted", None).await);
    anywhere.extend(dublin);
    until_all_bound(&stand, &anywhere, case, over).await;
    expect_sound(&stand.domicile).await;
    let taken = lease(&stand).await;
    assert_eq!(
        taken.lease_transitions,
        before.lease_transitions.map(|before| before + 1),
        "{taken:?}"
    );

    let all = records(&stand.domicile);
    let pods: Vec<core::Pod> = [anywhere, london].concat();
    let recorders: Vec<_> = stand.lanes.iter().map(|lane| &lane.recorder).collect();
    let checked = check_by(stand.cluster(), &pods, &all, &recorders, &PLACES, permitted).await;
    println!("{case}: {checked:?}, {} records", all.len());

    let ids: BTreeSet<&str> = all.iter().filter_map(|record| record["id"].as_str()).collect();
    assert_eq!(ids.len(), all.len(), "a record is called as another is");
    let filtered: Vec<&Value> = all.iter().filter(|record| record["verb"] == "filter").collect();
    let seen: BTreeSet<Stretch> = filtered
        .iter()
        .map(|record| dates.at(instant_of(record)))
        .collect();
    assert_eq!(seen.len(), 3, "the clock was not stepped: {seen:?}");
    let backwards = all
        .windows(2)
        .filter(|pair| instant_of(&pair[0]) > instant_of(&pair[1]));
    assert!(backwards.count() > 0, "the clock was not stepped back");
    for record in filtered {
        let name = record["pod"]["name"].as_str().expect("a record names its pod");
        let regions = permitted(record).expect("the set is ours");
        let wanted = match name.split_once('-') {
            Some(("london", _)) => regions.contains(&"eu-west-2"),
            Some(("dublin", _)) => regions.contains(&"eu-west-1"),
            _ => true,
        };
        assert_eq!(record["verdict"] == "permitted", wanted, "{record}");
    }
}
