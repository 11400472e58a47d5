//! `NetworkLink`: its ends are regions of the catalogue, and no other link joins the same two places.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{references, unique};
use crate::policy::catalogue::Catalogue;
use crate::policy::definition::{LinkEnd, NetworkLink};
use crate::policy::document::{Object, Origin};
use crate::policy::schema::{NetworkLinkSpec, Text};
use crate::policy::words::{DayBoundary, Reader};

/// Reads links. Where a region could not be read, it may be the one that an end names.
pub(super) fn links(
    objects: &[Object<NetworkLinkSpec>],
    (catalogue, incomplete): (&Catalogue, bool),
    reader: &mut Reader,
) -> Vec<NetworkLink> {
    let by_name = unique(objects, "NetworkLink", reader);
    let links: Vec<NetworkLink> = by_name
        .into_iter()
        .filter_map(|(name, object)| link(name, object, (catalogue, incomplete), reader))
        .collect();
    refuse_second_links(&links, reader);
    links
}

fn link(
    name: Arc<str>,
    object: &Object<NetworkLinkSpec>,
    known: (&Catalogue, bool),
    reader: &mut Reader,
) -> Option<NetworkLink> {
    let Object { origin, spec, .. } = object;
    let from = end(origin, &spec.from, known, reader);
    let to = end(origin, &spec.to, known, reader);
    if let (Some(from), Some(to)) = (&from, &to)
        && from.region == to.region
    {
        let sentence = format!("both ends of the link are in `{}`", from.region);
        let fix = "a link joins two regions: ways within one are never looked at".to_owned();
        reader.error("L06", origin.position(&spec.to), sentence, Some(fix));
    }
    let countries = spec.countries.iter();
    let countries = countries
        .filter_map(|text| reader.country(origin, text))
        .collect();
    let provider = &spec.provider.value;
    if provider.trim().is_empty() || provider.chars().any(char::is_control) {
        let sentence = "`provider` names nobody".to_owned();
        let fix = "write who carries the traffic".to_owned();
        reader.error("L01", origin.position(&spec.provider), sentence, Some(fix));
    }
    let as_of = reader.instant(origin, &spec.as_of, DayBoundary::Start);
    Some(NetworkLink {
        name,
        from: from?,
        to: to?,
        countries,
        provider: provider.clone(),
        as_of: as_of?,
        source: spec.source.clone(),
        written_at: object.position(),
    })
}

/// A region of the catalogue, or a zone of one.
fn end(origin: &Origin, text: &Text, known: (&Catalogue, bool), reader: &mut Reader) -> Option<LinkEnd> {
    let mut parts = text.value.splitn(3, '/');
    let (first, second, zone) = (parts.next(), parts.next(), parts.next());
    if zone.is_some_and(|zone| zone.is_empty() || zone.contains(|c: char| c == '/' || c.is_whitespace())) {
        let sentence = format!("`{}` is not a place", text.value.escape_default());
        let fix = "write `provider/region` or `provider/region/zone`".to_owned();
        reader.error("L01", origin.position(text), sentence, Some(fix));
        return None;
    }
    let region = match (first, second) {
        (Some(provider), Some(region)) => format!("{provider}/{region}"),
        _ => text.value.clone(),
    };
    let otherwise = "add a Region object for it";
    let at = origin.position(text);
    Some(LinkEnd {
        region: references::region(&region, at, known, otherwise, reader)?,
        zone: zone.map(Arc::from),
    })
}

/// Two declarations of one way would leave open which of them traffic takes.
fn refuse_second_links(links: &[NetworkLink], reader: &mut Reader) {
    let mut seen: BTreeMap<[&LinkEnd; 2], &NetworkLink> = BTreeMap::new();
    for link in links {
        let Some(first) = seen.insert(link.ends(), link) else {
            continue;
        };
        let [one, other] = link.ends();
        let sentence = format!(
            "the link `{}` joins `{one}` and `{other}` as `{}` does",
            link.name, first.name
        );
        let fix = "write one link with every country that traffic may cross on either".to_owned();
        reader.error("L04", link.written_at.clone(), sentence, Some(fix));
        seen.insert(link.ends(), first);
    }
}
