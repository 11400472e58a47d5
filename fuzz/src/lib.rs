//! What fuzzing tries, apart from who tries it: libFuzzer (`fuzz_targets/`) or the tests (`tests/it/fuzz.rs`).

pub mod targets;
#[path = "../../tests/it/world.rs"]
pub mod world;
