//! A web service that answers after a known time, so that what a prober measures is known to be no less.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// It serves until the test process ends.
pub struct SlowService {
    pub port: u16,
    delay_ms: Arc<AtomicU64>,
    is_down: Arc<AtomicBool>,
}

impl SlowService {
    pub fn start(delay_ms: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let delay_ms = Arc::new(AtomicU64::new(delay_ms));
        let is_down = Arc::new(AtomicBool::new(false));
        let (delay, down) = (delay_ms.clone(), is_down.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who is down accepts nobody; here the connection ends without an answer.
                if down.load(Ordering::Relaxed) {
                    continue;
                }
                let delay = Duration::from_millis(delay.load(Ordering::Relaxed));
                std::thread::spawn(move || answer(stream, delay));
            }
        });
        Self {
            port,
            delay_ms,
            is_down,
        }
    }

    pub fn answer_after(&self, delay_ms: u64) {
        self.delay_ms.store(delay_ms, Ordering::Relaxed);
    }

    pub fn go_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }
}

fn answer(stream: TcpStream, delay: Duration) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    std::thread::sleep(delay);
    // A prober that gave up is no failure of ours.
    let _ = reader
        .into_inner()
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
}
