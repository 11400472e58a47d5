//! One line of a trace, read and written.
//!
//! Inputs: the bytes of a line, or an event. Invariants: a line is read in one pass where `t` and `ev` come first, as
//! they are written; a field that is not known is a fault with its column. Deliberately absent: what went before
//! (`known`).

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::Serialize;
use serde_json::{Map, Value};

use super::error::{Fault, meant};
use super::event::{Event, What};
use super::header::{Header, HeaderLine};

/// The words of events, in the order of the documentation.
pub const EVENTS: [&str; 15] = [
    "node.add",
    "node.remove",
    "node.cordon",
    "node.uncordon",
    "pod.create",
    "pod.delete",
    "namespace.set",
    "dataset.set",
    "dataset.leader",
    "latency.set",
    "region.down",
    "region.up",
    "link.cut",
    "link.heal",
    "policy.load",
];

/// Said of a line whose first fields are others than `t` and `ev`.
const OTHER_ORDER: &str = "`t` and `ev` come first";

/// Reads the first line.
pub(super) fn read_header(line: &[u8]) -> Result<Header, Fault> {
    let written: HeaderLine = serde_json::from_slice(line)?;
    written.header().map_err(Fault::whole)
}

/// Reads any other line.
pub(super) fn read_event(line: &[u8]) -> Result<Event, Fault> {
    // A line is UTF-8 in whole: its strings need no look each. What is not is told with its column.
    let read = match std::str::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        Err(_) => serde_json::from_slice(line),
    };
    match read {
        Err(error) if error.to_string().starts_with(OTHER_ORDER) => read_reordered(line),
        read => read.map_err(Fault::from),
    }
}

/// Reads a line in which some tool put the fields into another order. What is wrong with it has no column.
fn read_reordered(line: &[u8]) -> Result<Event, Fault> {
    let mut fields: Map<String, Value> = serde_json::from_slice(line)?;
    let mut take = |field: &str| {
        let value = fields.remove(field);
        value.ok_or_else(|| Fault::whole(format!("`{field}` is missing")))
    };
    let (t, ev) = (take("t")?, take("ev")?);
    let rest = Value::Object(fields).to_string();
    let rest = rest.strip_prefix('{').unwrap_or_default();
    let comma = if rest == "}" { "" } else { "," };
    let ordered = format!(r#"{{"t":{t},"ev":{ev}{comma}{rest}"#);
    serde_json::from_str(&ordered).map_err(|error| Fault {
        column: 0,
        ..Fault::from(error)
    })
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = Event;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with `t` and `ev`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        expect_field(&mut map, "t")?;
        let t_ms = map.next_value()?;
        expect_field(&mut map, "ev")?;
        let event: EventWord = map.next_value()?;
        let what = read_what(event, MapAccessDeserializer::new(map))?;
        Ok(Event { t_ms, what })
    }
}

fn expect_field<'de, A: MapAccess<'de>>(map: &mut A, field: &str) -> Result<(), A::Error> {
    match map.next_key::<Cow<'_, str>>()? {
        Some(found) if found == field => Ok(()),
        Some(_) => Err(Error::custom(OTHER_ORDER)),
        None => Err(Error::custom(format_args!("`{field}` is missing"))),
    }
}

/// A word of [`EVENTS`].
struct EventWord(&'static str);

impl<'de> Deserialize<'de> for EventWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(EventWordVisitor)
    }
}

struct EventWordVisitor;

impl Visitor<'_> for EventWordVisitor {
    type Value = EventWord;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the word of an event such as `pod.create`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EventWord, E> {
        let known = EVENTS.iter().find(|known| **known == text);
        let unknown = || E::custom(format_args!("unknown event `{text}`; {}", meant(text, &EVENTS)));
        known.map(|known| EventWord(known)).ok_or_else(unknown)
    }
}

fn read_what<'de, D: Deserializer<'de>>(event: EventWord, rest: D) -> Result<What, D::Error> {
    fn read<'de, T: Deserialize<'de>, D: Deserializer<'de>>(rest: D) -> Result<T, D::Error> {
        T::deserialize(rest)
    }
    Ok(match event.0 {
        "node.add" => What::NodeAdd(read(rest)?),
        "node.remove" => What::NodeRemove(read(rest)?),
        "node.cordon" => What::NodeCordon(read(rest)?),
        "node.uncordon" => What::NodeUncordon(read(rest)?),
        "pod.create" => What::PodCreate(read(rest)?),
        "pod.delete" => What::PodDelete(read(rest)?),
        "namespace.set" => What::NamespaceSet(read(rest)?),
        "dataset.set" => What::DataSetSet(read(rest)?),
        "dataset.leader" => What::DataSetLeader(read(rest)?),
        "latency.set" => What::LatencySet(read(rest)?),
        "region.down" => What::RegionDown(read(rest)?),
        "region.up" => What::RegionUp(read(rest)?),
        "link.cut" => What::LinkCut(read(rest)?),
        "link.heal" => What::LinkHeal(read(rest)?),
        "policy.load" => What::PolicyLoad(read(rest)?),
        other => return Err(Error::custom(format_args!("unknown event `{other}`"))),
    })
}

/// Writes the first line, without its end.
pub(super) fn header_line(header: &Header) -> serde_json::Result<String> {
    serde_json::to_string(&HeaderLine::from(header))
}

/// Appends the line of an event, without its end.
pub(super) fn write_event(event: &Event, line: &mut Vec<u8>) -> serde_json::Result<()> {
    let t = event.t_ms;
    match &event.what {
        What::NodeAdd(node) => write_line(t, &event.what, node, line),
        What::NodeRemove(node) | What::NodeCordon(node) | What::NodeUncordon(node) => {
            write_line(t, &event.what, node, line)
        }
        What::PodCreate(pod) => write_line(t, &event.what, pod, line),
        What::PodDelete(pod) => write_line(t, &event.what, pod, line),
        What::NamespaceSet(namespace) => write_line(t, &event.what, namespace, line),
        What::DataSetSet(data_set) => write_line(t, &event.what, data_set, line),
        What::DataSetLeader(leader) => write_line(t, &event.what, leader, line),
        What::LatencySet(latency) => write_line(t, &event.what, latency, line),
        What::RegionDown(region) | What::RegionUp(region) => write_line(t, &event.what, region, line),
        What::LinkCut(link) | What::LinkHeal(link) => write_line(t, &event.what, link, line),
        What::PolicyLoad(load) => write_line(t, &event.what, load, line),
    }
}

fn write_line(t: u64, what: &What, fields: &impl Serialize, line: &mut Vec<u8>) -> serde_json::Result<()> {
    #[derive(serde::Serialize)]
    struct Line<'a, T: Serialize> {
        t: u64,
        ev: &'static str,
        #[serde(flatten)]
        fields: &'a T,
    }
    let ev = what.word();
    serde_json::to_writer(line, &Line { t, ev, fields })
}
