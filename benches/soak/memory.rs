//! The memory of the program over time.
//!
//! Inputs: `/proc/PID/status`. Outputs: medians of the first minute after the warm-up and of the last, and the peak.

use std::time::Duration;

/// How much is allowed beside a share of the first median. Between the two medians of ten minutes are 2.4 million
/// decisions and 480 changes of facts: at 60 MiB what is allowed is 3 bytes for each decision, or 15 KiB for each change,
/// and a world that is kept takes far more than that.
const SLACK_KIB: u64 = 4 * 1024;
/// Of the first median: worlds differ in size by some nodes, and an allocator keeps pages.
const SLACK_SHARE: f64 = 0.05;
/// The longest warm-up, and the longest that a median is of.
const LONGEST_WINDOW: Duration = Duration::from_mins(1);
/// A shorter run is mostly warm-up, and says nothing.
const SHORTEST_RUN: Duration = Duration::from_mins(2);

/// What was sampled: when, and how many KiB.
#[derive(Default)]
pub struct Memory(Vec<(Duration, u64)>);

/// What the samples say.
pub struct Growth {
    pub first_kib: u64,
    pub last_kib: u64,
    pub peak_kib: u64,
    pub window: Duration,
    /// `None` where the run was too short to tell.
    pub is_bounded: Option<bool>,
}

impl Memory {
    /// Looks at a process; `false` where it is gone.
    pub fn sample(&mut self, pid: u32, since_begin: Duration) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| {
            let rest = line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB")?;
            rest.trim().parse().ok()
        });
        if let Some(kib) = resident {
            self.note(since_begin, kib);
        }
        resident.is_some()
    }

    /// Takes note of what somebody saw.
    pub fn note(&mut self, since_begin: Duration, kib: u64) {
        self.0.push((since_begin, kib));
    }

    /// What they say of a run of so long.
    pub fn growth(&self, run: Duration) -> Growth {
        let window = LONGEST_WINDOW.min(run / 4);
        let median = |from: Duration, to: Duration| {
            let inside = self.0.iter().filter(|(at, _)| (from..to).contains(at));
            let mut kib: Vec<u64> = inside.map(|(_, kib)| *kib).collect();
            kib.sort_unstable();
            kib.get(kib.len() / 2).copied().unwrap_or(0)
        };
        let first_kib = median(window, window * 2);
        let last_kib = median(run - window, run);
        let most = first_kib as f64 * (1.0 + SLACK_SHARE) + SLACK_KIB as f64;
        Growth {
            first_kib,
            last_kib,
            peak_kib: self.0.iter().map(|(_, kib)| *kib).max().unwrap_or(0),
            window,
            is_bounded: (run >= SHORTEST_RUN).then_some(first_kib > 0 && last_kib as f64 <= most),
        }
    }
}
