//! `domicile latency`: what it says, in the files of `tests/latency/*.console`, and what no file can hold.
//!
//! A case is a command behind `$ `, what it prints, and `[exit CODE]`; paths begin at the root of the
//! repository, and it is noon on 2026-11-21.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use clap::Parser;
use domicile::cli::Outcome;
use domicile::cli::latency::{LatencyArgs, Screen, run_on};

#[derive(Parser)]
#[command(name = "domicile latency")]
struct CommandLine {
    #[command(flatten)]
    arguments: LatencyArgs,
}

/// What a command prints, and how it ends.
fn run(command: &str, screen: Screen) -> String {
    let words = command.strip_prefix("domicile ").unwrap().split(' ');
    let arguments = CommandLine::try_parse_from(words).expect("a command line");
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let mut out = Vec::new();
    let end = match run_on(&arguments.arguments, now, &screen, &mut out) {
        Ok(Outcome::Holds) => "[exit 0]\n".to_owned(),
        Ok(Outcome::Finding | Outcome::Stopped) => "[exit 1]\n".to_owned(),
        Err(problem) => format!("domicile latency: {problem:#}\n[exit 2]\n"),
    };
    String::from_utf8(out).unwrap() + &end
}

fn printed(command: &str) -> String {
    run(command, Screen::file())
}

#[test]
fn every_command_says_what_its_case_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/latency");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let cases: BTreeMap<String, String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "console"))
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(cases.len() > 10, "the cases were not found");
    let mut wrong = String::new();
    for (name, text) in cases {
        let (command, expected) = text.split_once('\n').unwrap();
        let printed = printed(command.strip_prefix("$ ").unwrap());
        if printed != expected {
            wrong.push_str(&format!("{name}: {command}\n{printed}\n"));
        }
    }
    assert!(wrong.is_empty(), "these print something else:\n{wrong}");
}

#[test]
fn what_is_dumped_and_read_again_is_dumped_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.csv");
    for (files, estimates) in [
        ("", ""),
        ("", " --estimates"),
        (" tests/latency/small.csv", " --estimates"),
    ] {
        let first = printed(&format!("domicile latency dump{files}{estimates}"));
        let first = first.strip_suffix("[exit 0]\n").unwrap();
        fs::write(&file, first).unwrap();
        let again = printed(&format!("domicile latency dump {}{estimates}", file.display()));
        assert!(
            again.strip_suffix("[exit 0]\n") == Some(first),
            "{files}{estimates}"
        );
        // What is estimated is told, and is not measured when it is read.
        let told = first.lines().filter(|line| line.starts_with("# ")).count();
        assert_eq!(told > 20_000, !estimates.is_empty(), "{told}");
        let plain = printed(&format!("domicile latency dump {}", file.display()));
        let without = printed(&format!("domicile latency dump{files}"));
        assert!(plain == without, "{files}{estimates}");
    }
}

#[test]
fn colours_are_on_terminals_only_and_change_no_character() {
    let command = "domicile latency show tests/latency/small.csv --view map";
    let plain = printed(command);
    assert!(!plain.contains('\u{1b}'));
    let terminal = Screen {
        width: 80,
        has_colour: true,
    };
    let coloured = run(command, terminal);
    assert!(coloured.contains("\u{1b}[48;5;"));
    let mut text = String::new();
    for part in coloured.split('\u{1b}') {
        text.push_str(part.split_once('m').map_or(
            part,
            |(code, rest)| {
                if code.starts_with('[') { rest } else { part }
            },
        ));
    }
    let map = |text: &str| -> Vec<String> {
        text.lines()
            .take(10)
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    assert_eq!(map(&text), map(&plain));
}

#[test]
fn a_narrow_screen_never_gets_a_longer_line() {
    for width in [40, 60, 80, 100, 160, 200] {
        for cells in ["", " --cells ms", " --cells shades"] {
            let command = format!("domicile latency show --view map --width {width}{cells}");
            let printed = printed(&command);
            // The head and the legend are sentences; the map begins after the first blank line.
            let map = printed.split("\n\n").skip(1);
            let lines = map
                .flat_map(str::lines)
                .take_while(|line| !line.starts_with("rows from"));
            let lines: Vec<&str> = lines.collect();
            assert!(lines.len() > 32, "{command}");
            for line in lines {
                assert!(line.chars().count() <= width, "{command}: {line}");
            }
        }
    }
}

/// Answers one request at an address of its own, and gives back the first line of it.
fn answers_once(status: &str, body: &str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        connection.write_all(answer.as_bytes()).unwrap();
        let request = String::from_utf8(request).unwrap();
        request.lines().next().unwrap().to_owned()
    });
    (address, server)
}

#[test]
fn what_a_server_decides_by_is_read_like_a_file() {
    let file =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/latency/small.csv")).unwrap();
    let (address, server) = answers_once("200 OK", &file);
    let dumped = printed(&format!("domicile latency dump --server {address}/"));
    assert_eq!(dumped, printed("domicile latency dump tests/latency/small.csv"));
    assert_eq!(server.join().unwrap(), "GET /latency HTTP/1.1");

    let (address, server) = answers_once("200 OK", &file);
    let compared = printed(&format!(
        "domicile latency compare tests/latency/moved.csv --server {address}"
    ));
    let by_file = printed("domicile latency compare tests/latency/small.csv tests/latency/moved.csv");
    let named = format!("before  {address}/latency:");
    assert_eq!(
        compared,
        by_file.replace("before  tests/latency/small.csv:", &named)
    );
    server.join().unwrap();
    let twice = "domicile latency compare tests/latency/small.csv tests/latency/moved.csv --server http://127.0.0.1:1";
    assert!(
        printed(twice).contains("name the old measurements once"),
        "{}",
        printed(twice)
    );

    let (address, server) = answers_once("503 Service Unavailable", "not ready: waiting for policies\n");
    let said = printed(&format!("domicile latency check --server {address}"));
    let expected = format!(
        "domicile latency: `{address}/latency` cannot be read: it answers 503 Service Unavailable: \
         not ready: waiting for policies\n[exit 2]\n"
    );
    assert_eq!(said, expected);
    server.join().unwrap();
}
