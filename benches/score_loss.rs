//! What the 0..10 score loses against the exact order of costs. Run: `cargo bench --bench score_loss`, with
//! `DOMICILE_LATENCY_CSV` for a latency file of your own besides the shipped one.
//!
//! The method: random candidates, data sets and clients; the loss of a draw is what a candidate with the
//! highest score costs above the best candidate, in expectation where several have it, as if nothing but this
//! score decided. The floors: 0.1 ms on average and 2 ms at most.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise"
)]

use std::sync::Arc;

use domicile::assembly::{SourceText, latency_table};
use domicile::embedded;
use domicile::model::{
    AccessProfile, Classification, ClientWeight, Consistency, DataProfile, DataSet, DataSetName, DataSetUse,
    DataSets, Locality, Members, RegionKey, RegionReference, Replica, ReplicaRole, RequestsPerCall,
    StatedAccess,
};
use domicile::placement::{AccessDemand, Demanded, ScoreScale, total};
use domicile::policy::PolicySet;
use domicile::replicas::Replicas;
use domicile::topology::LatencyTable;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

const DRAWS: usize = 4_000;

/// What a draw asks for.
#[derive(Debug, Clone, Copy)]
enum Access {
    /// Reads from the nearest of three copies.
    Reads,
    /// Reads, writes to the leader, and clients in three regions.
    Mixed,
}

/// Bare names of a file are those of Amazon, as in the matrix of cloudping.co.
fn with_providers(text: &str) -> String {
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let key = |name: &str| {
        if name.contains('/') {
            name.to_owned()
        } else {
            format!("aws/{name}")
        }
    };
    let mut written = format!("{header}\n");
    for line in lines {
        match line.splitn(3, ',').collect::<Vec<_>>()[..] {
            [from, to, rest] => written.push_str(&format!("{},{},{rest}\n", key(from), key(to))),
            _ => written.push_str(&format!("{line}\n")),
        }
    }
    written
}

/// Regions that some measured pair touches: the others would only compare guesses.
fn measured_regions(text: &str) -> Vec<RegionKey> {
    let mut regions: Vec<RegionKey> = text
        .lines()
        .skip(1)
        .filter_map(|line| RegionKey::parse(line.split(',').next()?).ok())
        .collect();
    regions.sort();
    regions.dedup();
    regions
}

fn data_set(regions: &[RegionKey], random: &mut Pcg64Mcg) -> DataSet {
    let replicas = regions
        .sample(random, 3)
        .zip([ReplicaRole::Leader, ReplicaRole::Voter, ReplicaRole::Voter])
        .map(|(region, role)| Replica {
            locality: Locality {
                region: Some(RegionReference::Key(region.clone())),
                ..Locality::default()
            },
            role,
            found: None,
        });
    DataSet {
        name: DataSetName::new("orders").expect("a name"),
        profile: DataProfile {
            classification: Classification::Internal,
            categories: Vec::new(),
            subjects: Vec::new(),
        },
        consistency: Consistency::Available,
        access: StatedAccess::default(),
        replicas: replicas.collect(),
        members: Members::default(),
        owner: None,
    }
}

fn profile(access: Access, regions: &[RegionKey], random: &mut Pcg64Mcg) -> AccessProfile {
    let (reads, writes, clients) = match access {
        Access::Reads => (1.0, 0.0, 0),
        Access::Mixed => (random.random_range(0.5..4.0), random.random_range(0.0..2.0), 3),
    };
    let clients: Vec<RegionKey> = regions.sample(random, clients).cloned().collect();
    AccessProfile {
        clients: clients
            .into_iter()
            .map(|region| ClientWeight {
                region: RegionReference::Key(region),
                weight: random.random_range(0.1..1.0),
            })
            .collect(),
        data_sets: vec![DataSetUse {
            name: DataSetName::new("orders").expect("a name"),
            reads: RequestsPerCall::new(reads),
            writes: RequestsPerCall::new(writes),
        }],
        ..AccessProfile::default()
    }
}

/// The loss of one draw, in milliseconds.
fn loss(table: &LatencyTable, regions: &[RegionKey], access: Access, random: &mut Pcg64Mcg) -> f64 {
    let locate = |locality: &Locality| match locality.region.as_ref()? {
        RegionReference::Key(key) => table.locate(key, None),
        RegionReference::Bare(_) => None,
    };
    let data_set = data_set(regions, random);
    let replicas = Replicas::place(&DataSets::unit(data_set.name.clone(), Arc::new(data_set)), locate);
    let demand = AccessDemand::resolve(&profile(access, regions, random), &replicas, table, locate);
    let mut candidates = regions.to_vec();
    candidates.shuffle(random);
    candidates.truncate(random.random_range(2..=regions.len()));
    let costs: Vec<_> = candidates
        .iter()
        .map(|region| total(table, &demand, table.locate(region, None)))
        .collect();
    let scale = ScoreScale::new(costs.iter().copied(), costs.iter().copied());
    let ms = |cost: &Demanded<domicile::placement::Total>| cost.known().expect("a known cost").ms;
    let best_score = costs
        .iter()
        .map(|cost| scale.score(*cost))
        .max()
        .expect("candidates");
    let chosen: Vec<f64> = costs
        .iter()
        .filter(|cost| scale.score(**cost) == best_score)
        .map(ms)
        .collect();
    let least = costs.iter().map(ms).fold(f64::INFINITY, f64::min);
    chosen.iter().sum::<f64>() / chosen.len() as f64 - least
}

fn report(name: &str, text: &str) {
    let policies = PolicySet::load(embedded::policies().iter().copied())
        .expect("the shipped set")
        .set;
    let table = latency_table(&[SourceText::new(name, text)], Some(&policies)).expect("a good file");
    let regions = measured_regions(text);
    for access in [Access::Reads, Access::Mixed] {
        let mut random = Pcg64Mcg::seed_from_u64(42);
        let mut losses: Vec<f64> = (0..DRAWS)
            .map(|_| loss(&table, &regions, access, &mut random))
            .collect();
        losses.sort_by(f64::total_cmp);
        println!(
            "{name}, {} regions, {DRAWS} draws of {access:?}: loss {:.3} ms on average, {:.2} ms at P95, {:.2} ms at most",
            regions.len(),
            losses.iter().sum::<f64>() / losses.len() as f64,
            losses[losses.len() * 95 / 100],
            losses[losses.len() - 1],
        );
    }
}

fn main() {
    let (name, text) = embedded::latency();
    report(name, text);
    if let Ok(path) = std::env::var("DOMICILE_LATENCY_CSV") {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        report(&path, &with_providers(&text));
    }
}
