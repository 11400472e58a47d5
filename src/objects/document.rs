//! The objects of a file, found but not yet read: lists taken apart, JSON and YAML told from each other.
//!
//! Invariants: an object of JSON stays the slice of the text that it is, so a list of a hundred megabytes
//! costs little more than itself; YAML is read into a tree first, by the rules of kubectl, to whom an
//! unquoted `NO` is no text. Deliberately absent: what kinds there are and what they mean.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::ObjectError;
use super::shape::mistyped_field;
use super::view::{Object, Text};

/// An object of a file.
#[derive(Debug)]
pub(crate) struct Item<'t> {
    /// Such as `Node`; of a typed list without kinds of their own, that of the list.
    pub kind: String,
    /// Such as `v1`; empty where the object has none.
    pub api_version: String,
    /// Its name; empty where it has none.
    pub name: String,
    /// Where it stands.
    pub place: ItemPlace,
    body: Body<'t>,
}

#[derive(Debug)]
enum Body<'t> {
    Json(&'t RawValue),
    Yaml(Value),
}

/// Where an object stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemPlace {
    /// The document, from 1; `None` where the file has but one.
    pub document: Option<usize>,
    /// The index in the items of a list, from 0.
    pub index: Option<usize>,
    /// Where it begins in the text, in bytes, where that is known.
    pub offset: Option<usize>,
}

impl ItemPlace {
    /// The line of the file, from 1, where it is known. It is counted from the beginning, so it is for
    /// errors alone.
    pub fn line(self, text: &str) -> Option<usize> {
        let before = text.as_bytes().get(..self.offset?)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }
}

impl fmt::Display for ItemPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.document, self.index) {
            (None, None) => formatter.write_str("the object"),
            (Some(document), None) => write!(formatter, "document {document}"),
            (None, Some(index)) => write!(formatter, "items[{index}]"),
            (Some(document), Some(index)) => write!(formatter, "document {document} items[{index}]"),
        }
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Contents<'t> {
    /// The objects in the order of the file.
    pub items: Vec<Item<'t>>,
    /// The kinds of the typed lists, such as `Namespace` for a `NamespaceList` even where it is empty.
    pub listed_kinds: Vec<String>,
    /// How many documents there are; a list without items is one.
    pub documents: usize,
    /// What could not be taken apart, and where.
    pub problems: Vec<(ItemPlace, ObjectError)>,
}

/// A file that is neither JSON nor YAML.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What the parser says.
    pub problem: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Header<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    api_version: Text<'a>,
    #[serde(borrow)]
    metadata: Object<Named<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JsonList<'a> {
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

/// Takes a file apart: a `List`, and a typed list of one of the kinds that the caller knows.
pub(crate) fn contents<'t>(text: &'t str, known_kinds: &[&str]) -> Result<Contents<'t>, Unreadable> {
    let bodies: Vec<Body<'_>> = if text.trim_start().starts_with('{') {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
        let bodies: Result<_, _> = documents.map(|document| document.map(Body::Json)).collect();
        bodies.map_err(|error| Unreadable {
            line: Some(error.line()),
            problem: ObjectError::from_parser(error).to_string(),
        })?
    } else {
        yaml_documents(text)?.into_iter().map(Body::Yaml).collect()
    };
    let several = bodies.len() > 1;
    let mut contents = Contents {
        documents: bodies.len(),
        ..Contents::default()
    };
    for (number, body) in bodies.into_iter().enumerate() {
        let place = ItemPlace {
            document: several.then_some(number + 1),
            index: None,
            offset: None,
        };
        contents.add_document(text, place, body, known_kinds);
    }
    Ok(contents)
}

fn list_of<'t>(list: &'t RawValue) -> serde_json::Result<Vec<&'t RawValue>> {
    let list: Object<JsonList<'t>> = serde_json::from_str(list.get())?;
    Ok(list.0.items.unwrap_or_default())
}

