//! `spec.access` of a data set: which copies serve a read and a write.
//!
//! Invariants: a number of voters stands for a quorum, so beside another path it is an error; a quorum asks
//! for one voter at least. Deliberately absent: whether the replicas can serve it, which `lint` tells.

use std::num::NonZeroUsize;

use serde_saphyr::Spanned;

use crate::model::{StatedAccess, StatedReads, StatedWrites};
use crate::policy::document::{Object, Origin};
use crate::policy::schema::{AccessSpec, DataSetSpec};
use crate::policy::words::Reader;

/// Reads what a data set says about its accesses; `None` where that has a finding.
pub(super) fn access(object: &Object<DataSetSpec>, reader: &mut Reader) -> Option<StatedAccess> {
    let Some(spec) = &object.spec.access else {
        return Some(StatedAccess::default());
    };
    let (reads, writes) = (
        reads(&object.origin, spec, reader),
        writes(&object.origin, spec, reader),
    );
    Some(StatedAccess {
        reads: reads?,
        writes: writes?,
    })
}

/// What is said about reads, where that can be read.
fn reads(origin: &Origin, spec: &AccessSpec, reader: &mut Reader) -> Option<Option<StatedReads>> {
    let quorum = quorum(origin, spec.read_quorum.as_ref(), "readQuorum", reader)?;
    let Some(word) = &spec.reads else {
        return Some(quorum.map(|voters| StatedReads::Quorum(Some(voters))));
    };
    let words = ["nearest", "leader", "quorum"];
    let stated = reader.word(origin, word, "way to read", &words, |word| match word {
        "nearest" => Some(StatedReads::Nearest),
        "leader" => Some(StatedReads::Leader),
        "quorum" => Some(StatedReads::Quorum(quorum)),
        _ => None,
    })?;
    if let (StatedReads::Nearest | StatedReads::Leader, Some(at)) = (stated, &spec.read_quorum) {
        return needless(origin, at, ("readQuorum", "reads", &word.value), reader);
    }
    Some(Some(stated))
}

/// What is said about writes, where that can be read.
fn writes(origin: &Origin, spec: &AccessSpec, reader: &mut Reader) -> Option<Option<StatedWrites>> {
    let quorum = quorum(origin, spec.write_quorum.as_ref(), "writeQuorum", reader)?;
    let Some(word) = &spec.writes else {
        return Some(quorum.map(|voters| StatedWrites::Quorum(Some(voters))));
    };
    let stated = reader.word(
        origin,
        word,
        "way to write",
        &["leader", "quorum"],
        |word| match word {
            "leader" => Some(StatedWrites::Leader),
            "quorum" => Some(StatedWrites::Quorum(quorum)),
            _ => None,
        },
    )?;
    if let (StatedWrites::Leader, Some(at)) = (stated, &spec.write_quorum) {
        return needless(origin, at, ("writeQuorum", "writes", &word.value), reader);
    }
    Some(Some(stated))
}

/// A number of voters; the outer `None` is a number that is none.
fn quorum(
    origin: &Origin,
    voters: Option<&Spanned<u32>>,
    field: &str,
    reader: &mut Reader,
) -> Option<Option<NonZeroUsize>> {
    let Some(voters) = voters else {
        return Some(None);
    };
    let read = usize::try_from(voters.value).ok().and_then(NonZeroUsize::new);
    if read.is_none() {
        let sentence = format!("`{field}` is 0 and a quorum has one voter at least");
        let fix = "leave it out for a majority".to_owned();
        reader.error("L06", origin.position(voters), sentence, Some(fix));
    }
    read.map(Some)
}

fn needless<T>(
    origin: &Origin,
    at: &Spanned<u32>,
    (field, path, word): (&str, &str, &str),
    reader: &mut Reader,
) -> Option<T> {
    let sentence = format!("`{field}` stands beside `{path}: {word}` which asks no quorum");
    let fix = format!("write `{path}: quorum` or leave `{field}` out");
    reader.error("L06", origin.position(at), sentence, Some(fix));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DataSetName;
    use crate::policy::read_data_sets;

    fn read(access: &str) -> Result<StatedAccess, Vec<String>> {
        let text = format!(
            "apiVersion: domicile.dev/v1alpha1\nkind: DataSet\nmetadata: {{name: orders}}\nspec:\n  \
             profile: {{classification: internal, categories: [none], subjects: [none]}}\n  \
             consistency: strict\n  {access}\n  replicas: [{{region: aws/eu-west-1, role: leader}}]\n"
        );
        let name = DataSetName::new("orders").expect("a name");
        read_data_sets([("orders.yaml", text.as_str())])
            .map(|read| read[&name].access)
            .map_err(|findings| {
                findings
                    .into_iter()
                    .map(|finding| finding.sentence.to_string())
                    .collect()
            })
    }

    #[test]
    fn what_is_written_is_what_is_stated() {
        let two = NonZeroUsize::new(2);
        for (text, reads, writes) in [
            ("", None, None),
            ("access: {}", None, None),
            ("access: {reads: nearest}", Some(StatedReads::Nearest), None),
            (
                "access: {reads: leader, writes: leader}",
                Some(StatedReads::Leader),
                Some(StatedWrites::Leader),
            ),
            (
                "access: {reads: quorum, writes: quorum, writeQuorum: 2}",
                Some(StatedReads::Quorum(None)),
                Some(StatedWrites::Quorum(two)),
            ),
            ("access: {readQuorum: 2}", Some(StatedReads::Quorum(two)), None),
        ] {
            assert_eq!(read(text), Ok(StatedAccess { reads, writes }), "{text}");
        }
    }

    #[test]
    fn nonsense_is_told_with_its_place() {
        for (text, expected) in [
            ("access: {reads: nearset}", "unknown way to read `nearset`"),
            ("access: {writes: nearest}", "unknown way to write `nearest`"),
            (
                "access: {readQuorum: 0}",
                "`readQuorum` is 0 and a quorum has one voter at least",
            ),
            (
                "access: {reads: nearest, readQuorum: 2}",
                "`readQuorum` stands beside `reads: nearest` which asks no quorum",
            ),
            (
                "access: {writes: leader, writeQuorum: 2}",
                "`writeQuorum` stands beside `writes: leader` which asks no quorum",
            ),
        ] {
            assert_eq!(read(text), Err(vec![expected.to_owned()]), "{text}");
        }
    }
}
