//! `ExtenderArgs`: what filter and prioritize are asked.

use super::candidates::{Candidates, FindClasses, names, objects};
use super::error::BadRequest;
use super::scan::Scanner;
use crate::model::PodRequirements;
use crate::objects::PodView;

/// A pod and the nodes that it may be put on.
#[derive(Debug)]
pub struct Arguments<'b> {
    /// The pod.
    pub pod: PodRequirements,
    /// The nodes.
    pub candidates: Candidates<'b>,
}

/// That the body itself is no object.
pub(super) const NO_OBJECT: BadRequest = BadRequest::WrongType {
    field: "the body",
    expected: "a JSON object",
};

/// Reads a body of filter or prioritize. Fields may come in any order; those that `extender/v1` does not
/// have are skipped.
///
/// # Errors
/// Where the body is not exactly one pod with one list of nodes.
pub fn read_arguments<'b>(body: &'b [u8], classes_of: impl FindClasses) -> Result<Arguments<'b>, BadRequest> {
    let mut scanner = Scanner::new(body);
    let mut pod = Field::new("Pod");
    let mut from_names = Field::new("NodeNames");
    let mut from_objects = Field::new("Nodes");
    scanner.object(&NO_OBJECT, |scanner, key| match key.unescaped().as_ref() {
        b"Pod" => pod.read(scanner, read_pod),
        b"NodeNames" => from_names.read(scanner, |scanner| names(scanner, &classes_of)),
        b"Nodes" => from_objects.read(scanner, |scanner| objects(scanner, &classes_of)),
        _ => scanner.skip(),
    })?;
    scanner.end()?;
    let pod = pod.value.ok_or(BadRequest::MissingPod)?;
    let candidates = match (from_names.value, from_objects.value) {
        (Some(candidates), None) | (None, Some(candidates)) => candidates,
        (None, None) => return Err(BadRequest::NoCandidates),
        (Some(_), Some(_)) => return Err(BadRequest::BothCandidates),
    };
    Ok(Arguments { pod, candidates })
}

/// Reads the pod, as far as it decides.
pub(super) fn read_pod(scanner: &mut Scanner<'_>) -> Result<PodRequirements, BadRequest> {
    let (view, _) = scanner.object_value::<PodView<'_>>(BadRequest::InvalidPod)?;
    view.requirements()
        .map_err(|error| BadRequest::InvalidPod(error.to_string()))
}

/// A field of the outermost object: absent and `null` are the same, twice is an error.
pub(super) struct Field<T> {
    name: &'static str,
    seen: bool,
    pub(super) value: Option<T>,
}

impl<T> Field<T> {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            seen: false,
            value: None,
        }
    }

    pub(super) fn read<'b>(
        &mut self,
        scanner: &mut Scanner<'b>,
        read: impl FnOnce(&mut Scanner<'b>) -> Result<T, BadRequest>,
    ) -> Result<(), BadRequest> {
        if std::mem::replace(&mut self.seen, true) {
            return Err(BadRequest::RepeatedField(self.name));
        }
        if !scanner.take_null() {
            self.value = Some(read(scanner)?);
        }
        Ok(())
    }
}
