//! Any bytes as a trace.
//!
//! What is read is written and read again as the same, and the same bytes are written then. What is refused is told
//! by line and column, at most twenty times, in the order of the lines.

use domicile::simulation::trace::Trace;

use super::says_something;

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let trace = match Trace::read("fuzz.jsonl", bytes) {
        Ok(trace) => trace,
        Err(errors) => {
            assert!((1..=20).contains(&errors.len()));
            assert!(errors.is_sorted_by_key(|error| error.line));
            let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            for error in errors {
                says_something(&error.sentence);
                let line = lines.get(error.line as usize - 1).copied().unwrap_or_default();
                assert!(error.column <= line.len() + 1, "{error} of {} bytes", line.len());
            }
            return;
        }
    };
    let written = write(&trace);
    let again = Trace::read("again.jsonl", written.as_slice())
        .unwrap_or_else(|errors| panic!("{errors:?} of {}", String::from_utf8_lossy(&written)));
    assert_eq!(again, trace);
    assert_eq!(write(&again), written);
    for event in &trace.events {
        if let domicile::simulation::trace::What::PodCreate(pod) = &event.what {
            pod.requirements().unwrap();
        }
    }
}

fn write(trace: &Trace) -> Vec<u8> {
    let mut written = Vec::new();
    trace.write(&mut written).unwrap();
    written
}
