//! Any text as a snapshot file, or as the objects that kubectl lists, which are read in the same places.
//!
//! A snapshot file is written and read again as the same. Of the objects a world is made in which each node has a
//! class. What is refused is told, with a line that is there.

use std::sync::OnceLock;

use domicile::assembly::{SourceText, fleet_dump};
use domicile::objects::SnapshotFile;
use domicile::snapshot::{Inputs, Snapshot};

use super::says_something;
use crate::world;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match SnapshotFile::read(text) {
        Ok(Some(file)) => {
            let written = serde_json::to_string(&file).unwrap();
            assert_eq!(SnapshotFile::read(&written), Ok(Some(file)), "{written}");
        }
        Ok(None) => {}
        Err(error) => says_something(&error.to_string()),
    }
    match fleet_dump(&SourceText::new("fuzz.yaml", text)) {
        Ok(dump) => {
            let nodes = dump.facts.fleet.nodes.len();
            let world = Snapshot::new(Inputs {
                fleet: dump.facts.fleet,
                fleet_version: dump.facts.version,
                running: dump.facts.running,
                ..inputs().clone()
            });
            let of_classes = world.classes().len();
            assert_eq!(world.node_count(), nodes);
            assert!(of_classes <= nodes + 1, "{of_classes} classes of {nodes} nodes");
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            // To YAML a carriage return ends a line too.
            let last = text.replace("\r\n", "\n").split(['\n', '\r']).count();
            for error in errors {
                says_something(&error.problem);
                // The lines of a snapshot file are those of the text that is kept in it.
                let is_whole = SnapshotFile::read(text).is_ok_and(|file| file.is_none());
                assert!(
                    !is_whole || error.line.is_none_or(|line| (1..=last).contains(&line)),
                    "{error}"
                );
            }
        }
    }
}

/// Everything but the objects.
fn inputs() -> &'static Inputs {
    static INPUTS: OnceLock<Inputs> = OnceLock::new();
    INPUTS.get_or_init(|| world::inputs(world::policies(&[]), world::fleet(&[])))
}
