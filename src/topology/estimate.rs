//! Latency that nobody measured, guessed so that a guess seldom beats a measurement.
//!
//! A pod that compares a measured place with a guessed one is badly served where the guess was too
//! low, and merely cautious where it was too high. So all guesses are upper guesses:
//!
//! - **distance**: a fixed part and [`FIBRE_RATIO_P95`] times the least time that light needs in fibre
//!   along the great circle, not the median ratio (1.66 to 1.76);
//! - **path**: the least sum of measured pairs that join the two, times [`PATH_MARGIN`], because the
//!   triangle inequality does not hold: in the matrices that clouds publish up to 32% of the pairs have a
//!   shorter path of two hops, and on AWS a direct pair takes up to 1.26 times its least sum;
//! - **statistic**: where the P95 is wanted and only the typical time was measured, [`P95_OF_P50`] times that.
//!
//! Where path and distance are both known the lower one counts: either is too low for few pairs, and a path may lead
//! around the world where only few pairs were measured, so it is no floor.
//! Measured by leaving every pair out, both ways, and guessing it: on 32 AWS regions (cloudping.co,
//! median of a year, 2025-05-29) 4.6% of 992 guesses are too low, with 20% of the pairs kept 4.2%, and
//! the median guess is 1.2 to 1.5 times the truth. On the shipped matrix no guess of 314 is too low and
//! the median guess is 1.25 times the truth; the test in `shipped_tests.rs` holds it.

use crate::model::Latency;

/// Kilometres of fibre for each millisecond of round trip, there and back at two thirds of the speed of
/// light.
const FIBRE_KM_PER_ROUND_TRIP_MS: f64 = 100.0;

/// The ratio of measured time to the least time in fibre that one pair in twenty exceeds: 2.6 to 3.2 in
/// the matrices of AWS (2025-05), Azure (2026-07), Google Cloud (2023-11) and IBM (2026-08); the highest.
const FIBRE_RATIO_P95: f64 = 3.2;

/// Milliseconds that even neighbours need: what two zones of one region need at most (2.2 ms between
/// zones of IBM, 2026-08-16).
const FIXED_MS: f64 = 2.0;

/// What a sum of measured pairs is multiplied with: on the AWS matrix above one direct pair in 140 is
/// slower than its least sum times this.
const PATH_MARGIN: f64 = 1.2;

/// What the P95 of a pair is of its P50 at most, for all but one pair in twenty: of the 132 pairs of Azure in
/// the shipped matrix, whose P95 is that of the same 30 days (Microsoft Learn, 2026-07-30), 4.5% exceed it;
/// the median is 1.08. A test in `shipped_tests.rs` holds it.
pub(super) const P95_OF_P50: f64 = 1.3;

/// The round trip inside one zone: 0.07 to 0.11 ms between machines of one zone of IBM, 2026-08-16.
pub(super) const SAME_ZONE_MS: f64 = 0.1;

/// The round trip between two zones of a region, or two places of it of which one zone is unknown:
/// 0.13 to 2.16 ms, median 0.76, between zones of IBM, 2026-08-16.
pub(super) const CROSS_ZONE_MS: f64 = 0.8;

/// Distances up to this are not judged: coordinates are those of a city, and its sites lie apart.
const UNJUDGED_KM: f64 = 300.0;

/// How much nearer two regions may be than the coordinates of their cities.
const COORDINATE_SLACK_KM: f64 = 100.0;

/// An upper guess from the distance.
pub(super) fn from_distance_km(km: f64) -> f64 {
    FIXED_MS + FIBRE_RATIO_P95 * km / FIBRE_KM_PER_ROUND_TRIP_MS
}

/// An upper guess from the least sum of measured pairs.
pub(super) fn from_path_ms(sum_ms: f64) -> f64 {
    PATH_MARGIN * sum_ms
}

/// An upper guess of the P95 from the typical time.
pub(super) fn p95_from_p50(p50: Latency) -> Latency {
    // Only a time near the end of all numbers has no multiple, and none such is measured.
    Latency::from_ms(P95_OF_P50 * p50.as_ms()).unwrap_or(p50)
}

/// The least round trip that can be true at a distance; 0 where the distance is too short to judge.
#[must_use]
pub fn least_possible_ms(km: f64) -> f64 {
    if km <= UNJUDGED_KM {
        return 0.0;
    }
    (km - COORDINATE_SLACK_KM) / FIBRE_KM_PER_ROUND_TRIP_MS
}
