//! One test's turn on the shared control plane.
//!
//! Tests of this binary run one after another, whatever `--test-threads` says:
//! a scheduler sees all nodes and pods there are. A turn begins with an empty
//! cluster. When the test fails, the ends of all its logs are printed.

use std::path::PathBuf;

use tokio::sync::{Mutex, MutexGuard};

use crate::api::Cluster;
use crate::control_plane::{self, ControlPlane};
use crate::domicile::{Domicile, DomicileSettings};
use crate::process::log_tail;
use crate::scheduler::{Scheduler, SchedulerSettings};

static TURN: Mutex<()> = Mutex::const_new(());

pub struct Scenario {
    pub cluster: Cluster,
    pub plane: &'static ControlPlane,
    /// Logs and files of this test.
    pub directory: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Scenario {
    /// Waits for this test's turn and empties the cluster. `name` names the folder of its logs.
    pub async fn begin(name: &str) -> Self {
        let turn = TURN.lock().await;
        let plane = control_plane::shared().await;
        let directory = plane.directory.join(name);
        std::fs::create_dir_all(&directory).expect("the temporary folder can be written");
        let cluster = Cluster {
            client: plane.client(&plane.administrator()).await,
        };
        cluster.sweep().await;
        Self {
            cluster,
            plane,
            directory,
            _turn: turn,
        }
    }

    /// A kube-scheduler that is ready. Names within one test differ.
    pub async fn start_scheduler(&self, name: &str, settings: &SchedulerSettings) -> Scheduler {
        Scheduler::start(self.plane, self.directory.clone(), name, settings).await
    }

    /// A `domicile serve`, not waited for.
    pub fn start_domicile(&self, settings: DomicileSettings) -> Domicile {
        Domicile::start(self.directory.clone(), settings)
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let mut logs = Vec::new();
        for directory in [&self.plane.directory, &self.directory] {
            let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
            logs.extend(
                entries
                    .map(|entry| entry.path())
                    .filter(|path| path.extension().is_some_and(|it| it == "log")),
            );
        }
        logs.sort();
        for log in logs {
            eprintln!("--- end of {}:\n{}", log.display(), log_tail(&log, 25));
        }
    }
}
