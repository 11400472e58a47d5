//! One figure of one pair over time: outliers dropped, averaged, and published with hysteresis.
//!
//! Inputs: the figure of each window. Output: the published value.
//!
//! 1. *Median of three*: of the last three windows the middle one counts (Serf and Consul do the same with
//!    the samples of a peer), so a single window, however wrong, moves nothing. Of two the lower one counts:
//!    a network makes round trips longer, never shorter.
//! 2. *Moving average* of these medians, with a fixed weight for the newest.
//! 3. *Hysteresis*: the published value stays until the average was outside the band
//!    `max(least_ms, least_ratio x published)` around it, on the same side, for some windows in a row; then
//!    it becomes the average. The first value of a pair is published at once.
//!
//! Why noise then moves no placement: a published value is an average that was reached. While the average
//! stays in any interval that is narrower than the band around its lower end, a value published in that
//! interval is never left by a band, so it never moves; and one published elsewhere moves at most once.
//! A hard limit therefore has two thresholds by construction. Let the published `v` be within the limit `L`:
//! to be refused, some `w > L` must be published, for which the average is above `v + band(v)` for some windows;
//! to be admitted again, the average must then fall below `w - band(w)` for as many. Between the two
//! lies at least a band, wherever `L` lies, so an average that merely crosses `L` to and fro makes and undoes
//! no refusal, and no policy has to write down a second limit.
//!
//! Invariant: a published value is always an average that was once reached, so between the least and the
//! greatest window that was ever seen. Deliberately absent: time; a window is a window, and who stopped
//! measuring is the estimator's to see.

use super::estimator::EstimatorSettings;
use crate::model::Latency;

/// One figure of one pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smoothed {
    /// The last windows; the newest first.
    last: Latency,
    second_last: Option<Latency>,
    third_last: Option<Latency>,
    average: Latency,
    published: Latency,
    /// How many windows the average has been outside the band, and on which side.
    outside: Outside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outside {
    Not,
    Above(u32),
    Below(u32),
}

impl Smoothed {
    /// The first window: published at once.
    pub(super) fn begin(window: Latency) -> Self {
        Self {
            last: window,
            second_last: None,
            third_last: None,
            average: window,
            published: window,
            outside: Outside::Not,
        }
    }

    /// What others are told.
    pub(super) fn published(&self) -> Latency {
        self.published
    }

    /// The next window.
    pub(super) fn follow(&mut self, window: Latency, settings: &EstimatorSettings) {
        self.third_last = self.second_last.replace(self.last);
        self.last = window;
        let typical = self.typical().as_ms();
        let average = self.average.as_ms();
        // Between two latencies there are only latencies.
        self.average =
            Latency::from_ms(average + settings.ewma_weight * (typical - average)).unwrap_or(self.average);
        self.publish(settings);
    }

    /// The middle of the last three windows; the lower of two.
    fn typical(&self) -> Latency {
        let lower = |one: Latency, other: Latency| if other < one { other } else { one };
        let higher = |one: Latency, other: Latency| if other > one { other } else { one };
        match (self.second_last, self.third_last) {
            (Some(second), Some(third)) => {
                let (low, high) = (lower(self.last, second), higher(self.last, second));
                higher(low, lower(high, third))
            }
            (Some(second), None) => lower(self.last, second),
            (None, _) => self.last,
        }
    }

    fn publish(&mut self, settings: &EstimatorSettings) {
        let band = settings.hysteresis;
        let moved_ms = self.average.as_ms() - self.published.as_ms();
        let band_ms = band.least_ms.max(band.least_ratio * self.published.as_ms());
        self.outside = match self.outside {
            _ if moved_ms.abs() <= band_ms => Outside::Not,
            Outside::Above(windows) if moved_ms > 0.0 => Outside::Above(windows + 1),
            Outside::Below(windows) if moved_ms < 0.0 => Outside::Below(windows + 1),
            _ if moved_ms > 0.0 => Outside::Above(1),
            _ => Outside::Below(1),
        };
        let (Outside::Above(windows) | Outside::Below(windows)) = self.outside else {
            return;
        };
        if windows >= band.windows {
            self.published = self.average;
            self.outside = Outside::Not;
        }
    }
}
