//! From what is written to what is meant: every word checked, every reference resolved.
//!
//! Inputs: [`Objects`]. Outputs: [`Definitions`], a [`Catalogue`], data sets, and findings. Invariant:
//! where a finding of level error exists the outcome is not used; all errors are found in one run.

mod blocks;
mod exceptions;
mod groups;
mod guarantees;
mod links;
mod policies;
mod references;
mod regions;
mod settings;
mod test_cases;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::Catalogue;
use super::definition::Definitions;
use super::document::{Object, Objects};
use super::finding::Position;
use super::words::Reader;
pub use blocks::data_set_name;

/// Translates everything but data sets.
pub fn translate(objects: &Objects, reader: &mut Reader) -> (Option<Definitions>, Catalogue) {
    let unread_documents = !reader.findings.is_empty();
    let regions = regions::regions(&objects.regions, reader);
    let groups = groups::groups(&objects.groups, reader);
    let settings = settings::settings(&objects.settings, unread_documents, reader);
    if let Some(settings) = &settings {
        reader.teams = settings.teams.keys().cloned().collect();
    }
    let policies = policies::policies(&objects.policies, reader);
    let no_teams = BTreeMap::new();
    let grounds = exceptions::Grounds {
        policies: &policies,
        teams: settings.as_ref().map_or(&no_teams, |settings| &settings.teams),
        incomplete: unread_documents || policies.len() < objects.policies.len(),
    };
    let exceptions = exceptions::exceptions(&objects.exceptions, &grounds, reader);
    let guarantees = guarantees::guarantees(&objects.guarantees, reader);
    let catalogue = Catalogue::new(regions);
    let is_whole_catalogue = !unread_documents && catalogue.regions().count() == objects.regions.len();
    let links = links::links(&objects.links, (&catalogue, !is_whole_catalogue), reader);
    let grounds = test_cases::Grounds {
        policies: &policies,
        exceptions: &exceptions,
        catalogue: &catalogue,
        incomplete: grounds.incomplete || exceptions.len() < objects.exceptions.len() || !is_whole_catalogue,
    };
    let tests = test_cases::tests(&objects.tests, &grounds, reader);
    let definitions = settings.map(|settings| Definitions {
        settings,
        groups,
        links,
        policies,
        exceptions,
        guarantees,
        tests,
    });
    (definitions, catalogue)
}

/// Keeps the first object of each name, in the order of names.
fn unique<'a, S>(
    objects: &'a [Object<S>],
    kind: &str,
    reader: &mut Reader,
) -> BTreeMap<Arc<str>, &'a Object<S>> {
    let mut by_name: BTreeMap<Arc<str>, &Object<S>> = BTreeMap::new();
    for object in objects {
        let name: Arc<str> = Arc::from(object.name.value.as_str());
        let well_formed = !name.is_empty()
            && name.len() <= 253
            && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',' || c == '`');
        if !well_formed {
            reader.error(
                "L01",
                object.position(),
                format!("`{}` is not a name", name.escape_default()),
                None,
            );
            continue;
        }
        match by_name.get(&name) {
            Some(first) => {
                let Position { file, line, .. } = first.position();
                let sentence = format!("a second {kind} is called `{name}`; the first is at {file}:{line}");
                reader.error("L04", object.position(), sentence, None);
            }
            None => {
                by_name.insert(name, object);
            }
        }
    }
    by_name
}
