//! How long a call takes that takes milliseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// The median of so many calls.
pub fn median<T>(calls: usize, mut call: impl FnMut() -> T) -> Duration {
    let mut samples: Vec<Duration> = (0..calls)
        .map(|_| {
            let started = Instant::now();
            black_box(call());
            started.elapsed()
        })
        .collect();
    samples.sort_unstable();
    samples[samples.len() / 2]
}
