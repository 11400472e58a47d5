//! The built `domicile serve`, on files and on loopback, and what it says of itself at the end.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use domicile::assembly::FactSource;

use crate::load::{Addresses, Connection};
use crate::process::{self, Process, Program};
use crate::putting::Facts;
use crate::waiting::free_ports;

/// Far longer than a start takes, of a program that is not optimised too.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Far longer than the drain.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// The program while it runs; it is killed when this is dropped.
pub struct Running {
    process: Process,
    log: PathBuf,
    pub pid: u32,
    pub addresses: Addresses,
    pub decisions: PathBuf,
}

impl Running {
    /// Starts it on these facts and waits until it is ready.
    pub fn start(directory: &Path, facts: &Facts<'_>) -> Self {
        let [extender, admission] =
            free_ports::<2>().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let decisions = directory.join("decisions.jsonl");
        let mut arguments = vec![
            // A shell becomes the program after it has told its number.
            "-c".to_owned(),
            "echo $$ > pid; exec \"$@\"".to_owned(),
            "sh".to_owned(),
            env!("CARGO_BIN_EXE_domicile").to_owned(),
            "serve".to_owned(),
            format!("--listen={extender}"),
            format!("--admission-listen={admission}"),
            format!("--decisions={}", decisions.display()),
            format!("--state-dir={}", directory.join("state").display()),
        ];
        for source in FactSource::ALL {
            arguments.push(format!("--{}={}", source.word(), facts.path(source).display()));
        }
        let program = Program {
            name: "domicile".to_owned(),
            path: PathBuf::from("/bin/sh"),
            arguments,
            environment: Vec::new(),
            directory: directory.to_owned(),
        };
        let log = program.log();
        let mut process = Process::start(program);
        let began = Instant::now();
        while Connection::new(extender).call(&get("/readyz")).is_err() {
            process.expect_running();
            assert!(
                began.elapsed() < START_LIMIT,
                "it is not ready; its log ends:\n{}",
                process::log_tail(&log, 30)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let pid = fs::read_to_string(directory.join("pid")).expect("the number of the process");
        Self {
            process,
            log,
            pid: pid.trim().parse().expect("a number"),
            addresses: Addresses { extender, admission },
            decisions,
        }
    }

    /// Records that it says it lost, and requests that it says it did not decide.
    pub fn own_count(&self) -> Result<(u64, u64), String> {
        let mut connection = Connection::new(self.addresses.extender);
        let served = connection.call(&get("/metrics"))?;
        let served = String::from_utf8_lossy(served);
        let sum = |family: &str| {
            let lines = served.lines().filter(|line| line.starts_with(family));
            lines
                .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
                .sum()
        };
        if !served.contains("domicile_decision_records_lost_total ") {
            return Err("losses are no longer counted".to_owned());
        }
        Ok((
            sum("domicile_decision_records_lost_total"),
            sum("domicile_undecided_requests_total"),
        ))
    }

    /// Asks it to stop; how it ended.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        self.process.signal("TERM");
        self.process.exit_within(STOP_LIMIT)
    }

    /// The lines of its log that tell of an error.
    pub fn errors(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).expect("a log");
        log.lines()
            .filter(|line| line.contains("ERROR"))
            .map(str::to_owned)
            .collect()
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}
