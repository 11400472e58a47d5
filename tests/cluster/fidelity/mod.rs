//! How often the model of kube-scheduler (`domicile::simulation::kube`) does what the real one does.
//!
//! Four workloads of several hundred pods go through the kube-scheduler of this folder with `domicile serve` as its extender,
//! and then, attempt by attempt, through the model. `simulations/fidelity.json` holds the figures, which reports of
//! simulations show:
//!
//! ```text
//! DOMICILE_UPDATE_EXPECTED=1 cargo test --test cluster fidelity    # measures and writes them
//! cargo test --test cluster fidelity                               # measures and holds them
//! ```
//!
//! `workload` says what there is and what comes, `workloads` makes four of them, `recording` runs one for real, `replay`
//! replays it, `figures` judges and keeps the result.

mod figures;
mod objects;
mod recording;
mod replay;
mod scheduler_log;
mod workload;
mod workloads;

use workload::Workload;

#[tokio::test(flavor = "multi_thread")]
async fn filling() {
    measure(workloads::filling::workload()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spreading() {
    measure(workloads::spreading::workload()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sampling() {
    measure(workloads::sampling::workload()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn priorities() {
    measure(workloads::priorities::workload()).await;
}

async fn measure(workload: Workload) {
    let recording = recording::record(&workload).await;
    let tally = replay::replay(&workload, &recording);
    figures::judge(&workload, &tally);
}
