//! An API server that is made up: lists in pages, watches, and what happens when it is told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{App, HttpResponse, HttpServer, web};
use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::objects::{self, Kind};

/// Who watches, and what was sent.
#[derive(Default)]
struct World {
    watchers: Mutex<BTreeMap<Kind, Vec<UnboundedSender<Bytes>>>>,
    sent_us: Mutex<Vec<u64>>,
}

impl World {
    /// Writes an event to everybody who watches the kind.
    fn tell(&self, kind: Kind, event: &str, object: &str) {
        let line = Bytes::from(format!("{{\"type\":\"{event}\",\"object\":{object}}}\n"));
        let mut watchers = self.watchers.lock().expect("no panic");
        let of_kind = watchers.entry(kind).or_default();
        of_kind.retain(|watcher| watcher.send(line.clone()).is_ok());
    }
}

/// Serves until the process that started it is gone.
pub fn run() {
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
    let world = Data::from(Arc::new(World::default()));
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(world.clone())
                .route("/control/events", web::post().to(events))
                .route("/control/heartbeats", web::post().to(heartbeats))
                .route("/control/expire", web::post().to(expire))
                .route("/control/sent", web::get().to(sent))
                .route("/api/v1/{plural}", web::get().to(list_or_watch))
                .route("/apis/{group}/v1/{plural}", web::get().to(of_group))
        });
        // As Go's servers do; else an event waits for the client's word on the one before it.
        let server = server.workers(1).tcp_nodelay(true);
        let server = server.bind("127.0.0.1:0").expect("an address");
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush().expect("a reader");
        server.run().await.expect("a server");
    });
}

type Asked = Query<BTreeMap<String, String>>;

async fn of_group(path: Path<(String, String)>, asked: Asked, world: Data<World>) -> HttpResponse {
    answer(&path.1, &asked, &world)
}

async fn list_or_watch(plural: Path<String>, asked: Asked, world: Data<World>) -> HttpResponse {
    answer(&plural, &asked, &world)
}

fn answer(plural: &str, asked: &Asked, world: &World) -> HttpResponse {
    let kind = Kind::of(plural);
    if asked.contains_key("watch") {
        let (sender, receiver) = unbounded_channel::<Bytes>();
        world
            .watchers
            .lock()
            .expect("no panic")
            .entry(kind)
            .or_default()
            .push(sender);
        let lines = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|line| (line, receiver))
        });
        return HttpResponse::Ok()
            .content_type("application/json")
            .streaming(lines.map(Ok::<Bytes, std::io::Error>));
    }
    let number = |name: &str| asked.get(name).and_then(|text| text.parse::<usize>().ok());
    let from = number("continue").unwrap_or(0);
    let to = (from + number("limit").unwrap_or(500)).min(kind.count());
    let rest = if to < kind.count() {
        format!(r#","continue":"{to}""#)
    } else {
        String::new()
    };
    let items: Vec<String> = (from..to).map(|number| kind.object(number, 0)).collect();
    HttpResponse::Ok().content_type("application/json").body(format!(
        r#"{{"kind":"List","apiVersion":"v1","metadata":{{"resourceVersion":"1"{rest}}},"items":[{}]}}"#,
        items.join(",")
    ))
}

async fn sent(world: Data<World>) -> String {
    let sent = world.sent_us.lock().expect("no panic");
    let lines: Vec<String> = sent.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// New pods, each after the one before; every tenth of several comes with a claim and a volume of its own.
async fn events(asked: Asked, world: Data<World>) -> HttpResponse {
    let number = |name: &str| asked[name].parse::<usize>().expect("a number");
    let (count, per_second) = (number("count"), number("per_second"));
    actix_web::rt::spawn(async move {
        let began = Instant::now();
        let first = world.sent_us.lock().expect("no panic").len();
        for event in first..first + count {
            let due = Duration::from_secs_f64((event - first) as f64 / per_second as f64);
            tokio::time::sleep(due.saturating_sub(began.elapsed())).await;
            if count > 1 && event % 10 == 0 {
                let number = objects::PODS + event;
                world.tell(Kind::Volumes, "ADDED", &Kind::Volumes.object(number, 1));
                world.tell(Kind::Claims, "ADDED", &Kind::Claims.object(number, 1));
            }
            let pod = objects::event_pod(event);
            world.sent_us.lock().expect("no panic").push(objects::now_us());
            world.tell(Kind::Pods, "ADDED", &pod);
        }
    });
    HttpResponse::Ok().finish()
}

/// What kubelets write all the time: nodes and pods whose status alone is new.
async fn heartbeats(asked: Asked, world: Data<World>) -> HttpResponse {
    let count: usize = asked["count"].parse().expect("a number");
    for number in 0..count {
        let kind = if number % 2 == 0 { Kind::Nodes } else { Kind::Pods };
        world.tell(kind, "MODIFIED", &kind.object(number % kind.count(), number + 1));
    }
    HttpResponse::Ok().finish()
}

/// Every watch is told that its place in the history is forgotten, and ends.
async fn expire(world: Data<World>) -> HttpResponse {
    let gone = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}"#;
    for kind in Kind::ALL {
        world.tell(kind, "ERROR", gone);
    }
    world.watchers.lock().expect("no panic").clear();
    HttpResponse::Ok().finish()
}