fn yaml_documents(text: &str) -> Result<Vec<Value>, Unreadable> {
    // A fleet of 15,000 nodes is more than the limits for settings files expect. What a hostile file could
    // multiply (aliases, depth) stays limited.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_documents: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| Unreadable {
        line: error
            .location()
            .and_then(|location| usize::try_from(location.line()).ok()),
        problem: ObjectError::from_parser(error.without_snippet()).to_string(),
    })
}

impl<'t> Contents<'t> {
    fn add_document(&mut self, text: &str, place: ItemPlace, mut body: Body<'t>, known_kinds: &[&str]) {
        let Some((kind, api_version, name)) = self.header(text, place, &body) else {
            return;
        };
        let item_kind = match kind.strip_suffix("List") {
            Some(item_kind) if item_kind.is_empty() || known_kinds.contains(&item_kind) => item_kind,
            _ => {
                self.items.push(Item {
                    place: body.placed(text, place),
                    kind,
                    api_version,
                    name,
                    body,
                });
                return;
            }
        };
        let bodies: Vec<Body<'t>> = match &mut body {
            Body::Json(raw) => match list_of(raw) {
                Ok(items) => items.into_iter().map(Body::Json).collect(),
                Err(error) => {
                    self.problems.push((place, ObjectError::from_parser(error)));
                    return;
                }
            },
            Body::Yaml(value) => match value.get_mut("items").map(Value::take) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(items)) => items.into_iter().map(Body::Yaml).collect(),
                Some(_) => {
                    let problem = ObjectError::Syntax("`items` is not a list".to_owned());
                    self.problems.push((place, problem));
                    return;
                }
            },
        };
        if !item_kind.is_empty() {
            self.listed_kinds.push(item_kind.to_owned());
        }
        for (index, body) in bodies.into_iter().enumerate() {
            let place = ItemPlace {
                index: Some(index),
                ..place
            };
            let Some((own_kind, api_version, name)) = self.header(text, place, &body) else {
                continue;
            };
            let kind = if own_kind.is_empty() {
                item_kind.to_owned()
            } else {
                own_kind
            };
            self.items.push(Item {
                kind,
                api_version,
                name,
                place: body.placed(text, place),
                body,
            });
        }
    }

    fn header(&mut self, text: &str, place: ItemPlace, body: &Body<'t>) -> Option<(String, String, String)> {
        match body.view::<Header<'_>>() {
            Ok(header) => Some((
                header.kind.to_string(),
                header.api_version.to_string(),
                header.metadata.name.to_string(),
            )),
            Err(problem) => {
                self.problems.push((body.placed(text, place), problem));
                None
            }
        }
    }
}

impl Item<'_> {
    /// Reads the object as a view of it.
    pub fn view<'b, T: Deserialize<'b> + Default>(&'b self) -> Result<T, ObjectError> {
        self.body.view()
    }
}

impl Body<'_> {
    fn view<'b, T: Deserialize<'b> + Default>(&'b self) -> Result<T, ObjectError> {
        let read: Result<Object<T>, serde_json::Error> = match self {
            Self::Json(raw) => serde_json::from_str(raw.get()),
            Self::Yaml(value) => Object::deserialize(value),
        };
        read.map(|view| view.0).map_err(|error| {
            // Only now, that something is wrong, is it worth a tree to say in which field.
            let named = match self {
                Self::Json(raw) => serde_json::from_str(raw.get())
                    .ok()
                    .and_then(|value| mistyped_field(&value)),
                Self::Yaml(value) => mistyped_field(value),
            };
            let said = error.to_string();
            // The position counts from the object and not from the file.
            let said = said.split(" at line ").next().unwrap_or_default();
            named.map_or_else(|| ObjectError::from_parser(said), ObjectError::Syntax)
        })
    }

    /// The place with its offset, where the body is a slice of the text.
    fn placed(&self, text: &str, place: ItemPlace) -> ItemPlace {
        let offset = match self {
            Self::Json(raw) => (raw.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize),
            Self::Yaml(_) => None,
        };
        ItemPlace { offset, ..place }
    }
}
