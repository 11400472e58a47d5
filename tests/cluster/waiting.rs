//! Waiting for something to become true, with a reason when it does not.

use std::net::TcpListener;
use std::time::{Duration, Instant};

/// Calls `attempt` every 50 ms until it answers `Ok`; after `limit` fails the test with its last reason.
pub async fn until<T>(what: &str, limit: Duration, mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(reason) if Instant::now() >= deadline => {
                panic!("{what}: not within {} s: {reason}", limit.as_secs_f64())
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// `count` distinct loopback ports that nobody listens on now.
///
/// They are free again before the program binds them, so another process of this
/// machine could take one in between; the program then ends and its log says so.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    let held: [TcpListener; COUNT] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free"));
    held.each_ref().map(|listener| {
        listener
            .local_addr()
            .expect("a bound socket has an address")
            .port()
    })
}
