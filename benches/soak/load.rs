//! Steady load: a few connections that stay open, each of which asks when it is its turn.
//!
//! Inputs: two addresses, how many requests a second. Outputs: what came of each call; of each answer a hash, for
//! whoever replays it. Invariants: a call that fails is never tried again in silence; where the program or the judge is
//! slower than the pace, the load waits instead of piling up.

use std::hash::{DefaultHasher, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use domicile::decisions::Verb;

use crate::pods::{Request, request_of};

/// Far longer than any answer takes.
const LIMIT: Duration = Duration::from_secs(30);
/// How far the pace may be behind before it is given up: a stall is no reason for a burst.
const MOST_BEHIND: Duration = Duration::from_millis(100);
/// How many answers may wait to be judged.
const MOST_UNJUDGED: u64 = 100_000;
/// Failures of which the text is kept.
const TOLD: usize = 10;

/// An answer that came.
pub struct Answered {
    pub serial: u64,
    pub hash: u64,
    /// The number of a request that was not yet sent when this answer was there.
    pub next: u64,
}

/// What all connections share.
#[derive(Default)]
pub struct Pace {
    next: AtomicU64,
    pub answered: AtomicU64,
    pub judged: AtomicU64,
}

/// What one connection saw.
#[derive(Default)]
pub struct Seen {
    pub took_us: Vec<u32>,
    pub failed: u64,
    pub failures: Vec<String>,
    /// How long it waited because answers were not yet judged.
    pub held_back: Duration,
}

/// The hash of an answer.
pub fn hash(answer: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(answer);
    hasher.finish()
}

/// Where the program answers.
#[derive(Clone, Copy)]
pub struct Addresses {
    pub extender: SocketAddr,
    pub admission: SocketAddr,
}

/// Asks at a pace until an instant.
pub fn ask(
    addresses: Addresses,
    every: Duration,
    until: Instant,
    pace: &Pace,
    answers: &Sender<Answered>,
) -> Seen {
    let mut requests = Request::all();
    let mut extender = Connection::new(addresses.extender);
    let mut admission = Connection::new(addresses.admission);
    let mut seen = Seen::default();
    let mut due = Instant::now();
    while Instant::now() < until {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due = (due + every).max(Instant::now().checked_sub(MOST_BEHIND).unwrap_or(due));
        seen.held_back += pace.wait_for_judge();
        let serial = pace.next.fetch_add(1, Ordering::SeqCst);
        let request = &mut requests[request_of(serial)];
        request.set_serial(serial);
        let connection = match request.verb {
            Verb::Mutate | Verb::Validate => &mut admission,
            Verb::Filter | Verb::Prioritize | Verb::Preempt => &mut extender,
        };
        let asked = Instant::now();
        match connection.call(request.bytes()) {
            Ok(answer) => {
                let hash = hash(answer);
                let us = asked.elapsed().as_micros();
                seen.took_us.push(u32::try_from(us).unwrap_or(u32::MAX));
                pace.answered.fetch_add(1, Ordering::Relaxed);
                let next = pace.next.load(Ordering::SeqCst);
                let answered = Answered { serial, hash, next };
                answers.send(answered).expect("the judge listens");
            }
            Err(problem) => {
                connection.stream = None;
                seen.failed += 1;
                if seen.failures.len() < TOLD {
                    seen.failures.push(format!("/{}: {problem}", request.verb.word()));
                }
                // A program that is gone is not called a million times.
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    seen
}

impl Pace {
    fn wait_for_judge(&self) -> Duration {
        let began = Instant::now();
        let waiting = || {
            self.answered
                .load(Ordering::Relaxed)
                .saturating_sub(self.judged.load(Ordering::Relaxed))
        };
        if waiting() < MOST_UNJUDGED {
            return Duration::ZERO;
        }
        while waiting() >= MOST_UNJUDGED && began.elapsed() < LIMIT {
            std::thread::sleep(Duration::from_millis(5));
        }
        began.elapsed()
    }
}

/// A connection that is kept open.
pub struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
            buffer: vec![0; 1 << 20],
        }
    }

    /// Sends a whole request and reads the whole answer, whose body it gives.
    ///
    /// # Errors
    /// Where there is none, or its status is not 200.
    pub fn call(&mut self, request: &[u8]) -> Result<&[u8], String> {
        let told = |error: std::io::Error| error.to_string();
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).map_err(told)?;
            stream.set_nodelay(true).map_err(told)?;
            stream.set_read_timeout(Some(LIMIT)).map_err(told)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().ok_or("no connection")?;
        stream.write_all(request).map_err(told)?;
        let mut filled = 0;
        let mut whole = None;
        while whole.is_none_or(|(_, whole)| filled < whole) {
            match stream.read(&mut self.buffer[filled..]).map_err(told)? {
                0 => return Err("the connection was closed without an answer".to_owned()),
                read => filled += read,
            }
            whole = whole.or(extent(&self.buffer[..filled])?);
            if whole.is_some_and(|(_, whole)| whole > self.buffer.len()) {
                return Err("the answer is larger than any should be".to_owned());
            }
        }
        let (body_at, whole) = whole.ok_or("no answer")?;
        let body = &self.buffer[body_at..whole];
        match self.buffer.starts_with(b"HTTP/1.1 200 ") {
            true => Ok(body),
            false => {
                let head = String::from_utf8_lossy(&self.buffer[..body_at]);
                let status = head.lines().next().unwrap_or_default();
                Err(format!("{status}: {}", String::from_utf8_lossy(body).trim_end()))
            }
        }
    }
}

/// Where the body begins and ends, once the head is there.
fn extent(received: &[u8]) -> Result<Option<(usize, usize)>, String> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let length = length.ok_or("an answer without a Content-Length")?;
    Ok(Some((end + 4, end + 4 + length)))
}
