//! A program that runs beside the tests and never outlives them.
//!
//! Invariant: the program ends when its [`Process`] is dropped *and* when the test
//! process ends in whatever way. A `Drop` alone cannot promise the second, because
//! statics are never dropped and a killed process drops nothing. So a small shell
//! holds the reading end of a pipe whose writing end only we have, and kills the
//! program when that pipe closes; a line written to the pipe is a signal to send.
//!
//! Both output streams go to one log file, appended to over restarts.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// `$@` is the program and its arguments; standard input is our pipe.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{
    while read -r signal <&3; do kill -s "$signal" "$program"; done
    kill -s KILL "$program"
} 2>/dev/null &
watcher=$!
wait "$program"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
"#;

/// What to run.
#[derive(Clone)]
pub struct Program {
    /// Shown in failures, and the name of the log file.
    pub name: String,
    pub path: PathBuf,
    pub arguments: Vec<String>,
    pub environment: Vec<(String, OsString)>,
    /// Holds the log; the program also runs in it.
    pub directory: PathBuf,
}

pub struct Process {
    program: Program,
    supervisor: Child,
    signals: Option<ChildStdin>,
}

impl Process {
    pub fn start(program: Program) -> Self {
        let log = append_to(&program.log());
        let errors = log.try_clone().expect("a log file can be shared");
        let mut supervisor = Command::new("/bin/sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&program.path)
            .args(&program.arguments)
            .envs(program.environment.iter().map(|(key, value)| (key, value)))
            .current_dir(&program.directory)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("`{}` cannot be started: {error}", program.path.display()));
        let signals = supervisor.stdin.take();
        Self {
            program,
            supervisor,
            signals,
        }
    }

    /// Sends a signal by its short name, for example `TERM` or `HUP`.
    pub fn signal(&mut self, signal: &str) {
        if let Some(pipe) = &mut self.signals {
            // A program that has just ended cannot be signalled; whoever waits for it will see that.
            let _ = writeln!(pipe, "{signal}").and_then(|()| pipe.flush());
        }
    }

    /// Kills the program at once and waits until it is gone.
    pub fn kill(&mut self) {
        self.signals = None;
        let _ = self.supervisor.wait();
    }

    /// How the program ended, when it ended by itself within `limit`.
    pub fn exit_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self
                .supervisor
                .try_wait()
                .expect("a child can be asked whether it ended")
            {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fails the test, with the end of the log, when the program is no longer running.
    pub fn expect_running(&mut self) {
        if let Some(status) = self.exit_within(Duration::ZERO) {
            panic!(
                "`{}` ended with {status}; its log ends:\n{}",
                self.program.name,
                log_tail(&self.program.log(), 30)
            );
        }
    }

    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Program {
    pub fn log(&self) -> PathBuf {
        self.directory.join(format!("{}.log", self.name))
    }
}

/// The last `lines` lines of a log.
pub fn log_tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn append_to(log: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .unwrap_or_else(|error| panic!("`{}` cannot be written: {error}", log.display()))
}
