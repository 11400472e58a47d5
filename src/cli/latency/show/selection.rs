//! Which places are shown.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::{Order, ShowArgs};
use crate::cli::latency::sources::{Loaded, fleet_regions};
use crate::model::{RegionKey, Statistic};
use crate::topology::MeasuredPlace;
use crate::topology::audit::Viewed;

/// The places at both ends of what is shown.
#[derive(Debug)]
pub enum Selection {
    /// All ways among some places.
    Among(Vec<MeasuredPlace>),
    /// The ways from one place to others.
    From(MeasuredPlace, Vec<MeasuredPlace>),
    /// The ways from others to one place.
    To(MeasuredPlace, Vec<MeasuredPlace>),
}

impl Selection {
    /// Where ways begin.
    pub fn rows(&self) -> impl Iterator<Item = &MeasuredPlace> {
        match self {
            Self::From(one, _) => std::slice::from_ref(one).iter(),
            Self::Among(places) | Self::To(_, places) => places.iter(),
        }
    }

    /// Where ways end.
    pub fn columns(&self) -> impl Iterator<Item = &MeasuredPlace> {
        match self {
            Self::To(one, _) => std::slice::from_ref(one).iter(),
            Self::Among(places) | Self::From(_, places) => places.iter(),
        }
    }

    /// Whether one end is one place.
    pub fn is_list(&self) -> bool {
        !matches!(self, Self::Among(_))
    }

    /// What the head says of it.
    pub fn in_words(&self) -> String {
        match self {
            Self::Among(_) => String::new(),
            Self::From(from, _) => format!(", from {from}, the nearest first"),
            Self::To(to, _) => format!(", to {to}, the nearest first"),
        }
    }
}

/// Selects what the flags name.
///
/// # Errors
/// Where a region is unknown, or nothing is left.
pub fn select(
    args: &ShowArgs,
    loaded: &Loaded,
    viewed: &Viewed<'_>,
    statistic: Statistic,
) -> Result<Selection> {
    let one = |name: &Option<String>| -> Result<Option<MeasuredPlace>> {
        let region = name.as_deref().map(|name| loaded.region(name)).transpose()?;
        Ok(region.map(MeasuredPlace::region))
    };
    let (from, to) = (one(&args.from)?, one(&args.to)?);
    let mut places = places(args, loaded)?;
    if let (Some(from), Some(to)) = (&from, &to) {
        return Ok(Selection::From(from.clone(), vec![to.clone()]));
    }
    if let Some(one) = from.as_ref().or(to.as_ref()) {
        places.retain(|place| place != one);
    }
    if places.is_empty() {
        bail!("{}", nothing_left(args));
    }
    Ok(match (from, to) {
        (Some(from), _) => Selection::From(from, places),
        (None, Some(to)) => Selection::To(to, places),
        (None, None) if args.order == Order::Near => Selection::Among(near(places, viewed, statistic)),
        (None, None) => Selection::Among(places),
    })
}

fn places(args: &ShowArgs, loaded: &Loaded) -> Result<Vec<MeasuredPlace>> {
    if !args.regions.is_empty() {
        let mut named: Vec<MeasuredPlace> = Vec::new();
        for name in &args.regions {
            let place = MeasuredPlace::region(loaded.region(name)?);
            if !named.contains(&place) {
                named.push(place);
            }
        }
        return Ok(named);
    }
    let mut regions: BTreeSet<RegionKey> = match &args.fleet {
        Some(fleet) => fleet_regions(fleet, &loaded.policies)?,
        None => loaded.known_regions(),
    };
    if args.all {
        regions.extend(loaded.catalogued_regions());
    }
    if let Some(provider) = &args.provider {
        regions.retain(|region| region.provider() == provider);
    }
    let mut places: BTreeSet<MeasuredPlace> = regions.iter().cloned().map(MeasuredPlace::region).collect();
    if args.zones {
        let ends = loaded.measurements.known().flat_map(|(from, to, ..)| [from, to]);
        places.extend(ends.filter(|place| regions.contains(&place.region)).cloned());
    }
    Ok(places.into_iter().collect())
}

fn nothing_left(args: &ShowArgs) -> String {
    match &args.provider {
        Some(provider) if !args.all => format!(
            "no region of `{provider}` was measured; --all shows the regions of the catalogue, by estimates"
        ),
        Some(provider) => format!("the catalogue has no region of `{provider}`"),
        None => "no other region is left to show".to_owned(),
    }
}

/// Each place after the one that it is nearest to, beginning with the first; what is unknown comes last.
fn near(mut rest: Vec<MeasuredPlace>, viewed: &Viewed<'_>, statistic: Statistic) -> Vec<MeasuredPlace> {
    let mut ordered = Vec::with_capacity(rest.len());
    if rest.is_empty() {
        return ordered;
    }
    let mut last = rest.remove(0);
    while !rest.is_empty() {
        let ms = |place: &MeasuredPlace| {
            let latency = viewed.pair(&last, place).latency(statistic);
            latency.map_or(f64::INFINITY, |it| it.as_ms())
        };
        let nearest = rest
            .iter()
            .enumerate()
            .min_by(|(_, one), (_, other)| ms(one).total_cmp(&ms(other)))
            .map_or(0, |(index, _)| index);
        let next = rest.remove(nearest);
        ordered.push(std::mem::replace(&mut last, next));
    }
    ordered.push(last);
    ordered
}
