//! The nodes that a request offers, in either of its forms.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::BadRequest;
use super::scan::{RawText, Scanner};
use crate::snapshot::{ClassIndex, NAMES_AT_ONCE};

/// One offered node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'b> {
    /// Its name as it stands in the body.
    pub name: RawText<'b>,
    /// Its class; `None` where the node is not known.
    pub class: Option<ClassIndex>,
}

/// In which form nodes are offered, and so in which form survivors are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form<'b> {
    /// `NodeNames`: the scheduler was told that we have a cache of our own. The whole list, as it stands in the body.
    Names(&'b [u8]),
    /// `Nodes`: whole objects, as they stand in the body, one for each candidate.
    Objects(Vec<&'b [u8]>),
}

/// The offered nodes in the order of the request. A name that is offered twice is there twice, for the
/// scheduler's own lists have none twice and we return what was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<'b> {
    /// Each node.
    pub nodes: Vec<Candidate<'b>>,
    /// How they were written.
    pub form: Form<'b>,
}

impl Candidates<'_> {
    /// The class of each.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = Option<ClassIndex>> + Clone {
        self.nodes.iter().map(|candidate| candidate.class)
    }
}

/// Where names find their classes: several at once, for that is faster by more than it looks.
pub trait FindClasses: Fn([&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE] {}

impl<F: Fn([&[u8]; NAMES_AT_ONCE]) -> [Option<ClassIndex>; NAMES_AT_ONCE]> FindClasses for F {}

/// The class of a single node.
pub(super) fn class_of(name: RawText<'_>, classes_of: &impl FindClasses) -> Option<ClassIndex> {
    let mut names: [&[u8]; NAMES_AT_ONCE] = [b""; NAMES_AT_ONCE];
    let name = name.unescaped();
    if let Some(first) = names.first_mut() {
        *first = &name;
    }
    classes_of(names).first().copied().flatten()
}

/// A name and what JSON has around it take at least about this many bytes in a real cluster.
const BYTES_PER_NAME: usize = 24;
/// Room is made for at most this many names at once, whatever the length of the body promises.
const MOST_NAMES_AT_ONCE: usize = 1 << 16;

/// Reads `NodeNames`.
pub(super) fn names<'b>(
    scanner: &mut Scanner<'b>,
    classes_of: &impl FindClasses,
) -> Result<Candidates<'b>, BadRequest> {
    let not_names = BadRequest::WrongType {
        field: "`NodeNames`",
        expected: "a list of names",
    };
    let before = scanner.rest();
    let likely = (before.len() / BYTES_PER_NAME).min(MOST_NAMES_AT_ONCE);
    let mut nodes = Vec::with_capacity(likely);
    scanner.list(&not_names, |scanner| {
        // All but the last few names, from a client that writes no white space.
        scanner.plain_strings(|names| {
            let found = classes_of(names.map(RawText::as_bytes));
            nodes.extend(
                names
                    .into_iter()
                    .zip(found)
                    .map(|(name, class)| Candidate { name, class }),
            );
        });
        let Some(name) = scanner.string()? else {
            return Err(scanner.unexpected(&not_names));
        };
        let class = class_of(name, classes_of);
        nodes.push(Candidate { name, class });
        Ok(())
    })?;
    let length = before.len() - scanner.rest().len();
    let list = before.get(..length).unwrap_or(&[]).trim_ascii_start();
    Ok(Candidates {
        nodes,
        form: Form::Names(list),
    })
}

#[derive(Deserialize)]
struct NodeView<'b> {
    #[serde(borrow)]
    metadata: NodeMetadata<'b>,
}

#[derive(Deserialize)]
struct NodeMetadata<'b> {
    #[serde(borrow)]
    name: &'b RawValue,
}

/// Reads `Nodes`.
pub(super) fn objects<'b>(
    scanner: &mut Scanner<'b>,
    classes_of: &impl FindClasses,
) -> Result<Candidates<'b>, BadRequest> {
    let not_a_list = BadRequest::WrongType {
        field: "`Nodes`",
        expected: "a list of nodes",
    };
    let mut nodes = Vec::new();
    let mut objects = Vec::new();
    let mut seen = false;
    scanner.object(&not_a_list, |scanner, key| {
        if key.as_bytes() != b"items" {
            return scanner.skip();
        }
        if std::mem::replace(&mut seen, true) {
            return Err(BadRequest::RepeatedField("items"));
        }
        // Go writes an empty list that it never filled as `null`.
        if scanner.take_null() {
            return Ok(());
        }
        scanner.list(&not_a_list, |scanner| {
            let (name, object) = match scanner.usual_node() {
                Some(read) => read,
                None => unusual_node(scanner)?,
            };
            if std::str::from_utf8(object).is_err() {
                return Err(BadRequest::InvalidNode("it is not UTF-8".to_owned()));
            }
            let class = class_of(name, classes_of);
            nodes.push(Candidate { name, class });
            objects.push(object);
            Ok(())
        })
    })?;
    Ok(Candidates {
        nodes,
        form: Form::Objects(objects),
    })
}

/// Reads a node in whatever form it has, or says what is wrong with it.
fn unusual_node<'b>(scanner: &mut Scanner<'b>) -> Result<(RawText<'b>, &'b [u8]), BadRequest> {
    let (node, object) = scanner.object_value::<NodeView<'b>>(BadRequest::InvalidNode)?;
    let name = RawText::from_json(node.metadata.name.get())
        .ok_or_else(|| BadRequest::InvalidNode("its name is not a text".to_owned()))?;
    Ok((name, object))
}
