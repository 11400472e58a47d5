//! `Guarantee`: what must never be possible.

use std::sync::Arc;

use super::blocks::data_selector;
use super::policies::activities;
use super::unique;
use crate::policy::definition::{ForbiddenPlaces, Guarantee};
use crate::policy::document::Object;
use crate::policy::schema::GuaranteeSpec;
use crate::policy::words::Reader;

pub(super) fn guarantees(objects: &[Object<GuaranteeSpec>], reader: &mut Reader) -> Vec<Guarantee> {
    let by_name = unique(objects, "Guarantee", reader);
    by_name
        .into_iter()
        .filter_map(|(name, object)| guarantee(name, object, reader))
        .collect()
}

fn guarantee(name: Arc<str>, object: &Object<GuaranteeSpec>, reader: &mut Reader) -> Option<Guarantee> {
    let Object { origin, spec, .. } = object;
    let at = object.position();
    if spec.says.value.trim().is_empty() {
        reader.error(
            "L01",
            origin.position(&spec.says),
            "`says` is empty".to_owned(),
            None,
        );
    }
    let data = data_selector(origin, &spec.never.data, &at, reader);
    let activities = activities(origin, &spec.never.activities, at.clone(), reader);
    let location = &spec.never.location;
    let forbidden = match (&location.value.inside, &location.value.outside) {
        (Some(places), None) => Some(ForbiddenPlaces::In(reader.places(origin, places, "in", at))),
        (None, Some(places)) => Some(ForbiddenPlaces::Outside(
            reader.places(origin, places, "outside", at),
        )),
        _ => {
            let sentence = "`location` has exactly one of `in` and `outside`".to_owned();
            reader.error("L01", origin.position(location), sentence, None);
            None
        }
    };
    let allows_exceptions = match &spec.exceptions {
        None => Some(false),
        Some(text) => reader.word(origin, text, "setting", &["listed", "none"], |word| match word {
            "listed" => Some(true),
            "none" => Some(false),
            _ => None,
        }),
    };
    Some(Guarantee {
        name,
        says: spec.says.value.clone(),
        data,
        activities,
        forbidden: forbidden?,
        allows_exceptions: allows_exceptions?,
        written_at: object.position(),
    })
}
