//! What `domicile doctor` says of a file that kube-scheduler does not start with, held against the real
//! one: it reads and validates each case of `tests/doctor`, builds its extenders, writes the completed
//! configuration and ends, without ever reaching an API server.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::components;

#[test]
fn kube_scheduler_starts_with_exactly_the_files_that_the_doctor_says_it_starts_with() {
    let kube_scheduler = components::folder().join("kube-scheduler");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor");
    let completed = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("completed-{}", std::process::id()));
    let mut checked = 0;
    for entry in std::fs::read_dir(&cases).expect("the cases are there") {
        let path = entry.expect("the cases can be listed").path();
        let text = std::fs::read_to_string(&path).expect("a case can be read");
        let expected = text.lines().find_map(|line| line.strip_prefix("# starts: "));
        let expected = match expected {
            Some("yes") => true,
            Some("no") => false,
            Some("depends") => continue,
            other => panic!("{}: starts `{other:?}`", path.display()),
        };
        let output = Command::new(&kube_scheduler)
            .arg(format!("--config={}", path.display()))
            .arg(format!("--write-config-to={}", completed.display()))
            .args([
                "--master=https://127.0.0.1:1",
                "--authentication-skip-lookup",
                "--secure-port=0",
            ])
            .stdin(Stdio::null())
            .output()
            .expect("kube-scheduler can be started");
        assert_eq!(
            output.status.success(),
            expected,
            "{}: {}",
            path.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        checked += 1;
    }
    let _ = std::fs::remove_file(completed);
    assert!(checked > 50, "only {checked} cases were checked");
}
