//! Faults while pods come: after each, every pod is bound, and none where the policies that decided about it refuse it
//! (`chaos_checker`). How long it took is printed: `cargo test --test cluster -- chaos --nocapture`.
//!
//! Random moments are drawn by a seed that is printed and that `DOMICILE_CHAOS_SEED` sets. That the clock of a machine
//! is stepped is in `clock`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use domicile::policy::PolicySet;
use k8s_openapi::api::core::v1 as core;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::chaos_checker::{Checked, Known, check, records};
use super::fleet::{EEA_PERSONAL, aws};
use super::stand::{LIMIT, Plan, Stand, copy_folder, metrics};
use crate::domicile::Domicile;
use crate::objects::Pod;
use crate::recorder::Recorder;
use crate::scheduler::{Extender, Mode, SchedulerSettings};

const EEA: [&str; 2] = ["eu-central-1", "eu-west-1"];
const WITH_LONDON: [&str; 3] = ["eu-central-1", "eu-west-1", "eu-west-2"];

/// The file whose loss would let the pods run anywhere.
const FILE: &str = "eea-personal-data.yaml";

pub(super) struct Moments(Pcg64Mcg);

impl Moments {
    pub fn of(case: &str) -> Self {
        let seed = std::env::var("DOMICILE_CHAOS_SEED").ok();
        let seed: u64 = seed.map_or(20_261_122, |seed| seed.parse().expect("a seed is a number"));
        println!("{case}: DOMICILE_CHAOS_SEED={seed}");
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    pub async fn pass(&mut self, most_ms: u64) {
        let ms = self.0.random_range(0..most_ms);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// Nodes in the EEA, in London and in the US, and the namespace `shop`, whose pods belong into the EEA.
pub(super) async fn begin(name: &str) -> Plan {
    let nodes = [
        aws("frankfurt", "eu-central-1"),
        aws("dublin", "eu-west-1"),
        aws("london", "eu-west-2"),
        aws("virginia", "us-east-1"),
    ];
    let plan = Plan::begin(name).await.nodes(nodes).await;
    plan.namespace("shop", &EEA_PERSONAL).await
}

/// Makes so many pods for each scheduler.
async fn create(stand: &Stand, name: &str, count: usize) -> Vec<core::Pod> {
    let mut pods = Vec::new();
    for number in 0..count {
        for lane in &stand.lanes {
            let pod = lane.pod(&format!("{name}-{number}")).in_namespace("shop");
            pods.push(stand.cluster().create_pod(&pod).await);
        }
    }
    pods
}

/// Waits until every pod is bound, and tells how long that took since the fault was over.
pub(super) async fn until_all_bound(stand: &Stand, pods: &[core::Pod], case: &str, over: Instant) {
    for pod in pods {
        stand.cluster().until_bound(pod, 2 * LIMIT).await;
    }
    println!(
        "{case}: {} pods, the last bound {} ms after the fault",
        pods.len(),
        over.elapsed().as_millis()
    );
}

/// The name of a set, and where it lets the pods run.
pub(super) fn known(folder: &Path, regions: &[&'static str]) -> (String, Vec<&'static str>) {
    let mut files = Vec::new();
    read_below(folder, folder, &mut files);
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let set = PolicySet::load(files).expect("the set of a case loads").set;
    (set.digest().to_owned(), regions.to_vec())
}

fn read_below(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the copy can be read") {
        let path = entry.expect("the copy can be read").path();
        if path.is_dir() {
            read_below(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path
                .strip_prefix(root)
                .expect("it is below")
                .display()
                .to_string();
            files.push((name, fs::read_to_string(&path).expect("the copy can be read")));
        }
    }
}

async fn judged(stand: &Stand, pods: &[core::Pod], case: &str, known: &Known) -> Checked {
    let recorders: Vec<&Recorder> = stand.lanes.iter().map(|lane| &lane.recorder).collect();
    let checked = check(
        stand.cluster(),
        pods,
        &records(&stand.domicile),
        &recorders,
        known,
    )
    .await;
    println!("{case}: {checked:?}");
    checked
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_killed_at_random_it_loses_no_pod() {
    let case = "killed at random";
    let mut moments = Moments::of(case);
    let mut plan = begin("chaos-killed").await;
    let strict = Known::from([known(&plan.own_policies(), &EEA)]);
    let mut stand = plan.start().await;
    stand.until_nodes(4).await;
    let mut pods = Vec::new();
    for round in 0..5 {
        pods.extend(create(&stand, &format!("before-{round}"), 2).await);
        moments.pass(150).await;
        stand.domicile.kill();
        pods.extend(create(&stand, &format!("while-{round}"), 1).await);
        moments.pass(400).await;
        stand.domicile.restart();
        // It may be killed again before it is ready.
        moments.pass(900).await;
    }
    let over = Instant::now();
    stand.domicile.until_ready().await;
    println!(
        "{case}: ready {} ms after the last start",
        over.elapsed().as_millis()
    );
    until_all_bound(&stand, &pods, case, over).await;
    judged(&stand, &pods, case, &strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_the_api_server_and_etcd_gone_and_watches_cut() {
    let mut plan = begin("chaos-control-plane").await;
    let strict = Known::from([known(&plan.own_policies(), &EEA)]);
    let stand = plan.start().await;
    stand.until_nodes(4).await;
    let mut pods = create(&stand, "before", 3).await;
    let plane = stand.scenario.plane;
    plane.stop_etcd().await;
    plane.stop_api_server().await;
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    plane.start_etcd().await;
    plane.start_api_server().await;
    let over = Instant::now();
    let case = "API server and etcd stopped";
    pods.extend(create(&stand, "after", 3).await);
    until_all_bound(&stand, &pods, case, over).await;
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
    judged(&stand, &pods, case, &strict).await;

    let case = "watches cut";
    for round in 0..2 {
        pods.extend(create(&stand, &format!("cut-{round}"), 2).await);
        plane.restart_api_server().await;
    }
    let over = Instant::now();
    until_all_bound(&stand, &pods, case, over).await;
    judged(&stand, &pods, case, &strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_policy_files_truncated_replaced_in_mid_read_and_invalid() {
    let case = "policy files";
    let mut moments = Moments::of(case);
    let mut plan = begin("chaos-policies").await.setting("reload-interval", "100ms");
    let folder = plan.own_policies();
    let strict = Known::from([known(&folder, &EEA)]);
    let file = folder.join(FILE);
    let good = fs::read_to_string(&file).expect("the copy can be read");
    let beside = folder.join("next.part");
    let write = |text: &str| {
        fs::write(&beside, text).expect("the copy can be written");
        fs::rename(&beside, &file).expect("the copy can be written");
    };
    let mut stand = plan.start().await;
    stand.until_nodes(4).await;
    let mut pods = Vec::new();

    // Whatever instant is read, no other set comes of it.
    for round in 0..12 {
        for cut in [good.len() / 2, good.len() * 2 / 5] {
            write(&good[..cut]);
            moments.pass(150).await;
        }
        write(&good);
        pods.extend(create(&stand, &format!("mid-read-{round}"), 1).await);
        moments.pass(100).await;
    }
    for (name, bad) in [("cut-in-half", &good[..good.len() / 2]), ("invalid", "kind: [")] {
        write(bad);
        stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 1.0).await;
        pods.extend(create(&stand, name, 1).await);
    }
    // The last good set, over a crash too.
    stand.domicile.kill();
    stand.domicile.restart();
    stand.domicile.until_ready().await;
    pods.extend(create(&stand, "after-crash", 1).await);
    for pod in &pods {
        stand.cluster().until_bound(pod, 2 * LIMIT).await;
    }
    write(&good);
    let over = Instant::now();
    stand.until_metric(metrics::BAD_SOURCES, |bad| bad == 0.0).await;
    println!(
        "{case}: healed {} ms after the file was",
        over.elapsed().as_millis()
    );
    pods.extend(create(&stand, "after", 1).await);
    until_all_bound(&stand, &pods, case, over).await;
    judged(&stand, &pods, case, &strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_the_disk_full_takes_records_and_nothing_else() {
    let case = "disk full";
    let mut plan = begin("chaos-disk").await;
    let strict = Known::from([known(&plan.own_policies(), &EEA)]);
    let log = plan.scenario.directory.join("decisions.jsonl");
    // Every write to it fails for want of room.
    std::os::unix::fs::symlink("/dev/full", &log).expect("a link can be made");
    let stand = plan.start().await;
    stand.until_nodes(4).await;
    let mut pods = create(&stand, "full", 4).await;
    for pod in &pods {
        stand.cluster().until_bound(pod, LIMIT).await;
    }
    stand
        .until_metric("domicile_decision_log_failures_total", |failures| failures > 0.0)
        .await;
    let checked = judged(&stand, &pods, case, &strict).await;
    assert_eq!((checked.by_record, checked.by_answer), (0, pods.len()));

    // Room again: the file is looked for by its name.
    fs::remove_file(&log).expect("the link can be removed");
    let over = Instant::now();
    let after = create(&stand, "room", 2).await;
    until_all_bound(&stand, &after, case, over).await;
    stand.until_records(&after[0], 1).await;
    println!(
        "{case}: recorded again {} ms after there was room",
        over.elapsed().as_millis()
    );
    pods.extend(after);
    judged(&stand, &pods, case, &strict).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chaos_two_replicas_that_disagree_for_a_moment_each_keep_to_their_own_snapshot() {
    let case = "two replicas";
    let mut plan = begin("chaos-replicas").await.one_mode(Mode::NamesOnly);
    let first = plan.own_policies();
    // A set that guarantees the contrary would not be taken.
    fs::remove_file(first.join("guarantees/eea-personal-data.yaml")).expect("the copy can be written");
    let second = plan.scenario.directory.join("policies-of-the-second");
    copy_folder(&first, &second);
    let stand = plan.start().await;
    stand.until_nodes(4).await;
    let mut replica = stand.another_domicile_with("second", second.clone());
    replica.until_ready().await;
    let recorder = Recorder::in_front_of(replica.address()).await;
    let mut of_scheduler = SchedulerSettings::with_extenders([Extender::at(recorder.url(), Mode::NamesOnly)]);
    of_scheduler.scheduler_names = vec!["of-the-second".to_owned()];
    let _scheduler = stand
        .scenario
        .start_scheduler("of-the-second", &of_scheduler)
        .await;

    let mut sets = Known::from([known(&first, &EEA)]);
    let good = fs::read_to_string(first.join(FILE)).expect("the copy can be read");
    let wide = good.replace("allowed: [group/EEA]", "allowed: [group/EEA, GB]");
    assert_ne!(good, wide, "the policy names its places in another way now");
    let strict = sets.keys().next().expect("there is one").clone();
    fs::write(first.join(FILE), &wide).expect("the copy can be written");
    let (widened, regions) = known(&first, &WITH_LONDON);
    sets.insert(widened.clone(), regions);
    let mut pods = Vec::new();
    for (round, sets_of_both) in [
        (&widened, &strict),
        (&widened, &widened),
        (&strict, &widened),
        (&strict, &strict),
    ]
    .into_iter()
    .enumerate()
    {
        let text = |set: &String| if *set == strict { &good } else { &wide };
        fs::write(first.join(FILE), text(sets_of_both.0)).expect("the copy can be written");
        fs::write(second.join(FILE), text(sets_of_both.1)).expect("the copy can be written");
        // Pods come until each replica has decided by what it was told, and a few more then.
        let (began, mut more, mut number) = (Instant::now(), 0, 0);
        while more < 3 {
            let both = (last_set(&stand.domicile), last_set(&replica));
            let are_there =
                both.0.as_ref() == Some(sets_of_both.0) && both.1.as_ref() == Some(sets_of_both.1);
            assert!(
                are_there || began.elapsed() < LIMIT,
                "{both:?} where {sets_of_both:?} was told"
            );
            more += usize::from(are_there);
            pods.extend(create(&stand, &format!("first-{round}-{number}"), 1).await);
            let pod = Pod::named(format!("second-{round}-{number}"))
                .scheduled_by("of-the-second")
                .in_namespace("shop");
            pods.push(stand.cluster().create_pod(&pod).await);
            number += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let over = Instant::now();
    until_all_bound(&stand, &pods, case, over).await;
    let all: Vec<_> = [&stand.domicile, &replica]
        .into_iter()
        .flat_map(records)
        .collect();
    let recorders = [&stand.lanes[0].recorder, &recorder];
    let checked = check(stand.cluster(), &pods, &all, &recorders, &sets).await;
    println!("{case}: {checked:?}");
}

/// By which set a replica decided last.
fn last_set(replica: &Domicile) -> Option<String> {
    let set = records(replica).pop()?["policy_set"].as_str()?.to_owned();
    Some(set)
}
