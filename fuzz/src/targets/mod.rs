//! One function for each reader of bytes that others wrote: `check` takes any bytes and panics where something that
//! must always hold does not. Whoever includes this has the world of the tests beside it, as `crate::world`.

pub mod admission;
pub mod latency;
pub mod policies;
pub mod snapshot;
pub mod trace;
pub mod wire;

use std::sync::OnceLock;

use domicile::snapshot::Snapshot;

use crate::world;

/// What a target does with an input.
pub type Check = fn(&[u8]);

/// Every target: its name, which is that of its corpus, and what it checks.
pub const TARGETS: [(&str, Check); 6] = [
    ("admission", admission::check),
    ("latency", latency::check),
    ("policies", policies::check),
    ("snapshot", snapshot::check),
    ("trace", trace::check),
    ("wire", wire::check),
];

/// The shipped policies over a few nodes, made once.
fn small_world() -> &'static Snapshot {
    static WORLD: OnceLock<Snapshot> = OnceLock::new();
    WORLD.get_or_init(|| {
        let nodes = [("aws/eu-central-1", 2), ("aws/us-east-1", 2), ("-", 1)];
        world::snapshot(world::policies(&[]), world::fleet(&nodes))
    })
}

/// A sentence is there, on one line.
fn says_something(sentence: &str) {
    assert!(!sentence.trim().is_empty(), "an error without a sentence");
}
