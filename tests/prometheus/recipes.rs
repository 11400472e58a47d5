//! The queries that `docs/latency.md` recommends are PromQL to a real Prometheus.

use std::fmt::Write as _;
use std::path::Path;

use crate::http;
use crate::stack::monitoring;

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_documentation_is_answered() {
    let directory = tempfile::tempdir().expect("a directory");
    let monitoring = monitoring(directory.path(), &[]).await;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/latency.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let queries: Vec<&str> = page
        .lines()
        .filter_map(|line| {
            let (key, query) = line.trim().split_once(": ")?;
            ["p50", "p95", "samples", "reachable", "expr"]
                .contains(&key)
                .then_some(query)
        })
        .collect();
    assert!(queries.len() >= 10, "{queries:?}");
    for query in queries {
        let encoded = query.bytes().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02x}");
            text
        });
        let path = format!("/api/v1/query?query={encoded}");
        let response = http::exchange(monitoring.prometheus.address, "GET", &path, b"")
            .await
            .expect("it answers");
        assert_eq!(response.status, 200, "{query}: {}", response.text());
        assert!(response.text().contains(r#""resultType":"vector""#), "{query}");
    }
}
