//! Copies that were found beside copies that are declared.
//!
//! Inputs: a data set as declared, the copies of it that were found, where places are. Output: the data set with all of
//! them. A declared and a found copy at one place are the same one: one to one, equal roles first, and a declaration
//! without a zone fits any zone of its region. What is found then says in which zone it is and whether it can answer, and
//! its label says its role where rules believe it; else the declared role stands. What is left over of either is a copy by
//! itself.
//!
//! Invariants: no copy is dropped; a copy of which nobody says the role votes where nothing leads, and is `read-only`
//! beside a leader, so that it moves no majority. Deliberately absent: whether a copy may be where it is.

use std::sync::Arc;

use super::discover::Discovered;
use crate::model::{DataSet, FoundCopy, Locality, RegionKey, Replica, ReplicaRole};

/// A place as the catalogue knows it.
pub type KnownPlace = (RegionKey, Option<Arc<str>>);

/// The data set with what was found of it.
#[must_use]
pub fn join(
    declared: &DataSet,
    found: &[Arc<Discovered>],
    place: impl Fn(&Locality) -> Option<KnownPlace>,
) -> DataSet {
    let places: Vec<Option<KnownPlace>> = found.iter().map(|found| place(&found.locality)).collect();
    let stated: Vec<Option<KnownPlace>> = declared
        .replicas
        .iter()
        .map(|replica| place(&replica.locality))
        .collect();
    let mut taken = vec![false; found.len()];
    let mut paired: Vec<Option<usize>> = vec![None; declared.replicas.len()];
    for must_agree in [true, false] {
        for ((replica, stated), paired) in declared.replicas.iter().zip(&stated).zip(&mut paired) {
            if paired.is_some() {
                continue;
            }
            let fits = |(index, at): &(usize, &Option<KnownPlace>)| {
                let role = found.get(*index).and_then(|found| found.role);
                !taken.get(*index).copied().unwrap_or(true)
                    && is_one_place(stated.as_ref(), at.as_ref())
                    && (!must_agree || role == Some(replica.role))
            };
            if let Some((index, _)) = places.iter().enumerate().find(fits) {
                *paired = Some(index);
                if let Some(taken) = taken.get_mut(index) {
                    *taken = true;
                }
            }
        }
    }
    let of_declared = declared.replicas.iter().zip(&paired).map(|(replica, paired)| {
        match paired.and_then(|index| found.get(index)) {
            Some(found) => both(replica, found),
            None => replica.clone(),
        }
    });
    let mut replicas: Vec<Replica> = of_declared.collect();
    let leads = |role: Option<ReplicaRole>| role == Some(ReplicaRole::Leader);
    let is_led = replicas.iter().any(|replica| leads(Some(replica.role)))
        || found.iter().any(|found| leads(found.role));
    let unstated = if is_led {
        ReplicaRole::ReadOnly
    } else {
        ReplicaRole::Voter
    };
    let left = found.iter().zip(&taken).filter(|(_, taken)| !**taken);
    replicas.extend(left.map(|(found, _)| Replica {
        locality: found.locality.clone(),
        role: found.role.unwrap_or(unstated),
        found: Some(Arc::new(found.copy.clone())),
    }));
    DataSet {
        replicas,
        ..declared.clone()
    }
}

/// A copy that is declared and was found.
fn both(declared: &Replica, found: &Discovered) -> Replica {
    // Of the place too rules take only what they believe.
    let believed = Some(found).filter(|found| found.copy.is_believed);
    let by_label = believed.and_then(|found| found.role);
    let zone = believed.and_then(|found| found.locality.zone.as_ref());
    Replica {
        locality: Locality {
            zone: declared.locality.zone.as_ref().or(zone).cloned(),
            ..declared.locality.clone()
        },
        role: by_label.unwrap_or(declared.role),
        found: Some(Arc::new(FoundCopy {
            is_declared: true,
            ..found.copy.clone()
        })),
    }
}

fn is_one_place(one: Option<&KnownPlace>, other: Option<&KnownPlace>) -> bool {
    let (Some((region, zone)), Some((other_region, other_zone))) = (one, other) else {
        return false;
    };
    region == other_region && (zone.is_none() || other_zone.is_none() || zone == other_zone)
}

#[cfg(test)]
#[path = "join_tests.rs"]
mod tests;
